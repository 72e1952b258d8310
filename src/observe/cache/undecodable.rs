//! Which objects exist but cannot be decoded, and why.

use std::collections::{BTreeMap, BTreeSet};

use crate::snapshot::{JOB, Key, Kind, ObjectRef, REVISION};

/// Kinds under a Canary's label without which the decision would be different.
const OWNED: [Kind; 2] = [REVISION, JOB];

/// An object that cannot be decoded.
#[derive(Debug)]
pub(super) struct Undecodable {
    pub(super) version: u64,
    pub(super) why: String,
    /// Label of the Canary that it belongs to.
    pub(super) canary: Option<String>,
}

/// Those of all kinds.
#[derive(Debug, Default)]
pub(super) struct Undecodables {
    known: BTreeMap<(Kind, Key), Undecodable>,
    /// Kinds whose number has changed since it was last taken.
    changed: BTreeSet<Kind>,
}

impl Undecodables {
    pub(super) fn get(&self, kind: Kind, key: &Key) -> Option<&Undecodable> {
        if self.known.is_empty() {
            return None;
        }
        self.known.get(&(kind, key.clone()))
    }

    pub(super) fn put(&mut self, kind: Kind, key: Key, object: Undecodable) {
        self.known.insert((kind, key), object);
        self.changed.insert(kind);
    }

    pub(super) fn remove(&mut self, kind: Kind, key: &Key) {
        self.retain(kind, |other| other != key);
    }

    /// Removes objects of a kind that `kept` rejects.
    pub(super) fn retain(&mut self, kind: Kind, kept: impl Fn(&Key) -> bool) {
        let before = self.known.len();
        self.known.retain(|(of, key), _| *of != kind || kept(key));
        if self.known.len() != before {
            self.changed.insert(kind);
        }
    }

    /// One of these objects of the namespace, or of those with this label of a Canary. Cluster-scoped objects are
    /// ignored, because they must not stop the Canaries of all namespaces.
    pub(super) fn one_of(
        &self,
        namespace: &str,
        label: &str,
        wanted: &[ObjectRef],
    ) -> Option<(ObjectRef, &Undecodable)> {
        let needed = |kind: Kind, key: &Key, object: &Undecodable| {
            let owned = OWNED.contains(&kind) && object.canary.as_deref() == Some(label);
            key.0 == namespace && (owned || wanted.iter().any(|at| at.kind == kind && at.name == key.1))
        };
        let mut all = self.known.iter();
        let found = all.find(|((kind, key), object)| !kind.cluster_wide() && needed(*kind, key, object));
        found.map(|((kind, key), object)| (ObjectRef::new(*kind, key.1.clone()), object))
    }

    /// How many there are of a kind, if that has changed since the last call.
    pub(super) fn take_changed(&mut self, kind: Kind) -> Option<usize> {
        let changed = self.changed.remove(&kind);
        changed.then(|| self.known.keys().filter(|(of, _)| *of == kind).count())
    }
}
