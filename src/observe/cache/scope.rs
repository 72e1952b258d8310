//! The scope of watches: one for each kind, or for each kind and namespace; cluster-scoped objects, and kinds
//! that the operator may not list.

use super::{
    canaries::Term,
    store::{Inner, ObjectCache},
    watched::Watched,
};
use crate::{
    observe::references::References,
    snapshot::{Key, Kind},
};

/// The key of an object of this name that affects a Canary of this namespace.
pub(super) fn key(kind: Kind, namespace: &str, name: &str) -> Key {
    (if kind.cluster_wide() { "" } else { namespace }.to_owned(), name.to_owned())
}

impl ObjectCache {
    /// The operator may not list this. Returns the affected Canaries if it is new.
    pub(crate) fn forbid(&self, watched: impl Into<Watched>) -> Vec<Key> {
        let (mut inner, watched) = (self.lock(), watched.into());
        let new = inner.forbidden.insert(watched.clone());
        if new { inner.canaries_of(&watched) } else { vec![] }
    }

    /// The API server refused this list, and it has not succeeded since.
    pub(crate) fn refused(&self, watched: impl Into<Watched>) -> bool {
        self.lock().forbidden.contains(&watched.into())
    }

    /// The operator may not list objects of the kind in this namespace, and never could.
    pub(crate) fn forbidden(&self, kind: Kind, namespace: &str) -> bool {
        let inner = self.lock();
        let watched = inner.territory.watch_in(kind, namespace);
        inner.forbidden.contains(&watched) && !inner.synced.contains(&watched)
    }
}

impl Inner {
    /// The Canaries whose objects a watch covers.
    pub(super) fn canaries_of(&self, watched: &Watched) -> Vec<Key> {
        match &watched.namespace {
            Some(namespace) => self.canaries.of_namespace(namespace).map(|(key, _)| key.clone()).collect(),
            None => self.canaries.keys(),
        }
    }

    /// The Canaries, in any namespace, that have a Service of this name.
    pub(super) fn with_service_anywhere(&self, name: &str) -> Vec<Key> {
        let named =
            |_: &Key, references: &References| references.services().iter().any(|service| service == name);
        self.naming(&Term::ServiceAnywhere(name), named)
    }
}
