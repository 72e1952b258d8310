//! The steps of a run.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::{Phase, StepStatus},
    names::conditions,
    plan::{
        analysis::schedule,
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

/// Before the first step: the target's pods are awaited.
pub(crate) fn before_first(cx: &Context<'_>) -> StepStatus {
    StepStatus {
        since: pod_limits::since(cx).or(cx.step().since),
        pods_since: Some(MicroTime(cx.now)),
        ..StepStatus::default()
    }
}

/// Back before the first step, at weight 0. Failures stay counted; the caller writes the route.
pub(crate) fn start_over(cx: &Context<'_>, d: &mut PlanBuilder) {
    d.status.step = Some(before_first(cx));
    if cx.phase() != Phase::Progressing {
        d.phase(Phase::Progressing, cx.kind());
    }
    schedule::start_over(cx, d);
    d.clear(conditions::PAUSED);
    d.status.canary_weight = 0;
    d.status.iterations = 0;
}

/// The intent into status, then the route.
pub(crate) fn advance(cx: &Context<'_>, d: &mut PlanBuilder, index: i32) -> Flow {
    let next = cx.planned(index);
    let pinned = cx.moves() && cx.pins(index, next.weight);
    let split = Split::to_canary(cx.possible(next.weight)).mirroring(next.mirrored).pinning(pinned);
    if cx.c.strategy == Strategy::BlueGreen && next.weight > 0 {
        d.say(Messages::routing_to_canary(cx.step().mirrored));
    }
    // replicas of a run that began with shares say nothing about the primary's, whatever the current spec
    let since = pod_limits::since(cx).or(cx.step().since);
    let (audience, pods) = (cx.audience(), replicas::at_step(cx, index));
    let step = StepStatus {
        index,
        checked: None,
        shortened: None,
        promotion: 0,
        since,
        audience,
        pods,
        ..cx.step_at(split)
    };
    let early = replicas::awaits_pods(cx, &step);
    d.status.step = Some(step);
    if early {
        return HANDLED;
    }
    handled_after(traffic::routing(cx, d, split, WriteReason::Wanted))
}
