//! Access to the objects of one namespace, independent of where they are stored.

use std::borrow::Cow;

use serde_json::Value;

/// The kinds that canaries use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Canary.
    Canary,
    /// VirtualService or HTTPRoute.
    Route,
    /// Deployment, or a DaemonSet in the form of one.
    Deployment,
    /// Service.
    Service,
    /// EndpointSlice.
    Slice,
    /// ControllerRevision.
    Revision,
}

/// Objects of one namespace at one time.
pub trait View {
    /// The object of this kind and name.
    fn get(&self, kind: Kind, name: &str) -> Option<Cow<'_, Value>>;

    /// Ready pods behind a Service, according to its EndpointSlices.
    fn ready(&self, service: &str) -> i64;

    /// The same in EndpointSlices that may be late. The operator decides by these.
    fn shown(&self, service: &str) -> i64 {
        self.ready(service)
    }

    /// Ready pods of the workloads that a Service selects now, even if its EndpointSlices do not show them yet.
    fn selected(&self, service: &str) -> i64;

    /// Whether a Service selects the pods of a workload.
    fn selects(&self, service: &str, workload: &str) -> bool {
        let Some(service) = self.get(Kind::Service, service) else { return false };
        let Some(workload) = self.get(Kind::Deployment, workload) else { return false };
        let labels = &workload["spec"]["template"]["metadata"]["labels"];
        let selector = service["spec"]["selector"].as_object();
        selector.is_some_and(|s| !s.is_empty() && s.iter().all(|(k, v)| labels[k] == *v))
    }
}

/// Names of the objects of one Canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The user's workload.
    pub target: String,
    /// Its primary.
    pub primary: String,
    /// The Service that users call, and the route.
    pub apex: String,
    /// The Service for the primary.
    pub primary_service: String,
    /// The Service for the target.
    pub canary_service: String,
}

impl Names {
    /// The names that a Canary's spec defines.
    pub fn of(canary: &Value) -> Self {
        let text = |value: &Value| value.as_str().filter(|t| !t.is_empty()).map(str::to_owned);
        let target = text(&canary["spec"]["targetRef"]["name"]).unwrap_or_default();
        let apex = text(&canary["spec"]["service"]["name"]).unwrap_or_else(|| target.clone());
        Self {
            primary: format!("{target}-primary"),
            primary_service: format!("{apex}-primary"),
            canary_service: format!("{apex}-canary"),
            target,
            apex,
        }
    }

    /// The names for a target and apex with this name.
    pub fn named(name: &str) -> Self {
        Self::of(&serde_json::json!({"spec": {"targetRef": {"name": name}}}))
    }

    /// All names.
    pub fn all(&self) -> [&str; 5] {
        [&self.target, &self.primary, &self.apex, &self.primary_service, &self.canary_service]
    }
}

/// The items of an array. Empty for any other value.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The desired replicas of a workload.
pub fn replicas(workload: &Value) -> i64 {
    workload["spec"]["replicas"].as_i64().unwrap_or(1)
}
