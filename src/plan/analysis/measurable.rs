//! Whether current measurements say something about the step.

use crate::{
    manifest::readiness::Rollout,
    plan::{
        context::Context,
        traffic::{self, acceptance},
        waiting,
    },
};

/// A gate, check or scaler that is not served, or a check that cannot work: weights do not change.
pub(crate) fn blocked(cx: &Context<'_>) -> bool {
    cx.findings.held || !cx.findings.faults.is_empty()
}

/// Something keeps the weight from rising, whatever the measurements.
pub(crate) fn is_hindered(cx: &Context<'_>) -> bool {
    cx.rejected
        || blocked(cx)
        || cx.snap.refused.is_some()
        || !matches!(cx.target_rollout(), Rollout::Ready)
        || acceptance::not_programmed(cx).is_some()
}

/// The canary has its intended share of users, so current measurements are about it.
pub(crate) fn is_measurable(cx: &Context<'_>) -> bool {
    let step = cx.step();
    let ending = cx.status().run.as_ref().is_some_and(|r| r.ending.is_some());
    !ending
        && !cx.unanalysed()
        && step.index > 0
        && step.confirmed.is_some()
        && cx.applied() == Some(cx.hash.as_str())
        && cx.canary_pods() > 0
        && cx.primary_pods() > 0
        && !waiting::is_idle(cx)
        && traffic::split_in_place(cx, cx.split(&step))
}
