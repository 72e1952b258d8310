//! Targets that use ConfigMaps and Secrets: changed contents are a release, the primary keeps the contents that it was
//! promoted with, and unused copies are deleted.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use jiff::Timestamp;
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Secret},
};
use kube::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};
use serin::{
    api::{Canary, Phase},
    manifest::config::{self, Reference},
};
use serin_bed::{
    Traffic, User,
    audit::Audit,
    load::LoadHandle,
    story::{PATIENCE, Story, canary, configs, configured, deployment},
    wait,
};

use crate::{
    Family, Shared,
    bad_common::{accepted, refused},
};

pub(crate) const STORIES: Family = &[
    crate::story!(a_changed_content_is_a_release_and_old_copies_go),
    crate::story!(a_content_that_does_badly_never_reaches_the_primary),
    crate::story!(a_secret_rotated_in_a_run_starts_it_over_with_new_pods),
    crate::story!(two_canaries_share_a_config_map),
    crate::story!(a_missing_config_map_is_said_and_mends_itself),
    crate::story!(contents_are_told_to_nobody),
];

/// The objects that a Deployment's pods use, with their contents.
async fn used(story: &Story<'_>, deployment: &str) -> anyhow::Result<BTreeMap<String, Value>> {
    let live = serde_json::to_value(story.api::<Deployment>().get(deployment).await?)?;
    let mut found = BTreeMap::new();
    for Reference { at, .. } in config::references(&live["spec"]["template"]["spec"]) {
        let object = if at.kind.kind == "Secret" {
            serde_json::to_value(story.api::<Secret>().get(&at.name).await.with_context(|| at.to_string())?)?
        } else {
            serde_json::to_value(
                story.api::<ConfigMap>().get(&at.name).await.with_context(|| at.to_string())?,
            )?
        };
        found.insert(at.name, object);
    }
    Ok(found)
}

/// The names of all copies.
async fn copies(story: &Story<'_>) -> anyhow::Result<Vec<String>> {
    let ours = ListParams::default().labels(serin::names::LABEL_CANARY);
    let maps = story.api::<ConfigMap>().list(&ours).await?.items.into_iter().map(|o| o.metadata.name);
    let secrets = story.api::<Secret>().list(&ours).await?.items.into_iter().map(|o| o.metadata.name);
    Ok(maps.chain(secrets).flatten().collect())
}

async fn collected(story: &Story<'_>, wanted: usize) -> anyhow::Result<()> {
    let left = async || (copies(story).await.ok()?.len() == wanted).then_some(());
    wait::until(&format!("{wanted} copies to be left"), PATIENCE, left).await
}

async fn set<K>(api: Api<K>, name: &str, patch: Value) -> anyhow::Result<()>
where
    K: kube::Resource + Clone + serde::de::DeserializeOwned + std::fmt::Debug,
{
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.context("changing a content")?;
    Ok(())
}

async fn running<'a>(shared: &'a Shared, namespace: &str, percent: f64) -> anyhow::Result<Story<'a>> {
    let story = Story::new(&shared.bed, namespace).await?;
    shared.bed.scripted().traffic(namespace, "app", Traffic::success(percent, 20.0));
    story.configured("app", |_| {}).await?;
    Ok(story)
}

async fn a_changed_content_is_a_release_and_old_copies_go(shared: &Shared) -> anyhow::Result<()> {
    let story = running(shared, "configs-changed", 100.0).await?;
    story.target("app").serving("1", PATIENCE).await?;
    let load = LoadHandle::start(&story.target("app"), 50.0, 2);
    let (target, first) = (used(&story, "app").await?, used(&story, "app-primary").await?);
    ensure!(target.len() == 4 && first.len() == 4, "used: {:?}", first.keys());
    for (name, copy) in &first {
        ensure!(name.contains("-primary-") && copy["immutable"] == true, "{name} is no copy: {copy}");
        ensure!(copy["metadata"]["ownerReferences"].is_null(), "{name} has an owner");
    }
    set(story.api::<ConfigMap>(), "app-files", json!({"data": {"file": "2"}, "binaryData": {"b": "AAE="}}))
        .await?;
    story.phase("app", Phase::Succeeded).await?;
    let second = used(&story, "app-primary").await?;
    let changed = second.iter().find(|(name, _)| !first.contains_key(*name)).context("the same copies")?;
    ensure!(
        changed.1["data"]["file"] == "2" && changed.1["binaryData"]["b"] == "AAE=",
        "copied: {}",
        changed.1
    );
    ensure!(
        second.keys().filter(|name| first.contains_key(*name)).count() == 3,
        "more was copied than changed"
    );
    collected(&story, 4).await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0, "requests lost: {:?}", window.failures);

    let status = story.api::<Canary>().get("app").await?.status.unwrap_or_default();
    let tracked = status.tracked_configs.unwrap_or_default();
    let keys: Vec<_> = tracked.keys().map(String::as_str).collect();
    ensure!(
        keys == ["configmap/app-env", "configmap/app-files", "secret/app-tls", "secret/app-token"],
        "{keys:?}"
    );
    story.delete_canary("app").await?;
    ensure!(copies(&story).await?.is_empty(), "left behind: {:?}", copies(&story).await?);
    ensure!(used(&story, "app").await?.len() == 4, "the target lost what it uses");
    Ok(())
}

async fn a_content_that_does_badly_never_reaches_the_primary(shared: &Shared) -> anyhow::Result<()> {
    let story = running(shared, "configs-bad", 50.0).await?;
    let first = used(&story, "app-primary").await?;
    set(story.api::<ConfigMap>(), "app-env", json!({"data": {"LEVEL": "bad"}})).await?;
    story.phase("app", Phase::Failed).await?;
    ensure!(used(&story, "app-primary").await? == first, "the primary's configuration has changed");
    set(story.api::<ConfigMap>(), "app-env", json!({"data": {"LEVEL": "1"}})).await?;
    story.phase("app", Phase::Succeeded).await?;
    story.event("app", "the failure is over").await
}

async fn a_secret_rotated_in_a_run_starts_it_over_with_new_pods(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "configs-rotated").await?;
    shared.bed.scripted().traffic("configs-rotated", "app", Traffic::success(100.0, 20.0));
    story.configured("app", |canary| canary["spec"]["analysis"]["interval"] = json!("3s")).await?;
    story.target("app").serving("1", PATIENCE).await?;
    let load = LoadHandle::start(&story.target("app"), 50.0, 2);
    story.set_image("app", "app:2").await?;
    story.canary_that("app", |c| c.status.as_ref().is_some_and(|s| s.canary_weight == 25)).await?;
    // checked while it happens: the pods with the old Secret are deleted, and new ones are created at once
    let renewed =
        wait::object(story.api::<Deployment>(), "app", PATIENCE, |d: &Deployment| d.spec.replicas == Some(0));
    let rotated = set(story.api::<Secret>(), "app-token", json!({"stringData": {"TOKEN": "rotated"}}));
    tokio::try_join!(renewed, rotated)?;
    story.event("app", "Restarting analysis for app.configs-rotated").await?;
    story.phase("app", Phase::Succeeded).await?;
    let primary = used(&story, "app-primary").await?;
    let token = primary.iter().find(|(name, _)| name.starts_with("app-token-primary-")).context("no copy")?;
    ensure!(token.1["data"]["TOKEN"] == "cm90YXRlZA==", "the primary has {}", token.1["data"]);
    let window = load.stop().await;
    ensure!(window.lost() == 0, "requests lost: {:?}", window.failures);
    Ok(())
}

async fn two_canaries_share_a_config_map(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "configs-shared").await?;
    shared.bed.scripted().traffic("configs-shared", "one", Traffic::success(100.0, 20.0));
    shared.bed.scripted().traffic("configs-shared", "two", Traffic::success(100.0, 20.0));
    story.apply(configs("app")).await?;
    for name in ["one", "two"] {
        let mut target = deployment(name, "app:1", 1);
        configured(&mut target, "app");
        story.apply(vec![target, canary(name)]).await?;
        story.phase(name, Phase::Initialized).await?;
    }
    collected(&story, 8).await?;
    story.delete_canary("one").await?;
    collected(&story, 4).await?;
    ensure!(used(&story, "two-primary").await?.len() == 4, "the other one lost its copies");
    Ok(())
}

async fn a_missing_config_map_is_said_and_mends_itself(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "configs-missing").await?;
    let mut target = deployment("app", "app:1", 1);
    configured(&mut target, "app");
    let (optional, mut others): (Vec<Value>, Vec<Value>) =
        configs("app").into_iter().partition(|o| o["metadata"]["name"] == "app-tls");
    let env = others.remove(0);
    others.extend([target, canary("app")]);
    story.apply(others).await?;
    let told = ["ConfigMap app-env does not exist", "spec.template.spec.containers[app].envFrom"];
    refused(&story, "app", "ConfigMissing", &told).await?;
    story.apply(vec![env]).await?;
    story.phase("app", Phase::Initialized).await?;
    accepted(&story, "app").await?;
    ensure!(copies(&story).await?.len() == 3, "copies: {:?}", copies(&story).await?);

    // an optional object that is created later is a new revision
    shared.bed.scripted().traffic("configs-missing", "app", Traffic::success(100.0, 20.0));
    story.apply(optional).await?;
    story.phase("app", Phase::Succeeded).await?;
    ensure!(used(&story, "app-primary").await?.len() == 4, "the primary does not use it");
    let api: Api<ConfigMap> = story.api();
    api.delete("app-env", &DeleteParams::default()).await?;
    refused(&story, "app", "ConfigMissing", &["ConfigMap app-env does not exist"]).await.map(drop)
}

async fn contents_are_told_to_nobody(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "configs-told").await?;
    let mut secret = configs("app");
    for object in &mut secret {
        if object["metadata"]["name"] == "app-token" {
            object["stringData"] = json!({"TOKEN": "marked-plain-text"});
        }
    }
    let other = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "unrelated"}, "stringData": {"a": "b"}});
    let mut target = deployment("app", "app:1", 1);
    configured(&mut target, "app");
    story.apply([secret, vec![other, target, canary("app")]].concat()).await?;
    story.phase("app", Phase::Initialized).await?;
    let encoded = "bWFya2VkLXBsYWluLXRleHQ=";
    let status = json!(story.api::<Canary>().get("app").await?).to_string();
    let revisions = json!(
        story
            .api::<k8s_openapi::api::apps::v1::ControllerRevision>()
            .list(&ListParams::default())
            .await?
            .items
    );
    let logs = shared.operator.lock().await.logs()?;
    for (place, text) in [("status", status), ("a stored template", revisions.to_string()), ("the log", logs)]
    {
        ensure!(
            !text.contains("marked-plain-text") && !text.contains(encoded),
            "a Secret is told in {place}"
        );
    }
    let read = Audit::of(&shared.bed, User::Operator)?
        .within("configs-told")
        .between(Timestamp::MIN, Timestamp::MAX);
    let read = read.only(|r| r.verb == "get");
    ensure!(read.count() > 0, "nothing was read");
    let unrelated = read.only(|r| !r.name.starts_with("app-"));
    ensure!(unrelated.count() == 0, "read without need: {:?}", unrelated.requests());
    Ok(())
}
