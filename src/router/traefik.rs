//! Traefik: a TraefikService `<apex>` that splits by weight. The user's IngressRoute refers to it.
//!
//! Owns the weighted services; other fields, including stickiness, stay. A side without requests is not listed, so
//! between runs only the primary is.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    queries::{Builtin, builtin},
    route::{self, Place, ours, port},
    split::Split,
    takeover::Shape,
    traits::{Cookies, Router, RouterError},
};
use crate::{
    manifest::{Manifest, Undo, json as get},
    snapshot::{Kind, ObjectRef, Objects},
    spec::Validated,
};

pub(super) const TRAEFIK_SERVICE: Kind =
    Kind { group: "traefik.io", version: "v1alpha1", kind: "TraefikService", plural: "traefikservices" };
const OWNED: &[&str] = &["/spec/weighted/services"];

const QUERIES: Builtin = Builtin {
    needs: "Traefik has to be started with --metrics.prometheus, with addServicesLabels as by default, and Prometheus has to scrape it",
    ..builtin!(
            r#"service=~"{{ namespace }}-{{ side }}-[0-9]+@kubernetescrd""#,
            "traefik_service_request_duration_seconds_count" if r#"code!~"5..""#,
            p99 "traefik_service_request_duration_seconds_bucket" " * 1000"
    )
};

const SHAPE: Shape = Shape {
    rules: "/weighted",
    destinations: "/services",
    all: |weighted| get::list(&weighted["services"]).to_vec(),
    leading: None,
    destination: &["name", "namespace", "kind", "port", "weight"],
    elsewhere: |c, to| {
        let name = to["name"].as_str().unwrap_or_default();
        let namespace = to["namespace"].as_str().filter(|namespace| *namespace != c.namespace);
        let kind = to["kind"].as_str().filter(|kind| *kind != "Service");
        let at = namespace.map(|namespace| format!("{name} of namespace {namespace}"));
        at.or(kind.map(|kind| format!("{kind} {name}")))
            .or_else(|| ours(c, name))
            .or_else(|| port(c, name, &to["port"]))
    },
    requests: |_| vec![],
};

/// The router.
pub(super) struct Traefik;

impl Router for Traefik {
    fn name(&self) -> &'static str {
        "traefik"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[TRAEFIK_SERVICE]
    }

    fn settle(&self) -> Duration {
        Duration::from_secs(4)
    }

    fn unsupported(&self, c: &Validated) -> Vec<String> {
        let why = "a TraefikService splits by weight only: leave it out";
        route::cannot(c, &["match", "always", "never", "mirror", "sessionAffinity"], why)
    }

    fn reads(&self, c: &Validated) -> Vec<ObjectRef> {
        vec![place(c).at()]
    }

    fn takeover_conflict(&self, c: &Validated, theirs: &Value) -> Option<String> {
        let spec = &theirs["spec"];
        let other =
            spec.as_object().into_iter().flatten().map(|(kind, _)| kind).find(|kind| *kind != "weighted");
        let other = other.map(|kind| format!("it is of the kind {kind}, not weighted"));
        let lost = other.or_else(|| SHAPE.lost(c, spec, &weighted(&[])));
        lost.map(|lost| format!("{lost}: set spec.service.name to a free name"))
    }

    fn read_back(&self, c: &Validated, live: &Objects) -> Result<Split, RouterError> {
        let object = place(c).at();
        let Some(live) = live.at(&object) else {
            return Err(RouterError::NotFound(object));
        };
        let one = |service: &Value| {
            let name = service["name"].as_str().unwrap_or_default();
            (route::side(c, name), service["weight"].as_i64().unwrap_or(1))
        };
        let shares = get::list(&live["spec"]["weighted"]["services"]).iter().map(one).collect();
        route::split(c, object, &[shares], false)
    }

    fn render(
        &self,
        c: &Validated,
        live: &Objects,
        want: Split,
        _cookies: &Cookies,
    ) -> Result<Vec<Manifest>, RouterError> {
        let sides = [(&c.names.primary_service, want.primary()), (&c.names.canary_service, want.canary())];
        // without endpoints behind one of them, whatever its weight, Traefik has none of them
        let sides = sides.into_iter().filter(|(_, weight)| *weight > 0);
        let services: Vec<Value> = sides.map(|(name, weight)| service(c, name, weight)).collect();
        Ok(vec![place(c).manifest(c, live, &weighted(&services), &|_| plain(c))])
    }

    fn restore(&self, c: &Validated, live: &Objects) -> Vec<Undo> {
        let back = place(c).given_back(c, live, &|_| plain(c));
        back.map(Undo::Restore).into_iter().collect()
    }

    fn queries(&self) -> &'static Builtin {
        &QUERIES
    }
}

fn place(c: &Validated) -> Place<'_> {
    Place { kind: TRAEFIK_SERVICE, name: &c.names.apex, owned: OWNED, shape: Some(&SHAPE) }
}

/// Leads to the apex.
fn plain(c: &Validated) -> Value {
    weighted(&[service(c, &c.names.apex, 100)])
}

fn weighted(services: &[Value]) -> Value {
    json!({"weighted": {"services": services}})
}

fn service(c: &Validated, name: &str, weight: i32) -> Value {
    json!({"name": name, "namespace": c.namespace, "port": c.service.port, "weight": weight})
}
