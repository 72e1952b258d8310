//! Between runs: generated objects are kept in their wanted state, a new revision is noticed, replicas are handed over.
//! An idle Canary without changes leads to an empty plan.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::{Phase, request::Verb},
    clock,
    manifest::{self, revision},
    names::conditions,
    plan::{
        analysis::jobs,
        builder::PlanBuilder,
        chain::Chain,
        context::Context,
        gates::{self, declined, held, hold, requests},
        model::{
            Action, Note,
            flow::{Flow, GO_ON, HANDLED, WAIT, WRITE_FIRST, all, handled_after},
        },
        objects::{autoscaler, config_snapshots, primary, replicas, revisions, services, write::WriteReason},
        observed_target,
        phases::start,
        traffic::{self, acceptance, apex},
    },
    router::Split,
};

/// The guards of an idle Canary, in order.
pub(crate) const CHAIN: Chain = &[
    ("adopt", adopt),
    // a refusal is reported, and stops nothing
    ("configs_orphaned", |cx, d| {
        if config_snapshots::orphan(cx.snap, d) == WRITE_FIRST { WRITE_FIRST } else { GO_ON }
    }),
    ("generated_objects", generated_objects),
    ("unused_jobs", jobs::collect),
    ("failure_over", failure_over),
    ("new_revision", new_revision),
    ("nothing_to_start", declined::nothing_to_start),
    ("idle_target", idle_target),
];

fn generated_objects(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    gates::after_run(cx, d);
    let sides = all([primary::intact(cx, d), services::side_services(cx, d, WriteReason::Drift)]);
    let mut route = traffic::without_a_run(cx, d);
    if route.is_continue() {
        route = apex::service(cx, d, WriteReason::Drift);
    }
    all([sides, route, autoscaler::sync(cx, d)])
}

/// The target has another template than the last one on trial, or that one should be analysed again: a run begins,
/// unless it waits at a gate.
fn new_revision(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let is_promoted = cx.promoted() == Some(cx.hash.as_str());
    let known = cx.applied() == Some(cx.hash.as_str()) && observed_target::is_same(cx);
    // a paused target would run its old template
    if is_promoted || cx.is_paused() || known && !tried_again(cx, d) {
        return GO_ON;
    }
    if held::is_held(cx) {
        hold::wait_to_begin(cx, d);
    } else if let Some(full) = cx.snap.queued {
        gates::queue::wait(cx, d, full);
    } else if gates::may_start(cx, d).is_continue() {
        return start::start(cx, d);
    } else if d.find(conditions::PAUSED).is_some() {
        d.clear(conditions::QUEUED);
    }
    // at a gate everything is as between runs; its webhooks may let the revision begin at once
    if !cx.waits_to_begin() || d.status.phase != Some(Phase::Waiting) {
        return WAIT;
    }
    handled_after(scale_down_idle(cx, d))
}

/// Somebody requested another analysis of the revision: from now on it counts as never tried, also while it waits to
/// begin.
fn tried_again(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let asked = requests::granted(cx, d, Verb::Retry).is_some();
    if asked {
        d.status.last_applied_spec.clone_from(&cx.status().last_promoted_spec);
        d.status.tracked_configs = cx.checksums_of(cx.promoted());
        // otherwise the current generation would be recorded for the promoted revision
        d.status.target.iter_mut().for_each(|target| target.generation = 0);
    }
    asked
}

fn idle_target(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    config_snapshots::collect(cx, d);
    let scaled = scale_down_idle(cx, d);
    if d.actions.is_empty() {
        observed_target::remember(cx, d);
    }
    if scaled == GO_ON {
        // nothing waits for pods any more
        d.clear(conditions::PODS_READY);
    }
    scaled
}

/// The target was set back to the promoted template after a failure.
fn failure_over(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let declined = d.find(conditions::PROMOTED).is_some_and(|c| c.reason == conditions::DECLINED);
    let over = cx.phase() == Phase::Failed || declined && !cx.waits_to_begin();
    if cx.promoted() != Some(cx.hash.as_str()) || !over {
        return GO_ON;
    }
    d.phase(Phase::Succeeded, cx.kind());
    d.clear(conditions::HALTED);
    d.status.failed_checks = 0;
    d.status.last_applied_spec.clone_from(&cx.status().last_promoted_spec);
    d.status.tracked_configs = cx.configs.for_status();
    observed_target::remember(cx, d);
    d.say(cx.messages.reverted());
    HANDLED
}

/// Pods of an idle target: the requested number is handed to the primary, and the target is scaled to zero.
fn scale_down_idle(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let on_primary =
        traffic::split_in_place(cx, Split::to_canary(0)) && acceptance::not_programmed(cx).is_none();
    if autoscaler::is_scaled_to_zero(cx) || !on_primary {
        return GO_ON;
    }
    d.reached(cx.settled_at())?;
    let not_followed = hand_over_replicas(cx, d);
    back_off(cx, d)?;
    let contested = d.notes.iter().any(|note| note.reason == "ReplicasContested");
    if let Some(note) = not_followed.filter(|_| !contested) {
        d.say(note);
    }
    autoscaler::scale_to_zero(cx, d)
}

/// Replicas that a chart or a person sets on the idle target are meant for the pods that serve: the primary gets them,
/// unless an autoscaler owns its replicas. A number that may be a default is only reported.
fn hand_over_replicas(cx: &Context<'_>, d: &mut PlanBuilder) -> Option<Note> {
    let replicas = cx.target_replicas();
    let scaled = replicas::primary_is_scaled(cx) || !cx.c.target.replicated();
    let primary = cx.primary().filter(|_| !scaled && replicas > 0)?;
    let has = manifest::replicas(primary);
    if !replicas::is_followed(cx, has) {
        return Some(cx.messages.replicas_not_followed(replicas, has));
    }
    if cx.waits_to_begin() && replicas < has {
        return Some(cx.messages.fewer_while_waiting(replicas, has));
    }
    if has != replicas && d.try_act(Action::scale(primary, replicas)) == WRITE_FIRST {
        d.status.primary_replicas = i32::try_from(replicas).ok();
        d.say(cx.messages.handed_over(replicas));
    }
    None
}

/// A target that is scaled up again and again while it is idle is scaled down after longer and longer delays, so that
/// two parties do not write against each other forever.
fn back_off(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let seen = cx.status().target.clone().unwrap_or_default();
    let generation = cx.target["metadata"]["generation"].as_i64();
    if seen.emptied_generation.is_some() && seen.emptied_generation == generation {
        return GO_ON;
    }
    let patience = seen.patience.unwrap_or(0).clamp(0, PATIENCE_MOST);
    let since = seen.emptied.as_ref().map_or(Timestamp::MIN, |at| at.0);
    d.reached(clock::after(since, Duration::from_secs(patience as u64)))?;
    let again = cx.now < clock::after(since, Duration::from_secs((2 * patience).max(PAUSE) as u64));
    let next = match patience {
        _ if !again => 0,
        0 => PATIENCE,
        _ => (2 * patience).min(PATIENCE_MOST),
    };
    // the first time it may be an upgrade that came right after a run
    if again && patience > 0 {
        d.say(cx.messages.contested(next, cx.c.target.rest_advice()));
    }
    if let Some(target) = &mut d.status.target {
        (target.emptied, target.patience) = (Some(MicroTime(cx.now)), Some(next));
        target.emptied_generation = generation;
    }
    GO_ON
}

/// Seconds after it was scaled to zero within which an idle target is scaled up *again*.
const PAUSE: i64 = 30;
/// Seconds that an idle target keeps repeatedly added pods; doubled each time, up to [`PATIENCE_MOST`].
const PATIENCE: i64 = 10;
const PATIENCE_MOST: i64 = 3600;

/// Status written by Flagger: its hashes mean nothing here. A primary that runs the target's template is taken over as it
/// is; otherwise its template is kept as the promoted one, and the target's is a new revision.
fn adopt(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.promoted().is_some_and(revision::is_ours) {
        return GO_ON;
    }
    let Some(primary) = cx.primary() else {
        d.phase(Phase::Initializing, cx.kind());
        return HANDLED;
    };
    let same = cx.c.target.same(primary, cx.target, &cx.label, &cx.c.names.target);
    // a primary that is kept as it is names the objects it uses
    let held = cx.c.target.as_target(primary);
    let (source, used) =
        if same { (cx.target, config_snapshots::taken_over(cx, primary)) } else { (&*held, BTreeMap::new()) };
    let checksums = used.iter().map(|(key, config)| (key.clone(), config.checksum.clone())).collect();
    let hash = revision::hash_with(&cx.c.target.revision(source), &checksums);
    let Some(stored) = cx.stored(Some(&hash)) else {
        return revisions::store(cx, d, &hash, source, &used);
    };
    if cx.c.target.holds_both() {
        primary::from_stored(cx, d, stored, 1, false)?;
    } else {
        primary::mark(cx, d, primary, &hash)?;
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
    HANDLED
}
