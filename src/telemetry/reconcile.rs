//! The guard that counts and times a reconcile.
#![allow(clippy::disallowed_methods, reason = "durations of reconciles are measured here and decide nothing")]

use std::time::Instant;

use super::{metrics::Metrics, outcome::Outcome};

/// A reconcile in progress. [`Reconcile::end`] counts it under its outcome and records its duration.
///
/// If a panic drops it, it counts as quarantined; dropped otherwise (the process is shutting down) it is not counted.
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
