//! PURE. Common code for VirtualServices, regardless of their owner.

use crate::{snapshot::Kind, spec::Validated};

pub(super) const GROUP: &str = "networking.istio.io";
pub(super) const VIRTUAL_SERVICE: Kind =
    Kind { group: GROUP, version: "v1beta1", kind: "VirtualService", plural: "virtualservices" };

pub(super) fn is_tcp(c: &Validated) -> bool {
    c.service.app_protocol.as_deref().is_some_and(|p| p.eq_ignore_ascii_case("tcp"))
}

/// Short, namespaced or full name of a Service.
pub(super) fn is_host(c: &Validated, host: &str, service: &str) -> bool {
    let Some(rest) = host.strip_prefix(service) else { return false };
    let Some(rest) = rest.strip_prefix('.') else { return rest.is_empty() };
    let Some(rest) = rest.strip_prefix(c.namespace.as_str()) else { return false };
    rest.is_empty() || rest.starts_with(".svc")
}
