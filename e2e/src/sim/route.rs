//! Where traffic goes in a model: read from VirtualService and Services as a proxy would, not by the router's code.

use serde_json::Value;
use serin::snapshot::{DEPLOYMENT, Kind, SERVICE};

use super::{Names, pods::Pods, world::World};

/// `networking.istio.io/v1beta1` VirtualService.
pub const VIRTUAL_SERVICE: Kind = Kind {
    group: "networking.istio.io",
    version: "v1beta1",
    kind: "VirtualService",
    plural: "virtualservices",
};

/// Service and percent for each destination of the route; empty while there is none.
pub fn destinations(world: &World, names: &Names) -> Vec<(String, i64)> {
    let Some(route) = world.objects.get(VIRTUAL_SERVICE, &names.apex) else { return vec![] };
    let list = route["spec"]["http"][0]["route"].as_array().cloned().unwrap_or_default();
    let one = list.len() == 1;
    list.iter()
        .map(|d| {
            let host = d["destination"]["host"].as_str().unwrap_or_default().to_owned();
            (host, if one { 100 } else { d["weight"].as_i64().unwrap_or(0) })
        })
        .collect()
}

/// Percent of the traffic that the route gives a Service.
pub fn weight_of(world: &World, names: &Names, service: &str) -> i64 {
    destinations(world, names).iter().filter(|(host, _)| host == service).map(|(_, w)| w).sum()
}

/// The two routes differ.
pub fn changed(before: &World, after: &World, names: &Names) -> bool {
    let route = |w: &World| w.objects.get(VIRTUAL_SERVICE, &names.apex).map(|r| r["spec"].clone());
    route(before) != route(after)
}

/// What is wrong with the route as an object.
pub fn malformed(world: &World, names: &Names) -> Option<String> {
    world.objects.get(VIRTUAL_SERVICE, &names.apex)?;
    let all = destinations(world, names);
    let sum: i64 = all.iter().map(|(_, w)| w).sum();
    let ours = [&names.primary_service, &names.canary_service, &names.apex];
    if sum != 100 || all.iter().any(|(_, w)| !(0..=100).contains(w)) {
        return Some(format!("weights {all:?}"));
    }
    all.iter().any(|(host, _)| !ours.contains(&host)).then(|| format!("destinations {all:?}"))
}

/// Ready pods behind a Service: those that the EndpointSlices show and that stay.
pub fn ready(world: &World, pods: &Pods, service: &str) -> u32 {
    let behind = pods.behind(world, service);
    // slices follow a new selector by themselves: only late news of pods counts against it
    world.ready.get(service).copied().filter(|_| pods.slices_late).map_or(behind, |shown| shown.min(behind))
}

/// Percent of the traffic that goes where no pod is ready. Without a route all of it goes to the apex.
pub fn to_nobody(world: &World, pods: &Pods, names: &Names) -> i64 {
    let mut all = destinations(world, names);
    if all.is_empty() && world.objects.get(SERVICE, &names.apex).is_some() {
        all.push((names.apex.clone(), 100));
    }
    all.iter().filter(|(host, w)| *w > 0 && ready(world, pods, host) == 0).map(|(_, w)| w).sum()
}

/// The Service selects the pods of the Deployment.
pub fn selects(world: &World, service: &str, deployment: &str) -> bool {
    let (Some(service), Some(deployment)) =
        (world.objects.get(SERVICE, service), world.objects.get(DEPLOYMENT, deployment))
    else {
        return false;
    };
    let labels: &Value = &deployment["spec"]["template"]["metadata"]["labels"];
    service["spec"]["selector"]
        .as_object()
        .is_some_and(|s| !s.is_empty() && s.iter().all(|(k, v)| labels[k] == *v))
}
