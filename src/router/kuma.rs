//! Kuma: a TrafficRoute `<apex>` that splits by weight between the Services of both sides. It belongs to no namespace, so
//! two Canaries of one apex name want the same one: the mark on it names the namespace, and `plan` refuses the second.
//!
//! Owns mesh, sources, destinations and where they lead; other fields, the load balancer too, stay.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    queries::{Builtin, builtin},
    route::{self, Place, Side},
    split::Split,
    traits::{Cookies, Router, RouterError},
};
use crate::{
    manifest::{Manifest, Undo, adopted, annotation, json as get},
    names,
    snapshot::{Kind, ObjectRef, Objects},
    spec::Validated,
};

pub(super) const TRAFFIC_ROUTE: Kind =
    Kind { group: "kuma.io", version: "v1alpha1", kind: "TrafficRoute", plural: "trafficroutes" };
const OWNED: &[&str] = &[
    "/mesh",
    "/spec/sources",
    "/spec/destinations",
    "/spec/conf/split",
    "/spec/conf/destination",
    "/spec/conf/http",
];
/// The tag by which Kuma names a Service.
pub(super) const SERVICE: &str = "kuma.io/service";

const QUERIES: Builtin = Builtin {
    needs: "Kuma's proxies show their metrics where a MeshMetric, or the Mesh itself, says so, and Prometheus has to find them by Kuma's service discovery",
    ..builtin!(
            r#"service=~"{{ service }}-canary_{{ namespace }}_svc_[0-9a-zA-Z-]+""#,
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
        &[TRAFFIC_ROUTE]
    }

    fn settle(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn supported_fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn unsupported(&self, c: &Validated) -> Vec<String> {
        let why = "a TrafficRoute is split by weight only: leave it out";
        route::cannot(c, &["match", "always", "never", "mirror", "sessionAffinity"], why)
    }

    fn reads(&self, c: &Validated) -> Vec<ObjectRef> {
        vec![place(c).at()]
    }

    fn takeover_conflict(&self, c: &Validated, theirs: &Value) -> Option<String> {
        let mesh = theirs["mesh"].as_str().unwrap_or("default");
        if mesh != c.mesh {
            return Some(format!("annotate the Canary with {}: {mesh}", names::KUMA_MESH));
        }
        let ours = service(c, &c.names.apex);
        let leads = get::list(&theirs["spec"]["destinations"]).iter().map(|to| tag(&to["match"]));
        if let Some(other) = leads.into_iter().find(|led| *led != ours) {
            return Some(format!("it is for {other}, not {ours}: set spec.service.name to a free name"));
        }
        let conf = &theirs["spec"]["conf"];
        let split = get::list(&conf["split"]).iter().filter(|one| one["weight"] != 0);
        let to = split.map(|one| tag(&one["destination"])).chain([tag(&conf["destination"])]);
        let names = [&c.names.apex, &c.names.primary_service, &c.names.canary_service];
        let here = |to: &str| to.is_empty() || names.iter().any(|name| to == service(c, name));
        if let Some(other) = to.into_iter().find(|to| !here(to)) {
            return Some(format!("it leads to {other}: set spec.service.name to a free name"));
        }
        let rules = !get::list(&theirs["spec"]["conf"]["http"]).is_empty();
        rules.then(|| "it has rules in spec.conf.http: set spec.service.name to a free name".to_owned())
    }

    fn read_back(&self, c: &Validated, live: &Objects) -> Result<Split, RouterError> {
        let object = place(c).at();
        let Some(live) = live.at(&object) else {
            return Err(RouterError::NotFound(object));
        };
        route::split(c, object, &[shares(c, live)], false)
    }

    fn auxiliary_objects(&self, _c: &Validated) -> Vec<Manifest> {
        vec![]
    }

    fn render(
        &self,
        c: &Validated,
        live: &Objects,
        want: Split,
        _cookies: &Cookies,
    ) -> Result<Vec<Manifest>, RouterError> {
        let to = |name: &str, weight: i32| json!({"weight": weight, "destination": tags(c, name)});
        let split =
            [to(&c.names.primary_service, want.primary()), to(&c.names.canary_service, want.canary())];
        let made = place(c).manifest(c, &known(c, live), &spec(c, &json!({"split": split})));
        Ok(vec![in_mesh(c, made)])
    }

    fn restore(&self, c: &Validated, live: &Objects) -> Vec<Undo> {
        let live = known(c, live);
        let plain = spec(c, &json!({"destination": tags(c, &c.names.apex)}));
        let back = place(c).given_back(c, &live, &plain);
        let theirs = live.at(&place(c).at()).is_some_and(adopted);
        let back = back.map(|back| if theirs { back } else { in_mesh(c, back) });
        back.map(Undo::Restore).into_iter().collect()
    }

    fn queries(&self) -> &'static Builtin {
        &QUERIES
    }
}

fn place(c: &Validated) -> Place<'_> {
    Place { kind: TRAFFIC_ROUTE, name: &c.names.apex, owned: OWNED, shape: None }
}

/// The mesh stands beside the spec.
fn in_mesh(c: &Validated, mut route: Manifest) -> Manifest {
    get::set(&mut route.body, &["mesh"], json!(c.mesh));
    route
}

fn spec(c: &Validated, conf: &Value) -> Value {
    json!({
        "sources": [{"match": {SERVICE: "*"}}],
        "destinations": [{"match": tags(c, &c.names.apex)}],
        "conf": conf,
    })
}

/// Kuma's name of a port of a Service.
fn service(c: &Validated, name: &str) -> String {
    format!("{}{}", of_any_port(c, name), c.service.port)
}

fn of_any_port(c: &Validated, name: &str) -> String {
    format!("{name}_{}_svc_", c.namespace)
}

fn tags(c: &Validated, name: &str) -> Value {
    json!({SERVICE: service(c, name)})
}

fn tag(tags: &Value) -> &str {
    tags[SERVICE].as_str().unwrap_or_default()
}

/// Where the route leads: by weight, or all to one destination.
fn shares(c: &Validated, live: &Value) -> route::Shares {
    let side = |to: &Value| {
        let is = |name: &str| tag(to).starts_with(&of_any_port(c, name));
        let primary = is(&c.names.primary_service).then_some(Side::Primary);
        primary.or(is(&c.names.canary_service).then_some(Side::Canary))
    };
    let conf = &live["spec"]["conf"];
    let split = get::list(&conf["split"]).iter();
    let split: route::Shares =
        split.map(|one| (side(&one["destination"]), one["weight"].as_i64().unwrap_or(0))).collect();
    if split.is_empty() { vec![(side(&conf["destination"]), 100)] } else { split }
}

/// The live route as far as it is this Canary's. One of another namespace is none; one that Flagger made bears no mark
/// and is known by where it leads: it is ours, not somebody's to be put back.
fn known(c: &Validated, live: &Objects) -> Objects {
    let mut known = Objects::default();
    let Some(route) = live.at(&place(c).at()) else { return known };
    let namespace = annotation(route, names::ANNOTATION_NAMESPACE);
    if namespace.is_some_and(|namespace| namespace != c.namespace) {
        return known;
    }
    let mut route = route.clone();
    if namespace.is_none() && shares(c, &route).iter().any(|(side, _)| side.is_some()) {
        get::set(
            &mut route,
            &["metadata", "labels", names::LABEL_CANARY],
            json!(names::label_value(&c.name)),
        );
    }
    known.insert(TRAFFIC_ROUTE, route);
    known
}
