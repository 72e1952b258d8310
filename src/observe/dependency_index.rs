//! What was read for each Canary the last time, beside what its names tell: a user's Ingress, or a route that is not
//! named after the apex. So its changes matter to the Canary whatever it is named.

use std::collections::{BTreeMap, BTreeSet};

use crate::snapshot::{Key, Kind, ObjectRef};

/// Objects by Canary.
#[derive(Debug, Default)]
pub(super) struct DependencyIndex(BTreeMap<Key, BTreeSet<ObjectRef>>);

impl DependencyIndex {
    /// Takes the place of what was noted for the Canary before.
    pub(super) fn note(&mut self, canary: &Key, objects: BTreeSet<ObjectRef>) {
        if objects.is_empty() {
            self.0.remove(canary);
        } else {
            self.0.insert(canary.clone(), objects);
        }
    }

    /// Forgets the Canaries that are gone.
    pub(super) fn keep(&mut self, there: impl Fn(&Key) -> bool) {
        self.0.retain(|canary, _| there(canary));
    }

    /// The Canaries that this object was read for.
    pub(super) fn at(&self, kind: Kind, key: &Key) -> impl Iterator<Item = Key> {
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
        let mut looked = DependencyIndex::default();
        let ingress = || [ObjectRef::new(INGRESS, "public")].into_iter().collect();
        looked.note(&key("a", "one"), ingress());
        looked.note(&key("a", "two"), ingress());
        looked.note(&key("b", "one"), ingress());
        let at =
            |looked: &DependencyIndex, name: &str| looked.at(INGRESS, &key("a", name)).collect::<Vec<_>>();
        assert_eq!(at(&looked, "public"), [key("a", "one"), key("a", "two")]);
        assert!(at(&looked, "private").is_empty());
        looked.note(&key("a", "two"), BTreeSet::new());
        looked.keep(|canary| canary.0 == "a");
        assert_eq!(at(&looked, "public"), [key("a", "one")]);
        assert_eq!(looked.at(INGRESS, &key("b", "public")).count(), 0);
    }
}
