//! Requests and routes selected by name: requests that go to one side at any weight, and the one route of a user's own
//! VirtualService that contains the weights. Through Envoy, and no request is lost.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, ensure};
use futures::StreamExt;
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    Traffic,
    load::{LoadHandle, Target, Window},
    story::{PATIENCE, Story, deployment},
};

use crate::{
    Family, Shared,
    bad_common::{pace, refused, stands},
    story,
    strategies::{all_from, held, near},
};

pub(crate) const STORIES: Family = &[
    story!(s0_1_the_share_follows_the_list_of_weights),
    story!(s0_7_of_a_users_virtual_service_only_the_weights_change),
    story!(s1_2_a_header_goes_its_way_on_top_of_the_weights),
    story!(s1_2_an_abort_takes_the_header_away),
    story!(a_header_leads_to_the_hidden_side_of_a_blue_green),
    story!(who_goes_where_is_said_once),
];

fn exactly(value: &str) -> Value {
    json!([{"headers": {"x-canary": {"exact": value}}}])
}

fn asking(story: &Story<'_>, value: &str) -> Target {
    story.target("app").header("x-canary", value)
}

/// A client that sends requests with a header until it is stopped.
async fn tester(story: &Story<'_>, value: &str, version: &str) -> anyhow::Result<LoadHandle> {
    let load = LoadHandle::start(&asking(story, value), 50.0, 1);
    load.first_answer(version, PATIENCE).await?;
    load.reset();
    Ok(load)
}

fn none_lost(window: &Window) -> anyhow::Result<()> {
    ensure!(window.lost() == 0, "requests lost: {:?}", window.failures);
    Ok(())
}

/// The http routes of the VirtualService.
async fn routes(story: &Story<'_>, name: &str) -> anyhow::Result<Vec<Value>> {
    let route = story.virtual_services().get(name).await?;
    Ok(route.data["spec"]["http"].as_array().cloned().unwrap_or_default())
}

/// S0.1: 10, 30, 50, 80 %. The model tests the duration of each step with its clock (scenarios/s0-1.yaml). Here each
/// step lasts until its share has been measured.
async fn s0_1_the_share_follows_the_list_of_weights(shared: &Shared) -> anyhow::Result<()> {
    let weights = [10, 30, 50, 80];
    let steps = |done: usize| -> Value {
        let hold = |index: usize| if index < done { "1s" } else { "60m" };
        weights.iter().enumerate().map(|(i, w)| json!({"weight": w, "hold": hold(i)})).collect()
    };
    let run = held(shared, "s0-1", json!({"steps": steps(0)})).await?;
    pace(&run.story).await?;
    for (index, weight) in weights.into_iter().enumerate() {
        let confirmed = |c: &Canary| {
            let step = c.status.as_ref().and_then(|s| s.step.as_ref());
            step.is_some_and(|s| s.index as usize == index + 1 && s.confirmed.is_some())
        };
        run.story.canary_that("app", confirmed).await.with_context(|| format!("waiting for {weight} %"))?;
        ensure!(run.story.weight("app").await? == Some(i64::from(weight)), "weight in the route");
        // until the proxy has the change
        run.load.first_answer("2", PATIENCE).await?;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        near(&run.users().await?, "2", f64::from(weight) / 100.0)?;
        run.story.edit_canary("app", json!({"spec": {"analysis": {"steps": steps(index + 1)}}})).await?;
    }
    let path = run.path.until("Succeeded", |point| point.0 == "Succeeded").await?;
    let mut phases: Vec<String> = path.iter().map(|point| point.0.clone()).collect();
    phases.dedup();
    let wanted = ["Progressing", "Promoting", "Finalising", "Succeeded"];
    ensure!(phases.ends_with(&wanted.map(str::to_owned)), "phases {phases:?}");
    let mut seen: Vec<i32> = path.iter().map(|point| point.1).filter(|weight| *weight > 0).collect();
    seen.dedup();
    ensure!(seen == weights, "weights {seen:?}");
    run.ends_well().await.map(drop)
}

/// Every state of the VirtualService from a watch.
struct Seen(Arc<Mutex<Vec<Value>>>, tokio::task::JoinHandle<()>);

impl Seen {
    fn follow(story: &Story<'_>, name: &str) -> Self {
        let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let (api, seen) = (story.virtual_services(), Arc::new(Mutex::new(Vec::new())));
        let sink = seen.clone();
        let task = tokio::spawn(async move {
            let mut stream = std::pin::pin!(watcher(api, config).default_backoff().applied_objects());
            while let Some(event) = stream.next().await {
                let Ok(object) = event else { continue };
                sink.lock().unwrap_or_else(PoisonError::into_inner).push(json!(object));
            }
        });
        Self(seen, task)
    }

    fn taken(&self) -> Vec<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        self.1.abort();
    }
}

/// A user's VirtualService: `admin`, and the http route with this name that points to `app`.
fn shop(story: &Story<'_>, route: &str) -> Value {
    let set = json!({"request": {"set": {"x-shop": "1"}}});
    let app = json!({"destination": {"host": "app", "port": {"number": 80}}, "headers": set});
    let admin = json!({
        "name": "admin", "match": [{"uri": {"prefix": "/admin"}}], "retries": {"attempts": 0},
        "rewrite": {"uri": "/"}, "route": [{"destination": {"host": "admin"}}],
    });
    let ours = json!({"name": route, "retries": {"attempts": 0}, "timeout": "9s", "route": [app]});
    json!({
        "apiVersion": "networking.istio.io/v1beta1", "kind": "VirtualService",
        "metadata": {"name": "shop", "labels": {"team": "shop"}, "annotations": {"note": "mine"}},
        "spec": {"hosts": [story.host("app")], "gateways": ["gateway"], "http": [admin, ours]},
    })
}

/// The backends of `shop`, and a Canary that uses its route `primary`.
fn lending() -> Vec<Value> {
    let service = |name: &str| {
        let ports = json!([{"name": "http", "port": 80, "targetPort": 8080}]);
        let spec = json!({"selector": {"app": name}, "ports": ports});
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec})
    };
    let mut canary = serin_bed::story::canary("app");
    canary["spec"]["service"] = json!({"port": 80, "targetPort": 8080});
    canary["spec"]["routeRef"] = json!({
        "apiVersion": "networking.istio.io/v1beta1", "kind": "VirtualService", "name": "shop", "route": "primary",
    });
    canary["spec"]["analysis"]["interval"] = json!("60m");
    let (app, admin) = (deployment("app", "app:1", 2), deployment("admin", "admin:admin", 1));
    vec![app, canary, admin, service("admin"), service("app")]
}

/// S0.7: the VirtualService has another route, `admin`. It stays the same, byte for byte, through a run and a deletion.
async fn s0_7_of_a_users_virtual_service_only_the_weights_change(shared: &Shared) -> anyhow::Result<()> {
    shared.bed.scripted().traffic("s0-7", "app", Traffic::success(100.0, 50.0));
    // the observer reads weights from the route with the apex's name, and this one has another: clients check it below
    shared.observer.except("s0-7", &["S4"]);
    let story = Story::new(&shared.bed, "s0-7").await?;
    shared.bed.gateway("s0-7", &[&story.host("app")]).await?;
    story.apply(lending()).await?;
    refused(&story, "app", "RouteSourceMissing", &["VirtualService shop not found"]).await?;
    story.apply(vec![shop(&story, "other")]).await?;
    refused(&story, "app", "RouteSourceMissing", &["has no http route named primary"]).await?;

    story.apply(vec![shop(&story, "primary")]).await?;
    let before = story.virtual_services().get("shop").await?;
    let seen = Seen::follow(&story, "shop");
    story.target("app").serving("1", PATIENCE).await?;
    let users = LoadHandle::start(&story.target("app"), 300.0, 4);
    let mut console = story.target("app");
    console.path = "/admin".into();
    console.serving("admin", PATIENCE).await?;
    let console = LoadHandle::start(&console, 50.0, 1);
    story.phase("app", Phase::Initialized).await?;

    story.set_image("app", "app:2").await?;
    story.canary_that("app", |c| c.status.as_ref().is_some_and(|s| s.canary_weight == 25)).await?;
    users.first_answer("2", PATIENCE).await?;
    users.reset();
    near(&users.requests(1000, PATIENCE).await?, "2", 0.25)?;
    pace(&story).await?;
    story.phase("app", Phase::Succeeded).await?;
    story.target("app").serving("2", PATIENCE).await?;
    story.delete_canary("app").await?;
    story.target("app").serving("2", PATIENCE).await?;

    for window in [users.stop().await, console.stop().await] {
        none_lost(&window)?;
    }
    let after = story.virtual_services().get("shop").await?;
    ensure!(after.data == before.data, "{} became {}", before.data, after.data);
    ensure!(after.metadata.annotations == before.metadata.annotations, "{:?}", after.metadata.annotations);
    ensure!(after.metadata.labels == before.metadata.labels, "{:?}", after.metadata.labels);
    ensure!(weights(seen.taken(), &before.data)? == [0, 25, 50, 0], "other weights on the way");
    Ok(())
}

/// The weights of the canary in the lent route. Nothing else may differ from the state `before`.
fn weights(seen: Vec<Value>, before: &Value) -> anyhow::Result<Vec<i64>> {
    let mut weights = Vec::new();
    for mut state in seen {
        weights.extend(state["spec"]["http"][1]["route"][1]["weight"].as_i64());
        state["spec"]["http"][1]["route"] = before["spec"]["http"][1]["route"].clone();
        ensure!(state["spec"] == before["spec"], "on the way it was {state}");
    }
    weights.dedup();
    Ok(weights)
}

/// S1.2: at 25 %, requests with a header for the canary get it, requests with a header against it never do, and a
/// quarter of all others do.
async fn s1_2_a_header_goes_its_way_on_top_of_the_weights(shared: &Shared) -> anyhow::Result<()> {
    let analysis = json!({"stepWeights": [25, 50], "always": exactly("always"), "never": exactly("never")});
    let run = held(shared, "s1-2", analysis).await?;
    let (always, never) = (tester(&run.story, "always", "2").await?, tester(&run.story, "never", "1").await?);
    all_from(&asking(&run.story, "always"), "2", 100).await?;
    all_from(&asking(&run.story, "never"), "1", 100).await?;
    near(&run.users().await?, "2", 0.25)?;
    near(&run.load.requests(2000, PATIENCE).await?, "2", 0.25)?;
    for (load, version) in [(&always, "2"), (&never, "1")] {
        let window = load.requests(100, PATIENCE).await?;
        ensure!(window.versions.keys().all(|v| v == version), "{:?} answered", window.versions);
    }
    let story = Story {
        bed: run.story.bed,
        namespace: run.story.namespace.clone(),
        client: run.story.client.clone(),
    };
    run.ends_well().await?;
    all_from(&asking(&story, "never"), "2", 100).await?;
    all_from(&asking(&story, "always"), "2", 100).await?;
    for load in [always, never] {
        none_lost(&load.stop().await)?;
    }
    let left = routes(&story, "app").await?;
    ensure!(left.len() == 1 && left[0]["match"].is_null(), "after promotion there is {left:?}");
    Ok(())
}

/// S1.2: after an abort such requests get the same version as all others.
async fn s1_2_an_abort_takes_the_header_away(shared: &Shared) -> anyhow::Result<()> {
    let cookie = json!([{"headers": {"cookie": {"regex": "(.*; ?)?canary=always(;.*)?"}}}]);
    let run = held(shared, "s1-2-abort", json!({"stepWeights": [25, 50], "always": cookie})).await?;
    let by_cookie = run.story.target("app").header("cookie", "theme=dark; canary=always");
    all_from(&by_cookie, "2", 100).await?;
    let load = LoadHandle::start(&by_cookie, 50.0, 1);
    load.first_answer("2", PATIENCE).await?;
    near(&run.users().await?, "2", 0.25)?;
    run.story.set_image("app", "app:1").await?;
    run.story.phase("app", Phase::Succeeded).await?;
    all_from(&by_cookie, "1", 100).await?;
    none_lost(&load.stop().await)?;
    let left = routes(&run.story, "app").await?;
    ensure!(left.len() == 1 && left[0]["match"].is_null(), "after the abort there is {left:?}");
    run.over().await.map(drop)
}

/// No users are on the new version yet, but testers can reach it with a header.
async fn a_header_leads_to_the_hidden_side_of_a_blue_green(shared: &Shared) -> anyhow::Result<()> {
    let run = held(shared, "hidden", json!({"iterations": 2, "always": exactly("always")})).await?;
    all_from(&asking(&run.story, "always"), "2", 100).await?;
    ensure!(run.users().await?.share("2") == 0.0, "somebody got version 2 before the switch");
    let load = tester(&run.story, "always", "2").await?;
    run.ends_well().await?;
    none_lost(&load.stop().await)
}

/// Contradictory specs are refused: by the API server, or in a condition if the schema cannot express it.
async fn who_goes_where_is_said_once(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "pins-refused").await?;
    shared.bed.scripted().traffic("pins-refused", "app", Traffic::success(100.0, 50.0));
    story.initialised("app", |_| {}).await?;
    for (analysis, said) in [
        (
            json!({"always": exactly("a"), "match": exactly("b")}),
            "match cannot be given together with always",
        ),
        (json!({"always": [{}]}), "spec.analysis.always[0]"),
        (
            json!({"never": [{"headers": {"x": {"exact": "a", "prefix": "b"}}}]}),
            "spec.analysis.never[0].headers",
        ),
    ] {
        let edit = story.edit_canary("app", json!({"spec": {"analysis": analysis}})).await;
        let error = edit.err().with_context(|| format!("{analysis} was taken"))?;
        ensure!(format!("{error:#}").contains(said), "{analysis}: {error:#}");
    }
    let nothing = json!({"spec": {"analysis": {"never": [{"headers": {}}]}}});
    story.edit_canary("app", nothing).await?;
    refused(&story, "app", "InvalidSpec", &["spec.analysis.never[0]: names no header"]).await?;
    story.edit_canary("app", json!({"spec": {"analysis": {"never": null}}})).await?;
    stands(&story, "app", "Accepted", "True", "Accepted", &[]).await?;
    Ok(())
}
