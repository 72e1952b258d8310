//! A plan under construction: the wanted status, the writes, the messages, and when to look again.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};

use crate::{
    api::{CanaryCondition, CanaryStatus, Phase, Waiting},
    names::conditions,
    plan::{
        kstatus,
        model::{
            Action, Note, Plan, Round, Stop, Wake,
            flow::{Flow, GO_ON, WAIT, WRITE_FIRST},
            waits::is_shut,
        },
    },
    snapshot::{Evidence, ObjectRef, Snapshot, Write},
    write_budget::{Desired, WriteBudget},
};

/// Collects one pass's decisions.
pub(crate) struct PlanBuilder {
    old: CanaryStatus,
    /// The wanted status.
    pub(crate) status: CanaryStatus,
    /// In order.
    pub(crate) actions: Vec<Action>,
    /// Writes that are postponed.
    pub(crate) held: Vec<Write>,
    /// In order.
    pub(crate) notes: Vec<Note>,
    /// The actions only lower the canary's weight: carry them out even if the status write fails.
    pub(crate) urgent: bool,
    /// ConfigMaps and Secrets to be read before a decision.
    pub(crate) unread: Vec<ObjectRef>,
    /// End of the window that was judged.
    pub(crate) judged: Option<Timestamp>,
    /// When the next check of the run is.
    pub(crate) next_check: Option<Timestamp>,
    /// Findings, and which of them are not yet in the record of the run.
    pub(crate) evidence: Evidence,
    /// Webhooks whose answers the decision needs.
    pub(crate) calls: Vec<Round>,
    /// The guard that stopped the pass, and why.
    stopped: Option<(String, Stop)>,
    wake: Option<Timestamp>,
    /// While the Canary is idle, its generation is not recorded before this time.
    followed_at: Option<Timestamp>,
    now: Timestamp,
    /// Deadlines count from now on.
    restarted: bool,
    /// Pods of the target are ready and no longer awaited; from this time on, that is recorded.
    pods_ready: Option<Timestamp>,
    canary: String,
    writes: WriteBudget<Write>,
}

impl PlanBuilder {
    pub(crate) fn new(old: CanaryStatus, now: Timestamp) -> Self {
        Self {
            status: old.clone(),
            old,
            actions: vec![],
            held: vec![],
            notes: vec![],
            urgent: false,
            unread: vec![],
            judged: None,
            next_check: None,
            evidence: Evidence::default(),
            calls: vec![],
            stopped: None,
            wake: None,
            followed_at: None,
            now,
            restarted: false,
            pods_ready: None,
            canary: String::new(),
            writes: WriteBudget::default(),
        }
    }

    /// The decision uses corrected stored times: `stored` is the status before the correction.
    pub(crate) fn correcting(self, stored: CanaryStatus) -> Self {
        Self { old: stored, ..self }
    }

    /// The Canary is acted on again after a time in which it was not: that time does not count.
    pub(crate) fn restart_deadlines(&mut self) {
        self.restarted = true;
        let now = MicroTime(self.now);
        if let Some(step) = &mut self.status.step {
            step.pods_since.iter_mut().chain(&mut step.since).for_each(|since| *since = now.clone());
            step.pods.iter_mut().for_each(|pods| pods.since = now.clone());
        }
        let taken = self.status.run.iter_mut().filter_map(|run| run.taken.as_mut());
        taken.for_each(|taken| taken.since = now.clone());
    }

    /// This pass is the first in which the Canary is acted on again.
    pub(crate) fn restarts_deadlines(&self) -> bool {
        self.restarted
    }

    /// A revision waits for approval to start, from now on unless it has waited before.
    pub(crate) fn wait_to_start(&mut self, revision: &str) {
        let known = self.status.waiting.as_ref().and_then(|waiting| waiting.revision.as_deref());
        if known != Some(revision) {
            self.status.waiting =
                Some(Waiting { since: MicroTime(self.now), revision: Some(revision.to_owned()) });
        }
    }

    /// The target's pods are ready. That is recorded together with another write, or separately from `time` on.
    pub(crate) fn pods_are_ready(&mut self, time: Timestamp) {
        if self.status.step.as_ref().is_some_and(|step| step.pods_since.is_some()) {
            self.pods_ready = Some(time);
        }
    }

    /// Records since when the current wait has lasted.
    fn note_waiting(&mut self) {
        if let Some(time) = self.pods_ready {
            if self.status != self.old || self.now >= time {
                self.status.step.iter_mut().for_each(|step| step.pods_since = None);
            } else {
                self.wake_at(time);
            }
        }
        let rests = matches!(
            self.status.phase.unwrap_or_default(),
            Phase::Unset | Phase::Initialized | Phase::Succeeded | Phase::Failed | Phase::Terminated
        );
        if rests {
            self.status.waiting = None;
        } else if self.restarted || place(&self.status) != place(&self.old) {
            let revision = self.status.waiting.take().and_then(|waiting| waiting.revision);
            let revision = revision.filter(|_| self.status.phase == Some(Phase::Waiting));
            self.status.waiting = Some(Waiting { since: MicroTime(self.now), revision });
        }
    }

    /// A plan for this Canary.
    pub(crate) fn of(snap: &Snapshot, now: Timestamp) -> Self {
        let canary = snap.canary.metadata.name.clone().unwrap_or_default();
        Self { canary, writes: snap.writes.clone(), ..Self::new(snap.status(), now) }
    }

    /// The previous status.
    pub(crate) fn old(&self) -> &CanaryStatus {
        &self.old
    }

    /// Writes, unless it is too early for another attempt: then the plan wakes when it is due. Writes that take users
    /// off a failing version are never too early.
    pub(crate) fn act(&mut self, action: Action) {
        let (write, desired) = action.attempt(&self.canary);
        match self.held_until(&write, desired) {
            Some(until) => {
                self.wake_at(until);
                self.held.push(write);
            }
            None => self.actions.push(action),
        }
    }

    /// As [`Self::act`]; waits if it is too early.
    pub(crate) fn try_act(&mut self, action: Action) -> Flow {
        let before = self.actions.len();
        self.act(action);
        if self.actions.len() > before { WRITE_FIRST } else { WAIT }
    }

    /// The API server refused the last write of the object.
    pub(crate) fn was_refused(&self, write: &Write) -> bool {
        self.writes.is_refused(write)
    }

    /// Traffic is moved at once when that is decided. Further attempts of the same write become rarer.
    fn held_until(&self, write: &Write, desired: Desired) -> Option<Timestamp> {
        let decided = self.status.step != self.old.step || self.status.run != self.old.run;
        self.writes.held_until(write, desired, self.now).filter(|_| !self.urgent || !decided)
    }

    /// Adds a message, in the phase that the plan has reached.
    pub(crate) fn say(&mut self, note: Note) {
        let phase = self.status.phase.unwrap_or_default();
        self.notes.push(Note { phase, ..note });
    }

    /// Look again at `time` at the latest.
    pub(crate) fn wake_at(&mut self, time: Timestamp) {
        self.wake = Some(self.wake.map_or(time, |w| w.min(time)));
    }

    /// Continues once `time` has come; until then it waits, and wakes at that time.
    pub(crate) fn reached(&mut self, time: Timestamp) -> Flow {
        if self.now < time {
            self.wake_at(time);
            return WAIT;
        }
        GO_ON
    }

    /// This guard has stopped the pass; a guard that contains others adds the name of the inner one.
    pub(crate) fn stopped_by(&mut self, guard: &str, stop: Stop) {
        self.stopped = Some(match self.stopped.take() {
            Some((inner, _)) => (format!("{guard}/{inner}"), stop),
            None => (guard.to_owned(), stop),
        });
    }

    /// Changes the phase, and with it the condition `Promoted` (texts and values as Flagger's).
    pub(crate) fn phase(&mut self, phase: Phase, kind: &str) {
        self.status.phase = Some(phase);
        let (status, message) = match phase {
            Phase::Initialized => ("True", format!("{kind} initialization completed.")),
            Phase::Waiting | Phase::WaitingPromotion => ("Unknown", "Waiting for approval.".into()),
            Phase::Progressing => ("Unknown", "New revision detected, progressing canary analysis.".into()),
            Phase::Promoting => {
                ("Unknown", "Canary analysis completed, starting primary rolling update.".into())
            }
            Phase::Finalising => {
                ("Unknown", "Canary analysis completed, routing all traffic to primary.".into())
            }
            Phase::Succeeded => {
                ("True", "Canary analysis completed successfully, promotion finished.".into())
            }
            Phase::Failed => ("False", format!("Canary analysis failed, {kind} scaled to zero.")),
            _ => ("Unknown", format!("New {kind} detected, starting initialization.")),
        };
        self.condition(conditions::PROMOTED, status, &phase.to_string(), &message);
    }

    /// Sets a condition; true if status, reason or message is new.
    pub(crate) fn condition(&mut self, type_: &str, status: &str, reason: &str, message: &str) -> bool {
        let now = Time(self.now);
        let old = self.status.conditions.iter().position(|c| c.type_ == type_);
        let kept = old.map(|i| self.status.conditions[i].clone());
        if kept.as_ref().is_some_and(|c| c.status == status && c.reason == reason && c.message == message) {
            return false;
        }
        let since = kept.filter(|c| c.status == status).and_then(|c| c.last_transition_time);
        let new = CanaryCondition {
            type_: type_.into(),
            status: status.into(),
            reason: reason.into(),
            message: message.into(),
            observed_generation: None,
            last_update_time: Some(now.clone()),
            last_transition_time: since.or(Some(now)),
        };
        match old {
            Some(i) => self.status.conditions[i] = new,
            None => self.status.conditions.push(new),
        }
        true
    }

    /// Removes a condition; true if it existed.
    pub(crate) fn clear(&mut self, type_: &str) -> bool {
        let before = self.status.conditions.len();
        self.status.conditions.retain(|c| c.type_ != type_);
        self.status.conditions.len() != before
    }

    /// The condition in the plan.
    pub(crate) fn find(&self, type_: &str) -> Option<&CanaryCondition> {
        self.status.conditions.iter().find(|c| c.type_ == type_)
    }

    /// Records the Canary's generation; while it is idle or not accepted not before `at`, so that a tool that waits for
    /// a Canary and other objects that were changed together does not mistake the old state for the new one.
    pub(crate) fn follow_generation(&mut self, generation: Option<i64>, at: Timestamp) {
        self.status.observed_generation = generation;
        self.followed_at = Some(at);
    }

    fn put_off_generation(&mut self) {
        let Some(at) = self.followed_at.filter(|at| self.now < *at) else { return };
        let rests = matches!(self.status.phase, Some(Phase::Initialized | Phase::Succeeded | Phase::Failed));
        let refused = self.find(conditions::ACCEPTED).is_some_and(|c| c.status == "False");
        if (rests || refused) && self.status.observed_generation != self.old.observed_generation {
            self.status.observed_generation = self.old.observed_generation;
            self.wake_at(at);
        }
    }

    /// The conditions for waiting tools follow from the rest of the status, and the time of the next check from the
    /// time: both are written together with it, and never separately.
    fn tell_waiting_tools(&mut self) {
        if self.status == self.old {
            return;
        }
        self.status.next_check = self.next_check.map(MicroTime);
        for (type_, wanted) in kstatus::wanted(&self.status) {
            match wanted {
                None => drop(self.clear(type_)),
                Some((status, reason, message)) => drop(self.condition(type_, status, &reason, &message)),
            }
        }
        let generation = self.status.observed_generation;
        let told = [conditions::READY, conditions::RECONCILING, conditions::STALLED];
        let told = self.status.conditions.iter_mut().filter(|c| told.contains(&c.type_.as_str()));
        told.for_each(|condition| condition.observed_generation = generation);
    }

    pub(crate) fn finish(mut self) -> Plan {
        self.note_waiting();
        self.put_off_generation();
        self.tell_waiting_tools();
        let moved =
            self.status.phase != self.old.phase || self.status.canary_weight != self.old.canary_weight;
        if moved {
            self.status.last_transition_time = Some(Time(self.now));
        }
        let status = (self.status != self.old).then_some(self.status);
        let wake = if status.is_some() || !self.actions.is_empty() {
            Wake::Now
        } else {
            self.wake.map_or(Wake::OnChange, Wake::At)
        };
        Plan {
            status,
            actions: self.actions,
            notes: self.notes,
            urgent: self.urgent,
            judged: self.judged,
            unrecorded: self.evidence,
            calls: self.calls,
            stopped: self.stopped,
            wake,
        }
    }
}

/// The parts of the status that change when the run waits for something else.
fn place(status: &CanaryStatus) -> impl PartialEq {
    let run = status.run.as_ref().map(|run| (run.number, run.ending.is_some(), run.paused.is_some()));
    let step = status.step.as_ref().map(|step| {
        (step.index, step.weight, step.mirrored, step.promotion, step.renew, step.confirmed.is_some())
    });
    (status.phase, status.epoch, status.last_applied_spec.clone(), run, step, is_shut(status))
}
