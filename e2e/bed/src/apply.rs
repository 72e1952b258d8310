//! Puts objects into the cluster: YAML documents, server-side apply with discovery, the operator's own manifests.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::{
    api::core::v1::Namespace, apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    core::GroupVersionKind,
    discovery::{self, ApiCapabilities, Scope},
    runtime::wait::Condition,
    runtime::wait::conditions::is_crd_established,
};
use serde_json::{Value, json};

use crate::wait;

/// The bed's field manager.
const MANAGER: &str = "bed";
/// Number of objects that are applied at the same time.
const AT_ONCE: usize = 8;
/// Maximum time until a kind is served after its definition was applied.
const KIND_LIMIT: Duration = Duration::from_secs(90);

type Kind = (ApiResource, ApiCapabilities);

/// The documents of a YAML stream, without empty ones.
pub(super) fn parse(yaml: &str) -> anyhow::Result<Vec<Value>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).context("parsing YAML")?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// Creates a namespace, if it does not exist.
pub(super) async fn ensure_namespace(client: &Client, name: &str) -> anyhow::Result<()> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    namespaces
        .patch(name, &params(), &Patch::Apply(namespace))
        .await
        .with_context(|| format!("making namespace {name}"))?;
    Ok(())
}

/// Sets a label of a namespace to `true`, if the namespace exists.
pub(super) async fn label_namespace(client: &Client, name: &str, label: &str) -> anyhow::Result<()> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let labels = json!({"metadata": {"labels": {label: "true"}}});
    match namespaces.patch(name, &PatchParams::default(), &Patch::Merge(labels)).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        outcome => outcome.map(drop).with_context(|| format!("labelling namespace {name}")),
    }
}

/// Applies objects: first definitions and namespaces, then the rest after the definitions are served.
pub(super) async fn apply(client: &Client, namespace: &str, objects: Vec<Value>) -> anyhow::Result<()> {
    let (first, rest): (Vec<_>, Vec<_>) = objects.into_iter().partition(|object| {
        matches!(object["kind"].as_str(), Some("CustomResourceDefinition" | "Namespace"))
    });
    for objects in [first, rest] {
        let kinds = kinds(client, &objects).await?;
        stream::iter(objects)
            .map(|object| apply_one(client, namespace, &kinds, object))
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
    }
    Ok(())
}

/// Applies `crd/*.yaml` and `deploy/install.yaml`, without Deployments.
pub(super) async fn install(client: &Client) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files: Vec<PathBuf> = match fs::read_dir(root.join("crd")) {
        Ok(entries) => entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect(),
        Err(error) => return Err(error).context("reading crd/ (`make crd` writes it)"),
    };
    files.retain(|path| {
        path.extension().is_some_and(|extension| extension == "yaml") && !path.ends_with("kustomization.yaml")
    });
    files.sort();
    files.extend(Some(root.join("deploy/install.yaml")).filter(|path| path.exists()));
    let mut objects = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        objects.extend(parse(&text).with_context(|| format!("in {}", file.display()))?);
    }
    objects.retain(|object| object["kind"] != "Deployment");
    ensure_namespace(client, "serin-system").await?;
    apply(client, "serin-system", objects).await
}

/// Looks up the kinds of `objects`, and waits for those with a new definition.
async fn kinds(client: &Client, objects: &[Value]) -> anyhow::Result<BTreeMap<String, Kind>> {
    let mut kinds = BTreeMap::new();
    for object in objects {
        let gvk = gvk(object)?;
        let key = key(&gvk);
        if kinds.contains_key(&key) {
            continue;
        }
        let kind = wait::until(&format!("kind {key} to be served"), KIND_LIMIT, async || {
            discovery::oneshot::pinned_kind(client, &gvk).await.ok()
        })
        .await?;
        kinds.insert(key, kind);
    }
    Ok(kinds)
}

async fn apply_one(
    client: &Client,
    default_namespace: &str,
    kinds: &BTreeMap<String, Kind>,
    object: Value,
) -> anyhow::Result<()> {
    let gvk = gvk(&object)?;
    let name = object["metadata"]["name"].as_str().context("an object without a name")?.to_owned();
    let Some((resource, capabilities)) = kinds.get(&key(&gvk)) else { bail!("unknown kind {}", gvk.kind) };
    let api: Api<DynamicObject> = if capabilities.scope == Scope::Namespaced {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or(default_namespace);
        Api::namespaced_with(client.clone(), namespace, resource)
    } else {
        Api::all_with(client.clone(), resource)
    };
    api.patch(&name, &params(), &Patch::Apply(object))
        .await
        .with_context(|| format!("applying {} {name}", gvk.kind))?;
    if gvk.kind == "CustomResourceDefinition" {
        let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
        wait::object(definitions, &name, KIND_LIMIT, |crd| is_crd_established().matches_object(Some(crd)))
            .await?;
    }
    Ok(())
}

fn params() -> PatchParams {
    PatchParams::apply(MANAGER).force()
}

fn gvk(object: &Value) -> anyhow::Result<GroupVersionKind> {
    let field = |name: &str| object[name].as_str().with_context(|| format!("an object without {name}"));
    let (api_version, kind) = (field("apiVersion")?, field("kind")?);
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    Ok(GroupVersionKind::gvk(group, version, kind))
}

fn key(gvk: &GroupVersionKind) -> String {
    format!("{}/{}", gvk.api_version(), gvk.kind)
}
