//! The ways of requests: the objects in front of the users' Service before there is a Canary, and the corresponding
//! fields of the Canary.

use std::net::SocketAddr;

use anyhow::Context;
use k8s_openapi::api::core::v1::Service;
use kube::Api;
use serde_json::{Value, json};
use serin_bed::{Gloo, Skipper, load::Target, proxies::Door, story::Story};

/// One way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// HTTPProxy of Contour.
    Contour,
    /// TraefikService of Traefik.
    Traefik,
    /// HTTPRoute with a Gateway of Contour or istiod.
    Gateway(Door),
    /// The same with the older version of the API, of Contour.
    Beta,
    /// VirtualService of istiod.
    Istio,
    /// Only Services, with kube-proxy.
    Services,
    /// Ingress of Skipper.
    Skipper,
    /// RouteTable of Gloo.
    Gloo,
}

impl Way {
    pub(crate) fn provider(self) -> &'static str {
        match self {
            Self::Contour => "contour",
            Self::Traefik => "traefik",
            Self::Gateway(_) => "gatewayapi:v1",
            Self::Beta => "gatewayapi:v1beta1",
            Self::Istio => "istio",
            Self::Services => "kubernetes",
            Self::Skipper => "skipper",
            Self::Gloo => "gloo",
        }
    }

    /// The objects that route users to the Service `app`: the routing object named `app` first, if there is one.
    pub(crate) fn objects(self, host: &str) -> Vec<Value> {
        match self {
            Self::Contour => vec![
                route(
                    "projectcontour.io/v1",
                    "HTTPProxy",
                    "app",
                    json!({"routes": [{"conditions": [{"prefix": "/"}], "services": [{"name": "app", "port": 80}]}]}),
                ),
                route(
                    "projectcontour.io/v1",
                    "HTTPProxy",
                    "root",
                    json!({"virtualhost": {"fqdn": host}, "includes": [{"name": "app"}]}),
                ),
            ],
            Self::Traefik => vec![
                route(
                    "traefik.io/v1alpha1",
                    "TraefikService",
                    "app",
                    json!({"weighted": {"services": [{"name": "app", "port": 80, "weight": 1}]}}),
                ),
                route(
                    "traefik.io/v1alpha1",
                    "IngressRoute",
                    "root",
                    json!({"entryPoints": ["web"], "routes": [{
                        "kind": "Rule", "match": format!("Host(`{host}`)"),
                        "services": [{"kind": "TraefikService", "name": "app"}],
                    }]}),
                ),
            ],
            Self::Beta => Self::Gateway(Door::Contour).objects(host),
            Self::Gateway(door) => vec![route(
                "gateway.networking.k8s.io/v1",
                "HTTPRoute",
                "app",
                json!({
                    "parentRefs": [door.gateway()], "hostnames": [host],
                    "rules": [{"backendRefs": [{"name": "app", "port": 80}]}],
                }),
            )],
            Self::Istio => vec![route(
                "networking.istio.io/v1",
                "VirtualService",
                "app",
                json!({
                    "gateways": ["gateway"], "hosts": [host],
                    "http": [{"route": [{"destination": {"host": "app"}}]}],
                }),
            )],
            Self::Services => vec![],
            Self::Skipper => vec![ingress("app", &json!({}), &[(host, &[("/", &["app"])])])],
            Self::Gloo => tables(host),
        }
    }

    /// The Canary's fields for its route.
    pub(crate) fn service(self, host: &str) -> Value {
        let mut service = json!({"port": 80, "targetPort": 8080, "portName": "http"});
        match self {
            Self::Contour | Self::Traefik | Self::Services | Self::Skipper | Self::Gloo => {}
            Self::Beta => return Self::Gateway(Door::Contour).service(host),
            Self::Gateway(door) => {
                service["gatewayRefs"] = json!([door.gateway()]);
                service["hosts"] = json!([host]);
            }
            Self::Istio => {
                service["gateways"] = json!(["gateway"]);
                service["hosts"] = json!([host]);
                service["retries"] = json!({"attempts": 0});
            }
        }
        service
    }

    /// The user's own object that the Canary must name.
    pub(crate) fn reference(self) -> Value {
        match self {
            Self::Skipper => {
                json!({"ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "app"}})
            }
            _ => json!({}),
        }
    }

    /// The target of users' requests. kube-proxy selects a pod once per connection.
    pub(crate) async fn target(self, story: &Story<'_>) -> anyhow::Result<Target> {
        let host = story.host("app");
        Ok(match self {
            Self::Contour | Self::Beta => Target::at(Door::Contour.address(), &host),
            Self::Traefik => Target::at(Door::Traefik.address(), &host),
            Self::Gateway(door) => Target::at(door.address(), &host),
            Self::Istio => Target::gateway(&host),
            Self::Services => through(story, "app").await?,
            Self::Skipper => Target::at(Skipper::ADDRESS, &host),
            Self::Gloo => Target::at(Gloo::ADDRESS, &host),
        })
    }
}

/// The namespace in the name of a host: `app.<namespace>.example.com`.
pub(crate) fn namespace_of(host: &str) -> &str {
    host.split('.').nth(1).unwrap_or_default()
}

/// All requests of a Gloo route to this Service.
pub(crate) fn to_service(host: &str, service: &str) -> Value {
    json!({"single": {"kube": {"ref": {"name": service, "namespace": namespace_of(host)}, "port": 80}}})
}

/// A route table of Gloo, and the virtual service that delegates to it.
fn tables(host: &str) -> Vec<Value> {
    let table = json!({"ref": {"name": "app", "namespace": namespace_of(host)}});
    let every = json!([{"prefix": "/"}]);
    vec![
        route(
            "gateway.solo.io/v1",
            "RouteTable",
            "app",
            json!({"routes": [{"matchers": every, "routeAction": to_service(host, "app")}]}),
        ),
        route(
            "gateway.solo.io/v1",
            "VirtualService",
            "root",
            json!({"virtualHost": {
                "domains": [host], "routes": [{"matchers": every, "delegateAction": table}],
            }}),
        ),
    ]
}

/// A route with this name.
pub(crate) fn route(api: &str, kind: &str, name: &str, spec: Value) -> Value {
    let mut object = json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}});
    object["spec"] = spec;
    object
}

/// The paths of a host, each with its Services.
pub(crate) type Paths<'a> = &'a [(&'a str, &'a [&'a str])];

/// An Ingress with these annotations, and with paths by host.
pub(crate) fn ingress(name: &str, annotations: &Value, hosts: &[(&str, Paths<'_>)]) -> Value {
    let rule = |(host, paths): &(&str, Paths<'_>)| {
        let path = |path: &str, service: &str| {
            json!({"path": path, "pathType": "Prefix",
                "backend": {"service": {"name": service, "port": {"number": 80}}}})
        };
        let all = paths.iter().flat_map(|(at, services)| services.iter().map(|to| path(at, to)));
        json!({"host": host, "http": {"paths": all.collect::<Vec<_>>()}})
    };
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"rules": hosts.iter().map(rule).collect::<Vec<_>>()},
    })
}

/// `GET /` of a Service at its own address, with a new connection each time.
pub(crate) async fn through(story: &Story<'_>, service: &str) -> anyhow::Result<Target> {
    let api: Api<Service> = story.api();
    let ip =
        api.get(service).await?.spec.and_then(|s| s.cluster_ip).context("a Service without an address")?;
    let address = SocketAddr::new(ip.parse()?, 80);
    Ok(Target::at(address, service).fresh_connections())
}
