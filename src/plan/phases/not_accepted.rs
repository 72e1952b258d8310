//! A Canary that is not accepted, during a run. No weight is raised and nothing is corrected, but it is watched: failed
//! checks still end the run, a run that is ending continues, and the canary's traffic goes to the primary when
//! its pods are gone or the target has a template that was never analysed.

use crate::{
    api::{Phase, StepStatus},
    manifest,
    plan::{
        analysis::{comparisons, evaluate},
        builder::PlanBuilder,
        chain::Chain,
        context::Context,
        gates,
        model::flow::{Flow, GO_ON, WAIT, handled_after, wait_unless},
        objects::write::WriteReason,
        phases::{pods_taken, progress, promote, rollback, steps},
        traffic,
    },
    router::{Selected, Split},
    spec::Apex,
};

/// The guards of a watched run, in order.
pub(crate) const CHAIN: Chain = &[
    ("abort_requested", gates::aborted),
    ("rollback_under_way", ending_under_way),
    ("route_to_nobody", route_to_nobody),
    ("in_a_run", |cx, _| wait_unless(in_a_run(cx))),
    ("target_changed", target_changed),
    ("canary_pods_taken", |cx, d| match cx.phase() {
        Phase::Promoting => GO_ON,
        _ => pods_taken::taken_away(cx, d),
    }),
    ("canary_pods_lost", |cx, d| match cx.phase() {
        Phase::Promoting => promote::canary_pods_lost(cx, d),
        _ => progress::canary_pods_lost(cx, d),
    }),
    ("pinned_to_nobody", pinned_to_nobody),
    ("primary_pods_lost", progress::on_healthy_side),
    ("found_worse", comparisons::look),
    ("bad_checks", evaluate::while_held),
];

fn in_a_run(cx: &Context<'_>) -> bool {
    cx.status().run.is_some()
        && matches!(
            cx.phase(),
            Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion | Phase::Promoting
        )
}

/// The route was written for this Canary. Before it was accepted once, an existing route may be somebody else's.
fn is_routed(cx: &Context<'_>) -> bool {
    let written = || {
        let routes = cx.router.reads(&cx.c);
        routes.iter().filter_map(|at| cx.snap.objects.at(at)).any(|live| manifest::written(live).is_some())
    };
    cx.phase() > Phase::Initializing || cx.status().in_use.is_some() && written()
}

/// Without a weight of a run all traffic is on the primary, or on the canary while only that has pods. That includes a weight
/// that a run has lowered to 0 in status, if the route could not be written then. Nothing else of the route is corrected.
fn route_to_nobody(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let Some(live) = cx.live_split().filter(|_| is_routed(cx)) else { return GO_ON };
    let zero = cx.zero();
    let canary_lost = cx.step().weight == 0 && live.canary() > 0 && cx.canary_pods() == 0;
    let rescued = !in_a_run(cx) && live.canary() == 100 && live != zero;
    let primary_lost = !in_a_run(cx) && zero.canary() == 100 && live != zero;
    let lowered = in_a_run(cx) && cx.step().weight == 0 && live.canary() > 0 && !canary_lost;
    if !primary_lost && !((canary_lost || rescued || lowered) && cx.primary_pods() > 0) {
        return GO_ON;
    }
    d.urgent = zero.canary() == 0;
    let ours = primary_lost || rescued || lowered;
    traffic::routing(cx, d, zero, if ours { WriteReason::Wanted } else { WriteReason::Drift })
}

/// Ending a run needs only the target's label; without one its traffic goes back, and the rest waits.
fn ending_under_way(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.status().run.as_ref().is_none_or(|run| run.ending.is_none()) {
        return GO_ON;
    }
    let unlabelled = cx.c.target.rests() && cx.label.0.is_empty();
    if cx.target.is_null() || unlabelled {
        lowered(cx, d)?;
        progress::on_healthy_side(cx, d)?;
        return WAIT;
    }
    rollback::carry_on(cx, d)
}

/// The target is gone, or has a template that was not analysed: the canary loses its share, as long as the primary has pods.
fn target_changed(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if !cx.target.is_null() && cx.applied() == Some(cx.hash.as_str()) {
        return GO_ON;
    }
    lowered(cx, d)?;
    progress::on_healthy_side(cx, d)?;
    WAIT
}

/// At weight 0 only the requests of `analysis.always` are on the canary: without its pods they go to the primary as well.
fn pinned_to_nobody(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let (step, pinned) = (cx.step(), cx.live_split().is_some_and(Split::is_pinned));
    if !pinned || step.weight > 0 || cx.canary_pods() > 0 || cx.primary_pods() == 0 {
        return GO_ON;
    }
    d.urgent = true;
    if step.confirmed.is_some() {
        d.say(cx.messages.canary_vanished());
        d.status.step = Some(StepStatus { confirmed: None, ..step });
    }
    traffic::routing(cx, d, Split::to_canary(0), WriteReason::Wanted)
}

/// All traffic goes to the primary, if that has pods. The steps begin again when the Canary is accepted.
fn lowered(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let (step, pinned) = (cx.step(), cx.live_split().is_some_and(Split::is_pinned));
    let led = step.weight > 0 || step.mirrored;
    // without the target, shares of pods and a switched apex are not seen as a weight
    let astray = cx.c.apex != Apex::Stays && cx.selected() != Some(Selected::Primary);
    if !led && !pinned && !astray || cx.primary_pods() == 0 {
        return GO_ON;
    }
    // withdrawn already, and the route could not be written
    if !led && step.confirmed.is_none() {
        return traffic::routing(cx, d, Split::to_canary(0), WriteReason::Wanted);
    }
    let run = cx.status().run.as_ref();
    let ending = run.is_some_and(|run| run.ending.is_some());
    if ending || cx.phase() == Phase::Promoting {
        d.status.step = Some(cx.step_at(Split::to_canary(0)));
    } else if run.is_some() {
        steps::start_over(cx, d);
    } else {
        d.status.step = Some(steps::before_first(cx));
    }
    d.status.canary_weight = 0;
    d.urgent = true;
    d.say(cx.messages.withdrawn());
    handled_after(traffic::routing(cx, d, Split::to_canary(0), WriteReason::Wanted))
}
