//! One object as the cache keeps it.

use serde_json::{Value, json};

use crate::{names, snapshot::Key};

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

/// Removes the annotation of `kubectl apply`, which repeats the object, and of managedFields what repeats it: who wrote
/// last is kept, of others and of ourselves.
pub(super) fn drop_unread(object: &mut Value) {
    let Some(meta) = object["metadata"].as_object_mut() else { return };
    if let Some(entries) = meta.remove("managedFields") {
        let last = last_writers(&entries);
        if !last.is_empty() {
            meta.insert("managedFields".into(), json!(last));
        }
    }
    if let Some(annotations) = meta.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove(names::ANNOTATION_KUBECTL);
    }
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
