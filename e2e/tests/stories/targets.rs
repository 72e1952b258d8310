//! DaemonSets as targets, with the real controller and the bed's two nodes, and unsupported kinds. Clients send
//! requests through Envoy throughout.

use anyhow::ensure;
use k8s_openapi::api::apps::v1::DaemonSet;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use serin::{
    api::{Canary, Phase},
    names::SCALE_TO_ZERO,
};
use serin_bed::{
    Traffic,
    kubelet::{Behaviour, Selector},
    load::LoadHandle,
    story::{PATIENCE, Path, Story, canary, deployment},
    wait,
};

use crate::{
    Family, Shared,
    bad_common::{accepted, left_alone, refused, stands, story},
    story,
};

pub(crate) const STORIES: Family = &[
    story!(a_daemon_set_goes_through_its_whole_life),
    story!(a_daemon_set_that_never_becomes_ready_goes_back),
    story!(what_a_daemon_set_cannot_do_is_said),
    story!(a_daemon_set_is_measured_by_its_own_pods),
    story!(other_kinds_of_targets_are_named),
];

/// A DaemonSet with pods of this image, one on each of the bed's nodes.
fn daemon_set(name: &str, image: &str) -> Value {
    let mut all = deployment(name, image, 1);
    all["kind"] = json!("DaemonSet");
    if let Some(spec) = all["spec"].as_object_mut() {
        spec.remove("replicas");
    }
    all
}

/// The usual Canary for a target of another kind.
pub(crate) fn canary_of(api_version: &str, kind: &str, host: &str) -> Value {
    let mut all = canary("app");
    all["spec"]["targetRef"] = json!({"apiVersion": api_version, "kind": kind, "name": "app"});
    all["spec"]["service"]["hosts"] = json!([host]);
    all
}

async fn set_image(story: &Story<'_>, image: &str) -> anyhow::Result<()> {
    let containers = json!([{"name": "app", "image": image}]);
    let patch = Patch::Strategic(json!({"spec": {"template": {"spec": {"containers": containers}}}}));
    story.api::<DaemonSet>().patch("app", &PatchParams::default(), &patch).await?;
    Ok(())
}

/// The desired pods of a DaemonSet, and whether it is scaled to zero.
async fn pods(story: &Story<'_>, name: &str) -> anyhow::Result<(i32, bool)> {
    let live = story.api::<DaemonSet>().get(name).await?;
    let selector = live.spec.template.spec.and_then(|p| p.node_selector).unwrap_or_default();
    let pods = live.status.map_or(0, |s| s.desired_number_scheduled);
    Ok((pods, selector.get(SCALE_TO_ZERO).is_some_and(|v| v == "true")))
}

async fn pods_are(story: &Story<'_>, name: &str, wanted: (i32, bool)) -> anyhow::Result<()> {
    let seen = async || (pods(story, name).await.ok()? == wanted).then_some(());
    wait::until(&format!("{name} to have {wanted:?}"), PATIENCE, seen).await
}

pub(crate) fn weights(path: &Path) -> Vec<i32> {
    let mut weights: Vec<i32> = path.taken().into_iter().map(|p| p.1).collect();
    weights.dedup();
    weights
}

/// A DaemonSet with its Canary, initialised, with running clients.
async fn daemons<'a>(
    shared: &'a Shared,
    namespace: &str,
    edit: impl FnOnce(&mut Value),
) -> anyhow::Result<(Story<'a>, LoadHandle)> {
    let story = story(shared, namespace).await?;
    let host = story.host("app");
    story.bed.gateway(&story.namespace, &[&host]).await?;
    let mut canary = canary_of("apps/v1", "DaemonSet", &host);
    edit(&mut canary);
    story.apply(vec![daemon_set("app", "app:1"), canary]).await?;
    let load = under_load(&story).await?;
    Ok((story, load))
}

/// Waits until version 1 is served, and starts clients.
pub(crate) async fn under_load(story: &Story<'_>) -> anyhow::Result<LoadHandle> {
    story.phase("app", Phase::Initialized).await?;
    story.target("app").serving("1", PATIENCE).await?;
    Ok(LoadHandle::start(&story.target("app"), 100.0, 2))
}

pub(crate) async fn over(load: LoadHandle) -> anyhow::Result<()> {
    let window = load.stop().await;
    ensure!(!window.versions.is_empty(), "no request was answered");
    ensure!(window.lost() == 0, "requests lost: {:?}", window.failures);
    Ok(())
}

async fn a_daemon_set_goes_through_its_whole_life(shared: &Shared) -> anyhow::Result<()> {
    let (story, load) = daemons(shared, "daemons", |_| {}).await?;
    story.event("app", "Initialization done! app.daemons").await?;
    pods_are(&story, "app-primary", (2, false)).await?;
    pods_are(&story, "app", (0, true)).await?;
    let canary: Canary = story.api().get("app").await?;
    let promoted = canary.status.iter().flat_map(|s| &s.conditions).find(|c| c.type_ == "Promoted");
    let text = promoted.map(|c| c.message.as_str());
    ensure!(text == Some("DaemonSet initialization completed."), "{text:?}");

    let path = story.follow("app");
    set_image(&story, "app:2").await?;
    story.phase("app", Phase::Succeeded).await?;
    ensure!(weights(&path) == [0, 25, 50, 0], "weights {:?}", weights(&path));
    story.target("app").serving("2", PATIENCE).await?;
    pods_are(&story, "app", (0, true)).await?;

    shared.bed.scripted().reset("daemons", "app").await?;
    shared.bed.scripted().traffic("daemons", "app", Traffic::success(0.0, 50.0));
    set_image(&story, "app:3").await?;
    story.phase("app", Phase::Failed).await?;
    pods_are(&story, "app", (0, true)).await?;
    story.target("app").serving("2", PATIENCE).await?;

    // somebody removes the node selector: the operator restores it, and no traffic moves
    let none = json!({"spec": {"template": {"spec": {"nodeSelector": null}}}});
    story.api::<DaemonSet>().patch("app", &PatchParams::default(), &Patch::Merge(none)).await?;
    pods_are(&story, "app", (0, true)).await?;

    story.delete_canary("app").await?;
    ensure!(pods(&story, "app").await? == (2, false), "the target was not given back");
    let left = story.api::<DaemonSet>().get_opt("app-primary").await?;
    ensure!(left.is_none_or(|l| l.metadata.deletion_timestamp.is_some()), "the primary is left");
    ensure!(story.selector("app").await? == json!({"app": "app"}), "{:?}", story.selector("app").await?);
    story.target("app").serving("3", PATIENCE).await?;
    over(load).await
}

async fn a_daemon_set_that_never_becomes_ready_goes_back(shared: &Shared) -> anyhow::Result<()> {
    let deadline = |c: &mut Value| c["spec"]["progressDeadlineSeconds"] = json!(4);
    let (story, load) = daemons(shared, "daemons-stuck", deadline).await?;
    let broken = Selector { image: Some("app:2".into()), ..Selector::workload("app") };
    let never = Behaviour { ready: Some(false), ..Behaviour::default() };
    shared.bed.kubelet()?.set(broken.in_namespace("daemons-stuck"), never);
    set_image(&story, "app:2").await?;
    story.phase("app", Phase::Failed).await?;
    let words = "canary daemonset app.daemons-stuck not ready: waiting for rollout to finish";
    story.event("app", words).await?;
    story.event("app", "Rolling back app.daemons-stuck progress deadline exceeded").await?;
    pods_are(&story, "app", (0, true)).await?;
    // set back to the promoted version, the failure is over
    set_image(&story, "app:1").await?;
    story.phase("app", Phase::Succeeded).await?;
    // a version that only the primary refuses is rolled back. The canary must become ready in time, also on a busy bed
    story.edit_canary("app", json!({"spec": {"progressDeadlineSeconds": 20}})).await?;
    let broken = Selector { image: Some("app:3".into()), ..Selector::workload("app-primary") };
    let never = Behaviour { ready: Some(false), ..Behaviour::default() };
    shared.bed.kubelet()?.set(broken.in_namespace("daemons-stuck"), never);
    set_image(&story, "app:3").await?;
    story.event("app", "Promotion of app.daemons-stuck failed, primary not ready").await?;
    story.phase("app", Phase::Failed).await?;
    story.target("app").serving("1", PATIENCE).await?;
    pods_are(&story, "app", (0, true)).await?;
    over(load).await
}

async fn what_a_daemon_set_cannot_do_is_said(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "daemons-bad").await?;
    let mut canary = canary_of("apps/v1", "DaemonSet", &story.host("app"));
    let scaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "app"});
    canary["spec"]["autoscalerRef"] = scaler;
    story.apply(vec![canary.clone()]).await?;
    refused(&story, "app", "InvalidSpec", &["spec.autoscalerRef: a DaemonSet has no replicas"]).await?;
    story.edit_canary("app", json!({"spec": {"autoscalerRef": null}})).await?;
    refused(&story, "app", "TargetMissing", &["daemonset app.daemons-bad get query error: not found"])
        .await?;
    let mut by_hand = daemon_set("app", "app:1");
    by_hand["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
    story.apply(vec![by_hand]).await?;
    refused(&story, "app", "TargetUnfit", &["spec.updateStrategy.type is OnDelete"]).await?;
    left_alone(&story, "app").await?;
    let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}});
    let patch = Patch::Merge(json!({"spec": {"updateStrategy": rolling}}));
    story.api::<DaemonSet>().patch("app", &PatchParams::default(), &patch).await?;
    accepted(&story, "app").await?;
    let words = ["lets all of its pods be replaced at once"];
    stands(&story, "app", "Advisory", "True", "Advisory", &words).await?;
    story.phase("app", Phase::Initialized).await.map(drop)
}

/// Measured by the metrics of its pods: the names of a DaemonSet's pods have one part fewer than those of a Deployment. A
/// bad canary goes back beside a good primary, and a good canary is promoted beside a bad primary.
async fn a_daemon_set_is_measured_by_its_own_pods(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "own-pods").await?;
    let hosts = ["app", "app-canary"].map(|name| (name, story.host(name)));
    shared.bed.gateway("own-pods", &hosts.each_ref().map(|(_, host)| host.as_str())).await?;
    let fronts = hosts.each_ref().map(|(name, host)| {
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": format!("front-{name}")},
            "spec": {
                "hosts": [host], "gateways": ["gateway"],
                "http": [{"route": [{"destination": {"host": name}}], "retries": {"attempts": 0}}],
            },
        })
    });
    let mut target = daemon_set("app", "app:1");
    target["spec"]["template"]["metadata"]["annotations"] =
        json!({"prometheus.io/scrape": "true", "prometheus.io/port": "8080"});
    let mut canary = canary_of("apps/v1", "DaemonSet", "");
    canary["spec"]["provider"] = json!("kubernetes");
    canary["spec"]["service"] = json!({"port": 80, "targetPort": 8080});
    canary["spec"]["analysis"] = json!({
        "interval": "5s", "threshold": 3, "iterations": 4,
        "metrics": [{"name": "request-success-rate", "interval": "5s", "thresholdRange": {"min": 99}}],
    });
    let bad = Behaviour { error_rate: Some(1.0), ..Behaviour::default() };
    shared.bed.kubelet()?.set(Selector::image("app:2").in_namespace("own-pods"), bad);
    story.apply(fronts.into_iter().chain([target, canary]).collect()).await?;
    story.phase("app", Phase::Initialized).await?;
    story.target("app").serving("1", PATIENCE).await?;
    let users = LoadHandle::start(&story.target("app"), 100.0, 2);
    let testers = LoadHandle::start(&story.target("app-canary"), 100.0, 2);
    set_image(&story, "app:2").await?;
    story.event("app", "Halt app.own-pods advancement success rate 0.00% < 99%").await?;
    story.phase("app", Phase::Failed).await?;
    over(users).await?;
    let bad = Behaviour { error_rate: Some(1.0), ..Behaviour::default() };
    shared.bed.kubelet()?.set(Selector::image("app:1").in_namespace("own-pods"), bad);
    let users = LoadHandle::start(&story.target("app"), 100.0, 2);
    set_image(&story, "app:3").await?;
    story.phase("app", Phase::Succeeded).await?;
    testers.stop().await;
    users.stop().await;
    Ok(())
}

async fn other_kinds_of_targets_are_named(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "kinds").await?;
    story.apply(vec![canary_of("example.org/v1", "Service", &story.host("app"))]).await?;
    refused(&story, "app", "NotYetServed", &["spec.targetRef: Service of example.org/v1"]).await?;
    left_alone(&story, "app").await
}
