//! Which parts a bed has.

use std::time::Duration;

use anyhow::bail;

/// A proxy that a bed may have beside the mesh's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// Contour, with an Envoy of its own.
    Contour,
    /// Traefik.
    Traefik,
    /// kube-proxy: needs nftables.
    KubeProxy,
}

impl Proxy {
    /// All, in the order in which they start.
    pub const ALL: [Self; 3] = [Self::Contour, Self::Traefik, Self::KubeProxy];
}

/// What a bed consists of. The default is everything, with an istiod that passes changes on after 10 ms.
#[derive(Debug, Clone)]
pub struct Options {
    /// Istio's CRDs and istiod.
    pub istio: bool,
    /// Envoy as the ingress gateway (needs `istio`).
    pub envoy: bool,
    /// The Gateways, and other proxies beside the mesh's (need `istio` and `envoy`).
    pub proxies: Vec<Proxy>,
    /// Prometheus.
    pub prometheus: bool,
    /// The test kubelet. Without it no pod ever runs.
    pub kubelet: bool,
    /// A real HTTP backend for each pod. Without, pods become ready and nothing listens: for scale.
    pub backends: bool,
    /// How long istiod gathers changes before it passes them on (100 ms in production).
    pub istiod_debounce: Duration,
    /// Whether the audit log holds the bodies of writes to the kinds that canaries are about.
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
    /// Whether what each part needs is there.
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
