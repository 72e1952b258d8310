//! Envoy Gateway next to a bed, and a plain Envoy that it configures. Started by the stories that need it.
//!
//! It reads its certificates only from `/certs`, so it runs with its own root: a static binary needs nothing else. Its
//! settings ask for zero replicas of the Envoy that it would run in the cluster, because the test kubelet only
//! simulates pods. The Envoy here serves instead, and identifies itself as one of that Gateway's.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{ApiResource, DynamicObject},
    core::GroupVersionKind,
};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    Bed, User,
    addresses::{ENVOY_GATEWAY, ENVOY_GATEWAY_ENVOY, ENVOY_GATEWAY_HEALTH},
    http, mesh,
    part::{Part, Probe, parts_dir},
    proxies::{BY_ENVOY_GATEWAY as NAME, GATEWAYS, plain_envoy},
    wait,
};

/// The namespace of Envoy Gateway's own objects.
const NAMESPACE: &str = "envoy-gateway-system";
const CONTROLLER: &str = "gateway.envoyproxy.io/gatewayclass-controller";
/// Maximum time until it serves the Gateway.
const LIMIT: Duration = Duration::from_secs(90);

const CONFIG: &str = "\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyGateway
gateway: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
provider:
  type: Kubernetes
  kubernetes:
    leaderElection: {disable: true}
    proxyTopologyInjector: {disable: true}
";

/// A running Envoy Gateway with its default timing. Dropping it stops it.
pub struct EnvoyGateway {
    _parts: [Part; 2],
}

impl EnvoyGateway {
    /// Defines its kinds, and starts an instance for all namespaces.
    ///
    /// # Errors
    /// It is not built, or does not become ready.
    pub async fn start(bed: &Bed) -> anyhow::Result<Self> {
        let (dir, parts) = (bed.dir(), parts_dir()?);
        if !parts.join(NAME).exists() {
            bail!("Envoy Gateway is not built: run `e2e/parts/build.sh envoygateway` once");
        }
        let kinds = mesh::read(vec![parts.join("envoy-gateway-crds.yaml")]).await?;
        bed.namespace(NAMESPACE).await?;
        bed.apply(NAMESPACE, kinds).await.context("applying Envoy Gateway's definitions")?;
        bed.apply(NAMESPACE, objects()).await.context("applying the Gateway of Envoy Gateway")?;
        let root = root(dir, &parts, &bed.kubeconfig(User::Admin)).context("making Envoy Gateway's root")?;
        certificates(bed, &root).await.context("making Envoy Gateway's certificates")?;
        let probe: Probe = Arc::new(|| Box::pin(http::is_ok(ENVOY_GATEWAY_HEALTH, "/readyz")));
        let server = ["server".to_owned(), "--config-path=/config.yaml".to_owned()];
        let gateway = Part::new(NAME, dir, PathBuf::from("unshare"), probe)
            .args(within(&root).into_iter().chain(server))
            .env([("KUBECONFIG".to_owned(), "/kubeconfig".to_owned())]);
        gateway.start().await?;
        // An Envoy that connects earlier gets no answer until there is a route.
        accepted(bed).await?;
        let bootstrap = dir.join("envoy-gateway-envoy.yaml");
        let text = include_str!("files/envoy-gateway-envoy.yaml")
            .replace("CLUSTER", &format!("{GATEWAYS}/{NAME}"))
            .replace("CERTS", &root.join("envoy").display().to_string());
        fs::write(&bootstrap, text).context("writing envoy-gateway-envoy.yaml")?;
        let envoy = plain_envoy("envoy-gateway-envoy", dir, &parts, &bootstrap, ENVOY_GATEWAY_ENVOY);
        envoy.start().await?;
        Ok(Self { _parts: [gateway, envoy] })
    }
}

/// The arguments for `unshare` to run it in its root.
fn within(root: &Path) -> [String; 3] {
    [format!("--root={}", root.display()), "--wd=/".to_owned(), format!("/{NAME}")]
}

/// A folder that is `/` for Envoy Gateway: the program, its settings, and its credentials for the API server.
fn root(dir: &Path, parts: &Path, kubeconfig: &Path) -> anyhow::Result<PathBuf> {
    let root = dir.join(NAME);
    fs::create_dir_all(root.join("tmp"))?;
    fs::copy(parts.join(NAME), root.join(NAME))?;
    fs::write(root.join("config.yaml"), CONFIG)?;
    let mut config: Value = serde_json::from_slice(&fs::read(kubeconfig)?)?;
    let authority = &mut config["clusters"][0]["cluster"]["certificate-authority"];
    let certificate = authority.as_str().context("a kubeconfig without a certificate")?.to_owned();
    fs::copy(certificate, root.join("apiserver.crt"))?;
    *authority = json!("/apiserver.crt");
    fs::write(root.join("kubeconfig"), config.to_string())?;
    Ok(root)
}

/// Makes it create its certificates, which it keeps in Secrets, and copies those of both ends of its connection to
/// Envoy to `certs`, where it searches for its own, and to `envoy`.
async fn certificates(bed: &Bed, root: &Path) -> anyhow::Result<()> {
    let mut certgen = Command::new("unshare");
    certgen.args(within(root)).args(["certgen", "--disable-topology-injector"]);
    let made = certgen.env("KUBECONFIG", "/kubeconfig").output().await?;
    if !made.status.success() {
        bail!("{NAME} certgen: {}", String::from_utf8_lossy(&made.stderr));
    }
    let secrets: Api<Secret> = Api::namespaced(bed.admin(), NAMESPACE);
    for (secret, folder) in [(NAME, "certs"), ("envoy", "envoy")] {
        fs::create_dir_all(root.join(folder))?;
        for (file, content) in secrets.get(secret).await?.data.into_iter().flatten() {
            fs::write(root.join(folder).join(file), content.0)?;
        }
    }
    Ok(())
}

/// Waits until the Gateway is accepted.
async fn accepted(bed: &Bed) -> anyhow::Result<()> {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "Gateway"));
    let gateways: Api<DynamicObject> = Api::namespaced_with(bed.admin(), GATEWAYS, &kind);
    let accepted = |gateway: &DynamicObject| {
        let conditions = gateway.data["status"]["conditions"].as_array();
        conditions.into_iter().flatten().any(|said| said["type"] == "Accepted" && said["status"] == "True")
    };
    wait::until("Envoy Gateway to accept its Gateway", LIMIT, async || {
        gateways.get(NAME).await.ok().filter(accepted)
    })
    .await
    .map(drop)
}

/// The class, its Gateway, and the settings of the Envoys that it would run in the cluster.
fn objects() -> Vec<Value> {
    let parameters = json!({
        "group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "name": NAME, "namespace": NAMESPACE,
    });
    let listener = json!({
        "name": "http", "port": ENVOY_GATEWAY.port(), "protocol": "HTTP",
        "allowedRoutes": {"namespaces": {"from": "All"}},
    });
    let kubernetes = json!({"envoyDeployment": {"replicas": 0}, "envoyService": {"type": "ClusterIP"}});
    vec![
        json!({
            "apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyProxy",
            "metadata": {"name": NAME, "namespace": NAMESPACE},
            "spec": {
                "provider": {"type": "Kubernetes", "kubernetes": kubernetes},
                "telemetry": {"accessLog": {"disable": true}},
            },
        }),
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": NAME},
            "spec": {"controllerName": CONTROLLER, "parametersRef": parameters},
        }),
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
            "metadata": {"name": NAME, "namespace": GATEWAYS},
            "spec": {"gatewayClassName": NAME, "listeners": [listener]},
        }),
    ]
}
