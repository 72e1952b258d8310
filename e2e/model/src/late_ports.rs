//! The ports that a gateway's proxy leads to, as istiod and Envoy resolve them: a route that names no port means the only
//! one of its Service, and the route that a proxy has may be newer or older than the Service that it knows.

use serde_json::Value;

/// Destinations of a route for gateways, each with the port that it names.
pub(crate) fn led(route: &Value) -> Vec<(String, Option<i64>)> {
    let host = |host: &Value| {
        let name = host.as_str().unwrap_or_default();
        name.split('.').next().unwrap_or_default().to_owned()
    };
    let all = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let spec = &route["spec"];
    match route["kind"].as_str().unwrap_or_default() {
        "VirtualService" => all(&spec["http"])
            .iter()
            .filter(|rule| !is_for_sidecars(spec, rule))
            .flat_map(|rule| all(&rule["route"]))
            .filter(|to| to["weight"] != 0)
            .map(|to| (host(&to["destination"]["host"]), to["destination"]["port"]["number"].as_i64()))
            .collect(),
        "HTTPRoute" => all(&spec["rules"])
            .iter()
            .flat_map(|rule| all(&rule["backendRefs"]))
            .filter(|to| to["weight"] != 0)
            .map(|to| (host(&to["name"]), to["port"].as_i64()))
            .collect(),
        _ => vec![],
    }
}

/// Only sidecars follow the rule, and each of them sends a request to the port that was called.
fn is_for_sidecars(spec: &Value, rule: &Value) -> bool {
    let only_mesh =
        |gateways: &Value| gateways.as_array().is_none_or(|all| all.iter().all(|gateway| gateway == "mesh"));
    let conditions = rule["match"].as_array().map_or(&[][..], Vec::as_slice);
    let narrowed = |condition: &Value| condition["gateways"].is_array() && only_mesh(&condition["gateways"]);
    only_mesh(&spec["gateways"]) || !conditions.is_empty() && conditions.iter().all(narrowed)
}

/// Why requests may be lost, if the route was made for any of these versions of the Service, and the proxy has any of
/// them.
pub(crate) fn lost(service: &str, named: Option<i64>, versions: &[&Value]) -> Option<String> {
    let ports = |version: &Value| -> Vec<i64> {
        let all = version["spec"]["ports"].as_array().into_iter().flatten();
        all.filter_map(|port| port["port"].as_i64()).collect()
    };
    for made_for in versions {
        let port = match (named, ports(made_for).as_slice()) {
            (Some(port), _) => port,
            (None, [port]) => *port,
            (None, several) => return Some(format!("which port of {service} is meant is open: {several:?}")),
        };
        if let Some(known) = versions.iter().find(|known| !ports(known).contains(&port)) {
            return Some(format!("port {port} of {service} is not among {:?}", ports(known)));
        }
    }
    None
}
