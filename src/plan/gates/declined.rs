//! A revision that waits to begin its run, and is not going to.

use crate::{
    api::Phase,
    names::conditions,
    plan::{builder::PlanBuilder, context::Context, observed_target},
};

/// A revision that waited to be begun with is not going to be.
pub(crate) fn decline(cx: &Context<'_>, d: &mut PlanBuilder, why: &str) {
    d.status.epoch += 1;
    d.status.last_applied_spec = Some(cx.hash.clone());
    d.status.tracked_configs = cx.configs.for_status();
    d.clear(conditions::PAUSED);
    d.phase(Phase::Failed, cx.kind());
    observed_target::remember(cx, d);
    d.say(cx.messages.declined(why));
}

/// The revision for which a run was to begin is there no longer: things stand as before it came.
pub(crate) fn nothing_to_start(cx: &Context<'_>, d: &mut PlanBuilder) {
    d.clear(conditions::PAUSED);
    if cx.promoted() == Some(cx.hash.as_str()) {
        d.phase(Phase::Succeeded, cx.kind());
        d.status.last_applied_spec.clone_from(&cx.status().last_promoted_spec);
        d.status.tracked_configs = cx.configs.for_status();
        d.say(cx.messages.aborted());
    } else {
        d.phase(Phase::Failed, cx.kind());
    }
    observed_target::remember(cx, d);
}
