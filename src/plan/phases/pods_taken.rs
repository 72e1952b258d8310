//! Pods of the canary that somebody else removed: an autoscaler, a person, a descheduler. That is no verdict on the
//! version. Its users go to the primary, the steps start over once there are pods again, and no check fails. If it
//! continues for longer than `progressDeadlineSeconds` the run ends.

use crate::{
    api::{EndingKind, Phase},
    clock,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::flow::{Flow, GO_ON, WAIT, handled_after},
        objects::{primary, replicas, write::WriteReason},
        phases::steps,
        traffic::{self, ending},
        waiting,
    },
    router::Split,
};

/// Whether the canary's pods were removed under traffic, and for how long that has continued.
pub(crate) fn taken_away(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    step_overdue(cx, d)?;
    if !are_leaving(cx) {
        return GO_ON;
    }
    overdue(cx, d)?;
    if cx.step().weight == 0 {
        return GO_ON;
    }
    if cx.primary_pods() == 0 {
        return none_serves(cx, d);
    }
    if cx.target_replicas() > 0 {
        replicas::note_taken(cx, d);
    }
    if cx.phase() != Phase::Progressing {
        // it leaves the gate, and pods that are taken away are told only once
        d.say(cx.messages.steps_begin_again("all pods were taken away"));
    }
    steps::start_over(cx, d);
    d.urgent = true;
    handled_after(traffic::routing(cx, d, Split::to_canary(0), WriteReason::Wanted))
}

/// The canary has no ready pod, but not because of itself: it is scaled to zero, or its pods are being deleted.
fn are_leaving(cx: &Context<'_>) -> bool {
    let leaving = cx.snap.leaving.get(&cx.c.names.canary_service).is_some_and(|leaving| *leaving > 0);
    let none_asked = cx.c.target.rests() && cx.target_replicas() == 0;
    cx.canary_pods() == 0 && (none_asked || leaving)
}

/// The pods for a step are not ready within the deadline.
fn step_overdue(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let step = cx.step();
    let Some(pods) = step.pods.as_ref().filter(|_| replicas::awaits_pods(cx, &step)) else { return GO_ON };
    if d.reached(clock::after(cx.counted_from(pods.since.0), cx.c.deadline)).is_break() {
        return GO_ON;
    }
    let why = cx.target_rollout();
    let why = why.why().unwrap_or("its pods are not yet behind the Service");
    d.say(cx.messages.canary_not_ready(cx.c.target.noun(), why));
    d.say(cx.messages.deadline_exceeded(why));
    ending::begin(cx, d, EndingKind::RollingBack, "DeadlineExceeded", why)
}

/// They have been removed repeatedly for longer than the deadline.
pub(crate) fn overdue(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let Some(taken) = cx.status().run.as_ref().and_then(|run| run.taken.as_ref()) else { return GO_ON };
    if d.reached(clock::after(cx.counted_from(taken.since.0), cx.c.deadline)).is_break() {
        return GO_ON;
    }
    let why = format!("its pods were taken away {} times", taken.times);
    d.say(cx.messages.canary_not_ready(cx.c.target.noun(), &why));
    d.say(cx.messages.deadline_exceeded(&why));
    ending::begin(cx, d, EndingKind::RollingBack, "DeadlineExceeded", &why)
}

/// No side has pods under traffic: a primary that was deleted or scaled to 0 as well gets its pods back first.
pub(crate) fn none_serves(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    primary::intact(cx, d)?;
    primary_pods(cx, d)
}

/// Without pods of the primary there is nothing to compare with, and no weight changes.
pub(crate) fn primary_pods(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.primary_pods() > 0 {
        return GO_ON;
    }
    waiting::for_pods(cx, d, cx.standing_since(), "it has no ready pods", |why| {
        cx.messages.primary_not_ready(why)
    });
    WAIT
}
