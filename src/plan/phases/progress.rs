//! A run: new revision, pods, one weight after another, a window of checks at each.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::{EndingKind, Phase, StepStatus},
    clock, manifest,
    names::conditions,
    plan::{
        analysis::{comparisons, evaluate, jobs, measurable::blocked, released, schedule},
        builder::PlanBuilder,
        chain::Chain,
        context::Context,
        gates, history,
        model::{
            Note, Urgency,
            flow::{Flow, GO_ON, WAIT, WRITE_FIRST, all, handled_after, wait_unless},
        },
        objects::{autoscaler, primary, replicas, services, write::WriteReason},
        observed_target,
        phases::{edits, pods_taken, promote, rollback, start, steps},
        sides,
        traffic::{self, acceptance, apex, ending},
        waiting,
    },
    router::Split,
    spec::Strategy,
};

/// The guards of a run, in order. Those that end it or take its traffic away come first, then the generated objects,
/// then the pods, and last those that raise the weight.
pub(crate) const CHAIN: Chain = &[
    ("rollback_under_way", rollback::carry_on),
    ("revision_changed", revision_changed),
    ("limit_lowered", edits::limit_lowered),
    ("rollback_webhook", gates::rolled_back),
    ("canary_pods_taken", pods_taken::taken_away),
    ("canary_pods_lost", canary_pods_lost),
    ("audience_changed", edits::audience_changed),
    ("canary_astray", edits::canary_astray),
    ("schedule_edited", edits::schedule_edited),
    ("route_lowered", route_lowered),
    ("found_worse", comparisons::look),
    ("bad_checks", evaluate::while_held),
    ("generated_objects", generated_objects),
    ("pods_renewed", start::pods_renewed),
    ("target_scaled_up", autoscaler::scale_up),
    ("capacity", autoscaler::report_capacity),
    ("primary_pods", pods_taken::primary_pods),
    ("canary_pods", canary_pods),
    ("spec_usable", |cx, _| wait_unless(!blocked(cx))),
    ("capacity_to_begin", capacity_to_begin),
    ("route_programmed", acceptance::programmed),
    ("side_services_followed", services::followed),
    ("held", held),
    ("skip_analysis", skip_analysis),
    ("unused_jobs", jobs::collect),
    ("first_step", start::first_step),
    ("step_confirmed", confirm),
    ("jobs", jobs::reconcile),
    ("analysis", analyse),
];

fn generated_objects(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let step = cx.step();
    let want = wanted(cx, &step);
    // the rules of always and never appear and disappear with the canary's pods
    let pins_alike = cx.live_split().is_none_or(|live| live.is_pinned() == want.is_pinned());
    let rescue = is_rescue(cx, want) || cx.live_split().is_some_and(|live| is_rescue(cx, live));
    let expected = step.confirmed.is_some() && pins_alike && !rescue;
    let why = if expected { WriteReason::Drift } else { WriteReason::Wanted };
    let objects = all([
        primary::intact(cx, d),
        services::side_services(cx, d, WriteReason::Drift),
        apex::service(cx, d, WriteReason::Drift),
        traffic::routing(cx, d, want, why),
        autoscaler::sync(cx, d),
    ]);
    if objects.is_break() {
        ending::overdue_shares(cx, d)?;
    }
    objects
}

/// Without the capacity to take everything back, no run begins, and none is promoted unanalysed.
fn capacity_to_begin(cx: &Context<'_>, _: &mut PlanBuilder) -> Flow {
    wait_unless(!(autoscaler::is_held(cx) && (cx.unanalysed() || cx.step().index == 0)))
}

/// A run that people hold does not begin to send users to the new version, and is not promoted unanalysed.
fn held(cx: &Context<'_>, _: &mut PlanBuilder) -> Flow {
    wait_unless(!(gates::held::is_held(cx) && (cx.unanalysed() || cx.step().index == 0)))
}

/// Why the run is not analysed is noted when its promotion begins: the spec may change until its end.
fn skip_analysis(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if !cx.unanalysed() {
        return GO_ON;
    }
    let flow = promote::begin(cx, d);
    if d.status.phase == Some(Phase::Promoting)
        && let Some(run) = d.status.run.as_mut().filter(|run| run.finish.is_none())
    {
        run.finish = Some(history::skipped(cx));
    }
    flow
}

/// A window has ended, or the wait of the run is over.
fn analyse(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let held = autoscaler::is_held(cx) || gates::held::is_held(cx);
    if !waiting::is_idle(cx) && d.reached(schedule::due(cx)).is_continue() {
        evaluate::judge(cx, d, held)?;
    } else if held {
        return WAIT;
    } else {
        released::released(cx, d)?;
    }
    go_on(cx, d)
}

/// To the next step; after the last one to the promotion.
fn go_on(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let done = cx.steps_done();
    if done >= cx.c.schedule.len() {
        return promote::begin(cx, d);
    }
    // other reasons for the end of the wait have been reported, or come with the switch
    if cx.phase() == Phase::WaitingPromotion && d.notes.is_empty() && cx.c.strategy != Strategy::BlueGreen {
        d.say(cx.messages.steps_added());
    }
    if cx.phase() != Phase::Progressing {
        d.phase(Phase::Progressing, cx.kind());
    }
    steps::advance(cx, d, i32::try_from(done + 1).unwrap_or(i32::MAX))
}

/// The step's split; all to the canary while only that has pods. If the route cannot do that, but somebody has moved it
/// further to the canary, it stays: reverting it would lead to no pods. No share rises for pods that are awaited, or
/// while the spec is not usable.
fn wanted(cx: &Context<'_>, step: &StepStatus) -> Split {
    let zero = cx.zero();
    if zero.canary() > 0 {
        return zero;
    }
    let split = cx.split(step);
    if (replicas::awaits_pods(cx, step) || blocked(cx))
        && let Some(live) = cx.live_split().filter(|live| !live.exceeds(split))
    {
        return live;
    }
    // an apex that selects both sides follows by itself: its share is only a number of replicas
    let alone = cx.primary_pods() == 0 && cx.canary_pods() > 0 && !cx.selects_both();
    let further = cx.live_split().filter(|live| alone && live.canary() > split.canary());
    further.unwrap_or(split)
}

/// All users are routed to the canary, although its step has fewer, or other requests than those that match now.
fn is_rescue(cx: &Context<'_>, split: Split) -> bool {
    let step = cx.step();
    let others = !step.audience.is_empty() && step.audience != cx.audience();
    split.canary() == 100 && (others || split != cx.split(&step))
}

/// Only the canary has pods: all users are routed there, also those with a session cookie of the primary, and back to the
/// step's split once the primary has some again. Nothing else is corrected.
pub(crate) fn on_healthy_side(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.selects_both() {
        return GO_ON;
    }
    let want = wanted(cx, &cx.step());
    if !is_rescue(cx, want) && !cx.live_split().is_some_and(|live| is_rescue(cx, live)) {
        return if cx.zero().canary() == 100 { traffic::all_on_canary(cx, d, want) } else { GO_ON };
    }
    traffic::routing(cx, d, want, WriteReason::Wanted)
}

/// A rollback has begun, but its status write was refused: the route has less than the status, written under an
/// epoch that the status has not reached. The weight is not raised again: the run ends.
fn route_lowered(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let step = cx.step();
    let written =
        cx.router.reads(&cx.c).iter().filter_map(|at| manifest::epoch(cx.snap.objects.at(at)?)).max();
    let lowered = step.confirmed.is_some()
        && cx.live_split().is_some_and(|live| live.canary() < step.weight)
        && written > Some(cx.status().epoch);
    if !lowered {
        return GO_ON;
    }
    let why = "the route was lowered for a rollback, and the decision could not be written then";
    d.say(Note::warning("RollingBack", why).aloud(Urgency::Error));
    ending::begin(cx, d, EndingKind::RollingBack, "Interrupted", why)
}

/// Another template during a run: weight 0 before anything else.
fn revision_changed(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.applied() == Some(cx.hash.as_str()) && observed_target::is_same(cx) {
        return GO_ON;
    }
    if cx.promoted() == Some(cx.hash.as_str()) {
        d.say(cx.messages.aborted());
        let why = "the target was set back to the promoted template";
        return ending::begin(cx, d, EndingKind::Aborting, "Aborted", why);
    }
    // under the old epoch: a route that is lowered under a new one belongs to a rollback, see `route_lowered`
    let lowered = traffic::routing(cx, d, cx.zero(), WriteReason::Wanted);
    start::reset(cx, d);
    d.status.failed_checks = 0;
    d.status.run = Some(history::begun(cx, d));
    d.say(cx.messages.restarting());
    start::say_why_unanalysed(cx, d);
    d.urgent = true;
    handled_after(lowered)
}

/// The canary lost all its pods under traffic: that goes to the primary now, counts as a failed check, and the steps
/// start over once there are pods. No check fails if it lost only its Service. Nothing changes while the primary has no pods
/// either.
pub(crate) fn canary_pods_lost(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    service_overdue(cx, d)?;
    if cx.step().weight == 0 || !sides::canary_is_gone(cx) {
        return GO_ON;
    }
    if cx.primary_pods() == 0 {
        return pods_taken::none_serves(cx, d);
    }
    if sides::canary_lacks_its_service(cx) {
        pods_taken::overdue(cx, d)?;
        replicas::count_taken(cx, d);
        let name = &cx.c.names.canary_service;
        d.say(cx.messages.steps_begin_again(&format!("Service {name} is missing or selects other pods")));
    } else {
        failed_without_pods(cx, d)?;
    }
    steps::start_over(cx, d);
    d.urgent = true;
    handled_after(traffic::routing(cx, d, Split::to_canary(0), WriteReason::Wanted))
}

/// Without users the canary's Service is awaited until the deadline, if it is written at all.
fn service_overdue(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.rejected || cx.step().weight > 0 || !sides::canary_lacks_its_service(cx) {
        return GO_ON;
    }
    if let Some(step) = d.status.step.as_mut().filter(|step| step.pods_since.is_none()) {
        step.pods_since = Some(MicroTime(cx.now));
    }
    if d.reached(clock::after(cx.pods_waited_since(), cx.c.deadline)).is_break() {
        return GO_ON;
    }
    let why = format!("Service {} is missing or selects other pods", cx.c.names.canary_service);
    d.say(cx.messages.canary_not_ready(cx.c.target.noun(), &why));
    d.say(cx.messages.deadline_exceeded(&why));
    ending::begin(cx, d, EndingKind::RollingBack, "DeadlineExceeded", &why)
}

fn failed_without_pods(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let checks = cx.status().failed_checks.saturating_add(1);
    d.status.failed_checks = checks;
    d.say(cx.messages.canary_vanished());
    if checks < cx.c.threshold {
        return GO_ON;
    }
    d.say(cx.messages.threshold_reached(checks));
    let why = "the canary lost all its pods";
    ending::begin(cx, d, EndingKind::RollingBack, "ThresholdReached", why)
}

/// The pods that are to get traffic are ready and behind their Service. Past the deadline the run fails.
fn canary_pods(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let Some((why, stuck)) = cx.target_rollout().unserving(cx.canary_pods() > 0) else {
        d.clear(conditions::PODS_READY);
        let patience = cx.c.interval.min(cx.c.deadline / 2);
        d.pods_are_ready(clock::after(cx.pods_waited_since(), patience));
        return if cx.step().weight == 0 {
            d.reached(cx.pods_settled_at(&cx.c.names.canary_service))
        } else {
            GO_ON
        };
    };
    if cx.is_paused() && !stuck {
        // it starts no pods: their deadline counts from when somebody resumes it
        if let Some(step) = d.status.step.as_mut() {
            step.pods_since = None;
        }
        return WAIT;
    }
    if let Some(step) = d.status.step.as_mut().filter(|step| step.pods_since.is_none()) {
        step.pods_since = Some(MicroTime(cx.now));
    }
    let noun = cx.c.target.noun();
    let deadline = clock::after(cx.pods_waited_since(), cx.c.deadline);
    if stuck || cx.now >= deadline {
        d.say(cx.messages.canary_not_ready(noun, &why));
        d.say(cx.messages.deadline_exceeded(&why));
        return ending::begin(cx, d, EndingKind::RollingBack, "DeadlineExceeded", &why);
    }
    d.wake_at(deadline);
    waiting::for_pods(cx, d, cx.pods_waited_since(), &why, |why| cx.messages.canary_not_ready(noun, why));
    WAIT
}

/// The route has the weight: from now on it is measured.
fn confirm(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let step = cx.step();
    // the route keeps the former weight meanwhile, see `wanted`
    wait_unless(!replicas::awaits_pods(cx, &step))?;
    if step.confirmed.is_some() {
        return GO_ON;
    }
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
    WRITE_FIRST
}
