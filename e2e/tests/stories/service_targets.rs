//! Services as targets, for pods that something else manages, or for a name outside the cluster. Clients send requests
//! through Envoy throughout.

use std::time::Duration;

use anyhow::{Context, ensure};
use k8s_openapi::api::core::v1::Service;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use serin::api::Phase;
use serin_bed::{
    Traffic,
    load::LoadHandle,
    story::{PATIENCE, Story, deployment},
    wait,
};

use crate::{
    Family, Shared,
    bad_common::{accepted, left_alone, refused, story, weight},
    story,
    targets::{canary_of, over, under_load, weights},
};

pub(crate) const STORIES: Family = &[
    story!(a_service_goes_through_its_whole_life),
    story!(a_service_without_pods_gets_no_users),
    story!(a_name_outside_the_cluster_has_two_sides),
    story!(what_a_service_cannot_do_is_said),
];

/// A Service `app` that selects the pods of version 1.
fn service(version: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "app", "labels": {"team": "a"}},
        "spec": {
            "selector": {"group": "app", "version": version},
            "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
        },
    })
}

/// Pods of one version without a Canary.
fn pods_of(version: &str) -> Value {
    let mut all = deployment(&format!("app-v{version}"), &format!("app:{version}"), 1);
    let labels = json!({"group": "app", "version": version});
    all["spec"]["selector"]["matchLabels"] = labels.clone();
    all["spec"]["template"]["metadata"]["labels"] = labels;
    all
}

async fn lead_to(story: &Story<'_>, version: &str) -> anyhow::Result<()> {
    let patch = Patch::Merge(json!({"spec": {"selector": {"version": version}}}));
    story.api::<Service>().patch("app", &PatchParams::default(), &patch).await.context("edit the target")?;
    Ok(())
}

/// The version that a Service selects.
async fn version_of(story: &Story<'_>, name: &str) -> anyhow::Result<String> {
    let selector = story.selector(name).await?;
    Ok(selector["version"].as_str().unwrap_or_default().to_owned())
}

async fn external<'a>(
    shared: &'a Shared,
    namespace: &str,
    edit: impl FnOnce(&mut Value),
) -> anyhow::Result<(Story<'a>, LoadHandle)> {
    let story = story(shared, namespace).await?;
    let host = story.host("app");
    story.bed.gateway(&story.namespace, &[&host]).await?;
    story.apply(vec![pods_of("1"), pods_of("2"), pods_of("3"), service("1")]).await?;
    let mut canary = canary_of("v1", "Service", &host);
    edit(&mut canary);
    story.apply(vec![canary]).await?;
    let load = under_load(&story).await?;
    Ok((story, load))
}

async fn a_service_goes_through_its_whole_life(shared: &Shared) -> anyhow::Result<()> {
    let (story, load) = external(shared, "external", |_| {}).await?;
    let api = story.api::<Service>();
    let users = api.get("app").await?;
    ensure!(users.metadata.annotations.unwrap_or_default().is_empty(), "the target was written");
    let (first, side) = (api.get("app-primary").await?, api.get("app-canary").await?);
    ensure!(first.metadata.owner_references.is_none() && side.metadata.owner_references.is_none());

    let path = story.follow("app");
    lead_to(&story, "2").await?;
    story.canary_that("app", |c| weight(c) > 0).await?;
    ensure!(version_of(&story, "app-canary").await? == "2", "the canary does not follow the target");
    ensure!(version_of(&story, "app-primary").await? == "1", "the primary is given what was not analysed");
    story.phase("app", Phase::Succeeded).await?;
    ensure!(weights(&path) == [0, 25, 50, 0], "weights {:?}", weights(&path));
    ensure!(version_of(&story, "app-primary").await? == "2");
    story.target("app").serving("2", PATIENCE).await?;

    shared.bed.scripted().reset("external", "app").await?;
    shared.bed.scripted().traffic("external", "app", Traffic::success(0.0, 50.0));
    lead_to(&story, "3").await?;
    story.phase("app", Phase::Failed).await?;
    ensure!(version_of(&story, "app-primary").await? == "2", "a failed revision was promoted");
    story.target("app").serving("2", PATIENCE).await?;
    lead_to(&story, "2").await?;
    story.phase("app", Phase::Succeeded).await?;
    let back = async || (version_of(&story, "app-canary").await.ok()? == "2").then_some(());
    wait::until("the canary's side to follow the target back", PATIENCE, back).await?;

    // a changed or deleted copy is restored
    let astray = Patch::Merge(json!({"spec": {"selector": {"version": "1"}}}));
    api.patch("app-primary", &PatchParams::default(), &astray).await?;
    story.event("app", "Service app-primary was changed by").await?;
    let mended = async || (version_of(&story, "app-primary").await.ok()? == "2").then_some(());
    wait::until("the primary to be as it was", PATIENCE, mended).await?;
    over(load).await?;
    api.delete("app-canary", &DeleteParams::default()).await?;
    story.event("app", "Service app-canary was missing: created again").await?;

    let load = LoadHandle::start(&story.target("app"), 100.0, 2);
    story.delete_canary("app").await?;
    for name in ["app-primary", "app-canary"] {
        ensure!(api.get_opt(name).await?.is_none(), "{name} is left");
    }
    let mut after = api.get("app").await?;
    ensure!(version_of(&story, "app").await? == "2");
    after.metadata.managed_fields = None;
    let labels = after.metadata.labels.unwrap_or_default();
    ensure!(labels.len() == 1 && after.metadata.annotations.unwrap_or_default().is_empty(), "{labels:?}");
    story.target("app").serving("2", PATIENCE).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    over(load).await
}

async fn a_service_without_pods_gets_no_users(shared: &Shared) -> anyhow::Result<()> {
    let deadline = |c: &mut Value| c["spec"]["progressDeadlineSeconds"] = json!(4);
    let (story, load) = external(shared, "external-void", deadline).await?;
    let path = story.follow("app");
    lead_to(&story, "9").await?;
    story.phase("app", Phase::Failed).await?;
    story.event("app", "canary service app.external-void not ready: no ready endpoint is behind it").await?;
    ensure!(weights(&path) == [0], "weights {:?}", weights(&path));
    story.edit_canary("app", json!({"spec": {"progressDeadlineSeconds": 60}})).await?;
    lead_to(&story, "2").await?;
    story.phase("app", Phase::Succeeded).await?;
    story.target("app").serving("2", PATIENCE).await?;
    over(load).await
}

async fn a_name_outside_the_cluster_has_two_sides(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "external-name").await?;
    let named = |name: &str| {
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "app"},
            "spec": {"type": "ExternalName", "externalName": name},
        })
    };
    let mut canary = canary_of("v1", "Service", &story.host("app"));
    canary["spec"]["service"]["gateways"] = json!([]);
    story.apply(vec![named("one.example.com"), canary]).await?;
    story.phase("app", Phase::Initialized).await?;
    let leads_to = async |name: &str| -> anyhow::Result<Option<String>> {
        Ok(story.api::<Service>().get(name).await?.spec.and_then(|s| s.external_name))
    };
    story.apply(vec![named("two.example.com")]).await?;
    story.canary_that("app", |c| weight(c) > 0).await?;
    ensure!(leads_to("app-canary").await?.as_deref() == Some("two.example.com"));
    ensure!(leads_to("app-primary").await?.as_deref() == Some("one.example.com"));
    story.phase("app", Phase::Succeeded).await?;
    ensure!(leads_to("app-primary").await?.as_deref() == Some("two.example.com"));
    // from an external name to pods
    let mut pods = service("1");
    pods["spec"]["externalName"] = Value::Null;
    pods["spec"]["type"] = json!("ClusterIP");
    let patch = Patch::Merge(json!({"spec": pods["spec"]}));
    story.apply(vec![pods_of("1")]).await?;
    story.api::<Service>().patch("app", &PatchParams::default(), &patch).await?;
    let promoted = async || (version_of(&story, "app-primary").await.ok()? == "1").then_some(());
    wait::until("the primary to lead to pods", PATIENCE, promoted).await?;
    story.phase("app", Phase::Succeeded).await?;
    story.delete_canary("app").await
}

async fn what_a_service_cannot_do_is_said(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "external-bad").await?;
    let mut canary = canary_of("v1", "Service", &story.host("app"));
    canary["spec"]["service"]["name"] = json!("other");
    story.apply(vec![pods_of("1"), service("1"), canary]).await?;
    refused(&story, "app", "InvalidSpec", &["spec.service.name is other"]).await?;
    story.edit_canary("app", json!({"spec": {"service": {"name": null, "port": 81}}})).await?;
    let words = ["spec.service.port: Service app has no port 81", "[80]"];
    refused(&story, "app", "PortUnresolved", &words).await?;
    let plain = json!({"spec": {"provider": "kubernetes", "service": {"port": 80}, "analysis": {
        "stepWeight": null, "maxWeight": null, "iterations": 2}}});
    story.edit_canary("app", plain).await?;
    refused(&story, "app", "InvalidSpec", &["spec.provider: with kubernetes users call Service app itself"])
        .await?;
    left_alone(&story, "app").await?;
    story.edit_canary("app", json!({"spec": {"provider": null, "service": {"gateways": []}}})).await?;
    accepted(&story, "app").await?;
    story.phase("app", Phase::Initialized).await.map(drop)
}
