//! PURE. Objects we want to exist, and the smallest patch from what exists to what we want.
//!
//! Owns what the generated workloads, Services and stored templates look like, and how marks of ours are read back.
//! Does not write: `apply` sends the patches. Routing objects are rendered by `router`, with the types of this module.

pub mod config;
pub mod job;
pub mod json;
pub mod knative;
mod patch;
pub mod readiness;
pub mod revision;
pub mod scaler;
pub mod service;
mod service_target;
pub mod target;
pub mod workload;

/// Carries a mark of ours: made or taken over by Serin, and not yet given back.
pub(crate) fn marked(object: &Value) -> bool {
    let ours = |map: &Value| map.as_object().is_some_and(|m| m.keys().any(|k| k.starts_with("serin.dev/")));
    ours(&object["metadata"]["labels"]) || ours(&object["metadata"]["annotations"])
}

#[cfg(test)]
pub(crate) mod fixture;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

pub use self::{
    json::{generation, replicas, resource_version, uid},
    patch::{difference, patch},
    readiness::Rollout,
};
use crate::{
    names,
    snapshot::{CANARY, Kind, ObjectRef},
};

/// An object as Serin wants it: only the fields it owns.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Manifest {
    /// Kind of the object.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Field manager under which it is written (see `names::managers`).
    pub manager: &'static str,
    /// JSON pointers of the fields that are owned whole: what is there and not here is removed. Everything else
    /// in `body` is merged key by key, and keys not in it are left alone.
    pub owned: &'static [&'static str],
    /// apiVersion, kind, metadata (name, labels, annotations) and spec.
    pub body: Value,
}

/// How to give back something that Serin made or took over.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub enum Undo {
    /// Patch the live object to this.
    Restore(Manifest),
    /// Delete it: it was made by Serin and nobody else needs it.
    Delete(ObjectRef),
}

impl Manifest {
    /// An object of `kind` named `name`; `rest` holds metadata and spec. A `null` in it removes the live key.
    pub fn new(
        kind: Kind,
        name: &str,
        manager: &'static str,
        owned: &'static [&'static str],
        rest: Value,
    ) -> Self {
        let mut body = rest;
        json::set(&mut body, &["apiVersion"], json!(kind.api_version()));
        json::set(&mut body, &["kind"], json!(kind.kind));
        json::set(&mut body, &["metadata", "name"], json!(name));
        Self { kind, name: name.to_owned(), manager, owned, body }
    }

    /// Where it points.
    pub fn at(&self) -> ObjectRef {
        ObjectRef::new(self.kind, self.name.clone())
    }

    /// With one annotation more.
    #[must_use]
    pub fn annotated(mut self, key: &str, value: &str) -> Self {
        json::set(&mut self.body, &["metadata", "annotations", key], json!(value));
        self
    }

    /// With the epoch of the run that writes it and the time of the write, from which settling is counted.
    #[must_use]
    pub fn stamped(self, epoch: i64, written: Timestamp) -> Self {
        self.annotated(names::ANNOTATION_EPOCH, &epoch.to_string())
            .annotated(names::ANNOTATION_WRITTEN, &written.to_string())
    }

    /// Owned by the Canary, so that it is collected with it. Not for anything traffic flows through.
    #[must_use]
    pub fn owned_by(mut self, canary: &str, uid: &str) -> Self {
        let owner = json!([{
            "apiVersion": CANARY.api_version(), "kind": CANARY.kind, "name": canary, "uid": uid,
            "controller": true, "blockOwnerDeletion": false,
        }]);
        json::set(&mut self.body, &["metadata", "ownerReferences"], owner);
        self
    }

    /// The body for a POST: without the `null`s that only mean something in a patch.
    pub fn to_create(&self) -> Value {
        let mut body = self.body.clone();
        json::drop_nulls(&mut body);
        body
    }
}

/// True if Serin made the object for this Canary.
pub fn ours(object: &Value, canary: &str) -> bool {
    json::label(object, names::LABEL_CANARY) == Some(names::label_value(canary).as_str())
}

/// True if the object was adopted: somebody else's, with its original kept in an annotation.
pub fn adopted(object: &Value) -> bool {
    annotation(object, names::ANNOTATION_ORIGINAL).is_some()
}

/// True if Serin or Flagger made the object for this Canary, so that nobody else needs it.
pub fn made_for(object: &Value, canary: &str) -> bool {
    ours(object, canary)
        || controller_of(object).is_some_and(|(kind, name, _)| kind == CANARY.kind && name == canary)
}

/// Kind, name and uid of the owner that controls the object.
pub fn controller_of(object: &Value) -> Option<(&str, &str, &str)> {
    let owner = object["metadata"]["ownerReferences"].as_array()?.iter().find(|o| o["controller"] == true)?;
    Some((owner["kind"].as_str()?, owner["name"].as_str()?, owner["uid"].as_str().unwrap_or_default()))
}

/// Merge patch that removes the Canary from the object's owners (as Flagger leaves it there); None if it is not one.
pub fn disown(object: &Value, canary: &str) -> Option<Value> {
    let owners = object["metadata"]["ownerReferences"].as_array()?;
    let kept: Vec<&Value> =
        owners.iter().filter(|o| o["kind"] != CANARY.kind || o["name"] != canary).collect();
    if kept.len() == owners.len() {
        return None;
    }
    Some(json!({"metadata": {"ownerReferences": if kept.is_empty() { Value::Null } else { json!(kept) }}}))
}

/// Its labels.
pub fn labels(object: &Value) -> BTreeMap<String, String> {
    json::strings(&object["metadata"]["labels"])
}

/// One annotation.
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["annotations"][key].as_str()
}

/// When Serin last wrote the object's traffic (`names::ANNOTATION_WRITTEN`).
pub fn written(object: &Value) -> Option<Timestamp> {
    annotation(object, names::ANNOTATION_WRITTEN)?.parse().ok()
}

/// Epoch of the run that wrote the object; None if it bears none.
pub fn epoch(object: &Value) -> Option<i64> {
    annotation(object, names::ANNOTATION_EPOCH)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_back_as_written() {
        let at: Timestamp = "2026-01-02T03:04:05.678Z".parse().unwrap();
        let m = Manifest::new(CANARY, "x", names::managers::ROUTE, &[], json!({})).stamped(7, at);
        assert_eq!((epoch(&m.body), written(&m.body)), (Some(7), Some(at)));
        assert_eq!((epoch(&json!({})), written(&json!(3))), (None, None));
    }

    #[test]
    fn only_the_canary_is_disowned() {
        let object = json!({"metadata": {"ownerReferences": [
            {"kind": "Canary", "name": "podinfo", "uid": "1", "controller": true},
            {"kind": "Team", "name": "a", "uid": "2"},
        ]}});
        assert_eq!(controller_of(&object), Some(("Canary", "podinfo", "1")));
        assert!(made_for(&object, "podinfo") && !made_for(&object, "other") && !ours(&object, "podinfo"));
        let patch = disown(&object, "podinfo").unwrap();
        assert_eq!(patch["metadata"]["ownerReferences"], json!([{"kind": "Team", "name": "a", "uid": "2"}]));
        assert_eq!(disown(&object, "other"), None);
    }

    #[test]
    fn a_body_to_create_has_no_nulls() {
        let rest = json!({"metadata": {"labels": {"a": null, "b": "c"}}, "spec": {"x": [{"y": null}]}});
        let m = Manifest::new(CANARY, "x", "m", &[], rest);
        assert_eq!(m.to_create()["metadata"]["labels"], json!({"b": "c"}));
        assert_eq!(m.to_create()["spec"], json!({"x": [{}]}));
    }
}
