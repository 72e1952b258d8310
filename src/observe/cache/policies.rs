//! NetworkPolicies, PodDisruptionBudgets and Services in the cache, found by the labels of the pods that they may affect.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;

use super::{
    canaries::Term,
    entries::Entries,
    entry::Entry,
    store::{Inner, ObjectCache},
    terms::{ALIKE, ANY, OPEN, labelled},
};
use crate::{
    manifest::pod_policies::Reach,
    names,
    snapshot::{DAEMONSET, DEPLOYMENT, Key, Kind},
};

impl ObjectCache {
    /// Objects of a kind that may affect pods with some of these labels, and those that have to be compared with them.
    pub(crate) fn bearing_on(
        &self,
        kind: Kind,
        namespace: &str,
        labels: &BTreeSet<(String, String)>,
    ) -> Vec<Arc<Value>> {
        let found = {
            let inner = self.lock();
            let Some(entries) = inner.objects.get(&kind) else { return vec![] };
            let found = bearing_on(entries, namespace, labels);
            found.into_values().filter_map(Entry::stored).cloned().collect::<Vec<_>>()
        };
        self.objects(&found)
    }
}

fn bearing_on<'a>(
    entries: &'a Entries,
    namespace: &'a str,
    labels: &BTreeSet<(String, String)>,
) -> BTreeMap<&'a str, &'a Entry> {
    let terms = labels.iter().map(|(key, value)| labelled(key, value)).chain([ANY.to_owned()]);
    let mut found: BTreeMap<_, _> = terms.flat_map(|term| entries.under(namespace, &[term])).collect();
    let alike: BTreeSet<_> =
        found.values().flat_map(|entry| entry.terms()).filter_map(|term| term.strip_prefix(ALIKE)).collect();
    for same in alike {
        found.extend(entries.under(namespace, &[format!("{OPEN}{same}")]));
    }
    found
}

impl Inner {
    /// The Canaries whose pods an object of this kind may affect.
    pub(super) fn governed_by(&self, kind: Kind, namespace: &str, object: &Value) -> Vec<Key> {
        let reach = Reach::of(kind, object);
        let pairs = |labels: &BTreeMap<String, String>| -> Vec<_> {
            labels.iter().map(|(key, value)| labelled(key, value)).collect()
        };
        let mut selectors: Vec<Vec<String>> = Vec::new();
        for labels in &reach.selectors {
            selectors.push(pairs(labels));
            // a new primary has the labels of its target, except for one
            for (key, value) in labels {
                if let Some(of) = names::of_primary(value) {
                    let mut labels = labels.clone();
                    labels.insert(key.clone(), of.to_owned());
                    selectors.push(pairs(&labels));
                }
            }
        }
        let alike = self.objects.get(&kind).filter(|_| reach.open);
        let same = [format!("{ALIKE}{}", reach.holds_for)];
        for (_, entry) in alike.into_iter().flat_map(|entries| entries.under(namespace, &same)) {
            let terms = entry.terms().iter().filter(|term| term.contains('='));
            selectors.extend(terms.map(|term| vec![term.clone()]));
        }
        if selectors.iter().any(Vec::is_empty) {
            return self.canaries.of_namespace(namespace).map(|(key, _)| key.clone()).collect();
        }
        let workloads = [DEPLOYMENT, DAEMONSET].into_iter().filter_map(|kind| self.objects.get(&kind));
        let found = workloads.flat_map(|entries| {
            selectors.iter().flat_map(|terms| entries.under(namespace, terms)).map(|(name, _)| name)
        });
        let found: BTreeSet<&str> = found.collect();
        let keys = found.into_iter().flat_map(|name| {
            self.naming(&Term::Workload(namespace, name), |of, refers| {
                of.0 == namespace && (name == refers.target || name == names::primary(&refers.target))
            })
        });
        let keys: BTreeSet<Key> = keys.collect();
        keys.into_iter().collect()
    }
}
