//! All addresses. Pods get the addresses below 10.244.200.0, and no part uses one of those.
//!
//! The servers that the operator calls are not on loopback: by default it refuses such addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

pub(super) const ETCD: SocketAddr = at(LOOPBACK, 2379);
pub(super) const ETCD_PEER: SocketAddr = at(LOOPBACK, 2380);
pub(super) const APISERVER: SocketAddr = at(LOOPBACK, 6443);
pub(super) const ISTIOD_HTTP: SocketAddr = at(LOOPBACK, 18080);
pub(super) const ISTIOD_XDS: SocketAddr = at(LOOPBACK, 15010);
pub(super) const ISTIOD_MONITORING: SocketAddr = at(LOOPBACK, 15014);
/// As in `files/envoy.yaml`.
pub(super) const ENVOY_ADMIN: SocketAddr = at(LOOPBACK, 15000);
/// The address of the one node.
pub(super) const NODE_IP: Ipv4Addr = Ipv4Addr::new(10, 244, 255, 1);
pub(super) const PROMETHEUS: SocketAddr = at(Ipv4Addr::new(10, 244, 255, 2), 9090);
/// As in `files/prometheus.yml`.
pub(super) const SCRIPTED: SocketAddr = at(Ipv4Addr::new(10, 244, 255, 3), 9100);
pub(super) const GRAPHITE: SocketAddr = at(Ipv4Addr::new(10, 244, 255, 6), 8080);
pub(super) const GRAPHITE_RECEIVER: SocketAddr = at(Ipv4Addr::new(10, 244, 255, 6), 2003);
pub(super) const VICTORIA_METRICS: SocketAddr = at(Ipv4Addr::new(10, 244, 255, 7), 8428);
pub(super) const SPARSE_PROMETHEUS: SocketAddr = at(Ipv4Addr::new(10, 244, 255, 9), 9090);
pub(super) const KEDA: SocketAddr = at(LOOPBACK, 18081);
pub(super) const KEDA_METRICS: SocketAddr = at(LOOPBACK, 18082);
pub(super) const KEDA_GRPC: SocketAddr = at(LOOPBACK, 19666);
pub(super) const KEDA_ADAPTER: SocketAddr = at(LOOPBACK, 19443);
/// On all addresses, so one that no pod uses.
pub(super) const KEDA_ADAPTER_METRICS: u16 = 18083;
/// Where tests reach the operator, which listens on all addresses.
pub const OPERATOR_IP: Ipv4Addr = Ipv4Addr::new(10, 244, 255, 4);
/// The address at which clients reach the ingress gateway. It binds only this address, so that pods can use the port
/// too.
pub const GATEWAY: SocketAddr = at(Ipv4Addr::new(10, 244, 200, 9), 80);

/// The address at which the same Envoy serves Gateways of the Gateway API. It listens on all addresses, so on a port
/// that no pod uses.
pub(super) const MESH_GATEWAY: SocketAddr = at(Ipv4Addr::new(10, 244, 200, 9), 8888);
pub(super) const CONTOUR_GATEWAY: SocketAddr = at(Ipv4Addr::new(10, 244, 200, 10), 8080);
pub(super) const CONTOUR_XDS: SocketAddr = at(LOOPBACK, 8001);
pub(super) const CONTOUR_HEALTH: SocketAddr = at(LOOPBACK, 8000);
pub(super) const CONTOUR_DEBUG: SocketAddr = at(LOOPBACK, 6060);
/// As in `files/prometheus.yml`.
pub(super) const CONTOUR_ENVOY: SocketAddr = at(LOOPBACK, 8002);
pub(super) const TRAEFIK_GATEWAY: SocketAddr = at(Ipv4Addr::new(10, 244, 200, 11), 80);
/// As in `files/prometheus.yml`.
pub(super) const TRAEFIK_ADMIN: SocketAddr = at(LOOPBACK, 8090);
pub(super) const KUBE_PROXY_HEALTH: SocketAddr = at(LOOPBACK, 10256);
pub(super) const KUBE_PROXY_METRICS: SocketAddr = at(LOOPBACK, 10249);
pub(super) const SKIPPER_GATEWAY: SocketAddr = at(Ipv4Addr::new(10, 244, 200, 12), 80);
/// The API server without TLS. Skipper uses plain HTTP only for its own cluster.
pub(super) const SKIPPER_API: SocketAddr = at(LOOPBACK, 8901);
/// As in `files/prometheus.yml`.
pub(super) const SKIPPER_SUPPORT: SocketAddr = at(LOOPBACK, 9911);
pub(super) const GLOO_GATEWAY: SocketAddr = at(Ipv4Addr::new(10, 244, 200, 13), 80);
/// Gloo's default, on all addresses.
pub(super) const GLOO_HEALTH: SocketAddr = at(LOOPBACK, 8765);
/// As in `files/gloo-envoy.yaml`.
pub(super) const GLOO_XDS: SocketAddr = at(LOOPBACK, 9977);
pub(super) const GLOO_REST_XDS: SocketAddr = at(LOOPBACK, 9976);
pub(super) const GLOO_VALIDATION: SocketAddr = at(LOOPBACK, 9988);
pub(super) const GLOO_PROXY_DEBUG: SocketAddr = at(LOOPBACK, 9966);
/// As in `files/gloo-envoy.yaml` and `files/prometheus.yml`.
pub(super) const GLOO_ENVOY: SocketAddr = at(LOOPBACK, 8905);
/// Listens on all addresses, so on a port that no pod uses. The same holds for Envoy Gateway's own 8081, 18000, 18002
/// and 19001.
pub(super) const ENVOY_GATEWAY: SocketAddr = at(Ipv4Addr::new(10, 244, 200, 14), 8889);
/// Envoy Gateway's default.
pub(super) const ENVOY_GATEWAY_HEALTH: SocketAddr = at(LOOPBACK, 8081);
/// As in `files/envoy-gateway-envoy.yaml`.
pub(super) const ENVOY_GATEWAY_ENVOY: SocketAddr = at(LOOPBACK, 8904);

const fn at(ip: Ipv4Addr, port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(ip), port)
}

/// The node of all pods that name no node.
pub(crate) const NODE: &str = "n1";
/// All nodes.
pub(crate) const NODES: [&str; 2] = [NODE, "n2"];
