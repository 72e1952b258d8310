//! Releases and Canaries that meet trouble, as they are interrupted: a schedule that is edited in the middle of a run, a canary
//! that loses its pods while it is promoted, a takeover that is refused, and target and Canary that are removed together.

use std::time::Duration;

use anyhow::Context as _;
use k8s_openapi::api::{apps::v1::Deployment, core::v1::Service};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    kubelet::{Behaviour, Selector},
    story::{PATIENCE, Story},
    wait,
};

/// A step at which the run waits until it is edited.
pub(crate) fn gated_steps() -> Value {
    json!({"steps": [{"weight": 25, "gate": {"name": "qa"}}, {"weight": 50}]})
}

fn phase(canary: &Canary) -> Phase {
    canary.status.as_ref().and_then(|status| status.phase).unwrap_or_default()
}

/// Edits the schedule when the run has come to its first step, and waits for the end. Doing so again changes nothing.
pub(crate) async fn edited(story: &Story<'_>) -> anyhow::Result<()> {
    let there = |c: &Canary| {
        let weight = c.status.as_ref().and_then(|s| s.step.as_ref()).map_or(0, |step| step.weight);
        phase(c) == Phase::Waiting && weight == 25 || weight > 25 || phase(c) >= Phase::Promoting
    };
    story.canary_that("app", there).await.context("waiting for the first step")?;
    let steps = json!({"spec": {"analysis": {"steps": [{"weight": 40}, {"weight": 60}]}}});
    story.edit_canary("app", steps).await?;
    story.phase("app", Phase::Succeeded).await.map(drop)
}

/// Pods of the primary take a while, so that there is time in which the canary carries its share alone.
pub(crate) fn slow_primary(story: &Story<'_>) -> anyhow::Result<()> {
    let slow = Behaviour { ready_after: Some(Duration::from_secs(6)), ..Behaviour::default() };
    let pods =
        Selector { workload: Some("app-primary".into()), image: Some("app:2".into()), ..Selector::default() };
    story.bed.kubelet()?.set(pods.in_namespace(&story.namespace), slow);
    Ok(())
}

/// Takes the canary's pods away once it is promoted, and waits for the end.
pub(crate) async fn vanished(story: &Story<'_>) -> anyhow::Result<()> {
    story.canary_that("app", |c| phase(c) >= Phase::Promoting).await.context("waiting for the promotion")?;
    story.bed.kubelet()?.fail_ready(Selector::workload("app").in_namespace(&story.namespace));
    story.phase("app", Phase::Succeeded).await.map(drop)
}

/// The user's own Service and route, which leads some requests elsewhere.
pub(crate) async fn routed(story: &Story<'_>) -> anyhow::Result<()> {
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "app"},
        "spec": {"selector": {"app": "app"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
    });
    let to = |host: &str| json!([{"destination": {"host": host}}]);
    let rules =
        json!([{"match": [{"uri": {"prefix": "/admin"}}], "route": to("admin")}, {"route": to("app")}]);
    let route = json!({
        "apiVersion": "networking.istio.io/v1beta1", "kind": "VirtualService", "metadata": {"name": "app"},
        "spec": {"hosts": ["app", story.host("app")], "gateways": ["gateway", "mesh"], "http": rules},
    });
    story.apply(vec![service, route]).await?;
    story.target("app").serving("1", PATIENCE).await
}

/// Takes out of the route what keeps it from being taken over, once that was said, and waits until it is.
pub(crate) async fn taken_over(story: &Story<'_>) -> anyhow::Result<()> {
    let told = |c: &Canary| {
        let refused = |reason: &str| reason == "TakeoverUnsafe";
        let all = c.status.iter().flat_map(|status| &status.conditions);
        all.into_iter().any(|k| k.type_ == "Accepted" && (k.status == "True" || refused(&k.reason)))
    };
    story.canary_that("app", told).await.context("waiting for the refusal")?;
    let routes = story.virtual_services();
    let live = routes.get("app").await.context("the route")?;
    let led_away = live.data["spec"]["http"]
        .as_array()
        .is_some_and(|rules| rules.iter().any(|rule| rule["route"][0]["destination"]["host"] == "admin"));
    if led_away {
        let plain = json!({"spec": {"http": [{"route": [{"destination": {"host": "app"}}]}]}});
        routes.patch("app", &PatchParams::default(), &Patch::Merge(plain)).await?;
    }
    story.phase("app", Phase::Initialized).await.map(drop)
}

/// As `kubectl delete -f` does it.
pub(crate) async fn remove_both(story: &Story<'_>) -> anyhow::Result<()> {
    story.api::<Deployment>().delete("app", &DeleteParams::default()).await?;
    story.api::<Canary>().delete("app", &DeleteParams::default()).await?;
    Ok(())
}

/// Nothing is left that serves.
pub(crate) async fn all_gone(story: &Story<'_>) -> anyhow::Result<()> {
    wait::gone(story.api::<Canary>(), "app", PATIENCE).await?;
    wait::gone(story.api::<Deployment>(), "app-primary", PATIENCE).await?;
    for service in ["app", "app-primary", "app-canary"] {
        wait::gone(story.api::<Service>(), service, PATIENCE).await?;
    }
    Ok(())
}
