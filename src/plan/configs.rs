//! The known state of the ConfigMaps and Secrets in the target's template.

use std::collections::BTreeMap;

use crate::{
    api::{CanaryStatus, ObservedConfig},
    snapshot::ObjectRef,
    spec::Problem,
};

/// By `config::key`.
pub(crate) type Checksums = BTreeMap<String, String>;

/// The known state, by `config::key`.
#[derive(Default)]
pub(crate) struct Configs {
    /// The template refers to some, tracked or not.
    pub(crate) any: bool,
    /// Checksums of the tracked ones.
    pub(crate) checksums: Checksums,
    /// For status: every reference of the template.
    pub(crate) observed: BTreeMap<String, ObservedConfig>,
    /// Those that do not exist, and that pods start without.
    pub(crate) absent: Vec<String>,
    /// To be read before the checksums are reliable.
    pub(crate) unread: Vec<ObjectRef>,
    /// Why a new revision cannot be determined or started.
    pub(crate) problem: Option<Problem>,
}

impl Configs {
    /// For `status.trackedConfigs`: none while tracking is off.
    pub(crate) fn for_status(&self) -> Option<Checksums> {
        self.any.then(|| self.checksums.clone())
    }

    /// Whether new pods of the same template would start with a different configuration than the pods that were started
    /// when this status was written: a reference now has other content, has content for the first time, or has none.
    pub(crate) fn differ_for_running_pods(&self, status: &CanaryStatus) -> bool {
        let Some(then) = &status.tracked_configs else { return false };
        let known_then = |key: &&String| status.observed_configs.contains_key(*key);
        self.observed.keys().filter(known_then).any(|key| self.checksums.get(key) != then.get(key))
    }
}
