//! Numbers of pods where no autoscaler sets them. A run keeps the number that it began with, and a promotion leaves the
//! primary no fewer than it had: what happens to the target's number meanwhile may be somebody who no longer writes it.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::PodsTaken,
    manifest::{self, scaler},
    plan::{
        builder::{PlanBuilder, after},
        context::Context,
        objects::{autoscaler::find, pod_limits},
    },
    spec::Apex,
};

/// An autoscaler, whoever made it, sets the primary's replicas.
pub(crate) fn primary_is_scaled(cx: &Context<'_>) -> bool {
    cx.c.spec.autoscaler_ref.is_some() || is_scaled(cx, &cx.c.names.primary)
}

fn is_scaled(cx: &Context<'_>, name: &str) -> bool {
    let whom = (cx.c.target.kind().kind, name);
    find::all(cx.snap).any(|(_, live)| scaler::scales(live) == whom)
}

/// Replicas that the target has in a run. None: others set them.
pub(crate) fn of_run(cx: &Context<'_>) -> Option<i64> {
    let scaled = cx.c.spec.autoscaler_ref.is_some() || is_scaled(cx, &cx.c.names.target);
    if scaled || !cx.c.target.replicated() || cx.c.apex == Apex::Shares || pod_limits::made(cx) {
        return None;
    }
    let run = cx.status().run.as_ref()?;
    Some(run.replicas.or(cx.status().primary_replicas).map_or_else(|| cx.primary_replicas(), i64::from))
}

/// Replicas of the promoted primary where no autoscaler sets them: those that were set on purpose with the new revision;
/// otherwise no fewer than it has, or had when the run began.
pub(crate) fn promoted(cx: &Context<'_>) -> i64 {
    if pod_limits::made(cx) {
        return cx.whole();
    }
    let wished = cx.status().run.as_ref().and_then(|run| run.replicas).map(i64::from);
    let kept = || cx.primary_replicas().max(cx.status().primary_replicas.map_or(1, i64::from));
    wished.unwrap_or_else(kept).max(cx.target_replicas())
}

/// The number that the target at rest was scaled to is meant for the primary.
pub(crate) fn is_followed(cx: &Context<'_>, primary: i64) -> bool {
    cx.target_replicas() >= primary || manifest::replicas_are_meant(cx.target)
}

/// Somebody else has taken pods from the target, which gets them back now: remembered, and said the first time.
pub(crate) fn note_taken(cx: &Context<'_>, d: &mut PlanBuilder) {
    let Some(run) = &mut d.status.run else { return };
    let before = run.taken.take().filter(|taken| cx.now < after(taken.last.0, cx.c.deadline));
    let first = before.is_none();
    let last = MicroTime(cx.now);
    run.taken = Some(match before {
        Some(taken) => PodsTaken { last, times: taken.times.saturating_add(1), ..taken },
        None => PodsTaken { since: last.clone(), last, times: 1 },
    });
    if first {
        let (asked, wanted) = (cx.target_replicas(), of_run(cx).unwrap_or(1));
        d.say(cx.messages.pods_taken(Some(asked).filter(|asked| *asked < wanted), &scalers(cx)));
    }
}

/// Who may have done that, as far as can be told.
fn scalers(cx: &Context<'_>) -> String {
    let whom = (cx.c.target.kind().kind, cx.c.names.target.as_str());
    let all = find::all(cx.snap).filter(|(_, live)| scaler::scales(live) == whom);
    all.map(|(at, _)| at.to_string()).collect::<Vec<_>>().join(", ")
}

/// From when on the target may be given its pods back: at once the first time, then ever later, so that two who want
/// different things do not write against each other all the time.
pub(crate) fn may_give_back_at(cx: &Context<'_>) -> Timestamp {
    let Some(taken) = cx.status().run.as_ref().and_then(|run| run.taken.as_ref()) else {
        return Timestamp::MIN;
    };
    let doublings = u32::try_from(taken.times - 1).unwrap_or(0).min(10);
    after(taken.last.0, Duration::from_secs((FIRST_WAIT << doublings).min(LONGEST_WAIT)))
}

/// Seconds until a target is given its pods back that were taken away a second time; doubled each time.
const FIRST_WAIT: u64 = 10;
const LONGEST_WAIT: u64 = 3600;
