mod apisix;
mod bystanders;
mod cases;
mod conformance;
mod contour;
mod destination_handover;
mod forged;
mod fuzz;
mod gatewayapi;
mod gloo;
mod istio;
mod knative;
mod kubernetes;
mod kuma;
mod linkerd;
mod moved;
mod nginx;
mod policies;
mod registry;
mod skipper;
mod tracking;
mod traefik;
mod user_virtual_service;

use serde_json::Value;

/// Compares what a router renders with its snapshot.
fn snapshot(name: &str, value: &Value) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_yaml_snapshot!(name, value));
}
