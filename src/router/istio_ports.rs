//! PURE. Several ports behind one Service in Istio: a gateway needs to know which one to route to, and a sidecar
//! must not be told, because it sends each request to its own port. If a route is for both, it has rules for each.
//!
//! The port is also named while it is replaced. A route that names none leads to the only port of its Service. A
//! proxy drops the cluster of the former port before it gets the route to the new one, and a second port would leave it
//! open which one is meant.

use serde_json::{Value, json};

use super::istio_conditions::{MESH, asks_the_caller};
use crate::{
    manifest::{json as get, service::port_numbers},
    snapshot::{Objects, SERVICE},
    spec::Validated,
};

/// The rules with the ports that their destinations need, for a route with these gateways.
pub(super) fn with_ports(
    c: &Validated,
    live: &Objects,
    gateways: &[String],
    rules: Vec<Value>,
) -> Vec<Value> {
    if !c.names_port && !several(c, live) {
        return rules;
    }
    let (mesh, outside): (Vec<&String>, Vec<&String>) = gateways.iter().partition(|gateway| *gateway == MESH);
    let delegated = c.service.delegation == Some(true);
    match (mesh.is_empty() && !outside.is_empty() || delegated, outside.is_empty()) {
        (true, _) => rules.into_iter().map(|rule| to_port(c, live, rule)).collect(),
        (false, true) => rules,
        (false, false) => rules
            .into_iter()
            .flat_map(|rule| {
                let at = |gateways: &[&String]| narrowed(&rule, gateways);
                [at(&outside).map(|rule| to_port(c, live, rule)), at(&mesh)]
            })
            .flatten()
            .collect(),
    }
}

/// The Services have more ports than the one that the Canary names: found in the containers, or kept from an adopted
/// apex.
fn several(c: &Validated, live: &Objects) -> bool {
    let many = |name: &str| {
        live.get(SERVICE, name).is_some_and(|service| get::list(&service["spec"]["ports"]).len() > 1)
    };
    c.service.port_discovery == Some(true) || many(&c.names.apex) || many(&c.names.primary_service)
}

/// The rule with the Canary's port in every destination, unless the Service is known to lack it: a proxy then takes the
/// only one that it has.
fn to_port(c: &Validated, live: &Objects, mut rule: Value) -> Value {
    let set = |destination: &mut Value| {
        let service = live.get(SERVICE, destination["host"].as_str().unwrap_or_default());
        if service.is_none_or(|service| port_numbers(service).contains(&c.service.port)) {
            get::set(destination, &["port"], json!({"number": c.service.port}));
        }
    };
    for to in rule["route"].as_array_mut().into_iter().flatten() {
        set(&mut to["destination"]);
    }
    if let Some(copies) = rule.get_mut("mirror") {
        set(copies);
    }
    rule
}

/// The rule for requests through these gateways only. None: it does not apply to them.
fn narrowed(rule: &Value, gateways: &[&String]) -> Option<Value> {
    let mut conditions = get::list(&rule["match"]).to_vec();
    let all = conditions.is_empty();
    if all {
        conditions.push(json!({}));
    }
    let mesh = gateways.iter().any(|gateway| *gateway == MESH);
    conditions.retain_mut(|condition| {
        let named = get::list(&condition["gateways"]).to_vec();
        if named.is_empty() && asks_the_caller(condition) {
            return mesh;
        }
        let both: Vec<&&String> = gateways
            .iter()
            .filter(|gateway| named.is_empty() || named.iter().any(|named| *named == ***gateway))
            .collect();
        get::set(condition, &["gateways"], json!(both));
        !both.is_empty()
    });
    let mut rule = rule.clone();
    get::set(&mut rule, &["match"], json!(conditions));
    (!conditions.is_empty()).then_some(rule)
}
