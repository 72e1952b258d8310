//! Whether what is measured now says something about the step.

use crate::{
    manifest::readiness::Rollout,
    plan::{
        context::Context,
        traffic::{self, acceptance},
        waiting,
    },
};

/// A gate, check or scaler that is not served, or a check that cannot work: weights do not move.
pub(crate) fn blocked(cx: &Context<'_>) -> bool {
    cx.findings.held || !cx.findings.faults.is_empty()
}

/// The step stands as it is meant to, so that what is measured now is its doing.
pub(crate) fn is_measurable(cx: &Context<'_>) -> bool {
    let step = cx.step();
    let ending = cx.status().run.as_ref().is_some_and(|r| r.ending.is_some());
    !ending
        && !blocked(cx)
        && !cx.c.skip_analysis
        && step.index > 0
        && step.confirmed.is_some()
        && cx.applied() == Some(cx.hash.as_str())
        && cx.canary_pods() > 0
        && cx.primary_pods() > 0
        && !waiting::is_idle(cx)
        && matches!(cx.target_rollout(), Rollout::Ready)
        && traffic::split_in_place(cx, cx.split(&step))
        && acceptance::not_programmed(cx).is_none()
}
