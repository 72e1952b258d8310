//! If the apex Service is what moves users: its selector is changed to one side, or to both, and then the replicas of
//! the two Deployments make the shares.
//!
//! Of N pods that the primary had, a weight w leaves N·(100−w)/100 to it and gives the rest to the target. Meanwhile
//! there are never fewer than N − maxUnavailable ready pods behind the apex nor more than N + maxSurge in total (the
//! target's own limits): one side is scaled up first, then the other is scaled down. Users leave the target only when
//! the primary has its pods back. `router::kubernetes` renders the selector; this file decides when, and owns the
//! replicas meanwhile.

use serde_json::Value;

use crate::{
    api::Phase,
    clock,
    manifest::{self, readiness, service},
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{
            Action, Messages,
            flow::{Flow, GO_ON, WAIT, WRITE_FIRST, wait_unless},
            pod_shares::{self, Ready, Replicas},
        },
        objects::{
            pod_limits::{self, Limits},
            primary,
            write::WriteReason,
        },
        traffic::{doubt, routes},
        waiting,
    },
    router::{self, Selected, Split},
    snapshot::{DEPLOYMENT, Snapshot},
    spec::{Apex, Problem, Validated},
};

/// The problem with shares of these pods: it holds every run.
pub(crate) fn fault(
    snap: &Snapshot,
    c: &Validated,
    target: &Value,
    label: &(String, String),
) -> Option<Problem> {
    if c.apex != Apex::Shares {
        return None;
    }
    let name = target["metadata"]["name"].as_str().unwrap_or_default();
    if router::shared(c, &snap.objects, &label.0, &label.1).is_some() {
        return pod_limits::replaces_all(target, whole(snap, c, target)).then(|| {
            Problem::new(
                "ReplacedAtOnce",
                format!(
                    "deployment {name}: spec.strategy lets all pods of {} be replaced at once, while the pods of a share are too few to serve all users: set type RollingUpdate with a smaller maxUnavailable, or spec.analysis.iterations with promotion.switch instead of steps",
                    c.names.primary
                ),
            )
        });
    }
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

/// The target's pods do not listen where users are led, and plain Services lead users of both versions through one port, or
/// leave them on the primary while its pods are replaced: it holds every run.
pub(crate) fn port_fault(snap: &Snapshot, c: &Validated, target: &Value) -> Option<Problem> {
    let primary =
        snap.objects.get(c.target.kind(), &c.names.primary).filter(|_| c.provider == "kubernetes")?;
    let left = service::left_port(c, primary, &target["spec"]["template"], &snap.objects)?;
    Some(Problem::new(
        "PortReplaced",
        format!(
            "spec.service.targetPort: no container of {} declares port {left}, to which Service {} leads users until all pods of {} are replaced: release containers that listen on {left} as well, and leave it out in the next release",
            c.names.target, c.names.apex, c.names.primary
        ),
    ))
}

/// As [`Context::whole`], before there is a context.
fn whole(snap: &Snapshot, c: &Validated, target: &Value) -> i64 {
    let (live, status) = (snap.objects.get(DEPLOYMENT, &c.names.primary).unwrap_or(target), snap.status());
    pod_shares::whole(status.primary_replicas.map(i64::from), manifest::replicas(live), status.run.is_some())
}

/// Shares that are impossible with so few pods.
pub(crate) fn advice(snap: &Snapshot, c: &Validated, target: &Value) -> Option<String> {
    if c.apex != Apex::Shares {
        return None;
    }
    let whole = whole(snap, c, target);
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

/// Changes the apex Service, and with shares the replicas, to `want`. Never to a side without pods.
pub(crate) fn carry(cx: &Context<'_>, d: &mut PlanBuilder, want: Split, why: WriteReason) -> Flow {
    match want.canary() {
        0 => {
            returned_to_primary(cx, d)?;
            if cx.primary_pods() == 0 && cx.selected().is_some() {
                return wait_unless(cx.selected() == Some(Selected::Primary));
            }
            let want = doubt::counted(cx, d, want, why)?;
            routes::write_routes(cx, d, want, why)
        }
        100 if cx.canary_pods() > 0 => {
            let want = doubt::counted(cx, d, want, why)?;
            routes::write_routes(cx, d, want, why)
        }
        // without pods of the canary, or for shares of a run that began with them: unchanged
        100 => wait_unless(cx.live_split() == Some(want)),
        _ if cx.c.apex != Apex::Shares => wait_unless(cx.live_split() == Some(want)),
        _ => share(cx, d, want, why),
    }
}

fn share(cx: &Context<'_>, d: &mut PlanBuilder, want: Split, why: WriteReason) -> Flow {
    let (primary, target) = pod_shares::parts(cx.whole(), want.canary());
    // while all users are on the primary, pods of the target beyond the share have none yet
    if cx.selected() == Some(Selected::Primary) && cx.target_replicas() > target {
        primary_can_serve(cx, d, target)?;
        d.act(Action::scale(cx.target, target));
        return WRITE_FIRST;
    }
    routes::write_routes(cx, d, want, why)?;
    // a promotion gives the primary all its pods: they are not removed again
    let shared = matches!(cx.phase(), Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion)
        && !cx.waits_to_begin();
    if shared { scale_towards(cx, d, Replicas { primary, target }, why) } else { GO_ON }
}

/// Before a share begins: with this many pods of the target, those of a primary that was scaled down by hand would be too few
/// to serve everyone. They are awaited until the deadline of the step.
fn primary_can_serve(cx: &Context<'_>, d: &mut PlanBuilder, target: i64) -> Flow {
    let needed = cx.whole() - Limits::of(cx).unavailable - target;
    let ready = ready(cx).least.primary;
    // of the step that this plan begins, if it begins one
    let begins = d.status.step.as_ref().is_some_and(|step| step.confirmed.is_none());
    if ready >= needed || cx.phase() != Phase::Progressing || !begins {
        return GO_ON;
    }
    ask_for_whole(cx, d)?;
    report_shortage(cx, d, ready, needed);
    WAIT
}

/// Continues unless the apex selects both sides, or the target's pods in place of shares, and the primary lacks pods that
/// it needs to serve everyone: it gets them, and the target gives up pods of both as they become unnecessary. Applies
/// whatever the current spec says.
pub(crate) fn returned_to_primary(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let both = match cx.selected() {
        Some(Selected::Both) => true,
        Some(Selected::Target) if cx.c.apex == Apex::Shares => false,
        _ => return GO_ON,
    };
    let needed = (cx.whole() - Limits::of(cx).unavailable).max(1);
    let asked = ask_for_whole(cx, d);
    let ready = ready(cx).least.primary;
    if ready >= needed {
        return GO_ON;
    }
    let kept = (needed - ready).max(1);
    let ending = cx.status().run.as_ref().is_some_and(|r| r.ending.is_some());
    let excess = both && ending && cx.phase() != Phase::Promoting && cx.target_replicas() > kept;
    if excess {
        d.act(Action::scale(cx.target, kept));
    }
    report_shortage(cx, d, ready, needed);
    if excess || asked.is_break() { WRITE_FIRST } else { WAIT }
}

/// Scales the primary to all its pods.
pub(crate) fn ask_for_whole(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let Some(primary) = cx.primary() else { return WAIT };
    if manifest::replicas(primary) >= cx.whole() {
        return GO_ON;
    }
    if primary::is_scaled(d, primary) {
        return WRITE_FIRST;
    }
    d.act(Action::scale(primary, cx.whole()));
    WRITE_FIRST
}

/// Ready pods of both sides, as EndpointSlices show them and as the controllers have counted them.
fn ready(cx: &Context<'_>) -> Ready {
    let counts = |shown: u32, live: Option<&Value>| {
        let shown = i64::from(shown);
        let counted = live.filter(|_| cx.c.target.rests()).map_or(shown, readiness::ready_pods);
        (shown.min(counted), shown.max(counted))
    };
    let primary = counts(cx.primary_pods(), cx.primary());
    let target = counts(cx.canary_pods(), Some(cx.target));
    Ready {
        least: Replicas { primary: primary.0, target: target.0 },
        most: Replicas { primary: primary.1, target: target.1 },
    }
}

/// A shortage of the primary's pods is reported once it takes longer than an interval.
fn report_shortage(cx: &Context<'_>, d: &mut PlanBuilder, ready: i64, needed: i64) {
    let ended = d.status.run.as_ref().and_then(|r| r.ending.as_ref()).map(|e| e.at.0);
    let decided = d.status.step.as_ref().and_then(|s| s.since.as_ref()).map(|t| t.0);
    let since = ended.or(decided).unwrap_or_else(|| cx.standing_since());
    let patience = clock::after(since, cx.c.interval);
    if cx.now < patience {
        return d.wake_at(patience);
    }
    let why = format!("{ready} of the {needed} pods are ready that it needs to take all the traffic back");
    waiting::for_pods(cx, d, cx.standing_since(), &why, |why| cx.messages.primary_not_ready(why));
}

/// Scales primary and target one step towards the wanted replicas; continues if they are as wanted.
fn scale_towards(cx: &Context<'_>, d: &mut PlanBuilder, want: Replicas, why: WriteReason) -> Flow {
    let Some(live) = cx.primary() else { return WAIT };
    let asked = Replicas { primary: manifest::replicas(live), target: cx.target_replicas() };
    if asked == want {
        return GO_ON;
    }
    if primary::is_scaled(d, live) {
        return WRITE_FIRST;
    }
    let ready = ready(cx);
    let limits = Limits::of(cx);
    let (most, least) = (cx.whole() + limits.surge, cx.whole() - limits.unavailable);
    let next = pod_shares::next(asked, ready, want, most, least);
    for (live, now, next) in [(cx.target, asked.target, next.target), (live, asked.primary, next.primary)] {
        if now == next {
            continue;
        }
        if d.try_act(Action::scale(live, next)) == WRITE_FIRST && why == WriteReason::Drift {
            let name = live["metadata"]["name"].as_str().unwrap_or_default();
            d.say(Messages::drift(&format!("Deployment {name}"), &manifest::changed_by(live)));
        }
    }
    if next == asked { WAIT } else { WRITE_FIRST }
}
