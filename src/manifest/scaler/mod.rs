//! The primary's autoscaler: a copy of the target's under `<name>-primary`, aimed at the primary.
//!
//! Owns how HorizontalPodAutoscalers and ScaledObjects are read and rewritten. `plan` decides which bounds a run needs,
//! and when a ScaledObject is paused.

use serde_json::{Map, Value, json};

use super::{
    json as get,
    labels::{is_tracking, untracked},
    marks::{self, annotation, controller_of, original_noted},
    object::Manifest,
    revision, triggers,
};
use crate::{
    api::AutoscalerRef,
    names::{self, managers},
    snapshot::{HPA, Kind, SCALED_OBJECT},
    spec::Validated,
};

/// The number of replicas that KEDA keeps while there is nothing to do.
const IDLE: &str = "idleReplicaCount";

/// Kind and reference of the Canary's autoscaler, if it names one of a kind that is served.
pub fn named(c: &Validated) -> Option<(Kind, &AutoscalerRef)> {
    let named = c.spec.autoscaler_ref.as_ref()?;
    Some((kind(&named.kind)?, named))
}

/// The kind of this name, if its autoscalers are served.
pub fn kind(name: &str) -> Option<Kind> {
    [HPA, SCALED_OBJECT].into_iter().find(|k| k.kind == name)
}

/// Kind and name of the workload that an autoscaler scales.
pub fn scales(scaler: &Value) -> (&str, &str) {
    let target = &scaler["spec"]["scaleTargetRef"];
    (target["kind"].as_str().unwrap_or("Deployment"), target["name"].as_str().unwrap_or_default())
}

/// Created by KEDA for a ScaledObject: not an autoscaler of its own.
pub fn generated(scaler: &Value) -> bool {
    controller_of(scaler).is_some_and(|(kind, ..)| kind == SCALED_OBJECT.kind)
}

/// Minimum and maximum replicas, with the defaults of its kind.
pub fn bounds(kind: Kind, scaler: &Value) -> (i64, i64) {
    let (min, max, few, many) = fields(kind);
    let of = |field: &str| scaler["spec"][field].as_i64();
    (of(min).unwrap_or(few).max(0), of(max).unwrap_or(many).max(1))
}

/// Names and defaults of the two bounds.
fn fields(kind: Kind) -> (&'static str, &'static str, i64, i64) {
    if kind == HPA {
        ("minReplicas", "maxReplicas", 1, 1)
    } else {
        ("minReplicaCount", "maxReplicaCount", 0, 100)
    }
}

/// The bounds of the primary's autoscaler between runs: the target's, unless the Canary sets others.
pub fn primary_bounds(kind: Kind, named: &AutoscalerRef, scaler: &Value) -> (i64, i64) {
    let (min, max) = bounds(kind, scaler);
    let own = named.primary_scaler_replicas.clone().unwrap_or_default();
    (own.min_replicas.map_or(min, i64::from), own.max_replicas.map_or(max, i64::from))
}

/// The primary's autoscaler. `label`: distinguishes the target's pods from the primary's; `floor`: the pods that it
/// must keep, as far as its upper bound allows.
pub fn primary_autoscaler(
    c: &Validated,
    kind: Kind,
    named: &AutoscalerRef,
    scaler: &Value,
    label: &(String, String),
    floor: Option<i64>,
) -> Manifest {
    let mut spec = scaler["spec"].clone();
    get::set(&mut spec, &["scaleTargetRef", "name"], json!(c.names.primary));
    let (min, max) = primary_bounds(kind, named, scaler);
    let (min_field, max_field, ..) = fields(kind);
    let own = named.primary_scaler_replicas.clone().unwrap_or_default();
    for (field, own) in [(min_field, own.min_replicas), (max_field, own.max_replicas)] {
        if let Some(own) = own {
            get::set(&mut spec, &[field], json!(own));
        }
    }
    if kind == SCALED_OBJECT {
        triggers::of_primary(&mut spec, c, label, named);
    }
    let source = revision::hash(&spec);
    // by definition less than the minimum, when there is nothing to do: not while there is a floor
    let idle = spec[IDLE].is_i64();
    let floor = floor.map(|floor| floor.clamp(1, max.max(1))).filter(|floor| *floor > min || idle);
    let mut noted = Value::Null;
    if let (Some(floor), Some(spec)) = (floor, spec.as_object_mut()) {
        let at_rest = [min_field, IDLE].map(|field| (field.to_owned(), json!(spec.get(field))));
        noted = json!(json!({"replicas": floor, "atRest": Map::from_iter(at_rest)}).to_string());
        spec.insert(min_field.into(), json!(floor.max(min)));
        spec.remove(IDLE);
    }
    let mut annotations = keda_annotations(kind, scaler);
    annotations.insert(names::ANNOTATION_SOURCE.into(), json!(source));
    annotations.insert(names::ANNOTATION_FLOOR.into(), noted);
    let body = json!({"metadata": {"labels": labels(c, scaler), "annotations": annotations}, "spec": spec});
    Manifest::new(kind, &names::primary(&named.name), managers::WORKLOAD, &["/spec"], body)
}

/// Merge patch that takes the floor from the primary's autoscaler although the target's is not known. None: it has none,
/// or it is of an earlier version, which did not note what is different for it.
pub fn without_floor(scaler: &Value) -> Option<Value> {
    let noted: Value = serde_json::from_str(annotation(scaler, names::ANNOTATION_FLOOR)?).ok()?;
    let spec = &noted["atRest"];
    let marks = json!({"annotations": {names::ANNOTATION_FLOOR: null}});
    spec.is_object().then(|| json!({"metadata": marks, "spec": spec}))
}

fn labels(c: &Validated, scaler: &Value) -> Map<String, Value> {
    // KEDA labels each ScaledObject with its own name
    let others = |key: &str| !is_tracking(key) && !key.contains(names::KEDA);
    let kept = marks::labels(scaler).into_iter().filter(|(key, _)| others(key));
    let mut labels = untracked(scaler);
    labels.extend(kept.map(|(key, value)| (key, json!(value))));
    labels.insert(names::LABEL_CANARY.into(), json!(names::label_value(&c.name)));
    labels
}

/// KEDA is controlled by annotations. Those that pause it are not for the primary.
fn keda_annotations(kind: Kind, scaler: &Value) -> Map<String, Value> {
    let all = get::strings(&scaler["metadata"]["annotations"]).into_iter();
    all.filter(|(key, _)| {
        kind == SCALED_OBJECT && key.contains(names::KEDA) && !key.starts_with(names::KEDA_PAUSED)
    })
    .map(|(key, value)| (key, json!(value)))
    .collect()
}

/// A ScaledObject that keeps its workload at zero pods.
pub fn paused(scaler: &Value) -> bool {
    annotation(scaler, names::KEDA_PAUSED_REPLICAS) == Some("0")
}

/// Kept at zero pods by us.
pub fn paused_by_us(scaler: &Value) -> bool {
    paused(scaler) && original_noted(scaler)
}

/// It may scale its workload to zero.
pub fn reaches_zero(scaler: &Value) -> bool {
    let idle = scaler["spec"][IDLE].as_i64();
    idle.unwrap_or_else(|| bounds(SCALED_OBJECT, scaler).0) == 0
}

/// It removes no pods, because we disabled that.
pub fn kept_up(scaler: &Value) -> bool {
    original_noted(scaler)
        && annotation(scaler, names::KEDA_PAUSED_SCALE_IN) == Some("true")
        && !paused(scaler)
}

/// The settings of a ScaledObject before we changed them, and whose mark that is.
#[derive(Default)]
struct Before {
    replicas: Value,
    scale_in: Value,
    /// uid of the Canary that changed them. Null: an earlier version, which did not record it.
    by: Value,
}

impl Before {
    fn of(scaler: &Value) -> Self {
        let now = |key: &str| json!(annotation(scaler, key));
        let noted = annotation(scaler, names::ANNOTATION_ORIGINAL);
        let Some(noted) = noted.map(|text| serde_json::from_str::<Value>(text).unwrap_or_default()) else {
            let (replicas, scale_in) = (now(names::KEDA_PAUSED_REPLICAS), now(names::KEDA_PAUSED_SCALE_IN));
            return Self { replicas, scale_in, by: Value::Null };
        };
        // what is not ours was set by its owner since, or was there before
        let before = |key: &str, ours: &str| match annotation(scaler, key) {
            // earlier versions did not change each of them
            Some(set) if set == ours => noted.get(key).cloned().unwrap_or_else(|| now(key)),
            other => json!(other),
        };
        Self {
            replicas: before(names::KEDA_PAUSED_REPLICAS, "0"),
            scale_in: before(names::KEDA_PAUSED_SCALE_IN, "true"),
            by: noted[names::LABEL_CANARY].clone(),
        }
    }

    /// The annotation that keeps the settings while the Canary of this uid has paused the ScaledObject.
    fn to_annotation(&self, canary: &str) -> Value {
        let before = json!({
            names::KEDA_PAUSED_REPLICAS: self.replicas, names::KEDA_PAUSED_SCALE_IN: self.scale_in,
            names::LABEL_CANARY: canary,
        });
        json!(before.to_string())
    }
}

/// Merge patch to these annotations, if they differ.
fn annotations_patch(scaler: &Value, replicas: &Value, scale_in: &Value, original: &Value) -> Value {
    let all = [
        (names::KEDA_PAUSED_REPLICAS, replicas),
        (names::KEDA_PAUSED_SCALE_IN, scale_in),
        (names::ANNOTATION_ORIGINAL, original),
    ];
    let differs = |(key, value): &(&str, &Value)| json!(annotation(scaler, key)) != **value;
    let changes: Map<String, Value> =
        all.into_iter().filter(differs).map(|(key, value)| (key.to_owned(), value.clone())).collect();
    json!({"metadata": {"annotations": changes}})
}

/// Paused by the Canary of this uid, or by one that left no uid.
pub fn paused_by(scaler: &Value, canary: &str) -> bool {
    let by = Before::of(scaler).by;
    original_noted(scaler) && (by.is_null() || by == canary)
}

/// It is known which Canary changed its settings.
pub fn names_its_canary(scaler: &Value) -> bool {
    Before::of(scaler).by.is_string()
}

/// Merge patch that makes a ScaledObject keep its workload at zero pods, for the Canary of this uid; the previous
/// settings are kept beside it.
pub fn pause(scaler: &Value, canary: &str) -> Value {
    let before = Before::of(scaler);
    annotations_patch(scaler, &json!("0"), &before.scale_in, &before.to_annotation(canary))
}

/// Merge patch that lets it add pods to its workload and remove none.
pub fn keep_up(scaler: &Value, canary: &str) -> Value {
    let mut before = Before::of(scaler);
    if !original_noted(scaler) && paused(scaler) {
        // a pause without a mark of ours is Flagger's
        before.replicas = Value::Null;
    }
    annotations_patch(scaler, &before.replicas, &json!("true"), &before.to_annotation(canary))
}

/// Merge patch that resumes it. A pause without a mark of ours is Flagger's, and is lifted.
pub fn resume(scaler: &Value) -> Value {
    let mut before = Before::of(scaler);
    if !original_noted(scaler) {
        before.replicas = Value::Null;
    }
    annotations_patch(scaler, &before.replicas, &before.scale_in, &Value::Null)
}

#[cfg(test)]
mod tests;
