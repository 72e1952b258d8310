//! Skipper, which polls Ingresses and serves them itself.

use std::{path::Path, sync::Arc};

use crate::{
    addresses::{SKIPPER_API, SKIPPER_GATEWAY, SKIPPER_SUPPORT},
    http,
    part::{Part, Probe},
};

/// `kubectl proxy`, as Skipper has a token and a certificate only in a pod; then Skipper, at its own pace.
pub(super) fn parts(dir: &Path, parts: &Path, kubeconfig: &str) -> [Part; 2] {
    let probe: Probe = Arc::new(|| Box::pin(http::is_ok(SKIPPER_API, "/readyz")));
    let api = Part::new("skipper-api", dir, parts.join("kubectl"), probe).args([
        "proxy".to_owned(),
        format!("--kubeconfig={kubeconfig}"),
        format!("--address={}", SKIPPER_API.ip()),
        format!("--port={}", SKIPPER_API.port()),
    ]);
    let probe: Probe = Arc::new(|| Box::pin(http::is_ok(SKIPPER_SUPPORT, "/metrics")));
    let skipper = Part::new("skipper", dir, parts.join("skipper"), probe).args([
        "-kubernetes".to_owned(),
        format!("-kubernetes-url=http://{SKIPPER_API}"),
        "-kubernetes-https-redirect=false".to_owned(),
        format!("-address={SKIPPER_GATEWAY}"),
        format!("-support-listener={SKIPPER_SUPPORT}"),
        "-metrics-flavour=prometheus".to_owned(),
        // What the built-in checks read.
        "-serve-route-metrics".to_owned(),
        "-proxy-preserve-host=true".to_owned(),
        "-access-log-disabled".to_owned(),
    ]);
    [api, skipper]
}
