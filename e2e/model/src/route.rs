//! Where traffic goes in a model: read from VirtualService and Services as a proxy would, not with the router's code.

use serde_json::Value;
use serin::snapshot::{DEPLOYMENT, Kind, SERVICE};

use serin_invariants::view::Names;

use crate::{pods::Pods, world::World};

/// `networking.istio.io/v1beta1` DestinationRule.
pub const DESTINATION_RULE: Kind = Kind {
    group: "networking.istio.io",
    version: "v1beta1",
    kind: "DestinationRule",
    plural: "destinationrules",
};

/// `networking.istio.io/v1beta1` VirtualService.
pub const VIRTUAL_SERVICE: Kind = Kind {
    group: "networking.istio.io",
    version: "v1beta1",
    kind: "VirtualService",
    plural: "virtualservices",
};

/// Service and percentage for each destination of each rule. Empty without a route.
pub fn rules(world: &World, names: &Names) -> Vec<Vec<(String, i64)>> {
    let Some(route) = world.objects.get(VIRTUAL_SERVICE, &names.apex) else { return vec![] };
    let rules = route["spec"]["http"].as_array().cloned().unwrap_or_default();
    let destinations = |rule: &Value| {
        let list = rule["route"].as_array().cloned().unwrap_or_default();
        let weight = |d: &Value| if list.len() == 1 { 100 } else { d["weight"].as_i64().unwrap_or(0) };
        let host = |d: &Value| d["destination"]["host"].as_str().unwrap_or_default().to_owned();
        list.iter().map(|d| (host(d), weight(d))).collect()
    };
    rules.iter().map(destinations).collect()
}

/// The percentage of traffic that the route gives to the Service: if several rules split traffic, the highest. Single
/// destinations next to them are for clients with a cookie, or for requests that do not match.
pub fn weight_of(world: &World, names: &Names, service: &str) -> i64 {
    let of =
        |rule: &Vec<(String, i64)>| rule.iter().filter(|(host, _)| host == service).map(|(_, w)| w).sum();
    if world.objects.get(VIRTUAL_SERVICE, &names.apex).is_none() {
        return selected(world, names, service);
    }
    let mut all = rules(world, names);
    if all.iter().any(|rule| rule.len() > 1) {
        all.retain(|rule| rule.len() > 1);
    }
    all.iter().map(of).max().unwrap_or(0)
}

/// The percentage of the pods behind the apex that belong to this Service, by replicas.
fn selected(world: &World, names: &Names, service: &str) -> i64 {
    let of = |name: &str| {
        let deployment = world.objects.get(DEPLOYMENT, name).filter(|_| selects(world, &names.apex, name));
        deployment.map_or(0, serin::manifest::replicas)
    };
    let (primary, target) = (of(&names.primary), of(&names.target));
    let part = if service == names.canary_service { target } else { primary };
    part * 100 / (primary + target).max(1)
}

/// The two routes differ.
pub fn changed(before: &World, after: &World, names: &Names) -> bool {
    let route = |w: &World| w.objects.get(VIRTUAL_SERVICE, &names.apex).map(|r| r["spec"].clone());
    route(before) != route(after)
}

/// Problems with the route as an object.
pub fn malformed(world: &World, names: &Names) -> Option<String> {
    world.objects.get(VIRTUAL_SERVICE, &names.apex)?;
    let all = rules(world, names);
    let ours = [&names.primary_service, &names.canary_service, &names.apex];
    let wrong = |rule: &Vec<(String, i64)>| {
        let sum: i64 = rule.iter().map(|(_, w)| w).sum();
        sum != 100 || rule.iter().any(|(host, w)| !(0..=100).contains(w) || !ours.contains(&host))
    };
    (all.is_empty() || all.iter().any(wrong)).then(|| format!("rules {all:?}"))
}

/// Ready pods behind a Service: those that the EndpointSlices show and that stay.
pub fn ready(world: &World, pods: &Pods, service: &str) -> u32 {
    let behind = pods.behind(world, service);
    // slices follow a new selector by themselves: only delayed updates about pods count against it
    world.ready.get(service).copied().filter(|_| pods.slices_late).map_or(behind, |shown| shown.min(behind))
}

/// The percentage of traffic to Services without ready pods, for the clients who are affected most. Without a route all
/// traffic goes to the apex.
pub fn to_nobody(world: &World, pods: &Pods, names: &Names) -> i64 {
    let mut all = rules(world, names);
    if all.is_empty() && world.objects.get(SERVICE, &names.apex).is_some() {
        all.push(vec![(names.apex.clone(), 100)]);
    }
    let lost = |rule: &Vec<(String, i64)>| {
        rule.iter().filter(|(host, w)| *w > 0 && ready(world, pods, host) == 0).map(|(_, w)| w).sum()
    };
    all.iter().map(lost).max().unwrap_or(0)
}

/// The Service selects the pods of the workload.
pub fn selects(world: &World, service: &str, deployment: &str) -> bool {
    let (Some(service), Some(deployment)) = (world.objects.get(SERVICE, service), world.workload(deployment))
    else {
        return false;
    };
    let labels: &Value = &deployment["spec"]["template"]["metadata"]["labels"];
    service["spec"]["selector"]
        .as_object()
        .is_some_and(|s| !s.is_empty() && s.iter().all(|(k, v)| labels[k] == *v))
}
