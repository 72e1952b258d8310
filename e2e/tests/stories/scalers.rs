//! Autoscalers: the real HorizontalPodAutoscaler controller runs without metrics, so it only enforces the bounds. To
//! simulate load, stories write `scale`, as that controller does.
#![allow(non_snake_case, reason = "stories bear the ids of their scenarios")]

use std::time::Duration;

use anyhow::{Context, ensure};
use jiff::Timestamp;
use k8s_openapi::api::{apps::v1::Deployment, autoscaling::v2::HorizontalPodAutoscaler};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    Traffic, User,
    audit::Audit,
    load::LoadHandle,
    story::{PATIENCE, Story, canary, deployment},
    wait,
};

use crate::{
    Family, Shared,
    bad_common::{accepted, ends_well, go_on, held_at_25, left_alone, refused, stands, story},
};

pub(crate) const STORIES: Family = &[
    crate::story!(S0_8_autoscaler),
    crate::story!(S2_11_hpa),
    crate::story!(a_missing_autoscaler_is_waited_for),
    crate::story!(a_wrong_autoscaler_is_named_and_mended),
    crate::story!(deleted_in_a_run_users_notice_nothing),
    crate::story!(a_tool_that_applies_replicas_is_not_fought),
];

/// An autoscaler with this name and target.
pub(crate) fn hpa(name: &str, target: &str, (min, max): (i32, i32)) -> Value {
    json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "labels": {"team": "a", "kustomize.toolkit.fluxcd.io/name": "x"}},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
            "minReplicas": min, "maxReplicas": max,
            "metrics": [{
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
            }],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
        },
    })
}

/// The Canary's reference to it.
pub(crate) fn named(name: &str) -> Value {
    json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": name})
}

/// Minimum and maximum of an autoscaler. None if it does not exist.
async fn bounds(story: &Story<'_>, name: &str) -> anyhow::Result<Option<(i32, i32)>> {
    let found = story.api::<HorizontalPodAutoscaler>().get_opt(name).await?;
    Ok(found.map(|hpa| hpa.spec).map(|spec| (spec.min_replicas.unwrap_or(1), spec.max_replicas)))
}

async fn bounds_are(story: &Story<'_>, name: &str, wanted: (i32, i32)) -> anyhow::Result<()> {
    let seen = async || (bounds(story, name).await.ok()? == Some(wanted)).then_some(());
    wait::until(&format!("bounds {wanted:?} of {name}"), PATIENCE, seen).await
}

async fn replicas_are(story: &Story<'_>, name: &str, wanted: i32) -> anyhow::Result<()> {
    let seen = async || (story.replicas(name).await.ok()? == Some(wanted)).then_some(());
    wait::until(&format!("{wanted} replicas of {name}"), PATIENCE, seen).await
}

/// Sets replicas like an autoscaler.
pub(crate) async fn scale(story: &Story<'_>, name: &str, replicas: i32) -> anyhow::Result<()> {
    let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
    story.api::<Deployment>().patch_scale(name, &PatchParams::default(), &patch).await?;
    Ok(())
}

async fn edit(story: &Story<'_>, name: &str, patch: Value) -> anyhow::Result<()> {
    let api = story.api::<HorizontalPodAutoscaler>();
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.context("edit an autoscaler")?;
    Ok(())
}

async fn S0_8_autoscaler(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "scaled").await?;
    story.apply(vec![hpa("by-load", "app", (2, 6))]).await?;
    story.initialised("app", |c| c["spec"]["autoscalerRef"] = named("by-load")).await?;
    let api = story.api::<HorizontalPodAutoscaler>();
    let (user, made) = (api.get("by-load").await?, api.get("by-load-primary").await?);
    let (user, spec) = (user.spec, made.spec);
    ensure!(spec.scale_target_ref.name == "app-primary", "{spec:?}");
    ensure!((spec.metrics, spec.behavior) == (user.metrics, user.behavior), "another policy");
    let labels = made.metadata.labels.unwrap_or_default();
    ensure!(labels.contains_key("team") && !labels.keys().any(|k| k.contains("fluxcd")), "{labels:?}");
    ensure!(made.metadata.owner_references.is_none(), "owned: garbage collection could take it");
    story.event("app", "HorizontalPodAutoscaler by-load-primary was made").await?;

    // the controller has checked an empty target and left it alone
    let off = |hpa: &HorizontalPodAutoscaler| {
        let conditions = hpa.status.iter().flat_map(|s| s.conditions.iter().flatten());
        conditions.into_iter().any(|c| c.reason.as_deref() == Some("ScalingDisabled"))
    };
    wait::object(api.clone(), "by-load", PATIENCE, off).await?;
    ensure!(story.replicas("app").await? == Some(0), "the target was scaled up at rest");

    edit(
        &story,
        "by-load",
        json!({"spec": {"minReplicas": 3, "metrics": [{
            "type": "Resource",
            "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
        }]}}),
    )
    .await?;
    bounds_are(&story, "by-load-primary", (3, 6)).await?;
    story.event("app", "HorizontalPodAutoscaler by-load was changed").await?;
    // the HPA controller, not the operator, enforces the primary's new minimum
    replicas_are(&story, "app-primary", 3).await?;
    let canary: Canary = story.api().get("app").await?;
    ensure!(canary.status.is_some_and(|s| s.phase == Some(Phase::Initialized)), "a release was started");

    story.set_image("app", "app:2").await?;
    ends_well(&story).await?;
    bounds_are(&story, "by-load-primary", (3, 6)).await?;
    ensure!(story.replicas("app-primary").await? == Some(3));
    api.delete("by-load-primary", &DeleteParams::default()).await?;
    bounds_are(&story, "by-load-primary", (3, 6)).await
}

async fn S2_11_hpa(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "floor").await?;
    story.apply(vec![hpa("app", "app", (2, 10))]).await?;
    let slow = |c: &mut Value| {
        c["spec"]["autoscalerRef"] = named("app");
        c["spec"]["analysis"]["interval"] = json!("60m");
    };
    story.initialised("app", slow).await?;
    scale(&story, "app-primary", 5).await?;
    let ready = |d: &Deployment| d.status.as_ref().is_some_and(|s| s.ready_replicas == Some(5));
    wait::object(story.api::<Deployment>(), "app-primary", PATIENCE, ready).await?;
    story.set_image("app", "app:2").await?;
    let run = story.canary_that("app", |c| crate::bad_common::weight(c) == 25).await?;
    let started = |c: &Canary| c.status.as_ref().and_then(|s| s.run.clone()).map(|r| r.started);
    ensure!(bounds(&story, "app-primary").await? == Some((5, 10)), "no floor under the primary");
    // half of the primary's number, because the run reaches 50 %, but at least the minimum
    ensure!(story.replicas("app").await? == Some(3), "{:?}", story.replicas("app").await?);

    // it acts by itself during a run, on both sides. The author of a scale write is not always known
    shared.observer.except(&story.namespace, &["S16"]);
    scale(&story, "app", 4).await?;
    scale(&story, "app-primary", 3).await?;
    let words = ["was scaled below the 5 replicas it had when the run began"];
    stands(&story, "app", "Capacity", "False", "PrimaryBelowFloor", &words).await?;
    replicas_are(&story, "app-primary", 5).await.context("the floor is what brings it back")?;
    let back = |c: &Canary| !c.status.iter().flat_map(|s| &s.conditions).any(|c| c.type_ == "Capacity");
    let now = story.canary_that("app", back).await?;
    ensure!(started(&now) == started(&run) && started(&now).is_some(), "the analysis began anew");
    edit(&story, "app", json!({"spec": {"minReplicas": 1}})).await?;
    edit(&story, "app", json!({"spec": {"maxReplicas": 12}})).await?;
    bounds_are(&story, "app-primary", (5, 12)).await?;

    go_on(&story).await?;
    bounds_are(&story, "app-primary", (1, 12)).await?;
    ensure!(story.replicas("app-primary").await? == Some(5), "the operator scaled the primary");
    story.event("app", "was scaled below the 5 replicas").await
}

async fn a_missing_autoscaler_is_waited_for(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "scaler-missing").await?;
    let mut app = canary("app");
    app["spec"]["autoscalerRef"] = named("app");
    app["spec"]["service"]["gateways"] = json!([]);
    story.apply(vec![deployment("app", "app:1", 2), app]).await?;
    let words = ["HorizontalPodAutoscaler app does not exist", "spec.autoscalerRef"];
    refused(&story, "app", "AutoscalerMissing", &words).await?;
    left_alone(&story, "app").await?;
    story.apply(vec![hpa("app", "app", (2, 4))]).await?;
    accepted(&story, "app").await?;
    story.phase("app", Phase::Initialized).await?;

    // deleted between runs: the primary's stays, and a run gets pods but no traffic
    story.api::<HorizontalPodAutoscaler>().delete("app", &DeleteParams::default()).await?;
    refused(&story, "app", "AutoscalerMissing", &words).await?;
    story.set_image("app", "app:2").await?;
    replicas_are(&story, "app", 2).await?;
    ensure!(bounds(&story, "app-primary").await? == Some((2, 4)));
    ensure!(story.weight("app").await? == Some(0));
    story.apply(vec![hpa("app", "app", (2, 4))]).await?;
    accepted(&story, "app").await?;
    story.phase("app", Phase::Succeeded).await.map(drop)
}

async fn a_wrong_autoscaler_is_named_and_mended(shared: &Shared) -> anyhow::Result<()> {
    let slow = |c: &mut Value| c["spec"]["autoscalerRef"] = named("app");
    shared.bed.scripted().traffic("scaler-wrong", "app", Traffic::success(100.0, 50.0));
    let objects = Story { bed: &shared.bed, namespace: "scaler-wrong".into(), client: shared.bed.admin() };
    shared.bed.namespace("scaler-wrong").await?;
    objects.apply(vec![hpa("app", "app", (2, 4))]).await?;
    let story = held_at_25(shared, "scaler-wrong", slow).await?;

    edit(&story, "app", json!({"spec": {"scaleTargetRef": {"name": "other"}}})).await?;
    let words = ["HorizontalPodAutoscaler app scales Deployment other, not Deployment app", "scaleTargetRef"];
    refused(&story, "app", "AutoscalerElsewhere", &words).await?;
    crate::bad_common::untouched_at_25(&story).await?;
    edit(&story, "app", json!({"spec": {"scaleTargetRef": {"name": "app"}}})).await?;
    accepted(&story, "app").await?;

    story.apply(vec![hpa("other", "app", (2, 4))]).await?;
    refused(&story, "app", "TwoAutoscalers", &["HorizontalPodAutoscaler other scales app as well"]).await?;
    crate::bad_common::pace(&story).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    ensure!(story.weight("app").await? == Some(25), "the weight rose");
    edit(&story, "other", json!({"spec": {"scaleTargetRef": {"name": "another"}}})).await?;
    accepted(&story, "app").await?;
    ends_well(&story).await
}

async fn deleted_in_a_run_users_notice_nothing(shared: &Shared) -> anyhow::Result<()> {
    let namespace = "scaled-deleted";
    shared.bed.namespace(namespace).await?;
    let objects = Story { bed: &shared.bed, namespace: namespace.into(), client: shared.bed.admin() };
    objects.apply(vec![hpa("app", "app", (1, 6))]).await?;
    let story = held_at_25(shared, namespace, |c| c["spec"]["autoscalerRef"] = named("app")).await?;
    scale(&story, "app-primary", 3).await?;
    let load = LoadHandle::start(&story.target("app"), 100.0, 2);
    load.requests(100, PATIENCE).await?;
    let before = story.api::<HorizontalPodAutoscaler>().get("app").await?;
    story.delete_canary("app").await?;
    let so_far = load.snapshot().requests;
    load.requests(so_far + 100, PATIENCE).await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0 && window.version_errors == 0, "lost: {:?}", window.failures);
    let replicas = story.replicas("app").await?;
    ensure!(replicas == Some(3), "the target is asked for {replicas:?} pods, and not as many as the primary");
    ensure!(bounds(&story, "app-primary").await?.is_none(), "the primary's autoscaler is left");
    let after = story.api::<HorizontalPodAutoscaler>().get("app").await?;
    ensure!(
        (before.spec, before.metadata.labels) == (after.spec, after.metadata.labels),
        "the user's changed"
    );
    Ok(())
}

/// A GitOps tool that applies one number of replicas every second.
async fn a_tool_that_applies_replicas_is_not_fought(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "contested").await?;
    story.apply(vec![hpa("app", "app", (2, 6))]).await?;
    story.initialised("app", |c| c["spec"]["autoscalerRef"] = named("app")).await?;
    scale(&story, "app-primary", 4).await?;
    let began = Timestamp::now();
    for _ in 0..15 {
        scale(&story, "app", 3).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let scaled = Audit::of(&shared.bed, User::Operator)?
        .within("contested")
        .between(began, Timestamp::MAX)
        .only(|r| r.resource.starts_with("deployments") && r.code < 300);
    // twice at once, because the first time may be an upgrade right after a run, then after 10 s, and not for 20 s
    ensure!((1..=3).contains(&scaled.count()), "{:?}", scaled.requests());
    ensure!(story.replicas("app-primary").await? == Some(4), "the autoscaler's replicas were overwritten");
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Succeeded).await?;
    story.target("app").serving("2", PATIENCE).await
}
