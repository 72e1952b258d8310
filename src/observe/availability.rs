//! Which kinds that a Canary needs are there and can be listed.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{cache::ObjectCache, error::GatherError};
use crate::snapshot::Kind;

/// Kinds that are not there or not seen, by plural.group.
pub(super) struct Availability {
    now: Timestamp,
    pub(super) missing: Vec<String>,
    pub(super) forbidden: Vec<String>,
    /// With the reason.
    pub(super) unlisted: BTreeMap<String, String>,
}

impl Availability {
    pub(super) fn at(now: Timestamp) -> Self {
        Self { now, missing: vec![], forbidden: vec![], unlisted: BTreeMap::new() }
    }

    /// Ok if the kind was listed, or cannot be for so long that this is to be said.
    pub(super) fn listed(&mut self, cache: &ObjectCache, kind: Kind) -> Result<(), GatherError> {
        if cache.synced(&[kind]) {
            return Ok(());
        }
        let why = cache.unlisted(kind, self.now).ok_or(GatherError::Behind(kind.plural))?;
        self.unlisted.insert(kind.crd(), why);
        Ok(())
    }
}
