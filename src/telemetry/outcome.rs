//! How a reconcile ended, and the guard that counts and times it.
#![allow(clippy::disallowed_methods, reason = "durations of reconciles are measured here and decide nothing")]

use std::{
    fmt::{self, Write as _},
    time::Instant,
};

use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};

use super::Metrics;

/// How one reconcile of one Canary ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Something was written.
    Applied,
    /// Nothing to write now; a time or an answer is awaited.
    Waiting,
    /// Nothing to write and nothing awaited but a change.
    Settled,
    /// A read or write did not succeed; it is tried again later.
    Failed,
    /// The reconcile panicked, or its Canary is left alone because an earlier one did.
    Quarantined,
}

impl Outcome {
    /// The value of the label `outcome`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Waiting => "waiting",
            Self::Settled => "settled",
            Self::Failed => "failed",
            Self::Quarantined => "quarantined",
        }
    }
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.label())
    }
}

/// A reconcile under way. [`Reconcile::end`] counts it under its outcome and records its duration.
///
/// Dropped by a panic it counts as quarantined; dropped otherwise (the process is stopping) it counts as nothing.
#[must_use = "a reconcile that is not ended is not counted"]
#[derive(Debug)]
pub struct Reconcile<'a> {
    metrics: &'a Metrics,
    began: Instant,
    ended: bool,
}

impl<'a> Reconcile<'a> {
    /// Starts measuring.
    pub fn begin(metrics: &'a Metrics) -> Self {
        Self { metrics, began: Instant::now(), ended: false }
    }

    /// Counts the reconcile.
    pub fn end(mut self, outcome: Outcome) {
        self.record(outcome);
    }

    fn record(&mut self, outcome: Outcome) {
        self.ended = true;
        self.metrics.reconciled(outcome, self.began.elapsed());
    }
}

impl Drop for Reconcile<'_> {
    fn drop(&mut self) {
        if !self.ended && std::thread::panicking() {
            self.record(Outcome::Quarantined);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_reconciles_count_under_their_outcome() {
        let metrics = Metrics::new("istio");
        Reconcile::begin(&metrics).end(Outcome::Settled);
        drop(Reconcile::begin(&metrics));
        let text = metrics.exposition();
        assert!(text.contains("serin_reconcile_total{outcome=\"settled\"} 1\n"), "{text}");
        assert!(text.contains("serin_reconcile_duration_seconds_count 1\n"), "{text}");
    }

    #[test]
    fn a_panic_counts_as_quarantined() {
        let metrics = std::sync::Arc::new(Metrics::new("istio"));
        let inner = metrics.clone();
        let ended = std::thread::spawn(move || {
            let _measured = Reconcile::begin(&inner);
            panic!("a defect");
        })
        .join();
        assert!(ended.is_err());
        let text = metrics.exposition();
        assert!(text.contains("serin_reconcile_total{outcome=\"quarantined\"} 1\n"), "{text}");
    }
}
