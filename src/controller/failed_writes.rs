//! Memory of failed writes: refusals of the API server, for people to correct, and findings that are not
//! in the record of a run yet.

use super::{
    dropped_status::DroppedStatus,
    lanes::Slot,
    pause::Pause,
    unanswered::Unanswered,
    worker::{Worker, chain},
};
use crate::{
    apply::{ApplyError, Carried},
    clock,
    plan::Plan,
    snapshot::{Evidence, JOB, Key, RefusedJob, Snapshot, Write},
    write_budget::{Desired, Outcome},
};

impl Worker {
    /// Remembers a write that is permanently refused, unless the attempts already report it. A Job that cannot be
    /// created affects only its metric. True if the next plan does without this write.
    pub(super) fn remember_refusal(
        &self,
        key: &Key,
        plan: &Plan,
        error: &ApplyError,
        attempts: &[((Write, Desired), Outcome)],
    ) -> bool {
        let Some(why) = error.permanent_refusal() else { return false };
        if let ApplyError::Dropped { sent, .. } = error {
            let dropped = DroppedStatus::new(sent.clone(), why, clock::now());
            self.states.of(key, |state| state.unkept = Some(dropped));
            return true;
        }
        let job = error.creating().filter(|at| at.kind == JOB && plan.job() == Some(&at.name));
        if let Some(job) = job {
            let name = job.name.clone();
            self.states.of(key, |state| state.refused_job = Some(RefusedJob { name, why }));
            return false;
        }
        let told = attempts.iter().any(|(_, outcome)| *outcome == Outcome::Refused(why.clone()));
        if !told {
            self.states.of(key, |state| state.refused = Some(why));
        }
        told
    }

    /// Remembers a plan whose status may have been written without an answer.
    pub(super) fn remember_unanswered(&self, key: &Key, snap: &Snapshot, plan: &Plan, carried: &Carried) {
        if plan.status.is_none() {
            return;
        }
        self.states.of(key, |state| {
            if carried.decided {
                // none before it was written, as this one was decided on the same version
                state.unanswered = Unanswered::default();
            } else if carried.failed.as_ref().is_some_and(ApplyError::is_open) {
                state.unanswered.keep(snap, plan);
            }
        });
    }

    /// Tells what was decided by a write without an answer, once it is seen that it took effect.
    pub(super) fn tell_unanswered(&self, key: &Key, seen: &Snapshot) {
        let written = self.states.of(key, |state| state.unanswered.written(&seen.canary));
        if let Some((snap, plan)) = written {
            self.remember_record(key, &plan, None, false);
            self.update_metrics(&snap, &plan);
            self.announce(&snap, &plan);
        }
    }

    /// Tries a status that the definition of Canaries did not keep, once it is time to: until it is kept, the operator
    /// does not act.
    pub(super) async fn try_dropped_status(&self, key: &Key, slot: &mut Slot) {
        let due = self
            .states
            .of(key, |state| state.unkept.as_ref().and_then(|dropped| dropped.to_try(clock::now())));
        let Some(sent) = due else { return };
        slot.pause();
        let tried = self.applier.would_keep(key, &sent).await;
        self.states.of(key, |state| match (tried, &mut state.unkept) {
            (Ok(()), unkept) => *unkept = None,
            (Err(error), Some(dropped)) => {
                let still = matches!(error, ApplyError::Dropped { .. });
                dropped.put_off(still.then(|| error.to_string()), clock::now());
            }
            (Err(_), None) => {}
        });
    }

    /// After a plan whose decision is stored. Findings that were not written are kept for the next write; a failed
    /// write is tried again later, and delays nothing.
    pub(super) fn remember_record(&self, key: &Key, plan: &Plan, failed: Option<&ApplyError>, reached: bool) {
        self.states.of(key, |state| {
            let records = &mut state.records;
            let written = plan.records() && reached && failed.is_none();
            records.unwritten = if written { Evidence::default() } else { plan.unrecorded.clone() };
            if let Some(error) = failed {
                records.refused = error.permanent_refusal();
                state.record_pause = Some(Pause::from(clock::now(), state.record_failures.next_delay()));
                if !error.is_conflict() {
                    let canary = format!("{}.{}", key.1, key.0);
                    tracing::warn!(canary, error = %chain(error), "the record of a run was not written, trying again");
                }
            } else if written {
                state.record_failures.reset();
                (records.refused, state.record_pause) = (None, None);
            }
        });
    }
}
