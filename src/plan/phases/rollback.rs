//! Ending a run early: traffic first, pods once the proxies have learned of it, the phase last. `traffic::ending` has
//! written the decision into status before anything else, so that a crash cannot lose it.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::{Ending, EndingKind, Phase, StepStatus},
    clock,
    names::conditions,
    plan::{
        builder::PlanBuilder,
        chain::{self, Chain},
        context::Context,
        gates::webhooks,
        model::{
            HookKind,
            flow::{Flow, GO_ON, HANDLED, WAIT, all, handled_after, wait_unless},
        },
        objects::{autoscaler, contest, primary, replicas, services, write::WriteReason},
        observed_target,
        phases::replaced,
        traffic::{self, acceptance, apex, ending},
        waiting,
    },
    router::Split,
};

/// The guards of ending a run, in order.
pub(crate) const CHAIN: Chain = &[
    ("primary_restored", primary_restored),
    ("route_and_primary", route_and_primary),
    ("apex_service", |cx, d| apex::service(cx, d, WriteReason::Drift)),
    ("route_settled", |cx, d| d.reached(cx.settled_at())),
    ("route_programmed", acceptance::programmed),
    ("target_scaled_to_zero", target_scaled_to_zero),
    ("finish", finish),
];

/// Continues the end of a run that has begun, if there is one.
pub(crate) fn carry_on(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if ending(cx).is_some() { chain::run(CHAIN, cx, d) } else { GO_ON }
}

fn ending<'c>(cx: &'c Context<'_>) -> Option<&'c Ending> {
    cx.status().run.as_ref()?.ending.as_ref()
}

/// Only a promotion changes the primary: it runs the last promoted template again and is ready. That is confirmed in
/// status, and from then on the wanted weight stays 0.
fn primary_restored(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.phase() != Phase::Promoting || cx.step().confirmed.is_some() {
        return GO_ON;
    }
    let split = replaced::split_to_undo(cx);
    if cx.split(&cx.step()) != split {
        d.status.step = Some(cx.step_at(split));
        d.urgent = split.canary() == 0;
    }
    traffic::routing(cx, d, split, WriteReason::Wanted)?;
    // without its Service no pods of the primary would be seen again
    side_services(cx, d)?;
    replaced::everyone_off_primary(cx, d, split)?;
    // without a copy there is nothing to restore: the primary stays as it is
    if let Some(stored) = cx.stored(cx.promoted()) {
        let former = replicas::undone(cx);
        let number = former.unwrap_or_else(|| cx.primary_replicas());
        let restored = primary::from_stored(cx, d, stored, number, former.is_some());
        // if it does not get the template back, it serves as it is, if its pods are ready
        let refused = restored == WAIT && cx.snap.writes.refusal(cx.now).is_some();
        if restored.is_break() && !contest::primary_held(cx) && !refused {
            return restored;
        }
        restored_pods(cx, d)?;
    }
    wait_unless(cx.primary_pods() > 0)?;
    // its former template may have brought its former port back
    services::followed(cx, d)?;
    let confirmed = Some(MicroTime(cx.now));
    d.status.step = Some(StepStatus { confirmed, ..cx.step_at(Split::to_canary(0)) });
    handled_after(traffic::routing(cx, d, Split::to_canary(0), WriteReason::Wanted))
}

/// The primary's pods run the template. After the deadline it is enough if half of its pods are available: one that finds
/// no node must not keep the run from ending, whatever the rollout has come to.
fn restored_pods(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let rollout = cx.primary_rollout();
    let Some(why) = rollout.why() else { return GO_ON };
    let since = ending::undone_since(cx);
    waiting::for_pods(cx, d, since, why, |why| cx.messages.primary_not_ready(why));
    d.reached(clock::after(since, cx.c.deadline))?;
    wait_unless(cx.primary().is_some_and(|primary| cx.c.target.half_available(primary, cx.primary_pods())))
}

/// The route first; without a primary there would be no destination for it.
fn route_and_primary(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let zero = cx.zero();
    if cx.split(&cx.step()) != zero {
        d.status.step = Some(cx.step_at(zero));
        d.urgent = zero.canary() == 0;
    }
    let route = traffic::routing(cx, d, zero, WriteReason::Wanted);
    all([route, side_services(cx, d), primary::intact(cx, d)])?;
    if zero.canary() == 0 {
        return GO_ON;
    }
    if d.find(conditions::PODS_READY).is_none() {
        let note = cx.messages.primary_vanished();
        d.condition(conditions::PODS_READY, "False", note.reason, &note.message);
        d.say(note);
    }
    WAIT
}

/// An end does not wait for Services that are refused: the route leads to none of their new ports.
fn side_services(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    match services::side_services(cx, d, WriteReason::Drift) {
        WAIT => GO_ON,
        flow => flow,
    }
}

/// Removes the target's pods, unless a new revision waits only for that: its pods may replace them.
fn target_scaled_to_zero(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let next = cx.c.linger > Duration::ZERO && cx.applied() != Some(cx.hash.as_str());
    let aborting = ending(cx).is_some_and(|ending| ending.kind == EndingKind::Aborting);
    if next && !aborting { GO_ON } else { autoscaler::scale_down(cx, d) }
}

fn finish(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let Some(kind) = ending(cx).map(|ending| ending.kind) else { return GO_ON };
    d.clear(conditions::PODS_READY);
    d.clear(conditions::FROZEN);
    d.clear(conditions::INCONCLUSIVE);
    d.clear(conditions::CAPACITY);
    d.clear(conditions::JOB_ENDED);
    d.status.canary_weight = 0;
    d.status.iterations = 0;
    d.status.step = None;
    d.status.run = None;
    match kind {
        EndingKind::Aborting => {
            d.phase(Phase::Succeeded, cx.kind());
            d.clear(conditions::HALTED);
            d.status.failed_checks = 0;
            d.status.last_applied_spec.clone_from(&cx.status().last_promoted_spec);
            d.status.tracked_configs = cx.checksums_of(cx.promoted());
        }
        EndingKind::RollingBack | EndingKind::UndoingPromotion => {
            d.phase(Phase::Failed, cx.kind());
            d.say(cx.messages.failed());
        }
    }
    d.status.post_rollout_due = webhooks::any(cx, HookKind::PostRollout);
    observed_target::remember(cx, d);
    HANDLED
}
