//! One object as the cache keeps it.

use serde_json::{Value, json};

use super::work::parsed;
use crate::{manifest, names, snapshot::Key};

#[derive(Debug)]
pub(super) enum Entry {
    Seen {
        version: u64,
        text: Box<str>,
        /// What it is looked for by, besides its name.
        terms: Box<[String]>,
    },
    /// Deleted at this version: an older write of ours that returns late does not bring it back.
    Deleted { version: u64 },
}

impl Entry {
    pub(super) fn seen(version: u64, object: &Value, terms: Vec<String>) -> Self {
        Self::Seen { version, text: object.to_string().into(), terms: terms.into() }
    }

    pub(super) fn terms(&self) -> &[String] {
        match self {
            Self::Seen { terms, .. } => terms,
            Self::Deleted { .. } => &[],
        }
    }

    /// Its text; none for what was deleted.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Seen { text, .. } => Some(text),
            Self::Deleted { .. } => None,
        }
    }

    pub(super) fn version(&self) -> u64 {
        match self {
            Self::Seen { version, .. } | Self::Deleted { version } => *version,
        }
    }

    pub(super) fn object(&self) -> Option<Value> {
        let text = self.text()?;
        parsed();
        serde_json::from_str(text).ok()
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

/// Of managedFields and of the annotation of `kubectl apply`, which repeat the object, only what is read: who sets its
/// replicas, and who wrote last, of others and of ourselves.
pub(super) fn drop_unread(object: &mut Value) {
    let last = last_writers(&object["metadata"]["managedFields"]);
    manifest::keep_authors_of_replicas(object);
    let Some(meta) = object["metadata"].as_object_mut().filter(|_| !last.is_empty()) else { return };
    let kept = meta.entry("managedFields").or_insert_with(|| json!([]));
    kept.as_array_mut().into_iter().for_each(|kept| kept.extend(last.iter().cloned()));
}

/// Manager and time of the last write of others, and of ours; those of the status are none.
fn last_writers(entries: &Value) -> Vec<Value> {
    let all = entries.as_array().map_or(&[][..], Vec::as_slice);
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    let last = |ours: bool| {
        let of = all.iter().filter(|entry| entry["subresource"] != "status");
        let of = of.map(|entry| (text(entry, "time"), text(entry, "manager")));
        // times are all written alike, so that the texts have their order
        of.filter(|(time, manager)| !time.is_empty() && manager.starts_with(names::MANAGERS) == ours).max()
    };
    let short = |(time, manager)| json!({"manager": manager, "time": time});
    [last(false), last(true)].into_iter().flatten().map(short).collect()
}
