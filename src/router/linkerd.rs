//! Linkerd with SMI: a TrafficSplit `<apex>`. Current versions of Linkerd use `gatewayapi:v1` with a Service as parent
//! instead.
//!
//! Owns root Service and backends; other fields stay.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    queries::{Builtin, builtin},
    route::{self, Place, ours},
    split::Split,
    takeover::Shape,
    traits::{Cookies, Router, RouterError},
};
use crate::{
    manifest::{Manifest, Undo, json as get},
    snapshot::{Kind, ObjectRef, Objects},
    spec::Validated,
};

const TRAFFIC_SPLIT: Kind =
    Kind { group: "split.smi-spec.io", version: "v1alpha1", kind: "TrafficSplit", plural: "trafficsplits" };
const OWNED: &[&str] = &["/spec/service", "/spec/backends"];

/// A pod's proxy also counts requests to its own port: the scrapes of its metrics and the kubelet's probes of it. It names
/// the route of those probes of the application that it knows. Series without these labels count.
const QUERIES: Builtin = Builtin {
    needs: "the Prometheus that is asked has to scrape Linkerd's proxies, as that of linkerd-viz does",
    unseen: "requests do not reach its pods, which their own proxies cannot count",
    ..builtin!(
            r#"namespace="{{ namespace }}",{{ workload }}=~"{{ target }}",direction="inbound",target_addr!~".+:4191",route_name!="probe""#,
            "response_total" if r#"classification!="failure""#,
            p99 "response_latency_ms_bucket" ""
    )
};

const SHAPE: Shape = Shape {
    rules: "",
    destinations: "/backends",
    all: |spec| get::list(&spec["backends"]).to_vec(),
    leading: None,
    destination: &["service", "weight"],
    elsewhere: |c, to| ours(c, to["service"].as_str().unwrap_or_default()),
    requests: |_| vec![],
};

/// The router.
pub(super) struct Linkerd;

impl Router for Linkerd {
    fn name(&self) -> &'static str {
        "linkerd"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[TRAFFIC_SPLIT]
    }

    fn settle(&self) -> Duration {
        Duration::from_secs(3)
    }

    fn supported_fields(&self) -> &'static [&'static str] {
        &["hosts"]
    }

    fn unsupported(&self, c: &Validated) -> Vec<String> {
        let why = "a TrafficSplit splits by weight only: leave it out, or set spec.provider to gatewayapi:v1";
        let mut refused = route::cannot(c, &["match", "always", "never", "mirror", "sessionAffinity"], why);
        if let Some(host) = c.service.hosts.first().filter(|host| root(c).is_none() && !host.is_empty()) {
            let (apex, namespace) = (&c.names.apex, &c.namespace);
            refused.push(format!(
                "spec.service.hosts: a TrafficSplit is of a Service of its namespace, and {host} is none, so no traffic would move: leave it out for Service {apex}, or name it as {apex} or {apex}.{namespace}.svc.cluster.local"
            ));
        }
        refused
    }

    fn reads(&self, c: &Validated) -> Vec<ObjectRef> {
        vec![place(c).at()]
    }

    fn takeover_conflict(&self, c: &Validated, theirs: &Value) -> Option<String> {
        let ours = spec(c, &[]);
        let (named, root) = (&ours["service"], &theirs["spec"]["service"]);
        if root != named {
            return Some(format!("it is for {root}, not {named}: name that in spec.service.hosts"));
        }
        let lost = SHAPE.lost(c, &theirs["spec"], &ours);
        lost.map(|lost| format!("{lost}: set spec.service.name to a free name"))
    }

    fn read_back(&self, c: &Validated, live: &Objects) -> Result<Split, RouterError> {
        let object = place(c).at();
        let Some(live) = live.at(&object) else {
            return Err(RouterError::NotFound(object));
        };
        let weight = |w: &Value| w.as_i64().or_else(|| w.as_str()?.parse().ok()).unwrap_or(0);
        let one = |backend: &Value| {
            let name = backend["service"].as_str().unwrap_or_default();
            (route::side(c, name), weight(&backend["weight"]))
        };
        let shares = get::list(&live["spec"]["backends"]).iter().map(one).collect();
        route::split(c, object, &[shares], false)
    }

    fn render(
        &self,
        c: &Validated,
        live: &Objects,
        want: Split,
        _cookies: &Cookies,
    ) -> Result<Vec<Manifest>, RouterError> {
        let backends = [
            backend(&c.names.canary_service, want.canary()),
            backend(&c.names.primary_service, want.primary()),
        ];
        Ok(vec![place(c).manifest(c, live, &spec(c, &backends), &|_| plain(c))])
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
    Place { kind: TRAFFIC_SPLIT, name: &c.names.apex, owned: OWNED, shape: Some(&SHAPE) }
}

/// Leads to the apex.
fn plain(c: &Validated) -> Value {
    spec(c, &[backend(&c.names.apex, 100)])
}

fn spec(c: &Validated, backends: &[Value]) -> Value {
    let root = root(c).or_else(|| c.service.hosts.first().map(String::as_str)).unwrap_or(&c.names.apex);
    json!({"service": root, "backends": backends})
}

/// The Service whose callers are moved. None: the named host cannot be a Service of this namespace.
fn root(c: &Validated) -> Option<&str> {
    let Some(host) = c.service.hosts.first().filter(|host| !host.is_empty()) else {
        return Some(&c.names.apex);
    };
    let (name, rest) = host.split_once('.').unwrap_or((host, ""));
    let here =
        ["", &c.namespace, &format!("{}.svc", c.namespace), &format!("{}.svc.cluster.local", c.namespace)];
    here.contains(&rest).then_some(name)
}

/// Weights are quantities in this version of the API.
fn backend(service: &str, weight: i32) -> Value {
    json!({"service": service, "weight": weight.to_string()})
}
