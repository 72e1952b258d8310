//! PURE. What users would lose if a VirtualService of somebody else became the Canary's, and which requests it would serve
//! in addition.

use serde_json::{Value, json};

use super::{
    istio_conditions::MESH,
    istio_hosts, route,
    takeover::Shape,
    virtual_service::{is_host, is_tcp},
};
use crate::{manifest::json as get, spec::Validated};

const HTTP: Shape = Shape {
    rules: "/http",
    destinations: "/route",
    all: |rule| get::list(&rule["route"]).to_vec(),
    leading: Some(&["match", "route"]),
    destination: &["destination", "weight"],
    elsewhere,
    requests: istio_hosts::of_rule,
};
const TCP: Shape = Shape { rules: "/tcp", ..HTTP };

/// Where it has its rules and destinations.
pub(super) fn shape(c: &Validated) -> &'static Shape {
    if is_tcp(c) { &TCP } else { &HTTP }
}

/// What changes for users if `ours` replaces the rules of their spec, with a remedy. `gateways` are those of the Canary,
/// none if the VirtualService that delegates to it names them.
pub(super) fn conflict(c: &Validated, theirs: &Value, ours: &Value, gateways: &[String]) -> Option<String> {
    let apart = format!("keep it and name its route to {} in spec.routeRef", c.names.apex);
    let lost = copies(c, theirs).or_else(|| shape(c).lost(c, theirs, ours));
    let widened = || widened(c, theirs, ours, gateways);
    let widened = || widened().map(|more| format!("{more}: say the same in spec.service.match, or {apart}"));
    lost.map(|lost| format!("{lost}: {apart}")).or_else(widened)
}

fn copies(c: &Validated, theirs: &Value) -> Option<String> {
    let mirror = |rule: &Value| rule["mirror"].is_object() || !get::list(&rule["mirrors"]).is_empty();
    let copies = c.analysis.mirror == Some(true) && get::list(&theirs["http"]).iter().any(mirror);
    copies.then(|| "it copies requests, as spec.analysis.mirror does".to_owned())
}

/// Requests that it does not serve yet, at each gateway of both.
fn widened(c: &Validated, theirs: &Value, ours: &Value, gateways: &[String]) -> Option<String> {
    if gateways.is_empty() {
        return shape(c).widened(theirs, ours);
    }
    let kind = if is_tcp(c) { "tcp" } else { "http" };
    let mut named: Vec<&str> = get::list(&theirs["gateways"]).iter().filter_map(Value::as_str).collect();
    if named.is_empty() {
        named.push(MESH);
    }
    let mut both =
        gateways.iter().filter(|ours| named.iter().any(|theirs| plain(c, theirs) == plain(c, ours)));
    both.find_map(|gateway| {
        let [before, after] = [theirs, ours].map(|spec| at_gateway(c, get::list(&spec[kind]), gateway));
        let silent = before.is_empty() && !after.is_empty() && !get::list(&theirs[kind]).is_empty();
        let silent =
            silent.then(|| format!("it serves no requests of gateway {gateway}, and the Canary would"));
        silent.or_else(|| shape(c).widened(&json!({kind: before}), &json!({kind: after})))
    })
}

/// The destination, unless it is a Service of the Canary.
fn elsewhere(c: &Validated, to: &Value) -> Option<String> {
    let to = &to["destination"];
    let host = to["host"].as_str().unwrap_or_default();
    let names = [&c.names.apex, &c.names.primary_service, &c.names.canary_service];
    let subset = to["subset"].as_str().filter(|subset| !subset.is_empty());
    let subset = subset.map(|subset| format!("the subset {subset} of {host}"));
    let other = (!names.iter().any(|name| is_host(c, host, name))).then(|| host.to_owned());
    subset.or(other).or_else(|| route::port(c, host, &to["port"]["number"]))
}

/// The rules for requests through a gateway.
fn at_gateway(c: &Validated, rules: &[Value], gateway: &str) -> Vec<Value> {
    let meant = |condition: &Value| {
        let named = get::list(&condition["gateways"]);
        named.is_empty()
            || named.iter().filter_map(Value::as_str).any(|name| plain(c, name) == plain(c, gateway))
    };
    let rule = |rule: &Value| {
        let conditions: Vec<Value> =
            get::list(&rule["match"]).iter().filter(|one| meant(one)).cloned().collect();
        let none = conditions.is_empty() && !get::list(&rule["match"]).is_empty();
        let mut rule = rule.clone();
        get::set(&mut rule, &["match"], json!(conditions));
        (!none).then_some(rule)
    };
    rules.iter().filter_map(rule).collect()
}

/// The name of a gateway, without the namespace of the Canary.
pub(super) fn plain<'g>(c: &Validated, gateway: &'g str) -> &'g str {
    let own = gateway.strip_prefix(c.namespace.as_str()).and_then(|rest| rest.strip_prefix('/'));
    own.unwrap_or(gateway)
}
