//! What is to be done to the cluster. Each action is idempotent, needs no decision, and is refused by the API server
//! when the object has changed since the snapshot it was decided on.

use serde::Serialize;
use serde_json::Value;

use crate::{
    manifest::{self, Manifest, config::CopyOf},
    snapshot::{Kind, ObjectRef},
};

/// One write.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Action {
    /// Create by POST; an object of that name that exists already is looked at again, never overwritten.
    Create(Box<Manifest>),
    /// Create the copy of a ConfigMap or Secret, if that still has the content that was seen. The content itself is
    /// known to nobody but the one who writes it.
    Copy(CopyOf),
    /// JSON merge patch on exactly this version of the object.
    Patch {
        /// What to patch.
        at: ObjectRef,
        /// Field manager.
        manager: &'static str,
        /// `metadata.resourceVersion` it was decided on.
        version: String,
        /// Only what differs.
        patch: Value,
    },
    /// Set the replicas of a Deployment through its scale subresource.
    Scale {
        /// Name of the Deployment.
        name: String,
        /// Wanted replicas.
        replicas: i64,
        /// `metadata.resourceVersion` it was decided on.
        version: String,
    },
    /// Delete exactly this object.
    Delete {
        /// What to delete.
        at: ObjectRef,
        /// Its uid: a namesake made later is left alone.
        uid: String,
    },
    /// Replace the Canary's finalizers.
    Finalizers {
        /// All of them, others' included.
        list: Vec<String>,
    },
}

impl Action {
    /// A merge patch on the object that was seen as `live`.
    pub(crate) fn patch(at: ObjectRef, manager: &'static str, live: &Value, patch: Value) -> Self {
        Self::Patch { at, manager, version: version(live), patch }
    }

    /// Replicas for the Deployment that was seen as `live`.
    pub(crate) fn scale(live: &Value, replicas: i64) -> Self {
        Self::Scale { name: name(live), replicas, version: version(live) }
    }

    /// Deletes this very object.
    pub(crate) fn delete(kind: Kind, live: &Value) -> Self {
        let uid = manifest::uid(live).unwrap_or_default().into();
        Self::Delete { at: ObjectRef::new(kind, name(live)), uid }
    }

    /// Kind that is written, for metrics and messages.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Create(m) => m.kind,
            Self::Copy(of) => of.from.kind,
            Self::Patch { at, .. } | Self::Delete { at, .. } => at.kind,
            Self::Scale { .. } => crate::snapshot::DEPLOYMENT,
            Self::Finalizers { .. } => crate::snapshot::CANARY,
        }
    }
}

/// The version a decision was made on.
fn version(live: &Value) -> String {
    manifest::resource_version(live).unwrap_or_default().to_owned()
}

fn name(live: &Value) -> String {
    live["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}
