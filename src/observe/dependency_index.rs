//! Objects that were last read for each Canary, in addition to those found by its names: a user's Ingress, or a route
//! that is not named after the apex. So their changes affect the Canary whatever their names.

use std::collections::{BTreeMap, BTreeSet};

use crate::snapshot::{Key, Kind, ObjectRef};

/// Objects by Canary, and Canaries by object.
#[derive(Debug, Default)]
pub(super) struct DependencyIndex {
    objects: BTreeMap<Key, BTreeSet<ObjectRef>>,
    canaries: BTreeMap<ObjectRef, BTreeSet<Key>>,
}

impl DependencyIndex {
    /// Replaces the previous record for the Canary.
    pub(super) fn set(&mut self, canary: &Key, objects: BTreeSet<ObjectRef>) {
        if self.objects.get(canary).is_some_and(|old| *old == objects) {
            return;
        }
        self.remove(canary);
        for at in &objects {
            self.canaries.entry(at.clone()).or_default().insert(canary.clone());
        }
        if !objects.is_empty() {
            self.objects.insert(canary.clone(), objects);
        }
    }

    /// Forgets a Canary.
    pub(super) fn remove(&mut self, canary: &Key) {
        for at in self.objects.remove(canary).into_iter().flatten() {
            if let Some(canaries) = self.canaries.get_mut(&at) {
                canaries.remove(canary);
                if canaries.is_empty() {
                    self.canaries.remove(&at);
                }
            }
        }
    }

    /// Forgets the Canaries that are gone.
    pub(super) fn retain(&mut self, there: impl Fn(&Key) -> bool) {
        let gone: Vec<Key> = self.objects.keys().filter(|canary| !there(canary)).cloned().collect();
        for canary in gone {
            self.remove(&canary);
        }
    }

    /// The Canaries for which this cluster-scoped object was read.
    pub(super) fn dependents_anywhere(&self, kind: Kind, name: &str) -> Vec<Key> {
        let canaries = self.canaries.get(&ObjectRef::new(kind, name));
        canaries.into_iter().flatten().cloned().collect()
    }

    /// The Canaries for which this object was read.
    pub(super) fn dependents(&self, kind: Kind, key: &Key) -> Vec<Key> {
        let Some(canaries) = self.canaries.get(&ObjectRef::new(kind, key.1.clone())) else { return vec![] };
        let from = (key.0.clone(), String::new());
        canaries.range(from..).take_while(|canary| canary.0 == key.0).cloned().collect()
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
        let at = |index: &DependencyIndex, name: &str| index.dependents(INGRESS, &key("a", name));
        assert_eq!(at(&index, "public"), [key("a", "one"), key("a", "two")]);
        assert!(at(&index, "private").is_empty());
        index.set(&key("a", "two"), BTreeSet::new());
        index.retain(|canary| canary.0 == "a");
        assert_eq!(at(&index, "public"), [key("a", "one")]);
        assert!(index.dependents(INGRESS, &key("b", "public")).is_empty());
    }
}
