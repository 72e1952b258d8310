//! PURE. Whether a canary is worse than its primary, no worse, or neither yet, by counts of requests of both.
//!
//! A *look* is a reading of counters: all and bad requests of both sides since the look before. [`Evidence`] is what the looks of
//! a run have come to. It is valid at every moment: looking more often, or for longer, does not make errors likelier. Knows
//! nothing of Canaries, queries or clocks. What is promised, and why this way: `docs/design/0070-evidence.md`.

mod bursts;
mod evidence;
mod interval;
mod numbers;
mod proportion;
mod settings;
mod text;

#[cfg(test)]
mod tests;

pub use bursts::{History, Measured};
pub use evidence::{Evidence, Finding};
pub use interval::Shown;
pub use proportion::share_interval;
pub use settings::{Known, Settings, Wide};

/// Requests of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub all: u64,
    /// Those that failed, or were slow.
    pub bad: u64,
}

impl Counts {
    /// The share of bad ones; none where there were no requests.
    pub fn rate(self) -> Option<f64> {
        (self.all > 0).then(|| self.bad as f64 / self.all as f64)
    }

    /// Those of two times together.
    #[must_use]
    pub fn plus(mut self, more: Self) -> Self {
        self.add(more);
        self
    }

    fn add(&mut self, more: Self) {
        self.all = self.all.saturating_add(more.all);
        self.bad = self.bad.saturating_add(more.bad);
    }
}

/// What was counted between two moments.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Look {
    /// Of the canary.
    pub canary: Counts,
    /// Of the primary.
    pub primary: Counts,
    /// How far the two moments lie apart.
    pub seconds: f64,
}
