//! From a plain Deployment to a primary that serves everyone. The target keeps serving until the primary is ready and
//! routed to; scaling it down is the last thing that happens.

use crate::{
    api::Phase,
    manifest::{self, readiness::Rollout},
    names::{self, conditions},
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::Messages,
        objects::{autoscaler, primary, revisions, services, write::WriteReason},
        observed_target,
        traffic::{self, acceptance, apex, handover, routes},
        waiting,
    },
    router::Split,
};

pub(crate) fn step(cx: &Context<'_>, d: &mut PlanBuilder) {
    if cx.phase() == Phase::Unset {
        return begin(cx, d);
    }
    if !primary_made(cx, d) || !autoscaler::twin(cx, d) || !primary_ready(cx, d) {
        return;
    }
    if !services::side_services(cx, d, WriteReason::Wanted) || cx.primary_pods() == 0 {
        return;
    }
    if !d.reached(cx.sides_settled_at()) {
        return;
    }
    let none = Split::to_canary(0);
    let route = routes::rendered(cx, d, none);
    if !handover::exchangeable(cx, d, &route) {
        return;
    }
    if !traffic::routing(cx, d, none, WriteReason::Wanted) || !d.reached(cx.route_settled_at()) {
        return;
    }
    if !acceptance::is_programmed(cx, d) {
        return;
    }
    if !apex::service(cx, d, WriteReason::Wanted) || !d.reached(cx.apex_settled_at()) {
        return;
    }
    if autoscaler::empty(cx, d) {
        finish(cx, d);
    }
}

fn begin(cx: &Context<'_>, d: &mut PlanBuilder) {
    d.phase(Phase::Initializing, cx.kind());
    d.status.epoch += 1;
    if cx.scaler.is_some() {
        d.status.primary_replicas = i32::try_from(autoscaler::primary_start(cx)).ok();
    }
    match &cx.answers.ping {
        Some(Ok(())) => d.say(Messages::providers_answer()),
        Some(Err(why)) => d.say(Messages::providers_silent(why)),
        None => {}
    }
}

/// The first template counts as promoted; it is stored before the primary is made from it.
fn primary_made(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let Some(primary) = cx.primary() else {
        let replicas = autoscaler::primary_start(cx);
        if revisions::store_template(cx, d)
            && let Some(stored) = cx.stored(Some(&cx.hash))
        {
            primary::from_stored(cx, d, stored, replicas, false);
            if let Some(why) = cx.c.target.first_look() {
                d.say(cx.messages.primary_not_ready(why));
            }
        }
        return false;
    };
    let made_from = manifest::annotation(primary, names::ANNOTATION_REVISION);
    if manifest::ours(primary, &cx.c.name) && cx.stored(made_from).is_some() {
        return true;
    }
    // one of Flagger's, or left behind by a Canary that is gone: it gets the target's template, as any primary does
    // when a Canary is first seen
    revisions::store_template(cx, d)
        && cx.stored(Some(&cx.hash)).is_some_and(|stored| primary::from_stored(cx, d, stored, 1, false))
}

fn primary_ready(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let why = match cx.primary_rollout() {
        Rollout::Ready => {
            d.clear(conditions::PODS_READY);
            return true;
        }
        Rollout::Waiting { why } | Rollout::Stuck { why } => why,
    };
    waiting::for_pods(cx, d, &why, |why| cx.messages.primary_not_ready(why));
    false
}

fn finish(cx: &Context<'_>, d: &mut PlanBuilder) {
    let hash =
        cx.primary().and_then(|p| manifest::annotation(p, names::ANNOTATION_REVISION)).map(str::to_owned);
    d.phase(Phase::Initialized, cx.kind());
    d.status.last_applied_spec.clone_from(&hash);
    d.status.tracked_configs = cx.checksums_of(hash.as_deref());
    d.status.last_promoted_spec = hash;
    d.status.canary_weight = 0;
    d.status.failed_checks = 0;
    d.status.iterations = 0;
    d.status.primary_replicas = cx.primary_replicas_kept();
    observed_target::remember(cx, d);
    d.say(cx.messages.initialized(cx.kind()));
}
