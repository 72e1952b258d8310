//! Between runs: generated objects kept as they should be, a new revision noticed, replicas handed over. A Canary at
//! rest with nothing changed leads to an empty plan.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde_json::json;

use crate::plan::{
    admission::config_tracking,
    analysis::jobs,
    builder::{PlanBuilder, after},
    context::Context,
    gates,
    model::Messages,
    objects::autoscaler,
    objects::config_snapshots,
    objects::{self, WriteReason},
    phases::initialise::past,
    phases::progress,
    traffic::acceptance,
};
use crate::{
    api::{ObservedTarget, Phase},
    manifest::{self, revision},
    names::{self, conditions},
    router::Split,
    snapshot::ObjectRef,
    spec::Problem,
};

pub(crate) fn step(cx: &Context<'_>, d: &mut PlanBuilder) {
    if !cx.promoted().is_some_and(revision::is_ours) {
        return adopt(cx, d);
    }
    gates::after_run(cx, d);
    let mended = primary_intact(cx, d)
        & objects::side_services(cx, d, WriteReason::Drift)
        & (objects::routing(cx, d, cx.zero(), WriteReason::Drift)
            && objects::apex_service(cx, d, WriteReason::Drift))
        & autoscaler::twin(cx, d);
    if !mended || jobs::collect(cx, d) {
        return;
    }
    if cx.promoted() == Some(cx.hash.as_str()) {
        if cx.phase() == Phase::Failed {
            return failure_over(cx, d);
        }
    } else if cx.applied() != Some(cx.hash.as_str()) || !same_target(cx) {
        if gates::may_start(cx, d) {
            return progress::start(cx, d);
        }
        // at a gate things stand as at rest; its webhooks may let the revision begin at once
        if !cx.waits_to_begin() || d.status.phase != Some(Phase::Waiting) {
            return;
        }
        return hand_over(cx, d);
    }
    if cx.waits_to_begin() {
        return gates::nothing_to_start(cx, d);
    }
    config_snapshots::collect(cx, d);
    hand_over(cx, d);
    if d.actions.is_empty() {
        saw_target(cx, d);
    }
}

/// The target is the very object whose template was last looked at.
pub(crate) fn same_target(cx: &Context<'_>) -> bool {
    cx.status().target.as_ref().is_none_or(|t| Some(t.uid.as_str()) == manifest::uid(cx.target))
}

/// Remembers uid and generation of the target while its template is the applied one, so that a later version of the
/// API server that stores the same template differently does not look like a new revision (design D7).
pub(crate) fn saw_target(cx: &Context<'_>, d: &mut PlanBuilder) {
    if d.status.last_applied_spec.as_deref() == Some(cx.hash.as_str()) {
        d.status.target = Some(ObservedTarget {
            uid: manifest::uid(cx.target).unwrap_or_default().into(),
            generation: manifest::generation(cx.target).unwrap_or_default(),
            ..d.status.target.take().unwrap_or_default()
        });
    }
}

/// The target was set back to the promoted template after a failure (design D7).
fn failure_over(cx: &Context<'_>, d: &mut PlanBuilder) {
    d.phase(Phase::Succeeded, cx.kind());
    d.clear(conditions::HALTED);
    d.status.failed_checks = 0;
    d.status.last_applied_spec.clone_from(&cx.status().last_promoted_spec);
    d.status.tracked_configs = cx.configs.for_status();
    saw_target(cx, d);
    d.say(cx.messages.reverted());
}

/// The primary is gone and there is nothing to make it from: said, for as long as it lasts.
pub(crate) fn primary_lost(cx: &Context<'_>) -> Option<Problem> {
    let made_otherwise = matches!(
        cx.phase(),
        Phase::Unset | Phase::Initializing | Phase::Promoting | Phase::Finalising | Phase::Terminating
    );
    let known = cx.stored(cx.promoted()).is_some() || cx.promoted() == Some(cx.hash.as_str());
    if cx.primary().is_some() || known || made_otherwise || !cx.promoted().is_some_and(revision::is_ours) {
        return None;
    }
    Some(Problem::new(
        "PrimaryLost",
        format!(
            "{} {} is gone and no copy of its template is left: set {} to the template that is to be primary",
            cx.kind(),
            cx.c.names.primary,
            cx.c.names.target
        ),
    ))
}

/// The primary exists and runs the promoted template; otherwise it is restored from the stored copy (ruling 4).
pub(crate) fn primary_intact(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let stored = cx.stored(cx.promoted());
    let Some(live) = cx.primary() else {
        let at = ObjectRef::new(cx.c.target.kind(), cx.c.names.primary.clone());
        if let Some(stored) = stored {
            d.say(Messages::recreated(&at.to_string()));
            objects::primary_from(cx, d, stored, cx.primary_replicas(), false);
        } else if cx.promoted() == Some(cx.hash.as_str()) {
            objects::store_template(cx, d);
        }
        return false;
    };
    let Some(stored) = stored else {
        if cx.promoted() == Some(cx.hash.as_str()) {
            return objects::store_template(cx, d);
        }
        return true;
    };
    if !config_snapshots::mend(cx, d, stored) {
        return false;
    }
    let Some(want) = objects::primary_manifest(cx, stored) else { return true };
    if cx.c.target.intact(live, &want) || tried(live) {
        return true;
    }
    let want = cx.c.target.content(&want);
    d.say(Messages::drift(&want.at().to_string()));
    if cx.c.target.holds_both() {
        // its generation tells nothing: nobody but us writes what is mended here
        return objects::patch_with(cx, d, live, &want, &json!({}));
    }
    let restored = json!({"metadata": {"annotations": {
        names::ANNOTATION_RESTORED: (manifest::generation(live).unwrap_or_default() + 1).to_string()
    }}});
    objects::patch_with(cx, d, live, &want, &restored)
}

/// The damage is what was left of our last mending: somebody else's admission changes it each time.
fn tried(live: &serde_json::Value) -> bool {
    manifest::annotation(live, names::ANNOTATION_RESTORED)
        .and_then(|g| g.parse::<i64>().ok())
        .is_some_and(|g| Some(g) == manifest::generation(live))
}

/// Replicas that a chart or a person sets on the resting target are meant for what serves: the primary gets them, and
/// the target goes back to none (ruling 16). Somebody who scales it up again and again is let wait ever longer.
fn hand_over(cx: &Context<'_>, d: &mut PlanBuilder) {
    let replicas = cx.target_replicas();
    let on_primary = objects::split_in_place(cx, Split::to_canary(0)) && acceptance::unheeded(cx).is_none();
    if autoscaler::is_empty(cx) || !on_primary || !past(cx, d, cx.settled_at()) {
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
        d.act(objects::scale(primary, replicas));
    }
    let seen = cx.status().target.clone().unwrap_or_default();
    let patience = seen.patience.unwrap_or(0).clamp(0, PATIENCE_MOST);
    let since = seen.emptied.as_ref().map_or(Timestamp::MIN, |at| at.0);
    if !past(cx, d, after(since, Duration::from_secs(patience as u64))) {
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
        return objects::store(cx, d, &hash, source, &used);
    };
    let marked = if cx.c.target.holds_both() {
        objects::primary_from(cx, d, stored, 1, false)
    } else {
        objects::mark_primary(cx, d, primary, &hash)
    };
    if !marked {
        return;
    }
    if !matches!(cx.phase(), Phase::Succeeded | Phase::Failed) {
        d.phase(Phase::Initialized, cx.kind());
    }
    d.status.last_promoted_spec = Some(hash.clone());
    d.status.tracked_configs = config_tracking::of_revision(cx, Some(&hash));
    d.status.last_applied_spec = Some(hash);
    d.status.canary_weight = 0;
    d.status.epoch += 1;
    saw_target(cx, d);
    d.say(cx.messages.adopted());
}
