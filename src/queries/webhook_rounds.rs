//! Rounds of webhook calls, made in the background, so that a slow webhook does not block passes over its Canary.
//!
//! Owns current rounds and the last answers, by Canary and by place in its run. A round is not started while the same
//! one is running. Those of another step or run are dropped, and their calls cancelled. All of it is memory: after a
//! restart the webhooks are called again, under the same request ids.
#![allow(clippy::disallowed_methods, reason = "starts tasks and waits for them")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::join_all;
use jiff::Timestamp;
use tokio::{sync::mpsc::UnboundedSender, task::AbortHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    clock, net,
    plan::{Call, Round},
    snapshot::{Key, Timing, WebhookReply, WebhookRound},
    telemetry::Metrics,
    webhook::{Called, Webhooks},
};

/// A pass continues at once with answers that arrive within this time, so that metrics need not be queried twice.
const GRACE: Duration = Duration::from_millis(250);

/// An answer whose time is further in the future was recorded before the clock was set back.
const CLOCK_SET: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

/// The rounds of all Canaries.
#[derive(Clone)]
pub(crate) struct WebhookRounds {
    hooks: Webhooks,
    metrics: Arc<Metrics>,
    triggers: UnboundedSender<Key>,
    book: Arc<Mutex<BTreeMap<Key, BTreeMap<String, Entry>>>>,
}

struct Entry {
    round: Round,
    /// The last answer.
    heard: Option<WebhookRound>,
    /// It has not been read yet.
    unread: bool,
    /// Cancelled when the round is over.
    over: CancellationToken,
    task: AbortHandle,
}

impl Drop for Entry {
    fn drop(&mut self) {
        if !self.round.lasts() {
            self.task.abort();
        }
    }
}

impl WebhookRounds {
    /// Calls through `hooks`; a Canary whose webhooks have answered is sent to `triggers`.
    pub(crate) fn new(hooks: Webhooks, metrics: Arc<Metrics>, triggers: UnboundedSender<Key>) -> Self {
        Self { hooks, metrics, triggers, book: Arc::default() }
    }

    /// The answers until `now` at this step of this run (see [`crate::plan::run_of`]); answers for others are dropped.
    pub(crate) fn heard(&self, key: &Key, run: &str, now: Timestamp) -> BTreeMap<String, WebhookRound> {
        let mut book = self.book();
        let Some(entries) = book.get_mut(key) else { return BTreeMap::new() };
        entries.retain(|place, entry| {
            place.starts_with(run) || entry.round.lasts() && !entry.over.is_cancelled()
        });
        let mut heard = BTreeMap::new();
        for (place, entry) in entries.iter_mut() {
            if let Some(said) = &entry.heard {
                // a moment ahead: for the next pass; more: the clock was set back
                let ahead = said.at.duration_since(now);
                if !ahead.is_negative() && !ahead.is_zero() && ahead < CLOCK_SET {
                    continue;
                }
                entry.unread = false;
                heard.insert(place.clone(), said.clone());
            }
        }
        if entries.is_empty() {
            book.remove(key);
        }
        heard
    }

    /// Starts the rounds that are not running; returns those it started.
    pub(crate) fn begin(&self, key: &Key, rounds: &[Round]) -> Vec<CancellationToken> {
        rounds.iter().filter_map(|round| self.begin_one(key, round)).collect()
    }

    /// Waits a moment. True when one of the rounds has been answered.
    pub(crate) async fn answered(&self, begun: &[CancellationToken]) -> bool {
        if begun.is_empty() {
            return false;
        }
        let all = join_all(begun.iter().map(CancellationToken::cancelled));
        tokio::time::timeout(GRACE, all).await.ok();
        begun.iter().any(CancellationToken::is_cancelled)
    }

    /// The Canary is gone: no more calls are made for it.
    pub(crate) fn forget(&self, key: &Key) {
        self.book().remove(key);
    }

    fn begin_one(&self, key: &Key, round: &Round) -> Option<CancellationToken> {
        let mut book = self.book();
        let entries = book.entry(key.clone()).or_default();
        let known = entries.get(&round.place);
        let alike = |entry: &Entry| {
            let hooks = |round: &Round| {
                round.calls.iter().map(|c| (c.name.clone(), c.url.clone())).collect::<Vec<_>>()
            };
            hooks(&entry.round) == hooks(round)
        };
        if let Some(entry) = known.filter(|entry| alike(entry)) {
            if !entry.over.is_cancelled() {
                return None;
            }
            // answered since the last pass
            if entry.unread {
                return Some(entry.over.clone());
            }
        }
        let heard = known.and_then(|entry| entry.heard.clone());
        let over = CancellationToken::new();
        let task =
            tokio::spawn(self.clone().carry_out(key.clone(), round.clone(), over.clone())).abort_handle();
        let entry = Entry { round: round.clone(), heard, unread: false, over: over.clone(), task };
        entries.insert(round.place.clone(), entry);
        Some(over)
    }

    /// One call after the other, up to the first answer that ends the round.
    async fn carry_out(self, key: Key, round: Round, over: CancellationToken) {
        let mut said = Vec::new();
        for call in &round.calls {
            let one = self.call(&key.0, &round, call).await;
            let last = round.ends_with(&one.answer);
            said.push(one);
            if last {
                break;
            }
        }
        let heard = WebhookRound { at: clock::now(), said };
        if let Some(entry) = self.book().get_mut(&key).and_then(|entries| entries.get_mut(&round.place)) {
            entry.heard = Some(heard);
            entry.unread = true;
        }
        over.cancel();
        self.triggers.send(key).ok();
    }

    async fn call(&self, namespace: &str, round: &Round, call: &Call) -> WebhookReply {
        let asked = clock::now();
        let Called { answer, tries, status } = self.hooks.call(namespace, call).await;
        let outcome = match &answer {
            Ok(()) => "yes",
            Err(refusal) if refusal.answered => "no",
            Err(_) => "unanswered",
        };
        self.metrics.hooks.called(round.kind.word(), outcome);
        let shown = net::address(&call.url).map_or_else(|_| String::new(), |url| net::shown(&url));
        WebhookReply {
            name: call.name.clone(),
            url: call.url.clone(),
            answer: answer.map_err(|refused| refused.refusal),
            course: Timing { shown, asked, answered: clock::now(), tries, status },
        }
    }

    fn book(&self) -> MutexGuard<'_, BTreeMap<Key, BTreeMap<String, Entry>>> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
