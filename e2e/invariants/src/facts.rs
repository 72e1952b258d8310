//! What clients of one Canary experience: weights of the route, ready pods, and traffic to Services without pods.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use serin::{manifest::readiness::replaced_at_once, names};

use crate::view::{Kind, Names, View, list, replicas};

/// Service and percent for each destination of a rule.
pub type Rule = Vec<(String, i64)>;

/// What clients of one Canary experience.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The rules of the route. None without a route.
    pub rules: Option<Vec<Rule>>,
    /// Percentage per Service in the route, the highest of its rules. None without a route.
    pub weights: Option<BTreeMap<String, i64>>,
    /// Ready endpoints per Service of the Canary.
    pub ready: BTreeMap<String, i64>,
    /// The same in EndpointSlices that may be late.
    pub shown: BTreeMap<String, i64>,
    /// Services without pods, or about to have none.
    pub empty: BTreeSet<String>,
    /// Ready pods that the apex Service selects. None if the Service does not exist.
    pub apex: Option<i64>,
    /// The apex Service selects the target's pods.
    pub apex_on_target: bool,
    /// The apex Service selects the primary's pods.
    pub apex_on_primary: bool,
    /// The target's share of the pods behind the apex Service in percent, by replicas.
    pub share: i64,
    /// The primary may serve nobody while it gets another template.
    pub replaced_at_once: bool,
}

impl Facts {
    /// The facts about a Canary with these names.
    pub fn of(view: &impl View, names: &Names) -> Self {
        let services = [&names.apex, &names.primary_service, &names.canary_service];
        let ready: BTreeMap<_, _> = services.into_iter().map(|s| (s.clone(), view.ready(s))).collect();
        let primary = view.get(Kind::Deployment, &names.primary);
        let rules = view.get(Kind::Route, &names.apex).map(|route| rules(&route));
        let empty = services.into_iter().filter(|s| ready.get(*s) == Some(&0) || leaving(view, names, s));
        Self {
            weights: rules.as_deref().map(weights),
            rules,
            empty: empty.cloned().collect(),
            ready,
            shown: services.into_iter().map(|s| (s.clone(), view.shown(s))).collect(),
            apex: view.get(Kind::Service, &names.apex).map(|_| view.selected(&names.apex)),
            apex_on_target: view.selects(&names.apex, &names.target),
            apex_on_primary: view.selects(&names.apex, &names.primary),
            share: share(view, names),
            replaced_at_once: primary.is_some_and(|primary| replaced_at_once(&primary))
                || view.get(Kind::Service, &names.primary_service).is_some_and(|of| port_is_replaced(&of)),
        }
    }

    /// The percentage that the route gives to a Service.
    pub fn weight(&self, service: &str) -> i64 {
        self.weights.as_ref().and_then(|w| w.get(service)).copied().unwrap_or(0)
    }

    /// Ready endpoints behind a Service.
    pub fn ready(&self, service: &str) -> i64 {
        self.ready.get(service).copied().unwrap_or(0)
    }

    /// The percentage of traffic to Services without pods, for the clients who are affected most. Without a route all
    /// traffic goes to the apex.
    pub fn to_nobody(&self, blameless: impl Fn(&str) -> bool) -> i64 {
        if self.weights.is_none() && self.apex == Some(0) {
            return 100;
        }
        let lost = |rule: &Rule| {
            let empty = rule.iter().filter(|(s, w)| *w > 0 && self.empty.contains(s) && !blameless(s));
            empty.map(|(_, weight)| weight).sum()
        };
        self.rules.iter().flatten().map(lost).max().unwrap_or(0)
    }
}

/// This Service of the primary leads to another port than before the last promotion, or its end.
pub(crate) fn port_is_replaced(service: &Value) -> bool {
    let note = service["metadata"]["annotations"][names::ANNOTATION_TARGET_PORT].as_str().unwrap_or_default();
    let note: Value = serde_json::from_str(note).unwrap_or_default();
    !note.is_null() && list(&service["spec"]["ports"]).iter().any(|port| port["targetPort"] == note["now"])
}

/// The workloads behind a Service are asked for no pods.
fn leaving(view: &impl View, names: &Names, service: &str) -> bool {
    let behind = [&names.target, &names.primary].into_iter().filter(|w| view.selects(service, w));
    let asked: Vec<_> = behind.filter_map(|w| Some(replicas(&*view.get(Kind::Deployment, w)?))).collect();
    !asked.is_empty() && asked.iter().all(|n| *n == 0)
}

fn share(view: &impl View, names: &Names) -> i64 {
    let of = |name: &str| {
        let workload = view.get(Kind::Deployment, name).filter(|_| view.selects(&names.apex, name));
        workload.map_or(0, |w| replicas(&w))
    };
    let (primary, target) = (of(&names.primary), of(&names.target));
    target * 100 / (primary + target).max(1)
}

/// The destinations of each rule of a route, with their weights. A single destination gets everything.
pub fn rules(route: &Value) -> Vec<Rule> {
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

/// Uses only the rules that split traffic, if there are any: a single destination is for clients with a cookie, or for
/// requests that do not match.
pub fn weights(rules: &[Rule]) -> BTreeMap<String, i64> {
    let shared = rules.iter().any(|rule| rule.len() > 1);
    let counted = rules.iter().filter(|rule| !shared || rule.len() > 1);
    let mut all = BTreeMap::new();
    for (service, weight) in counted.flatten() {
        let known: &mut i64 = all.entry(service.clone()).or_default();
        *known = (*weight).max(*known);
    }
    all
}

/// The percentage that each rule of a route gives to a Service, by the condition of the rule.
pub(crate) fn by_condition(route: &Value, service: &str) -> BTreeMap<String, i64> {
    let entries = ["http", "tcp", "rules"].iter().flat_map(|kind| list(&route["spec"][kind]));
    let conditions = entries.map(|entry| entry.get("match").unwrap_or(&entry["matches"]).to_string());
    let weight = |rule: Rule| rule.iter().filter(|(to, _)| to == service).map(|(_, weight)| weight).sum();
    conditions.zip(rules(route).into_iter().map(weight)).collect()
}
