//! How many pods the primary and the target get: from status and from the user's autoscaler alone, so that the next
//! pass corrects the state after a crash.

use crate::{
    api::Phase,
    manifest::scaler,
    plan::{
        builder::PlanBuilder,
        context::Context,
        objects::{pod_limits, replicas},
    },
    spec::Apex,
};

/// The primary may have to take all the traffic back.
pub(super) fn run_is_open(cx: &Context<'_>) -> bool {
    !cx.waits_to_begin()
        && matches!(
            cx.phase(),
            Phase::Initializing
                | Phase::Waiting
                | Phase::Progressing
                | Phase::WaitingPromotion
                | Phase::Promoting
                | Phase::Finalising
        )
}

/// Number of pods that the primary keeps, from the first write of a run to the last.
pub(super) fn floor(cx: &Context<'_>) -> Option<i64> {
    cx.status().primary_replicas.filter(|_| run_is_open(cx)).map(i64::from)
}

/// The floor of a run that begins, or starts over: the primary's current pods, and at least the floor of an open run.
/// If an autoscaler has removed its last pod, the floor is one: users of a run need it.
pub(crate) fn remember_floor(cx: &Context<'_>, d: &mut PlanBuilder) {
    if cx.scaler.is_some() || cx.c.target.replicated() && cx.c.apex != Apex::Shares {
        let least = i64::from(cx.scaler.is_some());
        let floor = cx.primary_replicas().max(floor(cx).unwrap_or(0)).max(least);
        d.status.primary_replicas = i32::try_from(floor).ok();
    }
}

fn target_bounds(cx: &Context<'_>) -> Option<(i64, i64)> {
    let (kind, _) = scaler::named(&cx.c)?;
    Some(scaler::bounds(kind, cx.scaler?))
}

/// Replicas for creating the primary: the target's if nothing scales it, otherwise its former number, within its
/// bounds.
pub(crate) fn primary_start(cx: &Context<'_>) -> i64 {
    let known = cx.status().primary_replicas.map(i64::from);
    match (scaler::named(&cx.c), cx.scaler) {
        (Some((kind, named)), Some(live)) => {
            let (min, max) = scaler::primary_bounds(kind, named, live);
            known.unwrap_or_else(|| cx.target_replicas()).max(min).min(max).max(1)
        }
        _ => replicas::promoted(cx),
    }
}

/// Replicas that the primary needs for the users of its target, within the bounds of its autoscaler. None: they are not
/// counted, or an autoscaler that the Canary does not name sets them.
pub(crate) fn primary_least(cx: &Context<'_>) -> Option<i64> {
    let wanted = cx.target_replicas();
    match (scaler::named(&cx.c), cx.scaler) {
        _ if !cx.c.target.replicated() => None,
        (Some((kind, named)), Some(live)) => Some(wanted.min(scaler::primary_bounds(kind, named, live).1)),
        _ => Some(wanted).filter(|_| !replicas::primary_is_scaled(cx)),
    }
}

/// Replicas at the start of a run: the primary's if nothing scales the target. An autoscaler finds the right number
/// once there is load; until then there are enough for the largest share of the run.
pub(super) fn target_start(cx: &Context<'_>) -> i64 {
    if cx.c.apex == Apex::Shares {
        return pod_limits::first(cx);
    }
    let primary = cx.primary_replicas();
    let Some((min, max)) = target_bounds(cx) else { return replicas::of_run(cx).unwrap_or(primary) };
    let most = cx.c.schedule.iter().map(|s| if s.mirrored { 100 } else { s.weight }).max().unwrap_or(100);
    portion(primary, most).max(min).min(max).max(1)
}

/// Replicas with which the target takes over from the primary.
pub(crate) fn target_back(cx: &Context<'_>) -> i64 {
    let primary = cx.primary_replicas().max(cx.whole());
    target_bounds(cx).map_or(primary, |(min, max)| primary.max(min).min(max).max(1))
}

/// `percent` of this many pods, in whole pods.
pub(super) fn portion(pods: i64, percent: i32) -> i64 {
    pods.saturating_mul(i64::from(percent.clamp(0, 100))).saturating_add(99) / 100
}
