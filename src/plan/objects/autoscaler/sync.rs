//! Who owns `replicas` where the Canary names an autoscaler. Each side has one of its own: the user's scales the target
//! while that has pods, its copy the primary. The planner writes only what no autoscaler can: the target from none to
//! its first pods and back to none, and the bounds of the copy.
//!
//! While the primary may have to take all the traffic back, its autoscaler goes no lower than the pods it had when the
//! run began. That number is in status before the first pod of a run; the bounds follow from status and from the user's
//! autoscaler alone, so that whatever a crash leaves is set right by the next look.

use std::time::Duration;

use serde_json::Value;

use crate::{
    api::Phase,
    clock,
    manifest::{self, scaler},
    names::{self, conditions, managers},
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{
            Action, Messages, Note,
            flow::{Flow, GO_ON, WAIT, WRITE_FIRST, all},
        },
        objects::{
            autoscaler::{bounds, find},
            replicas,
            write::{self, WriteReason},
        },
        staleness,
    },
    snapshot::{DEPLOYMENT, ObjectRef, SCALED_OBJECT},
};

/// Autoscalers of the primary that were made for this Canary, other than `but`.
fn generated<'a>(cx: &Context<'a>, but: Option<&ObjectRef>) -> Vec<(ObjectRef, &'a Value)> {
    let primary = (cx.c.target.kind().kind, cx.c.names.primary.as_str());
    find::all(cx.snap)
        .filter(|(at, live)| {
            Some(at) != but && scaler::scales(live) == primary && manifest::made_for(live, &cx.c.name)
        })
        .collect()
}

/// All autoscalers of the primary that were made for this Canary.
pub(crate) fn of_primary<'a>(cx: &Context<'a>) -> Vec<(ObjectRef, &'a Value)> {
    generated(cx, None)
}

/// Keeps the primary's autoscaler like the target's, with a floor while a run needs one, and deletes those that the
/// Canary no longer names.
pub(crate) fn sync(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    all([resume_strays(cx, d), follow(cx, d)])
}

fn follow(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let Some((kind, named)) = scaler::named(&cx.c) else {
        return if bounds::run_is_open(cx) { GO_ON } else { delete_others(cx, d, None) };
    };
    let Some(source) = cx.scaler else { return GO_ON };
    let want = scaler::primary_autoscaler(&cx.c, kind, named, source, &cx.label, bounds::floor(cx));
    let at = want.at();
    let mark = |object: &Value, key: &str| manifest::annotation(object, key).map(str::to_owned);
    let Some(live) = cx.snap.objects.at(&at) else {
        d.say(Messages::autoscaler_made(&at.to_string(), &cx.c.names.primary));
        return write::object(cx, d, want, WriteReason::Wanted);
    };
    let same = |key| mark(live, key) == mark(&want.body, key);
    let why = match (same(names::ANNOTATION_SOURCE), same(names::ANNOTATION_FLOOR)) {
        (true, true) => WriteReason::Drift,
        _ => WriteReason::Wanted,
    };
    if !same(names::ANNOTATION_SOURCE) && mark(live, names::ANNOTATION_SOURCE).is_some() {
        let source = ObjectRef::new(kind, named.name.clone());
        d.say(Messages::autoscaler_follows(&source.to_string(), &at.to_string()));
    }
    write::object_from(cx, d, live, &want, why)?;
    delete_others(cx, d, Some(&at))
}

/// Deletes the primary's other autoscalers, and waits until they are gone.
fn delete_others(cx: &Context<'_>, d: &mut PlanBuilder, but: Option<&ObjectRef>) -> Flow {
    let mut flow = GO_ON;
    for (at, live) in generated(cx, but) {
        flow = WAIT;
        if live["metadata"]["deletionTimestamp"].is_null() {
            d.act(Action::delete(at.kind, live));
            flow = WRITE_FIRST;
        }
    }
    flow
}

/// How many changes of a target that is handed back are taken before its replicas are left to others: an autoscaler that
/// wants fewer is not written against, and a write that conflicts with another is repeated.
const OTHERS: i64 = 4;

/// A deletion begins: what the target's autoscaler makes of the primary's replicas is counted from here.
pub(crate) fn begin_return(cx: &Context<'_>, d: &mut PlanBuilder) {
    d.status.target.get_or_insert_default().returning = manifest::generation(cx.target);
}

/// Asks the target for as many pods as it takes over from the primary.
pub(crate) fn returned(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let resumed = work(cx, d);
    let began = cx.status().target.as_ref().and_then(|t| t.returning);
    let changes = manifest::generation(cx.target).zip(began).map_or(0, |(now, began)| now - began);
    let wanted = bounds::target_back(cx);
    let few = cx.primary().is_some() && cx.target_replicas() < wanted && changes < OTHERS;
    if few || cx.target_replicas() == 0 {
        // whoever takes all of them away each time is written against ever more rarely, until the deadline
        let doublings = u32::try_from((changes - OTHERS) / 2).unwrap_or(0).min(10);
        let patience = Duration::from_secs(if changes < OTHERS { 0 } else { 1 << doublings });
        if d.reached(clock::after(cx.standing_since(), patience)).is_break() {
            return GO_ON;
        }
        let asked = write::ask(cx, d, wanted);
        // where it is held back, the deadline goes on
        return if asked == WRITE_FIRST { asked } else { GO_ON };
    }
    resumed
}

/// Lets the target's autoscaler work, and asks the target for at least one pod.
pub(crate) fn scale_up(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let working = work(cx, d);
    if cx.target_replicas() > 0 {
        return all([working, keep_up(cx, d)]);
    }
    d.reached(replicas::may_give_back_at(cx))?;
    let seen = cx.status().target.as_ref().map(|target| target.generation);
    if manifest::generation(cx.target) > seen {
        // it has had some in this run
        replicas::note_taken(cx, d);
    }
    write::ask(cx, d, bounds::target_start(cx))
}

/// Only the run sets the target's replicas: it gets those back that were taken from it, and at each step those that
/// it is to have. It gives some up once its users have left them.
fn keep_up(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let (has, step) = (cx.target_replicas(), cx.step());
    let Some(wanted) = replicas::of_run(cx) else { return GO_ON };
    let rises = step.index > 0 && step.confirmed.is_none() && step.pods.is_some();
    if has < wanted && !rises {
        if d.reached(replicas::may_give_back_at(cx)).is_break() {
            // as many as there are go on meanwhile
            return GO_ON;
        }
        replicas::note_taken(cx, d);
    } else if has > wanted {
        let left = cx.phase() != Phase::Promoting && (step.index == 0 || step.confirmed.is_some());
        let dispensable = left && replicas::asked(cx).is_some();
        if !dispensable || d.reached(cx.settled_at()).is_break() {
            return GO_ON;
        }
    }
    if has == wanted {
        return GO_ON;
    }
    write::ask(cx, d, wanted)
}

/// ScaledObjects of the target, named or not: any of them would give it pods. Those of others that bear its name scale
/// another kind.
fn of_target<'a>(cx: &Context<'a>) -> impl Iterator<Item = &'a Value> {
    let (kind, target) = (cx.c.target.kind().kind, cx.c.names.target.clone());
    cx.snap.objects.of(SCALED_OBJECT).filter(move |live| scaler::scales(live) == (kind, target.as_str()))
}

/// Lets the ScaledObjects of the target work in a run. One that may take the last pod away gives pods only: how little its
/// trigger says before users come is no verdict on the version.
fn work(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let zero = of_target(cx).filter(|live| scaler::reaches_zero(live) && !scaler::kept_up(live));
    let kept = set_paused(d, zero, |live| scaler::keep_up(live, uid(cx)));
    let other = of_target(cx).filter(|live| !scaler::reaches_zero(live));
    let other = other.filter(|live| scaler::paused(live) || scaler::kept_up(live));
    all([kept, set_paused(d, other, scaler::resume)])
}

/// uid of the Canary.
fn uid<'c>(cx: &'c Context<'_>) -> &'c str {
    cx.snap.canary.metadata.uid.as_deref().unwrap_or_default()
}

/// Gives the target's ScaledObjects back to their owner.
pub(crate) fn release(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    set_paused(d, of_target(cx).filter(|live| scaler::paused(live) || scaler::kept_up(live)), scaler::resume)
}

/// Scales the target to zero once it has kept its pods for as long as it is to after its traffic has left.
pub(crate) fn scale_down(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    d.reached(clock::after(cx.settled_at(), cx.c.linger))?;
    scale_to_zero(cx, d)
}

/// Asks the target for no pods, and keeps its autoscaler from asking for some: a HorizontalPodAutoscaler is off at 0, a
/// ScaledObject is paused first.
pub(crate) fn scale_to_zero(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    staleness::wait_until_seen(cx)?;
    let paused = set_paused(d, of_target(cx).filter(|live| !scaler::paused(live)), |live| {
        scaler::pause(live, uid(cx))
    });
    if cx.c.target.rests() && cx.target_replicas() > 0 {
        return all([write::ask(cx, d, 0), paused]);
    }
    paused
}

/// The target is asked for no pods, and no autoscaler will ask for some.
pub(crate) fn is_scaled_to_zero(cx: &Context<'_>) -> bool {
    (cx.target_replicas() == 0 || !cx.c.target.rests()) && of_target(cx).all(scaler::paused)
}

/// Resumes a ScaledObject that was paused for this Canary and that scales something else by now, or always did.
fn resume_strays(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let kind = cx.c.target.kind().kind;
    let own = [cx.c.names.target.as_str(), cx.c.names.primary.as_str()];
    let strays = cx.snap.objects.of(SCALED_OBJECT).filter(|live| {
        let (of, whom) = scaler::scales(live);
        // another Canary may have paused what scales a Deployment, and one of a former version does not say so
        let named = scaler::names_its_canary(live) || of != DEPLOYMENT.kind || !own.contains(&whom);
        let paused = scaler::paused_by_us(live) || scaler::kept_up(live);
        (of != kind || !own.contains(&whom)) && paused && named && scaler::paused_by(live, uid(cx))
    });
    set_paused(d, strays, scaler::resume)
}

/// Patches each of these ScaledObjects.
fn set_paused<'a>(
    d: &mut PlanBuilder,
    all: impl Iterator<Item = &'a Value>,
    patch: impl Fn(&Value) -> Value,
) -> Flow {
    let mut flow = GO_ON;
    for live in all {
        let at = ObjectRef::new(SCALED_OBJECT, live["metadata"]["name"].as_str().unwrap_or_default());
        if d.try_act(Action::patch(at, managers::SCALE, live, patch(live))) == WRITE_FIRST {
            flow = WRITE_FIRST;
        }
    }
    flow
}

/// No weight may rise: what is known is old, the autoscaler is not what the Canary says, or the primary has lost pods that
/// it needs to take everything back. What is judged badly still goes back.
pub(crate) fn is_held(cx: &Context<'_>) -> bool {
    staleness::is_stale(cx) || cx.scaler_problem.is_some() || shortage(cx).is_some_and(|(_, holds)| holds)
}

/// Says when the primary or the canary has too few pods. The canary's are only said; the primary's keep the weight from
/// rising (see [`is_held`]).
pub(crate) fn report_capacity(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.scaler_problem.is_some() {
        return GO_ON;
    }
    let Some((note, holds)) = shortage(cx) else {
        d.clear(conditions::CAPACITY);
        return GO_ON;
    };
    if d.condition(conditions::CAPACITY, "False", note.reason, &note.message) {
        d.say(note);
    }
    // an autoscaler is off at 0: it will not come back by itself
    if let Some(off) = cx.primary().filter(|p| holds && manifest::replicas(p) == 0) {
        d.act(Action::scale(off, bounds::floor(cx).unwrap_or(1).max(1)));
    }
    GO_ON
}

/// Too few pods, and whether that keeps the weight from rising.
fn shortage(cx: &Context<'_>) -> Option<(Note, bool)> {
    let (kind, named) = scaler::named(&cx.c)?;
    let (_, max) = scaler::primary_bounds(kind, named, cx.scaler?);
    let floor = bounds::floor(cx)?.clamp(1, max.max(1));
    if cx.primary().is_some_and(|p| manifest::replicas(p) < floor) {
        return Some((cx.messages.below_floor(floor), true));
    }
    // how many requests a `match` names is unknown
    let weight = if cx.c.analysis.match_.is_empty() { cx.step().weight } else { 0 };
    let enough = i64::from(cx.canary_pods()) >= bounds::portion(floor, weight);
    (!enough).then(|| (cx.messages.too_small(weight, floor), false))
}
