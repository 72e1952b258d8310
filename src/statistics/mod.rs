//! PURE. Whether a canary is worse than its primary, no worse, or neither yet, from counts of requests of both.
//!
//! A *look* is a reading of counters: all and bad requests of both sides since the previous look. [`Evidence`] is the
//! result of the looks of a run. It is valid at every moment: more looks, or longer ones, do not make errors likelier.
//! Knows nothing about Canaries, queries or clocks. For the promises and reasons see `docs/design/0070-evidence.md`.

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
    /// Requests that failed, or were slow.
    pub bad: u64,
}

impl Counts {
    /// The share of bad ones; none where there were no requests.
    pub fn rate(self) -> Option<f64> {
        (self.all > 0).then(|| self.bad as f64 / self.all as f64)
    }

    /// The sum of two.
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

/// The counts between two moments.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Look {
    /// Counts of the canary.
    pub canary: Counts,
    /// Counts of the primary.
    pub primary: Counts,
    /// Time between the two moments.
    pub seconds: f64,
}
