//! Ending a run early: traffic first, pods once the proxies have learned of it, the phase last. The decision is in
//! status before anything else, so that a crash cannot forget it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::{EndingKind, Phase, StepStatus},
    manifest::readiness::Rollout,
    names::conditions,
    plan::{
        builder::PlanBuilder,
        context::Context,
        gates::webhooks,
        model::HookKind,
        objects::{autoscaler, primary, write::WriteReason},
        observed_target,
        traffic::{self, acceptance, apex, ending},
    },
    router::Split,
};

/// Goes on with an ending that was begun; true when there is one.
pub(crate) fn carry_on(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let Some(ending) = cx.status().run.as_ref().and_then(|r| r.ending.clone()) else { return false };
    // only a promotion touches the primary
    if cx.phase() == Phase::Promoting && !primary_restored(cx, d) {
        return true;
    }
    let zero = cx.zero();
    if cx.split(&cx.step()) != zero {
        d.status.step = Some(cx.step_at(zero));
        d.urgent = zero.canary() == 0;
    }
    // the route first; without a primary there would be nowhere to go back to
    if !(traffic::routing(cx, d, zero, WriteReason::Wanted) & primary::intact(cx, d)) {
        return true;
    }
    if zero.canary() > 0 {
        if d.find(conditions::PODS_READY).is_none() {
            let note = cx.messages.primary_vanished();
            d.condition(conditions::PODS_READY, "False", note.reason, &note.message);
            d.say(note);
        }
        return true;
    }
    if !apex::service(cx, d, WriteReason::Drift)
        || !d.reached(cx.settled_at())
        || !acceptance::is_programmed(cx, d)
    {
        return true;
    }
    // a new revision that waits for nothing else need not wait for pods to go
    let next = cx.c.linger > std::time::Duration::ZERO && cx.applied() != Some(cx.hash.as_str());
    let next = next && ending.kind != EndingKind::Aborting;
    if next || autoscaler::retire(cx, d) {
        finish(cx, d, ending.kind);
    }
    true
}

/// The primary runs the last promoted template again and is ready: that is confirmed in status, and from then on the
/// wanted weight is 0, for good.
fn primary_restored(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    if cx.step().confirmed.is_some() {
        return true;
    }
    if !traffic::routing(cx, d, ending::on_healthy_side(cx), WriteReason::Wanted) {
        return false;
    }
    // without a copy there is nothing to go back to: the primary stays as it is
    let restored = cx.stored(cx.promoted()).is_none_or(|stored| {
        primary::from_stored(cx, d, stored, cx.primary_replicas(), false)
            && matches!(cx.primary_rollout(), Rollout::Ready)
    });
    if restored && cx.primary_pods() > 0 {
        let confirmed = Some(MicroTime(cx.now));
        d.status.step = Some(StepStatus { confirmed, ..cx.step_at(Split::to_canary(0)) });
        traffic::routing(cx, d, Split::to_canary(0), WriteReason::Wanted);
    }
    false
}

fn finish(cx: &Context<'_>, d: &mut PlanBuilder, kind: EndingKind) {
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
}
