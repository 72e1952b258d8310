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
}

impl Proxy {
    /// Those that every change is tried with, in the order in which they start.
    pub const ALL: [Self; 3] = [Self::Contour, Self::Traefik, Self::KubeProxy];
    /// Those that only `make nightly` has.
    pub const NIGHTLY: [Self; 1] = [Self::Skipper];

    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Contour => "contour",
            Self::Traefik => "traefik",
            Self::KubeProxy => "kube-proxy",
            Self::Skipper => "skipper",
        }
    }

    /// The file with the definitions of the kinds that it reads.
    pub(crate) fn definitions(self) -> Option<&'static str> {
        match self {
            Self::Contour => Some("contour-crds.yaml"),
            Self::Traefik => Some("traefik-crds.yaml"),
            Self::KubeProxy | Self::Skipper => None,
        }
    }
}
