//! The proxies that a bed may have in addition to the mesh's.

/// A proxy that a bed may have in addition to the mesh's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// Contour, with its own Envoy.
    Contour,
    /// Traefik.
    Traefik,
    /// kube-proxy: needs nftables.
    KubeProxy,
}

impl Proxy {
    /// All, in the order in which they start.
    pub const ALL: [Self; 3] = [Self::Contour, Self::Traefik, Self::KubeProxy];

    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Contour => "contour",
            Self::Traefik => "traefik",
            Self::KubeProxy => "kube-proxy",
        }
    }

    /// The file with the definitions of the kinds that it needs.
    pub(crate) fn definitions(self) -> Option<&'static str> {
        match self {
            Self::Contour => Some("contour-crds.yaml"),
            Self::Traefik => Some("traefik-crds.yaml"),
            Self::KubeProxy => None,
        }
    }
}
