//! PURE. The objects of one namespace at one revision, and what can be read off them: weights, ready pods, what
//! clients would meet. Owns no rule.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;
use serin::{api::Target, names};

/// The kinds that canaries are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Canary.
    Canary,
    /// VirtualService or HTTPRoute.
    Route,
    /// Deployment.
    Deployment,
    /// Service.
    Service,
    /// EndpointSlice.
    Slice,
    /// ControllerRevision.
    Revision,
}

/// One revision of one object.
#[derive(Debug, Clone)]
pub struct Change {
    /// `metadata.resourceVersion`: the order of everything.
    pub version: u64,
    /// When the observer was told.
    pub at: Timestamp,
    /// What kind of object.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// As it is now; none: deleted.
    pub object: Option<Value>,
}

/// The objects of one namespace.
#[derive(Debug, Default)]
pub(super) struct World(BTreeMap<(Kind, String), Value>);

/// Names derived from a Canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) target: String,
    pub(super) primary: String,
    pub(super) apex: String,
    pub(super) primary_service: String,
    pub(super) canary_service: String,
}

impl Names {
    pub(super) fn of(canary: &Value) -> Self {
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

    /// Whether an object is one that this Canary is about.
    pub(super) fn concern(&self, kind: Kind, name: &str, object: Option<&Value>) -> bool {
        let services = [&self.apex, &self.primary_service, &self.canary_service];
        match kind {
            Kind::Canary => false,
            Kind::Route => *name == self.apex,
            Kind::Deployment => *name == self.target || *name == self.primary,
            Kind::Service => services.iter().any(|s| *s == name),
            Kind::Slice => object.is_some_and(|o| services.iter().any(|s| *s == service_of(o))),
            Kind::Revision => true,
        }
    }
}

/// What clients of one Canary would meet.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Facts {
    /// Percent per Service in the route, the highest of its rules; none without a route.
    pub(super) weights: Option<BTreeMap<String, i64>>,
    /// Ready endpoints per Service of the Canary.
    pub(super) ready: BTreeMap<String, usize>,
    /// Services that get traffic and have no pods, or are about to have none.
    pub(super) void: BTreeSet<String>,
    /// The apex Service selects the target's pods.
    pub(super) apex_on_target: bool,
}

impl Facts {
    pub(super) fn weight(&self, service: &str) -> i64 {
        self.weights.as_ref().and_then(|w| w.get(service)).copied().unwrap_or(0)
    }

    pub(super) fn ready(&self, service: &str) -> usize {
        self.ready.get(service).copied().unwrap_or(0)
    }
}

impl World {
    /// Takes a change in; what was there before.
    pub(super) fn put(&mut self, change: &Change) -> Option<Value> {
        let key = (change.kind, change.name.clone());
        match &change.object {
            Some(object) => self.0.insert(key, object.clone()),
            None => self.0.remove(&key),
        }
    }

    pub(super) fn get(&self, kind: Kind, name: &str) -> Option<&Value> {
        self.0.get(&(kind, name.to_owned()))
    }

    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().filter(move |((k, _), _)| *k == kind).map(|((_, name), value)| (name.as_str(), value))
    }

    pub(super) fn facts(&self, names: &Names) -> Facts {
        let services = [&names.apex, &names.primary_service, &names.canary_service];
        let ready: BTreeMap<_, _> = services.into_iter().map(|s| (s.clone(), self.ready(s))).collect();
        let weights = self.get(Kind::Route, &names.apex).map(weights);
        let void = weights.iter().flatten().filter(|(_, weight)| **weight > 0).map(|(service, _)| service);
        let void = void.filter(|s| ready.get(*s).is_some_and(|n| *n == 0) || self.leaving(names, s)).cloned();
        let void = void.collect();
        Facts { void, weights, ready, apex_on_target: self.selects(&names.apex, &names.target) }
    }

    /// Ready endpoints behind a Service.
    fn ready(&self, service: &str) -> usize {
        let slices = self.of(Kind::Slice).filter(|(_, slice)| service_of(slice) == service);
        slices
            .flat_map(|(_, slice)| list(&slice["endpoints"]))
            .filter(|e| e["conditions"]["ready"] != false)
            .count()
    }

    /// The Deployment behind a Service is asked for no pods.
    fn leaving(&self, names: &Names, service: &str) -> bool {
        let behind = [&names.target, &names.primary].into_iter().filter(|d| self.selects(service, d));
        let replicas: Vec<_> =
            behind.filter_map(|d| Some(replicas(self.get(Kind::Deployment, d)?))).collect();
        !replicas.is_empty() && replicas.iter().all(|n| *n == 0)
    }

    /// Whether a Service selects a Deployment's pods.
    fn selects(&self, service: &str, deployment: &str) -> bool {
        let Some(selector) = self.get(Kind::Service, service).map(|s| &s["spec"]["selector"]) else {
            return false;
        };
        let Some(pods) = self.get(Kind::Deployment, deployment) else { return false };
        let labels = &pods["spec"]["template"]["metadata"]["labels"];
        selector.as_object().is_some_and(|s| !s.is_empty() && s.iter().all(|(k, v)| labels[k] == *v))
    }

    /// Ready pods of the Deployments that a Service selects, by their own account.
    pub(super) fn ready_behind(&self, service: &str) -> i64 {
        let behind = self.of(Kind::Deployment).filter(|(name, _)| self.selects(service, name));
        behind.map(|(_, d)| d["status"]["readyReplicas"].as_i64().unwrap_or(0)).sum()
    }
}

/// A DaemonSet as a Deployment would say the same: no replicas while no node is fit for it, else one for each node.
pub(super) fn as_deployment(mut daemons: Value) -> Value {
    let empty = Target::DaemonSet.asked(&daemons) == 0;
    let nodes = daemons["status"]["desiredNumberScheduled"].as_i64().unwrap_or(1).max(1);
    let template = Target::DaemonSet.revision(&daemons).into_owned();
    daemons["spec"]["template"] = template;
    daemons["spec"]["replicas"] = if empty { 0 } else { nodes }.into();
    daemons["status"]["readyReplicas"] = daemons["status"]["numberReady"].clone();
    daemons
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn replicas(deployment: &Value) -> i64 {
    deployment["spec"]["replicas"].as_i64().unwrap_or(1)
}

pub(super) fn service_of(slice: &Value) -> &str {
    slice["metadata"]["labels"]["kubernetes.io/service-name"].as_str().unwrap_or_default()
}

/// The destinations of each rule of a route, with their weights; a single one has all.
pub(super) fn rules(route: &Value) -> Vec<Vec<(String, i64)>> {
    let rules = ["http", "tcp"].iter().flat_map(|kind| list(&route["spec"][kind]));
    let destination = |route: &Value, alone: bool| {
        let host = route["destination"]["host"].as_str().unwrap_or_default();
        let weight = if alone { 100 } else { route["weight"].as_i64().unwrap_or(0) };
        (host.split('.').next().unwrap_or_default().to_owned(), weight)
    };
    let backend = |to: &Value, alone: bool| {
        let weight = if alone { 100 } else { to["weight"].as_i64().unwrap_or(1) };
        (to["name"].as_str().unwrap_or_default().to_owned(), weight)
    };
    let meshed = rules
        .map(|rule| list(&rule["route"]))
        .map(|routes| routes.iter().map(|r| destination(r, routes.len() == 1)).collect());
    let gated = list(&route["spec"]["rules"])
        .iter()
        .map(|rule| list(&rule["backendRefs"]))
        .map(|to| to.iter().map(|t| backend(t, to.len() == 1)).collect());
    meshed.chain(gated).collect()
}

/// Of the rules that share traffic out, where there are any: a single destination is for those who have a cookie, or for
/// those who are not named.
fn weights(route: &Value) -> BTreeMap<String, i64> {
    let mut all = BTreeMap::new();
    let mut rules = rules(route);
    if rules.iter().any(|rule| rule.len() > 1) {
        rules.retain(|rule| rule.len() > 1);
    }
    for (service, weight) in rules.into_iter().flatten() {
        let known: &mut i64 = all.entry(service).or_default();
        *known = weight.max(*known);
    }
    all
}

/// When the operator says it wrote an object, else when it was seen.
pub(super) fn written(object: &Value, seen: Timestamp) -> Timestamp {
    let text = object["metadata"]["annotations"][names::ANNOTATION_WRITTEN].as_str();
    text.and_then(|t| t.parse().ok()).unwrap_or(seen)
}

/// Whether this revision was written by Serin: it says so in the object, or its entry among the managed fields is new,
/// or replicas were changed and nobody has signed for it, as Serin's way of scaling has it. (Others who scale through
/// the subresource look the same: a story that does so excepts S4.)
pub(super) fn ours(old: Option<&Value>, new: &Value) -> bool {
    let stamp =
        |o: &Value| o["metadata"]["annotations"][names::ANNOTATION_WRITTEN].as_str().map(str::to_owned);
    if stamp(new).is_some_and(|s| old.and_then(stamp).as_ref() != Some(&s)) {
        return true;
    }
    let before = old.map_or(&[][..], |o| list(&o["metadata"]["managedFields"]));
    let fresh: Vec<&Value> =
        list(&new["metadata"]["managedFields"]).iter().filter(|entry| !before.contains(entry)).collect();
    let serin = |entry: &&Value| entry["manager"].as_str().is_some_and(|m| m.starts_with("serin/"));
    let known =
        |entry: &Value| before.iter().find(|b| ["manager", "subresource"].iter().all(|k| b[*k] == entry[*k]));
    // an entry that only lost fields, at the same time as before, lost them to another's write
    let dated = |entry: &&Value| known(entry).is_none_or(|b| b["time"] != entry["time"]);
    // a merge patch of the scale subresource leaves no entry behind
    let scaled =
        old.is_some_and(|o| o["spec"]["replicas"] != new["spec"]["replicas"]) && !fresh.iter().any(dated);
    scaled || fresh.iter().filter(|e| serin(e)).any(dated) || !fresh.is_empty() && fresh.iter().all(serin)
}
