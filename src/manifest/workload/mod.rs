//! The primary of a Deployment or DaemonSet: a clone of the target under `<target>-primary`, which selects its own
//! pods.
//!
//! Owns how a template is rewritten, and how a live primary is compared with the wanted one. Replicas are set at
//! creation only: afterwards an autoscaler or `plan` owns them.

use serde_json::{Map, Value, json};

use super::{
    config, json as get,
    labels::{included, is_acting, is_tracking, restarts, untracked},
    object::Manifest,
    revision::{FOLLOWED, Source},
    selectors,
};
use crate::{
    names::{self, managers},
    snapshot::DEPLOYMENT,
    spec::{Target, Validated},
};

/// Keys that controllers keep on workloads for themselves.
const CONTROLLER_KEYS: [&str; 2] = ["deployment.kubernetes.io/", "deprecated.daemonset.template.generation"];

/// The name by which Dapr finds the pods of an application.
const DAPR_APP_ID: &str = "dapr.io/app-id";

/// The label by which the target selects its pods, with its value: the first of `prefs` among
/// `spec.selector.matchLabels`.
pub fn selector_label(target: &Value, prefs: &[String]) -> Option<(String, String)> {
    let selector = &target["spec"]["selector"]["matchLabels"];
    prefs.iter().find_map(|key| Some((key.clone(), selector[key.as_str()].as_str()?.to_owned())))
}

/// The primary after a promotion: template and followed fields of `source`; labels and annotations of the target by
/// prefix only, and other annotations of the target that were copied at creation are removed (Flagger replaces both).
/// `label` is the target's [`selector_label`], `hash` the revision of `source`.
pub fn primary(
    c: &Validated,
    target: &Value,
    source: &Source,
    label: &(String, String),
    epoch: i64,
    hash: &str,
    include_prefix: &[String],
) -> Manifest {
    let mut labels = untracked(target);
    for (key, value) in get::strings(&target["metadata"]["labels"]) {
        if included(&key, include_prefix) {
            labels.insert(key, json!(value));
        }
    }
    labels.insert(label.0.clone(), json!(names::primary(&label.1)));
    labels.insert(names::LABEL_CANARY.into(), json!(names::label_value(&c.name)));

    let noted = get::strings(&target["metadata"]["annotations"]).into_keys();
    let mut annotations: Map<String, Value> = noted
        .filter(|key| is_tracking(key) && !key.contains(names::FLUX))
        .map(|key| (key, Value::Null))
        .collect();
    for (key, value) in copied_annotations(target) {
        let value = if included(&key, include_prefix) { json!(value) } else { Value::Null };
        annotations.insert(key, value);
    }
    annotations.insert(names::ANNOTATION_REVISION.into(), json!(hash));
    annotations.insert(names::ANNOTATION_EPOCH.into(), json!(epoch.to_string()));

    let mut spec = Map::new();
    for field in FOLLOWED {
        spec.insert(field.into(), source.spec.get(field).cloned().unwrap_or(Value::Null));
    }
    let mut template = template(c.target, &source.template, label, &c.names.target);
    if let Some(pod) = template.get_mut("spec") {
        config::rewrite(pod, &source.configs);
    }
    spec.insert("template".into(), template);
    let body = json!({"metadata": {"labels": labels, "annotations": annotations}, "spec": spec});
    let owned = &["/spec/template", "/spec/strategy", "/spec/updateStrategy"];
    Manifest::new(c.target.kind(), &c.names.primary, managers::WORKLOAD, owned, body)
}

/// The same primary if it does not exist yet: with its selector (immutable), replicas (at least 0), and all annotations
/// of the target except those by which tools recognise what they have applied and those by which controllers act.
pub fn created(mut primary: Manifest, target: &Value, label: &(String, String), replicas: i64) -> Manifest {
    for (key, value) in copied_annotations(target) {
        if primary.body["metadata"]["annotations"][&key].is_null() && !is_acting(&key) {
            get::set(&mut primary.body, &["metadata", "annotations", &key], json!(value));
        }
    }
    get::set(&mut primary.body, &["spec", "selector"], selectors::whole(target, label));
    if primary.kind == DEPLOYMENT {
        get::set(&mut primary.body, &["spec", "replicas"], json!(replicas.max(0)));
    }
    get::drop_nulls(&mut primary.body);
    primary
}

/// The primary with the pod labels by which the live one selects its pods, which cannot be changed: they differ from
/// the target's if the target was created again. `source` is the source of the primary, `label` the target's
/// [`selector_label`].
#[must_use]
pub fn still_selected(
    mut primary: Manifest,
    live: &Value,
    target: &Value,
    source: &Value,
    label: &(String, String),
) -> Manifest {
    let kept = selectors::kept_by(live, target);
    let labels = primary.body.pointer_mut("/spec/template/metadata/labels").and_then(Value::as_object_mut);
    let Some(labels) = labels else { return primary };
    if source["metadata"]["labels"][&label.0].is_null() {
        // from a former target, which had another one
        labels.remove(&label.0);
    }
    labels.extend(kept);
    primary
}

/// Only our marks, for a primary whose template stays as it is: one taken over from Flagger, or one that needs a new
/// epoch. Restarts nothing.
pub fn marked(c: &Validated, epoch: i64, hash: &str) -> Manifest {
    let body = json!({"metadata": {"labels": {names::LABEL_CANARY: names::label_value(&c.name)}}});
    Manifest::new(c.target.kind(), &c.names.primary, managers::WORKLOAD, &[], body)
        .annotated(names::ANNOTATION_REVISION, hash)
        .annotated(names::ANNOTATION_EPOCH, &epoch.to_string())
}

/// The pod template of `source` as the primary of `workload` has it. Pods of a DaemonSet keep their affinities,
/// as in Flagger: there is only one per node anyway.
pub fn template(kind: Target, source: &Value, label: &(String, String), workload: &str) -> Value {
    let mut out = source.clone();
    for field in ["/metadata/labels", "/metadata/annotations"] {
        if let Some(map) = out.pointer_mut(field).and_then(Value::as_object_mut) {
            map.retain(|key, _| !key.contains(names::FLUX));
        }
    }
    get::set(&mut out, &["metadata", "labels", &label.0], json!(names::primary(&label.1)));
    if kind == Target::DaemonSet {
        return out;
    }
    let rename = Rename { key: &label.0, values: [&label.1, workload] };
    each_term(&mut out, &APART, &|term| rename.selector(&mut term["labelSelector"]));
    // terms about pods of others keep those, whatever they are named
    let labels = &source["metadata"]["labels"];
    each_term(&mut out, &TOGETHER, &|term| {
        if includes_own(term, labels) {
            rename.selector(&mut term["labelSelector"]);
        }
    });
    out
}

/// Where a template says from which pods its own are kept apart: lists, and the place of the term in their elements.
const APART: [(&str, &str); 3] = [
    ("/spec/topologySpreadConstraints", ""),
    ("/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution", ""),
    ("/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution", "/podAffinityTerm"),
];
/// Where it says near which pods its own are placed. The first list is a requirement.
const TOGETHER: [(&str, &str); 2] = [
    ("/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution", ""),
    ("/spec/affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution", "/podAffinityTerm"),
];

/// Calls `f` with each term in these places that has a selector.
fn each_term(template: &mut Value, places: &[(&str, &str)], f: &dyn Fn(&mut Value)) {
    for (list, place) in places {
        let elements = template.pointer_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        let terms = elements.filter_map(|element| element.pointer_mut(place));
        terms.filter(|term| term["labelSelector"].is_object()).for_each(f);
    }
}

/// The term is about pods with these labels in their own namespace.
fn includes_own(term: &Value, labels: &Value) -> bool {
    let elsewhere = !get::list(&term["namespaces"]).is_empty() || !term["namespaceSelector"].is_null();
    let selector = &term["labelSelector"];
    let is_met = |expression: &Value| {
        let value = &labels[expression["key"].as_str().unwrap_or_default()];
        let listed = get::list(&expression["values"]).contains(value);
        match expression["operator"].as_str() {
            Some("In") => listed,
            Some("NotIn") => !listed,
            Some("Exists") => value.is_string(),
            Some("DoesNotExist") => !value.is_string(),
            _ => false,
        }
    };
    let equal = get::strings(&selector["matchLabels"]);
    selector.is_object()
        && !elsewhere
        && equal.iter().all(|(key, value)| labels[key] == value.as_str())
        && get::list(&selector["matchExpressions"]).iter().all(is_met)
}

/// An earlier version, or Flagger, has left the primary's pods with a requirement that only the target's pods meet.
fn needs_target(c: &Validated, target: &Value, primary: &Value) -> Option<String> {
    let [(required, _), _] = TOGETHER;
    let template = &primary["spec"]["template"];
    let labels = |workload: &Value| workload["spec"]["template"]["metadata"]["labels"].clone();
    let (theirs, own) = (labels(target), labels(primary));
    let mut terms = get::list(template.pointer(required).unwrap_or(&Value::Null)).iter();
    terms.any(|term| includes_own(term, &theirs) && !includes_own(term, &own)).then(|| {
        format!(
            "the podAffinity of {primary} requires pods of {target} nearby: while {target} has none, no pod of {primary} can be scheduled. The next promotion changes that to pods of {primary}",
            primary = c.names.primary,
            target = c.names.target
        )
    })
}

/// The values of a selector's expression.
fn values(expression: &mut Value) -> impl Iterator<Item = &mut Value> {
    expression.get_mut("values").and_then(Value::as_array_mut).into_iter().flatten()
}

/// The expressions of a selector.
fn expressions(selector: &mut Value) -> impl Iterator<Item = &mut Value> {
    selector.get_mut("matchExpressions").and_then(Value::as_array_mut).into_iter().flatten()
}

/// Points the selectors of a template to the primary's pods.
struct Rename<'a> {
    key: &'a str,
    /// The target's label value and name; both stand for its pods.
    values: [&'a str; 2],
}

impl Rename<'_> {
    fn selector(&self, selector: &mut Value) {
        if let Some(value) = selector.get_mut("matchLabels").and_then(|labels| labels.get_mut(self.key)) {
            self.value(value);
        }
        for expression in expressions(selector).filter(|expression| expression["key"] == self.key) {
            if let Some(value) = values(expression).find(|value| self.means_target(value)) {
                self.value(value);
            }
        }
    }

    fn means_target(&self, value: &Value) -> bool {
        value.as_str().is_some_and(|v| self.values.contains(&v))
    }

    fn value(&self, value: &mut Value) {
        if self.means_target(value) {
            *value = json!(names::primary(value.as_str().unwrap_or_default()));
        }
    }
}

/// Undoes every [`Rename`] of a selector, whatever its rule was.
fn unrenamed(selector: &mut Value) {
    let plain = |value: &mut Value| {
        if let Some(name) = value.as_str().and_then(|name| name.strip_suffix(&names::primary(""))) {
            *value = json!(name);
        }
    };
    let labels = selector.get_mut("matchLabels").and_then(Value::as_object_mut);
    labels.into_iter().flat_map(Map::values_mut).for_each(plain);
    expressions(selector).flat_map(values).for_each(plain);
}

/// Annotations of the target that are copied to a primary.
fn copied_annotations(target: &Value) -> impl Iterator<Item = (String, String)> {
    get::strings(&target["metadata"]["annotations"]).into_iter().filter(|(key, _)| {
        !is_tracking(key)
            && key != names::ANNOTATION_KUBECTL
            && !CONTROLLER_KEYS.iter().any(|own| key.starts_with(own))
    })
}

/// Whether the live primary's template lacks something of the wanted one. Extra keys of maps are tolerated, because
/// webhooks and kubectl add some; extra list elements are not.
pub fn differs(live_primary: &Value, want: &Manifest) -> bool {
    !covers(&live_primary["spec"]["template"], &want.body["spec"]["template"])
}

fn covers(live: &Value, want: &Value) -> bool {
    match (live, want) {
        (_, Value::Null) => true,
        (Value::Object(live), Value::Object(want)) => {
            want.iter().all(|(k, v)| covers(live.get(k).unwrap_or(&Value::Null), v))
        }
        (Value::Null, Value::Object(want)) => want.is_empty(),
        (Value::Array(live), Value::Array(want)) => {
            // Reloader restarts a workload on purpose
            let live: Vec<&Value> = live.iter().filter(|l| !restarts(l) || want.contains(l)).collect();
            live.len() == want.len() && live.iter().zip(want).all(|(l, w)| covers(l, w))
        }
        _ => get::same_scalar(live, want),
    }
}

/// What of the templates of target and primary works, but probably not as intended.
pub fn advice(c: &Validated, target: &Value, primary: &Value) -> impl Iterator<Item = String> {
    shared_identity(c, target).into_iter().chain(needs_target(c, target, primary))
}

/// Another component that finds pods by an annotation would see both sides under one name.
fn shared_identity(c: &Validated, target: &Value) -> Option<String> {
    let id = target["spec"]["template"]["metadata"]["annotations"][DAPR_APP_ID].as_str()?;
    Some(format!(
        "spec.template of {} has the annotation {DAPR_APP_ID}: {id}, which {} has as well: Dapr sends calls of {id} to the pods of both, whatever the weights are: call {} through its Service instead",
        c.names.target, c.names.primary, c.names.apex
    ))
}

/// Merge patch that removes the labels and annotations of a live primary by which a tool would treat it as its own: an
/// earlier version copied them from the target. None: it has none.
pub fn untrack(live: &Value, target: &Value, label: &(String, String)) -> Option<Value> {
    let of = |field: &str| -> Map<String, Value> {
        let targets = get::strings(&target["metadata"][field]);
        let own = get::strings(&live["metadata"][field]).into_iter();
        let copied = own.filter(|(key, value)| {
            is_tracking(key) && *key != label.0 && targets.get(key).is_some_and(|t| t == value)
        });
        copied.map(|(key, _)| (key, Value::Null)).collect()
    };
    let (labels, annotations) = (of("labels"), of("annotations"));
    let any = !labels.is_empty() || !annotations.is_empty();
    any.then(|| json!({"metadata": {"labels": labels, "annotations": annotations}}))
}

/// Whether a primary that Flagger made runs the same as the target: the two templates, the target's rewritten by
/// [`template`], are equal except for Flagger's restart annotation, the names of its config copies (`<name>-primary`),
/// and which values of selectors that keep pods apart or together are the primary's: Flagger renames those that are the name of the
/// workload, under any of the selector labels, and early versions of it rename none.
pub fn same_template(primary_template: &Value, rewritten_target_template: &Value) -> bool {
    let plain = |template: &Value| {
        let mut out = template.clone();
        get::drop_nulls(&mut out);
        for places in [&APART[..], &TOGETHER[..]] {
            each_term(&mut out, places, &|term| unrenamed(&mut term["labelSelector"]));
        }
        if let Some(annotations) = out.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            annotations.remove(names::ANNOTATION_FLAGGER_ID);
        }
        if let Some(metadata) = out.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|_, v| v.as_object().is_none_or(|m| !m.is_empty()));
        }
        out
    };
    alike(&plain(primary_template), &plain(rewritten_target_template), "", "")
}

fn alike(primary: &Value, target: &Value, key: &str, parent: &str) -> bool {
    match (primary, target) {
        (Value::Object(p), Value::Object(t)) => {
            p.len() == t.len() && p.iter().all(|(k, v)| t.get(k).is_some_and(|w| alike(v, w, k, key)))
        }
        (Value::Array(p), Value::Array(t)) => {
            p.len() == t.len() && p.iter().zip(t).all(|(p, t)| alike(p, t, "", key))
        }
        (Value::String(p), Value::String(t)) if is_config_name(key, parent) => {
            p == t || *p == names::primary(t)
        }
        _ => get::same_scalar(primary, target),
    }
}

fn is_config_name(key: &str, parent: &str) -> bool {
    let named = ["configMap", "secret", "configMapKeyRef", "secretKeyRef", "configMapRef", "secretRef"];
    matches!(key, "name" | "secretName") && named.contains(&parent)
}

#[cfg(test)]
mod tests;
