//! An entry of the cache.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::stored::Stored;
use crate::{manifest, names, snapshot::Key};

#[derive(Debug)]
pub(super) enum Entry {
    Seen {
        version: u64,
        stored: Arc<Stored>,
        /// Terms by which it is found in its namespace, in addition to its name.
        terms: Box<[String]>,
        /// Terms by which it is found in all namespaces.
        anywhere: Box<[String]>,
    },
    /// Deleted at this version: an older write of ours that returns late does not restore it.
    Deleted { version: u64, at: Timestamp },
}

impl Entry {
    pub(super) fn terms(&self) -> &[String] {
        match self {
            Self::Seen { terms, .. } => terms,
            Self::Deleted { .. } => &[],
        }
    }

    pub(super) fn anywhere(&self) -> &[String] {
        match self {
            Self::Seen { anywhere, .. } => anywhere,
            Self::Deleted { .. } => &[],
        }
    }

    /// None if it was deleted.
    pub(super) fn stored(&self) -> Option<&Arc<Stored>> {
        match self {
            Self::Seen { stored, .. } => Some(stored),
            Self::Deleted { .. } => None,
        }
    }

    pub(super) fn version(&self) -> u64 {
        match self {
            Self::Seen { version, .. } | Self::Deleted { version, .. } => *version,
        }
    }
}

/// Resource versions are numbers that grow (official for one kind since Kubernetes 1.35, true before).
pub(crate) fn version_of(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|v| v.parse().ok()).unwrap_or(0)
}

pub(crate) fn key_of(object: &Value) -> Key {
    let meta = &object["metadata"];
    let text = |field: &str| meta[field].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

/// Of managedFields and of the annotation of `kubectl apply`, which repeat the object, keeps only the parts that are
/// read: who sets its replicas, and the last writer among others and ourselves.
pub(super) fn drop_unread(object: &mut Value) {
    let last = last_writers(&object["metadata"]["managedFields"]);
    manifest::keep_authors_of_replicas(object);
    let Some(meta) = object["metadata"].as_object_mut().filter(|_| !last.is_empty()) else { return };
    let kept = meta.entry("managedFields").or_insert_with(|| json!([]));
    kept.as_array_mut().into_iter().for_each(|kept| kept.extend(last.iter().cloned()));
}

/// Manager and time of the last write of others, and of ours; writes of the status do not count.
fn last_writers(entries: &Value) -> Vec<Value> {
    let all = entries.as_array().map_or(&[][..], Vec::as_slice);
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    let last = |ours: bool| {
        let of = all.iter().filter(|entry| entry["subresource"] != "status");
        let of = of.map(|entry| (text(entry, "time"), text(entry, "manager")));
        // all times have the same format, so the texts sort by time
        of.filter(|(time, manager)| !time.is_empty() && manager.starts_with(names::MANAGERS) == ours).max()
    };
    let short = |(time, manager)| json!({"manager": manager, "time": time});
    [last(false), last(true)].into_iter().flatten().map(short).collect()
}
