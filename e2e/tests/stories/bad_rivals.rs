//! Two Canaries with the same target or names, and existing objects with our names that belong to somebody else.

use anyhow::{Context, ensure};
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, DynamicObject},
};
use serde_json::{Value, json};
use serin::api::Phase;
use serin_bed::{
    http,
    load::{LoadHandle, Target},
    story::{PATIENCE, Story, canary, deployment},
    wait,
};

use crate::{
    Family, Shared,
    bad_common::{left_alone, refused, story, well_goes_on, writes},
};

pub(crate) const STORIES: Family = &[
    crate::story!(of_two_canaries_on_one_target_the_older_wins),
    crate::story!(of_two_canaries_on_one_apex_the_older_wins),
    crate::story!(a_controlled_route_is_not_touched),
    crate::story!(a_controlled_service_is_not_touched),
    crate::story!(a_route_of_nobodys_is_taken_over_and_given_back),
    crate::story!(a_route_with_more_users_than_the_canary_names_is_not_taken_over),
];

async fn of_two_canaries_on_one_target_the_older_wins(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "rivals").await?;
    story.initialised("app", |_| {}).await?;
    story.target("app").serving("1", PATIENCE).await?;
    let load = LoadHandle::start(&story.target("app"), 100.0, 4);
    let mut late = canary("app");
    late["metadata"]["name"] = json!("late");
    late["spec"]["service"]["hosts"] = json!([story.host("app")]);
    story.apply(vec![late.clone()]).await?;
    refused(&story, "late", "TargetTaken", &["Deployment app belongs to the older Canary app", "delete one"])
        .await?;
    well_goes_on(&story).await?;
    left_alone(&story, "late").await?;

    let before = writes(&story, "app")?;
    story.delete_canary("late").await?;
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Succeeded).await.context("the older goes on")?;
    ensure!(story.replicas("app-primary").await? == Some(2), "the loser's deletion took the primary");
    let after = writes(&story, "app")?.split_off(before.len());
    ensure!(
        !after.iter().any(|w| w.starts_with("delete") && !w.contains("controllerrevisions")),
        "{after:?}"
    );

    series(shared, r#"flagger_canary_successes_total{name="app",namespace="rivals","#, true).await?;
    story.apply(vec![late.clone()]).await?;
    refused(&story, "late", "TargetTaken", &["Deployment app belongs to the older Canary app"]).await?;
    story.delete_canary("late").await?;
    series(shared, r#"flagger_canary_total{namespace="rivals"} 2"#, true).await?;
    series(shared, r#"flagger_canary_successes_total{name="app",namespace="rivals","#, true).await?;

    story.apply(vec![late]).await?;
    refused(&story, "late", "TargetTaken", &["Deployment app belongs to the older Canary app"]).await?;
    story.delete_canary("app").await?;
    story.phase("late", Phase::Initialized).await.context("the younger takes over")?;
    story.target("app").serving("2", PATIENCE).await?;
    ensure!(story.replicas("app").await? == Some(0), "the target still serves");
    let window = load.stop().await;
    ensure!(window.lost() == 0, "lost: {:?}", window.failures);
    Ok(())
}

async fn of_two_canaries_on_one_apex_the_older_wins(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "apex").await?;
    story.initialised("app", |_| {}).await?;
    let mut other = canary("other");
    other["spec"]["service"]["name"] = json!("app");
    story.apply(vec![deployment("other", "other:1", 1), other]).await?;
    refused(
        &story,
        "other",
        "TargetTaken",
        &["Service app belongs to the older Canary app", "spec.service.name"],
    )
    .await?;
    well_goes_on(&story).await?;
    left_alone(&story, "other").await?;
    ensure!(
        story.selector("app").await? == json!({"app": "app-primary"}),
        "the older one's Service was changed"
    );
    story.edit_canary("other", json!({"spec": {"service": {"name": "other"}}})).await?;
    story.phase("other", Phase::Initialized).await?;
    let status = r#"flagger_canary_status{name="other",namespace="apex"}"#;
    series(shared, status, true).await?;
    story.delete_canary("other").await?;
    series(shared, status, false).await?;
    series(shared, r#"flagger_canary_status{name="app",namespace="apex"}"#, true).await
}

/// Waits until the operator's metrics have a line with this prefix, or have none.
async fn series(shared: &Shared, beginning: &str, there: bool) -> anyhow::Result<()> {
    let address = shared.operator.lock().await.address();
    let seen = async || {
        let text = http::get(address, "/metrics").await.ok()?.text();
        (text.lines().any(|line| line.starts_with(beginning)) == there).then_some(())
    };
    wait::until(&format!("{beginning} to be there: {there}"), PATIENCE, seen).await
}

/// An existing owner: the garbage collector deletes objects whose owner does not exist.
async fn boss(story: &Story<'_>) -> anyhow::Result<Value> {
    story.apply(vec![json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "boss"}})]).await?;
    let uid = story.api::<ConfigMap>().get("boss").await?.uid().context("uid of the owner")?;
    Ok(json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "boss", "uid": uid, "controller": true}]))
}

fn foreign_route() -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1beta1", "kind": "VirtualService",
        "metadata": {"name": "app"},
        "spec": {"hosts": ["theirs.example.com"], "http": [{"route": [{"destination": {"host": "theirs"}}]}]},
    })
}

async fn a_controlled_route_is_not_touched(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "route-owned").await?;
    let mut route = foreign_route();
    route["metadata"]["ownerReferences"] = boss(&story).await?;
    story.apply(vec![route]).await?;
    let before = story.virtual_services().get("app").await?;
    story.apply(vec![deployment("app", "app:1", 1), canary("app")]).await?;
    let words = ["VirtualService app", "is controlled by ConfigMap boss", "spec.service.name"];
    refused(&story, "app", "ForeignObject", &words).await?;
    well_goes_on(&story).await?;
    left_alone(&story, "app").await?;
    let after: DynamicObject = story.virtual_services().get("app").await?;
    ensure!(after.resource_version() == before.resource_version(), "their route was changed");
    story.virtual_services().delete("app", &DeleteParams::default()).await?;
    story.phase("app", Phase::Initialized).await?;
    ensure!(story.weight("app").await? == Some(0));
    Ok(())
}

async fn a_route_of_nobodys_is_taken_over_and_given_back(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "route-free").await?;
    let mut route = foreign_route();
    route["spec"]["http"][0]["route"][0]["destination"]["host"] = json!("app");
    story.apply(vec![route]).await?;
    let before: DynamicObject = story.virtual_services().get("app").await?;
    let mut canary = canary("app");
    canary["spec"]["service"]["hosts"] = before.data["spec"]["hosts"].clone();
    story.apply(vec![deployment("app", "app:1", 1), canary]).await?;
    story.phase("app", Phase::Initialized).await?;
    ensure!(story.weight("app").await? == Some(0), "the route was not taken over");
    story.delete_canary("app").await?;
    let after: DynamicObject = story.virtual_services().get("app").await?;
    ensure!(after.data["spec"] == before.data["spec"], "given back as {:#}", after.data["spec"]);
    ensure!(
        after.annotations() == before.annotations() && after.labels() == before.labels(),
        "marks are left"
    );
    Ok(())
}

async fn a_controlled_service_is_not_touched(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "service-owned").await?;
    let owners = boss(&story).await?;
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "app", "ownerReferences": owners},
        "spec": {"selector": {"theirs": "yes"}, "ports": [{"port": 80}]},
    });
    story.apply(vec![service, deployment("app", "app:1", 1)]).await?;
    // each kind has its own watch: the objects that the first Canary needed were seen after the Service
    let mut first = canary("first");
    first["spec"]["service"]["gateways"] = json!([]);
    story.apply(vec![deployment("first", "first:1", 1), first]).await?;
    story.phase("first", Phase::Initialized).await?;
    story.apply(vec![canary("app")]).await?;
    refused(
        &story,
        "app",
        "ForeignObject",
        &["Service app is controlled by ConfigMap boss", "spec.service.name"],
    )
    .await?;
    well_goes_on(&story).await?;
    left_alone(&story, "app").await?;
    ensure!(story.selector("app").await? == json!({"theirs": "yes"}), "their Service was changed");
    let api: Api<Service> = story.api();
    api.delete("app", &DeleteParams::default()).await?;
    story.phase("app", Phase::Initialized).await?;
    ensure!(story.selector("app").await? == json!({"app": "app-primary"}));
    Ok(())
}

async fn a_route_with_more_users_than_the_canary_names_is_not_taken_over(
    shared: &Shared,
) -> anyhow::Result<()> {
    let story = story(shared, "route-forsaken").await?;
    let hosts = [story.host("app"), "old.example.com".to_owned()];
    shared.bed.gateway("route-forsaken", &[&hosts[0], &hosts[1]]).await?;
    let route = json!({
        "apiVersion": "networking.istio.io/v1beta1", "kind": "VirtualService", "metadata": {"name": "app"},
        "spec": {"gateways": ["gateway"], "hosts": hosts, "http": [{"route": [{"destination": {"host": "app"}}]}]},
    });
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "app"},
        "spec": {"selector": {"app": "app"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
    });
    story.apply(vec![route, service, deployment("app", "app:1", 1)]).await?;
    let old = Target::gateway("old.example.com");
    old.serving("1", PATIENCE).await?;
    let load = LoadHandle::start(&old, 50.0, 2);
    let mut canary = canary("app");
    canary["spec"]["service"]["hosts"] = json!([hosts[0]]);
    story.apply(vec![canary.clone()]).await?;
    refused(&story, "app", "TakeoverUnsafe", &["host old.example.com", "spec.service.hosts"]).await?;
    well_goes_on(&story).await?;
    canary["spec"]["service"]["hosts"] = json!(hosts);
    story.apply(vec![canary]).await?;
    story.phase("app", Phase::Initialized).await?;
    let so_far = load.snapshot().requests;
    load.requests(so_far + 50, PATIENCE).await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0, "requests lost: {:?}", window.failures);
    Ok(())
}
