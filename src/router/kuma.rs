//! Kuma: a MeshHTTPRoute `<apex>` that splits by weight between the Services of both sides, for all callers in the mesh.
//! In a mesh that runs on TrafficRoutes, one of those instead: `kuma_traffic_route`.
//!
//! Owns whom the route applies to and the destinations of its rule; other fields stay.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    kuma_traffic_route::{self as traffic_route, TRAFFIC_ROUTE, of_any_port, service},
    queries::{Builtin, builtin},
    route::{self, Place, Shares, side},
    split::Split,
    traits::{Cookies, Router, RouterError, is_host_of},
};
use crate::{
    manifest::{Manifest, Undo, json as get, labels, made_for},
    names,
    snapshot::{Kind, ObjectRef, Objects},
    spec::Validated,
};

pub(super) const MESH_HTTP_ROUTE: Kind =
    Kind { group: "kuma.io", version: "v1alpha1", kind: "MeshHTTPRoute", plural: "meshhttproutes" };
const OWNED: &[&str] = &["/spec/targetRef", "/spec/to"];
/// The label, and on a Canary the annotation, that names the mesh.
const MESH: &str = names::KUMA_MESH;

/// A pod's proxy also counts the scrapes of its metrics and the probes of itself, in clusters of its own, and its calls to
/// the control plane and to collectors of logs and traces.
const QUERIES: Builtin = Builtin {
    needs: "Kuma's proxies show their metrics where a MeshMetric, or the Mesh itself, says so, and Prometheus has to find them by Kuma's service discovery",
    unseen: "requests do not reach its pods, which their own proxies cannot count",
    ..builtin!(
        r#"service=~"{{ side }}_{{ namespace }}_svc_[0-9a-zA-Z-]+",envoy_cluster_name!~"kuma_(envoy_admin|metrics_hijacker|readiness)|(_|system_|meshtrace_|tracing_).*|ads_cluster|access_log_sink""#,
        "envoy_cluster_upstream_rq" if r#"envoy_response_code!~"5.*""#,
        p99 "envoy_cluster_upstream_rq_time_bucket" ""
    )
};

/// The router.
pub(super) struct Kuma;

impl Router for Kuma {
    fn name(&self) -> &'static str {
        "kuma"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[MESH_HTTP_ROUTE]
    }

    /// Removed in Kuma 3.
    fn optional_kinds(&self) -> &'static [Kind] {
        &[TRAFFIC_ROUTE]
    }

    fn settle(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn unsupported(&self, c: &Validated) -> Vec<String> {
        let why = "the routes of Kuma are made to split by weight only: leave it out";
        route::cannot(c, &["match", "always", "never", "mirror", "sessionAffinity"], why)
    }

    fn reads(&self, c: &Validated) -> Vec<ObjectRef> {
        vec![place(c).at(), traffic_route::place(c).at()]
    }

    fn route(&self, c: &Validated, live: &Objects) -> Option<ObjectRef> {
        let place = if by_traffic_route(c, live) { traffic_route::place(c) } else { place(c) };
        Some(place.at())
    }

    fn claims(&self, c: &Validated, live: &Objects) -> Vec<ObjectRef> {
        self.route(c, live).into_iter().collect()
    }

    fn leftovers(&self, c: &Validated, live: &Objects) -> Vec<Undo> {
        let led = !by_traffic_route(c, live) && live.at(&place(c).at()).is_some();
        traffic_route::leftover(c, live).filter(|_| led).into_iter().collect()
    }

    fn advice(&self, c: &Validated, live: &Objects) -> Vec<String> {
        let one = |name: &str| {
            format!(
                "TrafficRoute {name}: while there is one in mesh {} and none for all Services, callers of Services without one lose their requests: kubectl delete trafficroute {name}, or make one whose sources and destinations are kuma.io/service: \"*\"",
                c.mesh
            )
        };
        traffic_route::harmful(c, live).into_iter().map(one).collect()
    }

    fn takeover_conflict(&self, c: &Validated, theirs: &Value) -> Option<String> {
        if theirs["kind"] == TRAFFIC_ROUTE.kind {
            return traffic_route::takeover_conflict(c, theirs);
        }
        let mesh = labels(theirs).remove(MESH).unwrap_or_else(|| "default".into());
        if mesh != c.mesh {
            return Some(format!("annotate the Canary with {MESH}: {mesh}"));
        }
        let lost = lost(c, &theirs["spec"])?;
        Some(format!("{lost}: set spec.service.name to a free name"))
    }

    fn leads_to(&self, c: &Validated, service: &str, text: &str) -> bool {
        is_host_of(service, text) || text.starts_with(&of_any_port(c, service))
    }

    fn read_back(&self, c: &Validated, live: &Objects) -> Result<Split, RouterError> {
        let object = place(c).at();
        let Some(route) = live.at(&object) else {
            return traffic_route::read_back(c, live).ok_or(RouterError::NotFound(object));
        };
        let shares: Vec<Shares> = rules(&route["spec"]).map(|rule| shares(c, rule)).collect();
        route::split(c, object, &shares, false)
    }

    fn render(
        &self,
        c: &Validated,
        live: &Objects,
        want: Split,
        _cookies: &Cookies,
    ) -> Result<Vec<Manifest>, RouterError> {
        if by_traffic_route(c, live) {
            return Ok(vec![traffic_route::render(c, live, want)]);
        }
        let sides = [
            backend(c, &c.names.primary_service, want.primary()),
            backend(c, &c.names.canary_service, want.canary()),
        ];
        Ok(vec![in_mesh(c, place(c).manifest(c, live, &spec(c, &sides), &|_| plain(c)))])
    }

    /// A created route points to the apex first, so that it can be deleted once the proxies have seen that.
    fn restore(&self, c: &Validated, live: &Objects) -> Vec<Undo> {
        let at = place(c).at();
        let mut back = place(c).given_back(c, live, &|_| plain(c));
        if let Some(back) = &mut back {
            // it was taken over while it pointed to the sides, which are about to be deleted
            let sides = |rule: &Value| shares(c, rule).iter().any(|(side, _)| side.is_some());
            if rules(&back.body["spec"]).any(sides) {
                get::set(&mut back.body, &["spec"], plain(c));
            }
        }
        let made = live.at(&at).is_some_and(|route| made_for(route, &c.name));
        if let Some(back) = back.as_mut().filter(|_| made) {
            // it keeps its identifying mark until it is deleted
            back.body["metadata"]["labels"][names::LABEL_CANARY] = json!(names::label_value(&c.name));
        }
        let mut undo: Vec<Undo> = back.map(Undo::Restore).into_iter().collect();
        if made {
            undo.push(Undo::Delete(at));
        }
        undo.extend(traffic_route::restore(c, live));
        undo
    }

    fn queries(&self) -> &'static Builtin {
        &QUERIES
    }
}

/// The mesh runs on TrafficRoutes, and there is no MeshHTTPRoute, which would take precedence.
fn by_traffic_route(c: &Validated, live: &Objects) -> bool {
    live.at(&place(c).at()).is_none() && traffic_route::in_force(c, live)
}

fn place(c: &Validated) -> Place<'_> {
    Place { kind: MESH_HTTP_ROUTE, name: &c.names.apex, owned: OWNED, shape: None }
}

/// Leads to the apex.
fn plain(c: &Validated) -> Value {
    spec(c, &[backend(c, &c.names.apex, 100)])
}

/// Created objects name their mesh.
fn in_mesh(c: &Validated, mut route: Manifest) -> Manifest {
    if !route.body["metadata"]["labels"].is_null() {
        get::set(&mut route.body, &["metadata", "labels", MESH], json!(c.mesh));
    }
    route
}

fn spec(c: &Validated, backends: &[Value]) -> Value {
    let all = json!([{"path": {"type": "PathPrefix", "value": "/"}}]);
    json!({
        "targetRef": {"kind": "Mesh"},
        "to": [{
            "targetRef": {"kind": "MeshService", "name": service(c, &c.names.apex)},
            "rules": [{"matches": all, "default": {"backendRefs": backends}}],
        }],
    })
}

fn backend(c: &Validated, name: &str, weight: i32) -> Value {
    json!({"kind": "MeshService", "name": service(c, name), "weight": weight})
}

fn rules(spec: &Value) -> impl Iterator<Item = &Value> {
    get::list(&spec["to"]).iter().flat_map(|to| get::list(&to["rules"]))
}

fn shares(c: &Validated, rule: &Value) -> Shares {
    let one = |to: &Value| {
        let name = to["name"].as_str().unwrap_or_default();
        let of = name.split_once(&of_any_port(c, "")).map(|(of, _)| of);
        (of.and_then(|of| side(c, of)), to["weight"].as_i64().unwrap_or(1))
    };
    get::list(&rule["default"]["backendRefs"]).iter().map(one).collect()
}

/// What users of an existing route would lose.
fn lost(c: &Validated, theirs: &Value) -> Option<String> {
    let whose = &theirs["targetRef"];
    if !whose.is_null() && *whose != json!({"kind": "Mesh"}) {
        return Some("it is for some callers only (spec.targetRef)".into());
    }
    let apex = service(c, &c.names.apex);
    let mut others = get::list(&theirs["to"]).iter().map(|to| &to["targetRef"]);
    if let Some(other) = others.clone().find(|to| to["name"] != apex.as_str()) {
        return Some(format!("it is for {} too, not {apex} alone", other["name"]));
    }
    if let Some(some) = others.find_map(part) {
        return Some(format!("it is for {some}, not all of it"));
    }
    for rule in rules(theirs) {
        let path = &rule["matches"][0];
        let all = json!({"path": {"type": "PathPrefix", "value": "/"}});
        if !path.is_null() && (*path != all || get::list(&rule["matches"]).len() > 1) {
            return Some(format!("it has a rule of its own for {}", rule["matches"]));
        }
        if !get::list(&rule["default"]["filters"]).is_empty() {
            return Some("it has filters".into());
        }
        let names = [&c.names.apex, &c.names.primary_service, &c.names.canary_service];
        let here = |to: &&Value| names.iter().any(|name| to["name"] == service(c, name).as_str());
        let mut leads = get::list(&rule["default"]["backendRefs"]).iter().filter(|to| to["weight"] != 0);
        if let Some(other) = leads.clone().find(|to| !here(to)) {
            return Some(format!("it leads to {}", other["name"]));
        }
        if let Some(some) = leads.find_map(part) {
            return Some(format!("it leads to {some}"));
        }
    }
    None
}

/// A reference to some pods or a port of a Service, in words; None: to all of it.
fn part(to: &Value) -> Option<String> {
    let said = |field: &str| Some(&to[field]).filter(|value| !value.is_null() && **value != json!({}));
    let kind = to["kind"].as_str().filter(|kind| *kind != "MeshService");
    let mut fields = ["tags", "labels", "sectionName", "namespace"].into_iter();
    let field = fields.find_map(|field| Some(format!("{field} {}", said(field)?)));
    let what = field.or_else(|| kind.map(|kind| format!("kind {kind}")))?;
    Some(format!("{} by {what}", to["name"]))
}
