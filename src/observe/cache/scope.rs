//! How far the watches reach: objects that belong to no namespace, and kinds that the operator may not list.

use super::{
    canaries::Term,
    store::{Inner, ObjectCache},
};
use crate::{
    observe::references::References,
    snapshot::{Key, Kind},
};

/// Where an object of this name is kept that bears on a Canary of this namespace.
pub(super) fn key(kind: Kind, namespace: &str, name: &str) -> Key {
    (if kind.cluster_wide() { "" } else { namespace }.to_owned(), name.to_owned())
}

impl ObjectCache {
    /// The operator may not list the kind. Returns all Canaries when that is new.
    pub(crate) fn forbid(&self, kind: Kind) -> Vec<Key> {
        let mut inner = self.lock();
        let new = inner.forbidden.insert(kind);
        if new { inner.canaries.keys() } else { vec![] }
    }

    /// The operator was told that it may not list the kind, and has not listed it since.
    pub(crate) fn refused(&self, kind: Kind) -> bool {
        self.lock().forbidden.contains(&kind)
    }

    /// The operator may not list the kind, and never could.
    pub(crate) fn forbidden(&self, kind: Kind) -> bool {
        let inner = self.lock();
        inner.forbidden.contains(&kind) && !inner.synced.contains(&kind)
    }
}

impl Inner {
    /// The Canaries, whatever their namespace, that have a Service of this name.
    pub(super) fn with_service_anywhere(&self, name: &str) -> Vec<Key> {
        let named =
            |_: &Key, references: &References| references.services().iter().any(|service| service == name);
        self.naming(&Term::ServiceAnywhere(name), named)
    }
}
