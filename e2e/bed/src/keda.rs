//! KEDA's operator beside a bed, without its metrics adapter and its webhook: started by those that need it. What it does to
//! replicas by itself (to zero and from it, and while it is paused) is the operator's; between one and the maximum it leaves
//! them to an HorizontalPodAutoscaler, which has no metrics here.

use std::{fs, sync::Arc};

use anyhow::{Context as _, bail};

use crate::{
    Bed, User,
    addresses::{KEDA, KEDA_GRPC, KEDA_METRICS},
    apply, http,
    part::{Part, Probe, parts_dir},
};

/// The namespace that it takes for its own.
const NAMESPACE: &str = "keda";

/// A running operator of KEDA. Dropping it ends it.
pub struct Keda {
    _part: Part,
}

impl Keda {
    /// Defines its kinds, and starts one for all namespaces.
    ///
    /// # Errors
    /// It is not built, or does not become ready.
    pub async fn start(bed: &Bed) -> anyhow::Result<Self> {
        let parts = parts_dir()?;
        let program = parts.join("keda");
        if !program.exists() {
            bail!("KEDA is not built: run `e2e/parts/build.sh nightly` once");
        }
        let kinds = fs::read_to_string(parts.join("keda-crds.yaml")).context("reading KEDA's definitions")?;
        bed.namespace(NAMESPACE).await?;
        bed.apply(NAMESPACE, apply::parse(&kinds)?).await.context("applying KEDA's definitions")?;
        let probe: Probe = Arc::new(|| Box::pin(http::is_ok(KEDA, "/readyz")));
        let part = Part::new("keda", bed.dir(), program, probe)
            .args([
                format!("--kubeconfig={}", bed.kubeconfig(User::Admin).display()),
                format!("--health-probe-bind-address={KEDA}"),
                format!("--metrics-bind-address={KEDA_METRICS}"),
                format!("--metrics-service-bind-address={KEDA_GRPC}"),
                format!("--cert-dir={}", certificates(bed)?.display()),
            ])
            .env([("WATCH_NAMESPACE", ""), ("KEDA_CLUSTER_OBJECT_NAMESPACE", NAMESPACE)].map(owned));
        part.start().await?;
        Ok(Self { _part: part })
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Under the names that it looks for: those of the API server, as nobody asks it for metrics.
fn certificates(bed: &Bed) -> anyhow::Result<std::path::PathBuf> {
    let (from, to) = (bed.dir().join("certs"), bed.dir().join("keda-certs"));
    fs::create_dir_all(&to).context("making a folder")?;
    for (file, source) in
        [("ca.crt", "apiserver.crt"), ("tls.crt", "apiserver.crt"), ("tls.key", "apiserver.key")]
    {
        fs::copy(from.join(source), to.join(file)).context("copying a certificate")?;
    }
    Ok(to)
}
