//! Data about one Canary, unchanged from the API server.

use std::cmp::Reverse;

use k8s_openapi::api::core::v1::Event;
use serde::Deserialize;
use serde_json::Value;
use serin::{
    api::{Canary, CanaryCondition, CanaryRun, CanaryStatus, Phase},
    config::Rules,
    names::conditions,
    spec::{Validated, validate},
};

/// One Canary and the objects around it.
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
    /// The missing rights, such as `list pods in namespace shop`.
    pub unread: Vec<String>,
    /// Why a list was not answered: it may be answered later.
    pub failed: Vec<String>,
}

impl Facts {
    /// Facts that contain only the Canary.
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

    /// Its status. Empty before an operator has acted.
    pub fn status(&self) -> CanaryStatus {
        self.canary.status.clone().unwrap_or_default()
    }

    /// The validated spec, if it is valid. Uses defaults for operator settings that the Canary does not show.
    pub fn validated(&self) -> Option<Validated> {
        validate(&self.canary, &rules(&self.canary)).ok()
    }

    /// Records, newest first.
    pub fn newest_first(&self) -> Vec<&CanaryRun> {
        let mut all: Vec<_> = self.runs.iter().collect();
        all.sort_by_key(|run| Reverse(run.spec.number));
        all
    }

    /// The record with this number.
    pub fn run(&self, number: i64) -> Option<&CanaryRun> {
        self.runs.iter().find(|run| run.spec.number == number)
    }
}

/// The operator's settings as far as the Canary shows them. Otherwise the defaults.
pub fn rules(canary: &Canary) -> Rules {
    let in_use = canary.status.as_ref().and_then(|status| status.in_use.as_ref());
    let provider = in_use.map(|made| made.provider.clone()).filter(|provider| !provider.is_empty());
    let mut rules = Rules::default();
    if let Some(provider) = provider {
        rules.mesh_provider = provider;
    }
    let held = canary.status.as_ref().and_then(|status| when(status, conditions::HELD, "True"));
    if held.is_some_and(|c| c.reason == "ReleasesHeld") {
        rules.held = canary.metadata.namespace.clone().map(|namespace| vec![namespace]);
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

/// A run is in progress, or a revision waits for its run to start.
pub(super) fn under_way(status: &CanaryStatus) -> bool {
    status.run.is_some() || matches!(status.begun(), Phase::Waiting)
}
