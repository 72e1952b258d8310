//! Reads from the cache. Objects are found under the lock, and decoded after it.

use std::{any::Any, collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    entry::Entry,
    scope,
    standing::Standing,
    store::ObjectCache,
    stored::Stored,
    terms::{labelled, owned_by},
};
use crate::{
    observe::references::Contested,
    snapshot::{Key, Kind},
    spec::Target,
};

impl ObjectCache {
    fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Stored>> {
        let key = scope::key(kind, namespace, name);
        self.lock().objects.get(&kind)?.get(&key)?.stored().cloned()
    }

    /// Newest known version of the object; the namespace is ignored if its kind is cluster-scoped. None if it does not
    /// exist.
    pub(crate) fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.warm.object(&self.find(kind, namespace, name)?)
    }

    /// The result of `decode` for it. A kind must always use the same `decode`.
    pub(crate) fn typed<T: Any + Send + Sync>(
        &self,
        kind: Kind,
        (namespace, name): (&str, &str),
        decode: impl FnOnce(&Value) -> T,
    ) -> Option<Arc<T>> {
        self.warm.typed(&self.find(kind, namespace, name)?, decode)
    }

    /// All objects of a kind in a namespace.
    #[cfg(test)]
    pub(crate) fn list(&self, kind: Kind, namespace: &str) -> Vec<Arc<Value>> {
        self.beginning(kind, namespace, "")
    }

    /// Drops all decoded objects.
    #[cfg(test)]
    pub(crate) fn forget_decoded(&self) {
        self.warm.clear();
    }

    /// Names of the objects of a cluster-scoped kind.
    pub(crate) fn names(&self, kind: Kind) -> Vec<String> {
        let inner = self.lock();
        let entries = inner.objects.get(&kind).into_iter().flat_map(|entries| entries.beginning("", ""));
        let there = entries.filter(|(_, entry)| entry.stored().is_some());
        there.map(|(name, _)| name.to_owned()).collect()
    }

    /// The objects of a kind in a namespace whose names begin with `head`.
    pub(crate) fn beginning(&self, kind: Kind, namespace: &str, head: &str) -> Vec<Arc<Value>> {
        let found = {
            let inner = self.lock();
            let entries = inner.objects.get(&kind);
            let found = entries.into_iter().flat_map(|entries| entries.beginning(namespace, head));
            found.filter_map(|(_, entry)| entry.stored()).cloned().collect::<Vec<_>>()
        };
        self.objects(&found)
    }

    /// The objects of a kind that have the label of this Canary.
    pub(crate) fn owned(&self, kind: Kind, (namespace, canary): &Key) -> Vec<Arc<Value>> {
        self.under(kind, namespace, &[owned_by(canary)])
    }

    /// The workloads of a kind whose pods have all these labels; none if there are no labels.
    pub(crate) fn labelled<'a>(
        &self,
        kind: Kind,
        namespace: &str,
        labels: impl Iterator<Item = (&'a String, &'a str)>,
    ) -> Vec<Arc<Value>> {
        let terms: Vec<String> = labels.map(|(key, value)| labelled(key, value)).collect();
        self.under(kind, namespace, &terms)
    }

    fn under(&self, kind: Kind, namespace: &str, terms: &[String]) -> Vec<Arc<Value>> {
        let found = {
            let inner = self.lock();
            let entries = inner.objects.get(&kind);
            let found = entries.into_iter().flat_map(|entries| entries.under(namespace, terms));
            found.filter_map(|(_, entry)| entry.stored()).cloned().collect::<Vec<_>>()
        };
        self.objects(&found)
    }

    /// The objects of a kind, in any namespace, that serve any of these hosts. None: all.
    pub(crate) fn serving(&self, kind: Kind, hosts: Option<&[String]>) -> Vec<Arc<Value>> {
        let found: Vec<Arc<Stored>> = {
            let inner = self.lock();
            let Some(entries) = inner.objects.get(&kind) else { return vec![] };
            let keys: BTreeSet<&Key> = match hosts {
                Some(hosts) => {
                    let under = hosts.iter().flat_map(|host| entries.anywhere(host));
                    under.map(|(key, _)| key).collect()
                }
                None => entries.all().map(|(key, _)| key).collect(),
            };
            keys.into_iter().filter_map(|key| entries.get(key).and_then(Entry::stored)).cloned().collect()
        };
        self.objects(&found)
    }

    /// A write to one of these is known to be newer than the cached version.
    pub(crate) fn stale(&self, kind: Kind, key: &Key) -> bool {
        self.lock().floors.contains_key(&(kind, key.clone()))
    }

    /// Ready endpoints behind a Service; none if there is no EndpointSlice.
    pub(crate) fn ready(&self, namespace: &str, service: &str) -> Option<u32> {
        self.lock().endpoints.ready(namespace, service)
    }

    /// Since when a Service has had ready endpoints; none if it has none.
    pub(crate) fn ready_since(&self, namespace: &str, service: &str) -> Option<Timestamp> {
        self.lock().endpoints.ready_since(namespace, service)
    }

    /// Known addresses of the API server.
    pub(crate) fn api_server(&self) -> BTreeSet<std::net::IpAddr> {
        self.lock().endpoints.api_server()
    }

    /// Endpoints behind a Service whose pods are being deleted, if there are any.
    pub(crate) fn leaving(&self, namespace: &str, service: &str) -> Option<u32> {
        Some(self.lock().endpoints.leaving(namespace, service)).filter(|leaving| *leaving > 0)
    }

    /// Other Canaries of the namespace that claim the same as this one. `provider` is the default provider.
    pub(in crate::observe) fn rivals(&self, key: &Key, provider: &str) -> Vec<(Key, Contested)> {
        let Some(own) = self.lock().canaries.get(key).cloned() else { return vec![] };
        let candidates = self.lock().candidates(key, &own);
        let own = own.routed_by(provider);
        let contested = candidates
            .into_iter()
            .filter_map(|(other, theirs)| Some((other, own.contests(&theirs.routed_by(provider))?)));
        contested.collect()
    }

    /// How urgent the work on a Canary is.
    pub(crate) fn standing(&self, canary: &Key) -> Standing {
        self.lock().canaries.standing(canary)
    }

    /// The same for all Canaries.
    pub(crate) fn standings(&self) -> Vec<(Key, Standing)> {
        self.lock().canaries.standings()
    }

    /// Other Canaries, in any namespace, that serve a host of this one.
    pub(crate) fn neighbours(&self, key: &Key) -> Vec<Key> {
        let inner = self.lock();
        let Some(own) = inner.canaries.get(key) else { return vec![] };
        inner.neighbours(key, own)
    }

    /// Providers of Canaries; one of them is empty if some Canary names none.
    pub(crate) fn providers(&self) -> BTreeSet<String> {
        self.lock().canaries.providers()
    }

    /// Some Canary has a target of this kind.
    pub(crate) fn targets(&self, kind: Target) -> bool {
        self.lock().canaries.targets(kind)
    }

    /// The namespaces whose number of Canaries has changed since the last call, with that number.
    pub(crate) fn take_changed_totals(&self) -> Vec<(String, usize)> {
        self.lock().canaries.take_changed()
    }
}
