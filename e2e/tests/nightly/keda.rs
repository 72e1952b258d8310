//! An application that scales to zero, with the real KEDA: it takes pods away while a trigger is inactive, and gives them back
//! when it is active. What its metrics server adds is in `keda_scales`.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use kube::{
    Api,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    core::GroupVersionKind,
};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    Keda, Traffic,
    load::LoadHandle,
    story::{PATIENCE, Story},
    wait,
};

use crate::{Family, Shared};

pub(crate) const STORIES: Family = &[
    crate::story!(k3_a_release_before_keda_has_emptied_the_primary),
    crate::story!(k3_a_release_of_an_application_that_is_at_zero),
    crate::story!(k3_pods_that_others_take_away_are_no_verdict),
];

/// Longer than KEDA's cooldown after the trigger becomes inactive.
const COOLED: Duration = Duration::from_secs(12);

pub(crate) fn scaled_objects(story: &Story<'_>) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("keda.sh", "v1alpha1", "ScaledObject");
    Api::namespaced_with(story.client.clone(), &story.namespace, &ApiResource::from_gvk(&kind))
}

/// The trigger, active or inactive.
fn triggers(shared: &Shared, active: bool) -> Value {
    json!([{
        "type": "prometheus", "metricType": "AverageValue",
        "metadata": {
            "serverAddress": shared.bed.prometheus_url(), "threshold": "1",
            "query": if active { "vector(1)" } else { "vector(0)" },
        },
    }])
}

/// KEDA also removes the primary's pods while the trigger is inactive, as users with scale-to-zero want.
fn scales_to_zero(shared: &Shared, story: &Story<'_>) {
    shared.observer.except(&story.namespace, &["S2", "S3", "S16"]);
}

/// Initialised, with an active trigger, and idle for a while.
async fn initialised<'a>(shared: &'a Shared, namespace: &str) -> anyhow::Result<Story<'a>> {
    shared.keda.get_or_try_init(|| Keda::start(&shared.bed)).await?;
    let story = Story::new(&shared.bed, namespace).await?;
    shared.bed.scripted().traffic(namespace, "app", Traffic::success(100.0, 50.0));
    let scaled = json!({
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "app"},
        "spec": {
            "scaleTargetRef": {"name": "app"}, "minReplicaCount": 0, "maxReplicaCount": 3,
            "pollingInterval": 2, "cooldownPeriod": 5, "triggers": triggers(shared, true),
        },
    });
    story.apply(vec![scaled]).await?;
    let named = json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "app"});
    story
        .initialised("app", |canary| {
            canary["spec"]["autoscalerRef"] = named;
            canary["spec"]["analysis"]["interval"] = json!("5s");
        })
        .await?;
    tokio::time::sleep(Duration::from_secs(10)).await;
    ensure!(
        story.replicas("app").await? == Some(0),
        "the target got pods at rest: {:?}",
        story.replicas("app").await?
    );
    Ok(story)
}

async fn activate(shared: &Shared, story: &Story<'_>, active: bool) -> anyhow::Result<()> {
    let patch = json!({"spec": {"triggers": triggers(shared, active)}});
    scaled_objects(story).patch("app", &PatchParams::default(), &Patch::Merge(patch)).await?;
    Ok(())
}

/// Promoted without a failed check. The target stays at 0, and both of KEDA's ScaledObjects have their former state.
async fn promoted(story: &Story<'_>) -> anyhow::Result<()> {
    let over = |c: &Canary| {
        c.status.as_ref().is_some_and(|s| matches!(s.phase, Some(Phase::Succeeded | Phase::Failed)))
    };
    let canary = story.canary_that("app", over).await?;
    let status = canary.status.unwrap_or_default();
    let events = story.events("app").await?.join("\n");
    ensure!(status.phase == Some(Phase::Succeeded), "{:?}\n{events}", status.phase);
    ensure!(!events.contains("Halt"), "pods that were taken away count as failed checks:\n{events}");
    let rests = async || (story.replicas("app").await.ok()? == Some(0)).then_some(());
    wait::until("the target to rest", PATIENCE, rests).await?;
    let scaled = scaled_objects(story).get("app").await?;
    let annotations = scaled.metadata.annotations.unwrap_or_default();
    ensure!(!annotations.contains_key("autoscaling.keda.sh/paused-scale-in"), "{annotations:?}");
    // its lower bound is restored after the run
    let bounded = |twin: &DynamicObject| twin.data["spec"]["minReplicaCount"] == 0;
    let twin = wait::object(scaled_objects(story), "app-primary", PATIENCE, bounded).await;
    twin.map(drop).context("the primary's ScaledObject")
}

async fn k3_a_release_before_keda_has_emptied_the_primary(shared: &Shared) -> anyhow::Result<()> {
    let story = initialised(shared, "k3-busy").await?;
    scales_to_zero(shared, &story);
    activate(shared, &story, false).await?;
    story.set_image("app", "app:2").await?;
    Box::pin(promoted(&story)).await
}

async fn k3_a_release_of_an_application_that_is_at_zero(shared: &Shared) -> anyhow::Result<()> {
    let story = initialised(shared, "k3-idle").await?;
    scales_to_zero(shared, &story);
    activate(shared, &story, false).await?;
    tokio::time::sleep(COOLED).await;
    let empty = async || (story.replicas("app-primary").await.ok()? == Some(0)).then_some(());
    wait::until("KEDA to have taken the primary's pods", PATIENCE, empty).await?;
    story.set_image("app", "app:2").await?;
    Box::pin(promoted(&story)).await?;
    // it serves as soon as the trigger is active
    activate(shared, &story, true).await?;
    story.target("app").serving("2", PATIENCE).await
}

async fn k3_pods_that_others_take_away_are_no_verdict(shared: &Shared) -> anyhow::Result<()> {
    let story = initialised(shared, "k3-taken").await?;
    // the API server does not always show who has scaled to 0, so the observer attributes it to the operator
    shared.observer.except(&story.namespace, &["S2", "S4"]);
    story.target("app").serving("1", PATIENCE).await?;
    let load = LoadHandle::start(&story.target("app"), 40.0, 2);
    story.set_image("app", "app:2").await?;
    let at_25 = |c: &Canary| c.status.as_ref().is_some_and(|s| s.canary_weight == 25);
    story.canary_that("app", at_25).await?;
    let scale = Patch::Merge(json!({"spec": {"replicas": 0}}));
    let api: Api<k8s_openapi::api::apps::v1::Deployment> = story.api();
    api.patch("app", &PatchParams::default(), &scale).await?;
    // requests still reach deleted pods until the proxy has followed the route
    let left = async || (story.weight("app").await.ok()? == Some(0)).then_some(());
    wait::until("the traffic to leave the canary", PATIENCE, left).await?;
    story.target("app").serving("1", PATIENCE).await?;
    load.reset();
    Box::pin(promoted(&story)).await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0, "of {} requests, lost: {:?}", window.requests, window.failures);
    Ok(())
}
