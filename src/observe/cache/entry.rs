//! One object as the cache keeps it.

use serde_json::Value;

use crate::{manifest, snapshot::Key};

#[derive(Debug)]
pub(super) enum Entry {
    Seen {
        version: u64,
        text: Box<str>,
    },
    /// Deleted at this version: an older write of ours that returns late does not bring it back.
    Deleted {
        version: u64,
    },
}

impl Entry {
    pub(super) fn version(&self) -> u64 {
        match self {
            Self::Seen { version, .. } | Self::Deleted { version } => *version,
        }
    }

    pub(super) fn object(&self) -> Option<Value> {
        match self {
            Self::Seen { text, .. } => serde_json::from_str(text).ok(),
            Self::Deleted { .. } => None,
        }
    }
}

/// Resource versions are numbers that grow (official for one kind since Kubernetes 1.35, true before).
pub(super) fn version_of(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|v| v.parse().ok()).unwrap_or(0)
}

pub(super) fn key_of(object: &Value) -> Key {
    let meta = &object["metadata"];
    let text = |field: &str| meta[field].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

/// Removes managedFields and the annotation of `kubectl apply`, which repeat the object, but for who sets its replicas.
pub(super) fn drop_unread(object: &mut Value) {
    manifest::keep_authors_of_replicas(object);
}
