//! What the watches have seen, and what our own writes returned: the newest known version of each object.
//!
//! A version that one of our writes returned is never replaced by an older one from a watch, so a decision always sees the
//! writes before it. What is kept of an object: [`stored`]. How it is found: [`terms`] and [`canaries`].

mod canaries;
mod entries;
mod entry;
mod freshness;
mod incoming;
pub(super) mod jobs;
mod policies;
mod queries;
mod records;
mod scalers;
mod scope;
pub(super) mod secrets;
mod standing;
mod store;
mod stored;
mod terms;
mod triggers;
pub(super) mod work;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use self::{
    entry::{Entry, key_of, version_of},
    incoming::Incoming,
};
pub(crate) use self::{freshness::GRACE, store::ObjectCache};
use super::endpoints::Slice;
use crate::{
    clock,
    manifest::pod_policies,
    snapshot::{CANARY, DAEMONSET, DEPLOYMENT, ENDPOINTS, Key, Kind, ObjectRef, POD, REVISION},
};

impl ObjectCache {
    /// Takes in an object from a watch or from the answer to a write. Returns the Canaries it matters to.
    pub(crate) fn insert(&self, kind: Kind, object: Value) -> Vec<Key> {
        if kind == ENDPOINTS {
            let (key, slice) = (key_of(&object), Slice::of(&object));
            let mut inner = self.lock();
            let service = slice.and_then(|slice| inner.endpoints.insert(&key, slice));
            return inner.served_by(&key.0, service);
        }
        // all that takes long comes before the lock
        let new = Incoming::of(kind, object);
        let old = new.compared(self);
        let same = old.as_ref().is_some_and(|old| old.same);
        let mut inner = self.lock();
        let known = inner.objects.get(&kind).and_then(|entries| entries.get(&new.key)).map(Entry::version);
        if known.is_some_and(|known| known > new.version) {
            return vec![];
        }
        inner.take_in(&new);
        if same && known == old.as_ref().map(|old| old.version) {
            return vec![];
        }
        let mut triggered = inner.triggered(kind, &new.key, &new.object);
        if let Some(old) = old {
            // it may have scaled another target before
            triggered.extend(inner.triggered(kind, &new.key, &old.object));
        }
        if let Some(references) = new.references {
            let old = inner.canaries.put(new.key.clone(), references.clone(), new.standing);
            if old.as_ref() != Some(&references) {
                triggered.extend(inner.concerned(&new.key, &references));
                triggered.extend(old.into_iter().flat_map(|old| inner.concerned(&new.key, &old)));
            }
        }
        drop(inner);
        if !triggered.is_empty() {
            self.warm.keep(&new.stored, new.object);
        }
        triggered
    }

    /// Takes in a deletion. Returns the Canaries it matters to.
    pub(crate) fn remove(&self, kind: Kind, object: &Value) -> Vec<Key> {
        self.remove_at(kind, object, clock::now())
    }

    fn remove_at(&self, kind: Kind, object: &Value, now: Timestamp) -> Vec<Key> {
        let (key, version) = (key_of(object), version_of(object));
        let mut inner = self.lock();
        if kind == ENDPOINTS {
            let service = inner.endpoints.remove(&key);
            return inner.served_by(&key.0, service);
        }
        let mut triggered = inner.triggered(kind, &key, object);
        inner.forget_buried(now);
        let entries = inner.objects.entry(kind).or_default();
        // what is never written by us needs no tombstone, nor does what no Canary depends on
        if triggered.is_empty() || kind == POD || pod_policies::KINDS.contains(&kind) {
            entries.remove(&key);
        } else {
            entries.bury(&key, version, now);
            inner.buried.push_back((now, kind, key.clone()));
        }
        inner.floors.remove(&(kind, key.clone()));
        if kind == CANARY
            && let Some(old) = inner.canaries.remove(&key)
        {
            inner.dependencies.remove(&key);
            triggered.extend(inner.concerned(&key, &old));
        }
        triggered
    }

    /// After a list: objects that were not in it are gone.
    pub(crate) fn listed(&self, kind: Kind, seen: &BTreeSet<Key>) -> Vec<Key> {
        let mut inner = self.lock();
        let concerned = inner.canaries.keys();
        inner.synced.insert(kind);
        inner.forbidden.remove(&kind);
        if kind == ENDPOINTS {
            inner.endpoints.retain(seen);
        } else {
            let entries = inner.objects.entry(kind).or_default();
            entries.retain(|key| seen.contains(key));
            inner.floors.retain(|(of, key), _| *of != kind || seen.contains(key));
            if kind == CANARY {
                inner.canaries.retain(|key| seen.contains(key));
                inner.dependencies.retain(|key| seen.contains(key));
            }
        }
        concerned
    }

    /// A watch has ended for good: nothing of that kind is known any more.
    pub(crate) fn forget(&self, kind: Kind) {
        let mut inner = self.lock();
        inner.synced.remove(&kind);
        inner.forbidden.remove(&kind);
        inner.lost.remove(&kind);
        inner.newest.remove(&kind);
        inner.floors.retain(|(of, _), _| *of != kind);
        inner.objects.remove(&kind);
    }

    /// What is known of this object before this version is stale.
    pub(crate) fn floor(&self, kind: Kind, key: Key, version: u64) {
        let mut inner = self.lock();
        let known = inner.objects.get(&kind).and_then(|e| e.get(&key)).map_or(0, Entry::version);
        if known < version {
            inner.floors.insert((kind, key), version);
        }
    }

    /// Sets which CustomResourceDefinitions exist. Returns all Canaries when that changed.
    pub(crate) fn set_crds(&self, crds: BTreeSet<String>) -> Vec<Key> {
        let mut inner = self.lock();
        let changed = inner.crds != crds || !inner.crds_synced;
        inner.crds = crds;
        inner.crds_synced = true;
        if changed { inner.canaries.keys() } else { vec![] }
    }

    /// Marks a namespace as terminating or not. Returns its Canaries.
    pub(crate) fn set_terminating(&self, namespace: &str, terminating: bool) -> Vec<Key> {
        let mut inner = self.lock();
        let changed = if terminating {
            inner.terminating.insert(namespace.to_owned())
        } else {
            inner.terminating.remove(namespace)
        };
        if !changed {
            return vec![];
        }
        inner.canaries.of_namespace(namespace).map(|(key, _)| key.clone()).collect()
    }

    /// Holder of Flagger's lease and when it runs out; returns all Canaries when the holder changed.
    pub(crate) fn set_flagger(&self, lease: Option<(String, jiff::Timestamp)>) -> Vec<Key> {
        let mut inner = self.lock();
        let changed = lease.as_ref().map(|l| &l.0) != inner.flagger.as_ref().map(|l| &l.0);
        inner.flagger = lease;
        if changed { inner.canaries.keys() } else { vec![] }
    }

    /// Holder of Flagger's lease and when it runs out.
    pub(crate) fn flagger(&self) -> Option<(String, jiff::Timestamp)> {
        self.lock().flagger.clone()
    }

    /// Notes what is read for a Canary, so that its changes matter to it whatever it is named.
    pub(crate) fn depends_on(&self, canary: &Key, objects: &[ObjectRef]) {
        let Some(references) = self.lock().canaries.get(canary).cloned() else { return };
        let named = references.services();
        let tells = |at: &&ObjectRef| {
            ![DEPLOYMENT, DAEMONSET, REVISION].contains(&at.kind) && !named.contains(&at.name)
        };
        let seen = objects.iter().filter(tells).cloned().collect();
        let mut inner = self.lock();
        if inner.canaries.get(canary).is_some() {
            inner.dependencies.set(canary, seen);
        }
    }

    /// All these kinds have been listed at least once.
    pub(crate) fn synced(&self, kinds: &[Kind]) -> bool {
        let inner = self.lock();
        inner.crds_synced && kinds.iter().all(|k| inner.synced.contains(k))
    }

    /// The CustomResourceDefinition exists.
    pub(crate) fn defines(&self, crd: &str) -> bool {
        self.lock().crds.contains(crd)
    }

    /// The namespace is being deleted.
    pub(crate) fn terminating(&self, namespace: &str) -> bool {
        self.lock().terminating.contains(namespace)
    }
}

#[cfg(test)]
mod tests;
