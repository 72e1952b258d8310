//! The steps of a run.

use crate::{
    api::StepStatus,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{
            Messages,
            flow::{Flow, HANDLED, handled_after},
        },
        objects::{pod_limits, replicas, write::WriteReason},
        traffic,
    },
    router::Split,
    spec::Strategy,
};

/// The intent into status, then the route.
pub(crate) fn advance(cx: &Context<'_>, d: &mut PlanBuilder, index: i32) -> Flow {
    let next = cx.planned(index);
    let pinned = cx.moves() && cx.pins(index, next.weight);
    let split = Split::to_canary(cx.possible(next.weight)).mirroring(next.mirrored).pinning(pinned);
    if cx.c.strategy == Strategy::BlueGreen && next.weight > 0 {
        d.say(Messages::routing_to_canary(cx.step().mirrored));
    }
    let (since, pods) = (pod_limits::since(cx), replicas::at_step(cx, index));
    let step = StepStatus { index, checked: None, promotion: 0, since, pods, ..cx.step_at(split) };
    let early = replicas::awaits_pods(cx, &step);
    d.status.step = Some(step);
    if early {
        return HANDLED;
    }
    handled_after(traffic::routing(cx, d, split, WriteReason::Wanted))
}
