//! KEDA's operator next to a bed, without its metrics adapter and webhook. Started by the stories that need it. It
//! scales to zero, from zero, and to the replicas at which it is paused. Between one replica and the maximum it leaves
//! scaling to a HorizontalPodAutoscaler, which has no metrics here.

use std::{fs, sync::Arc};

use anyhow::{Context as _, bail};

use crate::{
    Bed, User,
    addresses::{KEDA, KEDA_GRPC, KEDA_METRICS},
    apply, http,
    part::{Part, Probe, parts_dir},
};

/// The namespace that it uses for itself.
const NAMESPACE: &str = "keda";

/// A running KEDA operator. Dropping it stops it.
pub struct Keda {
    _part: Part,
}

impl Keda {
    /// Defines its kinds, and starts an instance for all namespaces.
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

/// The API server's certificates, under the names that KEDA expects: there is no metrics adapter that would check them.
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
