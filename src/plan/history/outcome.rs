//! How a run ended: derived from the status before and after, kept in the status, and copied to the record.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::retention;
use crate::{
    api::{CanaryRunStatus, CanaryStatus, EndingKind, LastRun, Phase, RunPhase, RunStatus},
    names,
    plan::builder::PlanBuilder,
    snapshot::Snapshot,
};

/// Records how a run ended in the write that ends it; true if one does.
pub(crate) fn close(snap: &Snapshot, d: &mut PlanBuilder, now: Timestamp) -> bool {
    let Some(run) = d.old().run.clone().filter(|run| run.number > 0) else { return false };
    if d.status.run.as_ref().is_some_and(|new| new.number == run.number) {
        return false;
    }
    let (outcome, reason, message) = why(snap, d.old(), &d.status, &run);
    d.status.last_run = Some(LastRun {
        name: names::run(snap.canary.metadata.name.as_deref().unwrap_or_default(), run.number),
        number: run.number,
        revision: d.old().last_applied_spec.clone().unwrap_or_default(),
        outcome,
        reason,
        message: retention::short(&message),
        failed_checks: d.old().failed_checks,
        started: run.started,
        ended: MicroTime(now),
    });
    true
}

fn why(
    snap: &Snapshot,
    old: &CanaryStatus,
    new: &CanaryStatus,
    run: &RunStatus,
) -> (RunPhase, String, String) {
    let step = old.step.clone().unwrap_or_default();
    let at = format!("at step {}, weight {} %", step.index, step.weight);
    if new.phase == Some(Phase::Terminating) {
        return (RunPhase::Deleted, "CanaryDeleted".into(), format!("the Canary was deleted {at}"));
    }
    if let Some(ending) = &run.ending {
        let outcome = match ending.kind {
            EndingKind::RollingBack => RunPhase::RolledBack,
            EndingKind::Aborting => RunPhase::Aborted,
            EndingKind::UndoingPromotion => RunPhase::PromotionUndone,
        };
        return (outcome, ending.reason.clone(), ending.message.clone());
    }
    if new.run.is_some() {
        let next = new.last_applied_spec.as_deref().unwrap_or_default();
        let message = format!("the target changed to revision {next:.10} {at}: its analysis started over");
        return (RunPhase::Superseded, "NewRevision".into(), message);
    }
    if new.phase != Some(Phase::Succeeded) {
        return (RunPhase::Unknown, "Unknown".into(), format!("the run was gone from the status {at}"));
    }
    if let Some(finish) = &run.finish {
        return (RunPhase::PromotedUnanalysed, finish.reason.clone(), finish.message.clone());
    }
    let threshold = snap.canary.analysis().and_then(|a| a.threshold).unwrap_or(0).max(1);
    let checks = old.failed_checks;
    let message = format!("all {} steps were taken, failed checks {checks}/{threshold}", step.index);
    (RunPhase::Promoted, "AllStepsTaken".into(), message)
}

/// Closes a record: from the status, or as unknown if the status has forgotten the run.
pub(crate) fn ended(record: &mut CanaryRunStatus, number: i64, last: Option<&LastRun>) {
    let Some(last) = last.filter(|last| last.number == number) else {
        (record.phase, record.reason) = (RunPhase::Unknown, "Unknown".into());
        record.message = "how it ended could not be recorded, and later runs have ended since".into();
        return;
    };
    record.phase = last.outcome;
    (record.reason, record.message) = (last.reason.clone(), last.message.clone());
    record.failed_checks = last.failed_checks;
    record.ended = Some(last.ended.clone());
}
