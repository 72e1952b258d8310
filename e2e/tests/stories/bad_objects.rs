//! Generated objects that somebody edits or deletes by hand, between runs and during a run: the operator restores the
//! promoted template and the step of the run.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, ensure};
use futures::StreamExt;
use k8s_openapi::api::{apps::v1::Deployment, core::v1::Service};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
    runtime::{WatchStreamExt, watcher},
};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    Traffic,
    load::LoadHandle,
    story::{PATIENCE, Story},
    wait,
};

use crate::{
    Family, Shared,
    bad_common::{ends_well, go_on, held_at_25, pace, story, untouched_at_25, well_goes_on},
};

pub(crate) const STORIES: Family = &[
    crate::story!(a_primary_edited_at_rest_is_restored),
    crate::story!(a_primary_deleted_at_rest_is_made_again),
    crate::story!(a_primary_edited_in_a_run_is_restored),
    crate::story!(a_primary_deleted_in_a_run_is_made_again),
    crate::story!(a_primary_deleted_in_a_rollback_is_made_again),
    crate::story!(a_primary_deleted_while_finalising_is_made_again),
    crate::story!(weights_edited_in_a_run_go_back_to_the_step),
    crate::story!(a_route_deleted_in_a_run_comes_back_at_the_step),
    crate::story!(services_deleted_at_rest_are_made_again),
];

fn image(deployment: &Deployment) -> Option<&str> {
    deployment.spec.template.spec.as_ref()?.containers.first()?.image.as_deref()
}

fn ready(deployment: &Deployment, replicas: i32) -> bool {
    let spec = deployment.spec.replicas;
    let Some(status) = deployment.status.as_ref() else { return false };
    let counts = [spec, status.replicas, status.updated_replicas, status.ready_replicas];
    status.observed_generation == deployment.metadata.generation
        && counts.iter().all(|n| *n == Some(replicas))
}

/// Somebody changes the primary's image, and the operator changes it back.
async fn edit_primary(story: &Story<'_>) -> anyhow::Result<()> {
    let api: Api<Deployment> = story.api();
    let edited =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:666"}]}}}});
    let edited = api.patch("app-primary", &PatchParams::default(), &Patch::Strategic(edited)).await?;
    let generation = edited.metadata.generation;
    wait::object(api, "app-primary", PATIENCE, |d| {
        d.metadata.generation > generation && image(d) == Some("app:1") && ready(d, 2)
    })
    .await
    .context("the primary with the promoted image")?;
    story.event("app", "Deployment app-primary was changed by").await
}

/// Somebody deletes the primary, and the operator creates it again from the promoted template with its replicas.
async fn delete_primary(story: &Story<'_>, promoted: &str) -> anyhow::Result<()> {
    let api: Api<Deployment> = story.api();
    let uid = api.get("app-primary").await?.metadata.uid;
    api.delete("app-primary", &DeleteParams::background()).await?;
    let made = |d: &Deployment| d.metadata.uid != uid && image(d) == Some(promoted) && ready(d, 2);
    wait::object(api, "app-primary", PATIENCE, made).await.context("a new primary")?;
    story.event("app", "Deployment app-primary was missing: created again").await
}

/// Only version 1 answers, after the proxies have caught up.
async fn serves_the_old(story: &Story<'_>) -> anyhow::Result<()> {
    let load = LoadHandle::start(&story.target("app"), 200.0, 2);
    wait::until("a hundred answers of version 1 alone", PATIENCE, async || {
        load.reset();
        let window = load.requests(100, PATIENCE).await.ok()?;
        (window.lost() == 0 && window.versions.keys().all(|v| v == "1")).then_some(())
    })
    .await?;
    load.stop().await;
    Ok(())
}

async fn a_primary_edited_at_rest_is_restored(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "primary-edited").await?;
    story.initialised("app", |_| {}).await?;
    story.target("app").serving("1", PATIENCE).await?;
    let load = LoadHandle::start(&story.target("app"), 100.0, 2);
    edit_primary(&story).await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0, "lost: {:?}", window.failures);
    // once more: repairing the same damage again is not a fight
    edit_primary(&story).await?;
    serves_the_old(&story).await?;
    well_goes_on(&story).await
}

async fn a_primary_deleted_at_rest_is_made_again(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "primary-deleted").await?;
    story.initialised("app", |_| {}).await?;
    delete_primary(&story, "app:1").await?;
    serves_the_old(&story).await?;
    well_goes_on(&story).await
}

async fn a_primary_edited_in_a_run_is_restored(shared: &Shared) -> anyhow::Result<()> {
    let story = held_at_25(shared, "primary-edited-run", |_| {}).await?;
    edit_primary(&story).await?;
    untouched_at_25(&story).await?;
    go_on(&story).await
}

async fn a_primary_deleted_in_a_run_is_made_again(shared: &Shared) -> anyhow::Result<()> {
    let story = held_at_25(shared, "primary-deleted-run", |_| {}).await?;
    delete_primary(&story, "app:1").await?;
    go_on(&story).await
}

/// Long enough to act between the change of the route and the end of a run.
async fn settle_slowly(story: &Story<'_>) -> anyhow::Result<()> {
    story.edit_canary("app", json!({"spec": {"settleTime": "15s"}})).await
}

async fn a_primary_deleted_in_a_rollback_is_made_again(shared: &Shared) -> anyhow::Result<()> {
    let story = held_at_25(shared, "primary-deleted-back", |_| {}).await?;
    settle_slowly(&story).await?;
    shared.bed.scripted().traffic(&story.namespace, "app", Traffic::success(0.0, 50.0));
    pace(&story).await?;
    let ending = |c: &Canary| c.status.iter().filter_map(|s| s.run.as_ref()).any(|r| r.ending.is_some());
    story.canary_that("app", ending).await?;
    delete_primary(&story, "app:1").await?;
    story.phase("app", Phase::Failed).await?;
    ensure!(story.weight("app").await? == Some(0));
    ensure!(story.replicas("app").await? == Some(0));
    serves_the_old(&story).await
}

async fn a_primary_deleted_while_finalising_is_made_again(shared: &Shared) -> anyhow::Result<()> {
    let story = held_at_25(shared, "primary-deleted-end", |_| {}).await?;
    settle_slowly(&story).await?;
    pace(&story).await?;
    story.phase("app", Phase::Finalising).await?;
    delete_primary(&story, "app:2").await?;
    ends_well(&story).await
}

/// The weights of the route since the start of the watch.
struct Weights {
    seen: Arc<Mutex<Vec<i64>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Weights {
    fn follow(story: &Story<'_>) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (sink, api) = (seen.clone(), story.virtual_services());
        let config = watcher::Config::default().fields("metadata.name=app");
        let task = tokio::spawn(async move {
            let mut stream = std::pin::pin!(watcher(api, config).default_backoff().applied_objects());
            while let Some(event) = stream.next().await {
                let Ok(route) = event else { continue };
                let weight = route.data["spec"]["http"][0]["route"][1]["weight"].as_i64().unwrap_or(-1);
                sink.lock().unwrap_or_else(PoisonError::into_inner).push(weight);
            }
        });
        Self { seen, task }
    }

    async fn until(&self, wanted: &[i64]) -> anyhow::Result<()> {
        let seen = || self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let reached = async || (seen().len() >= wanted.len()).then_some(());
        wait::until(&format!("the weights {wanted:?}"), PATIENCE, reached).await?;
        ensure!(seen() == wanted, "the weights were {:?}, not {wanted:?}", seen());
        Ok(())
    }
}

impl Drop for Weights {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn set_weights(story: &Story<'_>, canary: i64) -> anyhow::Result<()> {
    let api = story.virtual_services();
    let mut http: Value = api.get("app").await?.data["spec"]["http"].clone();
    http[0]["route"][0]["weight"] = json!(100 - canary);
    http[0]["route"][1]["weight"] = json!(canary);
    let patch = json!({"spec": {"http": http}});
    api.patch("app", &PatchParams::default(), &Patch::Merge(patch)).await.context("edit the route")?;
    Ok(())
}

async fn weights_edited_in_a_run_go_back_to_the_step(shared: &Shared) -> anyhow::Result<()> {
    let story = held_at_25(shared, "weights-edited", |_| {}).await?;
    let weights = Weights::follow(&story);
    weights.until(&[25]).await?;
    let load = LoadHandle::start(&story.target("app"), 200.0, 4);
    set_weights(&story, 60).await?;
    weights.until(&[25, 60, 25]).await?;
    set_weights(&story, 0).await?;
    weights.until(&[25, 60, 25, 0, 25]).await?;
    story.event("app", "VirtualService app was changed by").await?;
    well_goes_on(&story).await?;
    untouched_at_25(&story).await?;
    weights.until(&[25, 60, 25, 0, 25]).await?;
    go_on(&story).await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0, "lost: {:?}", window.failures);
    Ok(())
}

async fn a_route_deleted_in_a_run_comes_back_at_the_step(shared: &Shared) -> anyhow::Result<()> {
    let story = held_at_25(shared, "route-deleted", |_| {}).await?;
    let uid = story.virtual_services().get("app").await?.metadata.uid;
    story.virtual_services().delete("app", &DeleteParams::default()).await?;
    let again = async || {
        story.virtual_services().get_opt("app").await.ok()??.metadata.uid.filter(|u| Some(u) != uid.as_ref())
    };
    wait::until("a new route", PATIENCE, again).await?;
    untouched_at_25(&story).await?;
    story.event("app", "VirtualService app was missing: created again").await?;
    go_on(&story).await
}

async fn services_deleted_at_rest_are_made_again(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "services-deleted").await?;
    story.initialised("app", |_| {}).await?;
    let api: Api<Service> = story.api();
    for (name, pods) in [("app", "app-primary"), ("app-primary", "app-primary"), ("app-canary", "app")] {
        let uid = api.get(name).await?.metadata.uid;
        api.delete(name, &DeleteParams::default()).await?;
        wait::object(api.clone(), name, PATIENCE, |s: &Service| s.metadata.uid != uid).await?;
        ensure!(story.selector(name).await? == json!({"app": pods}), "{name} selects something else");
    }
    serves_the_old(&story).await
}
