//! Ready endpoints per Service, counted from EndpointSlices. Of the slices only the counts are kept, and the addresses
//! of the API server, which users must not reach through the operator.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use jiff::Timestamp;
use serde_json::Value;

use crate::snapshot::Key;

/// Counts of all slices.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    /// Per Service.
    counts: BTreeMap<Key, Counts>,
    /// The Service of each slice.
    slices: BTreeMap<Key, String>,
    /// Addresses of the API server, by slice.
    api_server: BTreeMap<Key, BTreeSet<IpAddr>>,
}

/// The endpoints of one Service.
#[derive(Debug, Default)]
struct Counts {
    /// Each slice's address type, and its ready and its terminating endpoints.
    slices: BTreeMap<String, (String, u32, u32)>,
    /// When one was seen ready after none was.
    since: Option<Timestamp>,
}

impl Counts {
    /// Ready ones, of the address type with the most.
    fn ready(&self) -> u32 {
        let mut by_type: BTreeMap<&str, u32> = BTreeMap::new();
        for (family, ready, _) in self.slices.values() {
            *by_type.entry(family).or_default() += ready;
        }
        by_type.into_values().max().unwrap_or(0)
    }
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
    pub(super) fn insert(&mut self, key: &Key, slice: Option<Slice>, now: Timestamp) -> Vec<String> {
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
        let same = counts.slices.get(&key.1) == Some(&new);
        counts.slices.insert(key.1.clone(), new);
        counts.since = counts.since.or(Some(now)).filter(|_| counts.ready() > 0);
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
            counts.slices.remove(&key.1);
            counts.since = counts.since.filter(|_| counts.ready() > 0);
            if counts.slices.is_empty() {
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
        self.of(namespace, service).map(Counts::ready)
    }

    /// When one of them was seen ready after none was.
    pub(super) fn ready_since(&self, namespace: &str, service: &str) -> Option<Timestamp> {
        self.of(namespace, service)?.since
    }

    fn of(&self, namespace: &str, service: &str) -> Option<&Counts> {
        self.counts.get(&(namespace.to_owned(), service.to_owned()))
    }

    /// Endpoints behind a Service whose pods are being deleted; each address type counts.
    pub(super) fn leaving(&self, namespace: &str, service: &str) -> u32 {
        let slices = self.of(namespace, service).into_iter().flat_map(|counts| counts.slices.values());
        slices.map(|(_, _, leaving)| leaving).sum()
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

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn ready_endpoints_count_from_the_first_one() {
        let slice = |ready: &[bool]| {
            let all: Vec<_> = ready.iter().map(|ready| json!({"conditions": {"ready": ready}})).collect();
            let labels = json!({"kubernetes.io/service-name": "a"});
            Slice::of(&json!({"metadata": {"namespace": "n", "labels": labels}, "endpoints": all}))
        };
        let keys = ["one", "two"].map(|name| ("n".to_owned(), name.to_owned()));
        let mut endpoints = Endpoints::default();
        let mut seen = |number: usize, ready: Option<&[bool]>, second| {
            match ready {
                Some(ready) => drop(endpoints.insert(&keys[number], slice(ready), at(second))),
                None => drop(endpoints.remove(&keys[number])),
            }
            endpoints.ready_since("n", "a")
        };
        assert_eq!(seen(0, Some(&[false]), 1), None);
        assert_eq!(seen(0, Some(&[false, true]), 2), Some(at(2)));
        assert_eq!(seen(0, Some(&[true, true]), 3), Some(at(2)));
        assert_eq!(seen(1, Some(&[true]), 4), Some(at(2)));
        assert_eq!(seen(0, None, 5), Some(at(2)), "the other slice has one");
        assert_eq!(seen(1, Some(&[false]), 6), None);
        assert_eq!(seen(1, Some(&[true]), 7), Some(at(7)));
        assert_eq!(seen(1, None, 8), None);
        assert_eq!(seen(0, Some(&[true]), 9), Some(at(9)));
    }

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
            endpoints.insert(&key, Slice::of(&slice(namespace, service, address)), at(0));
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
        assert_eq!(endpoints.insert(&key, slice(Some("a")), at(0)), ["a"]);
        assert_eq!(endpoints.insert(&key, slice(Some("a")), at(0)), [""; 0]);
        assert_eq!(endpoints.insert(&key, slice(Some("b")), at(0)), ["a", "b"]);
        assert_eq!((endpoints.ready("n", "a"), endpoints.ready("n", "b")), (None, Some(1)));
        assert_eq!(endpoints.insert(&key, slice(None), at(0)), ["b"]);
        assert_eq!(endpoints.ready("n", "b"), None);
        assert_eq!(endpoints.insert(&key, slice(None), at(0)), [""; 0]);
    }
}
