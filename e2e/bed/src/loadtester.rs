//! The load tester as a process: the real binary with the shipped rights, reachable under the name of its Service.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, ensure};
use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::ServiceAccount,
};
use kube::{Api, api::PostParams, config::Kubeconfig};
use serde_json::{Value, json};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    task::JoinSet,
};

use crate::{
    Bed, User, http, operator,
    part::{spawn, tail},
    wait,
};

/// The address of its Service, port 80.
const SERVICE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 244, 255, 6)), 80);
/// Its own port, below the ephemeral ports, and not used by pods.
const PORT: u16 = 21080;
/// The name of its account, Role and Service in `deploy/loadtester`.
const NAME: &str = "flagger-loadtester";

/// Replaces the load program of Flagger's documentation: the same arguments and the same number of requests, but one at
/// a time. the other.
const HEY: &str = r#"#!/bin/sh
host= each=1 clients=1 seconds=1 url=
while [ $# -gt 0 ]; do
    case "$1" in
    -z) case "$2" in *m) seconds=$((${2%m} * 60)) ;; *) seconds=${2%s} ;; esac; shift 2 ;;
    -q) each=$2; shift 2 ;;
    -c) clients=$2; shift 2 ;;
    -host) host=$2; shift 2 ;;
    *) url=$1; shift ;;
    esac
done
rate=$((each * clients))
exec curl -s --no-progress-meter -o /dev/null --rate "$rate/s" \
    ${host:+-H} ${host:+"Host: $host"} "${url%/}/?n=[1-$((rate * seconds))]"
"#;

/// A `serin-loadtester`. Dropping it kills the process. A bed has at most one.
pub struct LoadTester {
    program: PathBuf,
    kubeconfig: PathBuf,
    environment: PathBuf,
    log: PathBuf,
    /// A folder that comes first in its PATH.
    tools: PathBuf,
    namespace: String,
    arguments: Vec<String>,
    child: Option<Child>,
    _service: JoinSet<()>,
}

impl LoadTester {
    /// Starts it in a namespace, with the account and the rights of `deploy/loadtester`, under the name
    /// `flagger-loadtester.<namespace>`. Waits until it answers.
    pub async fn start(bed: &Bed, namespace: &str) -> anyhow::Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/loadtester");
        for file in ["serviceaccount", "role", "rolebinding"] {
            let path = folder.join(format!("{file}.yaml"));
            let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            bed.apply_yaml(namespace, &text.replace("namespace: test", &format!("namespace: {namespace}")))
                .await?;
        }
        // here, requests through its Service come from loopback
        let arguments = ["-allow-commands=kubectl", "-gate-changes=anyone"].map(String::from);
        Self::start_as(bed, namespace, arguments.into()).await
    }

    /// The same with an existing account and rights, and these arguments.
    pub async fn start_as(bed: &Bed, namespace: &str, arguments: Vec<String>) -> anyhow::Result<Self> {
        bed.name(&format!("{NAME}.{namespace}"), &SERVICE.ip().to_string())?;
        let listener = TcpListener::bind(SERVICE).await.context("listening as the Service")?;
        let mut service = JoinSet::new();
        service.spawn(pass_on(listener));
        let mut tester = Self {
            program: operator::binary()?.with_file_name("serin-loadtester"),
            kubeconfig: kubeconfig(bed, namespace).await?,
            environment: bed.in_bed().with_file_name("env"),
            log: bed.dir().join("serin-loadtester.log"),
            tools: with_hey(bed.dir())?,
            namespace: namespace.to_owned(),
            arguments,
            child: None,
            _service: service,
        };
        tester.spawn().await?;
        Ok(tester)
    }

    /// Kills it, if it still runs, and starts it with the same arguments.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await.context("killing the load tester")?;
        }
        self.spawn().await
    }

    /// Lets commands call this program under the given name.
    pub fn offer(&self, name: &str, program: &Path) -> anyhow::Result<()> {
        std::os::unix::fs::symlink(program, self.tools.join(name)).with_context(|| format!("offering {name}"))
    }

    /// Stops it, so that another one can be started.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        match self.child.take() {
            Some(mut child) => child.kill().await.context("killing the load tester"),
            None => Ok(()),
        }
    }

    /// Posts to a path through the Service. Returns status and text of the answer.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<(u16, String)> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("http://{NAME}.{}{path}", self.namespace);
        let sent = client.post(url).body(body.to_string()).send().await?;
        Ok((sent.status().as_u16(), sent.text().await?))
    }

    /// Its complete log, across restarts.
    pub fn logs(&self) -> anyhow::Result<String> {
        fs::read_to_string(&self.log).context("reading the load tester's log")
    }

    async fn spawn(&mut self) -> anyhow::Result<()> {
        ensure!(
            self.program.is_file(),
            "there is no {}: cargo build --bin serin-loadtester",
            self.program.display()
        );
        // kubectl is in the PATH, and has the rights of the load tester
        let mut command = Command::new("sh");
        command
            .args(["-c", ". \"$0\"; export KUBECONFIG=\"$1\" PATH=\"$2:$PATH\"; shift 2; exec \"$@\""])
            .args([&self.environment, &self.kubeconfig, &self.tools, &self.program])
            .arg(format!("-port={PORT}"))
            .arg(format!("-kubeconfig={}", self.kubeconfig.display()))
            .args(&self.arguments);
        self.child = Some(spawn(&mut command, &self.log)?);
        let answers = async || http::is_ok(SERVICE, "/healthz").await.then_some(());
        wait::until("the load tester to answer", Duration::from_secs(60), answers)
            .await
            .with_context(|| format!("end of its log:\n{}", tail(&self.log)))
    }
}

/// A folder with a program `hey`.
fn with_hey(folder: &Path) -> anyhow::Result<PathBuf> {
    let tools = folder.join("tools");
    fs::create_dir_all(&tools).context("making a folder for tools")?;
    let hey = tools.join("hey");
    fs::write(&hey, HEY).and_then(|()| fs::set_permissions(&hey, fs::Permissions::from_mode(0o755)))?;
    Ok(tools)
}

/// Forwards connections to the Service, as kube-proxy would.
async fn pass_on(listener: TcpListener) {
    let mut connections = JoinSet::new();
    while let Ok((mut from, _)) = listener.accept().await {
        connections.spawn(async move {
            // nothing listens behind the Service, so the connection breaks
            let Ok(mut to) = TcpStream::connect((Ipv4Addr::LOCALHOST, PORT)).await else { return };
            copy_bidirectional(&mut from, &mut to).await.ok();
        });
        while connections.try_join_next().is_some() {}
    }
}

/// The admin's kubeconfig, with a token of the load tester's account and its namespace.
async fn kubeconfig(bed: &Bed, namespace: &str) -> anyhow::Result<PathBuf> {
    let accounts: Api<ServiceAccount> = Api::namespaced(bed.admin(), namespace);
    let asked = TokenRequest { spec: Some(TokenRequestSpec::default()), ..TokenRequest::default() };
    let made = accounts.create_token_request(NAME, &PostParams::default(), &asked).await?;
    let token = made.status.context("a token without status")?.token;
    let admin = Kubeconfig::read_from(bed.kubeconfig(User::Admin))?;
    let cluster = admin.clusters.first().context("the kubeconfig has a cluster")?.clone();
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "bed",
        "clusters": [cluster],
        "users": [{"name": "tester", "user": {"token": token}}],
        "contexts": [{"name": "bed",
            "context": {"cluster": cluster.name, "user": "tester", "namespace": namespace}}],
    });
    let path = bed.dir().join("loadtester.kubeconfig");
    fs::write(&path, config.to_string()).context("writing a kubeconfig")?;
    Ok(path)
}
