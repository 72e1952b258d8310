//! The objects of one kind, found by name, or by a term under which [`terms`] puts them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{entry::Entry, work::visited};
use crate::{
    manifest::json as get,
    names,
    snapshot::{
        CANARY_RUN, CONFIG_MAP, DAEMONSET, DEPLOYMENT, HPA, JOB, Key, Kind, POD, REVISION, SCALED_OBJECT,
        SECRET, SERVICE,
    },
};

/// The term of what bears the label of this Canary.
pub(super) fn owned_by(canary: &str) -> String {
    names::label_value(canary)
}

/// The term of a workload whose pods have this label.
pub(super) fn labelled(key: &str, value: &str) -> String {
    format!("{key}={value}")
}

/// What an object is looked for by, besides its name: the Canary that it belongs to, the workload that it scales, or the labels
/// of its pods.
pub(super) fn terms(kind: Kind, object: &Value) -> Vec<String> {
    match kind {
        CANARY_RUN | CONFIG_MAP | JOB | POD | REVISION | SECRET | SERVICE => {
            get::label(object, names::LABEL_CANARY).map(str::to_owned).into_iter().collect()
        }
        HPA | SCALED_OBJECT => {
            object["spec"]["scaleTargetRef"]["name"].as_str().map(str::to_owned).into_iter().collect()
        }
        DEPLOYMENT | DAEMONSET => {
            let labels = get::strings(&object["spec"]["template"]["metadata"]["labels"]);
            labels.into_iter().map(|(key, value)| labelled(&key, &value)).collect()
        }
        _ => vec![],
    }
}

/// Objects of one kind.
#[derive(Debug, Default)]
pub(super) struct Entries {
    by_key: BTreeMap<Key, Entry>,
    /// Names by namespace and term.
    by_term: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Entries {
    pub(super) fn get(&self, key: &Key) -> Option<&Entry> {
        self.by_key.get(key)
    }

    /// Takes the place of what was there under the key.
    pub(super) fn put(&mut self, key: Key, entry: Entry) {
        if let Some(old) = self.by_key.get_mut(&key)
            && old.terms() == entry.terms()
        {
            *old = entry;
            return;
        }
        self.remove(&key);
        for term in entry.terms() {
            self.by_term.entry((key.0.clone(), term.clone())).or_default().insert(key.1.clone());
        }
        self.by_key.insert(key, entry);
    }

    pub(super) fn remove(&mut self, key: &Key) {
        let Some(old) = self.by_key.remove(key) else { return };
        for term in old.terms() {
            let at = (key.0.clone(), term.clone());
            if let Some(names) = self.by_term.get_mut(&at) {
                names.remove(&key.1);
                if names.is_empty() {
                    self.by_term.remove(&at);
                }
            }
        }
    }

    /// Removes what `kept` does not take.
    pub(super) fn retain(&mut self, kept: impl Fn(&Key) -> bool) {
        let gone: Vec<Key> = self.by_key.keys().filter(|key| !kept(key)).cloned().collect();
        for key in gone {
            self.remove(&key);
        }
    }

    /// Those of all namespaces.
    pub(super) fn all(&self) -> impl Iterator<Item = &Entry> {
        self.by_key.values().inspect(|_| visited())
    }

    /// Those of a namespace whose names begin so.
    pub(super) fn beginning<'a>(
        &'a self,
        namespace: &'a str,
        head: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        let from = (namespace.to_owned(), head.to_owned());
        let within = self
            .by_key
            .range(from..)
            .take_while(move |(key, _)| key.0 == namespace && key.1.starts_with(head));
        within.inspect(|_| visited()).map(|(key, entry)| (key.1.as_str(), entry))
    }

    /// Those of a namespace under all of these terms; none for no terms.
    pub(super) fn under<'a>(
        &'a self,
        namespace: &'a str,
        terms: &[String],
    ) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        let sets: Option<Vec<_>> =
            terms.iter().map(|term| self.by_term.get(&(namespace.to_owned(), term.clone()))).collect();
        let sets = sets.unwrap_or_default();
        let fewest = sets.iter().copied().min_by_key(|names| names.len());
        let names = fewest.into_iter().flatten().inspect(|_| visited());
        let names = names.filter(move |name| sets.iter().all(|names| names.contains(*name)));
        names.filter_map(move |name| {
            Some((name.as_str(), self.by_key.get(&(namespace.to_owned(), name.clone()))?))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(terms: &[&str]) -> Entry {
        Entry::seen(1, &json!({}), terms.iter().map(|term| (*term).to_owned()).collect())
    }

    fn found(entries: &Entries, terms: &[&str]) -> Vec<String> {
        let terms: Vec<String> = terms.iter().map(|term| (*term).to_owned()).collect();
        entries.under("n", &terms).map(|(name, _)| name.to_owned()).collect()
    }

    #[test]
    fn what_is_put_is_found_by_its_terms_until_it_changes_or_goes() {
        let key = |name: &str| ("n".to_owned(), name.to_owned());
        let mut entries = Entries::default();
        entries.put(key("a"), entry(&["app=a", "tier=web"]));
        entries.put(key("b"), entry(&["app=b", "tier=web"]));
        entries.put(("m".into(), "c".into()), entry(&["tier=web"]));
        assert_eq!(found(&entries, &["tier=web"]), ["a", "b"]);
        assert_eq!(found(&entries, &["tier=web", "app=b"]), ["b"]);
        assert!(found(&entries, &["tier=web", "app=c"]).is_empty());
        assert!(found(&entries, &[]).is_empty());
        entries.put(key("b"), entry(&["app=b"]));
        assert_eq!(found(&entries, &["tier=web"]), ["a"]);
        entries.put(key("a"), Entry::Deleted { version: 2 });
        assert!(found(&entries, &["tier=web"]).is_empty());
        entries.retain(|key| key.0 == "m");
        assert_eq!(entries.all().count(), 1);
        assert_eq!(entries.by_term.len(), 1);
    }

    #[test]
    fn workloads_are_found_by_the_labels_of_their_pods() {
        let workload =
            json!({"spec": {"template": {"metadata": {"labels": {"app": "a", "tier": "web", "n": 1}}}}});
        assert_eq!(terms(DEPLOYMENT, &workload), ["app=a", "tier=web"]);
        let scaler = json!({"spec": {"scaleTargetRef": {"name": "app"}}});
        assert_eq!(terms(HPA, &scaler), ["app"]);
        let owned = json!({"metadata": {"labels": {names::LABEL_CANARY: "app"}}});
        assert_eq!(terms(REVISION, &owned), [owned_by("app")]);
        assert!(terms(REVISION, &json!({})).is_empty());
    }
}
