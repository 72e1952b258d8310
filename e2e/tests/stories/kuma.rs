//! Kuma's routes with a real API server: their contents during a whole life, and the consequences of a TrafficRoute
//! without a namespace. The routing of requests is not tested.

use anyhow::{Context, ensure};
use kube::{
    Api,
    api::{DeleteParams, DynamicObject, Patch, PatchParams},
    core::GroupVersionKind,
};
use serde_json::{Value, json};
use serin::api::Phase;
use serin_bed::{
    User,
    operator::Operator,
    story::{PATIENCE, Story, canary, deployment},
    wait,
};
use tokio::process::Command;

use crate::{
    Family, Shared,
    bad_common::{left_alone, refused, weight},
    story,
};

pub(crate) const STORIES: Family = &[
    story!(t1_a_canary_in_a_kuma_mesh_goes_through_its_whole_life),
    story!(of_two_canaries_of_one_name_the_second_waits),
    story!(a_traffic_route_of_nobodys_is_taken_over_and_given_back),
];

/// With its own operator.
pub(crate) const ALONE: Family = &[story!(an_operator_of_one_namespace_sees_the_route_in_every_life)];

const DEFINITION: &str = include_str!("../../schemas/kuma.yaml");
const SERVICE: &str = "kuma.io/service";

/// A story on a bed with the kind. The observer sees no weights here.
async fn begin<'a>(shared: &'a Shared, namespace: &str) -> anyhow::Result<Story<'a>> {
    shared.observer.except(namespace, &["S4"]);
    let story = Story::new(&shared.bed, namespace).await?;
    story.bed.apply_yaml(namespace, DEFINITION).await?;
    Ok(story)
}

fn mesh_routes(story: &Story<'_>) -> Api<DynamicObject> {
    let gvk = GroupVersionKind::gvk("kuma.io", "v1alpha1", "MeshHTTPRoute");
    Api::namespaced_with(story.client.clone(), &story.namespace, &kube::api::ApiResource::from_gvk(&gvk))
}

fn routes(story: &Story<'_>) -> Api<DynamicObject> {
    let gvk = GroupVersionKind::gvk("kuma.io", "v1alpha1", "TrafficRoute");
    Api::all_with(story.client.clone(), &kube::api::ApiResource::from_gvk(&gvk))
}

async fn route(story: &Story<'_>, name: &str) -> anyhow::Result<Value> {
    Ok(json!(routes(story).get(name).await.with_context(|| format!("TrafficRoute {name}"))?))
}

/// A mesh that uses TrafficRoutes.
const OLD: &str = "old";

/// Makes a mesh use TrafficRoutes.
async fn by_traffic_routes(story: &Story<'_>, mesh: &str) -> anyhow::Result<()> {
    let all = json!([{"match": {SERVICE: "*"}}]);
    let route = json!({
        "apiVersion": "kuma.io/v1alpha1", "kind": "TrafficRoute", "mesh": mesh,
        "metadata": {"name": format!("route-all-{mesh}")},
        "spec": {"sources": all, "destinations": all, "conf": {"destination": {SERVICE: "*"}}},
    });
    story.apply(vec![route]).await
}

/// A Canary whose checks read one scripted share.
fn kuma_canary(story: &Story<'_>, app: &str, mesh: &str) -> Value {
    let mut all = canary(app);
    all["metadata"]["annotations"] = json!({"kuma.io/mesh": mesh});
    all["spec"]["provider"] = json!("kuma");
    all["spec"]["service"] = json!({"port": 80, "targetPort": 8080});
    all["spec"]["analysis"]["metrics"] = json!([
        {"name": "share", "interval": "5s", "thresholdRange": {"min": 0.99}, "query": share(&story.namespace)}
    ]);
    all
}

fn share(namespace: &str) -> String {
    format!("kuma_success_share{{namespace=\"{namespace}\"}}")
}

/// Sets this value in Prometheus.
async fn succeed(shared: &Shared, namespace: &str, value: f64) -> anyhow::Result<()> {
    let series = share(namespace);
    shared.bed.scripted().set(&series, value);
    let seen = async || (shared.bed.query(&series).await.ok()? == [value]).then_some(());
    wait::until("the share to be scraped", PATIENCE, seen).await
}

/// Weights and tags, in order.
fn split(route: &Value) -> Vec<(i64, String)> {
    let one = |to: &Value| {
        (
            to["weight"].as_i64().unwrap_or(-1),
            to["destination"][SERVICE].as_str().unwrap_or_default().to_owned(),
        )
    };
    route["spec"]["conf"]["split"].as_array().into_iter().flatten().map(one).collect()
}

async fn splits(story: &Story<'_>, app: &str, canary: i64) -> anyhow::Result<()> {
    let tag = |side: &str| format!("{app}-{side}_{}_svc_80", story.namespace);
    let wanted = vec![(100 - canary, tag("primary")), (canary, tag("canary"))];
    let seen = async || (split(&route(story, app).await.ok()?) == wanted).then_some(());
    wait::until(&format!("TrafficRoute {app} to give the canary {canary} %"), PATIENCE, seen).await
}

/// The route is gone together with its Canary.
async fn gone(story: &Story<'_>, app: &str) -> anyhow::Result<()> {
    let left = [routes(story).get_opt(app).await?, mesh_routes(story).get_opt(app).await?];
    ensure!(left.iter().all(Option::is_none), "left: {}, {:?}", json!(left), story.events(app).await?);
    Ok(())
}

/// The split of the MeshHTTPRoute.
async fn mesh_splits(story: &Story<'_>, app: &str, canary: i64) -> anyhow::Result<()> {
    let to = |side: &str, weight: i64| {
        let name = format!("{app}-{side}_{}_svc_80", story.namespace);
        json!({"kind": "MeshService", "name": name, "weight": weight})
    };
    let wanted = json!([to("primary", 100 - canary), to("canary", canary)]);
    let seen = async || {
        let route = json!(mesh_routes(story).get(app).await.ok()?);
        (route["spec"]["to"][0]["rules"][0]["default"]["backendRefs"] == wanted).then_some(())
    };
    wait::until(&format!("MeshHTTPRoute {app} to give the canary {canary} %"), PATIENCE, seen).await
}

async fn t1_a_canary_in_a_kuma_mesh_goes_through_its_whole_life(shared: &Shared) -> anyhow::Result<()> {
    let story = begin(shared, "kuma").await?;
    succeed(shared, "kuma", 1.0).await?;
    let app = "kuma-life";
    // left behind by an earlier version
    let tags = json!({SERVICE: "kuma-life_kuma_svc_80"});
    let left = json!({
        "apiVersion": "kuma.io/v1alpha1", "kind": "TrafficRoute", "mesh": "prod", "metadata": {"name": app},
        "spec": {
            "sources": [{"match": {SERVICE: "*"}}], "destinations": [{"match": tags}], "conf": {"destination": tags},
        },
    });
    story.apply(vec![left, deployment(app, "app:1", 2), kuma_canary(&story, app, "prod")]).await?;
    story.phase(app, Phase::Initialized).await?;
    mesh_splits(&story, app, 0).await?;
    story
        .event(
            app,
            "TrafficRoute kuma-life, made by an earlier version or by Flagger, routed requests until now",
        )
        .await?;
    ensure!(routes(&story).get_opt(app).await?.is_none(), "the TrafficRoute is left");
    let made = json!(mesh_routes(&story).get(app).await?);
    ensure!(made["metadata"]["labels"]["kuma.io/mesh"] == "prod", "{made}");
    ensure!(made["spec"]["to"][0]["targetRef"]["name"] == "kuma-life_kuma_svc_80", "{made}");

    story.edit_canary(app, json!({"spec": {"analysis": {"interval": "60m"}}})).await?;
    story.set_image(app, "app:2").await?;
    story.canary_that(app, |c| weight(c) == 25).await?;
    mesh_splits(&story, app, 25).await?;
    // edited by hand: restored to the step, with an Event
    let astray =
        json!({"spec": {"to": [{"targetRef": {"kind": "MeshService", "name": "elsewhere"}, "rules": []}]}});
    mesh_routes(&story).patch(app, &PatchParams::default(), &Patch::Merge(astray)).await?;
    mesh_splits(&story, app, 25).await?;
    story.event(app, "MeshHTTPRoute kuma-life was changed by").await?;
    let path = story.follow(app);
    story.edit_canary(app, json!({"spec": {"analysis": {"interval": "1s"}}})).await?;
    story.phase(app, Phase::Succeeded).await?;
    let mut weights: Vec<i32> = path.taken().into_iter().map(|point| point.1).collect();
    weights.dedup();
    ensure!(weights == [25, 50, 0], "weights {weights:?}");
    mesh_splits(&story, app, 0).await?;

    succeed(shared, "kuma", 0.5).await?;
    story.set_image(app, "app:3").await?;
    story.phase(app, Phase::Failed).await?;
    mesh_splits(&story, app, 0).await?;

    // deleted during a run
    succeed(shared, "kuma", 1.0).await?;
    story.edit_canary(app, json!({"spec": {"analysis": {"interval": "60m"}}})).await?;
    story.set_image(app, "app:4").await?;
    story.canary_that(app, |c| weight(c) == 25).await?;
    story.delete_canary(app).await?;
    gone(&story, app).await?;
    ensure!(story.replicas(app).await? == Some(2), "the target was not given back");
    ensure!(story.replicas(&format!("{app}-primary")).await?.is_none(), "the primary is left");
    Ok(())
}

async fn of_two_canaries_of_one_name_the_second_waits(shared: &Shared) -> anyhow::Result<()> {
    let (first, second) = (begin(shared, "kuma-first").await?, begin(shared, "kuma-second").await?);
    let app = "kuma-twin";
    by_traffic_routes(&first, OLD).await?;
    first.apply(vec![deployment(app, "app:1", 1), kuma_canary(&first, app, OLD)]).await?;
    first.phase(app, Phase::Initialized).await?;
    splits(&first, app, 0).await?;
    let before = route(&first, app).await?;

    second.apply(vec![deployment(app, "app:1", 1), kuma_canary(&second, app, OLD)]).await?;
    let words =
        ["TrafficRoute kuma-twin is controlled by a Canary of namespace kuma-first", "spec.service.name"];
    refused(&second, app, "ForeignObject", &words).await?;
    left_alone(&second, app).await?;
    ensure!(second.replicas(app).await? == Some(1), "the target was scaled");

    // a name of its own is enough
    let named = json!({"spec": {"service": {"name": "kuma-other"}}});
    second.edit_canary(app, named).await?;
    second.phase(app, Phase::Initialized).await?;
    splits(&second, "kuma-other", 0).await?;
    second.delete_canary(app).await?;
    gone(&second, "kuma-other").await?;

    // the name is free as soon as the first one is gone
    second.apply(vec![kuma_canary(&second, app, OLD)]).await?;
    refused(&second, app, "ForeignObject", &words).await?;
    let now = route(&first, app).await?;
    ensure!(now["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"], "{now}");
    first.delete_canary(app).await?;
    second.phase(app, Phase::Initialized).await?;
    splits(&second, app, 0).await
}

async fn an_operator_of_one_namespace_sees_the_route_in_every_life(shared: &Shared) -> anyhow::Result<()> {
    shared.operator.lock().await.kill9().await?;
    let story = begin(shared, "kuma-alone").await?;
    let mut operator = Operator::start(&shared.bed, &["--namespace=kuma-alone"], &[])?;
    operator.ready(PATIENCE).await?;
    succeed(shared, "kuma-alone", 1.0).await?;
    let app = "kuma-alone";
    by_traffic_routes(&story, OLD).await?;
    story.apply(vec![deployment(app, "app:1", 1), kuma_canary(&story, app, OLD)]).await?;
    story.phase(app, Phase::Initialized).await?;
    story.edit_canary(app, json!({"spec": {"analysis": {"interval": "60m"}}})).await?;
    story.set_image(app, "app:2").await?;
    story.canary_that(app, |c| weight(c) == 25).await?;

    // from its namespace, nothing is missing
    operator.kill9().await?;
    let explained = Command::new(operator.program())
        .args(["explain", app, "-n", "kuma-alone", "--kubeconfig"])
        .arg(shared.bed.kubeconfig(User::Admin))
        .output()
        .await?;
    let text = String::from_utf8_lossy(&explained.stdout).into_owned();
    // the record of the run may not have been written yet
    let goes_on = ["\n  waits ", "\n  writes CanaryRun "].iter().any(|next| text.contains(next));
    ensure!(explained.status.success() && goes_on, "{explained:?}");
    routes(&story).delete(app, &DeleteParams::default()).await?;
    operator.restart().await?;
    splits(&story, app, 25).await?;
    story.event(app, "TrafficRoute kuma-alone was missing: created again").await?;
    story.edit_canary(app, json!({"spec": {"analysis": {"interval": "1s"}}})).await?;
    story.phase(app, Phase::Succeeded).await?;
    splits(&story, app, 0).await
}

async fn a_traffic_route_of_nobodys_is_taken_over_and_given_back(shared: &Shared) -> anyhow::Result<()> {
    let story = begin(shared, "kuma-theirs").await?;
    let app = "kuma-theirs";
    let tags = |service: &str| json!({SERVICE: service});
    let ours = "kuma-theirs_kuma-theirs_svc_80";
    let mut user = json!({
        "apiVersion": "kuma.io/v1alpha1", "kind": "TrafficRoute", "mesh": "default", "metadata": {"name": app},
        "spec": {
            "sources": [{"match": tags("shop_kuma-theirs_svc_80")}], "destinations": [{"match": tags(ours)}],
            "conf": {"split": [{"weight": 100, "destination": tags(ours)}]},
        },
    });
    by_traffic_routes(&story, OLD).await?;
    by_traffic_routes(&story, "default").await?;
    story.apply(vec![user.clone()]).await?;
    // routes and Canaries have different watches: once another Canary has its route, the operator has seen these
    let other = "kuma-other-mesh";
    story.apply(vec![deployment(other, "app:1", 1), kuma_canary(&story, other, other)]).await?;
    story.phase(other, Phase::Initialized).await?;
    story.apply(vec![deployment(app, "app:1", 1), kuma_canary(&story, app, OLD)]).await?;
    let words =
        ["TrafficRoute kuma-theirs is there already", "annotate the Canary with kuma.io/mesh: default"];
    refused(&story, app, "TakeoverUnsafe", &words).await?;
    left_alone(&story, app).await?;
    story.edit_canary(app, json!({"metadata": {"annotations": {"kuma.io/mesh": "default"}}})).await?;
    refused(&story, app, "TakeoverUnsafe", &["it is for some callers only (spec.sources has "]).await?;
    left_alone(&story, app).await?;
    user["spec"]["sources"] = json!([{"match": tags("*")}]);
    let all_callers = Patch::Merge(json!({"spec": user["spec"]}));
    routes(&story).patch(app, &PatchParams::default(), &all_callers).await?;
    story.phase(app, Phase::Initialized).await?;
    splits(&story, app, 0).await?;
    story.delete_canary(app).await?;
    let left = route(&story, app).await?;
    ensure!((&left["spec"], &left["mesh"]) == (&user["spec"], &user["mesh"]), "{left}");
    ensure!(!left["metadata"]["annotations"].to_string().contains("serin.dev"), "{left}");
    Ok(())
}
