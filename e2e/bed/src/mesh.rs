//! istiod and Envoy: a plain Envoy as the ingress gateway serves real VirtualServices.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use kube::Client;
use serde_json::{Value, json};

use crate::http;
use crate::{
    Options, User,
    addresses::{ENVOY_ADMIN, GATEWAY, ISTIOD_HTTP, ISTIOD_MONITORING, ISTIOD_XDS},
    apply,
    control_plane::ControlPlane,
    part::{Part, Probe},
};

/// The namespace of istiod's own objects.
pub(super) const ISTIO_SYSTEM: &str = "istio-system";

/// The label of namespaces that istiod ignores. See `files/mesh.yaml`.
pub(super) const LEFT: &str = "serin-bed/left-mesh";

pub(super) struct Mesh {
    pub(super) istiod: Part,
    pub(super) envoy: Option<Part>,
}

impl Mesh {
    pub(super) fn new(
        dir: &Path,
        parts: &Path,
        plane: &ControlPlane,
        options: &Options,
    ) -> anyhow::Result<Self> {
        let istiod = istiod(dir, parts, &plane.kubeconfig(User::Istiod), options.istiod_debounce)?;
        let envoy = options.envoy.then(|| envoy(dir, parts)).transpose()?;
        Ok(Self { istiod, envoy })
    }

    /// Defines the kinds that istiod needs at its start.
    pub(super) async fn define(&self, admin: &Client, crds: Vec<Value>) -> anyhow::Result<()> {
        apply::ensure_namespace(admin, ISTIO_SYSTEM).await?;
        apply::apply(admin, ISTIO_SYSTEM, crds).await.context("applying Istio's CRDs")?;
        let metrics = apply::parse(include_str!("files/envoyfilter.yaml"))?;
        apply::apply(admin, ISTIO_SYSTEM, metrics).await.context("applying the EnvoyFilter")
    }

    /// Starts istiod, then Envoy, because Envoy's first request needs istiod.
    pub(super) async fn start(&self) -> anyhow::Result<Vec<(&'static str, Duration)>> {
        let mut timings = vec![("istiod", self.istiod.start().await?)];
        if let Some(envoy) = &self.envoy {
            timings.push(("envoy", envoy.start().await?));
        }
        Ok(timings)
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.envoy.iter().chain([&self.istiod])
    }
}

/// The kinds that istiod reads: Istio's own and the Gateway API's.
pub(super) async fn read_crds(parts: &Path) -> anyhow::Result<Vec<Value>> {
    read(["istio-crds.yaml", "gateway-api-crds.yaml"].map(|file| parts.join(file)).to_vec()).await
}

/// Reads the objects in some files. Uses another thread, because the files contain megabytes of YAML.
pub(super) async fn read(paths: Vec<PathBuf>) -> anyhow::Result<Vec<Value>> {
    let all = move || {
        let mut all = Vec::new();
        for path in &paths {
            let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
            all.extend(apply::parse(&text)?);
        }
        Ok(all)
    };
    tokio::task::spawn_blocking(all).await?
}

/// A `Gateway` that our Envoy serves.
pub(super) fn gateway(hosts: &[&str]) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
        "metadata": {"name": "gateway"},
        "spec": {
            "selector": {"istio": "ingressgateway"},
            "servers": [{
                "port": {"number": GATEWAY.port(), "name": "http", "protocol": "HTTP"},
                "bind": GATEWAY.ip().to_string(),
                "hosts": hosts,
            }],
        },
    })
}

fn istiod(dir: &Path, parts: &Path, kubeconfig: &Path, debounce: Duration) -> anyhow::Result<Part> {
    let mesh = dir.join("mesh.yaml");
    fs::write(&mesh, include_str!("files/mesh.yaml")).context("writing mesh.yaml")?;
    let debounce_max = debounce.max(Duration::from_secs(2));
    let debounce = format!("{}ms", debounce.as_millis());
    let longest = format!("{}ms", debounce_max.as_millis());
    let env = [
        ("ENABLE_CA_SERVER", "false"),
        ("PILOT_CERT_PROVIDER", "none"),
        ("INJECT_ENABLED", "false"),
        // Plain Envoy does not accept the filters that these add.
        ("PILOT_ENABLE_METADATA_EXCHANGE", "false"),
        ("PILOT_ENABLE_ALPN_FILTER", "false"),
        // The existing Envoy serves Gateways.
        ("PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER", "false"),
        ("POD_NAME", "istiod-0"),
        ("POD_NAMESPACE", ISTIO_SYSTEM),
        ("PILOT_DEBOUNCE_AFTER", &debounce),
        // Otherwise other stories delay a push for ten seconds, longer than any pod serves after its deletion.
        ("PILOT_DEBOUNCE_MAX", &longest),
    ];
    let probe: Probe = Arc::new(|| Box::pin(http::is_ok(ISTIOD_HTTP, "/ready")));
    Ok(Part::new("istiod", dir, parts.join("pilot-discovery"), probe)
        .env(env.map(|(name, value)| (name.to_owned(), value.to_owned())))
        .args([
            "discovery".to_owned(),
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--meshConfig={}", mesh.display()),
            format!("--httpAddr={ISTIOD_HTTP}"),
            format!("--grpcAddr={ISTIOD_XDS}"),
            "--httpsAddr=".to_owned(),
            "--secureGRPCAddr=".to_owned(),
            format!("--monitoringAddr={ISTIOD_MONITORING}"),
            "--ctrlz_port=0".to_owned(),
        ]))
}

fn envoy(dir: &Path, parts: &Path) -> anyhow::Result<Part> {
    let bootstrap = dir.join("envoy.yaml");
    fs::write(&bootstrap, include_str!("files/envoy.yaml")).context("writing envoy.yaml")?;
    let probe: Probe = Arc::new(|| Box::pin(http::is_ok(ENVOY_ADMIN, "/ready")));
    Ok(Part::new("envoy", dir, parts.join("envoy"), probe).args([
        "-c".to_owned(),
        bootstrap.display().to_string(),
        "--concurrency".to_owned(),
        "1".to_owned(),
        "--log-level".to_owned(),
        "warning".to_owned(),
        // Otherwise it shares memory with the Envoys of other beds.
        "--disable-hot-restart".to_owned(),
    ]))
}
