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

use super::looked::Looked;
use crate::{
    names,
    snapshot::{CANARY, DEPLOYMENT, ENDPOINTS, Kind, METRIC_TEMPLATE, ObjectRef, REVISION},
};

/// Namespace and name.
pub type Key = (String, String);

/// What a Canary looks at, read loosely so that it works for one that does not decode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interest {
    /// `spec.targetRef.name`.
    pub target: String,
    /// `spec.service.name`, or the target's.
    pub apex: String,
    /// MetricTemplates as `namespace/name`.
    pub templates: Vec<String>,
    /// `spec.provider`; empty when the Canary leaves it to the operator.
    pub provider: String,
}

impl Interest {
    fn of(canary: &Value, namespace: &str) -> Self {
        let spec = &canary["spec"];
        let target = spec["targetRef"]["name"].as_str().unwrap_or_default().to_owned();
        let apex = spec["service"]["name"].as_str().filter(|n| !n.is_empty()).unwrap_or(&target).to_owned();
        let analysis = if spec["analysis"].is_object() { &spec["analysis"] } else { &spec["canaryAnalysis"] };
        let templates = analysis["metrics"].as_array().into_iter().flatten().filter_map(|m| {
            let name = m["templateRef"]["name"].as_str()?;
            Some(format!("{}/{name}", m["templateRef"]["namespace"].as_str().unwrap_or(namespace)))
        });
        let provider = spec["provider"].as_str().unwrap_or_default().to_owned();
        Self { target, apex, templates: templates.collect(), provider }
    }

    fn services(&self) -> [String; 3] {
        [self.apex.clone(), names::primary(&self.apex), names::canary(&self.apex)]
    }
}

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
}

#[derive(Debug, Default)]
struct Inner {
    objects: BTreeMap<Kind, BTreeMap<Key, Entry>>,
    interests: BTreeMap<Key, Interest>,
    looked: Looked,
    /// Per Service: each EndpointSlice's address type and ready endpoints.
    endpoints: BTreeMap<Key, BTreeMap<String, (String, u32)>>,
    slices: BTreeMap<Key, String>,
    /// A write whose result is known only by version: the object as seen before it is stale.
    floors: BTreeMap<(Kind, Key), u64>,
    synced: BTreeSet<Kind>,
    crds: BTreeSet<String>,
    crds_synced: bool,
    terminating: BTreeSet<String>,
    flagger: Option<(String, jiff::Timestamp)>,
}

/// Shared by the watches, the writers and the gatherer.
#[derive(Debug, Default)]
pub struct World(Mutex<Inner>);

/// Resource versions are numbers that grow (official for one kind since Kubernetes 1.35, true before).
pub fn version_of(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|v| v.parse().ok()).unwrap_or(0)
}

fn key_of(object: &Value) -> Key {
    let meta = &object["metadata"];
    let text = |field: &str| meta[field].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

impl World {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in an object from a watch or from the answer to a write. Returns the Canaries it matters to.
    pub fn saw(&self, kind: Kind, mut object: Value) -> Vec<Key> {
        if let Some(meta) = object["metadata"].as_object_mut() {
            meta.remove("managedFields");
        }
        let (key, version) = (key_of(&object), version_of(&object));
        let mut inner = self.lock();
        if kind == ENDPOINTS {
            return inner.saw_endpoints(&key, &object);
        }
        let entries = inner.objects.entry(kind).or_default();
        if entries.get(&key).is_some_and(|e| e.version() > version) {
            return vec![];
        }
        entries.insert(key.clone(), Entry::Seen { version, text: object.to_string().into() });
        if inner.floors.get(&(kind, key.clone())).is_some_and(|f| *f <= version) {
            inner.floors.remove(&(kind, key.clone()));
        }
        let mut touched = inner.touched(kind, &key, &object);
        if kind == CANARY {
            let new = Interest::of(&object, &key.0);
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
            return inner.lost_endpoints(&key);
        }
        let mut touched = inner.touched(kind, &key, object);
        inner.objects.entry(kind).or_default().insert(key.clone(), Entry::Gone { version });
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
        if kind == ENDPOINTS {
            let lost: Vec<Key> = inner.slices.keys().filter(|k| !seen.contains(*k)).cloned().collect();
            for key in lost {
                inner.lost_endpoints(&key);
            }
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
        let tells =
            |at: &&ObjectRef| at.kind != DEPLOYMENT && at.kind != REVISION && !named.contains(&at.name);
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

    /// Newest known version of the object; none when it does not exist.
    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Value> {
        let inner = self.lock();
        match inner.objects.get(&kind)?.get(&(namespace.to_owned(), name.to_owned()))? {
            Entry::Seen { text, .. } => serde_json::from_str(text).ok(),
            Entry::Gone { .. } => None,
        }
    }

    /// All objects of a kind in a namespace.
    pub fn list(&self, kind: Kind, namespace: &str) -> Vec<Value> {
        let inner = self.lock();
        let Some(entries) = inner.objects.get(&kind) else { return vec![] };
        let from = (namespace.to_owned(), String::new());
        let within = entries.range(from..).take_while(|(key, _)| key.0 == namespace);
        within
            .filter_map(|(_, e)| match e {
                Entry::Seen { text, .. } => serde_json::from_str(text).ok(),
                Entry::Gone { .. } => None,
            })
            .collect()
    }

    /// A write to one of these is known to be newer than what has been seen.
    pub fn stale(&self, kind: Kind, key: &Key) -> bool {
        self.lock().floors.contains_key(&(kind, key.clone()))
    }

    /// Ready endpoints behind a Service; none when no EndpointSlice was seen.
    pub fn ready(&self, namespace: &str, service: &str) -> Option<u32> {
        let inner = self.lock();
        let slices = inner.endpoints.get(&(namespace.to_owned(), service.to_owned()))?;
        let mut by_type: BTreeMap<&str, u32> = BTreeMap::new();
        for (family, ready) in slices.values() {
            *by_type.entry(family).or_default() += ready;
        }
        by_type.into_values().max()
    }

    /// Canaries with what they look at.
    pub fn interests(&self, namespace: &str) -> Vec<(Key, Interest)> {
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

    /// Number of Canaries per namespace.
    pub fn totals(&self) -> BTreeMap<String, usize> {
        let mut totals = BTreeMap::new();
        for key in self.lock().interests.keys() {
            *totals.entry(key.0.clone()).or_default() += 1;
        }
        totals
    }
}

impl Inner {
    /// The Canaries that an object matters to.
    fn touched(&self, kind: Kind, key: &Key, object: &Value) -> Vec<Key> {
        if kind == CANARY {
            return vec![key.clone()];
        }
        if kind == METRIC_TEMPLATE {
            let name = format!("{}/{}", key.0, key.1);
            let refers = |i: &Interest| i.templates.contains(&name);
            return self.interests.iter().filter(|(_, i)| refers(i)).map(|(k, _)| k.clone()).collect();
        }
        let of = object["metadata"]["labels"][names::LABEL_TEMPLATE_OF].as_str();
        self.interested(&key.0, |interest| match kind {
            DEPLOYMENT => key.1 == interest.target || key.1 == names::primary(&interest.target),
            REVISION => of == Some(names::label_value(&names::primary(&interest.target)).as_str()),
            // Services, and most routing objects, are named after the apex
            _ => interest.services().contains(&key.1),
        })
        .into_iter()
        .chain(self.looked.at(kind, key))
        .collect()
    }

    fn interested(&self, namespace: &str, hit: impl Fn(&Interest) -> bool) -> Vec<Key> {
        let from = (namespace.to_owned(), String::new());
        let within = self.interests.range(from..).take_while(|(key, _)| key.0 == namespace);
        within.filter(|(_, interest)| hit(interest)).map(|(key, _)| key.clone()).collect()
    }

    /// Other Canaries of the namespace that want the same target or apex.
    fn rivals(&self, key: &Key, interest: &Interest) -> Vec<Key> {
        let mut all = self.interested(&key.0, |i| i.target == interest.target || i.apex == interest.apex);
        all.retain(|k| k != key);
        all
    }

    fn saw_endpoints(&mut self, key: &Key, slice: &Value) -> Vec<Key> {
        let Some(service) = slice["metadata"]["labels"]["kubernetes.io/service-name"].as_str() else {
            return vec![];
        };
        let family = slice["addressType"].as_str().unwrap_or_default().to_owned();
        let serves = |e: &&Value| {
            e["conditions"]["ready"].as_bool().unwrap_or(true)
                && !e["conditions"]["terminating"].as_bool().unwrap_or(false)
        };
        let ready = slice["endpoints"].as_array().map_or(0, |list| list.iter().filter(serves).count());
        let of = (key.0.clone(), service.to_owned());
        let slices = self.endpoints.entry(of).or_default();
        let new = (family, ready as u32);
        let changed = slices.get(&key.1) != Some(&new);
        slices.insert(key.1.clone(), new);
        self.slices.insert(key.clone(), service.to_owned());
        if changed { self.interested(&key.0, |i| i.services().iter().any(|s| s == service)) } else { vec![] }
    }

    fn lost_endpoints(&mut self, key: &Key) -> Vec<Key> {
        let Some(service) = self.slices.remove(key) else { return vec![] };
        let of = (key.0.clone(), service.clone());
        if let Some(slices) = self.endpoints.get_mut(&of) {
            slices.remove(&key.1);
            if slices.is_empty() {
                self.endpoints.remove(&of);
            }
        }
        self.interested(&key.0, |i| i.services().contains(&service))
    }
}
