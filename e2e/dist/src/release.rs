//! All files of a release, in one folder.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    archive::{PLAIN, PROGRAM, Tree, sha256},
    bom::{Other, Sources, bill},
    image::Image,
    notes::notes,
    schema::{any_of, schemas},
};

const PROGRAMS: [&str; 3] = ["serin", "serin-loadtester", "kubectl-canary"];
const CHARTS: [&str; 3] = ["serin", "flagger", "loadtester"];
const COMPLETIONS: [&str; 4] = ["bash", "zsh", "fish", "kubectl"];

/// The inputs of a release.
pub struct Release {
    /// The repository.
    pub root: PathBuf,
    /// The folder of the static binaries.
    pub binaries: PathBuf,
    /// The target of the build: `x86_64-unknown-linux-gnu`.
    pub target: String,
    /// Helm, to package the charts.
    pub helm: PathBuf,
    /// The output folder. Its contents are removed first.
    pub out: PathBuf,
    /// The prefix of links in the notes: an address of the repository at this version.
    pub links: Option<String>,
    /// The version.
    pub version: String,
    /// The time of all files, in seconds since 1970.
    pub time: u64,
    /// The commit, if it is known.
    pub revision: Option<String>,
}

/// Returns the output of a program.
fn output(command: &mut Command) -> Result<String> {
    let out = command.output().with_context(|| format!("running {command:?}"))?;
    ensure!(out.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).with_context(|| format!("what {command:?} printed is no text"))
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> Result<&str> {
    path.file_name().and_then(|name| name.to_str()).with_context(|| format!("{} has no name", path.display()))
}

impl Release {
    /// The architecture in the notation of Go and OCI.
    fn architecture(&self) -> Result<&'static str> {
        match self.target.split('-').next() {
            Some("x86_64") => Ok("amd64"),
            Some("aarch64") => Ok("arm64"),
            _ => bail!("no releases are made for {}", self.target),
        }
    }

    fn read(&self, path: &str) -> Result<Vec<u8>> {
        fs::read(self.root.join(path)).with_context(|| format!("reading {path}"))
    }

    fn text(&self, path: &str) -> Result<String> {
        String::from_utf8(self.read(path)?).with_context(|| format!("{path} is no text"))
    }

    /// Writes all files. Returns each file with its size.
    pub fn write(&self) -> Result<BTreeMap<String, usize>> {
        let mut files = self.programs()?;
        files.extend(self.charts()?);
        files.extend(self.definitions()?);
        let bill = format!("serin-{}-linux-{}.cdx.json", self.version, self.architecture()?);
        files.insert(bill, self.bill()?.into_bytes());
        let notes = notes(&self.text("CHANGELOG.md")?, &self.version, self.links.as_deref())?;
        files.insert("NOTES.md".into(), notes.into_bytes());
        let sums = files.iter().map(|(name, bytes)| format!("{}  {name}\n", sha256(bytes)));
        let sums = sums.collect::<Vec<_>>().concat();
        files.insert("SHA256SUMS".into(), sums.into_bytes());
        if self.out.exists() {
            fs::remove_dir_all(&self.out).with_context(|| format!("removing {}", self.out.display()))?;
        }
        fs::create_dir_all(&self.out)?;
        for (name, bytes) in &files {
            fs::write(self.out.join(name), bytes).with_context(|| format!("writing {name}"))?;
        }
        Ok(files.into_iter().map(|(name, bytes)| (name, bytes.len())).collect())
    }

    /// Binaries, their archives, and the image.
    fn programs(&self) -> Result<BTreeMap<String, Vec<u8>>> {
        let (version, architecture) = (&self.version, self.architecture()?);
        let licence = self.read("LICENSE")?;
        let mut files = BTreeMap::new();
        for name in PROGRAMS {
            let path = self.binaries.join(name);
            let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            files.insert(format!("{name}-linux-{architecture}"), bytes);
        }
        let [serin, tester, plugin] =
            PROGRAMS.map(|name| files[&format!("{name}-linux-{architecture}")].as_slice());
        let image = Image {
            binary: serin,
            version,
            architecture,
            revision: self.revision.as_deref(),
            time: self.time,
        };
        let image = image.archive()?;
        let operator = Tree::default()
            .file("LICENSE", PLAIN, licence.clone())
            .file("serin", PROGRAM, serin)
            .link("flagger", "serin")
            .file("serin-loadtester", PROGRAM, tester)
            .tar_gz(self.time)?;
        let mut canary =
            Tree::default().file("LICENSE", PLAIN, licence).file("kubectl-canary", PROGRAM, plugin);
        for shell in COMPLETIONS {
            let program = self.binaries.join("kubectl-canary");
            let script = output(Command::new(program).args(["completion", shell]))?;
            canary = match shell {
                // the name that kubectl expects
                "kubectl" => canary.file("kubectl_complete-canary", PROGRAM, script),
                _ => canary.file(&format!("completions/kubectl-canary.{shell}"), PLAIN, script),
            };
        }
        let canary = canary.tar_gz(self.time)?;
        files.insert(format!("serin-{version}-linux-{architecture}.tar.gz"), operator);
        files.insert(format!("kubectl-canary-{version}-linux-{architecture}.tar.gz"), canary);
        files.insert(format!("serin-{version}-image-linux-{architecture}.tar"), image);
        Ok(files)
    }

    /// The charts as packaged by Helm, with one time for all files.
    fn charts(&self) -> Result<BTreeMap<String, Vec<u8>>> {
        let folder = self.out.with_extension("charts");
        let mut files = BTreeMap::new();
        for chart in CHARTS {
            let path = self.root.join("charts").join(chart);
            let mut helm = Command::new(&self.helm);
            output(helm.arg("package").arg(path).arg("--destination").arg(&folder))?;
        }
        for path in sorted(&folder)? {
            let archive = Tree::read_tar_gz(&fs::read(&path)?)
                .with_context(|| format!("reading {}", path.display()))?;
            files.insert(file_name(&path)?.to_owned(), archive.tar_gz(self.time)?);
        }
        fs::remove_dir_all(&folder)?;
        ensure!(files.len() == CHARTS.len(), "helm packaged {} charts", files.len());
        Ok(files)
    }

    /// Manifests, schemas for editors, dashboards and rules.
    fn definitions(&self) -> Result<BTreeMap<String, Vec<u8>>> {
        let (mut crds, mut all) = (String::new(), BTreeMap::new());
        for path in sorted(&self.root.join("crd"))? {
            if file_name(&path)? == "kustomization.yaml" {
                continue;
            }
            let text = fs::read_to_string(&path)?;
            let definition: Value =
                serde_saphyr::from_str(&text).with_context(|| format!("parsing {}", path.display()))?;
            all.extend(schemas(&definition)?);
            crds += &format!("---\n{text}");
        }
        all.insert("all.json".into(), any_of(&all));
        let mut tree = Tree::default();
        for (path, schema) in &all {
            tree = tree.file(path, PLAIN, format!("{schema:#}\n"));
        }
        let mut monitoring = Tree::default();
        for (folder, kind) in [("grafana-dashboards", "dashboards"), ("deploy/monitoring", "rules")] {
            for path in sorted(&self.root.join(folder))? {
                monitoring =
                    monitoring.file(&format!("{kind}/{}", file_name(&path)?), PLAIN, fs::read(&path)?);
            }
        }
        Ok(BTreeMap::from([
            ("crds.yaml".to_owned(), crds.into_bytes()),
            ("install.yaml".to_owned(), self.read("deploy/install.yaml")?),
            (format!("serin-{}-schemas.tar.gz", self.version), tree.tar_gz(self.time)?),
            (format!("serin-{}-monitoring.tar.gz", self.version), monitoring.tar_gz(self.time)?),
        ]))
    }

    fn bill(&self) -> Result<String> {
        // set by `cargo run`
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut tree = Command::new(cargo);
        tree.current_dir(&self.root)
            .args([
                "tree",
                "--locked",
                "--edges",
                "normal,no-proc-macro",
                "--prefix",
                "depth",
                "--format",
                "|{p}|{l}",
            ])
            .args(["--target", &self.target, "-p", "serin", "-p", "serin-plugin"]);
        let rust = output(Command::new("rustc").arg("--version"))?;
        let rust = rust.split(' ').nth(1).context("rustc tells no version")?;
        let glibc = output(Command::new("getconf").arg("GNU_LIBC_VERSION"))?;
        let glibc = glibc.trim().strip_prefix("glibc ").context("the C library is not glibc")?;
        let others = [
            Other { name: "rust-std", version: rust, licence: "MIT OR Apache-2.0" },
            Other { name: "glibc", version: glibc, licence: "LGPL-2.1-or-later" },
        ];
        let time = i64::try_from(self.time).ok().and_then(|s| Timestamp::from_second(s).ok());
        let sources = Sources {
            version: &self.version,
            time: &time.context("a time out of range")?.to_string(),
            tree: &output(&mut tree)?,
            lock: &self.text("Cargo.lock")?,
            others: &others,
        };
        Ok(format!("{:#}\n", bill(&sources)?))
    }
}
