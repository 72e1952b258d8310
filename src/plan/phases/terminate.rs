//! A Canary that is being deleted. By default users get their plain Deployment back: the target serves again before
//! anything is routed to it, and what was generated goes only after the proxies have learned of that (ruling 8). An
//! explicit `revertOnDeletion: false` leaves the generated objects serving.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::{Phase, StepStatus},
    manifest::{self, Manifest, Undo, json, readiness::Rollout, service},
    names,
    plan::{
        builder::{PlanBuilder, after},
        context::Context,
        model::{Action, Messages},
        objects::{autoscaler, config_snapshots, write::WriteReason},
        traffic::{self, acceptance, apex, handover},
    },
    snapshot::{ObjectRef, REVISION, SERVICE, Snapshot},
};

/// A route that no proxy follows does not hold the deletion up for longer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// The finalizer is still to be removed by us.
pub(crate) fn held(snap: &Snapshot) -> bool {
    snap.canary.metadata.finalizers.iter().flatten().any(|f| f == names::FINALIZER)
}

/// Nothing can be reverted: the finalizer goes, and what was generated is left running.
pub(crate) fn let_go(snap: &Snapshot, d: &mut PlanBuilder, why: Option<&str>) {
    let meta = &snap.canary.metadata;
    let name = meta.name.as_deref().unwrap_or_default();
    let words = Messages::new(name, name, name, meta.namespace.as_deref().unwrap_or_default());
    if let Some(why) = why {
        d.say(words.left_running(why));
    }
    d.say(words.terminated());
    release(snap, d);
}

fn release(snap: &Snapshot, d: &mut PlanBuilder) {
    let all = snap.canary.metadata.finalizers.iter().flatten();
    d.act(Action::Finalizers { list: all.filter(|f| *f != names::FINALIZER).cloned().collect() });
}

/// One step of giving everything back.
pub(crate) fn step(cx: &Context<'_>, d: &mut PlanBuilder) {
    if cx.phase() != Phase::Terminating {
        d.phase(Phase::Terminating, cx.kind());
        d.status.epoch += 1;
        d.status.run = None;
        d.status.step = None;
        autoscaler::begin_return(cx, d);
        return d.say(cx.messages.terminating());
    }
    if cx.c.spec.revert_on_deletion == Some(false) {
        return leave(cx, d);
    }
    if cx.status().step.is_none() {
        if target_serves(cx, d) && given_back(cx, d) {
            d.status.canary_weight = 0;
            d.status.step = Some(StepStatus { confirmed: Some(MicroTime(cx.now)), ..StepStatus::default() });
        }
        return;
    }
    let reverted = cx.step().confirmed.map_or(cx.now, |t| t.0);
    let followed =
        if acceptance::not_programmed(cx).is_none() { reverted } else { after(reverted, PATIENCE) };
    if d.reached(after(followed, cx.settle())) && generated_gone(cx, d) {
        d.say(cx.messages.terminated());
        release(cx.snap, d);
    }
}

/// The generated objects stay; users are on the primary.
fn leave(cx: &Context<'_>, d: &mut PlanBuilder) {
    if cx.live_split().is_some() && !traffic::routing(cx, d, cx.zero(), WriteReason::Wanted)
        || !autoscaler::twin(cx, d)
    {
        return;
    }
    d.say(cx.messages.terminated());
    release(cx.snap, d);
}

/// The target has as many pods as the primary, ready and behind their Service.
fn target_serves(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    if !autoscaler::returned(cx, d) {
        return false;
    }
    let behind = cx.snap.objects.get(SERVICE, &cx.c.names.canary_service).is_none() || cx.canary_pods() > 0;
    let why = match cx.target_rollout() {
        Rollout::Ready if behind => return true,
        Rollout::Ready => "its pods are not yet behind the Service".to_owned(),
        Rollout::Waiting { why } | Rollout::Stuck { why } => why,
    };
    let deadline = after(cx.standing_since(), cx.c.deadline);
    if cx.now < deadline {
        d.wake_at(deadline);
        return false;
    }
    if cx.primary_pods() > 0 {
        let_go(cx.snap, d, Some(&format!("{} did not become ready ({why})", cx.c.names.target)));
        return false;
    }
    // nobody is served either way: better by the plain objects, as soon as the target is ready
    true
}

/// The apex Service selects the target and the route leads to the apex: as they were, or as plain objects.
fn given_back(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    // the route is to lead to the apex: that has to be there
    if cx.live_split().is_some() && cx.apex().is_none() && !apex::service(cx, d, WriteReason::Wanted) {
        return false;
    }
    let route = cx.router.restore(&cx.c, &cx.snap.objects);
    let next: Vec<Manifest> = route
        .iter()
        .filter_map(|undo| if let Undo::Restore(next) = undo { Some(next.clone()) } else { None })
        .collect();
    give_back(cx, d, service::restore(&cx.c, &cx.label, &cx.snap.objects))
        && handover::exchangeable(cx, d, &next)
        && give_back(cx, d, route)
}

fn give_back(cx: &Context<'_>, d: &mut PlanBuilder, all: Vec<Undo>) -> bool {
    for undo in all {
        let Undo::Restore(want) = undo else { continue };
        let Some(live) = cx.snap.objects.at(&want.at()) else { continue };
        if let Some(mut patch) = manifest::patch(live, &want) {
            if let Some(mut disown) = manifest::disown(live, &cx.c.name) {
                let owners = disown["metadata"]["ownerReferences"].take();
                json::set(&mut patch, &["metadata", "ownerReferences"], owners);
            }
            d.act(Action::patch(want.at(), want.manager, live, patch));
        }
    }
    d.actions.is_empty()
}

/// True once nothing that was made for this Canary is left, but for what users call.
fn generated_gone(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let mut gone = Vec::new();
    let services = service::restore(&cx.c, &cx.label, &cx.snap.objects);
    for undo in services.into_iter().chain(cx.router.restore(&cx.c, &cx.snap.objects)) {
        if let Undo::Delete(at) = undo {
            gone.push(at);
        }
    }
    gone.extend(autoscaler::twins(cx).into_iter().map(|(at, _)| at));
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
    let done = gone.is_empty();
    for deletion in deletions {
        d.act(deletion);
    }
    config_snapshots::delete(cx, d, &[]);
    done
}
