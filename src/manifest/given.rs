//! Labels and annotations that users give to objects of ours: noted there, so that those that are taken out again are
//! removed, and those that others add stay.

use serde_json::{Map, Value, json};

use super::{json as get, marks::annotation, object::Manifest};
use crate::names::{self, ANNOTATION_COPIED};

/// Precedes the key of a label in a note: no key has a colon.
const LABEL: &str = "label:";

/// The note of these labels and annotations.
pub(crate) fn note(labels: &Map<String, Value>, annotations: &Map<String, Value>) -> String {
    let mut keys: Vec<String> = annotations.keys().cloned().collect();
    keys.extend(labels.keys().map(|key| format!("{LABEL}{key}")));
    keys.sort();
    keys.join(",")
}

/// Removes what the note on `live` names and the one in `metadata` does not, unless it is `left` to others: field and
/// key.
pub(crate) fn follow(metadata: &mut Value, live: Option<&Value>, left: impl Fn(&str, &str) -> bool) {
    let Some(before) = live.and_then(|live| annotation(live, ANNOTATION_COPIED)) else { return };
    let noted = metadata["annotations"][ANNOTATION_COPIED].clone();
    let now = noted.as_str().unwrap_or_default();
    if noted.is_null() {
        get::set(metadata, &["annotations", ANNOTATION_COPIED], Value::Null);
    }
    let gone = before.split(',').filter(|key| !key.is_empty() && !now.split(',').any(|kept| kept == *key));
    for gone in gone {
        let (field, key) = match gone.strip_prefix(LABEL) {
            Some(key) => ("labels", key),
            None => ("annotations", gone),
        };
        let wanted = !metadata[field][key].is_null();
        if !wanted && !names::is_own(key) && !left(field, key) {
            get::set(metadata, &[field, key], Value::Null);
        }
    }
}

/// The manifest for an object that exists.
pub(crate) fn following(mut want: Manifest, live: &Value) -> Manifest {
    if let Some(metadata) = want.body.get_mut("metadata") {
        follow(metadata, Some(live), |_, _| false);
    }
    want
}

/// Adds a note of these labels and annotations to them, if there are any.
pub(crate) fn add_note(labels: &Map<String, Value>, annotations: &mut Map<String, Value>) {
    let note = note(labels, annotations);
    if !note.is_empty() {
        annotations.insert(ANNOTATION_COPIED.into(), json!(note));
    }
}

/// A patch changes a note: something else is given now, or an earlier version gave it, which made none.
pub(crate) fn differs(patch: &Value) -> bool {
    patch["metadata"]["annotations"].get(ANNOTATION_COPIED).is_some()
}
