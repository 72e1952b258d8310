//! A Canary that is being deleted. By default users get their plain Deployment back: the target serves again before
//! any traffic is routed to it, and generated objects are deleted only after the proxies have learned of that. With an
//! explicit `revertOnDeletion: false` the generated objects keep serving.

use crate::{
    api::{Phase, StepStatus},
    clock,
    manifest::{self, Manifest, Undo, json},
    names,
    plan::{
        builder::PlanBuilder,
        chain::{self, Chain},
        context::Context,
        model::{
            Action,
            flow::{Flow, GO_ON, HANDLED, WAIT, WRITE_FIRST, all, ignore},
        },
        objects::{
            autoscaler, config_snapshots, contest,
            write::{self, WriteReason},
        },
        phases::finalizer::{let_go, release},
        staleness,
        traffic::{self, acceptance, apex, doubt, handover},
    },
    snapshot::{ObjectRef, REVISION, SERVICE, Snapshot},
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

/// A route that no proxy follows does not hold up the deletion for longer than this.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// The guards by which a deleted Canary gives everything back, in order.
pub(crate) const CHAIN: Chain = &[
    ("begin", begin),
    ("target_lost", target_lost),
    // until everything is given back
    ("on_healthy_side", |cx, d| match reverted_at(cx) {
        Some(_) => GO_ON,
        None => traffic::on_healthy_side(cx, d),
    }),
    ("leave_running", leave_running),
    ("target_serves", |cx, d| if reverted_at(cx).is_some() { GO_ON } else { target_serves(cx, d) }),
    ("given_back", given_back),
    ("led_back", led_back),
    ("proxies_followed", proxies_followed),
    ("generated_deleted", |cx, d| within_deadline(cx, d, |d| generated_deleted(cx, d))),
    ("autoscaler_released", autoscaler::release),
    ("release", |cx, d| {
        d.say(cx.messages.terminated());
        release(cx.snap, d);
        HANDLED
    }),
];

/// Continues the deletion of a Canary.
pub(crate) fn step(cx: &Context<'_>, d: &mut PlanBuilder) {
    ignore(chain::run(CHAIN, cx, d));
}

/// The guards for a Canary whose target is removed with it, in order: there are no users left to serve.
pub(crate) const REMOVED: Chain = &[
    ("begin", begin),
    ("adopted_given_back", |cx, d| {
        let (_, adopted) = made_and_adopted(cx);
        within_deadline(cx, d, |d| give_back(cx, d, adopted))
    }),
    ("generated_deleted", |cx, d| {
        let (made, _) = made_and_adopted(cx);
        within_deadline(cx, d, |d| delete_all(cx, d, made))
    }),
    ("release", |cx, d| {
        d.say(cx.messages.removed_with_target());
        release(cx.snap, d);
        HANDLED
    }),
];

/// Continues the deletion of a Canary whose target is gone, or selects its pods by no known label.
pub(crate) fn leave(cx: &Context<'_>, d: &mut PlanBuilder, why: &str) {
    ignore(leave_generated(cx, d, why));
}

/// Continues the removal of a Canary and its target.
pub(crate) fn remove(cx: &Context<'_>, d: &mut PlanBuilder) {
    ignore(chain::run(REMOVED, cx, d));
}

/// Removals that the API server refuses, e.g. because a right is missing, do not hold up the Canary forever: each
/// removal is tried, and once there is nothing left to try, the deadline counts.
fn within_deadline(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    part: impl FnOnce(&mut PlanBuilder) -> Flow,
) -> Flow {
    let flow = part(d);
    let by = clock::after(cx.standing_since(), cx.c.deadline);
    // permitted writes are tried, however late it is
    if flow != WAIT || cx.now < by {
        if flow != GO_ON {
            d.wake_at(by);
        }
        return flow;
    }
    config_snapshots::outlive(cx.snap, d)?;
    if autoscaler::release(cx, d) == WRITE_FIRST {
        return WRITE_FIRST;
    }
    let why = format!("what was made for it could not all be removed within {}s", cx.c.deadline.as_secs());
    let_go(cx.snap, d, Some(&why));
    HANDLED
}

/// If target and Canary are removed within this time of each other, they are removed together.
const TOGETHER: std::time::Duration = std::time::Duration::from_secs(60);

/// The target, which is gone, was removed together with the Canary, as `helm uninstall` and `kubectl delete -f` do:
/// after the deletion began, or shortly before. If it was lost earlier, its primary keeps serving.
pub(crate) fn removed_together(snap: &Snapshot) -> bool {
    if snap.canary.spec.revert_on_deletion == Some(false) {
        return false;
    }
    let status = snap.status();
    let Some(deleted) = snap.canary.metadata.deletion_timestamp.as_ref().map(|t| t.0) else { return false };
    if status.phase == Some(Phase::Terminating) {
        return true;
    }
    let noted = status.target.as_ref().and_then(|target| target.missing.as_ref()).map(|since| since.0);
    let told = || {
        // before a target is known, and in a status of an earlier version
        let accepted = status.conditions.iter().find(|c| c.type_ == names::conditions::ACCEPTED)?;
        let since = accepted.last_transition_time.as_ref().map_or(Timestamp::MIN, |t| t.0);
        (accepted.reason == "TargetMissing").then_some(since)
    };
    match noted.or_else(told) {
        Some(since) => clock::after(since, TOGETHER) >= deleted,
        // it existed when it was last read, which was before the deletion
        None => snap.watching_since <= deleted,
    }
}

/// The objects that users call, and those behind them: those that were created for this Canary, and how adopted ones
/// are given back.
fn made_and_adopted(cx: &Context<'_>) -> (Vec<ObjectRef>, Vec<Undo>) {
    let (mut made, mut adopted) = (Vec::new(), Vec::new());
    for undo in handover::services_back(cx).into_iter().chain(handover::routes_back(cx)) {
        match undo {
            Undo::Delete(at) => made.push(at),
            Undo::Restore(object) => {
                let live = cx.snap.objects.at(&object.at());
                if live.is_some_and(|live| manifest::made_for(live, &cx.c.name)) {
                    made.push(object.at());
                } else {
                    adopted.push(Undo::Restore(object));
                }
            }
        }
    }
    (made, adopted)
}

fn begin(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.phase() == Phase::Terminating {
        return GO_ON;
    }
    d.phase(Phase::Terminating, cx.kind());
    d.status.epoch += 1;
    d.status.run = None;
    d.status.step = None;
    autoscaler::begin_return(cx, d);
    d.say(cx.messages.terminating());
    HANDLED
}

/// `revertOnDeletion: false`: the generated objects stay; users are on the primary.
fn leave_running(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.c.spec.revert_on_deletion != Some(false) {
        return GO_ON;
    }
    // users stay on it: a primary without pods is awaited, while the canary serves, by its EndpointSlices or its status
    if doubt::primary_may_lack_pods(cx) && (cx.canary_pods() > 0 || cx.c.target.some_ready(cx.target)) {
        d.reached(clock::after(cx.standing_since(), cx.c.deadline))?;
    }
    let left = left_running(cx, d, |d| {
        if cx.live_split().is_some() {
            traffic::routing(cx, d, cx.zero(), WriteReason::Wanted)?;
        }
        autoscaler::sync(cx, d)
    });
    if left == WAIT {
        d.reached(clock::after(cx.standing_since(), cx.c.deadline))?;
        return leave_generated(cx, d, &format!("{} cannot take all users", cx.c.names.primary));
    }
    left?;
    config_snapshots::outlive(cx.snap, d)?;
    d.say(cx.messages.terminated());
    release(cx.snap, d);
    HANDLED
}

/// When everything that users call had been given back.
fn reverted_at(cx: &Context<'_>) -> Option<Timestamp> {
    // a step without times was written by an earlier version
    let step = cx.status().step.as_ref().filter(|step| step.confirmed.is_some() || step.since.is_none())?;
    Some(step.confirmed.as_ref().map_or(cx.now, |at| at.0))
}

/// Everything was given back, and the target has no pods any more, while the primary still has some: it serves again, and the
/// target is awaited once more.
fn target_lost(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let services = [&cx.c.names.primary_service, &cx.c.names.canary_service];
    let there = services.into_iter().all(|name| cx.snap.objects.get(SERVICE, name).is_some());
    let other = there && cx.primary_pods() > 0 && !target_has_pods(cx);
    if reverted_at(cx).is_none() || !other || cx.status().step.is_none() {
        return GO_ON;
    }
    if cx.canary_pods() > 0 {
        // EndpointSlices may be late: the primary's pods are perhaps the only ones
        let doubtful = cx.none_ready(Some(cx.target)) && !cx.none_ready(cx.primary());
        return if doubtful { d.reached(clock::after(cx.standing_since(), cx.c.deadline)) } else { GO_ON };
    }
    apex::service(cx, d, WriteReason::Wanted)?;
    d.status.step = None;
    HANDLED
}

/// By their status the ready pods are those of the target, and not of the primary, whatever EndpointSlices show.
fn target_has_pods(cx: &Context<'_>) -> bool {
    cx.none_ready(cx.primary()) && cx.c.target.some_ready(cx.target)
}

/// The target has as many pods as the primary, ready and behind their Service.
fn target_serves(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    staleness::wait_until_seen(cx)?;
    autoscaler::returned(cx, d)?;
    let behind = cx.snap.objects.get(SERVICE, &cx.c.names.canary_service).is_none() || cx.canary_pods() > 0;
    let Some((why, _)) = cx.target_rollout().unserving(behind) else { return GO_ON };
    d.reached(clock::after(cx.standing_since(), cx.c.deadline))?;
    if cx.primary_pods() > 0 && !target_has_pods(cx) {
        return leave_generated(cx, d, &format!("{} did not become ready ({why})", cx.c.names.target));
    }
    // no side has pods: the plain objects serve users better, as soon as the target is ready
    GO_ON
}

/// A route that the proxies are known not to follow holds up the deletion for [`PATIENCE`] at most.
fn proxies_followed(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let reverted = reverted_at(cx).unwrap_or(cx.now);
    let followed =
        if acceptance::not_programmed(cx).is_none() { reverted } else { clock::after(reverted, PATIENCE) };
    d.reached(clock::after(followed, cx.settle()))
}

/// The apex Service selects the target and the route points to the apex: as they were, or as plain objects.
fn given_back(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if reverted_at(cx).is_some() {
        return GO_ON;
    }
    // the route will point to the apex, which has to exist
    if cx.live_split().is_some() && cx.apex().is_none() {
        apex::service(cx, d, WriteReason::Wanted)?;
    }
    let route = handover::routes_back(cx);
    let next: Vec<Manifest> = route
        .iter()
        .filter_map(|undo| if let Undo::Restore(next) = undo { Some(next.clone()) } else { None })
        .collect();
    services_given_back(cx, d, !next.is_empty())?;
    apex_serves(cx, d, !next.is_empty())?;
    handover::exchangeable(cx, d, &next)?;
    left_running(cx, d, |d| give_back(cx, d, route))?;
    d.status.canary_weight = 0;
    d.status.step = Some(StepStatus { confirmed: Some(MicroTime(cx.now)), ..StepStatus::default() });
    WRITE_FIRST
}

/// After everything was given back, another party led users to what is to be deleted: that is left running.
fn led_back(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let Some(at) = handover::led_back(cx) else { return GO_ON };
    config_snapshots::outlive(cx.snap, d)?;
    let sides = format!("{} or {}", cx.c.names.primary_service, cx.c.names.canary_service);
    ignore(autoscaler::release(cx, d));
    let_go(cx.snap, d, Some(&format!("{at} was given back, and leads to the pods of {sides} again")));
    HANDLED
}

/// The Services point to the target, and the proxies have had time to learn of that before a route points to them: some
/// have no endpoints for a Service while its selector changes.
fn services_given_back(cx: &Context<'_>, d: &mut PlanBuilder, routed: bool) -> Flow {
    let (before, services) = (d.actions.len(), handover::services_back(cx));
    let turned = cx.status().step.as_ref().and_then(|step| step.since.as_ref()).map(|since| since.0);
    let routed = routed && (turned.is_some() || !services.is_empty());
    let back = left_running(cx, d, |d| give_back(cx, d, services));
    if routed && (d.actions.len() > before || turned.is_none() && back.is_continue()) {
        d.status.step = Some(StepStatus { since: Some(MicroTime(cx.now)), ..StepStatus::default() });
        return WRITE_FIRST;
    }
    back?;
    d.reached(turned.map_or(Timestamp::MIN, |turned| clock::after(turned, cx.settle())))
}

/// EndpointSlices show pods behind the apex Service before a route leads to it, while a side serves users.
fn apex_serves(cx: &Context<'_>, d: &mut PlanBuilder, routed: bool) -> Flow {
    let served = cx.live_split().is_some_and(|live| {
        live.canary() < 100 && cx.primary_pods() > 0 || live.canary() > 0 && cx.canary_pods() > 0
    });
    let empty = cx.c.target.rests() && cx.c.target.behind(cx.snap, &cx.c.names.apex) == 0;
    if !(routed && served && empty) {
        return GO_ON;
    }
    d.reached(clock::after(cx.standing_since(), cx.c.deadline))?;
    leave_generated(cx, d, &format!("Service {}: its EndpointSlices show no ready pod", cx.c.names.apex))
}

/// Writes that another party reverts, or the API server refuses, do not hold up the deletion after the deadline.
fn left_running(cx: &Context<'_>, d: &mut PlanBuilder, part: impl FnOnce(&mut PlanBuilder) -> Flow) -> Flow {
    let held = d.held.len();
    let flow = part(d);
    let Some((at, _)) = d.held.get(held).filter(|_| flow == WAIT).cloned() else { return flow };
    d.reached(clock::after(cx.standing_since(), cx.c.deadline))?;
    leave_generated(cx, d, &contest::why_held(cx, &at))
}

/// Generated objects are left running: all users are on the side that has pods, and the target's autoscaler works as
/// before.
fn leave_generated(cx: &Context<'_>, d: &mut PlanBuilder, why: &str) -> Flow {
    let routed = cx.live_split().is_some_and(|live| live != cx.zero());
    if routed && traffic::routing(cx, d, cx.zero(), WriteReason::Wanted) == WRITE_FIRST {
        return WRITE_FIRST;
    }
    config_snapshots::outlive(cx.snap, d)?;
    // together with the finalizer: a pass that scales up the target would enable it for the deletion again
    ignore(autoscaler::release(cx, d));
    let_go(cx.snap, d, Some(why));
    HANDLED
}

fn give_back(cx: &Context<'_>, d: &mut PlanBuilder, undone: Vec<Undo>) -> Flow {
    let mut flow = GO_ON;
    for undo in undone {
        let Undo::Restore(want) = undo else { continue };
        let Some(live) = cx.snap.objects.at(&want.at()) else { continue };
        let Some(mut patch) = manifest::patch(live, &want) else { continue };
        if let Some(mut disown) = manifest::disown(live, &cx.c.name) {
            let owners = disown["metadata"]["ownerReferences"].take();
            json::set(&mut patch, &["metadata", "ownerReferences"], owners);
        }
        flow = all([flow, write::given_back(cx, d, live, &want, patch)]);
    }
    flow
}

/// Deletes the objects that were created for this Canary, except those that users call, and waits until they are gone.
fn generated_deleted(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let undo = handover::services_back(cx).into_iter().chain(handover::routes_back(cx));
    let gone = undo.filter_map(|undo| if let Undo::Delete(at) = undo { Some(at) } else { None });
    delete_all(cx, d, gone.collect())
}

/// Deletes these and all other objects that were created for this Canary, and waits until they are gone.
fn delete_all(cx: &Context<'_>, d: &mut PlanBuilder, mut gone: Vec<ObjectRef>) -> Flow {
    gone.extend(autoscaler::of_primary(cx).into_iter().map(|(at, _)| at));
    let primary = ObjectRef::new(cx.c.target.kind(), cx.c.names.primary.clone());
    if !cx.c.target.holds_both()
        && cx.primary().is_some_and(|p| manifest::made_for(p, &cx.c.name))
        && !gone.contains(&primary)
    {
        gone.push(primary);
    }
    let left = gone.iter().filter_map(|at| Some((at.kind, cx.snap.objects.at(at)?)));
    let revisions = cx.snap.objects.of(REVISION).map(|r| (REVISION, r));
    let deletions: Vec<_> = left
        .chain(revisions)
        .filter(|(_, o)| o["metadata"]["deletionTimestamp"].is_null())
        .map(|(kind, live)| Action::delete(kind, live))
        .collect();
    // objects that another party creates again each time are left to it
    let done = gone.iter().all(|at| cx.snap.objects.at(at).is_none() || contest::is_remade(cx, at));
    for deletion in deletions {
        d.act(deletion);
    }
    if done {
        // a primary whose deletion is refused still uses them
        config_snapshots::delete(cx, d, &[]);
    }
    match (done, d.actions.is_empty()) {
        (true, _) => GO_ON,
        (false, true) => WAIT,
        (false, false) => WRITE_FIRST,
    }
}
