//! The parts of a bed.

use std::time::Duration;

use anyhow::bail;

use crate::proxy::Proxy;

/// The parts of a bed. By default all of them, with an istiod that pushes changes after 10 ms.
#[derive(Debug, Clone)]
pub struct Options {
    /// Istio's CRDs and istiod.
    pub istio: bool,
    /// Envoy as the ingress gateway (needs `istio`).
    pub envoy: bool,
    /// The Gateways, and other proxies in addition to the mesh's (need `istio` and `envoy`).
    pub proxies: Vec<Proxy>,
    /// Prometheus.
    pub prometheus: bool,
    /// The test kubelet. Without it no pod ever runs.
    pub kubelet: bool,
    /// A real HTTP backend for each pod. Without it, pods become ready but nothing listens. For tests at scale.
    pub backends: bool,
    /// How long istiod collects changes before it pushes them (100 ms in production).
    pub istiod_debounce: Duration,
    /// Whether the audit log contains the bodies of writes to the kinds that canaries use.
    pub audit_bodies: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            istio: true,
            envoy: true,
            proxies: Vec::new(),
            prometheus: true,
            kubelet: true,
            backends: true,
            istiod_debounce: Duration::from_millis(10),
            audit_bodies: false,
        }
    }
}

impl Options {
    /// Checks that the requirements of each part are met.
    pub(crate) fn fit_together(&self) -> anyhow::Result<()> {
        if !self.proxies.is_empty() && !self.envoy {
            bail!("Options {{ proxies }} needs {{ envoy }}, which serves the Gateway API too");
        }
        if self.envoy && !self.istio {
            bail!("Envoy gets its configuration from istiod: Options {{ envoy }} needs {{ istio }}");
        }
        Ok(())
    }

    /// The control plane and the kubelet, without proxies or metrics.
    pub fn control_plane_only() -> Self {
        Self { istio: false, envoy: false, prometheus: false, ..Self::default() }
    }
}
