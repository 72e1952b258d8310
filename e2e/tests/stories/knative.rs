//! A Knative Service with a real API server. The story simulates Knative: it creates revisions, reports which ones are
//! ready, and follows `spec.traffic`. The routing of requests is not tested.

use std::time::Duration;

use anyhow::{Context, ensure};
use kube::{
    Api,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    core::GroupVersionKind,
};
use serde_json::{Value, json};
use serin::{
    api::Phase,
    names::{ANNOTATION_PRIMARY_REVISION, ANNOTATION_REVISION},
    snapshot::KNATIVE_SERVICE,
};
use serin_bed::{
    story::{PATIENCE, Story, canary},
    wait,
};
use serin_model::{knative, pods::Mode};

use crate::{
    Family, Shared,
    bad_common::{accepted, refused},
    story,
};

pub(crate) const STORIES: Family = &[
    story!(a_knative_service_goes_through_its_whole_life),
    story!(what_a_knative_service_cannot_do_is_said),
];

/// A revision of this image never becomes ready.
const NEVER: &str = "app:never";

fn services(story: &Story<'_>) -> Api<DynamicObject> {
    let gvk = GroupVersionKind::gvk(KNATIVE_SERVICE.group, KNATIVE_SERVICE.version, KNATIVE_SERVICE.kind);
    let resource = ApiResource::from_gvk_with_plural(&gvk, KNATIVE_SERVICE.plural);
    Api::namespaced_with(story.client.clone(), &story.namespace, &resource)
}

fn service(image: &str) -> Value {
    let template = json!({"spec": {"containers": [{"image": image}]}});
    json!({
        "apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "app"},
        "spec": {"template": template, "traffic": [{"latestRevision": true, "percent": 100}]},
    })
}

fn knative_canary() -> Value {
    let mut all = canary("app");
    let spec = &mut all["spec"];
    spec["provider"] = json!("knative");
    spec["targetRef"] = json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "app"});
    spec["progressDeadlineSeconds"] = json!(15);
    spec["analysis"]["metrics"] = json!([]);
    if let Some(spec) = spec.as_object_mut() {
        spec.remove("service");
    }
    all
}

/// Simulates Knative for the Service until it is dropped.
struct Knative(tokio::task::JoinHandle<()>);

impl Knative {
    fn play(story: &Story<'_>) -> Self {
        let api = services(story);
        Self(tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(50)).await;
                let Ok(live) = api.get("app").await.map(|live| json!(live)) else { continue };
                let image = &live["spec"]["template"]["spec"]["containers"][0]["image"];
                let mode = if image == NEVER { Mode::Never } else { Mode::Ready };
                let status = knative::seen(&live, "app", mode);
                if live["status"] != status {
                    let version = &live["metadata"]["resourceVersion"];
                    let change = json!({"metadata": {"resourceVersion": version}, "status": status});
                    // somebody has written it meanwhile: retried later
                    api.patch_status("app", &PatchParams::default(), &Patch::Merge(change)).await.ok();
                }
            }
        }))
    }
}

impl Drop for Knative {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn set_image(story: &Story<'_>, image: &str) -> anyhow::Result<()> {
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"image": image}]}}}});
    services(story).patch("app", &PatchParams::default(), &Patch::Merge(patch)).await.map(drop)?;
    Ok(())
}

/// The percentage of the newest revision, the revision that gets the rest, and the one that is recorded as the primary.
async fn stands(story: &Story<'_>) -> anyhow::Result<(i64, String, String)> {
    let live = json!(services(story).get("app").await?);
    let traffic = &live["spec"]["traffic"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    ensure!(traffic[0]["latestRevision"] == true, "{traffic}");
    let noted = text(&live["metadata"]["annotations"][ANNOTATION_PRIMARY_REVISION]);
    let percent = traffic[0]["percent"].as_i64().context("no percentage")?;
    Ok((percent, text(&traffic[1]["revisionName"]), noted))
}

async fn on(story: &Story<'_>, revision: &str) -> anyhow::Result<()> {
    let (percent, rest, noted) = stands(story).await?;
    ensure!((percent, rest.as_str(), noted.as_str()) == (0, revision, revision), "{percent} {rest} {noted}");
    Ok(())
}

async fn a_knative_service_goes_through_its_whole_life(shared: &Shared) -> anyhow::Result<()> {
    let story = crate::bad_common::story(shared, "knative").await?;
    story.bed.apply_yaml(&story.namespace, include_str!("../../manifests/knative.yaml")).await?;
    let _knative = Knative::play(&story);
    story.apply(vec![service("app:1"), knative_canary()]).await?;
    story.phase("app", Phase::Initialized).await?;
    on(&story, "app-00001").await?;

    let path = story.follow("app");
    set_image(&story, "app:2").await?;
    story.phase("app", Phase::Succeeded).await?;
    let mut weights: Vec<i32> = path.taken().into_iter().map(|point| point.1).collect();
    weights.dedup();
    ensure!(weights == [0, 25, 50, 0], "weights {weights:?}");
    on(&story, "app-00002").await?;

    // unreleased changes are reverted, and the record of the primary is restored
    let astray = json!({
        "metadata": {"annotations": {ANNOTATION_PRIMARY_REVISION: "app-00001"}},
        "spec": {"traffic": [{"latestRevision": true, "percent": 100}]},
    });
    services(&story).patch("app", &PatchParams::default(), &Patch::Merge(astray)).await?;
    let mended = async || on(&story, "app-00002").await.ok();
    wait::until("traffic to be put back", PATIENCE, mended).await?;

    set_image(&story, NEVER).await?;
    story.phase("app", Phase::Failed).await?;
    on(&story, "app-00002").await?;
    story.event("app", "revision app-00003 is not ready").await?;

    set_image(&story, "app:4").await?;
    story.phase("app", Phase::Succeeded).await?;
    on(&story, "app-00004").await?;
    story.delete_canary("app").await?;
    let left = json!(services(&story).get("app").await?);
    ensure!(left["spec"]["traffic"] == service("app:4")["spec"]["traffic"], "{}", left["spec"]["traffic"]);
    let annotations = left["metadata"]["annotations"].to_string();
    ensure!(!annotations.contains("serin.dev") && !annotations.contains("flagger.app"), "{annotations}");
    Ok(())
}

async fn what_a_knative_service_cannot_do_is_said(shared: &Shared) -> anyhow::Result<()> {
    let story = crate::bad_common::story(shared, "knative-bad").await?;
    story.bed.apply_yaml(&story.namespace, include_str!("../../manifests/knative.yaml")).await?;
    let mut canary = knative_canary();
    canary["spec"]["provider"] = json!("istio");
    story.apply(vec![service("app:1"), canary]).await?;
    refused(&story, "app", "InvalidSpec", &["spec.provider is istio", "set it to knative"]).await?;
    let named = json!([{"headers": {"x": {"exact": "y"}}}]);
    story.edit_canary("app", json!({"spec": {"provider": "knative", "analysis": {"match": named}}})).await?;
    refused(&story, "app", "TargetUnfit", &["Service app", "has made no revision"]).await?;
    let _knative = Knative::play(&story);
    refused(&story, "app", "InvalidSpec", &["spec.analysis.match", "by weight alone"]).await?;
    let live = json!(services(&story).get("app").await?);
    ensure!(live["metadata"]["annotations"][ANNOTATION_REVISION].is_null(), "{}", live["metadata"]);
    story.edit_canary("app", json!({"spec": {"analysis": {"match": null}}})).await?;
    accepted(&story, "app").await?;
    story.phase("app", Phase::Initialized).await.map(drop)
}
