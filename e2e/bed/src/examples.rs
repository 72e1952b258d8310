//! The examples of `deploy/examples` for use in stories: with their own host, and faster.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use k8s_openapi::api::apps::v1::Deployment;
use serde_json::{Value, json};

use crate::story::Story;

/// Name of the Deployment and of the Canary in all of them.
pub const NAME: &str = "podinfo";
/// The name of the container, and its image without the tag.
pub const CONTAINER: [&str; 2] = ["podinfod", "ghcr.io/stefanprodan/podinfo"];
/// The initial tag in all of them.
pub const FIRST: &str = "6.0.0";
/// The host of all examples.
const HOST: &str = "podinfo.example.com";
/// The example whose Deployment is used for examples without one.
const WITH_DEPLOYMENT: &str = "canary-istio";

/// The files, in no particular order.
///
/// # Errors
/// The folder cannot be read.
pub fn files() -> anyhow::Result<Vec<PathBuf>> {
    let folder = folder();
    let entries = fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|e| e == "yaml")).collect())
}

/// The objects of an example, with its Deployment, for `host`: the bed's gateways serve all stories.
///
/// # Errors
/// There is no such example, or it is not valid YAML.
pub fn objects(name: &str, host: &str) -> anyhow::Result<Vec<Value>> {
    let parsed = |name: &str| -> anyhow::Result<Vec<Value>> {
        let text = read(&folder().join(format!("{name}.yaml")))?.replace(HOST, host);
        Ok(serde_saphyr::from_multiple(&text)?)
    };
    let mut objects = parsed(name)?;
    if !objects.iter().any(|object| object["kind"] == "Deployment") {
        objects.extend(parsed(WITH_DEPLOYMENT)?.into_iter().filter(|object| object["kind"] == "Deployment"));
    }
    Ok(objects)
}

/// Sets the interval of a Canary's analysis, the window of its metrics, and a length of two seconds for its steps.
pub fn hurried(canary: &Value, interval: &str, window: &str) -> Value {
    let analysis = &canary["spec"]["analysis"];
    let with = |list: &Value, field: &str, value: &str| -> Value {
        let mut list = list.clone();
        for entry in list.as_array_mut().into_iter().flatten().filter(|entry| !entry[field].is_null()) {
            entry[field] = json!(value);
        }
        list
    };
    let mut fast = json!({"interval": interval, "metrics": with(&analysis["metrics"], "interval", window)});
    if !analysis["steps"].is_null() {
        fast["steps"] = with(&analysis["steps"], "hold", "2s");
    }
    fast
}

/// The pod template of the primary's Deployment.
///
/// # Errors
/// There is no primary.
pub async fn primary(story: &Story<'_>) -> anyhow::Result<Value> {
    let primary = story.api::<Deployment>().get(&format!("{NAME}-primary")).await?;
    Ok(json!(primary.spec.template.spec))
}

/// The text of a file.
///
/// # Errors
/// The file cannot be read.
pub fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/examples")
}
