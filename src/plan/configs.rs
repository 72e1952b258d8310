//! What is known of the ConfigMaps and Secrets that the target's template uses.

use std::collections::BTreeMap;

use crate::{
    api::{CanaryStatus, ObservedConfig, validated::Problem},
    snapshot::ObjectRef,
};

/// By `config::key`.
pub(crate) type Checksums = BTreeMap<String, String>;

/// What is known, by `config::key`.
#[derive(Default)]
pub(crate) struct Configs {
    /// The template refers to some, followed or not.
    pub(crate) any: bool,
    /// Checksums of those that are followed.
    pub(crate) checksums: Checksums,
    /// For status: every one that the template refers to.
    pub(crate) observed: BTreeMap<String, ObservedConfig>,
    /// To be read before the checksums can be relied on.
    pub(crate) unread: Vec<ObjectRef>,
    /// Why a new revision cannot be known or started.
    pub(crate) problem: Option<Problem>,
}

impl Configs {
    /// For `status.trackedConfigs`: none while nothing is looked at.
    pub(crate) fn for_status(&self) -> Option<Checksums> {
        self.any.then(|| self.checksums.clone())
    }

    /// Whether pods of the same template would start with something else than those that were started when this status
    /// was written: a reference that was there then leads to another content, to one at all, or to none.
    pub(crate) fn differ_for_running_pods(&self, status: &CanaryStatus) -> bool {
        let Some(then) = &status.tracked_configs else { return false };
        let known_then = |key: &&String| status.observed_configs.contains_key(*key);
        self.observed.keys().filter(known_then).any(|key| self.checksums.get(key) != then.get(key))
    }
}
