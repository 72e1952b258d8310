//! PURE. The objects of one namespace at one revision, and the author of a revision.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::Timestamp;
use serde_json::Value;
use serin::{names, spec::Target};
use serin_invariants::view::{Kind, Names, View, list};

/// One revision of one object.
#[derive(Debug, Clone)]
pub struct Change {
    /// `metadata.resourceVersion`, which orders all changes.
    pub version: u64,
    /// When the observer received it.
    pub at: Timestamp,
    /// What kind of object.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The current object. None: deleted.
    pub object: Option<Value>,
}

/// The objects of one namespace.
#[derive(Debug, Default)]
pub(super) struct World(BTreeMap<(Kind, String), Value>);

/// Whether an object belongs to a Canary with these names.
pub(super) fn concerns(names: &Names, kind: Kind, name: &str, object: Option<&Value>) -> bool {
    let services = [&names.apex, &names.primary_service, &names.canary_service];
    match kind {
        Kind::Canary => false,
        Kind::Route => *name == names.apex,
        Kind::Deployment => *name == names.target || *name == names.primary,
        Kind::Service => services.iter().any(|s| *s == name),
        Kind::Slice => object.is_some_and(|o| services.iter().any(|s| *s == service_of(o))),
        Kind::Revision => true,
    }
}

impl View for World {
    fn get(&self, kind: Kind, name: &str) -> Option<Cow<'_, Value>> {
        self.0.get(&(kind, name.to_owned())).map(Cow::Borrowed)
    }

    fn ready(&self, service: &str) -> i64 {
        let slices = self.of(Kind::Slice).filter(|(_, slice)| service_of(slice) == service);
        let endpoints = slices.flat_map(|(_, slice)| list(&slice["endpoints"]));
        endpoints.map(|e| i64::from(e["conditions"]["ready"] != false)).sum()
    }

    /// The number of pods, from the status of the workloads.
    fn selected(&self, service: &str) -> i64 {
        let behind = self.of(Kind::Deployment).filter(|(name, _)| self.selects(service, name));
        behind.map(|(_, d)| d["status"]["readyReplicas"].as_i64().unwrap_or(0)).sum()
    }
}

impl World {
    /// Applies a change. Returns the former object.
    pub(super) fn put(&mut self, change: &Change) -> Option<Value> {
        let key = (change.kind, change.name.clone());
        match &change.object {
            Some(object) => self.0.insert(key, object.clone()),
            None => self.0.remove(&key),
        }
    }

    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().filter(move |((k, _), _)| *k == kind).map(|((_, name), value)| (name.as_str(), value))
    }
}

/// Converts a DaemonSet to the form of a Deployment: no replicas if no node matches, else one per node.
pub(super) fn as_deployment(mut daemons: Value) -> Value {
    let empty = Target::DaemonSet.asked(&daemons) == 0;
    let nodes = daemons["status"]["desiredNumberScheduled"].as_i64().unwrap_or(1).max(1);
    let template = Target::DaemonSet.revision(&daemons).into_owned();
    daemons["spec"]["template"] = template;
    daemons["spec"]["replicas"] = if empty { 0 } else { nodes }.into();
    daemons["status"]["readyReplicas"] = daemons["status"]["numberReady"].clone();
    daemons
}

pub(super) fn service_of(slice: &Value) -> &str {
    slice["metadata"]["labels"]["kubernetes.io/service-name"].as_str().unwrap_or_default()
}

/// Whether Serin wrote this revision: the object says so, or Serin has a new entry among the managed fields, or the
/// replicas changed without a new entry, which is how Serin scales. (Others who scale through the subresource look the
/// same. A story that does so excepts S4.)
pub(super) fn ours(old: Option<&Value>, new: &Value) -> bool {
    let stamp =
        |o: &Value| o["metadata"]["annotations"][names::ANNOTATION_WRITTEN].as_str().map(str::to_owned);
    if stamp(new).is_some_and(|s| old.and_then(stamp).as_ref() != Some(&s)) {
        return true;
    }
    let before = old.map_or(&[][..], |o| list(&o["metadata"]["managedFields"]));
    let fresh: Vec<&Value> =
        list(&new["metadata"]["managedFields"]).iter().filter(|entry| !before.contains(entry)).collect();
    let serin = |entry: &&Value| entry["manager"].as_str().is_some_and(|m| m.starts_with("serin/"));
    let known =
        |entry: &Value| before.iter().find(|b| ["manager", "subresource"].iter().all(|k| b[*k] == entry[*k]));
    // an entry with fewer fields and the same time lost them to another writer
    let dated = |entry: &&Value| known(entry).is_none_or(|b| b["time"] != entry["time"]);
    // a merge patch of the scale subresource leaves no entry
    let scaled =
        old.is_some_and(|o| o["spec"]["replicas"] != new["spec"]["replicas"]) && !fresh.iter().any(dated);
    scaled || fresh.iter().filter(|e| serin(e)).any(dated) || !fresh.is_empty() && fresh.iter().all(serin)
}
