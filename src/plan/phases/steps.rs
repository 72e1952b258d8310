//! The steps of a run.

use crate::{
    api::{StepStatus, schedule::Strategy},
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::Messages,
        objects::{pod_limits, write::WriteReason},
        traffic,
    },
    router::Split,
};

/// The intent into status, then the route.
pub(crate) fn advance(cx: &Context<'_>, d: &mut PlanBuilder, index: i32) {
    let next = cx.planned(index);
    let pinned = cx.moves() && cx.pins(index, next.weight);
    let split = Split::to_canary(cx.possible(next.weight)).mirroring(next.mirrored).pinning(pinned);
    if cx.c.strategy == Strategy::BlueGreen && next.weight > 0 {
        d.say(Messages::routing_to_canary(cx.step().mirrored));
    }
    let since = pod_limits::since(cx);
    d.status.step = Some(StepStatus { index, checked: None, promotion: 0, since, ..cx.step_at(split) });
    traffic::routing(cx, d, split, WriteReason::Wanted);
}
