//! `--manage-crds` on the real API server: it updates older definitions, leaves newer ones, removes nothing, and causes
//! no conflict with Helm 4.

use std::{fs, time::Duration};

use anyhow::{Context as _, ensure};
use k8s_openapi::{
    api::{events::v1::Event, rbac::v1::ClusterRole},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use serin_bed::{
    operator::Operator,
    story::{PATIENCE, Story, canary, deployment},
    wait,
};

use crate::{
    Family, Shared,
    tool::{Program, root},
};

pub(crate) const STORIES: Family = &[crate::story!(ch8_ch10_definitions_are_kept_up_to_date)];

const CANARIES: &str = "canaries.flagger.app";
const RUNS: &str = "canaryruns.serin.dev";
const VERSION: &str = "serin.dev/version";

fn definitions(shared: &Shared) -> Api<CustomResourceDefinition> {
    Api::all(shared.bed.admin())
}

/// The properties of `spec` in the stored version.
fn spec(crd: &mut Value) -> &mut Value {
    &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
}

async fn read(shared: &Shared, name: &str) -> anyhow::Result<Value> {
    Ok(serde_json::to_value(definitions(shared).get(name).await?)?)
}

/// Replaces the definition by the result of `edit`.
async fn put(shared: &Shared, edit: impl FnOnce(&mut Value)) -> anyhow::Result<()> {
    let mut crd = read(shared, CANARIES).await?;
    edit(&mut crd);
    let crd = serde_json::from_value(crd)?;
    definitions(shared).replace(CANARIES, &PostParams::default(), &crd).await?;
    Ok(())
}

/// Waits until the definition has this version and is complete.
async fn up_to_date(shared: &Shared) -> anyhow::Result<Value> {
    let whole = async || {
        let mut crd = read(shared, CANARIES).await.ok()?;
        let there = spec(&mut crd).get("settleTime").is_some();
        let noted = crd["metadata"]["annotations"][VERSION] == env!("CARGO_PKG_VERSION");
        let ours = crd["metadata"]["managedFields"].to_string().contains("serin/definition");
        (there && noted && !ours).then_some(crd)
    };
    wait::until("the definition to be brought up to date, and given up", PATIENCE, whole).await
}

fn older(crd: &mut Value) {
    crd["metadata"]["annotations"][VERSION] = json!("0.0.1");
    for version in crd["spec"]["versions"].as_array_mut().into_iter().flatten() {
        let properties = &mut version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
        properties.as_object_mut().map(|map| map.remove("settleTime"));
    }
}

async fn event(shared: &Shared, reason: &str) -> anyhow::Result<()> {
    let events: Api<Event> = Api::namespaced(shared.bed.admin(), "default");
    let said = async || {
        let all = events.list(&ListParams::default()).await.ok()?;
        all.items.iter().any(|event| event.reason.as_deref() == Some(reason)).then_some(())
    };
    wait::until(&format!("an Event {reason}"), PATIENCE, said).await
}

/// Gives the bed's operator the chart's rights for definitions.
async fn rights(shared: &Shared) -> anyhow::Result<()> {
    let helm = Program::new(&shared.bed, "helm4").await?;
    let chart = root().join("charts/serin").display().to_string();
    let text = helm.run(&["template", "serin", &chart, "--show-only", "templates/rbac.yaml"]).await?;
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text)?;
    let role =
        documents.iter().find(|role| role["metadata"]["name"] == "serin" && role["kind"] == "ClusterRole");
    let rules = role.context("a ClusterRole")?["rules"].as_array().cloned().unwrap_or_default();
    let rules: Vec<Value> =
        rules.into_iter().filter(|rule| rule["resources"][0] == "customresourcedefinitions").collect();
    let role = json!({"metadata": {"name": "definitions"}, "rules": rules});
    let api: Api<ClusterRole> = Api::all(shared.bed.admin());
    api.create(&PostParams::default(), &serde_json::from_value(role)?).await?;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "definitions"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "definitions"},
        "subjects": [{"kind": "ServiceAccount", "name": "serin", "namespace": "serin-system"}],
    });
    shared.bed.apply("default", vec![binding]).await
}

async fn ch8_ch10_definitions_are_kept_up_to_date(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "definitions").await?;
    rights(shared).await?;

    // an older definition, with a field and an object of another party
    put(shared, |crd| {
        older(crd);
        spec(crd)["theirs"] = json!({"type": "string"});
    })
    .await?;
    let mut theirs = canary("theirs");
    theirs["spec"]["theirs"] = json!("kept");
    theirs["spec"]["suspend"] = json!(true);
    // the older definition does not have it
    theirs["spec"].as_object_mut().map(|spec| spec.remove("settleTime"));
    let stored = async || story.apply(vec![deployment("theirs", "app:1", 1), theirs.clone()]).await.ok();
    wait::until("the field to be known", PATIENCE, stored).await?;
    let definition = definitions(shared);
    definition.delete(RUNS, &DeleteParams::default()).await?;
    wait::gone(definition, RUNS, PATIENCE).await?;

    let mut operator = Operator::start(&shared.bed, &["--manage-crds", "--namespace=definitions"], &[])?;
    operator.ready(PATIENCE).await?;
    let mut crd = up_to_date(shared).await?;
    ensure!(spec(&mut crd)["theirs"]["type"] == "string", "a field was taken out");
    read(shared, RUNS).await.context("a definition that was missing")?;
    let resource = kube::api::ApiResource::erase::<serin::api::Canary>(&());
    let canaries: Api<DynamicObject> = Api::namespaced_with(shared.bed.admin(), "definitions", &resource);
    let label = json!({"metadata": {"labels": {"touched": "1"}}});
    let kept = canaries.patch("theirs", &PatchParams::default(), &Patch::Merge(label)).await?;
    ensure!(kept.data["spec"]["theirs"] == "kept", "a stored field is lost: {:?}", kept.data);

    // Helm 4 overwrites it with older text, without a conflict. The operator repairs it
    let chart = shared.bed.dir().join("older");
    fs::create_dir_all(chart.join("crds"))?;
    fs::create_dir_all(chart.join("templates"))?;
    fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: older\nversion: 0.0.1\n")?;
    let mut text: Value = serde_saphyr::from_str(&fs::read_to_string(root().join("crd/canaries.yaml"))?)?;
    older(&mut text);
    fs::write(chart.join("crds/canaries.yaml"), text.to_string())?;
    let helm = Program::new(&shared.bed, "helm4").await?;
    helm.run(&["install", "older", &chart.display().to_string(), "--namespace", "definitions"]).await?;
    up_to_date(shared).await.context("after Helm 4")?;

    // the operator does not change a newer one
    put(shared, |crd| {
        older(crd);
        crd["metadata"]["annotations"][VERSION] = json!("9.9.9");
    })
    .await?;
    event(shared, "DefinitionNewer").await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut crd = read(shared, CANARIES).await?;
    ensure!(spec(&mut crd).get("settleTime").is_none(), "a newer definition was changed");

    put(shared, older).await?;
    up_to_date(shared).await.context("at the end")?;
    canaries.delete("theirs", &DeleteParams::default()).await?;
    wait::gone(canaries, "theirs", PATIENCE).await?;
    operator.kill9().await
}
