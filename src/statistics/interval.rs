//! Intervals of rates that are valid at any number of looks. For people: verdicts do not use them.

use super::{Counts, Evidence, numbers::ln_gamma};

/// Probability that an interval of the difference ever misses.
const MISSES: f64 = 0.05;
/// Where the mixture behind the intervals is narrowest.
const TUNED: f64 = 100.0;
/// Newton's method approaches from the side on which it never overshoots.
const MOST_STEPS: usize = 60;

/// Lower and upper ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    /// Interval of the canary's rate.
    pub canary: (f64, f64),
    /// Interval of the primary's rate.
    pub primary: (f64, f64),
    /// Interval of the difference: the canary's rate minus the primary's.
    pub difference: (f64, f64),
}

impl Evidence {
    /// The intervals of both rates; none until both sides had requests while the primary was not in trouble.
    pub fn shown(&self) -> Option<Shown> {
        if self.calm_canary.all == 0 || self.calm_primary.all == 0 {
            return None;
        }
        let burst = self.burst();
        let (canary, primary) = (ends(self.calm_canary, burst), ends(self.calm_primary, burst));
        Some(Shown { canary, primary, difference: (canary.0 - primary.1, canary.1 - primary.0) })
    }
}

fn ends(counts: Counts, burst: f64) -> (f64, f64) {
    let (all, bad) = (counts.all as f64 / burst, counts.bad as f64 / burst);
    let most =
        (2.0 / MISSES).ln() + (0.5 + bad) * (TUNED + all).ln() - 0.5 * TUNED.ln() - ln_gamma(0.5 + bad)
            + ln_gamma(0.5);
    let end = |from: f64| {
        let mut u = from;
        for _ in 0..MOST_STEPS {
            let slope = all * u.exp() - bad;
            if slope == 0.0 {
                break;
            }
            u -= (all * u.exp() - bad * u - most) / slope;
        }
        u.exp()
    };
    let low = if counts.bad == 0 { 0.0 } else { end(-most / bad) };
    let high = if all <= most { 1.0 } else { end(0.0) };
    (low, high)
}
