//! An object as Serin wants it, and how to give one back.

use serde_json::{Value, json};

use super::json;
use crate::snapshot::{CANARY, Kind, ObjectRef};

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
    /// Delete it: it was made by Serin and nothing else needs it.
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
