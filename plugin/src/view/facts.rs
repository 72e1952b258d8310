//! What was read of one Canary, as it came from the API server.

use std::cmp::Reverse;

use k8s_openapi::api::core::v1::Event;
use serde::Deserialize;
use serde_json::Value;
use serin::{
    api::{Canary, CanaryCondition, CanaryRun, CanaryStatus, Phase},
    config::Rules,
    spec::{Validated, validate},
};

/// One Canary and what was read around it. What could not be read is named in `unread`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The Canary.
    pub canary: Canary,
    /// Records of its runs, in any order.
    pub runs: Vec<CanaryRun>,
    /// Target, primary, their ReplicaSets and pods, and routing objects.
    pub objects: Vec<Value>,
    /// Events about it.
    pub events: Vec<Event>,
    /// The rights that were missing, as in `list pods in namespace shop`.
    pub unread: Vec<String>,
}

impl Facts {
    /// A Canary of which nothing else is known.
    pub fn of(canary: Canary) -> Self {
        Self { canary, ..Self::default() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.canary.metadata.name.as_deref().unwrap_or_default()
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        self.canary.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// Its status; empty before an operator has acted.
    pub fn status(&self) -> CanaryStatus {
        self.canary.status.clone().unwrap_or_default()
    }

    /// What the spec means, if it is valid. Settings of the operator that are not in the Canary are taken to be the defaults.
    pub fn validated(&self) -> Option<Validated> {
        validate(&self.canary, &rules(&self.canary)).ok()
    }

    /// Records, newest first.
    pub fn newest_first(&self) -> Vec<&CanaryRun> {
        let mut all: Vec<_> = self.runs.iter().collect();
        all.sort_by_key(|run| Reverse(run.spec.number));
        all
    }

    /// The record of this number.
    pub fn run(&self, number: i64) -> Option<&CanaryRun> {
        self.runs.iter().find(|run| run.spec.number == number)
    }
}

/// The operator's settings as far as the Canary shows them; otherwise its defaults.
pub fn rules(canary: &Canary) -> Rules {
    let in_use = canary.status.as_ref().and_then(|status| status.in_use.as_ref());
    let provider = in_use.map(|made| made.provider.clone()).filter(|provider| !provider.is_empty());
    let mut rules = Rules::default();
    if let Some(provider) = provider {
        rules.mesh_provider = provider;
    }
    rules
}

/// The condition of this type.
pub(super) fn condition<'s>(status: &'s CanaryStatus, type_: &str) -> Option<&'s CanaryCondition> {
    status.conditions.iter().find(|c| c.type_ == type_)
}

/// The condition of this type, if it has this status.
pub(super) fn when<'s>(status: &'s CanaryStatus, type_: &str, is: &str) -> Option<&'s CanaryCondition> {
    condition(status, type_).filter(|c| c.status == is)
}

/// A run is in progress, or a revision waits for its run to begin.
pub(super) fn under_way(status: &CanaryStatus) -> bool {
    status.run.is_some() || matches!(status.begun(), Phase::Waiting)
}
