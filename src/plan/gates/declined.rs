//! A revision that waits to begin its run, but will not.

use crate::{
    api::{Phase, RunPhase},
    names::conditions,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::flow::{Flow, GO_ON, HANDLED},
        observed_target,
    },
};

/// Declines a revision that waited to begin its run.
pub(crate) fn decline(cx: &Context<'_>, d: &mut PlanBuilder, why: &str) {
    d.status.epoch += 1;
    d.status.last_applied_spec = Some(cx.hash.clone());
    d.status.tracked_configs = cx.configs.for_status();
    d.clear(conditions::PAUSED);
    d.clear(conditions::QUEUED);
    as_before(cx, d);
    d.condition(
        conditions::PROMOTED,
        "False",
        conditions::DECLINED,
        &format!("The revision did not start a run: {why}."),
    );
    observed_target::remember(cx, d);
    d.say(cx.messages.declined(why));
}

/// No run has begun, so none has ended: the phase is that of the last run.
fn as_before(cx: &Context<'_>, d: &mut PlanBuilder) {
    let phase = match cx.status().last_run.as_ref().map(|run| run.outcome) {
        None => Phase::Initialized,
        Some(RunPhase::Promoted | RunPhase::PromotedUnanalysed | RunPhase::Aborted) => Phase::Succeeded,
        Some(_) => Phase::Failed,
    };
    d.phase(phase, cx.kind());
}

/// The revision of the planned run is gone: the status is as before it came.
pub(crate) fn nothing_to_start(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if !cx.waits_to_begin() {
        return GO_ON;
    }
    d.clear(conditions::PAUSED);
    d.clear(conditions::QUEUED);
    if cx.promoted() == Some(cx.hash.as_str()) {
        d.phase(Phase::Succeeded, cx.kind());
        d.status.last_applied_spec.clone_from(&cx.status().last_promoted_spec);
        d.status.tracked_configs = cx.configs.for_status();
        d.say(cx.messages.aborted());
    } else {
        as_before(cx, d);
        d.say(cx.messages.waits_no_longer());
    }
    observed_target::remember(cx, d);
    HANDLED
}
