//! Beginning to end a run: writes the decision into status and, in the same plan, moves the traffic off the canary.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::{Ending, EndingKind, RunStatus, StepStatus},
    clock,
    manifest::readiness::Rollout,
    names::conditions,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::flow::{Flow, GO_ON, handled_after},
        objects::write::WriteReason,
        sides,
        traffic::{self, doubt},
    },
    router::Split,
    spec::Apex,
};

/// Writes the decision and, in the same plan, moves the traffic off the canary. After a failed promotion the
/// primary first gets its last template back: until then the analysed pods keep serving.
pub(crate) fn begin(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    kind: EndingKind,
    reason: &str,
    message: &str,
) -> Flow {
    d.status.epoch += 1;
    d.clear(conditions::PAUSED);
    let at = MicroTime(cx.now);
    let ending = Ending { kind, reason: reason.into(), message: message.into(), at: at.clone() };
    let run = cx.status().run.clone().unwrap_or(RunStatus {
        started: at,
        number: 0,
        replicas: None,
        taken: None,
        paused: None,
        finish: None,
        ending: None,
    });
    d.status.run = Some(RunStatus { paused: None, ending: Some(ending), ..run });
    let split = match kind {
        EndingKind::UndoingPromotion => on_healthy_side(cx),
        EndingKind::RollingBack | EndingKind::Aborting => cx.zero(),
    };
    d.status.step = Some(cx.step_at(split));
    d.urgent = split.canary() == 0;
    handled_after(traffic::routing(cx, d, split, WriteReason::Wanted))
}

/// While the primary is being restored: the current split, or all to the side that has pods if the other has none. A
/// share that was lowered by hand stays as it is: a run that ends raises none.
pub(crate) fn on_healthy_side(cx: &Context<'_>) -> Split {
    let zero = cx.zero();
    let canary_lost = sides::canary_is_gone(cx) && cx.primary_pods() > 0;
    // a template that was never analysed gets no users, as in the promotion itself; the former one has those that were led
    // there before the primary lost its pods
    let back = cx.step().weight == 100 && target_may_serve(cx);
    let moved_on = cx.applied() != Some(cx.hash.as_str()) && !back && !doubt::primary_may_lack_pods(cx);
    if zero.canary() > 0 || canary_lost || moved_on {
        return zero;
    }
    let split = cx.split(&cx.step());
    let lower = |live: &Split| live.canary() < split.canary() && cx.c.apex == Apex::Stays;
    match cx.live_split().filter(lower) {
        Some(live) if !doubt::primary_may_lack_pods(cx) => split.with_canary(live.canary()),
        _ => split,
    }
}

/// The target has the template of the promotion, or the one before it, and can serve everyone; after the deadline with
/// fewer pods, if some are ready.
pub(crate) fn target_serves(cx: &Context<'_>) -> bool {
    let late = || cx.now >= clock::after(undone_since(cx), cx.c.deadline);
    target_may_serve(cx) && (matches!(cx.target_rollout(), Rollout::Ready) || late())
}

/// The target has one of these templates, and some ready pods.
fn target_may_serve(cx: &Context<'_>) -> bool {
    let known = [cx.applied(), cx.promoted()].contains(&Some(cx.hash.as_str()));
    known && cx.canary_pods() > 0 && !cx.none_ready(Some(cx.target))
}

/// From when the deadlines of a run's end count.
pub(crate) fn undone_since(cx: &Context<'_>) -> Timestamp {
    let ending = cx.status().run.as_ref().and_then(|run| run.ending.as_ref());
    cx.counted_from(ending.map_or(cx.now, |ending| ending.at.0))
}

/// Pods that a share needs are not ready within the deadline: the run fails.
pub(crate) fn overdue_shares(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let StepStatus { index, since: Some(since), confirmed: None, .. } = cx.step() else { return GO_ON };
    if index == 0 || d.reached(clock::after(cx.counted_from(since.0), cx.c.deadline)).is_break() {
        return GO_ON;
    }
    let why = cx.target_rollout();
    let why = why.why().unwrap_or("its share of the pods could not be made");
    d.say(cx.messages.canary_not_ready(cx.c.target.noun(), why));
    d.say(cx.messages.deadline_exceeded(why));
    begin(cx, d, EndingKind::RollingBack, "DeadlineExceeded", why)
}
