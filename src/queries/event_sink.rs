//! Notes → webhooks of the type `event`: in order for each Canary, in the background, through a bounded queue. No
//! decision waits for it or depends on it.

use std::sync::Arc;

use tokio_util::task::TaskTracker;

use crate::{
    plan::Call,
    queues::{Bounds, Item, Queues},
    snapshot::Key,
    telemetry::Metrics,
    webhook::Webhooks,
};

/// Calls that may wait for one Canary; more are dropped and counted. Those of a namespace may take 1 MiB.
const QUEUE: Bounds = Bounds { items: 100, of_one: 1 << 20, bytes: 16 << 20 };

/// The queues of all Canaries.
#[derive(Clone)]
pub(crate) struct EventSink {
    hooks: Webhooks,
    metrics: Arc<Metrics>,
    queues: Arc<Queues<Key, Call>>,
}

impl EventSink {
    /// Calls through `hooks`.
    pub(crate) fn new(hooks: Webhooks, metrics: Arc<Metrics>) -> Self {
        Self { hooks, metrics, queues: Arc::new(Queues::new(QUEUE, TaskTracker::new())) }
    }

    /// Appends calls to the Canary's queue.
    pub(crate) fn send(&self, key: &Key, calls: Vec<Call>) {
        for call in calls {
            let (sink, of) = (self.clone(), key.clone());
            let deliver = move |call| {
                let (sink, of) = (sink.clone(), of.clone());
                async move { sink.call(&of, &call).await }
            };
            let item = Item { owner: key.0.clone(), bytes: bytes(&call), what: call };
            if self.queues.push(key, item, deliver).is_err() {
                self.metrics.hooks.event_dropped();
            }
        }
    }

    async fn call(&self, key: &Key, call: &Call) {
        let outcome = match self.hooks.call(&key.0, call).await.answer {
            Ok(()) => "yes",
            Err(refused) => {
                let canary = format!("{}.{}", key.1, key.0);
                tracing::warn!(
                    canary,
                    webhook = call.name,
                    why = refused.refusal.why,
                    "an event was not taken by its webhook"
                );
                if refused.answered { "no" } else { "unanswered" }
            }
        };
        self.metrics.hooks.called("event", outcome);
    }
}

fn bytes(call: &Call) -> usize {
    call.body.to_string().len() + call.url.len() + call.name.len() + call.id.len()
}
