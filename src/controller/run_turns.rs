//! Which run may begin now: asked when a plan would begin it, and updated when it has ended.

use jiff::Timestamp;

use super::worker::Worker;
use crate::{
    apply::ApplyError,
    names::conditions,
    plan::{self, Answers, Plan},
    snapshot::{Key, Snapshot},
};

impl Worker {
    /// Before any Canary is processed: takes the running and waiting runs from the caches.
    pub(super) fn resume_runs(&self) {
        let all = self.cache.standings();
        let running = all.iter().filter(|(_, standing)| standing.runs).map(|(key, _)| key.clone()).collect();
        let waiting = all.into_iter().filter_map(|(key, standing)| Some((key, standing.queued?))).collect();
        self.runs.resume(running, waiting);
    }

    /// The plan, or one that makes the revision wait for its turn.
    pub(super) fn in_turn(
        &self,
        key: &Key,
        snap: &mut Snapshot,
        plan: Plan,
        answers: &Answers,
        now: Timestamp,
    ) -> Plan {
        let status = snap.status();
        if !plan.begins_run(&status) {
            return plan;
        }
        let queued = status.conditions.iter().find(|c| c.type_ == conditions::QUEUED);
        let since = queued.and_then(|c| c.last_transition_time.as_ref()).map_or(now, |time| time.0);
        let Err(full) = self.runs.begin(key, since) else { return plan };
        snap.queued = Some(full);
        plan::decide(snap, answers, now)
    }

    /// After a plan was carried out, or not: others may have their turn now.
    pub(super) fn note_run(&self, key: &Key, snap: &Snapshot, plan: &Plan, failed: Option<&ApplyError>) {
        // it may have been written all the same; the next pass sees the result
        if failed.is_some_and(ApplyError::is_open) {
            return;
        }
        let written = plan.status.as_ref().filter(|_| failed.is_none());
        let runs = written.or(snap.canary.status.as_ref()).is_some_and(|status| status.run.is_some());
        self.have_turn(self.runs.note(key, runs, snap.queued.is_some()));
    }

    /// The Canary is gone, or no longer belongs to this operator.
    pub(super) fn forget_run(&self, key: &Key) {
        self.have_turn(self.runs.note(key, false, false));
    }

    /// It cannot be processed now: another one gets its turn.
    pub(super) fn step_aside(&self, key: &Key) {
        let next = if self.cache.standing(key).runs {
            self.runs.step_aside(key)
        } else {
            // also the place that was taken for a run that was not begun after all
            self.runs.note(key, false, false)
        };
        self.have_turn(next);
    }

    fn have_turn(&self, next: Vec<Key>) {
        for key in next {
            // the queue ends with the process
            self.triggers.send(key).ok();
        }
    }
}
