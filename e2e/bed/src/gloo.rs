//! Gloo next to a bed, and a plain Envoy that it configures. Started by the stories that need it. The Envoy that Gloo
//! ships is not available: Gloo's own filters are left out if no route needs them.

use std::{fs, net::SocketAddr, sync::Arc};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::{
    Bed, User,
    addresses::{
        GLOO_ENVOY, GLOO_GATEWAY, GLOO_HEALTH, GLOO_PROXY_DEBUG, GLOO_REST_XDS, GLOO_VALIDATION, GLOO_XDS,
    },
    http, mesh,
    part::{Part, Probe, parts_dir},
    proxies::plain_envoy,
};

/// The namespace of Gloo's own objects.
const NAMESPACE: &str = "gloo-system";
/// The proxy of its Gateway, as in `files/gloo-envoy.yaml`.
const PROXY: &str = "gateway-proxy";

/// A running Gloo with its default timing. Dropping it stops it.
pub struct Gloo {
    _parts: [Part; 2],
}

impl Gloo {
    /// The address at which its Envoy accepts requests.
    pub const ADDRESS: SocketAddr = GLOO_GATEWAY;

    /// Defines its kinds, and starts an instance for all namespaces.
    ///
    /// # Errors
    /// It is not built, or does not become ready.
    pub async fn start(bed: &Bed) -> anyhow::Result<Self> {
        let (dir, parts) = (bed.dir(), parts_dir()?);
        if !parts.join("gloo").exists() {
            bail!("Gloo is not built: run `e2e/parts/build.sh gloo` once");
        }
        let kinds = mesh::read(vec![parts.join("gloo-crds.yaml")]).await?;
        bed.namespace(NAMESPACE).await?;
        bed.apply(NAMESPACE, kinds).await.context("applying Gloo's definitions")?;
        bed.apply(NAMESPACE, objects()).await.context("applying Gloo's own objects")?;
        let probe: Probe = Arc::new(|| Box::pin(http::is_ok(GLOO_HEALTH, "/healthz")));
        let gloo = Part::new("gloo", dir, parts.join("gloo"), probe).env([
            ("KUBECONFIG".to_owned(), bed.kubeconfig(User::Admin).display().to_string()),
            ("POD_NAMESPACE".to_owned(), NAMESPACE.to_owned()),
            ("DISABLE_LEADER_ELECTION".to_owned(), "true".to_owned()),
        ]);
        gloo.start().await?;
        let bootstrap = dir.join("gloo-envoy.yaml");
        fs::write(&bootstrap, include_str!("files/gloo-envoy.yaml")).context("writing gloo-envoy.yaml")?;
        // It is ready without a listener. Gloo adds the listener when there is a route.
        let envoy = plain_envoy("gloo-envoy", dir, &parts, &bootstrap, GLOO_ENVOY);
        envoy.start().await?;
        Ok(Self { _parts: [gloo, envoy] })
    }
}

/// Its settings, the Service from which it reads its own port, and the Gateway.
fn objects() -> Vec<Value> {
    let labels = json!({"app": "gloo", "gloo": "gloo"});
    vec![
        json!({
            "apiVersion": "gloo.solo.io/v1", "kind": "Settings",
            "metadata": {"name": "default", "namespace": NAMESPACE},
            "spec": {
                "discoveryNamespace": NAMESPACE,
                "kubernetesArtifactSource": {}, "kubernetesConfigSource": {}, "kubernetesSecretSource": {},
                "refreshRate": "60s",
                "gloo": {
                    // a plain Envoy does not have Gloo's own filters
                    "removeUnusedFilters": true,
                    "xdsBindAddr": GLOO_XDS.to_string(),
                    "restXdsBindAddr": GLOO_REST_XDS.to_string(),
                    "validationBindAddr": GLOO_VALIDATION.to_string(),
                    "proxyDebugBindAddr": GLOO_PROXY_DEBUG.to_string(),
                },
                "gateway": {"enableGatewayController": true, "readGatewaysFromAllNamespaces": false},
            },
        }),
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "gloo", "namespace": NAMESPACE, "labels": labels},
            "spec": {"selector": labels, "ports": [{"name": "grpc-xds", "port": GLOO_XDS.port()}]},
        }),
        json!({
            "apiVersion": "gateway.solo.io/v1", "kind": "Gateway",
            "metadata": {"name": PROXY, "namespace": NAMESPACE},
            "spec": {
                "bindAddress": GLOO_GATEWAY.ip().to_string(), "bindPort": GLOO_GATEWAY.port(),
                "httpGateway": {}, "proxyNames": [PROXY],
            },
        }),
    ]
}
