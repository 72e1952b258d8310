//! The Services of both sides as stored by the API server: their fields from the Canary, and an existing Service that
//! is taken over without a lost request and given back in its former state.

use anyhow::{Context, ensure};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Service;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    User,
    audit::Audit,
    load::LoadHandle,
    story::{PATIENCE, Story, canary, deployment},
    wait,
};

use crate::{Family, Shared, bad_common::story, story};

pub(crate) const STORIES: Family =
    &[story!(what_is_asked_of_services_is_in_them), story!(one_that_was_there_is_given_back_as_it_was)];

async fn stored(story: &Story<'_>, name: &str) -> anyhow::Result<Value> {
    let service = story.api::<Service>().get(name).await.with_context(|| format!("Service {name}"))?;
    Ok(serde_json::to_value(service)?)
}

/// A Deployment with an init container, one that keeps running, a mesh's proxy and an exporter.
fn crowded() -> Value {
    let mut all = deployment("app", "app:1", 1);
    let pod = &mut all["spec"]["template"]["spec"];
    let with_port = |name: &str, number: i64| json!({"name": name, "image": "x:1", "ports": [{"name": name, "containerPort": number}]});
    let mut agent = with_port("agent", 7002);
    agent["restartPolicy"] = json!("Always");
    pod["initContainers"] = json!([with_port("setup", 7001), agent]);
    if let Some(containers) = pod["containers"].as_array_mut() {
        containers.extend([with_port("istio-proxy", 7003), with_port("exporter", 7004)]);
    }
    all["metadata"]["labels"]["team"] = json!("a");
    all
}

async fn what_is_asked_of_services_is_in_them(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "services").await?;
    let mut canary = canary("app");
    let metadata = |side: &str| json!({"labels": {"side": side}, "annotations": {"example.com/side": side}});
    canary["spec"]["service"] = json!({
        "port": 80, "targetPort": "http", "portName": "web", "appProtocol": "http", "portDiscovery": true,
        "headless": true, "trafficDistribution": "PreferClose",
        "apex": metadata("apex"), "primary": metadata("primary"), "canary": metadata("canary"),
        "unmanagedMetadata": {"labels": ["side"], "annotations": ["example.com/side"]},
    });
    story.apply(vec![crowded(), canary]).await?;
    story.phase("app", Phase::Initialized).await?;
    for (name, side) in [("app", "apex"), ("app-primary", "primary"), ("app-canary", "canary")] {
        let live = stored(&story, name).await?;
        let ports: Vec<_> = live["spec"]["ports"].as_array().into_iter().flatten().collect();
        let ports: Vec<_> = ports.iter().map(|p| (p["name"].clone(), p["port"].clone())).collect();
        ensure!(ports == [(json!("web"), json!(80)), (json!("exporter"), json!(7004))], "{name}: {ports:?}");
        ensure!(live["spec"]["ports"][0]["appProtocol"] == "http", "{name}: {}", live["spec"]["ports"]);
        ensure!(live["spec"]["clusterIP"] == "None", "{name} is not headless");
        ensure!(live["spec"]["trafficDistribution"] == "PreferClose", "{name}: {}", live["spec"]);
        ensure!(live["metadata"]["labels"]["side"] == side, "{name}: {}", live["metadata"]["labels"]);
        ensure!(live["metadata"]["annotations"]["example.com/side"] == side, "{}", live["metadata"]);
    }
    // another tool owns these keys from now on
    let theirs = json!({"metadata": {"labels": {"side": "x"}, "annotations": {"example.com/side": "x"}}});
    let api = story.api::<Service>();
    api.patch("app", &PatchParams::default(), &Patch::Merge(theirs)).await?;
    let astray = json!({"spec": {"selector": {"app": "elsewhere"}}});
    api.patch("app-canary", &PatchParams::default(), &Patch::Merge(astray)).await?;
    let mended = async || (story.selector("app-canary").await.ok()? == json!({"app": "app"})).then_some(());
    wait::until("the selector to be put back", PATIENCE, mended).await?;
    let live = stored(&story, "app").await?;
    ensure!(live["metadata"]["labels"]["side"] == "x", "taken from its owner: {}", live["metadata"]);
    ensure!(live["metadata"]["annotations"]["example.com/side"] == "x", "{}", live["metadata"]);
    Ok(())
}

/// The user's fields of a Service, and the fields that the API server assigned.
fn essence(service: &Value) -> Value {
    let metadata = &service["metadata"];
    json!({"spec": service["spec"], "labels": metadata["labels"], "annotations": metadata["annotations"],
        "owners": metadata["ownerReferences"], "uid": metadata["uid"]})
}

async fn one_that_was_there_is_given_back_as_it_was(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "services-adopted").await?;
    let users = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "app", "labels": {"team": "a"}, "annotations": {"note": "mine"}},
        "spec": {
            "type": "NodePort", "sessionAffinity": "ClientIP", "selector": {"app": "app"},
            "ports": [
                {"name": "web", "port": 80, "targetPort": 8080}, {"name": "more", "port": 81, "targetPort": 8080},
            ],
        },
    });
    story.apply(vec![deployment("app", "app:1", 2), users]).await?;
    let original = stored(&story, "app").await?;
    // users are routed to the unchanged Service before there is a Canary
    let host = story.host("app");
    story.bed.gateway(&story.namespace, &[&host]).await?;
    let route = json!({
        "apiVersion": "networking.istio.io/v1beta1", "kind": "VirtualService", "metadata": {"name": "app"},
        "spec": {"hosts": [host], "gateways": ["gateway"], "http": [{
            "retries": {"attempts": 0}, "route": [{"destination": {"host": "app", "port": {"number": 80}}}],
        }]},
    });
    story.apply(vec![route]).await?;
    let route = story.virtual_services().get("app").await?;
    story.target("app").serving("1", PATIENCE).await?;
    let load = LoadHandle::start(&story.target("app"), 100.0, 2);

    let mut canary = canary("app");
    canary["spec"]["service"]["hosts"] = json!([host]);
    // the proxy on a busy machine lags, and users' losses are counted here
    canary["spec"]["settleTime"] = json!("2s");
    story.apply(vec![canary]).await?;
    story.phase("app", Phase::Initialized).await?;
    let taken = stored(&story, "app").await?;
    ensure!(taken["spec"]["selector"] == json!({"app": "app-primary"}), "{}", taken["spec"]);
    for field in ["type", "clusterIP", "sessionAffinity"] {
        ensure!(taken["spec"][field] == original["spec"][field], "{field}: {}", taken["spec"]);
    }
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Succeeded).await?;
    story.target("app").serving("2", PATIENCE).await?;
    let rested = Timestamp::now();
    story.delete_canary("app").await?;

    let after = stored(&story, "app").await?;
    ensure!(essence(&after) == essence(&original), "{}\nis not\n{}", essence(&after), essence(&original));
    let given_back = story.virtual_services().get("app").await?;
    ensure!(given_back.data["spec"] == route.data["spec"], "{}", given_back.data["spec"]);
    ensure!(given_back.metadata.annotations.unwrap_or_default().is_empty(), "marks are left on the route");
    ensure!(story.api::<Canary>().get_opt("app").await?.is_none());
    story.target("app").serving("2", PATIENCE).await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0, "requests lost: {:?}", window.failures);
    let written = Audit::of(&shared.bed, User::Operator)?.between(rested, Timestamp::MAX);
    let replaced = written.only(|r| r.namespace == story.namespace && r.name == "app" && r.verb == "delete");
    ensure!(replaced.count() == 0, "deleted instead of given back: {:?}", replaced.requests());
    Ok(())
}
