//! Requests to both sides, for comparisons. They are evenly distributed in time, so that counts depend on the time of the
//! query only where scrapes are rare.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serin::{analysis::Tally, statistics::Counts};

/// Requests per second to both sides, and the failures among them.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// All requests, and failed ones.
    canary: (f64, f64),
    /// The same for the primary.
    primary: (f64, f64),
    /// Seconds between scrapes: the canary is scraped at multiples of it, the primary half of it later. 0: at every moment.
    #[serde(default)]
    scraped: f64,
    /// Seconds after which a sample can be read.
    #[serde(default)]
    late: f64,
}

impl Default for Rates {
    /// A hundred requests per second without failures.
    fn default() -> Self {
        Self::of((10.0, 0.0), (90.0, 0.0))
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { canary, primary, scraped, late } = self;
        write!(
            f,
            "{} of the canary ({} fail), {} of the primary ({} fail)",
            canary.0, canary.1, primary.0, primary.1
        )?;
        if *scraped > 0.0 {
            write!(f, ", seen every {scraped} s by turns")?;
        }
        if *late > 0.0 { write!(f, ", shown {late} s later") } else { Ok(()) }
    }
}

impl Rates {
    /// All requests per second and the failed ones, of the canary and of the primary.
    pub fn of(canary: (f64, f64), primary: (f64, f64)) -> Self {
        Self { canary, primary, scraped: 0.0, late: 0.0 }
    }

    /// The counts between two moments, as far as they can be read at `now`.
    pub(crate) fn between(self, from: Timestamp, to: Timestamp, now: Timestamp) -> Tally {
        let shown = now - SignedDuration::from_secs_f64(self.late);
        let (from, to) = (from.min(shown), to.min(shown));
        let scrapes = |at: Timestamp, later: f64| {
            ((at.as_millisecond() as f64 / 1000.0 - later) / self.scraped).floor()
        };
        let of = |(all, bad): (f64, f64), later: f64| {
            let seconds = if self.scraped > 0.0 {
                self.scraped * (scrapes(to, later) - scrapes(from, later))
            } else {
                to.duration_since(from).as_secs_f64()
            };
            Counts { all: (all * seconds).round() as u64, bad: (bad * seconds).round() as u64 }
        };
        Tally { canary: of(self.canary, 0.0), primary: of(self.primary, self.scraped / 2.0) }
    }
}
