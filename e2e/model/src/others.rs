//! Other parties: some change back what the operator writes, and the API server refuses some of its writes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use serin::{plan::Action, snapshot::ObjectRef};

use crate::{time::at_second, world::World};

/// What others do to an object after each write of the operator.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Their field manager. None: the API server itself does it, while it takes the write.
    #[serde(default)]
    pub by: Option<String>,
    /// A merge patch.
    pub patch: Value,
}

/// Other parties.
#[derive(Clone, Debug, Default)]
pub struct Others {
    /// What is changed back.
    pub changes: BTreeMap<ObjectRef, Change>,
    /// What is refused.
    pub refuses: BTreeMap<ObjectRef, Refusal>,
}

/// A refusal of the API server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// In its words.
    pub why: String,
    /// JSON pointer of the field that it does not take; any write, where this is not said.
    #[serde(default)]
    pub field: Option<String>,
}

impl Others {
    /// Why the API server does not take this write of the object, if it does not.
    pub(crate) fn refuses(&self, at: &ObjectRef, action: &Action) -> Option<&str> {
        let refusal = self.refuses.get(at)?;
        let body = match action {
            Action::Create(made) => Some(&made.body),
            Action::Patch { patch, .. } => Some(patch),
            _ => None,
        };
        let touched =
            refusal.field.as_ref().is_none_or(|f| body.is_some_and(|body| body.pointer(f).is_some()));
        touched.then_some(refusal.why.as_str())
    }

    /// The operator has written the object: what others make of it, in words.
    pub(crate) fn react(&self, world: &mut World, at: &ObjectRef, now: Timestamp) -> Option<String> {
        let change = self.changes.get(at)?;
        let before = world.objects.at(at)?.clone();
        world.edit(at, &change.patch);
        if *world.objects.at(at)? == before {
            return None;
        }
        let entries = change.by.as_ref().map(|manager| json!([{"manager": manager, "time": at_second(now)}]));
        world.edit(at, &json!({"metadata": {"managedFields": entries}}));
        Some(format!("       {at} is changed by {}", change.by.as_deref().unwrap_or("an admission webhook")))
    }
}
