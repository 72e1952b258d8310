//! One process of the bed: started, watched until it is ready, stopped, killed, paused, restarted.
//!
//! It only signals processes that it started itself, and only before they are reaped.

use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use futures::future::BoxFuture;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    sync::Mutex,
    time::timeout,
};

use crate::wait;

/// Maximum time until a part is ready: long, because machines may be busy.
const READY_LIMIT: Duration = Duration::from_secs(120);
/// For parts written in Go: a fifth of the API server's CPU time was spent on garbage collection (16.3 s in eight
/// stories, and 13.1 s with these settings). The heap may grow up to the limit.
const COLLECTED_LESS: [(&str, &str); 2] = [("GOGC", "400"), ("GOMEMLIMIT", "3GiB")];
/// How long a part may take to end after SIGTERM before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Reports whether a part is ready.
pub(crate) type Probe = Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// A process of the bed.
pub struct Part {
    name: &'static str,
    program: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
    log: PathBuf,
    probe: Probe,
    child: Mutex<Option<Child>>,
}

impl Part {
    /// Describes a part without starting it. Its output goes to `<dir>/<name>.log`.
    pub(crate) fn new(name: &'static str, dir: &Path, program: PathBuf, probe: Probe) -> Self {
        let log = dir.join(format!("{name}.log"));
        Self { name, program, args: Vec::new(), env: Vec::new(), log, probe, child: Mutex::new(None) }
    }

    pub(crate) fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub(crate) fn env(mut self, env: impl IntoIterator<Item = (String, String)>) -> Self {
        self.env.extend(env);
        self
    }

    /// Its name, as in the name of its log file.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The file for its output.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Starts it and waits until it is ready. Returns how long that took.
    pub async fn start(&self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        self.spawn().await?;
        self.ready().await?;
        Ok(began.elapsed())
    }

    /// Starts it without waiting.
    pub async fn spawn(&self) -> anyhow::Result<()> {
        let mut child = self.child.lock().await;
        if child.is_some() {
            bail!("{} is already running", self.name);
        }
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .envs(COLLECTED_LESS)
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        *child = Some(spawn(&mut command, &self.log)?);
        Ok(())
    }

    /// Waits until it is ready. Fails immediately, with the end of its log, if it has ended.
    pub async fn ready(&self) -> anyhow::Result<()> {
        let outcome = wait::until(self.name, READY_LIMIT, async || {
            if let Err(dead) = self.alive().await {
                return Some(Err(dead));
            }
            (self.probe)().await.then_some(Ok(()))
        })
        .await;
        outcome.and_then(|inner| inner).with_context(|| format!("end of its log:\n{}", self.log_tail()))
    }

    /// Fails if it is not running.
    pub async fn alive(&self) -> anyhow::Result<()> {
        match self.child.lock().await.as_mut() {
            None => bail!("{} is not running", self.name),
            Some(child) => match child.try_wait()? {
                Some(status) => bail!("{} ended with {status}", self.name),
                None => Ok(()),
            },
        }
    }

    /// Its process id in the bed, while it runs.
    pub async fn pid(&self) -> Option<u32> {
        self.child.lock().await.as_ref().and_then(Child::id)
    }

    /// Kills it with SIGKILL and waits until it is gone.
    pub async fn kill(&self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.lock().await.take() {
            child.kill().await.with_context(|| format!("killing {}", self.name))?;
        }
        Ok(())
    }

    /// Stops it with SIGTERM, or with SIGKILL if it does not react, and waits until it is gone.
    pub async fn stop(&self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.lock().await.take() else { return Ok(()) };
        signal(&child, Signal::TERM)?;
        if timeout(STOP_LIMIT, child.wait()).await.is_err() {
            child.kill().await.with_context(|| format!("killing {}", self.name))?;
        }
        Ok(())
    }

    /// Kills and restarts it.
    pub async fn restart(&self) -> anyhow::Result<Duration> {
        self.kill().await?;
        self.start().await
    }

    /// Pauses it: connections stay open, but nothing answers.
    pub async fn pause(&self) -> anyhow::Result<()> {
        self.send(Signal::STOP).await
    }

    /// Resumes it.
    pub async fn resume(&self) -> anyhow::Result<()> {
        self.send(Signal::CONT).await
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        tail(&self.log)
    }

    async fn send(&self, what: Signal) -> anyhow::Result<()> {
        match self.child.lock().await.as_ref() {
            Some(child) => signal(child, what),
            None => bail!("{} is not running", self.name),
        }
    }
}

/// Starts a program that appends its output to `log`, and that ends at the latest when the child is dropped.
pub(crate) fn spawn(command: &mut Command, log: &Path) -> anyhow::Result<Child> {
    let log = OpenOptions::new().create(true).append(true).open(log).context("opening a log")?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
    command.spawn().with_context(|| format!("starting {}", command.as_std().get_program().display()))
}

/// Sends a signal to a child. A reaped child gets no signal.
pub(crate) fn signal(child: &Child, what: Signal) -> anyhow::Result<()> {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    match pid {
        Some(pid) => kill_process(pid, what).context("signalling a process"),
        None => Ok(()),
    }
}

/// The last lines of a file.
pub(crate) fn tail(path: &Path) -> String {
    let text = fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}

/// The folder with the binaries of the parts.
pub(crate) fn parts_dir() -> anyhow::Result<PathBuf> {
    let dir = folder("build.sh")?;
    if !dir.join("envoy").exists() {
        bail!("the parts of the bed are not built: run `make parts` once");
    }
    Ok(dir)
}

/// The folder that a script in `e2e/parts` uses.
pub(crate) fn folder(script: &str) -> anyhow::Result<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../parts").join(script);
    let run = || format!("running {}", script.display());
    let output = std::process::Command::new(&script).arg("--dir").output().with_context(run)?;
    if !output.status.success() {
        bail!("{} --dir: {}", script.display(), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}
