//! Where the apex Service is what moves users: its selector is turned to one side, or to both, and then the replicas of
//! the two Deployments make the shares.
//!
//! Of N pods that the primary had, a weight w leaves N·(100−w)/100 to it and gives the rest to the target. On the way
//! there are never fewer than N − maxUnavailable ready pods behind the apex nor more than N + maxSurge in all (the
//! target's own limits): what rises goes first, what falls waits for it. Users leave the target only when the primary
//! has its pods back. `router::kubernetes` renders the selector; this file says when, and owns the replicas meanwhile.

use serde_json::Value;

use crate::{
    api::{
        EndingKind, Phase, StepStatus,
        promotion::Apex,
        validated::{Problem, Validated},
    },
    manifest,
    plan::{
        builder::{PlanBuilder, after},
        context::Context,
        model::{Action, Messages, pod_shares},
        objects::{pod_limits::Limits, write::WriteReason},
        traffic::{self, ending, routes},
        waiting,
    },
    router::{self, Selected, Split},
    snapshot::{DEPLOYMENT, Snapshot},
};

/// What is wrong with shares of these pods: it holds every run.
pub(crate) fn fault(
    snap: &Snapshot,
    c: &Validated,
    target: &Value,
    label: &(String, String),
) -> Option<Problem> {
    if c.apex != Apex::Shares || router::shared(c, &snap.objects, &label.0, &label.1).is_some() {
        return None;
    }
    let name = target["metadata"]["name"].as_str().unwrap_or_default();
    Some(Problem::new(
        "NoSharedLabel",
        format!(
            "deployment {name}: for spec.analysis.steps its pods need a label that those of {} have as well and that \
             is theirs alone: add one with the value {name} beside {}, e.g. app.kubernetes.io/name: {name}, to \
             spec.template.metadata.labels",
            c.names.primary, label.0
        ),
    ))
}

/// Shares that so few pods cannot make.
pub(crate) fn advice(snap: &Snapshot, c: &Validated, target: &Value) -> Option<String> {
    if c.apex != Apex::Shares {
        return None;
    }
    let live = snap.objects.get(DEPLOYMENT, &c.names.primary).map(manifest::replicas);
    let kept = snap.status().primary_replicas.map(i64::from).filter(|_| snap.status().run.is_some());
    let whole = kept.or(live).unwrap_or_else(|| manifest::replicas(target)).max(1);
    let off: Vec<String> = c
        .schedule
        .iter()
        .filter(|step| step.weight > 0 && pod_shares::possible(whole, step.weight) != step.weight)
        .map(|step| format!("{} % becomes {} %", step.weight, pod_shares::possible(whole, step.weight)))
        .collect();
    (!off.is_empty()).then(|| {
        format!("spec.analysis.steps: shares are made of whole pods, and of {whole}: {}", off.join(", "))
    })
}

/// True when the apex Service, and with shares the replicas, carry `want`. Never onto nobody.
pub(crate) fn carry(cx: &Context<'_>, d: &mut PlanBuilder, want: Split, why: WriteReason) -> bool {
    if want.canary() == 0 {
        if !gathered(cx, d) {
            return false;
        }
        if cx.primary_pods() == 0 && cx.selected().is_some() {
            return cx.selected() == Some(Selected::Primary);
        }
        return select(cx, d, want, why);
    }
    if want.canary() == 100 {
        return if cx.canary_pods() > 0 {
            select(cx, d, want, why)
        } else {
            traffic::split_in_place(cx, want)
        };
    }
    if cx.c.apex != Apex::Shares {
        // shares of a run that began with them: left as they are
        return traffic::split_in_place(cx, want);
    }
    let (primary, target) = pod_shares::parts(cx.whole(), want.canary());
    let first = cx.selected() != Some(Selected::Both);
    if first && cx.target_replicas() > target {
        // pods beyond the share have no users yet
        d.act(Action::scale(cx.target, target));
        return false;
    }
    let selected = select(cx, d, want, why);
    // a promotion gives the primary all its pods: they are not taken from it again
    let shared = matches!(cx.phase(), Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion)
        && !cx.waits_to_begin();
    selected && (!shared || approach(cx, d, primary, target, why))
}

fn select(cx: &Context<'_>, d: &mut PlanBuilder, want: Split, why: WriteReason) -> bool {
    routes::write_routes(cx, d, want, why)
}

/// True unless the apex selects both sides and the primary lacks pods that it needs to serve everyone: it gets them, and
/// the target gives up as many as become dispensable. Holds whatever the spec asks for by now.
pub(crate) fn gathered(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    if cx.selected() != Some(Selected::Both) {
        return true;
    }
    let needed = (cx.whole() - Limits::of(cx).unavailable).max(1);
    whole_again(cx, d);
    let ready = i64::from(cx.primary_pods());
    if ready >= needed {
        return true;
    }
    let kept = (needed - ready).max(1);
    let ending = cx.status().run.as_ref().is_some_and(|r| r.ending.is_some());
    if ending && cx.phase() != Phase::Promoting && cx.target_replicas() > kept {
        d.act(Action::scale(cx.target, kept));
    }
    late(cx, d, ready, needed);
    false
}

/// True when the primary is asked for all its pods.
pub(crate) fn whole_again(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let Some(primary) = cx.primary() else { return false };
    let few = manifest::replicas(primary) < cx.whole();
    if few {
        d.act(Action::scale(primary, cx.whole()));
    }
    !few
}

/// That the primary lacks pods is said once it takes longer than an interval.
fn late(cx: &Context<'_>, d: &mut PlanBuilder, ready: i64, needed: i64) {
    let ended = d.status.run.as_ref().and_then(|r| r.ending.as_ref()).map(|e| e.at.0);
    let decided = d.status.step.as_ref().and_then(|s| s.since.as_ref()).map(|t| t.0);
    let since = ended.or(decided).unwrap_or_else(|| cx.standing_since());
    let patience = after(since, cx.c.interval);
    if cx.now < patience {
        return d.wake_at(patience);
    }
    let why = format!("{ready} of the {needed} pods are ready that it needs to take all the traffic back");
    waiting::for_pods(cx, d, &why, |why| cx.messages.primary_not_ready(why));
}

/// One step from the replicas as they are to those that are wanted; true when they are as wanted.
fn approach(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    wanted_primary: i64,
    wanted_target: i64,
    why: WriteReason,
) -> bool {
    let Some(live) = cx.primary() else { return false };
    let (primary, target) = (manifest::replicas(live), cx.target_replicas());
    let (whole, limits) = (cx.whole(), Limits::of(cx));
    let room = (whole + limits.surge - primary - target).max(0);
    let more_target = (wanted_target - target).clamp(0, room);
    let more_primary = (wanted_primary - primary).clamp(0, room - more_target);
    // pods that are still on their way out count no more; those that are not ready go first, and nobody misses them
    let (ready_primary, ready_target) =
        (i64::from(cx.primary_pods()).min(primary), i64::from(cx.canary_pods()).min(target));
    let spare = (ready_primary + ready_target - (whole - limits.unavailable)).max(0);
    let less_primary = (primary - wanted_primary).clamp(0, spare + primary - ready_primary);
    let spent = (less_primary - (primary - ready_primary)).max(0);
    let less_target = (target - wanted_target).clamp(0, spare - spent + target - ready_target);
    for (live, now, change) in
        [(cx.target, target, more_target - less_target), (live, primary, more_primary - less_primary)]
    {
        if change != 0 {
            d.act(Action::scale(live, now + change));
        }
        if change != 0 && why == WriteReason::Drift {
            let name = live["metadata"]["name"].as_str().unwrap_or_default();
            d.say(Messages::drift(&format!("Deployment {name}")));
        }
    }
    (primary, target) == (wanted_primary, wanted_target)
}

/// Pods that a share needs are not ready within the deadline: the run fails.
pub(crate) fn overdue(cx: &Context<'_>, d: &mut PlanBuilder) {
    let StepStatus { index, since: Some(since), confirmed: None, .. } = cx.step() else { return };
    let deadline = after(since.0, cx.c.deadline);
    if index == 0 {
        return;
    }
    if cx.now < deadline {
        return d.wake_at(deadline);
    }
    let why = cx.target_rollout();
    let why = why.why().unwrap_or("its share of the pods could not be made");
    d.say(cx.messages.canary_not_ready(cx.c.target.noun(), why));
    d.say(cx.messages.deadline_exceeded(why));
    ending::begin(cx, d, EndingKind::RollingBack, "DeadlineExceeded", why);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shares_are_whole_pods() {
        for (whole, weight, want) in [
            (10, 20, (8, 2)),
            (10, 80, (2, 8)),
            (10, 1, (9, 1)),
            (10, 99, (1, 9)),
            (3, 10, (2, 1)),
            (3, 50, (2, 1)),
            (2, 90, (1, 1)),
            (1, 50, (1, 1)),
        ] {
            assert_eq!(pod_shares::parts(whole, weight), want, "{weight} % of {whole}");
        }
        assert_eq!(
            (
                pod_shares::possible(10, 20),
                pod_shares::possible(3, 10),
                pod_shares::possible(1, 1),
                pod_shares::possible(10, 0)
            ),
            (20, 33, 50, 0)
        );
    }

    #[test]
    fn a_share_that_can_be_had_gives_the_same_pods_again() {
        for whole in 1..300 {
            for weight in 1..100 {
                let had = pod_shares::possible(whole, weight);
                let (primary, target) = pod_shares::parts(whole, had);
                assert_eq!(router::percent(target, primary + target), had, "{weight} % of {whole}");
                assert_eq!(pod_shares::possible(whole, had), had);
                assert!(primary + target == whole.max(2));
            }
        }
    }

    #[test]
    fn limits_are_read_as_the_deployment_controller_does() {
        assert_eq!((pods(&json!("25%"), 10, 99), pods(&json!("25%"), 10, 0)), (3, 2));
        assert_eq!((pods(&json!(4), 10, 0), pods(&json!(null), 4, 0), pods(&json!("x"), 4, 0)), (4, 1, 1));
    }
}
