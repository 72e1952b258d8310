//! Features of the Gateway API, of Contour and of Gloo besides weights, and a route that no Gateway accepts.

use anyhow::{Context, ensure};
use jiff::Timestamp;
use kube::{
    Api,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    core::GroupVersionKind,
};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    Traffic,
    load::Target,
    proxies::Door,
    story::{PATIENCE, Story},
    wait,
};

use crate::{
    Family, Shared,
    clients::Clients,
    lives::{Life, app, canary, handed_back},
    story,
    way::Way,
};

pub(crate) const STORIES: Family = &[
    story!(named_requests_by_contour),
    story!(named_requests_by_gateway_of_contour),
    story!(named_requests_by_gateway_of_istiod),
    story!(named_requests_by_envoy_gateway),
    story!(named_requests_by_gloo),
    story!(copies_by_gateway_of_contour),
    story!(copies_by_gateway_of_istiod),
    story!(copies_by_envoy_gateway),
    story!(cookies_by_gateway_of_contour),
    story!(cookies_by_gateway_of_istiod),
    story!(cookies_by_envoy_gateway),
    story!(s4_6_another_gateway_takes_over),
    story!(s4_7_a_route_that_is_not_accepted),
    story!(a_gateway_that_is_not_there),
];

const CONTOUR: Way = Way::Gateway(Door::Contour);
const ISTIOD: Way = Way::Gateway(Door::Mesh);
const ENVOY_GATEWAY: Way = Way::Gateway(Door::EnvoyGateway);
const HOUR: &str = "60m";

/// An adopted application, at the first step of a run from version 1 to 2.
async fn held<'a>(
    shared: &'a Shared,
    namespace: &str,
    way: Way,
    analysis: Value,
) -> anyhow::Result<Life<'a>> {
    let life = Life::begin(shared, namespace, way).await?;
    let mut all = analysis;
    all["interval"] = json!(HOUR);
    life.adopted(all).await?;
    life.story.set_image("app", "app:2").await?;
    life.at_step(1).await?;
    Ok(life)
}

/// The run continues to its end, and no request was lost.
async fn goes_on(life: &Life<'_>) -> anyhow::Result<()> {
    promoted(life).await?;
    life.users.whole("the run")
}

async fn promoted(life: &Life<'_>) -> anyhow::Result<()> {
    life.story.edit_canary("app", json!({"spec": {"analysis": {"interval": "2s"}}})).await?;
    life.story.phase("app", Phase::Succeeded).await?;
    life.users.all("2").await
}

/// `version` answers all of a thousand requests to this target.
async fn all_from(target: &Target, version: &str) -> anyhow::Result<()> {
    let clients = Clients::start(target);
    clients.all(version).await
}

async fn named(shared: &Shared, namespace: &str, way: Way) -> anyhow::Result<()> {
    let analysis = json!({"iterations": 2, "match": [{"headers": {"x-canary": {"exact": "insider"}}}]});
    let life = held(shared, namespace, way, analysis).await?;
    let insider = way.target(&life.story).await?.header("x-canary", "insider");
    let insiders = Clients::start(&insider);
    insiders.all("2").await?;
    life.users.still("1").await?;
    goes_on(&life).await?;
    if way == ENVOY_GATEWAY {
        // its clusters have the numbers of rules
        handed_back(&life).await?;
    }
    insiders.whole("the named")
}

async fn named_requests_by_contour(shared: &Shared) -> anyhow::Result<()> {
    named(shared, "named-contour", Way::Contour).await
}

async fn named_requests_by_gateway_of_contour(shared: &Shared) -> anyhow::Result<()> {
    named(shared, "named-gw-contour", CONTOUR).await
}

async fn named_requests_by_gateway_of_istiod(shared: &Shared) -> anyhow::Result<()> {
    named(shared, "named-gw-istiod", ISTIOD).await
}

async fn named_requests_by_envoy_gateway(shared: &Shared) -> anyhow::Result<()> {
    named(shared, "named-envoy-gw", ENVOY_GATEWAY).await
}

async fn named_requests_by_gloo(shared: &Shared) -> anyhow::Result<()> {
    named(shared, "named-gloo", Way::Gloo).await
}

async fn copies(shared: &Shared, namespace: &str, way: Way) -> anyhow::Result<()> {
    let life = held(shared, namespace, way, json!({"stepWeights": [50], "mirror": true})).await?;
    let query = format!(
        "sum(http_request_duration_seconds_count{{kubernetes_namespace=\"{namespace}\",kubernetes_pod_name!~\"app-primary-.*\"}})"
    );
    let counted = async || shared.bed.query(&query).await.ok()?.first().copied();
    let before =
        wait::until("copies to arrive", PATIENCE, async || counted().await.filter(|n| *n > 0.0)).await?;
    let window = life.users.window().await?;
    ensure!(!window.versions.contains_key("2"), "a copy was answered to a user");
    // all requests in the window have been mirrored, and Prometheus sees this within a second
    let enough = async || counted().await.filter(|n| n - before >= 0.9 * window.requests as f64);
    wait::until("as many copies as requests", PATIENCE, enough).await?;
    goes_on(&life).await
}

async fn copies_by_gateway_of_contour(shared: &Shared) -> anyhow::Result<()> {
    copies(shared, "copies-gw-contour", CONTOUR).await
}

async fn copies_by_gateway_of_istiod(shared: &Shared) -> anyhow::Result<()> {
    copies(shared, "copies-gw-istiod", ISTIOD).await
}

async fn copies_by_envoy_gateway(shared: &Shared) -> anyhow::Result<()> {
    copies(shared, "copies-envoy-gw", ENVOY_GATEWAY).await
}

async fn cookies(shared: &Shared, namespace: &str, way: Way) -> anyhow::Result<()> {
    let affinity = json!({"cookieName": "canary", "primaryCookieName": "primary", "maxAge": 60});
    let life =
        held(shared, namespace, way, json!({"stepWeights": [50], "sessionAffinity": affinity})).await?;
    let target = way.target(&life.story).await?;
    let given = async |version: &str| {
        let what = format!("a cookie with an answer of version {version}");
        let cookie = wait::until(&what, PATIENCE, async || {
            let answer = target.once().await.ok()?;
            answer.cookies.into_iter().next().filter(|_| answer.version.as_deref() == Some(version))
        });
        anyhow::Ok(cookie.await?.split(';').next().unwrap_or_default().to_owned())
    };
    let (canary, primary) = (given("2").await?, given("1").await?);
    ensure!(canary.starts_with("canary=") && primary.starts_with("primary="), "{canary} and {primary}");
    all_from(&target.clone().header("cookie", &format!("theme=dark; {canary}")), "2").await?;
    all_from(&target.clone().header("cookie", &primary), "1").await?;
    life.users.share("2", 0.5).await?;
    promoted(&life).await?;
    if way == ENVOY_GATEWAY {
        // It exchanges the clusters of rules that issue cookies, before the routes that use them.
        let lost = life.users.lost();
        let without_cluster = |answer: &String| ["500", "503"].contains(&answer.trim());
        ensure!(lost.len() <= 15 && lost.iter().all(without_cluster), "lost: {lost:?}");
    } else {
        life.users.whole("the run")?;
    }
    let answer = target.header("cookie", &canary).once().await?;
    let back = answer.cookies.iter().any(|c| c.starts_with("canary=") && c.contains("Max-Age=-1"));
    ensure!(back, "the cookie of the run is not taken back: {:?}", answer.cookies);
    Ok(())
}

async fn cookies_by_gateway_of_contour(shared: &Shared) -> anyhow::Result<()> {
    cookies(shared, "cookies-gw-contour", CONTOUR).await
}

async fn cookies_by_gateway_of_istiod(shared: &Shared) -> anyhow::Result<()> {
    cookies(shared, "cookies-gw-istiod", ISTIOD).await
}

async fn cookies_by_envoy_gateway(shared: &Shared) -> anyhow::Result<()> {
    cookies(shared, "cookies-envoy-gw", ENVOY_GATEWAY).await
}

/// The check of S4.6: the success rate from a proxy's own counters.
fn success(counter: &str, labels: &str, code: &str) -> Value {
    let rate = |more: &str| format!("sum(rate({counter}{{{labels}{more}}}[6s]))");
    let query = format!("{} / {} * 100", rate(&format!(",{code}!~\"5..\"")), rate(""));
    json!([{"name": "success", "query": query, "thresholdRange": {"min": 99}}])
}

/// S4.6: only the Gateway and the query are replaced, and the next release succeeds behind another implementation, with
/// the metrics of its proxy.
async fn s4_6_another_gateway_takes_over(shared: &Shared) -> anyhow::Result<()> {
    let life = Life::begin(shared, "s4-6", CONTOUR).await?;
    let by_contour = success(
        "envoy_cluster_upstream_rq",
        r#"envoy_cluster_name=~"s4-6_app-canary_.+""#,
        "envoy_response_code",
    );
    let labels = r#"destination_workload_namespace="s4-6",destination_workload="app""#;
    let by_mesh = success("istio_requests_total", labels, "response_code");
    life.adopted(json!({"stepWeights": [30, 60], "metrics": by_contour})).await?;
    life.story.set_image("app", "app:2").await?;
    life.story.phase("app", Phase::Succeeded).await.context("behind Contour")?;
    life.users.all("2").await?;
    life.users.whole("the release behind Contour")?;

    let replaced =
        json!({"service": {"gatewayRefs": [Door::Mesh.gateway()]}, "analysis": {"metrics": by_mesh}});
    life.story.edit_canary("app", json!({"spec": replaced})).await?;
    let target = ISTIOD.target(&life.story).await?;
    target.serving("2", PATIENCE).await?;
    let elsewhere = Clients::start(&target);
    life.story.set_image("app", "app:3").await?;
    life.story.phase("app", Phase::Progressing).await?;
    life.story.phase("app", Phase::Succeeded).await.context("behind istiod")?;
    elsewhere.all("3").await?;
    elsewhere.whole("the release behind istiod")
}

fn resource(kind: &str) -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", kind))
}

/// A controller that the story simulates reports this generation of the route as accepted, or not.
async fn answer(story: &Story<'_>, accepted: bool) -> anyhow::Result<()> {
    let api: Api<DynamicObject> =
        Api::namespaced_with(story.client.clone(), &story.namespace, &resource("HTTPRoute"));
    let route = api.get("app").await?;
    let (status, reason) = if accepted { ("True", "Accepted") } else { ("False", "NotAllowedByListeners") };
    let status = json!({"status": {"parents": [{
        "controllerName": "example.com/played",
        "parentRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "played"},
        "conditions": [{
            "type": "Accepted", "status": status, "reason": reason, "message": "so the story wants it",
            "observedGeneration": route.metadata.generation, "lastTransitionTime": Timestamp::now(),
        }],
    }]}});
    api.patch_status("app", &PatchParams::default(), &Patch::Merge(status)).await?;
    Ok(())
}

fn weight_of(route: &DynamicObject) -> Option<i64> {
    route.data["spec"]["rules"][0]["backendRefs"][1]["weight"].as_i64()
}

/// Waits until the route asks for this weight.
async fn asked(story: &Story<'_>, weight: i64) -> anyhow::Result<()> {
    let api: Api<DynamicObject> =
        Api::namespaced_with(story.client.clone(), &story.namespace, &resource("HTTPRoute"));
    let there = async || api.get("app").await.ok().filter(|route| weight_of(route) == Some(weight));
    wait::until(&format!("a route with weight {weight}"), PATIENCE, there).await.map(drop)
}

/// S4.7: the controller never reports that it has accepted the route with the new weight. The weight is requested but
/// not confirmed, nothing is measured, the run waits, and the operator reports it. After the acceptance the run
/// continues.
async fn s4_7_a_route_that_is_not_accepted(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "s4-7").await?;
    shared.bed.scripted().traffic("s4-7", "app", Traffic::success(100.0, 50.0));
    let gateway = json!({"name": "played"});
    let canary = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": "app"},
        "spec": {
            "provider": "gatewayapi:v1",
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"},
            "service": {"port": 80, "targetPort": 8080, "gatewayRefs": [gateway]},
            "analysis": {"interval": "1s", "threshold": 10, "stepWeights": [20, 40], "metrics": [
                {"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "5s"},
            ]},
        },
    });
    story.apply(vec![app(), canary]).await?;
    asked(&story, 0).await?;
    answer(&story, true).await?;
    story.phase("app", Phase::Initialized).await?;
    story.set_image("app", "app:2").await?;
    asked(&story, 20).await?;
    // these numbers would count if they were measured
    shared.bed.scripted().traffic("s4-7", "app", Traffic::success(10.0, 50.0));
    let told =
        story.condition("app", "RouteFollowed", "False", "Gateway played has not yet taken in").await?;
    story.event("app", "Gateway played has not yet taken in HTTPRoute app").await?;
    let status = told.status.unwrap_or_default();
    let step = status.step.unwrap_or_default();
    let stands = (step.weight, status.canary_weight, step.confirmed.is_some(), status.failed_checks);
    ensure!(stands == (20, 0, false, 0), "asked, confirmed, since, failed checks: {stands:?}");

    answer(&story, false).await?;
    story.condition("app", "RouteFollowed", "False", "so the story wants it").await?;
    shared.bed.scripted().reset("s4-7", "app").await?;
    shared.bed.scripted().traffic("s4-7", "app", Traffic::success(100.0, 50.0));
    answer(&story, true).await?;
    for weight in [40, 0] {
        let confirmed = |c: &Canary| {
            c.status.as_ref().is_some_and(|s| s.conditions.iter().all(|k| k.type_ != "RouteFollowed"))
        };
        story.canary_that("app", confirmed).await?;
        asked(&story, weight).await?;
        answer(&story, true).await?;
    }
    story.phase("app", Phase::Succeeded).await.map(drop)
}

/// No controller handles the Gateway: the application stays as it is, and the Canary reports the missing Gateway.
async fn a_gateway_that_is_not_there(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "no-gateway").await?;
    let life = |gateway: Value| {
        let mut canary = canary(CONTOUR, &story.host("app"), &json!({"stepWeights": [50]}));
        canary["spec"]["service"]["gatewayRefs"] = json!([gateway]);
        canary
    };
    story.apply(vec![app(), life(json!({"name": "nowhere", "namespace": "gateways"}))]).await?;
    let told =
        story.condition("app", "RouteFollowed", "False", "no Gateway answers for HTTPRoute app").await?;
    ensure!(told.status.and_then(|s| s.phase) == Some(Phase::Initializing), "it went on all the same");
    ensure!(story.replicas("app").await? == Some(2), "the application lost its pods");
    story.apply(vec![life(Door::Contour.gateway())]).await?;
    story.phase("app", Phase::Initialized).await?;
    CONTOUR.target(&story).await?.serving("1", PATIENCE).await
}
