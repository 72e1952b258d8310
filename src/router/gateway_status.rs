//! PURE. The reports of controllers about an HTTPRoute of ours: whether they follow it, and what cannot be determined.

use serde_json::Value;

use crate::{
    manifest::{generation, json as get},
    snapshot::{Objects, SERVICE},
    spec::Validated,
};

/// Why the parent Gateways (or Services) of the route do not follow it, if they do not.
pub(super) fn unfollowed(c: &Validated, route: &Value) -> Option<String> {
    let mut answers = answers(c, route).peekable();
    if answers.peek().is_none() {
        return Some(format!(
            "no Gateway answers for HTTPRoute {}: see that what spec.service.gatewayRefs names exists and is served",
            c.names.apex
        ));
    }
    answers.find_map(|answer| unaccepted(c, answer, generation(route).unwrap_or_default()))
}

/// Controllers that accept the route without naming its generation.
pub(super) fn untold(c: &Validated, route: &Value) -> Vec<String> {
    let silent = answers(c, route).filter(|answer| {
        condition(answer, "Accepted").is_some_and(|said| said["status"] == "True" && seen(said).is_none())
    });
    let one = |answer: &Value| {
        format!(
            "{} of {} accepts HTTPRoute {} without an observedGeneration: whether it has taken in the last change cannot be determined, so set spec.settleTime to what it needs",
            parent(answer),
            answer["controllerName"].as_str().unwrap_or("its controller"),
            c.names.apex
        )
    };
    silent.map(one).collect()
}

/// Services as parents, all of whose ports would be routed to one.
pub(super) fn of_every_port(c: &Validated, live: &Objects) -> Vec<String> {
    let several = |name: &str| {
        let ports = |service: &Value| get::list(&service["spec"]["ports"]).len();
        live.get(SERVICE, name).is_some_and(|service| ports(service) > 1)
    };
    let whole = |(_, parent): &(usize, &Value)| {
        parent["kind"] == "Service" && parent["port"].is_null() && parent["name"] == c.names.apex.as_str()
    };
    if !several(&c.names.apex) && !several(&c.names.primary_service) {
        return vec![];
    }
    let parents = c.service.gateway_refs.iter().enumerate().filter(whole);
    let one = |(index, _): (usize, &Value)| {
        format!(
            "spec.service.gatewayRefs[{index}] names Service {} without a port, so that requests to each of its ports are led to port {port}: set port: {port}",
            c.names.apex,
            port = c.service.port
        )
    };
    parents.map(one).collect()
}

/// The answers for the parents that the Canary names.
fn answers<'v>(c: &'v Validated, route: &'v Value) -> impl Iterator<Item = &'v Value> {
    let ours = |answer: &&Value| {
        let to = &answer["parentRef"];
        let namespace = |r: &Value| r["namespace"].as_str().unwrap_or(&c.namespace).to_owned();
        let same = |r: &Value| r["name"] == to["name"] && namespace(r) == namespace(to);
        c.service.gateway_refs.iter().any(same)
    };
    get::list(&route["status"]["parents"]).iter().filter(ours)
}

fn condition<'v>(answer: &'v Value, type_: &str) -> Option<&'v Value> {
    get::list(&answer["conditions"]).iter().find(|said| said["type"] == type_)
}

/// The generation of a condition. Generations begin with 1: a 0 says nothing.
fn seen(said: &Value) -> Option<i64> {
    said["observedGeneration"].as_i64().filter(|seen| *seen > 0)
}

fn parent(answer: &Value) -> String {
    let to = &answer["parentRef"];
    let kind = to["kind"].as_str().unwrap_or("Gateway");
    format!("{kind} {}", to["name"].as_str().unwrap_or_default())
}

/// Why the answer of a controller does not accept this generation of the route yet. One without a generation cannot be
/// recognised as stale.
fn unaccepted(c: &Validated, answer: &Value, generation: i64) -> Option<String> {
    let (parent, route) = (parent(answer), format!("HTTPRoute {}", c.names.apex));
    let said = condition(answer, "Accepted");
    let current = |said: &&Value| seen(said).is_none_or(|seen| seen >= generation);
    let Some(said) = said.filter(current) else {
        return Some(format!("{parent} has not yet taken in {route}"));
    };
    let because = |said: &Value| {
        let text = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
        format!("{} ({})", text("message"), text("reason"))
    };
    if said["status"] != "True" {
        return Some(format!("{parent} does not accept {route}: {}", because(said)));
    }
    for (type_, bad, what) in [
        ("ResolvedRefs", "False", "does not find all that"),
        ("PartiallyInvalid", "True", "leaves out a part of what"),
    ] {
        if let Some(said) = condition(answer, type_).filter(current).filter(|said| said["status"] == bad) {
            return Some(format!("{parent} {what} {route} names: {}", because(said)));
        }
    }
    None
}
