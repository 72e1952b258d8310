//! The test bed of Serin: real parts as local processes, and what stories need around them.
//!
//! - [`bed`]: etcd, kube-apiserver, kube-controller-manager, istiod, Envoy and Prometheus in a network namespace, with
//!   a test [`kubelet`] that starts a real HTTP backend for each pod. Each part has a module: [`proxies`], [`scripted`],
//!   and some that only the bed itself uses.
//! - [`audit`]: who asked the API server what.
//! - [`badprom`]: a metrics server that misbehaves on demand; [`metrics_servers`]: some that answer as told.
//! - [`endpoints`]: which pods are behind a Service.
//! - [`examples`]: what `deploy/examples` holds.
//! - [`faultproxy`]: a proxy in front of the API server that cuts connections; [`relay`]: a line to it that can be cut.
//! - [`hooks`]: a receiver of webhooks; [`loadtester`]: the load tester as a process.
//! - [`lacking`]: what stories need and this machine does not have.
//! - [`load`]: clients that send requests through Envoy and count what came back.
//! - [`observer`]: watches the invariants while stories run.
//! - [`operator`]: `serin` as a process that can be killed and restarted.
//! - [`stage`]: plays the stories of a test target.
//! - [`story`]: what a story has of its own: a namespace, its usual objects, and waiting for them.
//! - [`wait`], [`http`]: bounded waiting, and the smallest of HTTP clients.
//!
//! Stories, the demo and the benchmarks are built on this library; it decides nothing about canaries.

mod addresses;
mod apply;
pub mod audit;
pub mod badprom;
pub mod bed;
mod control_plane;
pub mod endpoints;
mod envoy_gateway;
pub mod examples;
pub mod faultproxy;
mod gloo;
mod graphite;
pub mod hooks;
pub mod http;
mod keda;
pub mod kubelet;
pub mod lacking;
pub mod load;
pub mod loadtester;
mod mesh;
pub mod metrics_servers;
mod namespace;
pub mod observer;
pub mod operator;
mod options;
mod part;
mod prometheus;
pub mod proxies;
pub mod proxy;
pub mod relay;
pub mod scripted;
mod skipper;
mod sparse_prometheus;
pub mod stage;
pub mod story;
mod victoria_metrics;
pub mod wait;

pub use addresses::{GATEWAY, OPERATOR_IP};
pub use bed::Bed;
pub use control_plane::User;
pub use envoy_gateway::EnvoyGateway;
pub use gloo::Gloo;
pub use graphite::Graphite;
pub use keda::Keda;
pub use kubelet::{Behaviour, Kubelet, Selector};
pub use load::{LoadHandle, Target};
pub use namespace::enter;
pub use operator::Operator;
pub use options::Options;
pub use part::Part;
pub use scripted::{Scripted, Traffic};
pub use skipper::Skipper;
pub use sparse_prometheus::SparsePrometheus;
pub use victoria_metrics::VictoriaMetrics;
