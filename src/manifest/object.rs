//! The wanted state of an object, and how to give one back.

use serde_json::{Value, json};

use super::json;
use crate::snapshot::{CANARY, Kind, ObjectRef};

/// The wanted state of an object: only the fields that Serin owns.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Manifest {
    /// Kind of the object.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Field manager for writes (see `names::managers`).
    pub manager: &'static str,
    /// JSON pointers of the fields that are owned as a whole: live values that are not in `body` are removed.
    /// Everything else in `body` is merged key by key, and keys that are not in it are left alone.
    pub owned: &'static [&'static str],
    /// apiVersion, kind, metadata (name, labels, annotations) and spec.
    pub body: Value,
}

/// How to give back an object that Serin made or took over.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub enum Undo {
    /// Patch the live object to this.
    Restore(Manifest),
    /// Delete it: it was made by Serin and nothing else needs it.
    Delete(ObjectRef),
}

impl Manifest {
    /// An object of `kind` named `name`; `rest` has metadata and spec. A `null` in it removes the live key.
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

    /// Its kind and name.
    pub fn at(&self) -> ObjectRef {
        ObjectRef::new(self.kind, self.name.clone())
    }

    /// With one more annotation.
    #[must_use]
    pub fn annotated(mut self, key: &str, value: &str) -> Self {
        json::set(&mut self.body, &["metadata", "annotations", key], json!(value));
        self
    }

    /// Owned by the Canary, so that it is garbage collected with it. Not for objects on the traffic path.
    #[must_use]
    pub fn owned_by(mut self, canary: &str, uid: &str) -> Self {
        let owner = json!([{
            "apiVersion": CANARY.api_version(), "kind": CANARY.kind, "name": canary, "uid": uid,
            "controller": true, "blockOwnerDeletion": false,
        }]);
        json::set(&mut self.body, &["metadata", "ownerReferences"], owner);
        self
    }

    /// The body for a POST: without `null`s, which have a meaning only in a patch.
    pub fn to_create(&self) -> Value {
        let mut body = self.body.clone();
        json::drop_nulls(&mut body);
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_to_create_has_no_nulls() {
        let rest = json!({"metadata": {"labels": {"a": null, "b": "c"}}, "spec": {"x": [{"y": null}]}});
        let m = Manifest::new(CANARY, "x", "m", &[], rest);
        assert_eq!(m.to_create()["metadata"]["labels"], json!({"b": "c"}));
        assert_eq!(m.to_create()["spec"], json!({"x": [{}]}));
    }
}
