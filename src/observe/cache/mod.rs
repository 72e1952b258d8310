//! What the watches have seen, and what our own writes returned: the newest known version of each object, as text.
//!
//! Text, because a parsed object takes ten times the memory, and only the objects of the Canary at hand are ever
//! parsed. A version that one of our writes returned is never replaced by an older one from a watch, so a decision
//! always sees the writes before it.

mod canaries;
mod entries;
mod entry;
mod freshness;
pub(super) mod jobs;
mod records;
mod scalers;
mod scope;
pub(super) mod secrets;
mod store;
mod triggers;
pub(super) mod work;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::{
    entries::{Entries, terms},
    entry::{Entry, drop_unread, key_of, version_of},
};
pub(crate) use self::{freshness::GRACE, store::ObjectCache};
use super::references::{Contested, References};
use crate::{
    manifest::{config, pod_policies},
    snapshot::{
        ALERT_PROVIDER, CANARY, CANARY_RUN, DAEMONSET, DEPLOYMENT, ENDPOINTS, JOB, Key, Kind,
        METRIC_TEMPLATE, ObjectRef, POD, REVISION,
    },
    spec::Target,
};

impl ObjectCache {
    /// Takes in an object from a watch or from the answer to a write. Returns the Canaries it matters to.
    pub(crate) fn insert(&self, kind: Kind, mut object: Value) -> Vec<Key> {
        drop_unread(&mut object);
        if !keeps_writers(kind) {
            object["metadata"].as_object_mut().map(|meta| meta.remove("managedFields"));
        }
        if config::KINDS.contains(&kind) {
            object = config::without_content(&object);
        } else if scalers::without_status(kind) {
            scalers::drop_status(&mut object);
        } else if kind == CANARY_RUN {
            records::drop_closed(&mut object);
        } else if kind == POD {
            jobs::drop_spec(&mut object);
        }
        let (key, version) = (key_of(&object), version_of(&object));
        let mut inner = self.lock();
        if kind == ENDPOINTS {
            let service = inner.endpoints.insert(&key, &object);
            return inner.served_by(&key.0, service);
        }
        let entries = inner.objects.entry(kind).or_default();
        if entries.get(&key).is_some_and(|e| e.version() > version) {
            return vec![];
        }
        let old = entries.get(&key).filter(|_| scalers::without_status(kind)).and_then(Entry::object);
        entries.put(key.clone(), Entry::seen(version, &object, terms(kind, &object)));
        if inner.floors.get(&(kind, key.clone())).is_some_and(|f| *f <= version) {
            inner.floors.remove(&(kind, key.clone()));
        }
        let mut triggered = inner.triggered(kind, &key, &object);
        if let Some(old) = old {
            if scalers::same_but_version(&old, &object) {
                return vec![];
            }
            // it may have scaled another target before
            triggered.extend(inner.triggered(kind, &key, &old));
        }
        if kind == CANARY {
            let new = References::of(&object, &key.0);
            triggered.extend(inner.concerned(&key, &new));
            if let Some(old) = inner.canaries.put(key.clone(), new.clone())
                && old != new
            {
                triggered.extend(inner.concerned(&key, &old));
            }
        }
        triggered
    }

    /// Takes in a deletion. Returns the Canaries it matters to.
    pub(crate) fn remove(&self, kind: Kind, object: &Value) -> Vec<Key> {
        let (key, version) = (key_of(object), version_of(object));
        let mut inner = self.lock();
        if kind == ENDPOINTS {
            let service = inner.endpoints.remove(&key);
            return inner.served_by(&key.0, service);
        }
        let mut triggered = inner.triggered(kind, &key, object);
        let entries = inner.objects.entry(kind).or_default();
        // what is never written by us needs no tombstone, nor does what no Canary depends on
        if triggered.is_empty() || kind == POD || pod_policies::KINDS.contains(&kind) {
            entries.remove(&key);
        } else {
            entries.put(key.clone(), Entry::Deleted { version });
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
        let mut inner = self.lock();
        let Some(references) = inner.canaries.get(canary) else { return };
        let named = references.services();
        let tells = |at: &&ObjectRef| {
            ![DEPLOYMENT, DAEMONSET, REVISION].contains(&at.kind) && !named.contains(&at.name)
        };
        let seen = objects.iter().filter(tells).cloned().collect();
        inner.dependencies.set(canary, seen);
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

    /// Newest known version of the object, whose namespace does not matter if its kind has none; none when it does not
    /// exist.
    pub(crate) fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Value> {
        let inner = self.lock();
        inner.objects.get(&kind)?.get(&scope::key(kind, namespace, name))?.object()
    }

    /// All objects of a kind in a namespace.
    pub(crate) fn list(&self, kind: Kind, namespace: &str) -> Vec<Value> {
        self.beginning(kind, namespace, "")
    }

    /// The objects of a kind in a namespace whose names begin so.
    pub(crate) fn beginning(&self, kind: Kind, namespace: &str, head: &str) -> Vec<Value> {
        let inner = self.lock();
        let entries = inner.objects.get(&kind);
        let found = entries.into_iter().flat_map(|entries| entries.beginning(namespace, head));
        found.filter_map(|(_, entry)| entry.object()).collect()
    }

    /// The objects of a kind that bear the label of this Canary.
    pub(crate) fn owned(&self, kind: Kind, (namespace, canary): &Key) -> Vec<Value> {
        self.under(kind, namespace, &[entries::owned_by(canary)])
    }

    /// The workloads of a kind whose pods have all these labels; none for no labels.
    pub(crate) fn labelled<'a>(
        &self,
        kind: Kind,
        namespace: &str,
        labels: impl Iterator<Item = (&'a String, &'a str)>,
    ) -> Vec<Value> {
        let terms: Vec<String> = labels.map(|(key, value)| entries::labelled(key, value)).collect();
        self.under(kind, namespace, &terms)
    }

    fn under(&self, kind: Kind, namespace: &str, terms: &[String]) -> Vec<Value> {
        let inner = self.lock();
        let entries = inner.objects.get(&kind);
        let found = entries.into_iter().flat_map(|entries| entries.under(namespace, terms));
        found.filter_map(|(_, entry)| entry.object()).collect()
    }

    /// The objects of a kind, whatever their namespace, that `wanted` takes by their text.
    pub(crate) fn everywhere(&self, kind: Kind, wanted: impl Fn(&str) -> bool) -> Vec<Value> {
        let inner = self.lock();
        let all = inner.objects.get(&kind).into_iter().flat_map(Entries::all);
        all.filter(|entry| entry.text().is_some_and(&wanted)).filter_map(Entry::object).collect()
    }

    /// A write to one of these is known to be newer than what has been seen.
    pub(crate) fn stale(&self, kind: Kind, key: &Key) -> bool {
        self.lock().floors.contains_key(&(kind, key.clone()))
    }

    /// Ready endpoints behind a Service; none when no EndpointSlice was seen.
    pub(crate) fn ready(&self, namespace: &str, service: &str) -> Option<u32> {
        self.lock().endpoints.ready(namespace, service)
    }

    /// Endpoints behind a Service whose pods are being deleted, if there are any.
    pub(crate) fn leaving(&self, namespace: &str, service: &str) -> Option<u32> {
        Some(self.lock().endpoints.leaving(namespace, service)).filter(|leaving| *leaving > 0)
    }

    /// Other Canaries of the namespace that want what this one wants. `provider` is that of Canaries that name none.
    pub(super) fn rivals(&self, key: &Key, provider: &str) -> Vec<(Key, Contested)> {
        let inner = self.lock();
        let Some(own) = inner.canaries.get(key) else { return vec![] };
        let own = own.routed_by(provider);
        let candidates = inner.rivals(key, &own).into_iter();
        let known = candidates.filter_map(|(other, _)| Some((inner.canaries.get(&other)?, other)));
        known
            .filter_map(|(theirs, other)| Some((other, own.contests(&theirs.routed_by(provider))?)))
            .collect()
    }

    /// Other Canaries, of all namespaces, that serve a host of this one.
    pub(super) fn neighbours(&self, key: &Key) -> Vec<Key> {
        let inner = self.lock();
        let Some(own) = inner.canaries.get(key) else { return vec![] };
        inner.neighbours(key, own)
    }

    /// Providers that Canaries name; one of them is empty if some name none.
    pub(crate) fn providers(&self) -> BTreeSet<String> {
        self.lock().canaries.all().map(|(_, references)| references.provider.clone()).collect()
    }

    /// Some Canary has a target of this kind.
    pub(crate) fn targets(&self, kind: Target) -> bool {
        self.lock().canaries.all().any(|(_, references)| references.kind == Some(kind))
    }

    /// Number of Canaries per namespace.
    pub(crate) fn totals(&self) -> BTreeMap<String, usize> {
        self.lock().canaries.totals().clone()
    }
}

/// Who wrote last matters of what Serin writes and others may change back.
fn keeps_writers(kind: Kind) -> bool {
    let others = [CANARY, CANARY_RUN, POD, JOB, REVISION, METRIC_TEMPLATE, ALERT_PROVIDER];
    !others.contains(&kind) && !config::KINDS.contains(&kind)
}

#[cfg(test)]
mod tests;
