//! The parts of the cache.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
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

/// For this long a late write cannot restore a deleted object: longer than any call may take.
const BURIED: jiff::SignedDuration = jiff::SignedDuration::from_secs(120);

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) objects: BTreeMap<Kind, Entries>,
    pub(super) canaries: Canaries,
    pub(super) dependencies: DependencyIndex,
    pub(super) endpoints: Endpoints,
    /// A write whose result is known only by version: older versions of the object are stale.
    pub(super) floors: BTreeMap<(Kind, Key), u64>,
    /// Objects that exist but cannot be decoded.
    pub(super) undecodable: Undecodables,
    /// The namespaces that the operator works in.
    pub(super) territory: Territory,
    pub(super) synced: BTreeSet<Watched>,
    /// Watches that the API server refuses.
    pub(super) forbidden: BTreeSet<Watched>,
    /// Watches that currently see nothing.
    pub(super) lost: BTreeMap<Watched, StaleKind>,
    /// The latest version that each watch has seen.
    pub(super) newest: BTreeMap<Watched, u64>,
    pub(super) crds: BTreeSet<String>,
    pub(super) crds_synced: bool,
    pub(super) terminating: BTreeSet<String>,
    pub(super) flagger: Option<(String, jiff::Timestamp)>,
    /// Deleted objects, in order of deletion.
    pub(super) buried: VecDeque<(jiff::Timestamp, Kind, Key)>,
}

/// Shared by the watches, the writers and the gatherer.
#[derive(Debug, Default)]
pub(crate) struct ObjectCache {
    inner: Mutex<Inner>,
    pub(super) warm: Warm,
    pub(super) vaults: Vaults,
}

/// Tells whether a Secret is gone.
pub(super) type IsGone<'a> = dyn Fn(&Key) -> bool + 'a;

type Forget = dyn Fn(&IsGone<'_>) + Send + Sync;

/// Components that remember contents of Secrets, and are notified when some are gone.
#[derive(Default)]
pub(super) struct Vaults(Mutex<Vec<Box<Forget>>>);

impl fmt::Debug for Vaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vaults")
    }
}

impl Vaults {
    pub(super) fn tell(&self, is_gone: &IsGone<'_>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|forget| forget(is_gone));
    }
}

impl ObjectCache {
    /// Forgets contents of Secrets when the Secrets are gone, or no longer watched.
    pub(crate) fn when_secrets_go(&self, forget: impl Fn(&IsGone<'_>) + Send + Sync + 'static) {
        self.vaults.0.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(forget));
    }

    /// Only for finding and storing: nothing is decoded, copied or awaited under it.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Their contents.
    pub(super) fn objects(&self, found: &[Arc<Stored>]) -> Vec<Arc<Value>> {
        found.iter().filter_map(|stored| self.warm.object(stored)).collect()
    }
}

impl Inner {
    /// After a list of Canaries: a namespace without any may be made again, which is not seen without the right to watch
    /// namespaces.
    pub(super) fn forget_terminated(&mut self, watched: &Watched) {
        let (canaries, of) = (&self.canaries, |ns: &String| (ns.clone(), String::new()));
        self.terminating.retain(|ns| !watched.holds(&of(ns)) || canaries.of_namespace(ns).next().is_some());
    }

    /// Forgets objects that were deleted so long ago that no write to them is in progress any more.
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
