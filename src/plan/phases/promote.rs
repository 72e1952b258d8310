//! The analysed template becomes the primary's: exactly that one, from the copy stored when promotion began.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::{EndingKind, Phase, StepStatus},
    manifest::readiness::Rollout,
    names::conditions,
    plan::{
        builder::{PlanBuilder, after},
        context::Context,
        gates::webhooks,
        model::{HookKind, Messages},
        objects::{
            autoscaler, config_snapshots, pod_limits, primary, revisions, services, write::WriteReason,
        },
        observed_target,
        phases::rollback,
        traffic::{self, acceptance, apex, ending, pod_weighting},
        waiting,
    },
    router::Split,
};

/// All checks have passed, or were not wanted: called only while the target carries the analysed template.
pub(crate) fn begin(cx: &Context<'_>, d: &mut PlanBuilder) {
    d.say(cx.messages.copying());
    d.phase(Phase::Promoting, cx.kind());
    d.status.epoch += 1;
    d.clear(conditions::PAUSED);
    d.clear(conditions::HALTED);
    d.clear(conditions::INCONCLUSIVE);
    d.clear(conditions::CAPACITY);
    revisions::store_template(cx, d);
}

pub(crate) fn step(cx: &Context<'_>, d: &mut PlanBuilder) {
    if rollback::carry_on(cx, d) {
        return;
    }
    let Some(stored) = cx.stored(cx.applied()).filter(|stored| !config_snapshots::lost(cx, stored)) else {
        return never_stored(cx, d);
    };
    if cx.promoted() == Some(cx.hash.as_str()) {
        d.say(cx.messages.aborted());
        return ending::begin(
            cx,
            d,
            EndingKind::Aborting,
            "Aborted",
            "the target was set back to the promoted template",
        );
    }
    if target_moved_on(cx) && cx.step().weight > 0 {
        return withdraw(cx, d);
    }
    let mended = services::side_services(cx, d, WriteReason::Drift)
        & apex::service(cx, d, WriteReason::Drift)
        & autoscaler::twin(cx, d);
    if !mended {
        return;
    }
    let step = cx.step();
    if cx.zero().canary() == 100 && cx.split(&step) != cx.zero() && !target_moved_on(cx) {
        return stand_in(cx, d);
    }
    let why = if step.confirmed.is_some() { WriteReason::Drift } else { WriteReason::Wanted };
    if !traffic::routing(cx, d, cx.split(&step), why) {
        return;
    }
    let replicas = autoscaler::primary_start(cx);
    // one that is no longer named is there until the run is over
    let scaled = cx.c.spec.autoscaler_ref.is_some() || !autoscaler::twins(cx).is_empty();
    let counted = cx.c.target.replicated() && cx.target_replicas() > 0;
    let resize = !scaled && !pod_limits::made(cx) && !target_moved_on(cx) && counted;
    if !primary::from_stored(cx, d, stored, replicas, resize) || !primary_ready(cx, d) {
        return;
    }
    // the few pods that shares have left it first: all at once would be more of the old version before the new
    if pod_limits::made(cx) && !pod_weighting::whole_again(cx, d) {
        return;
    }
    if acceptance::is_programmed(cx, d) {
        shift(cx, d);
    }
}

/// The target carries another template than the one being promoted.
fn target_moved_on(cx: &Context<'_>) -> bool {
    cx.applied() != Some(cx.hash.as_str())
}

/// The process died between the decision and the copies, or somebody took those away. The target still has the template: store it. It has another
/// by now: what was analysed is gone, so nothing is promoted, and the next revision is found at rest.
fn never_stored(cx: &Context<'_>, d: &mut PlanBuilder) {
    if target_moved_on(cx) {
        return ending::begin(
            cx,
            d,
            EndingKind::Aborting,
            "TemplateLost",
            "the target changed before it was copied",
        );
    }
    revisions::store_template(cx, d);
}

/// The target is rolling to something that was never analysed: it loses its traffic, the promotion goes on.
fn withdraw(cx: &Context<'_>, d: &mut PlanBuilder) {
    let zero = cx.zero();
    d.status.step = Some(cx.step_at(zero));
    d.urgent = true;
    traffic::routing(cx, d, zero, WriteReason::Wanted);
    if zero.canary() > 0 {
        d.wake_at(after(cx.now, cx.c.interval));
    }
}

/// The new template has cost the primary all its pods: the analysed ones serve everyone until it has pods again.
fn stand_in(cx: &Context<'_>, d: &mut PlanBuilder) {
    d.status.step = Some(cx.step_at(cx.zero()));
    d.say(cx.messages.primary_vanished());
    traffic::routing(cx, d, cx.zero(), WriteReason::Wanted);
}

fn primary_ready(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    if !services::followed(cx, d) {
        return false;
    }
    let (why, stuck) = match cx.primary_rollout() {
        Rollout::Ready if cx.primary_pods() > 0 => {
            d.clear(conditions::PODS_READY);
            return true;
        }
        Rollout::Ready => ("its pods are not yet behind the Service".to_owned(), false),
        Rollout::Waiting { why } => (why, false),
        Rollout::Stuck { why } => (why, true),
    };
    let deadline = after(cx.standing_since(), cx.c.deadline);
    let grace = after(cx.standing_since(), std::time::Duration::from_secs(1));
    if (stuck && cx.now >= grace) || cx.now >= deadline {
        d.say(cx.messages.promotion_failed(&why));
        ending::begin(cx, d, EndingKind::UndoingPromotion, "PromotionFailed", &why);
        return false;
    }
    d.wake_at(if stuck { grace } else { deadline });
    waiting::for_pods(cx, d, &why, |why| cx.messages.primary_not_ready(why));
    false
}

/// Traffic towards the new primary, at once or in steps of `stepWeightPromotion`, one per interval.
fn shift(cx: &Context<'_>, d: &mut PlanBuilder) {
    let step = cx.step();
    if step.confirmed.is_none() {
        return shifted(cx, d, step);
    }
    if step.weight == 0 {
        return finalising(cx, d);
    }
    let began = step.confirmed.as_ref().map_or(cx.now, |t| t.0);
    if step.promotion > 0 && !d.reached(after(began, cx.c.interval)) {
        return;
    }
    let all = cx.c.promotion_step == 0 || target_moved_on(cx);
    let weight = if all { 0 } else { (step.weight - cx.c.promotion_step).max(0) };
    let split = Split::to_canary(weight).for_everyone(weight > 0 && step.everyone);
    let split = split.pinning(cx.pins(step.index, weight));
    d.status.step = Some(StepStatus { checked: None, promotion: step.promotion + 1, ..cx.step_at(split) });
    if all {
        d.say(Messages::routing_to_primary());
    }
    traffic::routing(cx, d, split, WriteReason::Wanted);
}

/// The route carries the weight.
fn shifted(cx: &Context<'_>, d: &mut PlanBuilder, step: StepStatus) {
    d.status.canary_weight = cx.shown(&step);
    if step.promotion > 0 && cx.c.promotion_step > 0 {
        d.say(cx.messages.primary_advanced(100 - step.weight));
    }
    let done = step.weight == 0;
    d.status.step = Some(StepStatus { confirmed: Some(MicroTime(cx.now)), ..step });
    if done {
        finalising(cx, d);
    }
}

fn finalising(cx: &Context<'_>, d: &mut PlanBuilder) {
    d.phase(Phase::Finalising, cx.kind());
    d.status.canary_weight = 0;
    d.status.iterations = 0;
}

/// Users are on the new primary; the target's pods go once the proxies have learned of it.
pub(crate) fn finalise(cx: &Context<'_>, d: &mut PlanBuilder) {
    let mended = services::side_services(cx, d, WriteReason::Drift)
        & apex::service(cx, d, WriteReason::Drift)
        & traffic::routing(cx, d, cx.zero(), WriteReason::Drift)
        & primary_there(cx, d);
    if !mended || !d.reached(cx.settled_at()) || !acceptance::is_programmed(cx, d) {
        return;
    }
    if !traffic::split_in_place(cx, Split::to_canary(0)) {
        return;
    }
    if !target_moved_on(cx) && !autoscaler::retire(cx, d) {
        return;
    }
    d.phase(Phase::Succeeded, cx.kind());
    d.status.last_promoted_spec.clone_from(&cx.status().last_applied_spec);
    d.status.canary_weight = 0;
    d.status.failed_checks = 0;
    d.status.step = None;
    d.status.run = None;
    d.status.primary_replicas = cx.primary_replicas_kept();
    observed_target::remember(cx, d);
    revisions::collect(cx, d);
    d.status.post_rollout_due = webhooks::any(cx, HookKind::PostRollout);
    d.say(cx.messages.promoted(cx.c.skip_analysis));
}

/// Somebody deleted the primary after it was promoted: it is made again from the same template.
fn primary_there(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    match cx.stored(cx.applied()) {
        Some(stored) if cx.primary().is_none() => {
            d.say(Messages::recreated(&format!("{} {}", cx.kind(), cx.c.names.primary)));
            primary::from_stored(cx, d, stored, autoscaler::primary_start(cx), false)
        }
        _ => true,
    }
}
