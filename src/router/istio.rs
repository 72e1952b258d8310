//! Istio: a VirtualService `<apex>` that splits by weight, and a DestinationRule for each side.
//!
//! Owns hosts, gateways and routes of the VirtualService and host and policy of the rules; other fields stay. Matches
//! by request (A/B), mirroring and session affinity are not rendered.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Builtin, Router, RouterError, Split};
use crate::{
    api::validated::Validated,
    manifest::{Manifest, Undo, json as get, made_for, ours},
    names::{self, managers},
    snapshot::{Kind, ObjectRef, Objects},
};

const GROUP: &str = "networking.istio.io";
const VIRTUAL_SERVICE: Kind =
    Kind { group: GROUP, version: "v1beta1", kind: "VirtualService", plural: "virtualservices" };
const DESTINATION_RULE: Kind =
    Kind { group: GROUP, version: "v1beta1", kind: "DestinationRule", plural: "destinationrules" };

const OWNED_ROUTE: &[&str] = &["/spec/hosts", "/spec/gateways", "/spec/http", "/spec/tcp", "/spec/tls"];
const OWNED_RULE: &[&str] = &["/spec/host", "/spec/trafficPolicy"];

/// The gateway that stands for all sidecars.
const MESH: &str = "mesh";

macro_rules! base {
    () => {
        r#"reporter="destination",destination_workload_namespace="{{ namespace }}",destination_workload=~"{{ target }}""#
    };
}

const QUERIES: Builtin = Builtin {
    success_rate: concat!(
        "(sum(rate(istio_requests_total{",
        base!(),
        r#",response_code!~"5.*"}[{{ interval }}])) or vector(0)) / sum(rate(istio_requests_total{"#,
        base!(),
        "}[{{ interval }}])) * 100",
    ),
    duration: concat!(
        "histogram_quantile(0.99, sum(rate(istio_request_duration_milliseconds_bucket{",
        base!(),
        "}[{{ interval }}])) by (le))",
    ),
};

/// The router.
pub(super) struct Istio;

impl Router for Istio {
    fn name(&self) -> &'static str {
        "istio"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[VIRTUAL_SERVICE, DESTINATION_RULE]
    }

    fn settle(&self) -> Duration {
        Duration::from_secs(3)
    }

    fn refuses(&self, c: &Validated) -> Vec<String> {
        let mut refused = Vec::new();
        if c.service.delegation == Some(true) {
            for (field, given) in [("hosts", &c.service.hosts), ("gateways", &c.service.gateways)] {
                if !given.is_empty() {
                    refused.push(format!(
                        "spec.service.{field}: must be empty when spec.service.delegation is true"
                    ));
                }
            }
        }
        refused
    }

    fn reads(&self, c: &Validated) -> Vec<ObjectRef> {
        let rule = |name: &String| ObjectRef::new(DESTINATION_RULE, name.clone());
        vec![route_ref(c), rule(&c.names.primary_service), rule(&c.names.canary_service)]
    }

    fn read_back(&self, c: &Validated, live: &Objects) -> Result<Split, RouterError> {
        let object = route_ref(c);
        let Some(route) = live.at(&object) else {
            return Err(RouterError::NotFound(object));
        };
        let lists = ["http", "tcp"].iter().flat_map(|kind| get::list(&route["spec"][kind]));
        // Should somebody have added routes, the one that favours the canary most counts.
        let canary = lists.filter_map(|one| canary_percent(c, get::list(&one["route"]))).max();
        canary.map(Split::to_canary).ok_or_else(|| {
            let (primary, canary) = (&c.names.primary_service, &c.names.canary_service);
            let why =
                format!("{}.{} does not contain routes for {primary} and {canary}", object.name, c.namespace);
            RouterError::Unreadable { object, why }
        })
    }

    fn beside(&self, c: &Validated) -> Vec<Manifest> {
        let rule = |name: &String| {
            let mut spec = json!({"host": name});
            if let Some(policy) = c.service.traffic_policy.as_ref().filter(|p| !p.is_null()) {
                get::set(&mut spec, &["trafficPolicy"], policy.clone());
            }
            let labels = json!({names::LABEL_CANARY: names::label_value(&c.name)});
            let body = json!({"metadata": {"labels": labels}, "spec": spec});
            Manifest::new(DESTINATION_RULE, name, managers::ROUTE, OWNED_RULE, body)
        };
        vec![rule(&c.names.canary_service), rule(&c.names.primary_service)]
    }

    fn render(&self, c: &Validated, _live: &Objects, want: Split) -> Result<Vec<Manifest>, RouterError> {
        let weighted =
            |host: &str, weight: i32| json!({"destination": destination(c, host), "weight": weight});
        let routes = json!([
            weighted(&c.names.primary_service, want.primary()),
            weighted(&c.names.canary_service, want.canary()),
        ]);
        let custom = c.service.apex.clone().unwrap_or_default();
        let mut labels: Map<String, Value> = custom.labels.into_iter().map(|(k, v)| (k, json!(v))).collect();
        labels.insert(names::LABEL_CANARY.into(), json!(names::label_value(&c.name)));
        let mut annotations: Map<String, Value> =
            custom.annotations.into_iter().map(|(k, v)| (k, json!(v))).collect();
        annotations.extend(names::FLUX_MARKERS.map(|(k, v)| (k.to_owned(), json!(v))));
        Ok(vec![virtual_service(c, &json!({"labels": labels, "annotations": annotations}), &routes)])
    }

    fn restore(&self, c: &Validated, live: &Objects) -> Vec<Undo> {
        let mut undo = Vec::new();
        if let Some(route) = live.at(&route_ref(c)).filter(|r| made_for(r, &c.name)) {
            let mut annotations = Map::new();
            let given = c.service.apex.clone().unwrap_or_default().annotations;
            for key in names::FLUX_MARKERS.map(|(key, _)| key) {
                annotations.insert(key.into(), given.get(key).map_or(Value::Null, |v| json!(v)));
            }
            for key in [names::ANNOTATION_EPOCH, names::ANNOTATION_WRITTEN] {
                annotations.insert(key.into(), Value::Null);
            }
            let mut metadata = json!({"annotations": annotations});
            if ours(route, &c.name) {
                get::set(&mut metadata, &["labels", names::LABEL_CANARY], Value::Null);
            }
            let routes = json!([{"destination": destination(c, &c.names.apex)}]);
            undo.push(Undo::Restore(virtual_service(c, &metadata, &routes)));
        }
        for at in self.reads(c).into_iter().filter(|at| at.kind == DESTINATION_RULE) {
            if live.at(&at).is_some_and(|rule| made_for(rule, &c.name)) {
                undo.push(Undo::Delete(at));
            }
        }
        undo
    }

    fn queries(&self) -> &'static Builtin {
        &QUERIES
    }
}

fn route_ref(c: &Validated) -> ObjectRef {
    ObjectRef::new(VIRTUAL_SERVICE, c.names.apex.clone())
}

/// The VirtualService with these destinations under every condition the Canary sets.
fn virtual_service(c: &Validated, metadata: &Value, routes: &Value) -> Manifest {
    let mut spec = Map::new();
    if c.service.delegation != Some(true) {
        spec.insert("hosts".into(), json!(hosts(c)));
        spec.insert("gateways".into(), json!(gateways(c)));
    }
    if c.service.app_protocol.as_deref().is_some_and(|p| p.eq_ignore_ascii_case("tcp")) {
        spec.insert("tcp".into(), json!([tcp_route(c, routes)]));
    } else {
        spec.insert("http".into(), json!([http_route(c, routes)]));
    }
    let body = json!({"metadata": metadata, "spec": spec});
    Manifest::new(VIRTUAL_SERVICE, &c.names.apex, managers::ROUTE, OWNED_ROUTE, body)
}

fn http_route(c: &Validated, routes: &Value) -> Value {
    let service = &c.service;
    let rewrite: Map<String, Value> = ["uri", "authority"]
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), service.rewrite.as_ref()?.get(key)?.clone())))
        .filter(|(_, value)| !value.is_null() && value != "")
        .collect();
    let fields = [
        ("match", json!(service.match_)),
        ("rewrite", Value::Object(rewrite)),
        ("timeout", json!(service.timeout)),
        ("retries", json!(service.retries)),
        ("corsPolicy", json!(service.cors_policy)),
        ("headers", json!(service.headers)),
        ("route", routes.clone()),
    ];
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    Value::Object(fields.into_iter().filter(|(_, v)| !empty(v)).map(|(k, v)| (k.to_owned(), v)).collect())
}

fn tcp_route(c: &Validated, routes: &Value) -> Value {
    let ports = c.service.match_.iter().filter_map(|m| m["port"].as_i64()).filter(|port| *port > 0);
    let matches: Vec<Value> = ports.map(|port| json!({"port": port})).collect();
    if matches.is_empty() { json!({"route": routes}) } else { json!({"match": matches, "route": routes}) }
}

fn hosts(c: &Validated) -> Vec<String> {
    let mut hosts = c.service.hosts.clone();
    if !hosts.iter().any(|host| *host == c.names.apex || host == "*") {
        hosts.push(c.names.apex.clone());
    }
    hosts
}

fn gateways(c: &Validated) -> Vec<String> {
    let mut gateways = c.service.gateways.clone();
    let append = gateways.is_empty() || c.mesh_appended;
    if append && !gateways.iter().any(|gateway| gateway == MESH) {
        gateways.push(MESH.to_owned());
    }
    gateways
}

/// With several ports behind one Service, a gateway has to be told which.
fn destination(c: &Validated, host: &str) -> Value {
    let behind_gateway = c.service.delegation == Some(true) || gateways(c).first().is_some_and(|g| g != MESH);
    if c.service.port_discovery == Some(true) && behind_gateway {
        json!({"host": host, "port": {"number": c.service.port}})
    } else {
        json!({"host": host})
    }
}

/// Percent to the canary of one list of destinations, if it leads to either side at all. Traffic is never called
/// none: less than 1 % is 1.
fn canary_percent(c: &Validated, routes: &[Value]) -> Option<i32> {
    let (mut primary, mut canary) = (0_i64, 0_i64);
    for route in routes {
        let host = route["destination"]["host"].as_str().unwrap_or_default();
        let weight =
            if routes.len() == 1 { 100 } else { route["weight"].as_i64().unwrap_or(0).clamp(0, 1_000_000) };
        if is_host(c, host, &c.names.canary_service) {
            canary = canary.saturating_add(weight);
        } else if is_host(c, host, &c.names.primary_service) {
            primary = primary.saturating_add(weight);
        }
    }
    let total = primary.saturating_add(canary);
    if total == 0 {
        return None;
    }
    let percent = canary.saturating_mul(100) / total;
    Some(if canary > 0 { percent.max(1) as i32 } else { 0 })
}

/// Short, namespaced or full name of a Service.
fn is_host(c: &Validated, host: &str, service: &str) -> bool {
    let Some(rest) = host.strip_prefix(service) else { return false };
    let Some(rest) = rest.strip_prefix('.') else { return rest.is_empty() };
    let Some(rest) = rest.strip_prefix(c.namespace.as_str()) else { return false };
    rest.is_empty() || rest.starts_with(".svc")
}

#[cfg(test)]
#[path = "tests/istio.rs"]
mod tests;
