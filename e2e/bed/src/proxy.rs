//! Which proxies a bed may have beside the mesh's.

/// A proxy that a bed may have beside the mesh's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// Contour, with an Envoy of its own.
    Contour,
    /// Traefik.
    Traefik,
    /// kube-proxy: needs nftables.
    KubeProxy,
    /// Skipper.
    Skipper,
    /// Gloo, with an Envoy of its own.
    Gloo,
    /// Envoy Gateway, with an Envoy of its own.
    EnvoyGateway,
}

impl Proxy {
    /// Those that every change is tried with, in the order in which they start.
    pub const ALL: [Self; 3] = [Self::Contour, Self::Traefik, Self::KubeProxy];
    /// Those that only `make nightly` has.
    pub const NIGHTLY: [Self; 3] = [Self::Skipper, Self::Gloo, Self::EnvoyGateway];

    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Contour => "contour",
            Self::Traefik => "traefik",
            Self::KubeProxy => "kube-proxy",
            Self::Skipper => "skipper",
            Self::Gloo => "gloo",
            Self::EnvoyGateway => "envoy-gateway",
        }
    }

    /// The file with the definitions of the kinds that it reads.
    pub(crate) fn definitions(self) -> Option<&'static str> {
        match self {
            Self::Contour => Some("contour-crds.yaml"),
            Self::Traefik => Some("traefik-crds.yaml"),
            Self::Gloo => Some("gloo-crds.yaml"),
            Self::EnvoyGateway => Some("envoy-gateway-crds.yaml"),
            Self::KubeProxy | Self::Skipper => None,
        }
    }
}
