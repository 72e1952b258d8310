//! KEDA beside a bed, started by the stories that need it: its operator, which makes the certificates of both as in a cluster, and
//! its metrics server, which the API server has for `external.metrics.k8s.io`. So the HorizontalPodAutoscalers that KEDA makes
//! have metrics. Its webhook is not there.
//!
//! The API server has no certificate by which such servers would know whom it speaks for: for the metrics server everybody is
//! anonymous, and may read.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::{
    Bed, User,
    addresses::{KEDA, KEDA_ADAPTER, KEDA_ADAPTER_METRICS, KEDA_GRPC, KEDA_METRICS},
    apply, http,
    part::{Part, Probe, parts_dir},
    wait,
};

/// The namespace that it uses for itself.
const NAMESPACE: &str = "keda";
/// What its metrics server is asked for.
const GROUP: &str = "/apis/external.metrics.k8s.io/v1beta1";
/// The Secret in which the operator leaves the certificates.
const CERTIFICATES: &str = "kedaorg-certs";
/// How long the operator may take to make them.
const MADE: Duration = Duration::from_secs(90);

/// A running KEDA. Dropping it ends it.
pub struct Keda {
    operator: Part,
    adapter: Part,
}

impl Keda {
    /// Defines its kinds, and starts an instance for all namespaces.
    ///
    /// # Errors
    /// It is not built, or does not become ready.
    pub async fn start(bed: &Bed) -> anyhow::Result<Self> {
        let parts = parts_dir()?;
        if !["keda", "keda-adapter"].iter().all(|part| parts.join(part).exists()) {
            bail!("KEDA is not built: run `e2e/parts/build.sh keda` once");
        }
        let kinds = fs::read_to_string(parts.join("keda-crds.yaml")).context("reading KEDA's definitions")?;
        bed.namespace(NAMESPACE).await?;
        bed.apply(NAMESPACE, apply::parse(&kinds)?).await.context("applying KEDA's definitions")?;
        bed.apply(NAMESPACE, served()).await.context("applying the objects of KEDA's metrics server")?;
        let certificates = bed.dir().join("keda-certs");
        fs::create_dir_all(&certificates).context("making a folder")?;
        let keda = Self {
            operator: operator(bed, parts.join("keda"), &certificates),
            adapter: adapter(bed, parts.join("keda-adapter"), &certificates),
        };
        keda.certified(bed, &certificates).await.context("waiting for KEDA's certificates")?;
        keda.begin().await?;
        Ok(keda)
    }

    /// Starts both again, as after an upgrade, and waits until metrics can be had.
    ///
    /// # Errors
    /// One of them does not become ready.
    pub async fn begin(&self) -> anyhow::Result<()> {
        self.operator.start().await?;
        self.adapter.start().await?;
        Ok(())
    }

    /// Ends both: nothing scales, and the API server has nobody to ask for metrics.
    ///
    /// # Errors
    /// One of them cannot be signalled.
    pub async fn end(&self) -> anyhow::Result<()> {
        self.adapter.stop().await?;
        self.operator.stop().await
    }

    /// Has the operator make the certificates, after which it ends as it does in a cluster, and puts them where the kubelet would.
    async fn certified(&self, bed: &Bed, folder: &std::path::Path) -> anyhow::Result<()> {
        self.operator.spawn().await?;
        let ended = async || self.operator.alive().await.is_err().then_some(());
        wait::until("KEDA's operator to end", MADE, ended).await?;
        self.operator.stop().await?;
        let secrets: Api<Secret> = Api::namespaced(bed.admin(), NAMESPACE);
        let made = secrets.get(CERTIFICATES).await.with_context(|| self.operator.log_tail())?;
        for (file, content) in made.data.unwrap_or_default() {
            fs::write(folder.join(&file), content.0).with_context(|| format!("writing {file}"))?;
        }
        Ok(())
    }
}

/// What leads from the API server to the metrics server. Its certificate authority is filled in by the operator.
fn served() -> Vec<Value> {
    let role = "keda-external-metrics-reader";
    vec![
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "keda-metrics-apiserver"},
            "spec": {"type": "ExternalName", "externalName": KEDA_ADAPTER.ip().to_string()},
        }),
        json!({
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
            "metadata": {"name": "v1beta1.external.metrics.k8s.io"},
            "spec": {
                "group": "external.metrics.k8s.io", "version": "v1beta1",
                "groupPriorityMinimum": 100, "versionPriority": 100,
                "service": {"name": "keda-metrics-apiserver", "namespace": NAMESPACE, "port": KEDA_ADAPTER.port()},
            },
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": role},
            "rules": [
                {"apiGroups": ["external.metrics.k8s.io"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
                {"nonResourceURLs": ["/apis", "/apis/*", "/openapi/*"], "verbs": ["get"]},
            ],
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": role},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:anonymous"}],
        }),
    ]
}

fn operator(bed: &Bed, program: PathBuf, certificates: &std::path::Path) -> Part {
    let probe: Probe = Arc::new(|| Box::pin(http::is_ok(KEDA, "/readyz")));
    Part::new("keda", bed.dir(), program, probe)
        .args([
            format!("--kubeconfig={}", bed.kubeconfig(User::Admin).display()),
            format!("--health-probe-bind-address={KEDA}"),
            format!("--metrics-bind-address={KEDA_METRICS}"),
            format!("--metrics-service-bind-address={KEDA_GRPC}"),
            format!("--cert-dir={}", certificates.display()),
            "--enable-cert-rotation=true".to_owned(),
            "--enable-webhook-patching=false".to_owned(),
        ])
        .env(environment())
}

fn adapter(bed: &Bed, program: PathBuf, certificates: &std::path::Path) -> Part {
    let admin = bed.admin();
    // What matters is that the API server gets answers, not what it says itself.
    let probe: Probe = Arc::new(move || {
        let admin = admin.clone();
        Box::pin(async move { is_served(&admin).await })
    });
    let config = bed.kubeconfig(User::Admin).display().to_string();
    let file = |name: &str| certificates.join(name).display().to_string();
    Part::new("keda-adapter", bed.dir(), program, probe)
        .args([
            format!("--kubeconfig={config}"),
            format!("--lister-kubeconfig={config}"),
            format!("--authentication-kubeconfig={config}"),
            format!("--authorization-kubeconfig={config}"),
            "--authentication-skip-lookup=true".to_owned(),
            format!("--bind-address={}", KEDA_ADAPTER.ip()),
            format!("--secure-port={}", KEDA_ADAPTER.port()),
            format!("--port={KEDA_ADAPTER_METRICS}"),
            format!("--cert-dir={}", certificates.display()),
            format!("--tls-cert-file={}", file("tls.crt")),
            format!("--tls-private-key-file={}", file("tls.key")),
            format!("--metrics-service-address={KEDA_GRPC}"),
            format!("--metrics-service-grpc-authority=keda-operator.{NAMESPACE}.svc"),
        ])
        .env(environment())
}

async fn is_served(admin: &Client) -> bool {
    let Ok(request) = hyper::Request::get(GROUP).body(Vec::new()) else { return false };
    admin.request_text(request).await.is_ok()
}

fn environment() -> [(String, String); 3] {
    [("WATCH_NAMESPACE", ""), ("POD_NAMESPACE", NAMESPACE), ("KEDA_CLUSTER_OBJECT_NAMESPACE", NAMESPACE)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
}
