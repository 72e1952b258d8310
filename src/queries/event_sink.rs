//! What is said, told to webhooks of the type `event`: in order for each Canary, in the background, from a queue of bounded
//! length. No decision waits for it, and none depends on it.
#![allow(clippy::disallowed_methods, reason = "starts tasks")]

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{plan::Call, snapshot::Key, telemetry::Metrics, webhook::Webhooks};

/// Calls that may wait for one Canary; more are dropped and counted.
const QUEUE: usize = 100;

/// The queues of all Canaries.
#[derive(Clone)]
pub struct EventSink {
    hooks: Webhooks,
    metrics: Arc<Metrics>,
    /// There is a queue while there is a task that empties it.
    queues: Arc<Mutex<BTreeMap<Key, VecDeque<Call>>>>,
}

impl EventSink {
    /// Tells through `hooks`.
    pub fn new(hooks: Webhooks, metrics: Arc<Metrics>) -> Self {
        Self { hooks, metrics, queues: Arc::default() }
    }

    /// Puts calls at the end of the Canary's queue.
    pub fn tell(&self, key: &Key, calls: Vec<Call>) {
        if calls.is_empty() {
            return;
        }
        let mut queues = self.queues();
        let begin = !queues.contains_key(key);
        let queue = queues.entry(key.clone()).or_default();
        for call in calls {
            if queue.len() < QUEUE {
                queue.push_back(call);
            } else {
                self.metrics.hooks.event_dropped();
            }
        }
        if begin {
            tokio::spawn(self.clone().empty(key.clone()));
        }
    }

    async fn empty(self, key: Key) {
        while let Some(call) = self.next(&key) {
            let outcome = match self.hooks.call(&call).await.answer {
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

    /// The next call; the queue goes when there is none.
    fn next(&self, key: &Key) -> Option<Call> {
        let mut queues = self.queues();
        let call = queues.get_mut(key).and_then(VecDeque::pop_front);
        if call.is_none() {
            queues.remove(key);
        }
        call
    }

    fn queues(&self) -> MutexGuard<'_, BTreeMap<Key, VecDeque<Call>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
