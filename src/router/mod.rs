//! PURE. Traffic routers behind one trait: which objects they need, how a split is rendered and read back.
//!
//! Owns the registry by provider name. Does not watch, write or decide: `observe`, `apply` and `plan` do. To add one:
//! its file, a line in [`all`], a case for `conformance`, its snapshots.

mod always_never;
mod apisix;
mod bystanders;
mod contour;
mod cookie;
mod copy;
mod destination_handover;
mod eskip;
mod gateway_parents;
mod gateway_status;
mod gatewayapi;
mod gloo;
mod gloo_services;
mod gloo_upstreams;
mod httproute;
mod istio;
mod istio_conditions;
mod istio_hosts;
mod istio_ports;
mod istio_queries;
mod istio_takeover;
mod knative;
mod kubernetes;
mod kuma;
mod kuma_traffic_route;
mod linkerd;
mod named_ports;
mod nginx;
mod precedence;
mod queries;
mod route;
mod skipper;
mod skipper_paths;
mod skipper_weights;
mod split;
mod takeover;
mod traefik;
mod traits;
mod user_virtual_service;
mod virtual_service;

#[cfg(test)]
mod tests;

pub(crate) use bystanders::terms as bystander_terms;
pub(crate) use cookie::fresh as fresh_cookie;
pub(crate) use copy::named_routes;
pub(crate) use destination_handover::{announcing, remembering, renumbers};
pub(crate) use kubernetes::{Selected, percent, selected, shared};
pub(crate) use named_ports::{leads_to_port, may_name_port, names_port};
pub(crate) use queries::{Builtin, Counted};
pub use split::Split;
pub use traits::{Cookies, Handover, Router, Unaccepted};

use crate::spec::Validated;

/// Every router that is served.
pub fn all() -> &'static [&'static dyn Router] {
    &[
        &istio::Istio,
        &gatewayapi::V1,
        &gatewayapi::V1BETA1,
        &contour::Contour,
        &traefik::Traefik,
        &kubernetes::Kubernetes,
        &nginx::Nginx,
        &skipper::Skipper,
        &apisix::Apisix,
        &gloo::Gloo,
        &kuma::Kuma,
        &linkerd::Linkerd,
        &knative::Knative,
    ]
}

/// The router of a provider; None if it is not served.
pub fn by_name(provider: &str) -> Option<&'static dyn Router> {
    all().iter().find(|router| router.name() == provider).copied()
}

/// Groups of routing objects that Flagger writes beside the target, wherever the mesh is.
const BESIDE_TARGET: [&str; 2] = ["networking.k8s.io", "serving.knative.dev"];

/// The routing objects are those of a mesh or gateway, which may read another cluster.
pub(crate) fn of_mesh(router: &dyn Router) -> bool {
    router.kinds().iter().any(|kind| !BESIDE_TARGET.contains(&kind.group))
}

/// Fields of `spec.service` that only some routers support.
const PARTICULAR: [&str; 13] = [
    "timeout",
    "backendTimeout",
    "gateways",
    "gatewayRefs",
    "hosts",
    "delegation",
    "trafficPolicy",
    "match",
    "rewrite",
    "retries",
    "headers",
    "mirror",
    "corsPolicy",
];

/// Fields of the Canary that the router ignores: field paths, each with a short reason.
pub(crate) fn ignored(router: &dyn Router, c: &Validated) -> Vec<String> {
    let service = serde_json::json!(c.service);
    let asked = |field: &str| !service[field].is_null() && service[field] != false;
    let unknown = PARTICULAR.iter().filter(|f| asked(f) && !router.supported_fields().contains(f));
    unknown.map(|f| format!("spec.service.{f} is not looked at by the provider {}", router.name())).collect()
}

/// Whether the maintainers of a provider have retired it: valid to store, never served.
pub(crate) fn retired(provider: &str) -> bool {
    let name = provider.split(':').next().unwrap_or_default();
    matches!(name, "appmesh" | "smi" | "osm")
}
