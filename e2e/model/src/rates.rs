//! Requests to both sides, for comparisons. They are evenly distributed in time, so that counts do not depend on the
//! time of the query.

use std::fmt;

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
}

impl Default for Rates {
    /// A hundred requests per second without failures.
    fn default() -> Self {
        Self { canary: (10.0, 0.0), primary: (90.0, 0.0) }
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { canary, primary } = self;
        write!(
            f,
            "{} of the canary ({} fail), {} of the primary ({} fail)",
            canary.0, canary.1, primary.0, primary.1
        )
    }
}

impl Rates {
    /// All requests per second and the failed ones, of the canary and of the primary.
    pub fn of(canary: (f64, f64), primary: (f64, f64)) -> Self {
        Self { canary, primary }
    }

    /// The counts over this many seconds.
    pub(crate) fn in_seconds(self, seconds: f64) -> Tally {
        let of = |(all, bad): (f64, f64)| Counts {
            all: (all * seconds).round() as u64,
            bad: (bad * seconds).round() as u64,
        };
        Tally { canary: of(self.canary), primary: of(self.primary) }
    }
}
