//! Which kinds that a Canary needs exist and can be listed.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{cache::ObjectCache, error::GatherError};
use crate::snapshot::Kind;

/// Kinds that are missing or not visible, by plural.group.
pub(super) struct Availability {
    now: Timestamp,
    namespace: String,
    pub(super) missing: Vec<String>,
    pub(super) forbidden: Vec<String>,
    /// With the reason.
    pub(super) unlisted: BTreeMap<String, String>,
}

impl Availability {
    pub(super) fn at(now: Timestamp, namespace: &str) -> Self {
        Self {
            now,
            namespace: namespace.to_owned(),
            missing: vec![],
            forbidden: vec![],
            unlisted: BTreeMap::new(),
        }
    }

    /// The operator may not list the kind.
    pub(super) fn may_not_list(&self, cache: &ObjectCache, kind: Kind) -> bool {
        cache.forbidden(kind, &self.namespace)
    }

    /// Ok if the kind was listed, or has been unavailable for so long that it should be reported.
    pub(super) fn listed(&mut self, cache: &ObjectCache, kind: Kind) -> Result<(), GatherError> {
        if cache.listed_in(kind, &self.namespace) {
            return Ok(());
        }
        let why = cache.unlisted(kind, &self.namespace, self.now).ok_or(GatherError::Behind(kind.plural))?;
        self.unlisted.insert(kind.crd(), why);
        Ok(())
    }
}
