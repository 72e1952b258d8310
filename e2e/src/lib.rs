//! The test bed of Serin: real parts as local processes, and what stories need around them.
//!
//! - [`audit`]: who asked the API server what.
//! - [`bed`]: etcd, kube-apiserver, kube-controller-manager, istiod, Envoy and Prometheus in a network
//!   namespace, with a test kubelet that starts a real HTTP backend for each pod.
//! - [`badprom`]: a metrics server that misbehaves on demand.
//! - [`bench`]: what the operator costs and how fast it is.
//! - [`endpoints`]: which pods are behind a Service.
//! - [`examples`]: what `deploy/examples` holds.
//! - [`lacking`]: what stories need and this machine does not have.
//! - [`loadtester`]: the load tester as a process.
//! - [`load`]: clients that send requests through Envoy and count what came back.
//! - [`hooks`]: a receiver of webhooks.
//! - [`operator`]: `serin` as a process that can be killed and restarted.
//! - [`sim`]: no real part at all, but a namespace in memory for the planner alone.
//! - [`demo`]: releases to be watched in a terminal.
//! - [`wait`], [`http`]: bounded waiting, and the smallest of HTTP clients.
//!
//! Stories, the demo and the benchmarks are built on this library; it decides nothing about canaries.

pub mod audit;
pub mod badprom;
pub mod bed;
pub mod bench;
pub mod demo;
pub mod endpoints;
pub mod examples;
pub mod faultproxy;
pub mod hooks;
pub mod http;
pub mod lacking;
pub mod load;
pub mod loadtester;
pub mod metrics_servers;
pub mod observer;
pub mod operator;
pub mod sim;
pub mod story;
pub mod wait;

pub use bed::{Bed, Options, User, enter};
pub use load::{LoadHandle, Target};
pub use operator::Operator;
