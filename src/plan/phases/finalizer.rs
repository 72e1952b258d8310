//! Serin's finalizer on a deleted Canary: whether it exists, and its removal, which deletes the Canary.

use serde_json::Value;

use crate::{
    names,
    plan::{
        builder::PlanBuilder,
        model::{Action, Messages, Note},
    },
    snapshot::Snapshot,
};

/// We still have to remove the finalizer.
pub(crate) fn held(snap: &Snapshot) -> bool {
    snap.canary.metadata.finalizers.iter().flatten().any(|f| f == names::FINALIZER)
}

/// Nothing can be reverted: the finalizer is removed, and generated objects are left running.
pub(crate) fn let_go(snap: &Snapshot, d: &mut PlanBuilder, why: Option<&str>) {
    let meta = &snap.canary.metadata;
    let name = meta.name.as_deref().unwrap_or_default();
    let words = Messages::new(name, name, name, meta.namespace.as_deref().unwrap_or_default());
    if let Some(why) = why {
        d.say(words.left_running(why));
    }
    d.say(words.terminated());
    release(snap, d);
}

/// The finalizers that a deleted Canary keeps if it does not decode: all except ours. None if it is not deleted, or has
/// none of ours.
pub(crate) fn freed(raw: &Value) -> Option<Vec<String>> {
    let meta = &raw["metadata"];
    let all = meta["finalizers"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let (ours, kept): (Vec<&str>, Vec<&str>) = all.partition(|finalizer| *finalizer == names::FINALIZER);
    let held = !meta["deletionTimestamp"].is_null() && !ours.is_empty();
    held.then(|| kept.into_iter().map(str::to_owned).collect())
}

pub(crate) fn release(snap: &Snapshot, d: &mut PlanBuilder) {
    if let Some(note) = applied_since(snap) {
        d.say(note);
    }
    let all = snap.canary.metadata.finalizers.iter().flatten();
    d.act(Action::Finalizers { list: all.filter(|f| *f != names::FINALIZER).cloned().collect() });
}

/// `helm install` adopts an object under deletion and reports "deployed"; then the object is deleted. Reported for a
/// deletion that was not watched: one that is seen from its beginning is the uninstallation itself.
fn applied_since(snap: &Snapshot) -> Option<Note> {
    let meta = &snap.canary.metadata;
    let release = meta.annotations.as_ref()?.get(names::HELM_RELEASE)?;
    let deleted = meta.deletion_timestamp.as_ref()?.0;
    if snap.watching_since <= deleted {
        return None;
    }
    let name = meta.name.as_deref().unwrap_or_default();
    Some(Note::warning(
        "DeletedUnseen",
        format!(
            "Canary {name} of the Helm release {release} has been under deletion since {deleted:.0}, when no operator \
             ran, and goes now. If the release was installed again since, Helm took this object for its own: run helm \
             upgrade {release} once more"
        ),
    ))
}
