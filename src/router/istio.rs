//! Istio: a VirtualService `<apex>` that splits by weight, and a DestinationRule for each side.
//!
//! Owns hosts, gateways and routes of the VirtualService and host and policy of the rules; other fields stay. The
//! rules of a route, in order: the requests of always and never; requests with a session cookie; the
//! requests that the Canary matches; all others.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{
    always_never, cookie,
    istio_conditions::{self, MESH, narrowed},
    istio_hosts,
    istio_ports::with_ports,
    istio_queries::QUERIES,
    istio_takeover,
    queries::Builtin,
    route::{self, Place, Shares, Side},
    split::Split,
    traits::{Cookies, Router, RouterError},
    user_virtual_service,
    virtual_service::{GROUP, VIRTUAL_SERVICE, is_host, is_tcp},
};
use crate::{
    api::CanaryService,
    manifest::{Manifest, Undo, json as get, made_for},
    names::{self, managers},
    snapshot::{Kind, ObjectRef, Objects},
    spec::Validated,
};

const DESTINATION_RULE: Kind =
    Kind { group: GROUP, version: "v1beta1", kind: "DestinationRule", plural: "destinationrules" };

const OWNED_ROUTE: &[&str] = &["/spec/hosts", "/spec/gateways", "/spec/http", "/spec/tcp"];
const OWNED_RULE: &[&str] = &["/spec/host", "/spec/trafficPolicy"];

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

    fn unsupported(&self, c: &Validated) -> Vec<String> {
        if let Some(user_route) = user_virtual_service::of(c) {
            return user_route.unsupported();
        }
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
        if is_tcp(c) {
            let why = "cannot be had with spec.service.appProtocol tcp, where there are no requests";
            let fields = ["match", "always", "never", "mirror", "sessionAffinity"];
            refused.extend(route::cannot(c, &fields, why));
        }
        refused.extend(istio_conditions::problems(c));
        refused.extend(always_never::problems(c));
        refused
    }

    fn supported_fields(&self) -> &'static [&'static str] {
        &[
            "gateways",
            "hosts",
            "delegation",
            "trafficPolicy",
            "match",
            "rewrite",
            "retries",
            "timeout",
            "headers",
            "corsPolicy",
        ]
    }

    fn takeover_conflict(&self, c: &Validated, theirs: &Value) -> Option<String> {
        if c.service.delegation == Some(true) {
            return changed(c, &theirs["spec"], &[]);
        }
        let ours = gateways(c);
        let mut given: Vec<&str> =
            get::list(&theirs["spec"]["gateways"]).iter().filter_map(Value::as_str).collect();
        if given.is_empty() {
            given.push(MESH);
        }
        let same = |ours: &String, gateway: &str| {
            istio_takeover::plain(c, ours) == istio_takeover::plain(c, gateway)
        };
        let lost = given.into_iter().find(|gateway| !ours.iter().any(|ours| same(ours, gateway)));
        if let Some(gateway) = lost {
            return Some(format!("add its gateway {gateway} to spec.service.gateways"));
        }
        let mut hosts = istio_hosts::of(c);
        let apex = format!("{}.{}", c.names.apex, c.namespace);
        hosts.extend([format!("{apex}.svc"), format!("{apex}.svc.cluster.local"), apex]);
        let changed = || changed(c, &theirs["spec"], &ours);
        route::unnamed_host(&theirs["spec"]["hosts"], &hosts).or_else(changed)
    }

    fn shadows(&self, c: &Validated, other: &CanaryService) -> Option<String> {
        istio_hosts::shadowed(&c.service, other)
    }

    fn bystanders(&self) -> &'static [Kind] {
        &[DESTINATION_RULE]
    }

    fn wanted_bystanders(&self, c: &Validated, _live: &Objects) -> Option<Vec<String>> {
        Some(istio_hosts::covering_apex(c))
    }

    fn touches(&self, c: &Validated, _live: &Objects, other: &Value) -> Option<String> {
        istio_hosts::unused_policy(c, other)
    }

    fn reads(&self, c: &Validated) -> Vec<ObjectRef> {
        let rule = |name: &String| ObjectRef::new(DESTINATION_RULE, name.clone());
        let route = user_virtual_service::of(c).map_or_else(|| place(c).at(), |user_route| user_route.at());
        vec![route, rule(&c.names.primary_service), rule(&c.names.canary_service)]
    }

    fn externally_owned_route(&self, c: &Validated) -> Option<ObjectRef> {
        user_virtual_service::of(c).map(|user_route| user_route.at())
    }

    fn read_back(&self, c: &Validated, live: &Objects) -> Result<Split, RouterError> {
        if let Some(user_route) = user_virtual_service::of(c) {
            return user_route.read_back(live);
        }
        let object = place(c).at();
        let Some(route) = live.at(&object) else {
            return Err(RouterError::NotFound(object));
        };
        // those of the other kind belong to somebody else, unless the Canary has changed from one to the other
        let kinds = if is_tcp(c) { ["tcp", "http"] } else { ["http", "tcp"] };
        let rules = kinds.map(|kind| get::list(&route["spec"][kind]));
        let rules = if rules[0].is_empty() { rules[1] } else { rules[0] };
        let shares: Vec<Shares> = rules.iter().map(|rule| shares(c, get::list(&rule["route"]))).collect();
        let mirrored = rules.iter().any(|rule| side(c, &rule["mirror"]["host"]) == Some(Side::Canary));
        let pins = http_pins(c, Split::default().pinning(true));
        // with rules for each kind of gateway, or with one for all, as before and after an edit of the port
        let both = [with_ports(c, live, &gateways(c), pins.clone()), pins];
        let rules = get::list(&route["spec"]["http"]);
        let pinned = both.iter().any(|pins| always_never::in_force(rules, pins, "match"));
        route::split(c, object, &shares, mirrored).map(|split| split.pinning(pinned))
    }

    fn auxiliary_objects(&self, c: &Validated) -> Vec<Manifest> {
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

    fn render(
        &self,
        c: &Validated,
        live: &Objects,
        want: Split,
        cookies: &Cookies,
    ) -> Result<Vec<Manifest>, RouterError> {
        if let Some(user_route) = user_virtual_service::of(c) {
            return user_route.render(live, want).map(|manifest| vec![manifest]);
        }
        let routes =
            if is_tcp(c) { vec![tcp_route(c, &sides(c, want))] } else { http_routes(c, want, cookies) };
        let spec = spec(c, live, routes);
        Ok(vec![place(c).manifest(c, live, &spec, &|live| plain(c, live))])
    }

    fn restore(&self, c: &Validated, live: &Objects) -> Vec<Undo> {
        let made = || place(c).given_back(c, live, &|live| plain(c, live));
        let back = user_virtual_service::of(c).map_or_else(made, |user_route| user_route.given_back(live));
        let mut undo: Vec<Undo> = back.map(Undo::Restore).into_iter().collect();
        let rules = self.reads(c).into_iter().filter(|at| at.kind == DESTINATION_RULE);
        let ours = |at: &ObjectRef| live.at(at).is_some_and(|rule| made_for(rule, &c.name));
        undo.extend(rules.filter(ours).map(Undo::Delete));
        undo
    }

    fn queries(&self) -> &'static Builtin {
        &QUERIES
    }
}

fn changed(c: &Validated, theirs: &Value, gateways: &[String]) -> Option<String> {
    let all = json!([{"destination": destination(&c.names.primary_service)}]);
    let ours = if is_tcp(c) {
        json!({"tcp": [tcp_route(c, &all)]})
    } else {
        json!({"http": [http_route(c, &c.service.match_, &all)]})
    };
    istio_takeover::conflict(c, theirs, &ours, gateways)
}

fn place(c: &Validated) -> Place<'_> {
    Place {
        kind: VIRTUAL_SERVICE,
        name: &c.names.apex,
        owned: OWNED_ROUTE,
        shape: Some(istio_takeover::shape(c)),
    }
}

/// Spec of the VirtualService that leads to the apex.
fn plain(c: &Validated, live: &Objects) -> Value {
    let all = json!([{"destination": destination(&c.names.apex)}]);
    spec(c, live, vec![if is_tcp(c) { tcp_route(c, &all) } else { http_route(c, &c.service.match_, &all) }])
}

/// Spec of the VirtualService with these rules.
fn spec(c: &Validated, live: &Objects, routes: Vec<Value>) -> Value {
    let routes = with_ports(c, live, &gateways(c), routes);
    let mut spec = Map::new();
    if c.service.delegation != Some(true) {
        spec.insert("hosts".into(), json!(istio_hosts::of(c)));
        spec.insert("gateways".into(), json!(gateways(c)));
    }
    let (ours, other) = if is_tcp(c) { ("tcp", "http") } else { ("http", "tcp") };
    spec.insert(ours.into(), json!(routes));
    // parts without rules of Serin stay as they are
    if let Some(theirs) = place(c).theirs(c, live).filter(|theirs| theirs[other].is_array()) {
        spec.insert(other.into(), theirs[other].clone());
    }
    Value::Object(spec)
}

/// Both sides with their weights; the primary first, as in Flagger.
fn sides(c: &Validated, want: Split) -> Value {
    let side = |host: &str, weight: i32| json!({"destination": destination(host), "weight": weight});
    json!([side(&c.names.primary_service, want.primary()), side(&c.names.canary_service, want.canary()),])
}

fn http_routes(c: &Validated, want: Split, cookies: &Cookies) -> Vec<Value> {
    let mut sides = sides(c, want);
    let mut rules = http_pins(c, want);
    rules.extend(sticky(c, want, cookies, &mut sides));
    let named = !c.analysis.match_.is_empty() && !want.is_for_everyone();
    let conditions = if named { narrowed(c, &c.analysis.match_) } else { c.service.match_.clone() };
    // without conditions it would be for all
    let split = (!named || !conditions.is_empty()).then(|| http_route(c, &conditions, &sides));
    rules.extend(split.map(|split| with_copies(c, want, split)));
    if named {
        let rest = json!([{"destination": destination(&c.names.primary_service), "weight": 100}]);
        rules.push(http_route(c, &c.service.match_, &rest));
    }
    rules
}

fn with_copies(c: &Validated, want: Split, mut split: Value) -> Value {
    if want.mirrored() {
        get::set(&mut split, &["mirror"], destination(&c.names.canary_service));
        if let Some(percent) = c.analysis.mirror_weight.filter(|percent| *percent > 0) {
            get::set(&mut split, &["mirrorPercentage"], json!({"value": percent}));
        }
    }
    split
}

/// Rules for the requests of always and never.
fn http_pins(c: &Validated, want: Split) -> Vec<Value> {
    let rule = |(list, side): (&[Value], Side)| {
        let to = json!([{"destination": destination(always_never::service(c, side)), "weight": 100}]);
        let conditions = narrowed(c, list);
        (!conditions.is_empty()).then(|| http_route(c, &conditions, &to))
    };
    always_never::lists(c, want).into_iter().filter_map(rule).collect()
}

/// Rules for requests with a session cookie; `sides` are extended to issue them. Once nothing goes to the canary any
/// more, the cookie of the previous run is withdrawn.
fn sticky(c: &Validated, want: Split, cookies: &Cookies, sides: &mut Value) -> Vec<Value> {
    let Some(affinity) = &c.analysis.session_affinity else { return vec![] };
    let having =
        |cookie: &str| narrowed(c, &[json!({"headers": {"cookie": {"regex": cookie::pattern(cookie)}}})]);
    let giving = |cookie: String| json!({"response": {"add": {"Set-Cookie": cookie}}});
    if want.canary() == 0 {
        let Some(previous) = &cookies.previous else { return vec![] };
        let mut rule = http_route(c, &having(previous), sides);
        for side in rule["route"].as_array_mut().into_iter().flatten() {
            get::set(side, &["headers"], giving(cookie::expire(affinity, previous)));
        }
        return vec![rule];
    }
    let mut rules = Vec::new();
    let given = [
        (&cookies.canary, &c.names.canary_service, 1, false),
        (&cookies.primary, &c.names.primary_service, 0, true),
    ];
    for (cookie, host, side, of_primary) in given {
        let Some(cookie) = cookie else { continue };
        let to = json!([{"destination": destination(host), "weight": 100}]);
        rules.push(http_route(c, &having(cookie), &to));
        let given = if of_primary {
            cookie::set_for_primary(c, affinity, cookie)
        } else {
            cookie::set_for_canary(affinity, cookie)
        };
        get::set(&mut sides[side], &["headers"], giving(given));
    }
    rules
}

fn http_route(c: &Validated, conditions: &[Value], routes: &Value) -> Value {
    let service = &c.service;
    let rewrite: Map<String, Value> = ["uri", "authority"]
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), service.rewrite.as_ref()?.get(key)?.clone())))
        .filter(|(_, value)| !value.is_null() && value != "")
        .collect();
    route::given([
        ("match", json!(conditions)),
        ("rewrite", Value::Object(rewrite)),
        ("timeout", json!(service.timeout)),
        ("retries", json!(service.retries)),
        ("corsPolicy", json!(service.cors_policy)),
        ("headers", json!(service.headers)),
        ("route", routes.clone()),
    ])
}

fn tcp_route(c: &Validated, routes: &Value) -> Value {
    let ports = c.service.match_.iter().filter_map(|m| m["port"].as_i64()).filter(|port| *port > 0);
    let matches: Vec<Value> = ports.map(|port| json!({"port": port})).collect();
    if matches.is_empty() { json!({"route": routes}) } else { json!({"match": matches, "route": routes}) }
}

pub(super) fn gateways(c: &Validated) -> Vec<String> {
    let mut gateways = c.service.gateways.clone();
    let append = gateways.is_empty() || c.mesh_appended;
    if append && !gateways.iter().any(|gateway| gateway == MESH) {
        gateways.push(MESH.to_owned());
    }
    gateways
}

fn destination(host: &str) -> Value {
    json!({"host": host})
}

fn shares(c: &Validated, routes: &[Value]) -> Shares {
    let weight = |route: &Value| route["weight"].as_i64().unwrap_or(0);
    routes.iter().map(|route| (side(c, &route["destination"]["host"]), weight(route))).collect()
}

fn side(c: &Validated, host: &Value) -> Option<Side> {
    let host = host.as_str().unwrap_or_default();
    let both = [(&c.names.canary_service, Side::Canary), (&c.names.primary_service, Side::Primary)];
    both.into_iter().find(|(service, _)| is_host(c, host, service)).map(|(_, side)| side)
}
