//! A run: new revision, pods, one weight after another, a window of checks at each.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::{EndingKind, Phase, StepStatus, schedule::Strategy},
    manifest::{self, readiness::Rollout},
    names::conditions,
    plan::{
        analysis::{evaluate, jobs, measurable::blocked, schedule},
        builder::{PlanBuilder, after},
        context::Context,
        gates, history,
        model::{Note, Urgency},
        objects::{autoscaler, pod_limits, primary, services, write::WriteReason},
        observed_target,
        phases::{promote, rollback, start, steps},
        traffic::{self, acceptance, apex, ending, pod_weighting},
        waiting,
    },
    router::Split,
};

pub(crate) fn step(cx: &Context<'_>, d: &mut PlanBuilder) {
    if rollback::carry_on(cx, d) || revision_changed(cx, d) {
        return;
    }
    if gates::rolled_back(cx, d) {
        return;
    }
    let step = cx.step();
    if step.weight > 0 && cx.canary_pods() == 0 {
        return canary_vanished(cx, d);
    }
    if lowered(cx, &step) {
        let why = "the route was lowered for a rollback, and the decision could not be written then";
        d.say(Note::warning("RollingBack", why).aloud(Urgency::Error));
        return ending::begin(cx, d, EndingKind::RollingBack, "Interrupted", why);
    }
    let want = wanted(cx, &step);
    // pins come and go with the canary's pods
    let pins_alike = cx.live_split().is_none_or(|live| live.is_pinned() == want.is_pinned());
    let why = if step.confirmed.is_some() && pins_alike { WriteReason::Drift } else { WriteReason::Wanted };
    let mended = primary::intact(cx, d)
        & services::side_services(cx, d, WriteReason::Drift)
        & apex::service(cx, d, WriteReason::Drift)
        & traffic::routing(cx, d, want, why)
        & autoscaler::twin(cx, d);
    if !mended {
        return pod_weighting::overdue(cx, d);
    }
    if step.renew && !start::renewed(cx, d) || !autoscaler::wake(cx, d) {
        return;
    }
    let held = autoscaler::holds(cx, d);
    if !primary_there(cx, d) || !pods_ready(cx, d) || blocked(cx) {
        return;
    }
    if held && (cx.c.skip_analysis || step.index == 0) {
        return;
    }
    if !acceptance::is_programmed(cx, d) || !services::followed(cx, d) {
        return;
    }
    if cx.c.skip_analysis {
        return promote::begin(cx, d);
    }
    if jobs::collect(cx, d) {
        return;
    }
    if step.index == 0 {
        return start::first_step(cx, d);
    }
    if step.confirmed.is_none() {
        return confirm(cx, d);
    }
    if !waiting::is_idle(cx) && jobs::tend(cx, d) {
        return;
    }
    if !waiting::is_idle(cx) && d.reached(schedule::due(cx)) {
        if evaluate::judge(cx, d, held) {
            go_on(cx, d);
        }
    } else if !held && evaluate::released(cx, d) {
        go_on(cx, d);
    }
}

/// To the next step; after the last one the promotion.
pub(crate) fn go_on(cx: &Context<'_>, d: &mut PlanBuilder) {
    let index = cx.step().index;
    if index as usize >= cx.c.schedule.len() {
        return promote::begin(cx, d);
    }
    if cx.phase() != Phase::Progressing {
        d.phase(Phase::Progressing, cx.kind());
    }
    steps::advance(cx, d, index + 1);
}

/// The step's split. While the primary has no pods, a route that somebody turned further to the canary stays: putting it
/// back would lead to nobody.
fn wanted(cx: &Context<'_>, step: &StepStatus) -> Split {
    let zero = cx.zero();
    if step.weight == 0 && zero.canary() > 0 {
        return zero;
    }
    let split = cx.split(step);
    let alone = cx.primary_pods() == 0 && cx.canary_pods() > 0;
    let further = cx.live_split().filter(|live| alone && live.canary() > split.canary());
    further.unwrap_or(split)
}

/// A rollback was begun whose status write was refused: the route carries less than the status says, written under an
/// epoch that the status has not come to (ruling 2). It is not raised again.
fn lowered(cx: &Context<'_>, step: &StepStatus) -> bool {
    let written =
        cx.router.reads(&cx.c).iter().filter_map(|at| manifest::epoch(cx.snap.objects.at(at)?)).max();
    step.confirmed.is_some()
        && cx.live_split().is_some_and(|live| live.canary() < step.weight)
        && written > Some(cx.status().epoch)
}

/// Another template during a run: weight 0 before anything else.
fn revision_changed(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    if cx.applied() == Some(cx.hash.as_str()) && observed_target::is_same(cx) {
        return false;
    }
    if cx.promoted() == Some(cx.hash.as_str()) {
        d.say(cx.messages.aborted());
        ending::begin(
            cx,
            d,
            EndingKind::Aborting,
            "Aborted",
            "the target was set back to the promoted template",
        );
        return true;
    }
    start::reset(cx, d);
    d.status.failed_checks = 0;
    d.status.run = Some(history::begun(cx, d));
    d.say(cx.messages.restarting());
    d.urgent = true;
    traffic::routing(cx, d, cx.zero(), WriteReason::Wanted);
    true
}

/// The canary lost all its pods under traffic: that goes to the primary now, counts as a failed check, and the steps
/// begin anew once there are pods. Nothing moves while the primary has none either.
fn canary_vanished(cx: &Context<'_>, d: &mut PlanBuilder) {
    if cx.primary_pods() == 0 {
        return;
    }
    let checks = cx.status().failed_checks.saturating_add(1);
    d.status.failed_checks = checks;
    d.say(cx.messages.canary_vanished());
    if checks >= cx.c.threshold {
        d.say(cx.messages.threshold_reached(checks));
        return ending::begin(
            cx,
            d,
            EndingKind::RollingBack,
            "ThresholdReached",
            "the canary lost all its pods",
        );
    }
    d.status.step = Some(StepStatus { since: pod_limits::since(cx), ..StepStatus::default() });
    if cx.phase() != Phase::Progressing {
        d.phase(Phase::Progressing, cx.kind());
    }
    schedule::begin_anew(cx, d);
    d.clear(conditions::PAUSED);
    d.status.canary_weight = 0;
    d.status.iterations = 0;
    d.urgent = true;
    traffic::routing(cx, d, Split::to_canary(0), WriteReason::Wanted);
}

/// True when the primary has pods: without them there is nothing to compare with, and no weight moves.
fn primary_there(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    if cx.primary_pods() == 0 {
        waiting::for_pods(cx, d, "it has no ready pods", |why| cx.messages.primary_not_ready(why));
    }
    cx.primary_pods() > 0
}

/// True when the pods that are to get traffic are ready and behind their Service. Past the deadline the run fails.
fn pods_ready(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let (why, stuck) = match cx.target_rollout() {
        Rollout::Ready if cx.canary_pods() > 0 => {
            d.clear(conditions::PODS_READY);
            return true;
        }
        Rollout::Ready => ("its pods are not yet behind the Service".to_owned(), false),
        Rollout::Waiting { why } => (why, false),
        Rollout::Stuck { why } => (why, true),
    };
    let noun = cx.c.target.noun();
    let late = cx.step().index == 0 && cx.now >= after(cx.standing_since(), cx.c.deadline);
    if stuck || late || services::overdue(cx, d) {
        d.say(cx.messages.canary_not_ready(noun, &why));
        d.say(cx.messages.deadline_exceeded(&why));
        ending::begin(cx, d, EndingKind::RollingBack, "DeadlineExceeded", &why);
        return false;
    }
    // the Deployment's own clock may run out without an event
    d.wake_at(after(cx.now, cx.c.interval));
    waiting::for_pods(cx, d, &why, |why| cx.messages.canary_not_ready(noun, why));
    false
}

/// The route carries the weight: from now on it is measured.
fn confirm(cx: &Context<'_>, d: &mut PlanBuilder) {
    let step = cx.step();
    d.status.canary_weight = cx.shown(&step);
    if let Some(n) = cx.planned(step.index).iteration {
        d.status.iterations = n;
        d.say(cx.messages.iterated(n, cx.c.analysis.iterations.unwrap_or(0)));
    } else if cx.c.strategy == Strategy::BlueGreen {
        d.status.iterations = step.index;
    } else {
        d.say(cx.messages.advanced(step.weight));
    }
    schedule::begin(cx, d);
    d.status.step = Some(StepStatus { confirmed: Some(MicroTime(cx.now)), ..step });
}
