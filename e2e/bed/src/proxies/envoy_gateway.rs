//! Envoy Gateway, and a plain Envoy that it leads.
//!
//! It reads its certificates from `/certs` alone, so it runs with a root of its own: a static binary needs nothing else. The
//! Envoy that it asks the cluster for is a pod that the test kubelet plays; what serves is the one here.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::{GATEWAYS, plain_envoy};
use crate::{
    addresses::{ENVOY_GATEWAY, ENVOY_GATEWAY_ENVOY, ENVOY_GATEWAY_HEALTH},
    http,
    part::{Part, Probe},
};

/// The namespace of Envoy Gateway's own objects.
pub(super) const NAMESPACE: &str = "envoy-gateway-system";
/// Its Gateway and the class.
pub(super) const NAME: &str = "envoy-gateway";
/// Where `certgen --local` puts what it makes.
const MADE: &str = "tmp/envoy-gateway/certs";

const CONFIG: &str = "\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyGateway
gateway: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
provider:
  type: Kubernetes
  kubernetes:
    leaderElection: {disable: true}
    proxyTopologyInjector: {disable: true}
# Its own port for metrics is one that the pod has which the kubelet plays.
telemetry: {metrics: {prometheus: {disable: true}}}
logging: {level: {default: error}}
";

pub(super) fn parts(dir: &Path, parts: &Path, kubeconfig: &str) -> anyhow::Result<[Part; 2]> {
    let root = root(dir, parts, kubeconfig).context("making Envoy Gateway's root")?;
    let probe: Probe = Arc::new(|| Box::pin(http::is_ok(ENVOY_GATEWAY_HEALTH, "/readyz")));
    let gateway = Part::new("envoy-gateway", dir, PathBuf::from("chroot"), probe)
        .args([
            root.display().to_string(),
            "/envoy-gateway".to_owned(),
            "server".to_owned(),
            "--config-path=/config.yaml".to_owned(),
        ])
        .env(
            [
                ("KUBECONFIG", "/kubeconfig"),
                ("ENVOY_GATEWAY_NAMESPACE", NAMESPACE),
                ("KUBERNETES_CLUSTER_DOMAIN", "cluster.local"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
    let bootstrap = dir.join("envoy-gateway-envoy.yaml");
    let certs = root.join(MADE).join("envoy");
    let text = include_str!("../files/envoy-gateway-envoy.yaml")
        .replace("CLUSTER", &format!("{GATEWAYS}/{NAME}"))
        .replace("CERTS", &certs.display().to_string());
    fs::write(&bootstrap, text).context("writing envoy-gateway-envoy.yaml")?;
    let envoy = plain_envoy("envoy-gateway-envoy", dir, parts, &bootstrap, ENVOY_GATEWAY_ENVOY);
    Ok([gateway, envoy])
}

/// A folder that is `/` to Envoy Gateway: the program, its settings, who it is to the API server, and its certificates.
fn root(dir: &Path, parts: &Path, kubeconfig: &str) -> anyhow::Result<PathBuf> {
    let root = dir.join("envoy-gateway");
    fs::create_dir_all(root.join("tmp"))?;
    fs::copy(parts.join("envoy-gateway"), root.join("envoy-gateway"))?;
    fs::write(root.join("config.yaml"), CONFIG)?;
    let mut config: Value = serde_json::from_slice(&fs::read(kubeconfig)?)?;
    let authority = &mut config["clusters"][0]["cluster"]["certificate-authority"];
    let certificate = authority.as_str().context("a kubeconfig without a certificate")?.to_owned();
    fs::copy(certificate, root.join("apiserver.crt"))?;
    *authority = json!("/apiserver.crt");
    fs::write(root.join("kubeconfig"), config.to_string())?;
    let made = Command::new("chroot").arg(&root).args(["/envoy-gateway", "certgen", "--local"]).output()?;
    if !made.status.success() {
        bail!("envoy-gateway certgen: {}", String::from_utf8_lossy(&made.stderr));
    }
    fs::rename(root.join(MADE).join("envoy-gateway"), root.join("certs"))?;
    Ok(root)
}

/// The class, its Gateway, and an address for it: the one of a Service inside the cluster.
pub(super) fn objects() -> Vec<Value> {
    let own = |kind: &str, spec: Value| {
        json!({
            "apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": kind,
            "metadata": {"name": NAME, "namespace": NAMESPACE}, "spec": spec,
        })
    };
    let parameters = json!({
        "group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "name": NAME, "namespace": NAMESPACE,
    });
    let listener = json!({
        "name": "http", "port": ENVOY_GATEWAY.port(), "protocol": "HTTP",
        "allowedRoutes": {"namespaces": {"from": "All"}},
    });
    let kubernetes = json!({"envoyService": {"type": "ClusterIP"}});
    vec![
        own("EnvoyProxy", json!({"provider": {"type": "Kubernetes", "kubernetes": kubernetes}})),
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": NAME},
            "spec": {
                "controllerName": "gateway.envoyproxy.io/gatewayclass-controller", "parametersRef": parameters,
            },
        }),
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
            "metadata": {"name": NAME, "namespace": GATEWAYS},
            "spec": {"gatewayClassName": NAME, "listeners": [listener]},
        }),
    ]
}
