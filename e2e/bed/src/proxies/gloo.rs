//! Gloo's control plane, and a plain Envoy that it leads.

use std::{fs, path::Path, sync::Arc};

use anyhow::Context;
use serde_json::{Value, json};

use super::plain_envoy;
use crate::{
    addresses::{GLOO_ENVOY, GLOO_GATEWAY, GLOO_VALIDATION, GLOO_XDS},
    http,
    part::{Part, Probe},
};

/// The namespace of Gloo's own objects.
pub(super) const NAMESPACE: &str = "gloo-system";
const PROXY: &str = "gateway-proxy";

pub(super) fn parts(dir: &Path, parts: &Path, kubeconfig: &str) -> anyhow::Result<[Part; 2]> {
    let probe: Probe = Arc::new(|| Box::pin(http::listens(GLOO_XDS)));
    let gloo = Part::new("gloo", dir, parts.join("gloo"), probe).env(
        [
            ("KUBECONFIG", kubeconfig),
            ("POD_NAMESPACE", NAMESPACE),
            ("POD_NAME", "gloo-0"),
            ("DISABLE_LEADER_ELECTION", "true"),
            // Its admission webhook, which nothing calls here, needs a certificate.
            ("VALIDATION_MUST_START", "false"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let bootstrap = dir.join("gloo-envoy.yaml");
    let text = include_str!("../files/gloo-envoy.yaml").replace("ROLE", &format!("{NAMESPACE}~{PROXY}"));
    fs::write(&bootstrap, text).context("writing gloo-envoy.yaml")?;
    Ok([gloo, plain_envoy("gloo-envoy", dir, parts, &bootstrap, GLOO_ENVOY)])
}

/// Its settings, without what only Gloo's own Envoy knows, and the gateway.
pub(super) fn objects() -> Vec<Value> {
    vec![
        json!({
            "apiVersion": "gloo.solo.io/v1", "kind": "Settings",
            "metadata": {"name": "default", "namespace": NAMESPACE},
            "spec": {
                "discoveryNamespace": NAMESPACE,
                "kubernetesArtifactSource": {}, "kubernetesConfigSource": {}, "kubernetesSecretSource": {},
                "refreshRate": "60s",
                "discovery": {"fdsMode": "DISABLED"},
                "gloo": {
                    "xdsBindAddr": GLOO_XDS.to_string(),
                    "validationBindAddr": GLOO_VALIDATION.to_string(),
                    "removeUnusedFilters": true,
                },
            },
        }),
        json!({
            "apiVersion": "gateway.solo.io/v1", "kind": "Gateway",
            "metadata": {"name": PROXY, "namespace": NAMESPACE},
            "spec": {
                "bindAddress": GLOO_GATEWAY.ip().to_string(), "bindPort": GLOO_GATEWAY.port(),
                "proxyNames": [PROXY], "httpGateway": {}, "ssl": false, "useProxyProto": false,
            },
        }),
    ]
}
