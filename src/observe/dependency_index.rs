//! What was read for each Canary the last time, beside what its names tell: a user's Ingress, or a route that is not
//! named after the apex. So its changes matter to the Canary whatever it is named.

use std::collections::{BTreeMap, BTreeSet};

use crate::snapshot::{Key, Kind, ObjectRef};

/// Objects by Canary.
#[derive(Debug, Default)]
pub(super) struct DependencyIndex(BTreeMap<Key, BTreeSet<ObjectRef>>);

impl DependencyIndex {
    /// Takes the place of what was noted for the Canary before.
    pub(super) fn set(&mut self, canary: &Key, objects: BTreeSet<ObjectRef>) {
        if objects.is_empty() {
            self.0.remove(canary);
        } else {
            self.0.insert(canary.clone(), objects);
        }
    }

    /// Forgets the Canaries that are gone.
    pub(super) fn retain(&mut self, there: impl Fn(&Key) -> bool) {
        self.0.retain(|canary, _| there(canary));
    }

    /// The Canaries that this object of no namespace was read for.
    pub(super) fn dependents_anywhere(&self, kind: Kind, name: &str) -> impl Iterator<Item = Key> {
        let at = ObjectRef::new(kind, name);
        self.0.iter().filter(move |(_, seen)| seen.contains(&at)).map(|(canary, _)| canary.clone())
    }

    /// The Canaries that this object was read for.
    pub(super) fn dependents(&self, kind: Kind, key: &Key) -> impl Iterator<Item = Key> {
        let at = ObjectRef::new(kind, key.1.clone());
        let from = (key.0.clone(), String::new());
        let within = self.0.range(from..).take_while(|(canary, _)| canary.0 == key.0);
        within.filter(move |(_, seen)| seen.contains(&at)).map(|(canary, _)| canary.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::INGRESS;

    #[test]
    fn an_object_that_was_read_matters_whatever_it_is_named() {
        let key = |namespace: &str, name: &str| (namespace.to_owned(), name.to_owned());
        let mut index = DependencyIndex::default();
        let ingress = || [ObjectRef::new(INGRESS, "public")].into_iter().collect();
        index.set(&key("a", "one"), ingress());
        index.set(&key("a", "two"), ingress());
        index.set(&key("b", "one"), ingress());
        let at = |index: &DependencyIndex, name: &str| {
            index.dependents(INGRESS, &key("a", name)).collect::<Vec<_>>()
        };
        assert_eq!(at(&index, "public"), [key("a", "one"), key("a", "two")]);
        assert!(at(&index, "private").is_empty());
        index.set(&key("a", "two"), BTreeSet::new());
        index.retain(|canary| canary.0 == "a");
        assert_eq!(at(&index, "public"), [key("a", "one")]);
        assert_eq!(index.dependents(INGRESS, &key("b", "public")).count(), 0);
    }
}
