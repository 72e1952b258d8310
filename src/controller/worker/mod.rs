//! The work on one Canary at a time: observe → questions → query → decide → apply, until there is nothing left to do.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this module wires the I/O together")]

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use kube::Client;
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    lanes::{Entry, Lanes, Permit, Slot},
    pass_state::PassStates,
    pause::Pause,
    queue::{Again, Start},
    runs::Runs,
};
use crate::{
    alert::{self, Alerts},
    apply::{Applier, ApplyError},
    clock,
    config::Config,
    events::Events,
    net::Outbound,
    observe::{self, GatherError, ObjectCache},
    plan::{self, Answers, Plan, Question, Wake},
    queries::{Asker, EventSink, WebhookRounds},
    snapshot::{CANARY_RUN, JOB, Key, Pauses, Snapshot},
    source::{Contents, Http, Secrets, Sources, http::TIMEOUT},
    telemetry::{Metrics, Outcome, Reconcile},
    webhook::Webhooks,
    write_budget,
};

/// Plans carried out for one Canary before others get their turn. The longest chain of writes without waiting is
/// shorter; if a Canary needs more, another writer is changing its objects.
const PASSES: usize = 24;
/// After a refused write, which is not repeated at once, the other writes of the plan are decided again.
const SOON: Duration = Duration::from_millis(100);

/// Everything that working on a Canary needs.
pub(super) struct Worker {
    pub(super) cache: Arc<ObjectCache>,
    pub(super) config: Config,
    pub(super) asker: Asker,
    pub(super) rounds: WebhookRounds,
    pub(super) event_sink: EventSink,
    pub(super) applier: Applier,
    pub(super) events: Events,
    pub(super) alerts: Alerts,
    pub(super) metrics: Arc<Metrics>,
    pub(super) states: PassStates,
    pub(super) lanes: Lanes,
    pub(super) runs: Runs,
    /// Triggers a pass over a Canary.
    pub(super) triggers: mpsc::UnboundedSender<Key>,
    /// The process is shutting down: no further pass begins.
    pub(super) stop: CancellationToken,
}

/// The parts of a worker.
pub(super) struct Parts {
    pub(super) client: Client,
    pub(super) out: Outbound,
    pub(super) events: Events,
    pub(super) metrics: Arc<Metrics>,
    pub(super) cache: Arc<ObjectCache>,
    pub(super) triggers: mpsc::UnboundedSender<Key>,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
}

/// Questions and their answers.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) questions: Vec<Question>,
    pub(super) answers: Answers,
    /// What was not to be asked then. Unusable answers postpone the next question, but still count.
    pub(super) pauses: Pauses,
}

/// How a pass ended.
struct Pass {
    /// Something was written.
    wrote: bool,
    next: Next,
}

/// What happens after a pass.
enum Next {
    /// Another pass at once; these answers are valid for it, if its questions are the same.
    Pass(Option<Asked>),
    /// The same, but nothing was carried out: it waited, and what it had seen may be out of date.
    Again(Option<Asked>),
    /// Nothing before this time, unless something changes.
    At(Timestamp),
    /// Nothing before something changes.
    OnChange,
}

impl Worker {
    pub(super) fn new(config: Config, parts: Parts) -> Self {
        let Parts { client, out, events, metrics, cache, triggers, tasks, stop } = parts;
        let (hooks, secrets) = (Webhooks::new(out.clone()), Secrets::new(client.clone()));
        let remembered = secrets.clone();
        cache.when_secrets_go(move |is_gone| remembered.forget(is_gone));
        Self {
            asker: Asker::new(
                Sources::new(&Http::new(out.clone(), TIMEOUT), &client),
                secrets,
                Contents::new(client.clone()),
                &config.rules,
                metrics.clone(),
            ),
            rounds: WebhookRounds::new(hooks.clone(), metrics.clone(), triggers.clone()),
            event_sink: EventSink::new(hooks, metrics.clone()),
            alerts: Alerts::new(alert::Parts {
                cache: cache.clone(),
                client: client.clone(),
                out,
                events: events.clone(),
                metrics: metrics.clone(),
                rules: config.rules.clone(),
                own: config.notifier.clone(),
                cluster: config.cluster_name.clone(),
                tasks,
            }),
            applier: Applier::new(client, cache.clone()),
            events,
            metrics,
            states: PassStates::default(),
            lanes: Lanes::new(),
            runs: Runs::new(config.max_runs),
            triggers,
            stop,
            config,
            cache,
        }
    }

    /// Carries out plan after plan for one Canary until there is nothing left to do now.
    pub(super) async fn work(&self, key: Key, start: Start) -> Again {
        let Some(slot) = self.turn(&key, &start).await else { return Again::OnChange };
        start.begin();
        let measured = Reconcile::begin(&self.metrics);
        let (outcome, again) = Box::pin(self.passes(&key, slot)).await;
        measured.end(outcome);
        again
    }

    async fn passes(&self, key: &Key, mut slot: Slot) -> (Outcome, Again) {
        let now = clock::now();
        let rests = self.states.of(key, |state| state.rest_until.and_then(|pause| pause.until(now)));
        if let Some(until) = rests.filter(|until| now < *until) {
            self.step_aside(key);
            return (Outcome::Waiting, Again::After(clock::until(until, now)));
        }
        self.try_dropped_status(key, &mut slot).await;
        let (mut wrote, mut asked, mut left) = (false, None, PASSES);
        while left > 0 {
            if self.stop.is_cancelled() {
                return (Outcome::Waiting, Again::OnChange);
            }
            let pass = match Box::pin(self.pass(key, asked.take(), &mut slot)).await {
                Ok(pass) => pass,
                Err(end) => return end,
            };
            wrote |= pass.wrote;
            let unless_written = |outcome| if wrote { Outcome::Applied } else { outcome };
            match pass.next {
                Next::Pass(answered) => (asked, left) = (answered, left - 1),
                Next::Again(answered) => asked = answered,
                Next::At(time) => {
                    self.states.of(key, |state| state.unsettled.reset());
                    let wait = clock::until(time, clock::now());
                    return (unless_written(Outcome::Waiting), Again::After(wait));
                }
                Next::OnChange => {
                    self.states.of(key, |state| state.unsettled.reset());
                    return (unless_written(Outcome::Settled), Again::OnChange);
                }
            }
        }
        tracing::warn!(canary = %format!("{}.{}", key.1, key.0), "still not settled after many writes: is something else changing the same objects?");
        let wait = self.states.of(key, |state| {
            let wait = state.unsettled.next_delay();
            state.rest_until = Some(Pause::from(clock::now(), wait));
            wait
        });
        (Outcome::Failed, Again::After(wait))
    }

    /// One snapshot, one decision and its writes. `asked`: answers from the pass right before. Err: no further pass
    /// now.
    async fn pass(&self, key: &Key, asked: Option<Asked>, slot: &mut Slot) -> Result<Pass, (Outcome, Again)> {
        let waiting = |again| (Outcome::Waiting, again);
        let ended = (Outcome::Waiting, Again::OnChange);
        self.decides(key, slot).await.ok_or(ended)?;
        let now = clock::now();
        let mut snap = self.observe(key, now, slot).await.map_err(waiting)?;
        let asked = if let Some(asked) = Asked::reused(asked, &mut snap, now) {
            asked
        } else {
            let questions = match plan::begin(&snap, now) {
                Ok(plan) => {
                    let plan = self.in_turn(key, &mut snap, plan, &Answers::default(), now);
                    return self.carry_on(key, &snap, plan, Asked::default(), (now, now), slot).await;
                }
                Err(questions) => questions,
            };
            let Some(asked) = self.ask(key, &snap, questions, now, slot).await else {
                return Ok(Pass { wrote: false, next: Next::Again(None) });
            };
            asked
        };
        self.decides(key, slot).await.ok_or(ended)?;
        let decided = asked.decided_at(now);
        // answers take time: the decision has to match the state after them
        let put_off = std::mem::replace(&mut snap, self.observe(key, decided, slot).await.map_err(waiting)?);
        let pauses = std::mem::replace(&mut snap.pauses, put_off.pauses);
        if !plan::would_ask(&snap, asked.answers.asked_at, &asked.questions) {
            return Ok(Pass { wrote: false, next: Next::Pass(None) });
        }
        // a server that has just asked for fewer queries was not left alone yet: its answers count
        snap.pauses = Pauses { servers: snap.pauses.servers, ..pauses };
        let plan = plan::decide(&snap, &asked.answers, decided);
        let plan = self.in_turn(key, &mut snap, plan, &asked.answers, decided);
        self.carry_on(key, &snap, plan, asked, (now, decided), slot).await
    }

    /// Carries out a plan that was begun and decided at these `times`, starts webhook calls, and says what comes next.
    async fn carry_on(
        &self,
        key: &Key,
        snap: &Snapshot,
        plan: Plan,
        asked: Asked,
        times: (Timestamp, Timestamp),
        slot: &mut Slot,
    ) -> Result<Pass, (Outcome, Again)> {
        slot.pause();
        self.show_readings(snap, &asked);
        if plan.is_empty() {
            slot.writes = None;
        } else if self.writes(key, snap, &plan, slot).await.ok_or((Outcome::Waiting, Again::OnChange))?
            == Entry::Decide
        {
            return Ok(Pass { wrote: false, next: Next::Again(Some(asked)) });
        }
        let permit = slot.writes.take();
        self.carry_out(key, snap, &plan, permit).await.map_err(|again| (Outcome::Failed, again))?;
        self.observe_check(snap, &plan, times.0, times.1);
        let begun = self.rounds.begin(key, &plan.calls);
        let next = if plan.is_empty() && self.rounds.answered(&begun).await {
            Next::Pass(Some(asked))
        } else {
            match plan.wake {
                Wake::Now => Next::Pass(None),
                Wake::At(time) => Next::At(time),
                Wake::OnChange => Next::OnChange,
            }
        };
        Ok(Pass { wrote: !plan.is_empty(), next })
    }

    pub(super) async fn observe(
        &self,
        key: &Key,
        now: Timestamp,
        slot: &mut Slot,
    ) -> Result<Snapshot, Again> {
        match observe::gather(&self.cache, &self.config.rules, key, now) {
            Ok(mut snap) => {
                self.clear_undecodable(key);
                self.states.of(key, |state| state.needs_undecodable = None);
                self.states.complete(key, &mut snap, now);
                snap.watching_since = snap.watching_since.max(clock::watching_since());
                snap.heard = self.rounds.heard(key, &plan::run_of(&snap), now);
                self.tell_unanswered(key, &snap);
                Ok(snap)
            }
            Err(GatherError::Gone) => {
                self.forget(key);
                Err(Again::OnChange)
            }
            // its watch triggers again; the time is for a watch that is being reopened
            Err(GatherError::Behind(_)) => {
                self.step_aside(key);
                Err(Again::After(Duration::from_secs(1)))
            }
            Err(GatherError::Undecodable(why)) => {
                slot.pause();
                self.step_aside(key);
                Err(self.leave_undecodable(key, &why).await)
            }
            Err(error @ GatherError::NeedsUndecodable { .. }) => {
                self.clear_undecodable(key);
                slot.pause();
                self.step_aside(key);
                self.report_needed(key, &error.to_string());
                Err(Again::OnChange)
            }
        }
    }

    async fn carry_out(
        &self,
        key: &Key,
        snap: &Snapshot,
        plan: &Plan,
        permit: Option<Permit>,
    ) -> Result<(), Again> {
        let carried = self.applier.carry_out(&snap.canary, plan).await;
        drop(permit);
        self.note_run(key, snap, plan, carried.failed.as_ref().filter(|_| !carried.decided));
        let refusals = carried.failed.iter().chain(&carried.unrecorded);
        if refusals.into_iter().any(ApplyError::namespace_terminates) {
            // already known if namespaces may be watched
            self.cache.set_terminating(&key.0, true);
        }
        let now = clock::now();
        self.states.of(key, |state| {
            for ((write, desired), outcome) in &carried.attempts {
                // a metric's Job has its own state, and records have their own time
                if ![JOB, CANARY_RUN].contains(&write.0.kind) || *outcome == write_budget::Outcome::Written {
                    state.writes.note(write, *desired, outcome.clone(), now);
                }
            }
        });
        if carried.decided || plan.status.is_none() {
            self.update_metrics(snap, plan);
        }
        self.remember_unanswered(key, snap, plan, &carried);
        let Some(error) = carried.failed else {
            self.remember_record(key, plan, carried.unrecorded.as_ref(), true);
            if !plan.is_empty() {
                self.states.of(key, |state| {
                    state.refused = None;
                    state.failures.reset();
                });
            }
            self.announce(snap, plan);
            return Ok(());
        };
        if carried.decided {
            self.remember_record(key, plan, None, false);
            self.announce(snap, plan);
        }
        let name = format!("{}.{}", key.1, key.0);
        if error.is_conflict() {
            tracing::debug!(canary = name, %error, "deciding again");
        } else {
            tracing::warn!(canary = name, error = %chain(&error), "a write failed, trying again");
        }
        if self.remember_refusal(key, plan, &error, &carried.attempts) {
            return Err(Again::After(SOON));
        }
        Err(self.later(key))
    }

    /// Again, after a delay that grows with each failure.
    pub(super) fn later(&self, key: &Key) -> Again {
        Again::After(self.states.of(key, |state| state.failures.next_delay()))
    }
}

impl Asked {
    /// The time of a decision on questions that were made at `now`: the current time, once metrics were queried.
    /// Otherwise no window may end between the two, and be judged without answers.
    fn decided_at(&self, now: Timestamp) -> Timestamp {
        let measured = self.questions.iter().any(|question| matches!(question, Question::Measure { .. }));
        if measured { clock::now() } else { now }
    }
}

/// An error with all its causes.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests;
