//! Targets that are missing, return with another uid, or cannot be cloned unchanged.

use anyhow::ensure;
use k8s_openapi::api::{admissionregistration::v1::ValidatingAdmissionPolicyBinding, apps::v1::Deployment};
use kube::{
    Api,
    api::{DeleteParams, PostParams},
};
use serde_json::json;
use serin::api::Phase;
use serin_bed::{
    load::LoadHandle,
    story::{PATIENCE, Story, canary, deployment},
    wait,
};

use crate::{
    Family, Shared,
    bad_common::{
        accepted, go_on, held_at_25, left_alone, refused, story, weight, well_goes_on, without, writes,
    },
};

pub(crate) const STORIES: Family = &[
    crate::story!(a_target_that_is_missing_is_waited_for),
    crate::story!(a_target_recreated_in_a_run_is_analysed_from_the_start),
    crate::story!(a_target_recreated_as_promoted_ends_the_run),
    crate::story!(a_target_without_a_known_label_is_refused),
    crate::story!(a_port_that_does_not_resolve_is_refused),
    crate::story!(a_missing_service_is_refused),
    crate::story!(replicas_set_at_rest_go_to_the_primary),
    crate::story!(a_write_that_the_api_server_refuses_is_said),
];

async fn delete_target(story: &Story<'_>) -> anyhow::Result<()> {
    let api: Api<Deployment> = story.api();
    api.delete("app", &DeleteParams::background()).await?;
    wait::gone(api, "app", PATIENCE).await
}

async fn a_target_that_is_missing_is_waited_for(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "target-missing").await?;
    story.apply(vec![canary("app")]).await?;
    refused(&story, "app", "TargetMissing", &["deployment app.target-missing", "spec.targetRef.name"])
        .await?;
    well_goes_on(&story).await?;
    left_alone(&story, "app").await?;
    story.apply(vec![deployment("app", "app:1", 1)]).await?;
    story.phase("app", Phase::Initialized).await?;
    accepted(&story, "app").await
}

async fn a_target_recreated_in_a_run_is_analysed_from_the_start(shared: &Shared) -> anyhow::Result<()> {
    let story = held_at_25(shared, "target-again", |_| {}).await?;
    let load = LoadHandle::start(&story.target("app"), 100.0, 4);
    load.requests(50, PATIENCE).await?;
    delete_target(&story).await?;
    refused(&story, "app", "TargetMissing", &["deployment app.target-again", "create it"]).await?;
    story.canary_that("app", |c| weight(c) == 0).await?;
    ensure!(story.weight("app").await? == Some(0), "the route leads to pods that are gone");
    let heard = async || {
        load.reset();
        (load.requests(20, PATIENCE).await.ok()?.lost() == 0).then_some(())
    };
    wait::until("the proxy to have heard of it", PATIENCE, heard).await?;
    load.reset();
    well_goes_on(&story).await?;
    let alone = load.reset();
    ensure!(alone.lost() == 0, "lost while the target was missing: {:?}", alone.failures);
    ensure!(alone.versions.keys().all(|v| v == "1"), "served by {:?}", alone.versions);

    story.apply(vec![deployment("app", "app:2", 2)]).await?;
    story.event("app", "Restarting analysis for app.target-again").await?;
    go_on(&story).await?;
    let after = load.stop().await;
    ensure!(after.lost() == 0, "lost after the target came back: {:?}", after.failures);
    Ok(())
}

async fn a_target_recreated_as_promoted_ends_the_run(shared: &Shared) -> anyhow::Result<()> {
    let story = held_at_25(shared, "target-back", |_| {}).await?;
    delete_target(&story).await?;
    story.canary_that("app", |c| weight(c) == 0).await?;
    story.apply(vec![deployment("app", "app:1", 2)]).await?;
    story.phase("app", Phase::Succeeded).await?;
    ensure!(story.replicas("app").await? == Some(0), "the target still has pods");
    story.target("app").serving("1", PATIENCE).await?;
    ensure!(story.weight("app").await? == Some(0));
    Ok(())
}

async fn a_target_without_a_known_label_is_refused(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "target-label").await?;
    let mut odd = deployment("app", "app:1", 1);
    odd["spec"]["selector"]["matchLabels"] = json!({"component": "app"});
    odd["spec"]["template"]["metadata"]["labels"] = json!({"component": "app"});
    story.apply(vec![odd, canary("app")]).await?;
    let words =
        ["spec.selector.matchLabels must contain one of [app", "app.target-label", "--selector-labels"];
    refused(&story, "app", "NoSelectorLabel", &words).await?;
    well_goes_on(&story).await?;
    left_alone(&story, "app").await?;
    // the selector of a Deployment cannot be changed
    delete_target(&story).await?;
    story.apply(vec![deployment("app", "app:1", 1)]).await?;
    story.phase("app", Phase::Initialized).await.map(drop)
}

async fn a_port_that_does_not_resolve_is_refused(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "port-named").await?;
    let mut named = canary("app");
    named["spec"]["service"]["targetPort"] = json!("web");
    story.apply(vec![deployment("app", "app:1", 1), named]).await?;
    refused(&story, "app", "PortUnresolved", &["spec.service.targetPort", "app", "\"web\""]).await?;
    well_goes_on(&story).await?;
    left_alone(&story, "app").await?;
    story.edit_canary("app", json!({"spec": {"service": {"targetPort": "http"}}})).await?;
    story.phase("app", Phase::Initialized).await.map(drop)
}

async fn a_missing_service_is_refused(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "port-missing").await?;
    let bare = without(canary("app"), "/spec", "service");
    story.apply(vec![deployment("app", "app:1", 1), bare]).await?;
    refused(&story, "app", "InvalidSpec", &["spec.service.port is missing"]).await?;
    well_goes_on(&story).await?;
    left_alone(&story, "app").await?;
    story.edit_canary("app", json!({"spec": {"service": {"port": 80, "targetPort": 8080}}})).await?;
    story.phase("app", Phase::Initialized).await.map(drop)
}

async fn replicas_set_at_rest_go_to_the_primary(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "replicas").await?;
    story.initialised("app", |_| {}).await?;
    story.target("app").serving("1", PATIENCE).await?;
    let load = LoadHandle::start(&story.target("app"), 100.0, 2);
    story.apply(vec![deployment("app", "app:1", 5)]).await?;
    let replicas = |n| move |d: &Deployment| d.spec.replicas == Some(n);
    wait::object(story.api(), "app-primary", PATIENCE, replicas(5)).await?;
    wait::object(story.api(), "app", PATIENCE, replicas(0)).await?;
    story.event("app", "the replicas go to app-primary.replicas").await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0 && window.versions.keys().all(|v| v == "1"), "{:?}", window.failures);
    ensure!(
        story.phase("app", Phase::Initialized).await?.status.is_some_and(|s| s.run.is_none()),
        "a run began"
    );
    let scaled =
        writes(&story, "app")?.iter().filter(|w| w.starts_with("patch deployments/app-primary")).count();
    ensure!(scaled == 1, "the primary was written {scaled} times");
    Ok(())
}

/// An admission policy that prevents the creation of a primary in a namespace.
fn policy(namespace: &str) -> Vec<serde_json::Value> {
    let api = "admissionregistration.k8s.io/v1";
    let name = format!("no-primaries-in-{namespace}");
    let rule = json!({"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]});
    vec![
        json!({
            "apiVersion": api, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
            "spec": {
                "matchConstraints": {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                    "resourceRules": [rule],
                },
                "validations": [{
                    "expression": "!object.metadata.name.endsWith('-primary')",
                    "message": "primaries are not wanted here",
                }],
            },
        }),
        json!({
            "apiVersion": api, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        }),
    ]
}

async fn a_write_that_the_api_server_refuses_is_said(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "denied").await?;
    story.apply(policy("denied")).await?;
    let deployments: Api<Deployment> = story.api();
    let probe: Deployment = serde_json::from_value(deployment("probe-primary", "app:1", 1))?;
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let denied = async || deployments.create(&dry, &probe).await.is_err().then_some(());
    wait::until("the policy to be in force", PATIENCE, denied).await?;
    story.apply(vec![deployment("app", "app:1", 1), canary("app")]).await?;
    let words = ["create Deployment app-primary", "primaries are not wanted here"];
    refused(&story, "app", "ApiRefused", &words).await?;
    well_goes_on(&crate::bad_common::story(shared, "denied-beside").await?).await?;
    ensure!(story.replicas("app").await? == Some(1), "the target was scaled");
    let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(story.client.clone());
    bindings.delete("no-primaries-in-denied", &DeleteParams::default()).await?;
    story.phase("app", Phase::Initialized).await?;
    accepted(&story, "app").await
}
