//! Failures that occur in groups.

use serin::backtest::Random;

/// The maximum size of a group.
const LARGEST: f64 = 2000.0;
/// The exponent of the heavy tail: large groups are rarer than small ones.
const TAIL: f64 = 1.5;

/// The sizes of groups of failures.
#[derive(Clone, Copy, Debug)]
pub(super) enum Groups {
    /// Each failure occurs alone.
    Single,
    /// All groups have one size.
    Fixed(f64),
    /// A geometric distribution with this mean.
    Geometric(f64),
    /// A heavy-tailed distribution with this mean.
    Heavy(f64),
}

impl Groups {
    fn mean(self) -> f64 {
        match self {
            Self::Single => 1.0,
            Self::Fixed(mean) | Self::Geometric(mean) | Self::Heavy(mean) => mean,
        }
    }

    fn one(self, random: &mut Random) -> f64 {
        match self {
            Self::Single => 1.0,
            Self::Fixed(size) => size,
            Self::Geometric(mean) => (random.unit().ln() / (-1.0 / mean).ln_1p()).ceil().max(1.0),
            Self::Heavy(mean) => {
                let least = mean * (TAIL - 1.0) / TAIL;
                (least * random.unit().powf(-1.0 / TAIL)).clamp(1.0, LARGEST).round()
            }
        }
    }

    /// The number of failures among `all` requests at this rate.
    pub(super) fn failed(self, all: u64, rate: f64, random: &mut Random) -> u64 {
        let rate = rate.clamp(0.0, 1.0);
        if matches!(self, Self::Single) || rate > 0.9 {
            return random.binomial(all, rate);
        }
        let groups = random.poisson(all as f64 * rate / self.mean());
        let failed: f64 = (0..groups).map(|_| self.one(random)).sum();
        (failed as u64).min(all)
    }
}
