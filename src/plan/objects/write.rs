//! Writing one generated object: created if missing, patched if different, left alone otherwise. If another party
//! reverts a write, or the API server refuses it, it is repeated less and less often; meanwhile a pass continues if the
//! object already does what the pass needs.

use serde_json::{Map, Value, json};

use crate::{
    clock,
    manifest::{self, Manifest, json, target::Ask},
    names,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{
            Action, Messages,
            action::desired,
            flow::{Flow, GO_ON, WAIT, WRITE_FIRST},
        },
        unserved,
    },
    snapshot::{HPA, ObjectRef, SCALED_OBJECT, SERVICE},
    write_budget::{Desired, Part, Stake},
};

/// The origin of a difference from the wanted state, if known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteReason {
    /// This pass wants a new state.
    Wanted,
    /// It was in place before: somebody changed it.
    Drift,
}

/// Scales the target to this many pods, or to none. Continues if it keeps pods that it should give up because
/// somebody else restores them again and again.
pub(crate) fn ask(cx: &Context<'_>, d: &mut PlanBuilder, pods: i64) -> Flow {
    let asked = match cx.c.target.ask(pods) {
        Some(Ask::Replicas(replicas)) => d.try_act(Action::scale(cx.target, replicas)),
        // pods that are on their way out would count as there
        Some(Ask::Patch(_)) if pods > 0 && !emptied(cx, d) => WRITE_FIRST,
        Some(Ask::Patch(patch)) => {
            let at = ObjectRef::new(cx.c.target.kind(), cx.c.names.target.clone());
            d.try_act(Action::patch(at, names::managers::SCALE, cx.target, patch))
        }
        None => WRITE_FIRST,
    };
    if asked == WAIT && pods == 0 { GO_ON } else { asked }
}

/// The target, after it was scaled to zero, has no pods any more; or it has been awaited for long enough.
fn emptied(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    cx.c.target.is_empty(cx.target)
        || d.reached(clock::after(cx.standing_since(), cx.c.deadline)).is_continue()
}

/// Creates the object if it is missing, and patches it if it differs; continues if it is as wanted.
pub(crate) fn object(cx: &Context<'_>, d: &mut PlanBuilder, want: Manifest, why: WriteReason) -> Flow {
    let at = ObjectRef::new(want.kind, want.name.clone());
    if let Some(live) = cx.snap.objects.at(&at) {
        return object_from(cx, d, live, &want, why);
    }
    let key = (at.clone(), want.manager);
    let told = cx.snap.writes.is_disputed(&key) || cx.snap.writes.is_refused(&key);
    let made = stamp(cx, d, want);
    let flow = d.try_act(Action::Create(Box::new(made)));
    if why == WriteReason::Drift && flow == WRITE_FIRST && !told {
        d.say(Messages::recreated(&at.to_string()));
    }
    flow
}

/// Patches `live` to `want`, adding `more` to the patch if there is one to write.
pub(crate) fn patch_with(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    live: &Value,
    want: &Manifest,
    more: &Value,
) -> Flow {
    let Some(mut patch) = manifest::patch(live, want) else { return GO_ON };
    merge(&mut patch, more);
    patched(cx, d, live, want, patch)
}

/// Patches `live` if it is not as wanted.
pub(crate) fn object_from(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    live: &Value,
    want: &Manifest,
    why: WriteReason,
) -> Flow {
    let mut patch = manifest::patch(live, want);
    if let Some(disown) = manifest::disown(live, &cx.c.name) {
        merge(patch.get_or_insert_with(|| json!({})), &disown);
    }
    let Some(patch) = patch else { return GO_ON };
    let known = manifest::ours(live, &cx.c.name) || manifest::adopted(live);
    let drift = why == WriteReason::Drift && known && cx.spec_seen() && !manifest::given::differs(&patch);
    // conditions report objects that are reverted again and again, or whose writes are refused
    let key = (want.at(), want.manager);
    let told = cx.snap.writes.is_disputed(&key) || cx.snap.writes.is_refused(&key);
    let flow = patched(cx, d, live, want, patch);
    if drift && !told && flow == WRITE_FIRST {
        d.say(Messages::drift(&want.at().to_string(), &manifest::changed_by(live)));
    }
    flow
}

/// Patches `live`, unless it is too early for another attempt: then it continues if users are routed as with the patch,
/// and the pods are the wanted ones.
fn patched(cx: &Context<'_>, d: &mut PlanBuilder, live: &Value, want: &Manifest, mut patch: Value) -> Flow {
    let mut desired = desired(want, Stake::None);
    let repeated = cx.snap.writes.repeats(&(want.at(), want.manager), desired);
    let (leads, serves) = serves(cx, live, want, &patch);
    desired.stake = if leads { Stake::None } else { stake(cx) };
    let mut stamps = stamps(cx, d, want);
    if repeated && leads && manifest::written(live).is_some() {
        // nothing that proxies have to learn: their settle time does not begin again
        json_patch::merge(&mut stamps, &unwritten());
    }
    merge(&mut patch, &stamps);
    attempt(d, live, want, patch, desired, serves)
}

/// Gives an object back to its user with this patch, unless it is too early for another attempt.
pub(crate) fn given_back(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    live: &Value,
    want: &Manifest,
    patch: Value,
) -> Flow {
    let mut desired = desired(want, Stake::None);
    let (leads, serves) = serves(cx, live, want, &patch);
    desired.stake = if leads { Stake::None } else { stake(cx) };
    attempt(d, live, want, patch, desired, serves)
}

/// Writes the patch if it is time. If it was refused as a whole, its parts are tried: the weights of an Ingress
/// are annotations, and they are accepted even if its rules are not.
fn attempt(
    d: &mut PlanBuilder,
    live: &Value,
    want: &Manifest,
    patch: Value,
    desired: Desired,
    serves: bool,
) -> Flow {
    let whole = Action::patch_towards(want.at(), want.manager, live, patch.clone(), desired);
    let flow = d.try_act(whole);
    if flow != WAIT || serves {
        return if flow == WAIT { GO_ON } else { flow };
    }
    for (part, patch) in parts(d, want, patch) {
        let desired = Desired { part, ..desired };
        if d.try_act(Action::patch_towards(want.at(), want.manager, live, patch, desired)) == WRITE_FIRST {
            return WRITE_FIRST;
        }
    }
    WAIT
}

/// Annotations that describe the rest of an object, or its original: neither is written without the other.
const DESCRIBE: [&str; 8] = [
    names::ANNOTATION_ORIGINAL,
    names::ANNOTATION_REVISION,
    names::ANNOTATION_RESTORED,
    names::ANNOTATION_CHECKSUM,
    names::ANNOTATION_SOURCE,
    names::ANNOTATION_FLOOR,
    names::ANNOTATION_DISTRIBUTION,
    names::ANNOTATION_TARGET_PORT,
];

/// The parts of a refused patch, if it has several.
fn parts(d: &PlanBuilder, want: &Manifest, mut patch: Value) -> Vec<(Part, Value)> {
    let metadata = patch.as_object_mut().and_then(|patch| patch.remove("metadata"));
    let (Some(metadata), Some(false)) = (metadata, patch.as_object().map(Map::is_empty)) else {
        return vec![];
    };
    let annotations = &metadata["annotations"];
    // so does the label: an object without it counts as given back
    let describes = DESCRIBE.iter().any(|key| annotations.get(key).is_some())
        || metadata["labels"].get(names::LABEL_CANARY).is_some();
    if describes || !d.was_refused(&(want.at(), want.manager)) {
        return vec![];
    }
    // changes that proxies have to learn are written with their time, from which settling counts
    for key in [names::ANNOTATION_EPOCH, names::ANNOTATION_WRITTEN] {
        if let Some(value) = annotations.get(key) {
            json::set(&mut patch, &["metadata", "annotations", key], value.clone());
        }
    }
    vec![(Part::Metadata, json!({"metadata": metadata})), (Part::Rest, patch)]
}

/// The consequence for users if the object is not as wanted.
fn stake(cx: &Context<'_>) -> Stake {
    if unserved::loses_users(cx) { Stake::Outage } else { Stake::Traffic }
}

/// Whether users are routed as with the patch, and whether the object does everything that a run needs: the same split,
/// the same pods behind a Service, a primary with the wanted pods.
fn serves(cx: &Context<'_>, live: &Value, want: &Manifest, patch: &Value) -> (bool, bool) {
    let mut after = live.clone();
    json_patch::merge(&mut after, patch);
    let mut leads = want.kind != SERVICE || leads_to(live) == leads_to(&after);
    // all that a copy of the target contains is its revision
    let copies = [&cx.c.names.primary, &cx.c.names.canary_service];
    if cx.c.target.is_copied() && want.kind == SERVICE && copies.contains(&&want.name) {
        leads &= cx.c.target.intact(live, want);
    }
    if cx.router.reads(&cx.c).contains(&want.at()) {
        let mut objects = cx.snap.objects.clone();
        let before = cx.router.read_back(&cx.c, &objects).ok();
        // a rule that another strategy left behind may still send some requests to the canary
        let canary = &cx.c.names.canary_service;
        leads &= ways_to(cx, canary, live) <= ways_to(cx, canary, &after);
        objects.insert(want.kind, after);
        leads &= before.is_some() && before == cx.router.read_back(&cx.c, &objects).ok();
    }
    let primary = want.kind == cx.c.target.kind() && want.name == cx.c.names.primary;
    (leads, leads && (!primary || cx.c.target.intact(live, want)))
}

/// The number of places in a routing object that can send requests to a Service: destinations, as the router names them, and
/// annotations with conditions of ingress-nginx.
pub(crate) fn ways_to(cx: &Context<'_>, service: &str, route: &Value) -> usize {
    fn destinations(value: &Value, leads: &dyn Fn(&str) -> bool) -> usize {
        match value {
            Value::String(text) => usize::from(leads(text)),
            Value::Array(items) => items.iter().map(|item| destinations(item, leads)).sum(),
            Value::Object(fields) => fields.values().map(|field| destinations(field, leads)).sum(),
            _ => 0,
        }
    }
    let annotations = route["metadata"]["annotations"].as_object();
    let conditions = annotations.into_iter().flatten().filter(|(key, _)| key.contains("/canary-by-"));
    let leads = |text: &str| cx.router.leads_to(&cx.c, service, text);
    destinations(&route["spec"], &leads) + conditions.count()
}

/// The fields that decide where a Service sends requests.
fn leads_to(service: &Value) -> ([&Value; 3], Vec<[&Value; 2]>) {
    let spec = &service["spec"];
    let ports = spec["ports"].as_array().into_iter().flatten();
    let ports = ports.map(|port| [&port["port"], &port["targetPort"]]).collect();
    ([&spec["selector"], &spec["type"], &spec["externalName"]], ports)
}

/// The additional data of each write of these objects: run and time.
fn stamps(cx: &Context<'_>, d: &PlanBuilder, want: &Manifest) -> Value {
    let epoch = d.status.epoch.to_string();
    let route = cx.router.reads(&cx.c).iter().any(|r| r.kind == want.kind && r.name == want.name);
    if want.kind == cx.c.target.kind() && !cx.c.target.is_copied() && !route {
        return json!({"metadata": {"annotations": {names::ANNOTATION_EPOCH: epoch}}});
    }
    if [HPA, SCALED_OBJECT].contains(&want.kind) {
        return json!({});
    }
    let names = &cx.c.names;
    if route || [&names.apex, &names.primary_service, &names.canary_service].contains(&&want.name) {
        let written = cx.now.to_string();
        return json!({"metadata": {"annotations": {
            names::ANNOTATION_EPOCH: epoch, names::ANNOTATION_WRITTEN: written
        }}});
    }
    json!({})
}

/// Removes the time from the stamps.
fn unwritten() -> Value {
    json!({"metadata": {"annotations": {names::ANNOTATION_WRITTEN: null}}})
}

pub(crate) fn stamp(cx: &Context<'_>, d: &PlanBuilder, mut want: Manifest) -> Manifest {
    let stamps = stamps(cx, d, &want);
    merge(&mut want.body, &stamps);
    want
}

/// Adds `more` to `into`, object by object. Nulls stay, because in a merge patch they remove fields.
fn merge(into: &mut Value, more: &Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more.clone(),
    }
}
