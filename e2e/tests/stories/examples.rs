//! Every object below `deploy/examples` is accepted by the API server, with no field that it does not know; those that
//! the bed can serve are released to.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use futures::{StreamExt, stream};
use k8s_openapi::api::{apps::v1::Deployment, core::v1::ConfigMap};
use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams, ValidationDirective},
    core::GroupVersionKind,
    discovery::{self, Scope},
};
use serde_json::{Value, json};
use serin::api::Phase;
use serin_e2e::{
    bed::Traffic,
    load::LoadHandle,
    story::{PATIENCE, Story},
};

use crate::{Family, Shared};

pub(crate) const STORIES: Family =
    &[crate::story!(are_accepted_as_they_are), crate::story!(those_that_the_bed_serves_are_released_to)];

/// Examples that the bed serves, and what a release is there.
const SERVED: [(&str, Release); 9] = [
    ("canary-istio", Release::Image),
    ("canary-istio-steps", Release::Image),
    ("canary-istio-ab", Release::Image),
    ("canary-istio-bluegreen", Release::Image),
    ("canary-istio-mirror", Release::Image),
    ("canary-istio-affinity", Release::Image),
    ("canary-istio-configs", Release::Config),
    ("canary-hpa", Release::Image),
    ("canary-kubernetes", Release::Image),
];
/// Has the Deployment of those that bring none.
const WITH_DEPLOYMENT: &str = "canary-istio";
/// The host of all examples.
const HOST: &str = "podinfo.example.com";
/// Name of the Deployment and of the Canary in all of them.
const NAME: &str = "podinfo";
/// Examples under way at a time.
const AT_ONCE: usize = 3;

#[derive(Clone, Copy, PartialEq)]
enum Release {
    /// Another tag.
    Image,
    /// Another value in the ConfigMap.
    Config,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/examples")
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

async fn are_accepted_as_they_are(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "examples").await?;
    story.bed.apply_yaml(&story.namespace, include_str!("../../manifests/knative.yaml")).await?;
    let folder = folder();
    let mut seen = 0;
    for entry in fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let objects: Vec<Value> = serde_saphyr::from_multiple(&read(&path)?)?;
        for object in objects {
            accepted(&story, &object).await.with_context(|| format!("{}: {object}", path.display()))?;
        }
        seen += 1;
    }
    ensure!(seen > 0, "no examples in {}", folder.display());
    Ok(())
}

async fn those_that_the_bed_serves_are_released_to(shared: &Shared) -> anyhow::Result<()> {
    let all: Vec<_> = SERVED.iter().map(|(name, release)| tried(shared, name, *release)).collect();
    let outcomes: Vec<_> = stream::iter(all).buffer_unordered(AT_ONCE).collect().await;
    let failed: Vec<String> = outcomes.into_iter().flatten().collect();
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

/// What went wrong, if anything.
async fn tried(shared: &Shared, name: &str, release: Release) -> Option<String> {
    let outcome = released_to(shared, name, release).await;
    outcome.err().map(|error| format!("{name}.yaml: {error:#}"))
}

/// From the objects as they are, with shorter intervals, to the end of a good release.
async fn released_to(shared: &Shared, name: &str, release: Release) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, &format!("example-{name}")).await?;
    shared.bed.scripted().traffic(&story.namespace, NAME, Traffic::success(100.0, 50.0));
    let host = story.host(NAME);
    shared.bed.gateway(&story.namespace, &[&host]).await?;
    let objects = objects(name, &host)?;
    let canary = objects.iter().find(|object| object["kind"] == "Canary").cloned().context("no Canary")?;
    let outside = !canary["spec"]["service"]["gateways"].is_null();
    story.apply(objects).await?;
    story.edit_canary(NAME, hurried(&canary)).await?;
    story.phase(NAME, Phase::Initialized).await?;

    let target = story.target(NAME);
    let load = if outside {
        target.serving("6.0.0", PATIENCE).await?;
        Some(LoadHandle::start(&target, 20.0, 2))
    } else {
        None
    };
    let (image, tag) = match release {
        Release::Image => ("ghcr.io/stefanprodan/podinfo:6.0.1", "6.0.1"),
        Release::Config => ("ghcr.io/stefanprodan/podinfo:6.0.0", "6.0.0"),
    };
    let before = primary(&story).await?;
    match release {
        Release::Image => story.set_image_of(NAME, "podinfod", image).await?,
        Release::Config => {
            let colour = Patch::Merge(json!({"data": {"PODINFO_UI_COLOR": "#34577c"}}));
            story.api::<ConfigMap>().patch(NAME, &PatchParams::default(), &colour).await?;
        }
    }
    story.phase(NAME, Phase::Succeeded).await?;
    let after = primary(&story).await?;
    ensure!(after["containers"][0]["image"] == image, "the primary runs {}", after["containers"][0]["image"]);
    ensure!(before != after, "the primary is as it was before the release");
    if let Some(load) = load {
        target.serving(tag, PATIENCE).await?;
        let window = load.stop().await;
        ensure!(window.lost() + window.version_errors == 0, "requests failed: {:?}", window.failures);
    }
    Ok(())
}

/// The objects of an example, with its Deployment, under a host of their own: the bed's gateway serves all stories.
fn objects(name: &str, host: &str) -> anyhow::Result<Vec<Value>> {
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

/// Merged into the Canary, makes it fast.
fn hurried(canary: &Value) -> Value {
    let analysis = &canary["spec"]["analysis"];
    let with = |list: &Value, field: &str, value: &str| -> Value {
        let mut list = list.clone();
        for entry in list.as_array_mut().into_iter().flatten().filter(|entry| !entry[field].is_null()) {
            entry[field] = json!(value);
        }
        list
    };
    let mut fast = json!({"interval": "1s", "metrics": with(&analysis["metrics"], "interval", "5s")});
    if !analysis["steps"].is_null() {
        fast["steps"] = with(&analysis["steps"], "hold", "2s");
    }
    json!({"spec": {"settleTime": "500ms", "analysis": fast}})
}

/// The pods that the primary's Deployment makes.
async fn primary(story: &Story<'_>) -> anyhow::Result<Value> {
    let primary = story.api::<Deployment>().get(&format!("{NAME}-primary")).await?;
    Ok(json!(primary.spec.template.spec))
}

/// Server-side apply as a dry run, unknown fields refused.
async fn accepted(story: &Story<'_>, object: &Value) -> anyhow::Result<()> {
    let field = |value: &Value| value.as_str().map(str::to_owned).context("a string is missing");
    let api_version = field(&object["apiVersion"])?;
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    let kind = GroupVersionKind::gvk(group, version, &field(&object["kind"])?);
    let (resource, capabilities) = discovery::oneshot::pinned_kind(&story.client, &kind).await?;
    let api: Api<DynamicObject> = match capabilities.scope {
        Scope::Namespaced => Api::namespaced_with(story.client.clone(), &story.namespace, &resource),
        Scope::Cluster => Api::all_with(story.client.clone(), &resource),
    };
    let params = PatchParams {
        dry_run: true,
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply("examples")
    };
    api.patch(&field(&object["metadata"]["name"])?, &params, &Patch::Apply(object)).await?;
    Ok(())
}
