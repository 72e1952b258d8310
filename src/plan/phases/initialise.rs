//! From a plain Deployment to a primary that serves everyone. The target keeps serving until the primary is ready and
//! has the traffic; scaling it down is the last step.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::Value;

use crate::{
    api::Phase,
    manifest::{self, revision},
    names::{self, conditions},
    plan::{
        builder::PlanBuilder,
        chain::Chain,
        context::Context,
        history,
        model::{
            Action, Messages,
            flow::{Flow, GO_ON, HANDLED, WAIT, WRITE_FIRST, all, wait_unless},
        },
        objects::{autoscaler, primary, revisions, services, write::WriteReason},
        observed_target,
        phases::start,
        staleness,
        traffic::{self, acceptance, apex, routes},
        waiting,
    },
    router::{Selected, Split},
    spec::in_use,
};

/// The guards of setting up a Canary, in order.
pub(crate) const CHAIN: Chain = &[
    ("begin", begin),
    ("on_healthy_side", traffic::on_healthy_side),
    ("primary_made", primary_made),
    ("autoscaler", autoscaler::sync),
    ("primary_sized", primary_sized),
    ("primary_ready", primary_ready),
    ("side_services", |cx, d| services::side_services(cx, d, WriteReason::Wanted)),
    ("led_objects", routes::prepare),
    ("primary_pods", |cx, _| wait_unless(cx.primary_pods() > 0)),
    ("side_services_settled", |cx, d| d.reached(cx.sides_settled_at())),
    ("route", |cx, d| traffic::routing(cx, d, Split::to_canary(0), WriteReason::Wanted)),
    ("route_settled", |cx, d| d.reached(cx.route_settled_at())),
    ("route_programmed", acceptance::programmed),
    ("apex_service", |cx, d| apex::service(cx, d, WriteReason::Wanted)),
    ("apex_settled", |cx, d| d.reached(cx.apex_settled_at())),
    ("target_scaled_to_zero", autoscaler::scale_to_zero),
    ("finish", finish),
];

fn begin(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.phase() != Phase::Unset {
        return GO_ON;
    }
    d.phase(Phase::Initializing, cx.kind());
    // records that an earlier Canary of this name left behind keep their numbers
    d.status.epoch = d.status.epoch.max(history::latest(cx.snap)).saturating_add(1);
    d.status.in_use = Some(in_use(&cx.c));
    if cx.scaler.is_some() {
        d.status.primary_replicas = i32::try_from(autoscaler::primary_start(cx)).ok();
    }
    match &cx.answers.ping {
        Some(Ok(())) => d.say(Messages::providers_answer()),
        Some(Err(why)) => d.say(Messages::providers_silent(why)),
        None => {}
    }
    HANDLED
}

/// Requests go to the primary, by the route or by the apex Service.
fn is_used(cx: &Context<'_>) -> bool {
    let apex = matches!(cx.selected(), Some(Selected::Primary | Selected::Both));
    // a router that moves no requests has no route
    apex || cx.moves() && cx.live_split().is_some_and(|live| live.canary() < 100)
}

/// The first template counts as promoted; it is stored before the primary is created from it. Until requests go to the
/// primary, it follows the target, which may be mended, and serves everyone.
fn primary_made(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let primary = cx.primary();
    let made_from = primary.and_then(|primary| manifest::annotation(primary, names::ANNOTATION_REVISION));
    let ours = primary.is_some_and(|p| manifest::ours(p, &cx.c.name));
    let (stored, current) = (ours && cx.stored(made_from).is_some(), made_from == Some(cx.hash.as_str()));
    let kept = made_from.is_some() && primary.map(|live| own_template(cx, live).0).as_deref() == made_from;
    if stored && (current || kept || is_used(cx)) {
        return GO_ON;
    }
    // made by a former Canary, whose copy of the template is gone or goes
    let left = !(stored || ours && current);
    if let Some(live) = primary.filter(|live| left && serves_another(cx, live)) {
        return kept_as_it_runs(cx, d, live);
    }
    revisions::store_template(cx, d)?;
    let Some(stored) = cx.stored(Some(&cx.hash)) else { return WAIT };
    if primary.is_some() {
        // Flagger's, or left behind by a Canary that is gone: it gets the target's template, like any primary
        // when a Canary is first seen
        return primary::from_stored(cx, d, stored, autoscaler::primary_start(cx), false);
    }
    let made = primary::from_stored(cx, d, stored, autoscaler::primary_start(cx), false);
    if let Some(why) = cx.c.target.first_look() {
        d.say(cx.messages.primary_not_ready(why));
    }
    all([made, WAIT])
}

/// A primary left behind by a former Canary has pods, and another template than the target: users are on it, and the
/// target's template may be one that failed.
fn serves_another(cx: &Context<'_>, live: &Value) -> bool {
    let count = |field: &str| live["status"][field].as_i64().unwrap_or(0);
    // its Service may be gone
    let pods = count("availableReplicas") + count("numberAvailable") > 0 || cx.primary_pods() > 0;
    pods && !cx.c.target.same(live, cx.target, &cx.label, &cx.c.names.target)
}

/// Its template counts as promoted. The target's template is a new revision.
fn kept_as_it_runs(cx: &Context<'_>, d: &mut PlanBuilder, live: &Value) -> Flow {
    let (hash, held) = own_template(cx, live);
    if cx.stored(Some(&hash)).is_none() {
        return revisions::store(cx, d, &hash, &held, &BTreeMap::new());
    }
    match cx.stored(Some(&hash)).filter(|_| cx.c.target.holds_both()) {
        Some(stored) => primary::from_stored(cx, d, stored, 1, false),
        None => primary::mark(cx, d, live, &hash),
    }
}

/// The revision of a primary that counts as promoted as it runs, and the template as a target has it. A primary that was
/// made from a target has another: its labels differ from the target's.
fn own_template<'a>(cx: &Context<'a>, live: &'a Value) -> (String, Cow<'a, Value>) {
    let held = cx.c.target.as_target(live);
    (revision::hash_with(&cx.c.target.revision(&held), &BTreeMap::new()), held)
}

/// Until it rests, a target that gets more replicas gets them for its users, whom the primary takes over: it gets as many,
/// from its autoscaler if it has one.
fn primary_sized(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let Some((live, wanted)) = cx.primary().zip(autoscaler::primary_least(cx)) else { return GO_ON };
    // one that is switched off gets its replicas back in the next guard
    let few = (1..wanted).contains(&manifest::replicas(live));
    if cx.scaler.is_some() {
        // a number that the target had for a moment may be more than the cluster can place
        if cx.status().primary_replicas.map_or(0, i64::from) < wanted || !is_used(cx) {
            d.status.primary_replicas = i32::try_from(wanted.max(1)).ok();
        }
        if few {
            let why =
                format!("waiting for its autoscaler to give it {wanted} replicas, as many as the target has");
            waiting::for_pods(cx, d, cx.standing_since(), &why, |why| cx.messages.primary_not_ready(why));
        }
        return wait_unless(!few);
    }
    // if it is reverted again and again, that is no reason to stop
    if !few || d.try_act(Action::scale(live, wanted)) != WRITE_FIRST {
        return GO_ON;
    }
    d.say(cx.messages.handed_over(wanted));
    WRITE_FIRST
}

fn primary_ready(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    staleness::wait_until_seen(cx)?;
    if let Some(live) = cx.primary() {
        primary::switched_on(cx, d, live);
    }
    // its Service is created only afterwards
    let Some((why, _)) = cx.primary_rollout().unserving(true) else {
        d.clear(conditions::PODS_READY);
        return GO_ON;
    };
    waiting::for_pods(cx, d, cx.standing_since(), &why, |why| cx.messages.primary_not_ready(why));
    WAIT
}

fn finish(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let hash =
        cx.primary().and_then(|p| manifest::annotation(p, names::ANNOTATION_REVISION)).map(str::to_owned);
    d.phase(Phase::Initialized, cx.kind());
    d.status.last_applied_spec.clone_from(&hash);
    d.status.tracked_configs = cx.checksums_of(hash.as_deref());
    primary::remember(cx, d, hash.as_deref());
    d.status.last_promoted_spec = hash;
    d.status.canary_weight = 0;
    d.status.failed_checks = 0;
    d.status.iterations = 0;
    d.status.primary_replicas = cx.primary_replicas_kept();
    (d.status.run, d.status.step) = (None, None);
    start::clear_conditions(d);
    observed_target::renew(cx, d);
    observed_target::remember(cx, d);
    d.say(cx.messages.initialized(cx.kind()));
    HANDLED
}
