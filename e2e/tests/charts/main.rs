//! The charts, rendered by real Helm: names and selectors equal to Flagger's, surprising behaviour of Helm (the ids
//! `ch…`), and equality of chart and kustomize base. CI has Helm 4, and `make nightly` also has Helm 3.
#![allow(missing_docs, reason = "a test target has no callers")]
#![allow(clippy::print_stdout, reason = "what was skipped and measured is told")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

mod flagger;
mod install;
mod namespaces;
mod rendered;
mod rights;
mod values;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| format!("reading {path}"))
}

fn yaml(path: &str) -> Result<Value> {
    serde_saphyr::from_str(&read(path)?).with_context(|| format!("parsing {path}"))
}

/// A Helm binary of the parts.
struct Helm {
    major: u8,
    program: PathBuf,
}

/// The inputs of a rendering.
#[derive(Clone)]
struct Chart<'a> {
    name: &'a str,
    release: &'a str,
    arguments: Vec<String>,
}

fn chart<'a>(name: &'a str, release: &'a str) -> Chart<'a> {
    Chart { name, release, arguments: vec![] }
}

impl Chart<'_> {
    fn set(mut self, values: &[&str]) -> Self {
        self.arguments.extend(values.iter().flat_map(|value| ["--set".to_owned(), (*value).to_owned()]));
        self
    }

    fn file(mut self, path: &str) -> Self {
        let path = if path.starts_with('/') { path.into() } else { root().join(path).display().to_string() };
        self.arguments.extend(["--values".to_owned(), path]);
        self
    }
}

/// The available Helm binaries. A missing one is skipped, with a message that names the command to build it.
fn helms() -> Result<Vec<Helm>> {
    let dir = Command::new(root().join("e2e/parts/build.sh")).arg("--dir").output()?;
    let dir = PathBuf::from(String::from_utf8(dir.stdout)?.trim());
    let all = [3, 4].map(|major| Helm { major, program: dir.join(format!("helm{major}")) });
    let there: Vec<Helm> = all.into_iter().filter(|helm| helm.program.exists()).collect();
    if there.is_empty() {
        println!("skipped: no Helm, `e2e/parts/build.sh helm` builds it");
    }
    Ok(there)
}

impl Helm {
    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let out = Command::new(&self.program).args(arguments).output().map_err(|e| e.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if out.status.success() { Ok(text(&out.stdout)) } else { Err(text(&out.stderr)) }
    }

    fn template(&self, of: &Chart<'_>) -> Result<String, String> {
        let path = if of.name.starts_with('/') {
            of.name.to_owned()
        } else {
            root().join("charts").join(of.name).display().to_string()
        };
        let mut arguments =
            vec!["template", of.release, &path, "--namespace", "ops", "--kube-version", "1.36.0"];
        arguments.extend(of.arguments.iter().map(String::as_str));
        self.run(&arguments)
    }

    fn render(&self, of: &Chart<'_>) -> Result<Vec<Value>> {
        let text = self.template(of).map_err(|why| anyhow::anyhow!("Helm {}: {why}", self.major))?;
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text)?;
        Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
    }

    /// Its error message for values that it refuses.
    fn refusal(&self, of: &Chart<'_>) -> Result<String> {
        match self.template(of) {
            Ok(_) => bail!("Helm {} rendered {:?}", self.major, of.arguments),
            Err(why) => Ok(why),
        }
    }
}

fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> Result<&'a Value> {
    let found = objects.iter().find(|o| o["kind"] == kind && o["metadata"]["name"] == name);
    found.with_context(|| format!("no {kind} {name}"))
}

fn deployment<'a>(objects: &'a [Value], name: &str) -> Result<(&'a Value, &'a Value)> {
    let found = find(objects, "Deployment", name)?;
    Ok((found, &found["spec"]["template"]["spec"]["containers"][0]))
}

fn arguments(container: &Value) -> Vec<&str> {
    container["args"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Names by kind, without the kinds that only Serin's chart has.
fn names(objects: &[Value]) -> BTreeSet<String> {
    let own = ["NetworkPolicy"];
    let all = objects.iter().filter(|o| !own.contains(&o["kind"].as_str().unwrap_or_default()));
    let named = all.map(|o| {
        format!(
            "{}/{}",
            o["kind"].as_str().unwrap_or_default(),
            o["metadata"]["name"].as_str().unwrap_or_default()
        )
    });
    let users = ["-view", "-operate", "-admin"];
    named.filter(|name| !users.iter().any(|role| name.ends_with(role))).collect()
}

const USERS: [&str; 3] = [
    "e2e/tests/charts/user-mesh.yaml",
    "e2e/tests/charts/user-ingress.yaml",
    "e2e/tests/charts/user-namespace.yaml",
];

/// A copy of a chart in its own folder, with links resolved.
fn copied(name: &str, into: &Path) -> Result<PathBuf> {
    let to = into.join(name);
    let done = Command::new("cp").arg("-rL").arg(root().join("charts").join(name)).arg(&to).status()?;
    ensure!(done.success(), "cp");
    Ok(to)
}
