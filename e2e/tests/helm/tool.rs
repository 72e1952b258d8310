//! Helm and kubectl of the parts, called like users do.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, bail};
use serin_bed::{Bed, User};
use tokio::{io::AsyncWriteExt as _, process::Command};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A program that accesses the bed's API server as its administrator.
pub(crate) struct Program {
    path: PathBuf,
    kubeconfig: PathBuf,
    home: PathBuf,
}

impl Program {
    /// `helm3`, `helm4` or `kubectl`.
    pub(crate) async fn new(bed: &Bed, name: &str) -> anyhow::Result<Self> {
        let dir = Command::new(root().join("e2e/parts/build.sh")).arg("--dir").output().await?;
        let path = PathBuf::from(String::from_utf8(dir.stdout)?.trim()).join(name);
        if !path.exists() {
            bail!("{name} is missing: e2e/parts/build.sh all nightly");
        }
        Ok(Self { path, kubeconfig: bed.kubeconfig(User::Admin), home: bed.dir().join(name) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns its output. If it fails, the error contains its messages.
    pub(crate) async fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.fed(arguments, "").await
    }

    /// The same with text on standard input.
    pub(crate) async fn fed(&self, arguments: &[&str], input: &str) -> anyhow::Result<String> {
        let mut command = Command::new(&self.path);
        command.args(arguments);
        self.told(command, input, &arguments.join(" ")).await
    }

    /// The output of a bash script that calls the program by name.
    pub(crate) async fn script(&self, text: &str) -> anyhow::Result<String> {
        let folder = self.path.parent().context("a folder")?.display();
        let mut command = Command::new("bash");
        command.args(["-c", &format!("PATH={folder}:$PATH\n{text}")]);
        self.told(command, "", "in a script").await
    }

    async fn told(&self, mut command: Command, input: &str, what: &str) -> anyhow::Result<String> {
        let mut child = command
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", &self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut stdin = child.stdin.take().context("standard input")?;
        stdin.write_all(input.as_bytes()).await?;
        drop(stdin);
        let out = child.wait_with_output().await?;
        if !out.status.success() {
            let said = String::from_utf8_lossy(&out.stderr);
            let said: Vec<_> = said.lines().filter(|line| !line.contains("level=")).collect();
            bail!("{} {what}: {}", self.path.display(), said.join("\n"));
        }
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    }
}

/// A way of applying an application's chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Helm 3: three-way patches.
    Helm3,
    /// Helm 4: server-side apply.
    Helm4,
    /// Helm 4 with `--server-side=false`.
    Helm4Client,
    /// Like Flux' kustomize-controller.
    Flux,
    /// `kubectl apply`.
    Apply,
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Helm3 => "helm3",
            Self::Helm4 => "helm4",
            Self::Helm4Client => "helm4-client",
            Self::Flux => "flux",
            Self::Apply => "apply",
        }
    }

    /// Installs or upgrades the release `app` of a chart. `more` goes to Helm if Helm applies the chart.
    pub(crate) async fn release(
        self,
        bed: &Bed,
        namespace: &str,
        chart: &Path,
        values: &str,
        more: &[&str],
    ) -> anyhow::Result<()> {
        let chart = chart.display().to_string();
        let helm = Program::new(bed, if self == Self::Helm3 { "helm3" } else { "helm4" }).await?;
        match self {
            Self::Helm3 | Self::Helm4 | Self::Helm4Client => {
                let mut arguments =
                    vec!["upgrade", "--install", "app", &chart, "--namespace", namespace, "--set", values];
                if self == Self::Helm4Client {
                    arguments.push("--server-side=false");
                }
                arguments.extend(more);
                helm.run(&arguments).await.map(drop)
            }
            Self::Flux | Self::Apply => {
                let rendered =
                    helm.run(&["template", "app", &chart, "--namespace", namespace, "--set", values]).await?;
                let mut arguments = vec!["apply", "--namespace", namespace, "--filename", "-"];
                if self == Self::Flux {
                    arguments.extend([
                        "--server-side",
                        "--force-conflicts",
                        "--field-manager=kustomize-controller",
                    ]);
                }
                Program::new(bed, "kubectl").await?.fed(&arguments, &rendered).await.map(drop)
            }
        }
    }
}
