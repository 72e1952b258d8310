//! Skipper next to a bed. Started by the stories that need it. It polls Ingresses and serves them itself.

use std::{net::SocketAddr, sync::Arc};

use anyhow::bail;

use crate::{
    Bed, User,
    addresses::{SKIPPER_API, SKIPPER_GATEWAY, SKIPPER_SUPPORT},
    http,
    part::{Part, Probe, parts_dir},
};

/// A running Skipper with its default timing. Dropping it stops it.
pub struct Skipper {
    _parts: [Part; 2],
}

impl Skipper {
    /// The address at which it accepts requests.
    pub const ADDRESS: SocketAddr = SKIPPER_GATEWAY;

    /// Starts an instance for all namespaces, and `kubectl proxy` for it: it has a token and a certificate only in a
    /// pod.
    ///
    /// # Errors
    /// It is not built, or does not become ready.
    pub async fn start(bed: &Bed) -> anyhow::Result<Self> {
        let (dir, parts) = (bed.dir(), parts_dir()?);
        let program = parts.join("skipper");
        if !program.exists() {
            bail!("Skipper is not built: run `e2e/parts/build.sh skipper` once");
        }
        let probe: Probe = Arc::new(|| Box::pin(http::is_ok(SKIPPER_API, "/readyz")));
        let api = Part::new("skipper-api", dir, parts.join("kubectl"), probe).args([
            "proxy".to_owned(),
            format!("--kubeconfig={}", bed.kubeconfig(User::Admin).display()),
            format!("--address={}", SKIPPER_API.ip()),
            format!("--port={}", SKIPPER_API.port()),
        ]);
        api.start().await?;
        let probe: Probe = Arc::new(|| Box::pin(http::is_ok(SKIPPER_SUPPORT, "/metrics")));
        let skipper = Part::new("skipper", dir, program, probe).args([
            "-kubernetes".to_owned(),
            format!("-kubernetes-url=http://{SKIPPER_API}"),
            "-kubernetes-https-redirect=false".to_owned(),
            format!("-address={SKIPPER_GATEWAY}"),
            format!("-support-listener={SKIPPER_SUPPORT}"),
            "-metrics-flavour=prometheus".to_owned(),
            // The built-in checks read these metrics.
            "-serve-route-metrics".to_owned(),
            "-proxy-preserve-host=true".to_owned(),
            "-access-log-disabled".to_owned(),
        ]);
        skipper.start().await?;
        Ok(Self { _parts: [api, skipper] })
    }
}
