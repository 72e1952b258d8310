//! The pods that a Service, or a primary, selects.
//!
//! Every label of the target's own selector counts. One of them, the label that distinguishes a primary from its
//! target, has another value on the primary's side. The selector of a Deployment or DaemonSet cannot be changed once it
//! exists: a primary that selects by fewer labels, or by those of a former target, keeps them, and so do its pods.

use serde_json::{Map, Value, json};

use super::json as get;
use crate::names;

/// Labels with values that are all required.
pub type Selector = Map<String, Value>;

/// Labels by which the target's pods are selected. `label` distinguishes them from the primary's.
pub fn of_target(target: &Value, label: &(String, String)) -> Selector {
    let mut all = match_labels(target);
    all.insert(label.0.clone(), json!(label.1));
    all
}

/// Labels by which the pods of a new primary are selected.
pub fn of_new_primary(target: &Value, label: &(String, String)) -> Selector {
    let mut all = match_labels(target);
    all.insert(label.0.clone(), json!(names::primary(&label.1)));
    all
}

/// Labels by which the primary's pods are selected: those of its own selector, and those of a new primary's other
/// labels that all of its pods have. `service`: the current selector of its Service.
pub fn of_primary(
    target: &Value,
    label: &(String, String),
    primary: Option<&Value>,
    service: Option<&Value>,
) -> Selector {
    let new = of_new_primary(target, label);
    let Some(primary) = primary else { return new };
    let mut own = match_labels(primary);
    if own.is_empty() {
        return new;
    }
    let labels = &primary["spec"]["template"]["metadata"]["labels"];
    let selected = service.map_or(&Value::Null, |service| &service["spec"]["selector"]);
    for (key, value) in new {
        let known = is_rolled_out(primary) || selected[&key] == value;
        if key != label.0 && !own.contains_key(&key) && labels[&key] == value && known {
            own.insert(key, value);
        }
    }
    own
}

/// All pods of the workload have its current template.
pub(super) fn is_rolled_out(workload: &Value) -> bool {
    let status = &workload["status"];
    let count = |field: &str| status[field].as_i64().unwrap_or(0);
    let (all, updated) = if status["desiredNumberScheduled"].is_i64() {
        (count("currentNumberScheduled"), count("updatedNumberScheduled"))
    } else {
        (count("replicas"), count("updatedReplicas"))
    };
    count("observedGeneration") >= get::generation(workload).unwrap_or(0) && all == updated
}

/// Labels that the pods of a primary keep whatever the target's labels are: those by which it, and the Service in front
/// of it, select them.
pub fn kept_by(primary: &Value, target: &Value) -> Selector {
    let mut kept = match_labels(primary);
    let labels = &primary["spec"]["template"]["metadata"]["labels"];
    for key in match_labels(target).keys() {
        if !kept.contains_key(key) && labels[key].is_string() {
            kept.insert(key.clone(), labels[key].clone());
        }
    }
    kept
}

/// The selector of a new primary: includes the target's expressions, except those about `label`.
pub fn whole(target: &Value, label: &(String, String)) -> Value {
    let expressions = get::list(&target["spec"]["selector"]["matchExpressions"]).iter();
    let others: Vec<&Value> = expressions.filter(|e| e["key"] != label.0.as_str()).collect();
    let mut selector = json!({"matchLabels": of_new_primary(target, label)});
    if !others.is_empty() {
        get::set(&mut selector, &["matchExpressions"], json!(others));
    }
    selector
}

/// `spec.selector.matchLabels` of a workload.
pub fn match_labels(workload: &Value) -> Selector {
    let labels = get::strings(&workload["spec"]["selector"]["matchLabels"]);
    labels.into_iter().map(|(key, value)| (key, json!(value))).collect()
}

/// The pods of a workload are selected.
pub fn selects(selector: &Selector, workload: &Value) -> bool {
    let labels = &workload["spec"]["template"]["metadata"]["labels"];
    !selector.is_empty() && selector.iter().all(|(key, value)| labels[key] == *value)
}

/// A selector for people, e.g. `app=web, tier=front`.
pub fn shown(selector: &Selector) -> String {
    let pairs = selector.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
    pairs.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
