//! Ready endpoints per Service, counted from EndpointSlices. Of the slices only the counts are kept, and the addresses
//! of the API server, which users must not reach through the operator.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use serde_json::Value;

use crate::snapshot::Key;

/// Counts of all slices.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    /// Per Service: each slice's address type, and its ready and its terminating endpoints.
    counts: BTreeMap<Key, BTreeMap<String, (String, u32, u32)>>,
    /// The Service of each slice.
    slices: BTreeMap<Key, String>,
    /// Addresses of the API server, by slice.
    api_server: BTreeMap<Key, BTreeSet<IpAddr>>,
}

/// The Service under which Pods know the API server.
const API_SERVER: (&str, &str) = ("default", "kubernetes");

/// The parts of an EndpointSlice that are kept.
pub(super) struct Slice {
    service: String,
    counts: (String, u32, u32),
    /// Only for the API server.
    addresses: BTreeSet<IpAddr>,
}

impl Slice {
    /// None for a slice without a Service.
    pub(super) fn of(slice: &Value) -> Option<Self> {
        let service = slice["metadata"]["labels"]["kubernetes.io/service-name"].as_str()?.to_owned();
        let family = slice["addressType"].as_str().unwrap_or_default().to_owned();
        let leaves = |e: &&Value| e["conditions"]["terminating"].as_bool().unwrap_or(false);
        let serves = |e: &&Value| e["conditions"]["ready"].as_bool().unwrap_or(true) && !leaves(e);
        let all = slice["endpoints"].as_array().map_or(&[][..], Vec::as_slice);
        let (ready, leaving) = (all.iter().filter(serves).count(), all.iter().filter(leaves).count());
        let namespace = slice["metadata"]["namespace"].as_str().unwrap_or_default();
        let addresses = if (namespace, service.as_str()) == API_SERVER {
            let texts = all.iter().flat_map(|e| e["addresses"].as_array().into_iter().flatten());
            texts.filter_map(|text| Some(text.as_str()?.parse::<IpAddr>().ok()?.to_canonical())).collect()
        } else {
            BTreeSet::new()
        };
        Some(Self { service, counts: (family, ready as u32, leaving as u32), addresses })
    }
}

impl Endpoints {
    /// Stores a slice; returns the Services whose counts it changed. Without a Service it counts for none.
    pub(super) fn insert(&mut self, key: &Key, slice: Option<Slice>) -> Vec<String> {
        let service = slice.as_ref().map(|slice| &slice.service);
        let moved = self.slices.get(key).is_some_and(|former| Some(former) != service);
        let mut changed: Vec<String> = if moved { self.remove(key).into_iter().collect() } else { vec![] };
        let Some(Slice { service, counts: new, addresses }) = slice else { return changed };
        if addresses.is_empty() {
            self.api_server.remove(key);
        } else {
            self.api_server.insert(key.clone(), addresses);
        }
        let counts = self.counts.entry((key.0.clone(), service.clone())).or_default();
        let same = counts.get(&key.1) == Some(&new);
        counts.insert(key.1.clone(), new);
        self.slices.insert(key.clone(), service.clone());
        if !same {
            changed.push(service);
        }
        changed
    }

    /// Removes a slice; returns its Service.
    pub(super) fn remove(&mut self, key: &Key) -> Option<String> {
        self.api_server.remove(key);
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

    /// Ready endpoints behind a Service, of the address type with the most; none if there is no slice.
    pub(super) fn ready(&self, namespace: &str, service: &str) -> Option<u32> {
        let counts = self.counts.get(&(namespace.to_owned(), service.to_owned()))?;
        let mut by_type: BTreeMap<&str, u32> = BTreeMap::new();
        for (family, ready, _) in counts.values() {
            *by_type.entry(family).or_default() += ready;
        }
        by_type.into_values().max()
    }

    /// Endpoints behind a Service whose pods are being deleted; each address type counts.
    pub(super) fn leaving(&self, namespace: &str, service: &str) -> u32 {
        let counts = self.counts.get(&(namespace.to_owned(), service.to_owned()));
        counts.into_iter().flat_map(BTreeMap::values).map(|(_, _, leaving)| leaving).sum()
    }

    /// Known addresses of the API server.
    pub(super) fn api_server(&self) -> BTreeSet<IpAddr> {
        self.api_server.values().flatten().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn f21_addresses_are_kept_of_the_api_server_alone() {
        let slice = |namespace: &str, service: &str, address: &str| {
            json!({
                "metadata": {"namespace": namespace, "labels": {"kubernetes.io/service-name": service}},
                "addressType": "IPv4",
                "endpoints": [{"addresses": [address, "not one"]}],
            })
        };
        let mut endpoints = Endpoints::default();
        let mut insert = |namespace: &str, service: &str, address: &str| {
            let key = (namespace.to_owned(), service.to_owned());
            endpoints.insert(&key, Slice::of(&slice(namespace, service, address)));
        };
        insert("default", "kubernetes", "172.18.0.2");
        insert("default", "shop", "10.0.0.1");
        insert("shop", "kubernetes", "10.0.0.2");
        assert_eq!(endpoints.api_server(), ["172.18.0.2".parse().unwrap()].into());
        endpoints.remove(&("default".to_owned(), "kubernetes".to_owned()));
        assert!(endpoints.api_server().is_empty());
    }

    #[test]
    fn a_slice_that_is_given_another_service_or_none_counts_no_longer_for_its_former_one() {
        let slice = |service: Option<&str>| {
            let labels = json!({"kubernetes.io/service-name": service});
            Slice::of(
                &json!({"metadata": {"namespace": "n", "labels": labels}, "endpoints": [{"addresses": ["10.0.0.1"]}]}),
            )
        };
        let (mut endpoints, key) = (Endpoints::default(), ("n".to_owned(), "slice".to_owned()));
        assert_eq!(endpoints.insert(&key, slice(Some("a"))), ["a"]);
        assert_eq!(endpoints.insert(&key, slice(Some("a"))), [""; 0]);
        assert_eq!(endpoints.insert(&key, slice(Some("b"))), ["a", "b"]);
        assert_eq!((endpoints.ready("n", "a"), endpoints.ready("n", "b")), (None, Some(1)));
        assert_eq!(endpoints.insert(&key, slice(None)), ["b"]);
        assert_eq!(endpoints.ready("n", "b"), None);
        assert_eq!(endpoints.insert(&key, slice(None)), [""; 0]);
    }
}
