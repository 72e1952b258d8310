//! etcd, kube-apiserver and kube-controller-manager: their settings, users and kubeconfig files.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow};
use base64::{Engine, engine::general_purpose::STANDARD};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::{
    Api, Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::json;

use crate::{
    Options,
    addresses::{APISERVER, ETCD, ETCD_PEER},
    part::{Part, Probe},
};
use crate::{http, wait};

/// The bytes before a P-256 point in a public key's DER form.
const P256_PREFIX: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Users of the API server. The audit log distinguishes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// Tests and people, with all rights.
    Admin,
    /// The operator: `system:serviceaccount:serin-system:serin`, with the rights its ClusterRole gives it.
    Operator,
    /// An operator with the rights that a story gives it: `system:serviceaccount:serin-system:namespaced`.
    Namespaced,
    /// kube-controller-manager. All rights.
    ControllerManager,
    /// istiod. All rights.
    Istiod,
    /// The test kubelet. All rights.
    Kubelet,
}

impl User {
    const ALL: [Self; 6] =
        [Self::Admin, Self::Operator, Self::Namespaced, Self::ControllerManager, Self::Istiod, Self::Kubelet];

    /// A short name for files and tokens.
    fn short(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Namespaced => "namespaced",
            Self::ControllerManager => "controller-manager",
            Self::Istiod => "istiod",
            Self::Kubelet => "kubelet",
        }
    }

    /// The name in the audit log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "system:serviceaccount:serin-system:serin",
            Self::Namespaced => "system:serviceaccount:serin-system:namespaced",
            other => other.short(),
        }
    }

    fn groups(self) -> &'static str {
        match self {
            Self::Operator | Self::Namespaced => {
                "system:serviceaccounts,system:serviceaccounts:serin-system,system:authenticated"
            }
            _ => "system:masters,system:authenticated",
        }
    }
}

pub(super) struct ControlPlane {
    dir: PathBuf,
    pub(super) etcd: Part,
    pub(super) apiserver: Part,
    pub(super) manager: Part,
}

impl ControlPlane {
    /// Writes keys, users and policies. Starts nothing.
    pub(super) fn new(dir: &Path, parts: &Path, options: &Options) -> anyhow::Result<Self> {
        write_files(dir, options)?;
        let etcd = etcd(dir, parts);
        let apiserver = apiserver(dir, parts);
        let manager = manager(dir, parts);
        let plane = Self { dir: dir.to_owned(), etcd, apiserver, manager };
        for user in User::ALL {
            plane.write_kubeconfig(user, &format!("https://{APISERVER}"), user.short())?;
        }
        Ok(plane)
    }

    /// Starts etcd and the API server in parallel: the API server takes longer to start than etcd.
    pub(super) async fn start(&self) -> anyhow::Result<Vec<(&'static str, Duration)>> {
        let (etcd, apiserver) = tokio::try_join!(self.etcd.start(), self.apiserver.start())?;
        Ok(vec![("etcd", etcd), ("kube-apiserver", apiserver)])
    }

    /// Starts the controller manager. It is ready when it has created its first object.
    pub(super) async fn start_manager(&self, admin: &Client) -> anyhow::Result<Duration> {
        let began = Instant::now();
        self.manager.start().await?;
        let accounts: Api<ServiceAccount> = Api::namespaced(admin.clone(), "default");
        wait::object(accounts, "default", Duration::from_secs(60), |_| true)
            .await
            .with_context(|| format!("end of the controller manager's log:\n{}", self.manager.log_tail()))?;
        Ok(began.elapsed())
    }

    pub(super) fn parts(&self) -> [&Part; 3] {
        [&self.manager, &self.apiserver, &self.etcd]
    }

    pub(super) fn kubeconfig(&self, user: User) -> PathBuf {
        kubeconfig_path(&self.dir, user.short())
    }

    pub(super) async fn client(&self, user: User) -> anyhow::Result<Client> {
        client(self.kubeconfig(user)).await
    }

    pub(super) fn write_kubeconfig(&self, user: User, server: &str, file: &str) -> anyhow::Result<PathBuf> {
        let cluster =
            json!({"server": server, "certificate-authority": self.dir.join("certs/apiserver.crt")});
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "bed",
            "clusters": [{"name": "bed", "cluster": cluster}],
            "users": [{"name": user.short(), "user": {"token": token(user)}}],
            "contexts": [{"name": "bed", "context": {"cluster": "bed", "user": user.short()}}],
        });
        let path = kubeconfig_path(&self.dir, file);
        fs::write(&path, config.to_string()).context("writing a kubeconfig")?;
        Ok(path)
    }
}

async fn client(kubeconfig: PathBuf) -> anyhow::Result<Client> {
    let file = Kubeconfig::read_from(kubeconfig)?;
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}

fn kubeconfig_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.kubeconfig"))
}

fn token(user: User) -> String {
    format!("{}-token", user.short())
}

fn write_files(dir: &Path, options: &Options) -> anyhow::Result<()> {
    let users: Vec<String> = User::ALL
        .into_iter()
        .map(|user| format!("{},{},{},\"{}\"", token(user), user.name(), user.short(), user.groups()))
        .collect();
    fs::write(dir.join("tokens.csv"), users.join("\n")).context("writing the users")?;
    let bodies = if options.audit_bodies { include_str!("files/audit-bodies.yaml") } else { "" };
    let policy = include_str!("files/audit.yaml").replace("# BODIES\n", bodies);
    fs::write(dir.join("audit.yaml"), policy).context("writing the audit policy")?;
    let (private, public) = key_pair().context("making the key of service account tokens")?;
    fs::write(dir.join("sa.key"), private).context("writing the private key")?;
    fs::write(dir.join("sa.pub"), public).context("writing the public key")
}

/// The key pair that signs service account tokens, in PEM format.
fn key_pair() -> anyhow::Result<(String, String)> {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
    let private = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(|error| anyhow!("{error}"))?;
    let pair =
        EcdsaKeyPair::from_pkcs8(algorithm, private.as_ref(), &random).map_err(|error| anyhow!("{error}"))?;
    let public = [P256_PREFIX, pair.public_key().as_ref()].concat();
    let pem = |kind: &str, der: &[u8]| {
        format!("-----BEGIN {kind} KEY-----\n{}\n-----END {kind} KEY-----\n", STANDARD.encode(der))
    };
    Ok((pem("PRIVATE", private.as_ref()), pem("PUBLIC", &public)))
}

fn etcd(dir: &Path, parts: &Path) -> Part {
    let probe: Probe = Arc::new(|| Box::pin(http::is_ok(ETCD, "/health")));
    Part::new("etcd", dir, parts.join("etcd"), probe).args([
        format!("--data-dir={}", dir.join("etcd").display()),
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
        format!("--listen-client-urls=http://{ETCD}"),
        format!("--advertise-client-urls=http://{ETCD}"),
        format!("--listen-peer-urls=http://{ETCD_PEER}"),
        format!("--initial-advertise-peer-urls=http://{ETCD_PEER}"),
        format!("--initial-cluster=default=http://{ETCD_PEER}"),
    ])
}

fn apiserver(dir: &Path, parts: &Path) -> Part {
    let admin = kubeconfig_path(dir, User::Admin.short());
    let probe: Probe = Arc::new(move || {
        let admin = admin.clone();
        Box::pin(async move {
            // The certificate that it names does not exist before the server's first start.
            let Ok(client) = client(admin).await else { return false };
            let Ok(request) = hyper::Request::get("/readyz").body(Vec::new()) else { return false };
            client.request_text(request).await.is_ok_and(|text| text == "ok")
        })
    });
    let file = |name: &str| dir.join(name).display().to_string();
    Part::new("kube-apiserver", dir, parts.join("kube-apiserver"), probe).args([
        format!("--etcd-servers=http://{ETCD}"),
        format!("--cert-dir={}", file("certs")),
        format!("--bind-address={}", APISERVER.ip()),
        format!("--secure-port={}", APISERVER.port()),
        // Without a default route it exits unless this is set.
        "--advertise-address=10.244.255.1".to_owned(),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        format!("--service-account-key-file={}", file("sa.pub")),
        format!("--service-account-signing-key-file={}", file("sa.key")),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        "--authorization-mode=RBAC".to_owned(),
        format!("--token-auth-file={}", file("tokens.csv")),
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        "--allow-privileged=true".to_owned(),
        format!("--audit-policy-file={}", file("audit.yaml")),
        format!("--audit-log-path={}", file("audit.log")),
        "--audit-log-maxsize=10000".to_owned(),
    ])
}

fn manager(dir: &Path, parts: &Path) -> Part {
    let config = kubeconfig_path(dir, User::ControllerManager.short()).display().to_string();
    // Its readiness is checked by its work, not by its probe: see `start_manager`.
    let probe: Probe = Arc::new(|| Box::pin(async { true }));
    Part::new("kube-controller-manager", dir, parts.join("kube-controller-manager"), probe).args([
        format!("--kubeconfig={config}"),
        format!("--authentication-kubeconfig={config}"),
        format!("--authorization-kubeconfig={config}"),
        format!("--service-account-private-key-file={}", dir.join("sa.key").display()),
        "--use-service-account-credentials=false".to_owned(),
        "--leader-elect=false".to_owned(),
        // No kubelet renews a lease, so this controller would mark the node and its pods as lost.
        "--controllers=*,-node-lifecycle-controller".to_owned(),
        "--secure-port=0".to_owned(),
        // The default of 20 per second is the bottleneck with hundreds of Deployments.
        "--kube-api-qps=500".to_owned(),
        "--kube-api-burst=1000".to_owned(),
    ])
}
