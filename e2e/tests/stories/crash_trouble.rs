//! Releases and Canaries with problems, to be interrupted: a schedule that is edited during a run, a canary that loses
//! its pods during the promotion, a refused takeover, and a target and a Canary that are deleted together.

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

/// A step at which the run waits for an edit.
pub(crate) fn gated_steps() -> Value {
    json!({"steps": [{"weight": 25, "gate": {"name": "qa"}}, {"weight": 50}]})
}

fn phase(canary: &Canary) -> Phase {
    canary.status.as_ref().and_then(|status| status.phase).unwrap_or_default()
}

/// Edits the schedule when the run reaches its first step, and waits for the end. Repeating this changes nothing.
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

/// The primary's pods are slow, so that the canary serves its share alone for a while.
pub(crate) fn slow_primary(story: &Story<'_>) -> anyhow::Result<()> {
    let slow = Behaviour { ready_after: Some(Duration::from_secs(6)), ..Behaviour::default() };
    let pods =
        Selector { workload: Some("app-primary".into()), image: Some("app:2".into()), ..Selector::default() };
    story.bed.kubelet()?.set(pods.in_namespace(&story.namespace), slow);
    Ok(())
}

/// Removes the canary's pods during its promotion, and waits for the end.
pub(crate) async fn vanished(story: &Story<'_>) -> anyhow::Result<()> {
    story.canary_that("app", |c| phase(c) >= Phase::Promoting).await.context("waiting for the promotion")?;
    story.bed.kubelet()?.fail_ready(Selector::workload("app").in_namespace(&story.namespace));
    story.phase("app", Phase::Succeeded).await.map(drop)
}

/// The user's own Service and route. The route sends some requests elsewhere.
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

/// After the refusal is reported, removes its cause from the route, and waits for the takeover.
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

/// Like `kubectl delete -f`.
pub(crate) async fn remove_both(story: &Story<'_>) -> anyhow::Result<()> {
    story.api::<Deployment>().delete("app", &DeleteParams::default()).await?;
    story.api::<Canary>().delete("app", &DeleteParams::default()).await?;
    Ok(())
}

/// No serving object is left.
pub(crate) async fn all_gone(story: &Story<'_>) -> anyhow::Result<()> {
    wait::gone(story.api::<Canary>(), "app", PATIENCE).await?;
    wait::gone(story.api::<Deployment>(), "app-primary", PATIENCE).await?;
    for service in ["app", "app-primary", "app-canary"] {
        wait::gone(story.api::<Service>(), service, PATIENCE).await?;
    }
    Ok(())
}

/// Both are deleted, but no operator has recorded this: the next operator cannot know whether the target was lost much
/// earlier, with users still on the primary.
pub(crate) async fn unrecorded(story: &Story<'_>) -> anyhow::Result<bool> {
    let Some(canary) = story.api::<Canary>().get_opt("app").await? else { return Ok(false) };
    let status = canary.status.unwrap_or_default();
    Ok(status.phase != Some(Phase::Terminating)
        && status.conditions.iter().all(|condition| condition.reason != "TargetMissing"))
}

/// The primary continues to serve, and the operator reports it.
pub(crate) async fn left_running(story: &Story<'_>) -> anyhow::Result<()> {
    wait::gone(story.api::<Canary>(), "app", PATIENCE).await?;
    story.api::<Deployment>().get("app-primary").await.context("the primary, which may have users")?;
    let said = async || {
        let events = story.events("app").await.ok()?;
        events.iter().any(|event| event.contains("left running")).then_some(())
    };
    wait::until("the Event that it is left running", PATIENCE, said).await?;
    story.target("app").serving("1", PATIENCE).await
}
