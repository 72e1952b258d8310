//! Metrics of webhook calls.

use super::catalog;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    r#type: String,
    outcome: String,
}

/// Counters of webhook calls.
#[derive(Debug, Default)]
pub struct HookMetrics {
    calls: Family<CallLabels, Counter>,
    dropped: Counter,
}

impl HookMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let (name, help) = catalog::named("serin_webhook_calls_total");
        registry.register(name, help, self.calls.clone());
        let (name, help) = catalog::named("serin_event_webhooks_dropped_total");
        registry.register(name, help, self.dropped.clone());
    }

    /// One call of this type ended: `yes`, `no` or `unanswered`.
    pub fn called(&self, type_: &str, outcome: &str) {
        let labels = CallLabels { r#type: type_.into(), outcome: outcome.into() };
        self.calls.get_or_create(&labels).inc();
    }

    /// An event was dropped.
    pub fn event_dropped(&self) {
        self.dropped.inc();
    }
}
