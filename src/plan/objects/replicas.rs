//! Numbers of pods that no autoscaler sets. A run keeps the number that it began with, and a promotion leaves the
//! primary at least its former number: a change of the target's number meanwhile may only be a tool that no longer sets
//! it.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::{Phase, PodsTaken, StepPods, StepStatus},
    clock,
    manifest::{self, readiness::Rollout, scaler},
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::pod_shares,
        objects::{autoscaler::find, pod_limits},
    },
    spec::Apex,
};

/// An autoscaler sets the primary's replicas. Anyone may have created it.
pub(crate) fn primary_is_scaled(cx: &Context<'_>) -> bool {
    cx.c.spec.autoscaler_ref.is_some() || is_scaled(cx, &cx.c.names.primary)
}

fn is_scaled(cx: &Context<'_>, name: &str) -> bool {
    let whom = (cx.c.target.kind().kind, name);
    find::all(cx.snap).any(|(_, live)| scaler::scales(live) == whom)
}

/// Only the run sets the target's replicas.
fn is_counted(cx: &Context<'_>) -> bool {
    let scaled = cx.c.spec.autoscaler_ref.is_some() || is_scaled(cx, &cx.c.names.target);
    !scaled && cx.c.target.replicated() && cx.c.apex != Apex::Shares && !pod_limits::shares_pods(cx)
}

/// Minimum replicas of the target during a run. None: others set them.
pub(crate) fn of_run(cx: &Context<'_>) -> Option<i64> {
    let run = cx.status().run.as_ref().filter(|_| is_counted(cx))?;
    let all =
        || run.replicas.or(cx.status().primary_replicas).map_or_else(|| cx.primary_replicas(), i64::from);
    Some(asked(cx).unwrap_or_else(all))
}

/// Replicas in `analysis.canaryReplicas` for the current step, which are also a maximum.
pub(crate) fn asked(cx: &Context<'_>) -> Option<i64> {
    let step = cx.step();
    match step.pods {
        Some(pods) => Some(i64::from(pods.replicas)),
        // an edit takes effect at the next step
        None if step.index == 0 => at_step(cx, 1).map(|pods| i64::from(pods.replicas)),
        None => None,
    }
    .filter(|_| is_counted(cx))
}

/// The number of pods that a run needs at a step. None: as many as the primary has.
pub(crate) fn at_step(cx: &Context<'_>, index: i32) -> Option<StepPods> {
    let asked = cx.c.canary_replicas.filter(|_| is_counted(cx))?;
    let whole = cx.status().primary_replicas.map_or_else(|| cx.primary_replicas(), i64::from);
    let replicas =
        i32::try_from(asked.at(cx.planned(index), !cx.c.analysis.match_.is_empty(), whole)).ok()?;
    Some(StepPods { replicas, since: MicroTime(cx.now) })
}

/// Some pods for a step are still missing: until they are ready the weight does not rise.
pub(crate) fn awaits_pods(cx: &Context<'_>, step: &StepStatus) -> bool {
    let Some(pods) = step.pods.as_ref().filter(|_| step.confirmed.is_none() && step.index > 0) else {
        return false;
    };
    let needed = i64::from(pods.replicas);
    let threshold = i64::from(cx.c.analysis.canary_ready_threshold.unwrap_or(100).clamp(0, 100));
    let ready = i64::from(cx.canary_pods()) >= (needed * threshold / 100).max(1);
    cx.target_replicas() < needed || !ready || !matches!(cx.target_rollout(), Rollout::Ready)
}

/// A promotion sets the primary's replicas. An autoscaler that is no longer named exists until the run is over.
pub(crate) fn are_promoted(cx: &Context<'_>) -> bool {
    cx.c.target.replicated() && !primary_is_scaled(cx) && !pod_limits::shares_pods(cx)
}

/// Replicas that a primary gets back with its former template, if the promotion has changed them.
pub(crate) fn undone(cx: &Context<'_>) -> Option<i64> {
    let set = cx.status().run.as_ref().is_some_and(|run| run.replicas.is_some());
    cx.status().primary_replicas.filter(|former| set && *former > 0 && are_promoted(cx)).map(i64::from)
}

/// Replicas of the promoted primary if no autoscaler sets them: those that were set on purpose with the new revision;
/// otherwise at least its current number and the one at the beginning of the run.
pub(crate) fn promoted(cx: &Context<'_>) -> i64 {
    if pod_limits::shares_pods(cx) {
        // without a run the target may still have the pods that serve
        return if cx.status().run.is_some() { cx.whole() } else { cx.whole().max(cx.target_replicas()) };
    }
    let wished = cx.status().run.as_ref().and_then(|run| run.replicas).map(i64::from);
    let kept = || cx.primary_replicas().max(cx.status().primary_replicas.map_or(1, i64::from));
    // if a target is analysed with a number of its own, that says nothing about the primary's
    let own = cx.status().run.is_some() && (cx.c.canary_replicas.is_some() || cx.step().pods.is_some());
    wished.unwrap_or_else(kept).max(if own { 1 } else { cx.target_replicas() })
}

/// Replicas that a primary needs again which somebody has scaled to 0 in a run: its former number, or its share while the
/// target has pods for the rest.
pub(crate) fn needed(cx: &Context<'_>) -> i64 {
    let (step, run) = (cx.step(), cx.status().run.as_ref());
    let ends = matches!(cx.phase(), Phase::Promoting | Phase::Finalising)
        || run.is_none_or(|run| run.ending.is_some());
    if cx.selects_both() && step.weight > 0 && !ends && cx.target_replicas() > 0 {
        return pod_shares::parts(cx.whole(), step.weight).0;
    }
    cx.primary_replicas()
}

/// The number that the target at rest was scaled to is meant for the primary.
pub(crate) fn is_followed(cx: &Context<'_>, primary: i64) -> bool {
    cx.target_replicas() >= primary || manifest::replicas_are_meant(cx.target)
}

/// Somebody else has removed pods from the target, which gets them back now: recorded, and reported the first time.
pub(crate) fn note_taken(cx: &Context<'_>, d: &mut PlanBuilder) {
    if count_taken(cx, d) {
        let (asked, wanted) = (cx.target_replicas(), of_run(cx).unwrap_or(1));
        d.say(cx.messages.pods_taken(Some(asked).filter(|asked| *asked < wanted), &scalers(cx)));
    }
}

/// Records that users have lost the target's pods to somebody else. Returns whether that is the first time.
pub(crate) fn count_taken(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let Some(run) = &mut d.status.run else { return false };
    let before = run.taken.take().filter(|taken| cx.now < clock::after(taken.last.0, cx.c.deadline));
    let first = before.is_none();
    let last = MicroTime(cx.now);
    run.taken = Some(match before {
        Some(taken) => PodsTaken { last, times: taken.times.saturating_add(1), ..taken },
        None => PodsTaken { since: last.clone(), last, times: 1 },
    });
    first
}

/// Which autoscalers may have done that, if any are known.
fn scalers(cx: &Context<'_>) -> String {
    let whom = (cx.c.target.kind().kind, cx.c.names.target.as_str());
    let all = find::all(cx.snap).filter(|(_, live)| scaler::scales(live) == whom);
    all.map(|(at, _)| at.to_string()).collect::<Vec<_>>().join(", ")
}

/// From when the target may get its pods back: at once the first time, then after longer and longer delays, so that two
/// parties do not write against each other all the time.
pub(crate) fn may_give_back_at(cx: &Context<'_>) -> Timestamp {
    let Some(taken) = cx.status().run.as_ref().and_then(|run| run.taken.as_ref()) else {
        return Timestamp::MIN;
    };
    let doublings = u32::try_from(taken.times - 1).unwrap_or(0).min(10);
    clock::after(taken.last.0, Duration::from_secs((FIRST_WAIT << doublings).min(LONGEST_WAIT)))
}

/// Seconds until a target gets its pods back that were removed a second time; doubled each time.
const FIRST_WAIT: u64 = 10;
const LONGEST_WAIT: u64 = 3600;
