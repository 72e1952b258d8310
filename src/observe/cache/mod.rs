//! What the watches have seen, and what our own writes returned: the newest known version of each object, as text.
//!
//! Text, because a parsed object takes ten times the memory, and only the objects of the Canary at hand are ever
//! parsed. A version that one of our writes returned is never replaced by an older one from a watch, so a decision
//! always sees the writes before it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use super::{dependency_index::DependencyIndex, endpoints::Endpoints, references::References};
use crate::{
    manifest::config,
    names,
    snapshot::{CANARY, CANARY_RUN, DAEMONSET, DEPLOYMENT, ENDPOINTS, Kind, ObjectRef, POD, REVISION},
    spec::Target,
};

pub(super) mod jobs;
mod records;
mod scalers;
mod scope;
pub(super) mod secrets;
mod triggers;

pub use crate::snapshot::Key;

#[derive(Debug)]
enum Entry {
    Seen {
        version: u64,
        text: Box<str>,
    },
    /// Deleted at this version: an older write of ours that returns late does not bring it back.
    Gone {
        version: u64,
    },
}

impl Entry {
    fn version(&self) -> u64 {
        match self {
            Self::Seen { version, .. } | Self::Gone { version } => *version,
        }
    }

    fn object(&self) -> Option<Value> {
        match self {
            Self::Seen { text, .. } => serde_json::from_str(text).ok(),
            Self::Gone { .. } => None,
        }
    }
}

#[derive(Debug, Default)]
struct Inner {
    objects: BTreeMap<Kind, BTreeMap<Key, Entry>>,
    interests: BTreeMap<Key, References>,
    looked: DependencyIndex,
    endpoints: Endpoints,
    /// A write whose result is known only by version: the object as seen before it is stale.
    floors: BTreeMap<(Kind, Key), u64>,
    synced: BTreeSet<Kind>,
    /// Kinds whose watch the API server refuses.
    forbidden: BTreeSet<Kind>,
    crds: BTreeSet<String>,
    crds_synced: bool,
    terminating: BTreeSet<String>,
    flagger: Option<(String, jiff::Timestamp)>,
}

/// Shared by the watches, the writers and the gatherer.
#[derive(Debug, Default)]
pub struct ObjectCache(Mutex<Inner>);

/// Resource versions are numbers that grow (official for one kind since Kubernetes 1.35, true before).
pub fn version_of(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|v| v.parse().ok()).unwrap_or(0)
}

fn key_of(object: &Value) -> Key {
    let meta = &object["metadata"];
    let text = |field: &str| meta[field].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

/// Both repeat the object.
fn forget_what_nobody_reads(object: &mut Value) {
    if let Some(meta) = object["metadata"].as_object_mut() {
        meta.remove("managedFields");
        if let Some(annotations) = meta.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(names::ANNOTATION_KUBECTL);
        }
    }
}

impl ObjectCache {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in an object from a watch or from the answer to a write. Returns the Canaries it matters to.
    pub fn saw(&self, kind: Kind, mut object: Value) -> Vec<Key> {
        forget_what_nobody_reads(&mut object);
        if config::KINDS.contains(&kind) {
            object = config::without_content(&object);
        } else if scalers::is_one(kind) {
            scalers::forget_status(&mut object);
        } else if kind == CANARY_RUN {
            records::forget_closed(&mut object);
        } else if kind == POD {
            jobs::forget_spec(&mut object);
        }
        let (key, version) = (key_of(&object), version_of(&object));
        let mut inner = self.lock();
        if kind == ENDPOINTS {
            let service = inner.endpoints.saw(&key, &object);
            return inner.served_by(&key.0, service);
        }
        let entries = inner.objects.entry(kind).or_default();
        if entries.get(&key).is_some_and(|e| e.version() > version) {
            return vec![];
        }
        let old = entries.get(&key).filter(|_| scalers::is_one(kind)).and_then(Entry::object);
        entries.insert(key.clone(), Entry::Seen { version, text: object.to_string().into() });
        if inner.floors.get(&(kind, key.clone())).is_some_and(|f| *f <= version) {
            inner.floors.remove(&(kind, key.clone()));
        }
        let mut touched = inner.touched(kind, &key, &object);
        if let Some(old) = old {
            if scalers::same_but_version(&old, &object) {
                return vec![];
            }
            // it may have been aimed at another
            touched.extend(inner.touched(kind, &key, &old));
        }
        if kind == CANARY {
            let new = References::of(&object, &key.0);
            touched.extend(inner.rivals(&key, &new));
            if let Some(old) = inner.interests.insert(key.clone(), new.clone())
                && old != new
            {
                touched.extend(inner.rivals(&key, &old));
            }
        }
        touched
    }

    /// Takes in a deletion. Returns the Canaries it matters to.
    pub fn gone(&self, kind: Kind, object: &Value) -> Vec<Key> {
        let (key, version) = (key_of(object), version_of(object));
        let mut inner = self.lock();
        if kind == ENDPOINTS {
            let service = inner.endpoints.lost(&key);
            return inner.served_by(&key.0, service);
        }
        let mut touched = inner.touched(kind, &key, object);
        let entries = inner.objects.entry(kind).or_default();
        // of what nobody looks at there are no writes of ours that may return late, and such objects come and go for ever
        if touched.is_empty() || kind == POD {
            entries.remove(&key);
        } else {
            entries.insert(key.clone(), Entry::Gone { version });
        }
        inner.floors.remove(&(kind, key.clone()));
        if kind == CANARY
            && let Some(old) = inner.interests.remove(&key)
        {
            inner.looked.keep(|canary| *canary != key);
            touched.extend(inner.rivals(&key, &old));
        }
        touched
    }

    /// After a list: objects that were not in it are gone.
    pub fn listed(&self, kind: Kind, seen: &BTreeSet<Key>) -> Vec<Key> {
        let mut inner = self.lock();
        let concerned: Vec<Key> = inner.interests.keys().cloned().collect();
        inner.synced.insert(kind);
        inner.forbidden.remove(&kind);
        if kind == ENDPOINTS {
            inner.endpoints.keep(seen);
        } else {
            let entries = inner.objects.entry(kind).or_default();
            entries.retain(|key, _| seen.contains(key));
            if kind == CANARY {
                inner.interests.retain(|key, _| seen.contains(key));
                inner.looked.keep(|key| seen.contains(key));
            }
        }
        concerned
    }

    /// A watch has ended for good: nothing of that kind is known any more.
    pub fn forget(&self, kind: Kind) {
        let mut inner = self.lock();
        inner.synced.remove(&kind);
        inner.forbidden.remove(&kind);
        inner.objects.remove(&kind);
    }

    /// What is known of this object before this version is stale.
    pub fn floor(&self, kind: Kind, key: Key, version: u64) {
        let mut inner = self.lock();
        let known = inner.objects.get(&kind).and_then(|e| e.get(&key)).map_or(0, Entry::version);
        if known < version {
            inner.floors.insert((kind, key), version);
        }
    }

    /// Sets which CustomResourceDefinitions exist. Returns all Canaries when that changed.
    pub fn set_crds(&self, crds: BTreeSet<String>) -> Vec<Key> {
        let mut inner = self.lock();
        let changed = inner.crds != crds || !inner.crds_synced;
        inner.crds = crds;
        inner.crds_synced = true;
        if changed { inner.interests.keys().cloned().collect() } else { vec![] }
    }

    /// Marks a namespace as terminating or not. Returns its Canaries.
    pub fn set_terminating(&self, namespace: &str, terminating: bool) -> Vec<Key> {
        let mut inner = self.lock();
        let changed = if terminating {
            inner.terminating.insert(namespace.to_owned())
        } else {
            inner.terminating.remove(namespace)
        };
        if !changed {
            return vec![];
        }
        inner.interests.keys().filter(|k| k.0 == namespace).cloned().collect()
    }

    /// Holder of Flagger's lease and when it runs out; returns all Canaries when the holder changed.
    pub fn set_flagger(&self, lease: Option<(String, jiff::Timestamp)>) -> Vec<Key> {
        let mut inner = self.lock();
        let changed = lease.as_ref().map(|l| &l.0) != inner.flagger.as_ref().map(|l| &l.0);
        inner.flagger = lease;
        if changed { inner.interests.keys().cloned().collect() } else { vec![] }
    }

    /// Holder of Flagger's lease and when it runs out.
    pub fn flagger(&self) -> Option<(String, jiff::Timestamp)> {
        self.lock().flagger.clone()
    }

    /// Notes what is read for a Canary, so that its changes matter to it whatever it is named.
    pub fn looks_at(&self, canary: &Key, objects: &[ObjectRef]) {
        let mut inner = self.lock();
        let Some(interest) = inner.interests.get(canary) else { return };
        let named = interest.services();
        let tells = |at: &&ObjectRef| {
            ![DEPLOYMENT, DAEMONSET, REVISION].contains(&at.kind) && !named.contains(&at.name)
        };
        let seen = objects.iter().filter(tells).cloned().collect();
        inner.looked.note(canary, seen);
    }

    /// All these kinds have been listed at least once.
    pub fn synced(&self, kinds: &[Kind]) -> bool {
        let inner = self.lock();
        inner.crds_synced && kinds.iter().all(|k| inner.synced.contains(k))
    }

    /// The CustomResourceDefinition exists.
    pub fn defines(&self, crd: &str) -> bool {
        self.lock().crds.contains(crd)
    }

    /// The namespace is being deleted.
    pub fn terminating(&self, namespace: &str) -> bool {
        self.lock().terminating.contains(namespace)
    }

    /// Newest known version of the object, whose namespace does not matter if its kind has none; none when it does not
    /// exist.
    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Value> {
        let inner = self.lock();
        inner.objects.get(&kind)?.get(&scope::place(kind, namespace, name))?.object()
    }

    /// All objects of a kind in a namespace.
    pub fn list(&self, kind: Kind, namespace: &str) -> Vec<Value> {
        self.find(kind, namespace, |_, _| true)
    }

    /// The objects of a kind in a namespace that `wanted` takes by their name and text.
    pub fn find(&self, kind: Kind, namespace: &str, wanted: impl Fn(&str, &str) -> bool) -> Vec<Value> {
        let inner = self.lock();
        let Some(entries) = inner.objects.get(&kind) else { return vec![] };
        let from = (namespace.to_owned(), String::new());
        let within = entries.range(from..).take_while(|(key, _)| key.0 == namespace);
        within
            .filter(|(key, entry)| matches!(entry, Entry::Seen { text, .. } if wanted(&key.1, text)))
            .filter_map(|(_, entry)| entry.object())
            .collect()
    }

    /// A write to one of these is known to be newer than what has been seen.
    pub fn stale(&self, kind: Kind, key: &Key) -> bool {
        self.lock().floors.contains_key(&(kind, key.clone()))
    }

    /// Ready endpoints behind a Service; none when no EndpointSlice was seen.
    pub fn ready(&self, namespace: &str, service: &str) -> Option<u32> {
        self.lock().endpoints.ready(namespace, service)
    }

    /// Canaries with what they look at.
    pub fn interests(&self, namespace: &str) -> Vec<(Key, References)> {
        let inner = self.lock();
        inner
            .interests
            .iter()
            .filter(|(k, _)| k.0 == namespace)
            .map(|(k, i)| (k.clone(), i.clone()))
            .collect()
    }

    /// Providers that Canaries name; one of them is empty if some name none.
    pub fn providers(&self) -> BTreeSet<String> {
        self.lock().interests.values().map(|interest| interest.provider.clone()).collect()
    }

    /// Some Canary has a target of this kind.
    pub fn targets(&self, kind: Target) -> bool {
        self.lock().interests.values().any(|interest| interest.kind == Some(kind))
    }

    /// Number of Canaries per namespace.
    pub fn totals(&self) -> BTreeMap<String, usize> {
        let mut totals = BTreeMap::new();
        for key in self.lock().interests.keys() {
            *totals.entry(key.0.clone()).or_default() += 1;
        }
        totals
    }
}

#[cfg(test)]
mod tests;
