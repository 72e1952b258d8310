//! Other parties: some revert the operator's writes, and the API server refuses some of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use serin::{
    plan::Action,
    snapshot::{CANARY, Kind, ObjectRef},
};

use crate::{objects::kind_named, time::at_second, world::World};

/// The change that another party makes to an object after each write of the operator.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Their field manager. None: the API server itself changes the object as it accepts the write.
    #[serde(default)]
    pub by: Option<String>,
    /// A merge patch.
    pub patch: Value,
}

/// Other parties.
#[derive(Clone, Debug, Default)]
pub struct Others {
    /// Changes that revert writes.
    pub changes: BTreeMap<ObjectRef, Change>,
    /// Refused writes. The name `*` stands for all objects of the kind, and the Canary for its status.
    pub refuses: BTreeMap<ObjectRef, Refusal>,
}

/// All objects of the kind.
pub fn all_of(kind: Kind) -> ObjectRef {
    ObjectRef::new(kind, "*")
}

/// A refusal of the API server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The API server's message.
    pub why: String,
    /// JSON pointer of the refused field. Without it, all writes are refused.
    #[serde(default)]
    pub field: Option<String>,
    /// Refused only while this object exists, as `Kind name`.
    #[serde(default, rename = "while")]
    pub beside: Option<String>,
}

impl Refusal {
    fn applies(&self, world: &World) -> bool {
        let exists = |what: &String| {
            let (kind, name) = what.split_once(' ')?;
            world.objects.at(&ObjectRef::new(kind_named(kind)?, name))
        };
        self.beside.as_ref().is_none_or(|what| exists(what).is_some())
    }
}

impl Others {
    /// Why the API server refuses this write of the object, if it does.
    pub(crate) fn refuses(&self, world: &World, at: &ObjectRef, action: &Action) -> Option<&str> {
        let refusal = self.refuses.get(at).or_else(|| self.refuses.get(&all_of(at.kind)))?;
        let refusal = Some(refusal).filter(|refusal| refusal.applies(world))?;
        let body = match action {
            Action::Create(made) => Some(&made.body),
            Action::Patch { patch, .. } => Some(patch),
            _ => None,
        };
        let touched =
            refusal.field.as_ref().is_none_or(|f| body.is_some_and(|body| body.pointer(f).is_some()));
        touched.then_some(refusal.why.as_str())
    }

    /// Why the API server refuses the status of the Canary, if it does.
    pub(crate) fn refuses_status(&self) -> Option<&str> {
        self.refuses.get(&all_of(CANARY)).map(|refusal| refusal.why.as_str())
    }

    /// The operator has written the object: the reaction of others, in words.
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
