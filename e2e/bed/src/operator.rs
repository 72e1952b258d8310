//! The operator as a process: the real binary with the shipped rights. Tests kill and restart it.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use anyhow::{Context, bail};
use rustix::process::Signal;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::{
    Bed, OPERATOR_IP, User, http,
    part::{signal, spawn, tail},
    wait,
};

/// Names another binary than the one next to this program.
const BINARY: &str = "SERIN_BIN";
/// The first operator's port, below the ephemeral ports, and not used by pods.
const FIRST_PORT: u16 = 20080;

/// A `serin run`. Dropping it kills the process.
pub struct Operator {
    program: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
    log: PathBuf,
    address: SocketAddr,
    child: Option<Child>,
}

impl Operator {
    /// Starts the operator with the bed's kubeconfig, Prometheus and a free port, unless `args` set others.
    ///
    /// Returns immediately, see [`ready`](Self::ready). Several operators may run in one bed.
    pub fn start(bed: &Bed, args: &[&str], env: &[(&str, &str)]) -> anyhow::Result<Self> {
        static PORT: AtomicU16 = AtomicU16::new(FIRST_PORT);
        let port = PORT.fetch_add(1, Ordering::Relaxed);
        let mut all = vec!["run".to_owned()];
        let kubeconfig = bed.kubeconfig(User::Operator).display().to_string();
        let defaults = [
            ("--kubeconfig", kubeconfig),
            ("--metrics-server", bed.prometheus_url()),
            ("--port", port.to_string()),
        ];
        for (flag, value) in defaults {
            let given = args.iter().any(|arg| *arg == flag || arg.starts_with(&format!("{flag}=")));
            if !given {
                all.push(format!("{flag}={value}"));
            }
        }
        all.extend(args.iter().map(|arg| (*arg).to_owned()));
        let mut operator = Self {
            program: binary()?,
            args: all,
            env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            log: bed.dir().join(format!("serin-{port}.log")),
            address: SocketAddr::from((OPERATOR_IP, port)),
            child: None,
        };
        operator.spawn()?;
        Ok(operator)
    }

    /// The address of its metrics and probes.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The running binary.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Its process id in the bed, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Waits until `/readyz` returns 200. Fails immediately if the process has ended.
    pub async fn ready(&mut self, limit: Duration) -> anyhow::Result<()> {
        let child = self.child.as_mut().context("the operator is not running")?;
        let ready = wait::until("the operator to be ready", limit, async || {
            http::is_ok(self.address, "/readyz").await.then_some(())
        });
        let outcome = tokio::select! {
            outcome = ready => outcome,
            status = child.wait() => Err(anyhow::anyhow!("the operator ended with {}", status?)),
        };
        outcome.with_context(|| format!("end of its log:\n{}", tail(&self.log)))
    }

    /// Sends SIGKILL, and waits until the process is gone.
    pub async fn kill9(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await.context("killing the operator")?;
        }
        Ok(())
    }

    /// Sends SIGTERM. See [`wait_exit`](Self::wait_exit).
    pub fn term(&self) -> anyhow::Result<()> {
        self.send(Signal::TERM)
    }

    /// Freezes it.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.send(Signal::STOP)
    }

    /// Resumes it.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.send(Signal::CONT)
    }

    /// Waits for the process to end.
    pub async fn wait_exit(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        let child = self.child.as_mut().context("the operator is not running")?;
        let status = timeout(limit, child.wait()).await.context("the operator does not end")??;
        self.child = None;
        Ok(status)
    }

    /// Kills it, if it still runs, and starts it with the same arguments.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.kill9().await?;
        self.spawn()
    }

    /// Its complete log, across restarts.
    pub fn logs(&self) -> anyhow::Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.log).context("reading the operator's log")?).into_owned())
    }

    /// Its `/metrics`.
    pub async fn metrics(&self) -> anyhow::Result<String> {
        let reply = http::get(self.address, "/metrics").await?;
        if reply.status != 200 {
            bail!("/metrics answered {}", reply.status);
        }
        Ok(reply.text())
    }

    fn send(&self, what: Signal) -> anyhow::Result<()> {
        signal(self.child.as_ref().context("the operator is not running")?, what)
    }

    fn spawn(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(&self.program);
        // the machine's proxies cannot reach the servers of the bed
        for name in ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        self.child = Some(spawn(&mut command, &self.log)?);
        Ok(())
    }
}

/// The operator binary under test: `$SERIN_BIN`, or `serin` in this program's folder or the parent folder (tests run in
/// `deps/`).
///
/// # Errors
/// There is no such binary.
pub fn binary() -> anyhow::Result<PathBuf> {
    if let Some(path) = env::var_os(BINARY) {
        return Ok(path.into());
    }
    let program = env::current_exe()?;
    program
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("serin"))
        .find(|path| path.is_file())
        .with_context(|| format!("no `serin` beside {}: build it, or set {BINARY}", program.display()))
}
