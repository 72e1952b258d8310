//! Ready endpoints per Service, counted from EndpointSlices; of the slices nothing else is kept.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::snapshot::Key;

/// Counts of all slices.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    /// Per Service: each slice's address type, and its ready and its terminating endpoints.
    counts: BTreeMap<Key, BTreeMap<String, (String, u32, u32)>>,
    /// The Service of each slice.
    slices: BTreeMap<Key, String>,
}

/// What is kept of an EndpointSlice.
pub(super) struct Slice {
    service: String,
    counts: (String, u32, u32),
}

impl Slice {
    /// None for one of no Service.
    pub(super) fn of(slice: &Value) -> Option<Self> {
        let service = slice["metadata"]["labels"]["kubernetes.io/service-name"].as_str()?.to_owned();
        let family = slice["addressType"].as_str().unwrap_or_default().to_owned();
        let leaves = |e: &&Value| e["conditions"]["terminating"].as_bool().unwrap_or(false);
        let serves = |e: &&Value| e["conditions"]["ready"].as_bool().unwrap_or(true) && !leaves(e);
        let all = slice["endpoints"].as_array().map_or(&[][..], Vec::as_slice);
        let (ready, leaving) = (all.iter().filter(serves).count(), all.iter().filter(leaves).count());
        Some(Self { service, counts: (family, ready as u32, leaving as u32) })
    }
}

impl Endpoints {
    /// Takes in a slice; the Service whose count it changed.
    pub(super) fn insert(&mut self, key: &Key, slice: Slice) -> Option<String> {
        let Slice { service, counts: new } = slice;
        let counts = self.counts.entry((key.0.clone(), service.clone())).or_default();
        let changed = counts.get(&key.1) != Some(&new);
        counts.insert(key.1.clone(), new);
        self.slices.insert(key.clone(), service.clone());
        changed.then_some(service)
    }

    /// A slice is gone; the Service it was of.
    pub(super) fn remove(&mut self, key: &Key) -> Option<String> {
        let service = self.slices.remove(key)?;
        let of = (key.0.clone(), service.clone());
        if let Some(counts) = self.counts.get_mut(&of) {
            counts.remove(&key.1);
            if counts.is_empty() {
                self.counts.remove(&of);
            }
        }
        Some(service)
    }

    /// Slices other than these are gone.
    pub(super) fn retain(&mut self, there: impl Fn(&Key) -> bool) {
        let lost: Vec<Key> = self.slices.keys().filter(|key| !there(key)).cloned().collect();
        for key in lost {
            self.remove(&key);
        }
    }

    /// Ready endpoints behind a Service, of the address type that has most; none when no slice was seen.
    pub(super) fn ready(&self, namespace: &str, service: &str) -> Option<u32> {
        let counts = self.counts.get(&(namespace.to_owned(), service.to_owned()))?;
        let mut by_type: BTreeMap<&str, u32> = BTreeMap::new();
        for (family, ready, _) in counts.values() {
            *by_type.entry(family).or_default() += ready;
        }
        by_type.into_values().max()
    }

    /// Endpoints behind a Service whose pods are being deleted; of several address types each counts.
    pub(super) fn leaving(&self, namespace: &str, service: &str) -> u32 {
        let counts = self.counts.get(&(namespace.to_owned(), service.to_owned()));
        counts.into_iter().flat_map(BTreeMap::values).map(|(_, _, leaving)| leaving).sum()
    }
}
