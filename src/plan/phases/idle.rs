//! Between runs: generated objects kept as they should be, a new revision noticed, replicas handed over. A Canary at
//! rest with nothing changed leads to an empty plan.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::Phase,
    manifest::{self, revision},
    names::conditions,
    plan::{
        analysis::jobs,
        builder::{PlanBuilder, after},
        context::Context,
        gates::{self, declined},
        model::Action,
        objects::{autoscaler, config_snapshots, primary, revisions, services, write::WriteReason},
        observed_target,
        phases::start,
        traffic::{self, acceptance, apex},
    },
    router::Split,
};

pub(crate) fn step(cx: &Context<'_>, d: &mut PlanBuilder) {
    if !cx.promoted().is_some_and(revision::is_ours) {
        return adopt(cx, d);
    }
    gates::after_run(cx, d);
    let mended = primary::intact(cx, d)
        & services::side_services(cx, d, WriteReason::Drift)
        & (traffic::routing(cx, d, cx.zero(), WriteReason::Drift)
            && apex::service(cx, d, WriteReason::Drift))
        & autoscaler::twin(cx, d);
    if !mended || jobs::collect(cx, d) {
        return;
    }
    if cx.promoted() == Some(cx.hash.as_str()) {
        if cx.phase() == Phase::Failed {
            return failure_over(cx, d);
        }
    } else if cx.applied() != Some(cx.hash.as_str()) || !observed_target::is_same(cx) {
        if gates::may_start(cx, d) {
            return start::start(cx, d);
        }
        // at a gate things stand as at rest; its webhooks may let the revision begin at once
        if !cx.waits_to_begin() || d.status.phase != Some(Phase::Waiting) {
            return;
        }
        return hand_over(cx, d);
    }
    if cx.waits_to_begin() {
        return declined::nothing_to_start(cx, d);
    }
    config_snapshots::collect(cx, d);
    hand_over(cx, d);
    if d.actions.is_empty() {
        observed_target::remember(cx, d);
    }
}

/// The target was set back to the promoted template after a failure (design D7).
fn failure_over(cx: &Context<'_>, d: &mut PlanBuilder) {
    d.phase(Phase::Succeeded, cx.kind());
    d.clear(conditions::HALTED);
    d.status.failed_checks = 0;
    d.status.last_applied_spec.clone_from(&cx.status().last_promoted_spec);
    d.status.tracked_configs = cx.configs.for_status();
    observed_target::remember(cx, d);
    d.say(cx.messages.reverted());
}

/// Replicas that a chart or a person sets on the resting target are meant for what serves: the primary gets them, and
/// the target goes back to none (ruling 16). Somebody who scales it up again and again is let wait ever longer.
fn hand_over(cx: &Context<'_>, d: &mut PlanBuilder) {
    let replicas = cx.target_replicas();
    let on_primary =
        traffic::split_in_place(cx, Split::to_canary(0)) && acceptance::not_programmed(cx).is_none();
    if autoscaler::is_empty(cx) || !on_primary || !d.reached(cx.settled_at()) {
        return;
    }
    let scaled = cx.c.spec.autoscaler_ref.is_some() || !cx.c.target.replicated();
    if let Some(primary) = cx.primary()
        && !scaled
        && replicas > 0
        && manifest::replicas(primary) != replicas
    {
        d.status.primary_replicas = i32::try_from(replicas).ok();
        d.say(cx.messages.handed_over(replicas));
        d.act(Action::scale(primary, replicas));
    }
    let seen = cx.status().target.clone().unwrap_or_default();
    let patience = seen.patience.unwrap_or(0).clamp(0, PATIENCE_MOST);
    let since = seen.emptied.as_ref().map_or(Timestamp::MIN, |at| at.0);
    if !d.reached(after(since, Duration::from_secs(patience as u64))) {
        return;
    }
    let again = cx.now < after(since, Duration::from_secs(2 * patience as u64));
    let next = if again { (2 * patience).min(PATIENCE_MOST) } else { PATIENCE };
    if again {
        d.say(cx.messages.contested(next, cx.c.target.rest_advice()));
    }
    if let Some(target) = &mut d.status.target {
        (target.emptied, target.patience) = (Some(MicroTime(cx.now)), Some(next));
    }
    autoscaler::empty(cx, d);
}

/// Seconds that a target is left with pods that somebody gives it at rest, right after it was emptied; doubled each
/// time, so that two who want different things do not write against each other for ever.
const PATIENCE: i64 = 30;
const PATIENCE_MOST: i64 = 3600;

/// Status written by Flagger: its hashes mean nothing here (ruling 10). A primary that runs the target's template is
/// taken over as it is; otherwise what it runs is kept as the promoted template, and the target's is a new revision.
fn adopt(cx: &Context<'_>, d: &mut PlanBuilder) {
    let Some(primary) = cx.primary() else {
        d.phase(Phase::Initializing, cx.kind());
        return;
    };
    let same = cx.c.target.same(primary, cx.target, &cx.label, &cx.c.names.target);
    // one that is kept as it runs names the objects it uses
    let held = cx.c.target.as_target(primary);
    let (source, used) =
        if same { (cx.target, config_snapshots::taken_over(cx, primary)) } else { (&*held, BTreeMap::new()) };
    let checksums = used.iter().map(|(key, config)| (key.clone(), config.checksum.clone())).collect();
    let hash = revision::hash_with(&cx.c.target.revision(source), &checksums);
    let Some(stored) = cx.stored(Some(&hash)) else {
        return revisions::store(cx, d, &hash, source, &used);
    };
    let marked = if cx.c.target.holds_both() {
        primary::from_stored(cx, d, stored, 1, false)
    } else {
        primary::mark(cx, d, primary, &hash)
    };
    if !marked {
        return;
    }
    if !matches!(cx.phase(), Phase::Succeeded | Phase::Failed) {
        d.phase(Phase::Initialized, cx.kind());
    }
    d.status.last_promoted_spec = Some(hash.clone());
    d.status.tracked_configs = cx.checksums_of(Some(&hash));
    d.status.last_applied_spec = Some(hash);
    d.status.canary_weight = 0;
    d.status.epoch += 1;
    observed_target::remember(cx, d);
    d.say(cx.messages.adopted());
}
