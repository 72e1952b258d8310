//! ConfigMaps and Secrets of a pod: where a template refers to them, which part of one counts, and the immutable copies
//! that a primary refers to instead.
//!
//! Owns the names and contents of copies. Contents pass through [`digest`] and [`copy`] only: the planner
//! sees metadata and a checksum. `plan` decides which copies to make or drop.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    digest, json as get,
    labels::included,
    marks::{annotation, labels, ours},
    object::Manifest,
};
use crate::{
    names::{self, managers},
    snapshot::{CONFIG_MAP, Kind, ObjectRef, SECRET},
    text::first_chars,
};

/// The kinds that contain configuration.
pub const KINDS: [Kind; 2] = [CONFIG_MAP, SECRET];

/// Types of Secrets that are tracked, as in Flagger; others belong to the cluster or to its tools.
const SECRET_TYPES: [&str; 4] =
    ["Opaque", "kubernetes.io/basic-auth", "kubernetes.io/ssh-auth", "kubernetes.io/tls"];

/// Characters of a checksum, as in Flagger's status.
const CHECKSUM: usize = 16;
/// Characters of the hash in the name of a copy.
const SHORT: usize = 10;
/// Longest name of an object.
const LONGEST: usize = 253;

/// A place in a pod spec that refers to a ConfigMap or Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// What it refers to.
    pub at: ObjectRef,
    /// Pods start without it.
    pub optional: bool,
    /// The place, e.g. `containers[app].env[TOKEN]`.
    pub field: String,
}

/// What is known about a content: its version, and its checksum if it is tracked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Digest {
    /// `metadata.resourceVersion`.
    pub version: String,
    /// 16 hex digits. None: a Secret of a type that is not followed.
    pub checksum: Option<String>,
}

/// A copy to make, without its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CopyOf {
    /// What to copy.
    pub from: ObjectRef,
    /// Name of the copy.
    pub name: String,
    /// The content that it must have; a different content is not copied.
    pub checksum: String,
    /// The Canary it is made for.
    pub canary: String,
    /// Prefixes of labels that are copied; `*` means all.
    pub prefixes: Vec<String>,
}

/// `configmap/<name>` or `secret/<name>`, as in status.
pub fn key(at: &ObjectRef) -> String {
    format!("{}/{}", at.kind.kind.to_lowercase(), at.name)
}

/// The object that a [`key`] refers to.
pub fn by_key(key: &str) -> Option<ObjectRef> {
    let (kind, name) = key.split_once('/')?;
    let kind = KINDS.into_iter().find(|k| k.kind.eq_ignore_ascii_case(kind))?;
    Some(ObjectRef::new(kind, name))
}

/// All references of a pod spec in order, one per object: mandatory if any place needs it.
pub fn references(pod: &Value) -> Vec<Reference> {
    let mut found: Vec<Reference> = Vec::new();
    visit(&mut pod.clone(), &mut |kind, holder, name, field| {
        let name = holder[name].as_str().unwrap_or_default();
        if name.is_empty() {
            return;
        }
        let (at, optional) = (ObjectRef::new(kind, name), holder["optional"] == true);
        match found.iter_mut().find(|r| r.at == at) {
            Some(known) if known.optional && !optional => *known = Reference { at, optional, field },
            Some(_) => {}
            None => found.push(Reference { at, optional, field }),
        }
    });
    found
}

/// Points references to copies, given by [`key`]; others stay.
pub fn rewrite(pod: &mut Value, copies: &BTreeMap<String, String>) {
    visit(pod, &mut |kind, holder, field, _| {
        let name = holder[field].as_str().unwrap_or_default();
        if let Some(copy) = copies.get(&key(&ObjectRef::new(kind, name))) {
            get::set(holder, &[field], json!(copy));
        }
    });
}

/// Calls `f` with kind, the object that contains the name, its member, and the place.
fn visit(pod: &mut Value, f: &mut dyn FnMut(Kind, &mut Value, &'static str, String)) {
    for volume in elements(pod, "volumes") {
        let at = format!("volumes[{}]", volume["name"].as_str().unwrap_or_default());
        member(volume, "configMap", CONFIG_MAP, "name", &at, f);
        member(volume, "secret", SECRET, "secretName", &at, f);
        for source in volume.get_mut("projected").into_iter().flat_map(|p| elements(p, "sources")) {
            member(source, "configMap", CONFIG_MAP, "name", &at, f);
            member(source, "secret", SECRET, "name", &at, f);
        }
    }
    for list in ["initContainers", "containers"] {
        for container in elements(pod, list) {
            let at = format!("{list}[{}]", container["name"].as_str().unwrap_or_default());
            for variable in elements(container, "env") {
                let at = format!("{at}.env[{}]", variable["name"].as_str().unwrap_or_default());
                if let Some(from) = variable.get_mut("valueFrom") {
                    member(from, "configMapKeyRef", CONFIG_MAP, "name", &at, f);
                    member(from, "secretKeyRef", SECRET, "name", &at, f);
                }
            }
            for from in elements(container, "envFrom") {
                member(from, "configMapRef", CONFIG_MAP, "name", &format!("{at}.envFrom"), f);
                member(from, "secretRef", SECRET, "name", &format!("{at}.envFrom"), f);
            }
        }
    }
}

fn elements<'v>(value: &'v mut Value, list: &str) -> impl Iterator<Item = &'v mut Value> + use<'v> {
    value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
}

fn member(
    of: &mut Value,
    name: &str,
    kind: Kind,
    field: &'static str,
    at: &str,
    f: &mut dyn FnMut(Kind, &mut Value, &'static str, String),
) {
    if let Some(holder) = of.get_mut(name).filter(|h| h.is_object()) {
        f(kind, holder, field, at.to_owned());
    }
}

/// Its owner has excluded it: primary and target use the same object.
pub fn opted_out(object: &Value) -> bool {
    annotation(object, names::ANNOTATION_CONFIG_TRACKING).is_some_and(|v| v.starts_with("disable"))
}

/// The parts of a content that count: data, binary data and the type of a Secret.
pub fn digest(object: &Value) -> Digest {
    let version = get::resource_version(object).unwrap_or_default().to_owned();
    let secret = object["kind"] == SECRET.kind;
    let type_ = object["type"].as_str().unwrap_or("Opaque");
    if secret && !SECRET_TYPES.contains(&type_) {
        return Digest { version, checksum: None };
    }
    let mut content = Map::new();
    for field in ["data", "binaryData"] {
        if object[field].as_object().is_some_and(|m| !m.is_empty()) {
            content.insert(field.into(), object[field].clone());
        }
    }
    if secret {
        content.insert("type".into(), json!(type_));
    }
    Digest { version, checksum: Some(first_chars(&digest::of(&Value::Object(content)), CHECKSUM).to_owned()) }
}

/// Name of the copy of a content: `<name>-primary-<hash>`. Each Canary has its own copies, so none waits for another
/// one to release a copy.
pub fn copy_name(canary: &str, from: &ObjectRef, checksum: &str) -> String {
    let hash = digest::of_text(&format!("{canary}/{}/{checksum}", key(from)));
    let hash = first_chars(&hash, SHORT);
    let room = LONGEST - names::primary("").len() - 1 - SHORT;
    let name = first_chars(&from.name, room);
    format!("{}-{hash}", names::primary(name.trim_end_matches(['-', '.'])))
}

/// Name that a primary refers to in place of an optional object that did not exist when it got its template. Nothing
/// has that name, so that the object reaches no pods of the primary if it is created later.
pub fn stand_in(canary: &str, absent: &ObjectRef) -> String {
    copy_name(canary, absent, "")
}

/// The copy of `source`; none if its content is not the wanted one.
pub fn copy(source: &Value, of: &CopyOf) -> Option<Manifest> {
    if digest(source).checksum.as_ref() != Some(&of.checksum) {
        return None;
    }
    let mut labels: Map<String, Value> = labels(source)
        .into_iter()
        .filter(|(key, _)| included(key, &of.prefixes))
        .map(|(key, value)| (key, json!(value)))
        .collect();
    labels.insert(names::LABEL_CANARY.into(), json!(names::label_value(&of.canary)));
    let body = json!({
        "metadata": {"labels": labels, "annotations": {names::ANNOTATION_CHECKSUM: of.checksum}},
        "data": source["data"], "binaryData": source["binaryData"], "type": source["type"], "immutable": true,
    });
    Some(Manifest::new(of.from.kind, &of.name, managers::WORKLOAD, &[], body))
}

/// True if the object is a copy that was made for this Canary.
pub fn is_copy(object: &Value, canary: &str) -> bool {
    ours(object, canary) && annotation(object, names::ANNOTATION_CHECKSUM).is_some()
}

/// The parts of a ConfigMap or Secret that have to be remembered: no content, and no annotations that may repeat it.
pub fn without_content(object: &Value) -> Value {
    let meta = &object["metadata"];
    let mut kept = Map::new();
    for field in ["name", "namespace", "uid", "resourceVersion", "deletionTimestamp", "ownerReferences"] {
        kept.insert(field.into(), meta[field].clone());
    }
    kept.insert("labels".into(), json!({names::LABEL_CANARY: meta["labels"][names::LABEL_CANARY]}));
    let marks = [names::ANNOTATION_CHECKSUM, names::ANNOTATION_CONFIG_TRACKING];
    let marks: Map<String, Value> =
        marks.into_iter().map(|m| (m.to_owned(), meta["annotations"][m].clone())).collect();
    kept.insert("annotations".into(), Value::Object(marks));
    let mut out = json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": kept});
    get::drop_nulls(&mut out);
    out
}

#[cfg(test)]
mod tests;
