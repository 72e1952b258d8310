//! What the cache is made of.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{canaries::Canaries, entries::Entries};
use crate::{
    observe::{dependency_index::DependencyIndex, endpoints::Endpoints},
    snapshot::{Key, Kind, StaleKind},
};

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) objects: BTreeMap<Kind, Entries>,
    pub(super) canaries: Canaries,
    pub(super) dependencies: DependencyIndex,
    pub(super) endpoints: Endpoints,
    /// A write whose result is known only by version: the object as seen before it is stale.
    pub(super) floors: BTreeMap<(Kind, Key), u64>,
    pub(super) synced: BTreeSet<Kind>,
    /// Kinds whose watch the API server refuses.
    pub(super) forbidden: BTreeSet<Kind>,
    /// Kinds of which nothing is seen for now.
    pub(super) lost: BTreeMap<Kind, StaleKind>,
    /// The latest version that each watch has seen.
    pub(super) newest: BTreeMap<Kind, u64>,
    pub(super) crds: BTreeSet<String>,
    pub(super) crds_synced: bool,
    pub(super) terminating: BTreeSet<String>,
    pub(super) flagger: Option<(String, jiff::Timestamp)>,
}

/// Shared by the watches, the writers and the gatherer.
#[derive(Debug, Default)]
pub(crate) struct ObjectCache(Mutex<Inner>);

impl ObjectCache {
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
