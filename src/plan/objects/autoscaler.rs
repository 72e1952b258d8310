//! Who owns `replicas` where the Canary names an autoscaler. Each side has one of its own: the user's scales the target
//! while that has pods, its copy the primary. The planner writes only what no autoscaler can: the target from none to
//! its first pods and back to none, and the bounds of the copy.
//!
//! While the primary may have to take all the traffic back, its autoscaler goes no lower than the pods it had when the
//! run began. That number is in status before the first pod of a run; the bounds follow from status and from the user's
//! autoscaler alone, so that whatever a crash leaves is set right by the next look.

use serde_json::Value;

use crate::{
    api::{
        Phase,
        promotion::Apex,
        validated::{Problem, Validated},
    },
    manifest::{self, scaler},
    names::{self, conditions, managers},
    plan::{
        builder::{PlanBuilder, after},
        context::Context,
        model::{Action, Messages, Note},
        objects::{
            pod_limits,
            write::{self, WriteReason},
        },
    },
    snapshot::{HPA, Kind, ObjectRef, SCALED_OBJECT, Snapshot},
};

/// The autoscaler that the Canary names, or what is wrong with it.
pub(crate) fn find<'a>(snap: &'a Snapshot, c: &mut Validated) -> Result<Option<&'a Value>, Problem> {
    let Some((kind, named)) = scaler::named(c) else {
        return unnamed(snap, c).map(|()| None);
    };
    let at = ObjectRef::new(kind, named.name.clone());
    if snap.missing_kinds.contains(&kind.crd()) {
        return Err(Problem::new(
            "AutoscalerKindMissing",
            format!(
                "the cluster has no {} ({}): install KEDA or correct spec.autoscalerRef",
                kind.kind,
                kind.crd()
            ),
        ));
    }
    let live = snap.objects.at(&at).ok_or_else(|| {
        Problem::new(
            "AutoscalerMissing",
            format!("{at} does not exist: create it or correct spec.autoscalerRef"),
        )
    })?;
    let target = &c.spec.target_ref;
    let (of, whom) = scaler::scales(live);
    if (of, whom) != (target.kind.as_str(), target.name.as_str()) {
        return Err(Problem::new(
            "AutoscalerElsewhere",
            format!(
                "{at} scales {of} {whom}, not {} {}: point its spec.scaleTargetRef there or correct spec.autoscalerRef",
                target.kind, target.name
            ),
        ));
    }
    let (min, max) = scaler::primary_bounds(kind, named, live);
    if min > max {
        return Err(Problem::new(
            "InvalidSpec",
            format!(
                "spec.autoscalerRef.primaryScalerReplicas: with the bounds of {at} the primary would have at least {min} and at most {max} replicas"
            ),
        ));
    }
    if let Some((other, whom)) = second(snap, c, &at) {
        return Err(Problem::new(
            "TwoAutoscalers",
            format!("{other} scales {whom} as well as {at}: delete one of the two"),
        ));
    }
    Ok(Some(live))
}

fn all(snap: &Snapshot) -> impl Iterator<Item = (ObjectRef, &Value)> {
    let of = |kind: Kind| snap.objects.of(kind).map(move |live| (kind, live));
    of(HPA).chain(of(SCALED_OBJECT)).map(|(kind, live)| {
        (ObjectRef::new(kind, live["metadata"]["name"].as_str().unwrap_or_default()), live)
    })
}

/// An autoscaler of the target that the Canary does not name: it is told of, and where pods are shared it would set the
/// replicas that make the shares.
fn unnamed(snap: &Snapshot, c: &mut Validated) -> Result<(), Problem> {
    let target = c.names.target.clone();
    let of_target = (c.spec.target_ref.kind.as_str(), target.as_str());
    let aimed: Vec<ObjectRef> = all(snap)
        .filter(|(_, live)| scaler::scales(live) == of_target && !scaler::generated(live))
        .map(|(at, _)| at)
        .collect();
    if let Some(at) = aimed.first().filter(|_| c.apex == Apex::Shares) {
        return Err(Problem::new(
            "InvalidSpec",
            format!(
                "{at} scales {target}, whose replicas make the shares of spec.analysis.steps: delete it, or set spec.analysis.iterations instead of steps"
            ),
        ));
    }
    let primary = &c.names.primary;
    let say = |at| {
        format!("{at} scales {target}, but spec.autoscalerRef does not name it: {primary} is not scaled")
    };
    let advice: Vec<String> = aimed.into_iter().map(say).collect();
    c.advice.extend(advice);
    Ok(())
}

/// Another autoscaler of the target, or one of the primary that is not ours.
fn second<'a>(snap: &Snapshot, c: &'a Validated, named: &ObjectRef) -> Option<(ObjectRef, &'a str)> {
    let kind = c.spec.target_ref.kind.as_str();
    let twin = names::primary(&named.name);
    let mut others = all(snap).filter(|(at, live)| {
        at != named && (at.kind, &at.name) != (named.kind, &twin) && !scaler::generated(live)
    });
    others.find_map(|(at, live)| {
        let whom =
            [&c.names.target, &c.names.primary].into_iter().find(|n| scaler::scales(live) == (kind, n))?;
        let ours = whom == &c.names.primary && manifest::made_for(live, &c.name);
        (!ours).then_some((at, whom.as_str()))
    })
}

/// Autoscalers of the primary that were made for this Canary, other than `but`.
fn made<'a>(cx: &Context<'a>, but: Option<&ObjectRef>) -> Vec<(ObjectRef, &'a Value)> {
    let primary = cx.c.names.primary.as_str();
    all(cx.snap)
        .filter(|(at, live)| {
            Some(at) != but && scaler::scales(live).1 == primary && manifest::made_for(live, &cx.c.name)
        })
        .collect()
}

/// All that were made, in the order in which a deletion lets go of them.
pub(crate) fn twins<'a>(cx: &Context<'a>) -> Vec<(ObjectRef, &'a Value)> {
    made(cx, None)
}

/// The primary has an autoscaler like the target's, with a floor while a run needs one; none that the Canary no
/// longer names is left.
pub(crate) fn twin(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let Some((kind, named)) = scaler::named(&cx.c) else {
        return open(cx) || gone(cx, d, None);
    };
    let Some(source) = cx.scaler else { return none_astray(cx, d) };
    let want = scaler::twin(&cx.c, kind, named, source, floor(cx));
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
    write::object_from(cx, d, live, &want, why) && gone(cx, d, Some(&at))
}

fn gone(cx: &Context<'_>, d: &mut PlanBuilder, but: Option<&ObjectRef>) -> bool {
    let left = made(cx, but);
    for (at, live) in &left {
        if live["metadata"]["deletionTimestamp"].is_null() {
            d.act(Action::delete(at.kind, live));
        }
    }
    left.is_empty()
}

/// The primary may have to take all the traffic back.
fn open(cx: &Context<'_>) -> bool {
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

/// Pods that the primary keeps, from the first write of a run to the last.
fn floor(cx: &Context<'_>) -> Option<i64> {
    cx.status().primary_replicas.filter(|_| open(cx)).map(i64::from)
}

/// The floor of a run that begins, or begins anew: what the primary has, and no less than an open run holds already.
pub(crate) fn remember_floor(cx: &Context<'_>, d: &mut PlanBuilder) {
    if cx.scaler.is_some() {
        let floor = cx.primary_replicas().max(floor(cx).unwrap_or(0));
        d.status.primary_replicas = i32::try_from(floor).ok();
    }
}

fn target_bounds(cx: &Context<'_>) -> Option<(i64, i64)> {
    let (kind, _) = scaler::named(&cx.c)?;
    Some(scaler::bounds(kind, cx.scaler?))
}

/// Replicas to make the primary with: the target's where nobody scales it, else those it had, within its bounds.
pub(crate) fn primary_start(cx: &Context<'_>) -> i64 {
    let known = cx.status().primary_replicas.map(i64::from);
    match (scaler::named(&cx.c), cx.scaler) {
        (Some((kind, named)), Some(live)) => {
            let (min, max) = scaler::primary_bounds(kind, named, live);
            known.unwrap_or_else(|| cx.target_replicas()).max(min).min(max).max(1)
        }
        _ if pod_limits::made(cx) => cx.whole(),
        _ => cx.target_replicas().max(1),
    }
}

/// Replicas to start a run with: the primary's where nobody scales the target. An autoscaler finds the right number
/// once there is load; until then there are enough for the largest share that the run comes to.
fn target_start(cx: &Context<'_>) -> i64 {
    if cx.c.apex == Apex::Shares {
        return pod_limits::first(cx);
    }
    let primary = cx.primary_replicas();
    let Some((min, max)) = target_bounds(cx) else { return primary };
    let most = cx.c.schedule.iter().map(|s| if s.mirrored { 100 } else { s.weight }).max().unwrap_or(100);
    portion(primary, most).max(min).min(max).max(1)
}

/// Replicas with which the target takes over from the primary.
fn target_back(cx: &Context<'_>) -> i64 {
    let primary = cx.primary_replicas().max(cx.whole());
    target_bounds(cx).map_or(primary, |(min, max)| primary.max(min).min(max).max(1))
}

/// How often a target that is handed back is changed, by whomever, before somebody else decides how many pods it has: an
/// autoscaler that wants fewer is not written against, and a write that crossed another's is made again.
const OTHERS: i64 = 4;

/// A deletion begins: what the target's autoscaler makes of the primary's replicas is counted from here.
pub(crate) fn begin_return(cx: &Context<'_>, d: &mut PlanBuilder) {
    d.status.target.get_or_insert_default().returning = manifest::generation(cx.target);
}

/// True when the target has been asked for as many pods as it takes over from the primary.
pub(crate) fn returned(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let resumed = resume(cx, d);
    let began = cx.status().target.as_ref().and_then(|t| t.returning);
    let changes = manifest::generation(cx.target).zip(began).map_or(0, |(now, began)| now - began);
    let few = cx.primary().is_some() && cx.target_replicas() < target_back(cx) && changes < OTHERS;
    if few || cx.target_replicas() == 0 {
        write::ask(cx, d, target_back(cx));
        return false;
    }
    resumed
}

/// `percent` of so many pods, in whole pods.
fn portion(pods: i64, percent: i32) -> i64 {
    pods.saturating_mul(i64::from(percent.clamp(0, 100))).saturating_add(99) / 100
}

/// True when the target's autoscaler works and the target is asked for at least one pod.
pub(crate) fn wake(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let resumed = resume(cx, d);
    if cx.target_replicas() == 0 {
        write::ask(cx, d, target_start(cx));
        return false;
    }
    resumed
}

/// ScaledObjects of the target, named or not: any of them would give it pods.
fn of_target<'a>(cx: &Context<'a>) -> impl Iterator<Item = &'a Value> {
    let target = cx.c.names.target.clone();
    cx.snap.objects.of(SCALED_OBJECT).filter(move |live| scaler::scales(live).1 == target)
}

/// True when no ScaledObject holds the target at no pods.
fn resume(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let mut none = true;
    for live in of_target(cx).filter(|live| scaler::paused(live)) {
        d.act(tell(live, scaler::resume(live)));
        none = false;
    }
    none
}

/// True when the target has kept its pods for as long as it is to after its traffic has left, and is asked for none.
pub(crate) fn retire(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    d.reached(after(cx.settled_at(), cx.c.linger)) && empty(cx, d)
}

/// True when the target is asked for no pods, and nothing will ask for some: a HorizontalPodAutoscaler is off at 0, a
/// ScaledObject is paused first.
pub(crate) fn empty(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let mut none = true;
    for live in of_target(cx).filter(|live| !scaler::paused(live)) {
        d.act(tell(live, scaler::pause(live)));
        none = false;
    }
    if cx.c.target.rests() && cx.target_replicas() > 0 {
        write::ask(cx, d, 0);
        none = false;
    }
    none
}

/// The target is asked for no pods, and nothing will ask for some.
pub(crate) fn is_empty(cx: &Context<'_>) -> bool {
    (cx.target_replicas() == 0 || !cx.c.target.rests()) && of_target(cx).all(scaler::paused)
}

/// True unless a ScaledObject that we paused now scales something else, which must not suffer for it.
fn none_astray(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let mut none = true;
    for live in cx.snap.objects.of(SCALED_OBJECT) {
        let elsewhere =
            ![&cx.c.names.target, &cx.c.names.primary].contains(&&scaler::scales(live).1.to_owned());
        if elsewhere && scaler::paused_by_us(live) {
            d.act(tell(live, scaler::resume(live)));
            none = false;
        }
    }
    none
}

fn tell(live: &Value, patch: Value) -> Action {
    Action::patch(
        ObjectRef::new(SCALED_OBJECT, live["metadata"]["name"].as_str().unwrap_or_default()),
        managers::SCALE,
        live,
        patch,
    )
}

/// True when no weight may rise: the autoscaler is not what the Canary says, or the primary has lost pods that it
/// needs to take everything back. What is judged badly still goes back. Too few pods for a share are only said.
pub(crate) fn holds(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    if cx.scaler_problem.is_some() {
        return true;
    }
    let Some((note, holds)) = lacks(cx) else {
        d.clear(conditions::CAPACITY);
        return false;
    };
    if d.condition(conditions::CAPACITY, "False", note.reason, &note.message) {
        d.say(note);
    }
    // an autoscaler is off at 0: it will not come back by itself
    if let Some(off) = cx.primary().filter(|p| holds && manifest::replicas(p) == 0) {
        d.act(Action::scale(off, floor(cx).unwrap_or(1).max(1)));
    }
    holds
}

fn lacks(cx: &Context<'_>) -> Option<(Note, bool)> {
    let (kind, named) = scaler::named(&cx.c)?;
    let (_, max) = scaler::primary_bounds(kind, named, cx.scaler?);
    let floor = floor(cx)?.clamp(1, max.max(1));
    if cx.primary().is_some_and(|p| manifest::replicas(p) < floor) {
        return Some((cx.messages.below_floor(floor), true));
    }
    // of the requests that a `match` names nobody knows how many there are
    let weight = if cx.c.analysis.match_.is_empty() { cx.step().weight } else { 0 };
    let enough = i64::from(cx.canary_pods()) >= portion(floor, weight);
    (!enough).then(|| (cx.messages.too_small(weight, floor), false))
}
