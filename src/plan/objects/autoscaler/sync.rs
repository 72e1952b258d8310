//! Which component sets `replicas` if the Canary names an autoscaler. Each side has its own: the user's scales the
//! target while that has pods, its copy the primary. The planner writes only what no autoscaler can: the target from
//! none to its first pods and back to none, and the bounds of the copy.
//!
//! While the primary may have to take all the traffic back, its autoscaler keeps at least the number of pods at the
//! beginning of the run. That number is in status before the first pod of a run; the bounds follow from status and from
//! the user's autoscaler alone, so that the next pass corrects the state after a crash.

use std::time::Duration;

use serde_json::Value;

use crate::{
    api::{AutoscalerRef, Phase},
    clock,
    manifest::{self, Manifest, scaler},
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
        staleness, waiting,
    },
    snapshot::{DEPLOYMENT, Kind, ObjectRef, SCALED_OBJECT},
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

/// Keeps the primary's autoscaler in line with the target's, with a floor while a run needs one, and deletes those that
/// the Canary no longer names.
pub(crate) fn sync(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    all([resume_strays(cx, d), follow(cx, d)])
}

fn follow(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let Some((kind, named)) = scaler::named(&cx.c) else {
        return if bounds::run_is_open(cx) { GO_ON } else { delete_others(cx, d, None) };
    };
    let Some(source) = cx.scaler else { return without_source(cx, d, kind, named) };
    let want = scaler::primary_autoscaler(&cx.c, kind, named, source, &cx.label, bounds::floor(cx));
    let at = want.at();
    let mark = |object: &Value, key: &str| manifest::annotation(object, key).map(str::to_owned);
    let Some(live) = cx.snap.objects.at(&at) else { return create(cx, d, want) };
    let same = |key| mark(live, key) == mark(&want.body, key);
    let marks = [names::ANNOTATION_SOURCE, names::ANNOTATION_FLOOR];
    let why = if marks.into_iter().all(same) { WriteReason::Drift } else { WriteReason::Wanted };
    if !same(names::ANNOTATION_SOURCE) && mark(live, names::ANNOTATION_SOURCE).is_some() {
        let source = ObjectRef::new(kind, named.name.clone());
        d.say(Messages::autoscaler_follows(&source.to_string(), &at.to_string()));
    }
    write::object_from(cx, d, live, &want, why)?;
    delete_others(cx, d, Some(&at))
}

/// Part of the reason for which KEDA's webhook refuses a second autoscaler of a workload.
const MANAGED: &str = "is already managed by";

/// Creates the primary's autoscaler. Where it is refused because the primary has a former one, that is deleted first:
/// the primary keeps its pods meanwhile. It is not deleted for another reason, as that might refuse the new one forever.
fn create(cx: &Context<'_>, d: &mut PlanBuilder, want: Manifest) -> Flow {
    let (at, former) = (want.at(), !of_primary(cx).is_empty());
    let refused = cx.snap.writes.why_refused(&(at.clone(), want.manager));
    let needed = bounds::floor(cx).is_some() && cx.phase() != Phase::Initializing;
    if !needed && refused.is_some_and(|why| why.contains(MANAGED)) {
        delete_others(cx, d, None)?;
    }
    let made = write::object(cx, d, want, WriteReason::Wanted);
    if made == WRITE_FIRST && refused.is_none() {
        d.say(Messages::autoscaler_made(&at.to_string(), &cx.c.names.primary));
    }
    // the former one keeps the floor, and the run goes on, or back
    if made == WAIT && former && needed { GO_ON } else { made }
}

/// The target's autoscaler is gone: the primary's stays as it is, but for the floor of a run that has ended.
fn without_source(cx: &Context<'_>, d: &mut PlanBuilder, kind: Kind, named: &AutoscalerRef) -> Flow {
    let at = ObjectRef::new(kind, names::primary(&named.name));
    let live = cx.snap.objects.at(&at).filter(|live| manifest::made_for(live, &cx.c.name));
    let live = live.filter(|_| !bounds::run_is_open(cx));
    let Some((live, patch)) = live.and_then(|live| Some((live, scaler::without_floor(live)?))) else {
        return GO_ON;
    };
    let given = d.try_act(Action::patch(at, managers::WORKLOAD, live, patch));
    if given == WRITE_FIRST { given } else { GO_ON }
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

/// How many changes of a returned target are accepted before its replicas are left to others: Serin does not write
/// against an autoscaler that wants fewer, and a conflicting write is repeated.
const OTHERS: i64 = 4;

/// A deletion begins: changes of the primary's replicas by the target's autoscaler are counted from here.
pub(crate) fn begin_return(cx: &Context<'_>, d: &mut PlanBuilder) {
    d.status.target.get_or_insert_default().returning = manifest::generation(cx.target);
}

/// Scales the target to the number of pods that it takes over from the primary.
pub(crate) fn returned(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let resumed = work(cx, d);
    let began = cx.status().target.as_ref().and_then(|t| t.returning);
    let changes = manifest::generation(cx.target).zip(began).map_or(0, |(now, began)| now - began);
    let wanted = bounds::target_back(cx);
    let few = cx.primary().is_some() && cx.target_replicas() < wanted && changes < OTHERS;
    if few || cx.target_replicas() == 0 {
        // if somebody removes all of them each time, writes become less and less frequent, until the deadline
        let doublings = u32::try_from((changes - OTHERS) / 2).unwrap_or(0).min(10);
        let patience = Duration::from_secs(if changes < OTHERS { 0 } else { 1 << doublings });
        if d.reached(clock::after(cx.standing_since(), patience)).is_break() {
            return GO_ON;
        }
        let asked = write::ask(cx, d, wanted);
        // if it is held back, the deadline still counts
        return if asked == WRITE_FIRST { asked } else { GO_ON };
    }
    resumed
}

/// Changes of a target that is given pods and loses them, but for one: another edit alone is no loss.
const OF_A_LOSS: i64 = 1;

/// Enables the target's autoscaler, and scales the target to at least one pod.
pub(crate) fn scale_up(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let working = work(cx, d);
    if cx.target_replicas() > 0 {
        return all([working, keep_up(cx, d)]);
    }
    d.reached(replicas::may_give_back_at(cx))?;
    let seen = cx.status().target.as_ref().map_or(0, |target| target.generation);
    if manifest::generation(cx.target).is_some_and(|now| now > seen + OF_A_LOSS) {
        // it has already had some in this run
        replicas::note_taken(cx, d);
    }
    write::ask(cx, d, bounds::target_start(cx))
}

/// Only the run sets the target's replicas: the target gets back pods that were removed, and at each step the number
/// for that step. It gives some up once its users have left them.
fn keep_up(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let (has, step) = (cx.target_replicas(), cx.step());
    let Some(wanted) = replicas::of_run(cx) else { return GO_ON };
    let rises = step.index > 0 && step.confirmed.is_none() && step.pods.is_some();
    if has < wanted && !rises {
        if d.reached(replicas::may_give_back_at(cx)).is_break() {
            // the existing ones continue meanwhile
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

/// ScaledObjects of the target, named or not: any of them would give it pods. ScaledObjects of others that name it
/// scale another kind.
fn of_target<'a>(cx: &Context<'a>) -> impl Iterator<Item = &'a Value> {
    let (kind, target) = (cx.c.target.kind().kind, cx.c.names.target.clone());
    cx.snap.objects.of(SCALED_OBJECT).filter(move |live| scaler::scales(live) == (kind, target.as_str()))
}

/// Enables the ScaledObjects of the target during a run. One that may remove the last pod only adds pods: a low trigger
/// before users come is no verdict on the version.
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

/// Scales the target to zero once it has kept its pods for the configured time after losing its traffic.
pub(crate) fn scale_down(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    d.reached(clock::after(cx.settled_at(), cx.c.linger))?;
    scale_to_zero(cx, d)
}

/// Scales the target to zero, and keeps its autoscaler from adding pods: a HorizontalPodAutoscaler is off at 0, a
/// ScaledObject is paused first.
pub(crate) fn scale_to_zero(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    staleness::wait_until_seen(cx)?;
    if cx.c.target.rests() && cx.target_replicas() > 0 {
        waiting::for_slices_of_primary(cx, d)?;
    }
    let paused = set_paused(d, of_target(cx).filter(|live| !scaler::paused(live)), |live| {
        scaler::pause(live, uid(cx))
    });
    if cx.c.target.rests() && cx.target_replicas() > 0 {
        return all([write::ask(cx, d, 0), paused]);
    }
    paused
}

/// The target is scaled to zero, and no autoscaler will add pods.
pub(crate) fn is_scaled_to_zero(cx: &Context<'_>) -> bool {
    (cx.target_replicas() == 0 || !cx.c.target.rests()) && of_target(cx).all(scaler::paused)
}

/// Resumes a ScaledObject that was paused for this Canary and that now scales something else, or always did.
fn resume_strays(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let kind = cx.c.target.kind().kind;
    let own = [cx.c.names.target.as_str(), cx.c.names.primary.as_str()];
    let strays = cx.snap.objects.of(SCALED_OBJECT).filter(|live| {
        let (of, whom) = scaler::scales(live);
        // another Canary may have paused it for a Deployment, and an earlier version did not record which
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

/// No weight may rise: data is old, the autoscaler is not valid, or the primary has lost pods that
/// it needs to take everything back. A failing run is still rolled back.
pub(crate) fn is_held(cx: &Context<'_>) -> bool {
    staleness::is_stale(cx) || cx.scaler_problem.is_some() || shortage(cx).is_some_and(|(_, holds)| holds)
}

/// Reports if the primary or the canary has too few pods. For the canary it is only reported; for the primary it keeps
/// the weight from rising (see [`is_held`]).
pub(crate) fn report_capacity(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.scaler_problem.is_some() {
        return GO_ON;
    }
    let Some((note, _)) = shortage(cx) else {
        d.clear(conditions::CAPACITY);
        return GO_ON;
    };
    if d.condition(conditions::CAPACITY, "False", note.reason, &note.message) {
        d.say(note);
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
    // how many requests a `match` selects is unknown
    let weight = if cx.c.analysis.match_.is_empty() { cx.step().weight } else { 0 };
    let enough = i64::from(cx.canary_pods()) >= bounds::portion(floor, weight);
    (!enough).then(|| (cx.messages.too_small(weight, floor), false))
}
