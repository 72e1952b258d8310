//! Applications that KEDA scales by load: its operator and its metrics server, and the controller of HorizontalPodAutoscalers that
//! asks it. Users get answers throughout.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    Keda, Traffic,
    load::LoadHandle,
    story::{PATIENCE, Story},
    wait,
};

use crate::{Family, Shared, keda::scaled_objects};

pub(crate) const STORIES: Family = &[
    crate::story!(the_primary_is_scaled_by_load_through_a_release),
    crate::story!(an_autoscaler_becomes_a_scaled_object_between_two_releases),
    crate::story!(what_users_paused_is_paused_again_after_a_release),
    crate::story!(a_second_scaled_object_of_one_application_rests_as_well),
    crate::story!(a_trigger_without_a_query_counts_the_pods_of_the_primary),
    crate::story!(a_release_goes_on_while_keda_is_away_and_comes_back),
    crate::story!(a_release_is_judged_by_what_keda_measures),
    crate::story!(a_scaled_object_that_is_no_longer_named_leaves_the_primary_its_pods),
    crate::story!(a_canary_is_deleted_while_keda_is_away),
];

/// Longer than KEDA and the autoscalers need to notice something.
const NOTICED: Duration = Duration::from_secs(25);

fn trigger(shared: &Shared, value: u32) -> Value {
    json!({
        "type": "prometheus", "metricType": "AverageValue",
        "metadata": {
            "serverAddress": shared.bed.prometheus_url(), "threshold": "1", "query": format!("vector({value})"),
        },
    })
}

/// A ScaledObject of `app` that follows its triggers at once, up and down.
fn scaled_object(name: &str, bounds: (u32, u32), triggers: &[Value]) -> Value {
    json!({
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"name": "app"}, "minReplicaCount": bounds.0, "maxReplicaCount": bounds.1,
            "pollingInterval": 2, "cooldownPeriod": 5, "triggers": triggers,
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": {
                "scaleDown": {"stabilizationWindowSeconds": 0},
            }}},
        },
    })
}

fn named(name: &str) -> Value {
    json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": name})
}

/// A Canary for `app` that names this autoscaler, initialised, with these objects beside it.
async fn initialised<'a>(
    shared: &'a Shared,
    namespace: &str,
    objects: Vec<Value>,
    autoscaler: Value,
) -> anyhow::Result<Story<'a>> {
    shared.keda.get_or_try_init(|| Keda::start(&shared.bed)).await?;
    let story = Story::new(&shared.bed, namespace).await?;
    shared.bed.scripted().traffic(namespace, "app", Traffic::success(100.0, 50.0));
    story.apply(objects).await?;
    story
        .initialised("app", |canary| {
            canary["spec"]["autoscalerRef"] = autoscaler;
            canary["spec"]["analysis"]["interval"] = json!("5s");
        })
        .await?;
    story.target("app").serving("1", PATIENCE).await?;
    Ok(story)
}

async fn merge(story: &Story<'_>, name: &str, patch: Value) -> anyhow::Result<()> {
    let api = scaled_objects(story);
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.context("edit a ScaledObject")?;
    Ok(())
}

async fn asks_for(shared: &Shared, story: &Story<'_>, value: u32) -> anyhow::Result<()> {
    merge(story, "app", json!({"spec": {"triggers": [trigger(shared, value)]}})).await
}

async fn windows_of(story: &Story<'_>, interval: &str) -> anyhow::Result<()> {
    story.edit_canary("app", json!({"spec": {"analysis": {"interval": interval}}})).await
}

async fn replicas_are(story: &Story<'_>, name: &str, wanted: i32) -> anyhow::Result<()> {
    let seen = async || (story.replicas(name).await.ok()? == Some(wanted)).then_some(());
    wait::until(&format!("{wanted} replicas of {name}"), PATIENCE, seen).await
}

async fn at_weight(story: &Story<'_>, weight: i32) -> anyhow::Result<()> {
    let there = |c: &Canary| c.status.as_ref().is_some_and(|s| s.canary_weight == weight);
    story.canary_that("app", there).await.map(drop).with_context(|| format!("waiting for {weight} %"))
}

/// The HorizontalPodAutoscaler that KEDA makes for a ScaledObject.
async fn generated(story: &Story<'_>, scaled: &str) -> anyhow::Result<Option<HorizontalPodAutoscaler>> {
    Ok(story.api().get_opt(&format!("keda-hpa-{scaled}")).await?)
}

async fn annotation(story: &Story<'_>, name: &str, key: &str) -> anyhow::Result<Option<String>> {
    let live = scaled_objects(story).get(name).await?;
    Ok(live.metadata.annotations.unwrap_or_default().get(&format!("autoscaling.keda.sh/{key}")).cloned())
}

/// Promoted, at rest, and no request lost.
async fn promoted(story: &Story<'_>, load: LoadHandle) -> anyhow::Result<()> {
    let over = |c: &Canary| {
        c.status.as_ref().is_some_and(|s| matches!(s.phase, Some(Phase::Succeeded | Phase::Failed)))
    };
    let canary = story.canary_that("app", over).await?;
    let phase = canary.status.unwrap_or_default().phase;
    ensure!(phase == Some(Phase::Succeeded), "{phase:?}\n{}", story.events("app").await?.join("\n"));
    replicas_are(story, "app", 0).await?;
    let window = load.stop().await;
    ensure!(window.requests > 0, "there was no load");
    ensure!(window.lost() == 0, "of {} requests, lost: {:?}", window.requests, window.failures);
    Ok(())
}

async fn the_primary_is_scaled_by_load_through_a_release(shared: &Shared) -> anyhow::Result<()> {
    // its autoscaler takes pods away, which the observer takes for the operator
    shared.observer.except("keda-load", &["S16"]);
    let scaled = scaled_object("app", (1, 8), &[trigger(shared, 4)]);
    let story = initialised(shared, "keda-load", vec![scaled], named("app")).await?;
    replicas_are(&story, "app-primary", 4).await?;
    ensure!(story.replicas("app").await? == Some(0), "the target got pods at rest");
    ensure!(generated(&story, "app").await?.is_none(), "an autoscaler is at work on the resting target");

    let load = LoadHandle::start(&story.target("app"), 40.0, 2);
    windows_of(&story, "60m").await?;
    story.set_image("app", "app:2").await?;
    at_weight(&story, 25).await?;
    // the canary goes by its load, the primary as well, but not below what it began with
    asks_for(shared, &story, 3).await?;
    replicas_are(&story, "app", 3).await?;
    let floor = |twin: &DynamicObject| twin.data["spec"]["minReplicaCount"] == 4;
    wait::object(scaled_objects(&story), "app-primary", PATIENCE, floor).await.context("the floor")?;
    tokio::time::sleep(NOTICED).await;
    ensure!(story.replicas("app-primary").await? == Some(4), "{:?}", story.replicas("app-primary").await?);
    asks_for(shared, &story, 5).await?;
    replicas_are(&story, "app-primary", 5).await?;
    asks_for(shared, &story, 3).await?;
    replicas_are(&story, "app-primary", 4).await?;
    windows_of(&story, "5s").await?;
    promoted(&story, load).await?;
    replicas_are(&story, "app-primary", 3).await?;
    asks_for(shared, &story, 6).await?;
    replicas_are(&story, "app-primary", 6).await?;
    tokio::time::sleep(NOTICED).await;
    ensure!(story.replicas("app").await? == Some(0), "the target got pods at rest");
    Ok(())
}

async fn an_autoscaler_becomes_a_scaled_object_between_two_releases(shared: &Shared) -> anyhow::Result<()> {
    let own = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "app"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"},
            "minReplicas": 3, "maxReplicas": 8,
            "metrics": [{"type": "Resource", "resource": {
                "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80},
            }}],
        },
    });
    let reference = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "app"});
    let story = initialised(shared, "keda-handover", vec![own], reference).await?;
    replicas_are(&story, "app-primary", 3).await?;

    // as KEDA's documentation has it: the ScaledObject takes over the one that is there, under its name
    let mut scaled = scaled_object("app", (3, 8), &[trigger(shared, 5)]);
    scaled["metadata"]["annotations"] = json!({"scaledobject.keda.sh/transfer-hpa-ownership": "true"});
    scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["name"] = json!("app");
    let load = LoadHandle::start(&story.target("app"), 40.0, 2);
    story.apply(vec![scaled]).await?;
    story.edit_canary("app", json!({"spec": {"autoscalerRef": named("app")}})).await?;
    let taken = |hpa: &HorizontalPodAutoscaler| {
        let owners = hpa.metadata.owner_references.iter().flatten();
        owners.into_iter().any(|owner| owner.kind == "ScaledObject" && owner.name == "app-primary")
    };
    let api = story.api::<HorizontalPodAutoscaler>();
    wait::object(api, "app-primary", PATIENCE, taken).await.context("the primary's autoscaler")?;
    replicas_are(&story, "app-primary", 5).await?;
    ensure!(story.replicas("app").await? == Some(0), "the target got pods at rest");
    story.set_image("app", "app:2").await?;
    promoted(&story, load).await?;
    ensure!(story.replicas("app-primary").await? == Some(5), "{:?}", story.replicas("app-primary").await?);
    Ok(())
}

async fn what_users_paused_is_paused_again_after_a_release(shared: &Shared) -> anyhow::Result<()> {
    let mut scaled = scaled_object("app", (1, 8), &[trigger(shared, 2)]);
    scaled["metadata"]["annotations"] = json!({"autoscaling.keda.sh/paused-replicas": "3"});
    let story = initialised(shared, "keda-paused", vec![scaled], named("app")).await?;
    // the primary is never paused
    replicas_are(&story, "app-primary", 2).await?;
    ensure!(annotation(&story, "app", "paused-replicas").await?.as_deref() == Some("0"), "not paused at 0");
    let load = LoadHandle::start(&story.target("app"), 40.0, 2);
    windows_of(&story, "60m").await?;
    story.set_image("app", "app:2").await?;
    at_weight(&story, 25).await?;
    ensure!(annotation(&story, "app", "paused-replicas").await?.as_deref() == Some("3"), "not as it was");
    replicas_are(&story, "app", 3).await?;
    windows_of(&story, "5s").await?;
    promoted(&story, load).await?;
    story.delete_canary("app").await?;
    let given_back = |live: &DynamicObject| {
        let annotations = live.metadata.annotations.clone().unwrap_or_default();
        let paused = annotations.get("autoscaling.keda.sh/paused-replicas").map(String::as_str);
        paused == Some("3") && !annotations.contains_key("serin.dev/original")
    };
    wait::object(scaled_objects(&story), "app", PATIENCE, given_back).await.map(drop)
}

async fn a_second_scaled_object_of_one_application_rests_as_well(shared: &Shared) -> anyhow::Result<()> {
    let scaled = scaled_object("app", (1, 6), &[trigger(shared, 3)]);
    let story = initialised(shared, "keda-two", vec![scaled], named("app")).await?;
    replicas_are(&story, "app-primary", 3).await?;
    let load = LoadHandle::start(&story.target("app"), 40.0, 2);
    // nothing but KEDA's webhook keeps two apart, and a cluster may be without it
    story.apply(vec![scaled_object("app-nights", (1, 6), &[trigger(shared, 2)])]).await?;
    story.condition("app", "Accepted", "False", "delete one of the two").await?;
    let rests = |live: &DynamicObject| {
        let annotations = live.metadata.annotations.iter().flatten();
        annotations.into_iter().any(|(key, value)| key.ends_with("/paused-replicas") && value == "0")
    };
    wait::object(scaled_objects(&story), "app-nights", PATIENCE, rests).await.context("the second")?;
    replicas_are(&story, "app", 0).await?;
    tokio::time::sleep(NOTICED).await;
    ensure!(story.replicas("app").await? == Some(0), "one of the two gives the resting target pods");
    scaled_objects(&story).delete("app-nights", &DeleteParams::default()).await?;
    story.condition("app", "Accepted", "True", "").await?;
    story.set_image("app", "app:2").await?;
    promoted(&story, load).await
}

async fn a_trigger_without_a_query_counts_the_pods_of_the_primary(shared: &Shared) -> anyhow::Result<()> {
    let counted = json!({
        "type": "kubernetes-workload", "metricType": "AverageValue",
        "metadata": {"podSelector": "app=app", "value": "1"},
    });
    let scaled = scaled_object("app", (0, 6), &[counted]);
    let story = initialised(shared, "keda-counted", vec![scaled], named("app")).await?;
    let twin = scaled_objects(&story).get("app-primary").await?;
    let selector = &twin.data["spec"]["triggers"][0]["metadata"]["podSelector"];
    ensure!(selector == "app=app-primary", "{selector}");
    // with the target's selector there would be nothing to count, and the primary would be taken to zero
    tokio::time::sleep(NOTICED).await;
    ensure!(story.replicas("app-primary").await? == Some(2), "{:?}", story.replicas("app-primary").await?);
    let load = LoadHandle::start(&story.target("app"), 40.0, 2);
    story.set_image("app", "app:2").await?;
    promoted(&story, load).await?;
    tokio::time::sleep(NOTICED).await;
    ensure!(story.replicas("app-primary").await? == Some(2), "{:?}", story.replicas("app-primary").await?);
    Ok(())
}

async fn a_release_goes_on_while_keda_is_away_and_comes_back(shared: &Shared) -> anyhow::Result<()> {
    let scaled = scaled_object("app", (1, 8), &[trigger(shared, 4)]);
    let story = initialised(shared, "keda-away", vec![scaled], named("app")).await?;
    replicas_are(&story, "app-primary", 4).await?;
    let keda = shared.keda.get().context("no KEDA")?;

    let load = LoadHandle::start(&story.target("app"), 40.0, 2);
    story.set_image("app", "app:2").await?;
    at_weight(&story, 25).await?;
    keda.end().await?;
    let outcome = promoted(&story, load).await;
    // the next stories need it, whatever became of this one
    keda.begin().await?;
    outcome.context("without KEDA")?;
    ensure!(story.replicas("app-primary").await? == Some(4), "{:?}", story.replicas("app-primary").await?);

    // back in the middle of a run
    let load = LoadHandle::start(&story.target("app"), 40.0, 2);
    windows_of(&story, "60m").await?;
    keda.end().await?;
    story.set_image("app", "app:3").await?;
    let begun = at_weight(&story, 25).await;
    keda.begin().await?;
    begun?;
    tokio::time::sleep(NOTICED).await;
    ensure!(story.replicas("app").await? > Some(0), "the canary's pods are gone");
    windows_of(&story, "5s").await?;
    promoted(&story, load).await?;
    asks_for(shared, &story, 5).await?;
    replicas_are(&story, "app-primary", 5).await?;
    ensure!(story.replicas("app").await? == Some(0), "the target got pods at rest");
    Ok(())
}

async fn a_release_is_judged_by_what_keda_measures(shared: &Shared) -> anyhow::Result<()> {
    let template = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate", "metadata": {"name": "queue"},
        "spec": {
            "provider": {"type": "externalmetrics"},
            "query": "{{ namespace }}/s0-prometheus?labelSelector=scaledobject.keda.sh%2Fname%3D{{ target }}",
        },
    });
    let scaled = scaled_object("app", (1, 8), &[trigger(shared, 3)]);
    let story = initialised(shared, "keda-judged", vec![scaled, template], named("app")).await?;
    let metric = json!([{
        "name": "queue", "templateRef": {"name": "queue"}, "thresholdRange": {"max": 4}, "interval": "10s",
    }]);
    story.edit_canary("app", json!({"spec": {"analysis": {"metrics": metric}}})).await?;
    let load = LoadHandle::start(&story.target("app"), 40.0, 2);
    story.set_image("app", "app:2").await?;
    promoted(&story, load).await?;

    let load = LoadHandle::start(&story.target("app"), 40.0, 2);
    asks_for(shared, &story, 7).await?;
    story.set_image("app", "app:3").await?;
    story.phase("app", Phase::Failed).await?;
    story.event("app", "queue 7").await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0, "of {} requests, lost: {:?}", window.requests, window.failures);
    Ok(())
}

async fn a_scaled_object_that_is_no_longer_named_leaves_the_primary_its_pods(
    shared: &Shared,
) -> anyhow::Result<()> {
    let mut scaled = scaled_object("app", (1, 8), &[trigger(shared, 5)]);
    // KEDA gives a workload the number back that it once had, when its ScaledObject is deleted
    scaled["spec"]["advanced"]["restoreToOriginalReplicaCount"] = json!(true);
    let story = initialised(shared, "keda-restored", vec![scaled], named("app")).await?;
    replicas_are(&story, "app-primary", 5).await?;
    let load = LoadHandle::start(&story.target("app"), 40.0, 2);
    story.edit_canary("app", json!({"spec": {"autoscalerRef": null}})).await?;
    wait::gone(scaled_objects(&story), "app-primary", PATIENCE).await?;
    tokio::time::sleep(NOTICED).await;
    ensure!(story.replicas("app-primary").await? == Some(5), "{:?}", story.replicas("app-primary").await?);
    let window = load.stop().await;
    ensure!(window.lost() == 0, "of {} requests, lost: {:?}", window.requests, window.failures);
    Ok(())
}

async fn a_canary_is_deleted_while_keda_is_away(shared: &Shared) -> anyhow::Result<()> {
    let scaled = scaled_object("app", (1, 8), &[trigger(shared, 3)]);
    let story = initialised(shared, "keda-deleted", vec![scaled], named("app")).await?;
    replicas_are(&story, "app-primary", 3).await?;
    let keda = shared.keda.get().context("no KEDA")?;
    let load = LoadHandle::start(&story.target("app"), 40.0, 2);
    keda.end().await?;
    // KEDA's finalizer holds the copy until it is back
    let deleted = story.delete_canary("app").await;
    keda.begin().await?;
    deleted?;
    wait::gone(scaled_objects(&story), "app-primary", PATIENCE).await?;
    replicas_are(&story, "app", 3).await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0, "of {} requests, lost: {:?}", window.requests, window.failures);
    Ok(())
}
