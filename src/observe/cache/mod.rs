//! Results of the watches and of our own writes: the newest known version of each object.
//!
//! A version that one of our writes returned is never replaced by an older one from a watch, so a decision always sees the
//! writes before it. How an object is stored: [`stored`]. How it is found: [`terms`] and [`canaries`].

mod canaries;
mod decoding;
mod entries;
mod entry;
mod freshness;
mod incoming;
pub(super) mod jobs;
mod namespaces;
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
mod territory;
mod triggers;
mod undecodable;
mod watched;
pub(super) mod work;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

pub(crate) use self::entry::{key_of, version_of};
use self::{entry::Entry, incoming::Incoming};
pub(crate) use self::{
    freshness::GRACE,
    store::ObjectCache,
    watched::{WHOLE, Watched},
};
use super::endpoints::Slice;
use crate::{
    clock,
    manifest::pod_policies,
    snapshot::{CANARY, DAEMONSET, DEPLOYMENT, ENDPOINTS, Key, Kind, ObjectRef, POD, REVISION, SECRET},
};

impl ObjectCache {
    /// Stores an object from a watch or from the answer to a write. Returns the Canaries that it affects.
    pub(crate) fn insert(&self, kind: Kind, object: Value) -> Vec<Key> {
        let corrected = self.undecodable(kind, &key_of(&object)).map(|_| object.clone());
        let mut triggered = self.take_in(kind, object);
        triggered.extend(corrected.iter().flat_map(|object| self.decodes(kind, object)));
        triggered
    }

    fn take_in(&self, kind: Kind, object: Value) -> Vec<Key> {
        if kind == ENDPOINTS {
            let (key, slice) = (key_of(&object), Slice::of(&object));
            let mut inner = self.lock();
            let services = inner.endpoints.insert(&key, slice, clock::now());
            return services.iter().flat_map(|service| inner.served(&key.0, service)).collect();
        }
        // everything that takes long is done before locking
        let new = Incoming::of(kind, object);
        let made_again = kind == CANARY && self.is_another(&new);
        let old = new.compared(self);
        let same = old.as_ref().is_some_and(|old| old.same);
        let mut inner = self.lock();
        let known = inner.objects.get(&kind).and_then(|entries| entries.get(&new.key)).map(Entry::version);
        if known.is_some_and(|known| known > new.version) {
            return vec![];
        }
        inner.take_in(&new);
        if made_again {
            // nothing can be created in a namespace that is being deleted: this is another one of its name
            inner.terminating.remove(&new.key.0);
        }
        if same && known == old.as_ref().map(|old| old.version) {
            return vec![];
        }
        let mut triggered = inner.triggered(kind, &new.key, &new.object);
        if let Some(old) = old {
            // it may have scaled another target before
            triggered.extend(inner.triggered(kind, &new.key, &old.object));
        }
        if let Some(references) = new.references
            && inner.territory.holds(&new.key.0)
        {
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

    /// In a namespace that counts as terminating, it replaces another object of its name.
    fn is_another(&self, new: &Incoming) -> bool {
        let (namespace, name) = &new.key;
        let former = self.terminating(namespace).then(|| self.get(CANARY, namespace, name)).flatten();
        former.is_some_and(|former| former["metadata"]["uid"] != new.object["metadata"]["uid"])
    }

    /// Records a deletion. Returns the Canaries that it affects.
    pub(crate) fn remove(&self, kind: Kind, object: &Value) -> Vec<Key> {
        self.remove_at(kind, object, clock::now())
    }

    fn remove_at(&self, kind: Kind, object: &Value, now: Timestamp) -> Vec<Key> {
        let (key, version) = (key_of(object), version_of(object));
        if kind == SECRET {
            self.vaults.tell(&|secret| *secret == key);
        }
        let mut inner = self.lock();
        inner.undecodable.remove(kind, &key);
        if kind == ENDPOINTS {
            let service = inner.endpoints.remove(&key);
            return service.iter().flat_map(|service| inner.served(&key.0, service)).collect();
        }
        let mut triggered = inner.triggered(kind, &key, object);
        inner.forget_buried(now);
        let entries = inner.objects.entry(kind).or_default();
        // kinds that we never write need no tombstone, nor do objects that no Canary depends on
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
            if inner.canaries.of_namespace(&key.0).next().is_none() {
                // a later object of this name may be in another namespace of that name
                inner.terminating.remove(&key.0);
            }
        }
        triggered
    }

    /// After a list: objects that were not in it are gone, unless they are newer.
    pub(crate) fn listed(&self, watched: impl Into<Watched>, seen: &BTreeSet<Key>) -> Vec<Key> {
        let (mut inner, watched) = (self.lock(), watched.into());
        let kind = watched.kind;
        let concerned = inner.canaries_of(&watched);
        inner.forbidden.remove(&watched);
        if inner.synced.insert(watched.clone())
            && let Some(namespace) = watched.namespace.as_ref().filter(|_| watched.is_mandatory())
        {
            inner.territory.opened(namespace, clock::now());
        }
        let newer = inner.newer_than_list(&watched);
        let there = |key: &Key| seen.contains(key) || newer.contains(key) || !watched.holds(key);
        inner.undecodable.retain(kind, there);
        if kind == SECRET {
            self.vaults.tell(&|secret| !there(secret));
        }
        if kind == ENDPOINTS {
            inner.endpoints.retain(there);
        } else {
            let entries = inner.objects.entry(kind).or_default();
            entries.retain(there);
            inner.floors.retain(|(of, key), _| *of != kind || there(key));
            if kind == CANARY {
                inner.canaries.retain(there);
                inner.dependencies.retain(there);
                inner.forget_terminated(&watched);
            }
        }
        concerned
    }

    /// The watches of a kind have ended for good: nothing is known about it any more.
    pub(crate) fn forget(&self, kind: Kind) {
        if kind == SECRET {
            self.vaults.tell(&|_| true);
        }
        let mut inner = self.lock();
        inner.synced.retain(|watched| watched.kind != kind);
        inner.forbidden.retain(|watched| watched.kind != kind);
        inner.lost.retain(|watched, _| watched.kind != kind);
        inner.newest.retain(|watched, _| watched.kind != kind);
        inner.floors.retain(|(of, _), _| *of != kind);
        inner.undecodable.retain(kind, |_| false);
        inner.objects.remove(&kind);
    }

    /// Data about this object before this version is stale.
    pub(crate) fn floor(&self, kind: Kind, key: Key, version: u64) {
        let mut inner = self.lock();
        let known = inner.objects.get(&kind).and_then(|e| e.get(&key)).map_or(0, Entry::version);
        if known < version {
            inner.floors.insert((kind, key), version);
        }
    }

    /// Sets which CustomResourceDefinitions exist. Returns all Canaries if that changed.
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

    /// Sets the holder of Flagger's lease and when it expires; returns all Canaries if the holder changed.
    pub(crate) fn set_flagger(&self, lease: Option<(String, jiff::Timestamp)>) -> Vec<Key> {
        let mut inner = self.lock();
        let changed = lease.as_ref().map(|l| &l.0) != inner.flagger.as_ref().map(|l| &l.0);
        inner.flagger = lease;
        if changed { inner.canaries.keys() } else { vec![] }
    }

    /// Holder of Flagger's lease and when it expires.
    pub(crate) fn flagger(&self) -> Option<(String, jiff::Timestamp)> {
        self.lock().flagger.clone()
    }

    /// Records what is read for a Canary, so that changes affect it whatever the name of the object.
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

    /// All these kinds have been listed at least once, in every namespace with separate watches.
    pub(crate) fn synced(&self, kinds: &[Kind]) -> bool {
        let inner = self.lock();
        let listed = |kind: &Kind| inner.territory.watches(*kind).iter().all(|w| inner.synced.contains(w));
        inner.crds_synced && inner.territory.known() && kinds.iter().all(listed)
    }

    /// Objects of the kind in this namespace have been listed at least once.
    pub(crate) fn listed_in(&self, kind: Kind, namespace: &str) -> bool {
        let inner = self.lock();
        inner.crds_synced && inner.synced.contains(&inner.territory.watch_in(kind, namespace))
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
