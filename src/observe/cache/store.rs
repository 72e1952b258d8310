//! What the cache is made of.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use super::{
    canaries::Canaries,
    entries::Entries,
    entry::Entry,
    stored::{Stored, Warm},
    territory::Territory,
    undecodable::Undecodables,
    watched::Watched,
};
use crate::{
    observe::{dependency_index::DependencyIndex, endpoints::Endpoints},
    snapshot::{Key, Kind, StaleKind},
};

/// For so long a deleted object is not brought back by a write that returns late: more than any call may take.
const BURIED: jiff::SignedDuration = jiff::SignedDuration::from_secs(120);

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) objects: BTreeMap<Kind, Entries>,
    pub(super) canaries: Canaries,
    pub(super) dependencies: DependencyIndex,
    pub(super) endpoints: Endpoints,
    /// A write whose result is known only by version: the object as seen before it is stale.
    pub(super) floors: BTreeMap<(Kind, Key), u64>,
    /// What is there and cannot be decoded.
    pub(super) undecodable: Undecodables,
    /// The namespaces that the operator works in.
    pub(super) territory: Territory,
    pub(super) synced: BTreeSet<Watched>,
    /// Watches that the API server refuses.
    pub(super) forbidden: BTreeSet<Watched>,
    /// Watches that see nothing for now.
    pub(super) lost: BTreeMap<Watched, StaleKind>,
    /// The latest version that each watch has seen.
    pub(super) newest: BTreeMap<Watched, u64>,
    pub(super) crds: BTreeSet<String>,
    pub(super) crds_synced: bool,
    pub(super) terminating: BTreeSet<String>,
    pub(super) flagger: Option<(String, jiff::Timestamp)>,
    /// What was deleted, in that order.
    pub(super) buried: VecDeque<(jiff::Timestamp, Kind, Key)>,
}

/// Shared by the watches, the writers and the gatherer.
#[derive(Debug, Default)]
pub(crate) struct ObjectCache {
    inner: Mutex<Inner>,
    pub(super) warm: Warm,
}

impl ObjectCache {
    /// For finding and for putting only: nothing is decoded, copied or waited for under it.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Their contents.
    pub(super) fn objects(&self, found: &[Arc<Stored>]) -> Vec<Arc<Value>> {
        found.iter().filter_map(|stored| self.warm.object(stored)).collect()
    }
}

impl Inner {
    /// Forgets what was deleted so long ago that no write to it is under way any more.
    pub(super) fn forget_buried(&mut self, now: jiff::Timestamp) {
        while let Some((at, ..)) = self.buried.front()
            && now.duration_since(*at) > BURIED
        {
            let Some((at, kind, key)) = self.buried.pop_front() else { return };
            let Some(entries) = self.objects.get_mut(&kind) else { continue };
            if matches!(entries.get(&key), Some(Entry::Deleted { at: buried, .. }) if *buried == at) {
                entries.remove(&key);
            }
        }
    }
}
