//! A side whose pods are in doubt: its EndpointSlices and the status of its workload disagree.

use std::ops::ControlFlow;

use crate::{
    plan::{builder::PlanBuilder, context::Context, model::flow::Stop, objects::write::WriteReason, waiting},
    router::Split,
};

/// The primary has no pods, or may have none.
pub(crate) fn primary_may_lack_pods(cx: &Context<'_>) -> bool {
    cx.primary_pods() == 0 || cx.none_ready(cx.primary())
}

/// The split that may be written. If the EndpointSlices of one side show ready pods and the status of its workload shows
/// none, one of the two is out of date. If the other side serves, no users move to the doubtful side until they agree,
/// and nothing is corrected. A route that is missing leads to the primary meanwhile, if that serves.
pub(crate) fn counted(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    want: Split,
    why: WriteReason,
) -> ControlFlow<Stop, Split> {
    let (primary, canary) = (cx.primary_pods() > 0, cx.canary_pods() > 0);
    let doubtful = (primary && cx.none_ready(cx.primary()), canary && cx.none_ready(Some(cx.target)));
    let canary_in_doubt = match doubtful {
        (true, false) if canary => false,
        (false, true) if primary => true,
        _ => return ControlFlow::Continue(want),
    };
    let Some(live) = cx.live_split() else {
        if !canary_in_doubt || want.canary() == 0 && !want.is_pinned() {
            return ControlFlow::Continue(want);
        }
        if let Some(step) = &mut d.status.step {
            step.confirmed = None;
        }
        return ControlFlow::Continue(Split::to_canary(0));
    };
    let moves = if canary_in_doubt { want.exceeds(live) } else { live.exceeds(want) };
    if !moves && (why != WriteReason::Drift || live == want) {
        return ControlFlow::Continue(want);
    }
    waiting::for_pods(cx, d, cx.standing_since(), waiting::SLICES_LATE, |why| {
        if canary_in_doubt {
            cx.messages.canary_not_ready(cx.c.target.noun(), why)
        } else {
            cx.messages.primary_not_ready(why)
        }
    });
    ControlFlow::Break(Stop::Wait)
}
