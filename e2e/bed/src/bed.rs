//! A bed: the real parts, connected to each other, and ready when [`Bed::start`] returns.
//!
//! Decides which parts run, where they listen, and in which order they start. The settings of each part are in its own
//! module: [`control_plane`](crate::control_plane), [`mesh`], [`proxies`], [`prometheus`]. The
//! [`kubelet`](crate::kubelet) simulates pods.
//!
//! All addresses are fixed, because each bed has its own network namespace (see [`enter`](crate::enter)). A process
//! runs one bed at a time.

use std::{
    env, fs, future,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::Context;
use futures::future::try_join_all;
use kube::Client;
use serde_json::Value;

use crate::{
    addresses, apply,
    control_plane::{ControlPlane, User},
    kubelet::Kubelet,
    mesh::{self, Mesh},
    namespace,
    options::Options,
    part::{Part, parts_dir},
    prometheus,
    proxies::{self, Proxies},
    proxy::Proxy,
    scripted::Scripted,
};

/// A running bed. Dropping it kills every process.
pub struct Bed {
    base: PathBuf,
    dir: PathBuf,
    control_plane: ControlPlane,
    mesh: Option<Mesh>,
    proxies: Option<Proxies>,
    prometheus: Option<Part>,
    scripted: Scripted,
    kubelet: Option<Kubelet>,
    admin: Client,
    timings: Vec<(&'static str, Duration)>,
}

impl Bed {
    /// Starts a bed and returns when every part is ready. [`enter`](crate::enter) must have been called.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        static BEDS: AtomicUsize = AtomicUsize::new(0);
        let base = namespace::base_dir().context("serin_bed::enter() must be called first in main")?;
        options.fit_together()?;
        // A second installation fails, which does no harm.
        rustls::crypto::ring::default_provider().install_default().ok();
        let dir = base.join(format!("bed{}", BEDS.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir(&dir).with_context(|| format!("creating {}", dir.display()))?;
        let parts = parts_dir()?;
        let began = Instant::now();

        let control_plane = ControlPlane::new(&dir, &parts, &options)?;
        let scripted = Scripted::start().await?;
        let crds = async { if options.istio { mesh::read_crds(&parts).await } else { Ok(Vec::new()) } };
        let (mut timings, crds) = tokio::try_join!(control_plane.start(), crds)?;

        let admin = control_plane.client(User::Admin).await?;
        let mesh = options.istio.then(|| Mesh::new(&dir, &parts, &control_plane, &options)).transpose()?;
        let proxies = (!options.proxies.is_empty())
            .then(|| Proxies::new(&options.proxies, &dir, &parts, &control_plane))
            .transpose()?;
        let kubeconfig = control_plane.kubeconfig(User::Admin);
        let prometheus =
            options.prometheus.then(|| prometheus::part(&dir, &parts, &kubeconfig)).transpose()?;
        let start_prometheus = async {
            match &prometheus {
                Some(part) => part.start().await.map(Some),
                None => Ok(None),
            }
        };
        let start_mesh = async {
            match &mesh {
                Some(mesh) => served(mesh, proxies.as_ref(), &admin, &parts, crds).await,
                None => Ok(Vec::new()),
            }
        };
        let kubelet = async {
            if !options.kubelet {
                return Ok(None);
            }
            let client = control_plane.client(User::Kubelet).await?;
            Kubelet::start(client, options.backends).await.map(Some)
        };
        let (manager_took, prometheus_took, mesh_took, kubelet) =
            tokio::try_join!(control_plane.start_manager(&admin), start_prometheus, start_mesh, kubelet)?;
        timings.push(("kube-controller-manager", manager_took));
        timings.extend(prometheus_took.map(|took| ("prometheus", took)));
        timings.extend(mesh_took);
        timings.push(("all", began.elapsed()));

        let bed =
            Self { base, dir, control_plane, mesh, proxies, prometheus, scripted, kubelet, admin, timings };
        bed.write_env(&parts)?;
        Ok(bed)
    }

    /// With `KEEP` set, prints how to enter the bed, and waits until the program is interrupted. Otherwise returns
    /// immediately. Meant for use after a failure.
    pub async fn keep(&self) {
        if env::var_os(namespace::KEEP).is_some() {
            let text = format!("The bed is kept until Ctrl-C. To enter it: {} bash", self.in_bed().display());
            // Without standard error there is nobody to inform, but the wait still helps.
            writeln!(io::stderr(), "{text}").ok();
            future::pending::<()>().await;
        }
    }

    /// Kills every process and waits until they are gone.
    pub async fn stop(self) -> anyhow::Result<()> {
        drop(self.kubelet);
        let mesh = self.mesh.iter().flat_map(Mesh::parts);
        let proxies = self.proxies.iter().flat_map(Proxies::parts);
        let parts = self.control_plane.parts().into_iter().chain(mesh).chain(proxies).chain(&self.prometheus);
        try_join_all(parts.map(Part::kill)).await?;
        Ok(())
    }

    /// A client with all rights.
    pub fn admin(&self) -> Client {
        self.admin.clone()
    }

    /// A client with the rights of `user`.
    pub async fn client(&self, user: User) -> anyhow::Result<Client> {
        self.control_plane.client(user).await
    }

    /// The kubeconfig file of `user`.
    pub fn kubeconfig(&self, user: User) -> PathBuf {
        self.control_plane.kubeconfig(user)
    }

    /// A kubeconfig file of `user` for another server, such as a proxy in front of the API server.
    pub fn kubeconfig_to(&self, user: User, server: &str, file: &str) -> anyhow::Result<PathBuf> {
        self.control_plane.write_kubeconfig(user, server, file)
    }

    /// The bed's own folder: logs, kubeconfigs, data.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The script that runs a command inside the bed, for users and for `KEEP=1`.
    pub fn in_bed(&self) -> PathBuf {
        self.base.join("in-bed")
    }

    /// The API server's audit log: one JSON object per line, written before the answer is sent.
    pub fn audit_log(&self) -> PathBuf {
        self.dir.join("audit.log")
    }

    /// How long each part took to become ready. `all` is the total.
    pub fn timings(&self) -> &[(&'static str, Duration)] {
        &self.timings
    }

    /// Applies YAML documents, server-side, as admin. Objects without a namespace go to `namespace`, which is created
    /// if it does not exist.
    pub async fn apply_yaml(&self, namespace: &str, yaml: &str) -> anyhow::Result<()> {
        apply::ensure_namespace(&self.admin, namespace).await?;
        self.apply(namespace, apply::parse(yaml)?).await
    }

    /// Applies objects, server-side, as admin. Namespaced objects without a namespace go to `namespace`.
    pub async fn apply(&self, namespace: &str, objects: Vec<Value>) -> anyhow::Result<()> {
        apply::apply(&self.admin, namespace, objects).await
    }

    /// Creates a namespace, if it does not exist.
    pub async fn namespace(&self, name: &str) -> anyhow::Result<()> {
        apply::ensure_namespace(&self.admin, name).await
    }

    /// Removes a namespace from the mesh. Otherwise the proxy reads the routes and Services of all finished stories
    /// whenever another story changes one, and lags seconds behind in later stories.
    pub async fn leave_mesh(&self, namespace: &str) -> anyhow::Result<()> {
        apply::label_namespace(&self.admin, namespace, mesh::LEFT).await
    }

    /// Installs the operator as users do: `crd/*.yaml` and `deploy/install.yaml` (if it exists), without the
    /// Deployments, because the operator runs as a process.
    pub async fn install(&self) -> anyhow::Result<()> {
        apply::install(&self.admin).await
    }

    /// Defines the kinds of Contour and Traefik, also on a bed without these proxies.
    pub async fn define_routes(&self) -> anyhow::Result<()> {
        proxies::kinds(&Proxy::ALL, &self.admin, &parts_dir()?).await
    }

    /// Creates an Istio `Gateway` named `gateway` in `namespace`, which listens at [`GATEWAY`] for `hosts`.
    pub async fn gateway(&self, namespace: &str, hosts: &[&str]) -> anyhow::Result<()> {
        self.namespace(namespace).await?;
        self.apply(namespace, vec![mesh::gateway(hosts)]).await
    }

    /// Makes `host` resolve to `ip` for every process in the bed.
    pub fn name(&self, host: &str, ip: &str) -> anyhow::Result<()> {
        namespace::add_host(&self.base, host, ip)
    }

    /// The Prometheus address to give to the operator.
    pub fn prometheus_url(&self) -> String {
        format!("http://{}", addresses::PROMETHEUS)
    }

    /// The values of an instant query, one per series.
    pub async fn query(&self, promql: &str) -> anyhow::Result<Vec<f64>> {
        prometheus::query(promql).await
    }

    /// Makes Prometheus evaluate these groups of rules every second. The format is that of a rule file.
    pub async fn rules(&self, groups: &Value) -> anyhow::Result<()> {
        prometheus::load_rules(&self.dir, groups).await
    }

    /// Series with values that tests choose.
    pub fn scripted(&self) -> &Scripted {
        &self.scripted
    }

    /// The simulator of nodes and pods.
    pub fn kubelet(&self) -> anyhow::Result<&Kubelet> {
        self.kubelet.as_ref().context("this bed has no kubelet")
    }

    /// etcd.
    pub fn etcd(&self) -> &Part {
        &self.control_plane.etcd
    }

    /// kube-apiserver.
    pub fn apiserver(&self) -> &Part {
        &self.control_plane.apiserver
    }

    /// kube-controller-manager.
    pub fn controller_manager(&self) -> &Part {
        &self.control_plane.manager
    }

    /// istiod.
    pub fn istiod(&self) -> anyhow::Result<&Part> {
        self.mesh.as_ref().map(|mesh| &mesh.istiod).context("this bed has no istiod")
    }

    /// Envoy, the ingress gateway.
    pub fn envoy(&self) -> anyhow::Result<&Part> {
        self.mesh.as_ref().and_then(|mesh| mesh.envoy.as_ref()).context("this bed has no Envoy")
    }

    /// Prometheus.
    pub fn prometheus(&self) -> anyhow::Result<&Part> {
        self.prometheus.as_ref().context("this bed has no Prometheus")
    }

    /// Writes the environment variables for the `in-bed` script.
    fn write_env(&self, parts: &Path) -> anyhow::Result<()> {
        let config = self.kubeconfig(User::Admin);
        let text = format!("export KUBECONFIG={}\nexport PATH={}:$PATH\n", config.display(), parts.display());
        fs::write(self.base.join("env"), text).context("writing the environment of in-bed")
    }
}

/// Defines the kinds that istiod and the proxies read, then starts istiod and the proxies.
async fn served(
    mesh: &Mesh,
    proxies: Option<&Proxies>,
    admin: &Client,
    parts: &Path,
    crds: Vec<Value>,
) -> anyhow::Result<Vec<(&'static str, Duration)>> {
    mesh.define(admin, crds).await?;
    let Some(proxies) = proxies else { return mesh.start().await };
    proxies.define(admin, parts).await?;
    let mut timings = mesh.start().await?;
    timings.extend(proxies.start().await?);
    Ok(timings)
}
