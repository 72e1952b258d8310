//! The proxies of the other routers: Contour with its own Envoy, Traefik, kube-proxy, and the Gateway API.
//!
//! Each has its default timing, which is slower than the mesh's in most stories.

use std::{fs, net::SocketAddr, path::Path, process::Command, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use kube::Client;
use serde_json::{Value, json};

use crate::http;
use crate::{
    User,
    addresses::{
        CONTOUR_DEBUG, CONTOUR_ENVOY, CONTOUR_GATEWAY, CONTOUR_HEALTH, CONTOUR_XDS, ENVOY_GATEWAY,
        KUBE_PROXY_HEALTH, KUBE_PROXY_METRICS, MESH_GATEWAY, NODE, NODE_IP, TRAEFIK_ADMIN, TRAEFIK_GATEWAY,
    },
    apply,
    control_plane::ControlPlane,
    mesh::{self, ISTIO_SYSTEM},
    part::{Part, Probe},
    proxy::Proxy,
};

/// The namespace of Contour's Gateway, and of Envoy Gateway's.
pub(super) const GATEWAYS: &str = "gateways";
/// The Gateway that Contour serves, and its class.
const CONTOUR: &str = "contour";
/// The Gateway that istiod serves, and the Service that selects its proxies.
const MESH: &str = "mesh";
/// The Gateway that Envoy Gateway serves, its class, and the settings of its Envoy.
pub(super) const BY_ENVOY_GATEWAY: &str = "envoy-gateway";
/// Offset between Contour's port and the port of its Gateway.
const ABOVE: u16 = 8000;

/// The proxies of a bed.
pub(super) struct Proxies {
    which: Vec<Proxy>,
    parts: Vec<Part>,
}

impl Proxies {
    pub(super) fn new(
        which: &[Proxy],
        dir: &Path,
        parts: &Path,
        plane: &ControlPlane,
    ) -> anyhow::Result<Self> {
        let config = plane.kubeconfig(User::Admin).display().to_string();
        let mut all = Vec::new();
        for proxy in which {
            if !parts.join(proxy.program()).exists() {
                bail!("{} is not built: run `make parts` once", proxy.program());
            }
            match proxy {
                Proxy::Contour => all.extend([contour(dir, parts, &config)?, envoy(dir, parts)?]),
                Proxy::Traefik => all.push(traefik(dir, parts, &config)),
                Proxy::KubeProxy => all.push(kube_proxy(dir, parts, &config)),
            }
        }
        Ok(Self { which: which.to_vec(), parts: all })
    }

    /// Defines the kinds that they need in addition to the mesh's, and the Gateways. Must happen before Envoy connects
    /// to istiod.
    pub(super) async fn define(&self, admin: &Client, parts: &Path) -> anyhow::Result<()> {
        kinds(&self.which, admin, parts).await?;
        apply::ensure_namespace(admin, GATEWAYS).await?;
        apply::apply(admin, GATEWAYS, gateways()).await.context("applying the Gateways")
    }

    pub(super) async fn start(&self) -> anyhow::Result<Vec<(&'static str, Duration)>> {
        let mut timings = Vec::new();
        for part in &self.parts {
            timings.push((part.name(), part.start().await?));
        }
        Ok(timings)
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter()
    }
}

/// Defines only the kinds.
pub(super) async fn kinds(which: &[Proxy], admin: &Client, parts: &Path) -> anyhow::Result<()> {
    let files = which.iter().filter_map(|proxy| proxy.definitions()).map(|file| parts.join(file));
    let definitions = mesh::read(files.collect()).await?;
    apply::apply(admin, GATEWAYS, definitions).await.context("applying the proxies' CRDs")
}

fn contour(dir: &Path, parts: &Path, kubeconfig: &str) -> anyhow::Result<Part> {
    let config = dir.join("contour.yaml");
    let gateway = format!("gateway: {{gatewayRef: {{namespace: {GATEWAYS}, name: {CONTOUR}}}}}\n");
    fs::write(&config, gateway).context("writing contour.yaml")?;
    let mut args = vec![
        "serve".to_owned(),
        format!("--kubeconfig={kubeconfig}"),
        format!("--config-path={}", config.display()),
        "--insecure".to_owned(),
        "--disable-leader-election".to_owned(),
        "--envoy-http-access-log=/dev/null".to_owned(),
        format!("--ingress-status-address={}", CONTOUR_GATEWAY.ip()),
    ];
    // Gateway API 1.6 no longer serves these in the versions that Contour requests.
    args.extend(
        ["tlsroutes", "tcproutes", "backendtlspolicies", "extensionservices"]
            .map(|kind| format!("--disable-feature={kind}")),
    );
    for (what, at) in [
        ("xds", CONTOUR_XDS),
        ("http", CONTOUR_HEALTH),
        ("health", CONTOUR_HEALTH),
        ("debug-http", CONTOUR_DEBUG),
        ("stats", CONTOUR_ENVOY),
        ("envoy-service-http", CONTOUR_GATEWAY),
    ] {
        args.push(format!("--{what}-address={}", at.ip()));
        args.push(format!("--{what}-port={}", at.port()));
    }
    let probe: Probe = Arc::new(|| Box::pin(http::is_ok(CONTOUR_HEALTH, "/healthz")));
    Ok(Part::new("contour", dir, parts.join("contour"), probe).args(args))
}

/// Contour's Envoy, with the bootstrap configuration from Contour.
fn envoy(dir: &Path, parts: &Path) -> anyhow::Result<Part> {
    let bootstrap = dir.join("contour-envoy.json");
    let written = Command::new(parts.join("contour"))
        .arg("bootstrap")
        .arg(&bootstrap)
        .arg(format!("--xds-address={}", CONTOUR_XDS.ip()))
        .arg(format!("--xds-port={}", CONTOUR_XDS.port()))
        .arg(format!("--admin-address={}", dir.join("contour-envoy.sock").display()))
        .output()
        .context("running contour bootstrap")?;
    if !written.status.success() {
        bail!("contour bootstrap: {}", String::from_utf8_lossy(&written.stderr));
    }
    let node = ["--service-cluster", "projectcontour", "--service-node", "envoy-1"];
    Ok(plain_envoy("contour-envoy", dir, parts, &bootstrap, CONTOUR_ENVOY).args(node))
}

/// An Envoy with this bootstrap configuration, which serves `/ready` at `ready`.
pub(super) fn plain_envoy(
    name: &'static str,
    dir: &Path,
    parts: &Path,
    bootstrap: &Path,
    ready: SocketAddr,
) -> Part {
    let probe: Probe = Arc::new(move || Box::pin(http::is_ok(ready, "/ready")));
    Part::new(name, dir, parts.join("envoy"), probe).args([
        "-c".to_owned(),
        bootstrap.display().to_string(),
        "--concurrency".to_owned(),
        "1".to_owned(),
        "--log-level".to_owned(),
        "warning".to_owned(),
        // Otherwise it shares memory with the Envoys of other beds.
        "--disable-hot-restart".to_owned(),
    ])
}

fn traefik(dir: &Path, parts: &Path, kubeconfig: &str) -> Part {
    let probe: Probe = Arc::new(|| Box::pin(http::is_ok(TRAEFIK_ADMIN, "/ping")));
    Part::new("traefik", dir, parts.join("traefik"), probe)
        .env([("KUBECONFIG".to_owned(), kubeconfig.to_owned())])
        .args([
            format!("--entrypoints.web.address={TRAEFIK_GATEWAY}"),
            format!("--entrypoints.traefik.address={TRAEFIK_ADMIN}"),
            "--providers.kubernetescrd".to_owned(),
            "--ping".to_owned(),
            "--metrics.prometheus.addserviceslabels=true".to_owned(),
            "--metrics.prometheus.buckets=0.001,0.005,0.01,0.05,0.1,0.5,1".to_owned(),
            "--global.checknewversion=false".to_owned(),
            "--global.sendanonymoususage=false".to_owned(),
            "--log.level=ERROR".to_owned(),
        ])
}

fn kube_proxy(dir: &Path, parts: &Path, kubeconfig: &str) -> Part {
    let probe: Probe = Arc::new(|| Box::pin(http::is_ok(KUBE_PROXY_HEALTH, "/healthz")));
    Part::new("kube-proxy", dir, parts.join("kube-proxy"), probe).args([
        format!("--kubeconfig={kubeconfig}"),
        format!("--hostname-override={NODE}"),
        "--proxy-mode=nftables".to_owned(),
        format!("--bind-address={NODE_IP}"),
        "--detect-local-mode=ClusterCIDR".to_owned(),
        "--cluster-cidr=10.244.0.0/16".to_owned(),
        format!("--healthz-bind-address={KUBE_PROXY_HEALTH}"),
        format!("--metrics-bind-address={KUBE_PROXY_METRICS}"),
        "--conntrack-max-per-core=0".to_owned(),
        "--conntrack-tcp-timeout-established=0".to_owned(),
        "--conntrack-tcp-timeout-close-wait=0".to_owned(),
    ])
}

/// A Gateway for Contour, and one for istiod. The proxies of the latter are the ones that its Service selects: our
/// Envoy, by the labels that it reports.
fn gateways() -> Vec<Value> {
    let class = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass",
        "metadata": {"name": CONTOUR}, "spec": {"controllerName": "projectcontour.io/gateway-controller"},
    });
    let gateway = |name: &str, namespace: &str, class: &str, port: u16, addresses: Value| {
        let listener = json!({
            "name": "http", "port": port, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}},
        });
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"gatewayClassName": class, "listeners": [listener], "addresses": addresses},
        })
    };
    let host = format!("{MESH}.{ISTIO_SYSTEM}.svc.cluster.local");
    let addresses = json!([{"type": "Hostname", "value": host}]);
    vec![
        class,
        gateway(CONTOUR, GATEWAYS, CONTOUR, CONTOUR_GATEWAY.port() - ABOVE, json!([])),
        gateway(MESH, ISTIO_SYSTEM, "istio", MESH_GATEWAY.port(), addresses),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": MESH, "namespace": ISTIO_SYSTEM},
            "spec": {
                "selector": {"istio": "ingressgateway"},
                "ports": [{"name": "http", "port": MESH_GATEWAY.port()}],
            },
        }),
    ]
}

/// The proxies that clients reach at their own address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Contour's Envoy, for HTTPProxy and Gateway API alike.
    Contour,
    /// The mesh's Envoy, for Gateway API.
    Mesh,
    /// Traefik.
    Traefik,
    /// Envoy Gateway's Envoy, for Gateway API, if [`crate::EnvoyGateway`] was started.
    EnvoyGateway,
}

impl Door {
    /// The Gateway that it serves, as the parent reference of a route.
    pub fn gateway(self) -> Value {
        match self {
            Self::Mesh => json!({"name": MESH, "namespace": ISTIO_SYSTEM}),
            Self::EnvoyGateway => json!({"name": BY_ENVOY_GATEWAY, "namespace": GATEWAYS}),
            Self::Contour | Self::Traefik => json!({"name": CONTOUR, "namespace": GATEWAYS}),
        }
    }

    /// The bed's proxy behind it, unless it is the mesh's.
    pub fn proxy(self) -> Option<Proxy> {
        match self {
            Self::Contour => Some(Proxy::Contour),
            Self::Traefik => Some(Proxy::Traefik),
            Self::Mesh | Self::EnvoyGateway => None,
        }
    }

    /// The address.
    pub fn address(self) -> SocketAddr {
        match self {
            Self::Contour => CONTOUR_GATEWAY,
            Self::Mesh => MESH_GATEWAY,
            Self::Traefik => TRAEFIK_GATEWAY,
            Self::EnvoyGateway => ENVOY_GATEWAY,
        }
    }
}
