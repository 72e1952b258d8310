//! The objects of one kind, found by name, or by a term from [`terms`](super::terms).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{entry::Entry, stored::Stored, terms::Terms, work::visited};
use crate::snapshot::Key;

/// Objects of one kind.
#[derive(Debug, Default)]
pub(super) struct Entries {
    by_key: BTreeMap<Key, Entry>,
    /// Names by namespace and term.
    by_term: BTreeMap<(String, String), BTreeSet<String>>,
    /// Objects of all namespaces by term.
    anywhere: BTreeMap<String, BTreeSet<Key>>,
}

impl Entries {
    pub(super) fn get(&self, key: &Key) -> Option<&Entry> {
        self.by_key.get(key)
    }

    /// Stores an object under the key. If one of several terms is enough, uses the one
    /// with the fewest objects.
    pub(super) fn put(&mut self, key: Key, version: u64, stored: Arc<Stored>, terms: Terms) {
        let Terms { here, one_of, anywhere } = terms;
        if let Some(Entry::Seen { version: old, stored: kept, terms, anywhere: all }) =
            self.by_key.get_mut(&key)
            && one_of.is_empty()
            && **terms == *here
            && **all == *anywhere
        {
            (*old, *kept) = (version, stored);
            return;
        }
        self.remove(&key);
        let mut terms = here;
        for choice in one_of {
            let under =
                |term: &String| self.by_term.get(&(key.0.clone(), term.clone())).map_or(0, BTreeSet::len);
            terms.extend(choice.into_iter().min_by_key(under));
        }
        for term in &terms {
            self.by_term.entry((key.0.clone(), term.clone())).or_default().insert(key.1.clone());
        }
        for term in &anywhere {
            self.anywhere.entry(term.clone()).or_default().insert(key.clone());
        }
        self.by_key
            .insert(key, Entry::Seen { version, stored, terms: terms.into(), anywhere: anywhere.into() });
    }

    /// Records that there is nothing under the key since then.
    pub(super) fn bury(&mut self, key: &Key, version: u64, at: jiff::Timestamp) {
        self.remove(key);
        self.by_key.insert(key.clone(), Entry::Deleted { version, at });
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
        for term in old.anywhere() {
            if let Some(keys) = self.anywhere.get_mut(term) {
                keys.remove(key);
                if keys.is_empty() {
                    self.anywhere.remove(term);
                }
            }
        }
    }

    /// Removes objects that `kept` rejects.
    pub(super) fn retain(&mut self, kept: impl Fn(&Key) -> bool) {
        let gone: Vec<Key> = self.by_key.keys().filter(|key| !kept(key)).cloned().collect();
        for key in gone {
            self.remove(&key);
        }
    }

    /// Those with a later version.
    pub(super) fn newer_than(&self, version: u64) -> impl Iterator<Item = &Key> {
        let newer = self.by_key.iter().filter(move |(_, entry)| entry.version() > version);
        newer.map(|(key, _)| key)
    }

    /// Those in all namespaces.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Key, &Entry)> {
        self.by_key.iter().inspect(|_| visited())
    }

    /// Those in a namespace whose names begin with this.
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

    /// Those in a namespace that have all of these terms; none if there are no terms.
    pub(super) fn under<'a>(
        &'a self,
        namespace: &'a str,
        terms: &[String],
    ) -> impl Iterator<Item = (&'a str, &'a Entry)> + use<'a> {
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

    /// Those in all namespaces that have this term.
    pub(super) fn anywhere<'a>(&'a self, term: &str) -> impl Iterator<Item = (&'a Key, &'a Entry)> + use<'a> {
        let keys = self.anywhere.get(term).into_iter().flatten().inspect(|_| visited());
        keys.filter_map(|key| self.by_key.get_key_value(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(entries: &mut Entries, key: Key, terms: &[&str]) {
        let here = terms.iter().map(|term| (*term).to_owned()).collect();
        entries.put(key, 1, Stored::new(&serde_json::Value::Null), Terms { here, ..Terms::default() });
    }

    fn found(entries: &Entries, terms: &[&str]) -> Vec<String> {
        let terms: Vec<String> = terms.iter().map(|term| (*term).to_owned()).collect();
        entries.under("n", &terms).map(|(name, _)| name.to_owned()).collect()
    }

    fn key(name: &str) -> Key {
        ("n".to_owned(), name.to_owned())
    }

    #[test]
    fn what_is_put_is_found_by_its_terms_until_it_changes_or_goes() {
        let mut entries = Entries::default();
        put(&mut entries, key("a"), &["app=a", "tier=web"]);
        put(&mut entries, key("b"), &["app=b", "tier=web"]);
        put(&mut entries, ("m".into(), "c".into()), &["tier=web"]);
        assert_eq!(found(&entries, &["tier=web"]), ["a", "b"]);
        assert_eq!(found(&entries, &["tier=web", "app=b"]), ["b"]);
        assert!(found(&entries, &["tier=web", "app=c"]).is_empty());
        assert!(found(&entries, &[]).is_empty());
        put(&mut entries, key("b"), &["app=b"]);
        assert_eq!(found(&entries, &["tier=web"]), ["a"]);
        entries.bury(&key("a"), 2, jiff::Timestamp::UNIX_EPOCH);
        assert!(found(&entries, &["tier=web"]).is_empty());
        entries.retain(|key| key.0 == "m");
        assert_eq!(entries.all().count(), 1);
        assert_eq!(entries.by_term.len(), 1);
    }

    #[test]
    fn what_all_of_many_bear_is_not_what_they_are_found_by() {
        let mut entries = Entries::default();
        for number in 0..9 {
            let one_of = vec![vec!["tier=web".to_owned(), format!("app={number}")]];
            entries.put(
                key(&number.to_string()),
                1,
                Stored::new(&serde_json::Value::Null),
                Terms { one_of, ..Terms::default() },
            );
        }
        assert_eq!(found(&entries, &["app=7"]), ["7"]);
        assert_eq!(found(&entries, &["tier=web"]).len(), 1);
    }

    #[test]
    fn what_is_looked_for_in_all_namespaces_is_found_there() {
        let mut entries = Entries::default();
        for namespace in ["n", "m"] {
            let terms = Terms { anywhere: vec!["h".into()], ..Terms::default() };
            entries.put((namespace.into(), "a".into()), 1, Stored::new(&serde_json::Value::Null), terms);
        }
        assert_eq!(entries.anywhere("h").count(), 2);
        entries.remove(&key("a"));
        assert_eq!(entries.anywhere("h").map(|(key, _)| key.0.as_str()).collect::<Vec<_>>(), ["m"]);
        entries.retain(|_| false);
        assert!(entries.anywhere.is_empty() && entries.by_term.is_empty());
    }
}
