//! Plain Services: the selector of the apex switches users or shares pods, and promotions wait. Clients use Envoy,
//! which follows the pods behind the apex Service through its EndpointSlices.
#![allow(non_snake_case, reason = "stories bear the ids of their scenarios")]

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use k8s_openapi::api::{
    apps::v1::Deployment, autoscaling::v2::HorizontalPodAutoscaler, discovery::v1::EndpointSlice,
};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use serin::api::{Answer, Canary, Phase};
use serin_bed::{
    Traffic, endpoints,
    load::LoadHandle,
    story::{PATIENCE, Story, canary, deployment},
};
use tokio::sync::Mutex;

use crate::{
    Family, Shared,
    bad_common::{accepted, pace, refused, stands},
    story,
};

pub(crate) const STORIES: Family = &[
    story!(S2_6_blue_green_waits_and_switches_once),
    story!(S2_6_set_back_users_notice_nothing),
    story!(a_switch_goes_back_when_it_does_badly),
    story!(deleted_while_switched_users_notice_nothing),
    story!(a_weighted_run_waits_for_its_promotion),
    story!(S2_1_automatic_by_pod_share),
    story!(shares_go_back_when_they_do_badly),
    story!(deleted_while_shared_users_notice_nothing),
    story!(what_cannot_be_shared_is_refused),
    story!(pods_stay_as_long_as_they_should),
];

const BY_NAME: &str = "app.kubernetes.io/name";

/// A plain Service `app` with this many pods, an idle Canary with this analysis, and clients through Envoy.
async fn plain<'a>(
    shared: &'a Shared,
    namespace: &str,
    pods: i32,
    analysis: Value,
) -> anyhow::Result<Story<'a>> {
    shared.bed.scripted().traffic(namespace, "app", Traffic::success(100.0, 50.0));
    let story = Story::new(&shared.bed, namespace).await?;
    let host = story.host("app");
    shared.bed.gateway(namespace, &[&host]).await?;
    let front = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "front"},
        "spec": {
            "hosts": [host], "gateways": ["gateway"],
            "http": [{"route": [{"destination": {"host": "app"}}], "retries": {"attempts": 0}}],
        },
    });
    let mut app = canary("app");
    let spec = &mut app["spec"];
    spec["provider"] = json!("kubernetes");
    spec["service"] = json!({"port": 80, "targetPort": 8080});
    let metrics = spec["analysis"]["metrics"].clone();
    spec["analysis"] = json!({"interval": "60m", "threshold": 1, "metrics": [metrics[0]]});
    for (field, value) in analysis.as_object().into_iter().flatten() {
        spec["analysis"][field] = value.clone();
    }
    let mut target = deployment("app", "app:1", pods);
    target["spec"]["template"]["metadata"]["labels"][BY_NAME] = json!("app");
    story.apply(vec![front, target, app]).await?;
    story.phase("app", Phase::Initialized).await?;
    story.target("app").serving("1", PATIENCE).await?;
    Ok(story)
}

async fn ask(story: &Story<'_>, request: &str) -> anyhow::Result<()> {
    story.edit_canary("app", json!({"metadata": {"annotations": {"serin.dev/request": request}}})).await
}

async fn answered(story: &Story<'_>, id: &str, answer: Answer, words: &str) -> anyhow::Result<()> {
    let told = |c: &Canary| {
        let request = c.status.as_ref().and_then(|s| s.request.as_ref());
        request.is_some_and(|r| r.id == id && r.answer == answer && r.message.contains(words))
    };
    story.canary_that("app", told).await.with_context(|| format!("the answer to {id}")).map(drop)
}

async fn ready_are(story: &Story<'_>, service: &str, wanted: (usize, usize)) -> anyhow::Result<()> {
    endpoints::ready_are(story, "app", service, wanted).await
}

async fn weighs(story: &Story<'_>, weight: i32) -> anyhow::Result<()> {
    let confirmed = |c: &Canary| {
        let step = c.status.as_ref().and_then(|s| s.step.as_ref());
        step.is_some_and(|s| s.weight == weight && s.confirmed.is_some())
    };
    story.canary_that("app", confirmed).await.with_context(|| format!("waiting for {weight} %")).map(drop)
}

/// No request was lost, and the target has no pods left.
async fn over(story: &Story<'_>, load: LoadHandle) -> anyhow::Result<()> {
    ensure!(story.replicas("app").await? == Some(0), "the target keeps its pods");
    unharmed(load).await
}

async fn unharmed(load: LoadHandle) -> anyhow::Result<()> {
    let window = load.stop().await;
    ensure!(window.requests > 0 && window.lost() == 0, "requests lost: {:?}", window.failures);
    Ok(())
}

fn switched(promotion: &Value) -> Value {
    json!({"iterations": 1, "promotion": promotion})
}

async fn S2_6_blue_green_waits_and_switches_once(shared: &Shared) -> anyhow::Result<()> {
    let analysis = switched(&json!({"mode": "manual", "switch": true}));
    let story = plain(shared, "switched", 4, analysis).await?;
    let (load, path) = (LoadHandle::start(&story.target("app"), 300.0, 4), story.follow("app"));
    ask(&story, "promote/early").await?;
    answered(&story, "early", Answer::Refused, "nothing waits").await?;
    story.set_image("app", "app:2").await?;
    weighs(&story, 0).await?;
    pace(&story).await?;
    story.phase("app", Phase::WaitingPromotion).await?;
    story
        .event("app", "kubectl -n switched annotate canary app --overwrite serin.dev/request=promote/")
        .await?;
    ready_are(&story, "app", (4, 0)).await?;
    ready_are(&story, "app-canary", (0, 4)).await?;
    ask(&story, r#"{"id":"stale","verb":"promote","revision":"00000000"}"#).await?;
    answered(&story, "stale", Answer::Refused, "on trial").await?;
    ask(&story, "pray/1").await?;
    answered(&story, "1", Answer::Refused, "there is promote").await?;
    story.event("app", "Request 1 is refused").await?;
    load.reset();
    let users = load.requests(1000, PATIENCE).await?;
    ensure!(users.versions.keys().all(|v| v == "1"), "somebody got another version while it waits");

    ask(&story, "promote/now").await?;
    story.phase("app", Phase::Succeeded).await?;
    answered(&story, "now", Answer::Accepted, "").await?;
    ensure!(path.taken().iter().any(|p| p.1 == 100), "nobody was switched: {:?}", path.taken());
    ready_are(&story, "app", (4, 0)).await?;
    let so_far = load.snapshot().requests;
    let window = load.requests(so_far + 500, PATIENCE).await?;
    let (old, new) = (&window.versions["1"], &window.versions["2"]);
    // except requests that were in progress
    let interleaved = old.last.saturating_duration_since(new.first);
    ensure!(interleaved < Duration::from_secs(1), "old and new answered side by side for {interleaved:?}");
    over(&story, load).await
}

async fn S2_6_set_back_users_notice_nothing(shared: &Shared) -> anyhow::Result<()> {
    let story =
        plain(shared, "switch-set-back", 2, switched(&json!({"mode": "manual", "switch": true}))).await?;
    let load = LoadHandle::start(&story.target("app"), 200.0, 2);
    story.set_image("app", "app:2").await?;
    weighs(&story, 0).await?;
    pace(&story).await?;
    story.phase("app", Phase::WaitingPromotion).await?;
    story.set_image("app", "app:1").await?;
    story.phase("app", Phase::Succeeded).await?;
    let users = load.snapshot();
    ensure!(users.versions.keys().all(|v| v == "1"), "{:?}", users.versions);
    over(&story, load).await
}

async fn a_switch_goes_back_when_it_does_badly(shared: &Shared) -> anyhow::Result<()> {
    let story = plain(shared, "switch-bad", 2, switched(&json!({"switch": true, "after": "1s"}))).await?;
    let load = LoadHandle::start(&story.target("app"), 200.0, 2);
    story.set_image("app", "app:2").await?;
    weighs(&story, 0).await?;
    story.edit_canary("app", json!({"spec": {"analysis": {"interval": "3s"}}})).await?;
    weighs(&story, 100).await?;
    shared.bed.scripted().traffic("switch-bad", "app", Traffic::success(10.0, 50.0));
    load.first_answer("2", PATIENCE).await?;
    story.phase("app", Phase::Failed).await?;
    ensure!(story.selector("app").await? == json!({"app": "app-primary"}));
    story.target("app").serving("1", PATIENCE).await?;
    over(&story, load).await
}

async fn deleted_while_switched_users_notice_nothing(shared: &Shared) -> anyhow::Result<()> {
    let story = plain(shared, "switch-deleted", 2, switched(&json!({"switch": true}))).await?;
    let load = LoadHandle::start(&story.target("app"), 200.0, 2);
    story.set_image("app", "app:2").await?;
    weighs(&story, 0).await?;
    story.edit_canary("app", json!({"spec": {"analysis": {"interval": "3s"}}})).await?;
    weighs(&story, 100).await?;
    story.delete_canary("app").await?;
    story.target("app").serving("2", PATIENCE).await?;
    ensure!(story.selector("app").await? == json!({"app": "app"}));
    ensure!(story.replicas("app").await? == Some(2) && story.replicas("app-primary").await?.is_none());
    unharmed(load).await
}

async fn a_weighted_run_waits_for_its_promotion(shared: &Shared) -> anyhow::Result<()> {
    shared.bed.scripted().traffic("waits", "app", Traffic::success(100.0, 50.0));
    let story = Story::new(&shared.bed, "waits").await?;
    let manual = |c: &mut Value| c["spec"]["analysis"]["promotion"] = json!({"mode": "manual"});
    story.initialised("app", manual).await?;
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::WaitingPromotion).await?;
    ensure!(story.weight("app").await? == Some(50));
    // two at once: the second has nothing left to do
    ask(&story, r#"{"id":"a","verb":"promote","by":"ann"}"#).await?;
    answered(&story, "a", Answer::Accepted, "ann").await?;
    ask(&story, "promote/b").await?;
    answered(&story, "b", Answer::Refused, "nothing waits").await?;
    story.phase("app", Phase::Succeeded).await?;
    story.target("app").serving("2", PATIENCE).await
}

fn shares(weights: &[i32]) -> Value {
    let steps: Vec<Value> = weights.iter().map(|w| json!({"weight": w})).collect();
    json!({"steps": steps})
}

async fn S2_1_automatic_by_pod_share(shared: &Shared) -> anyhow::Result<()> {
    let story = plain(shared, "shared", 10, shares(&[20, 40, 60, 80])).await?;
    let load = LoadHandle::start(&story.target("app"), 300.0, 4);
    story.set_image("app", "app:2").await?;
    weighs(&story, 20).await?;
    ready_are(&story, "app", (8, 2)).await?;
    load.first_answer("2", PATIENCE).await?;
    load.reset();
    let share = load.requests(1000, PATIENCE).await?.share("2");
    ensure!((share - 0.2).abs() < 0.05, "version 2 gave {share:.3} of the answers");

    let seen = Arc::new(Mutex::new(Vec::new()));
    let (sink, slices, deployments) = (seen.clone(), story.api::<EndpointSlice>(), story.api::<Deployment>());
    let watching = tokio::spawn(async move {
        loop {
            let asked = async |name: &str| {
                let of = deployments.get_opt(name).await.ok().flatten();
                of.and_then(|d| d.spec.replicas).unwrap_or(0)
            };
            let pods = asked("app-primary").await + asked("app").await;
            let Ok(counts) = endpoints::ready(&slices, "app", "app").await else { continue };
            sink.lock().await.push((counts, pods));
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    });
    story.edit_canary("app", json!({"spec": {"analysis": {"interval": "3s"}}})).await?;
    weighs(&story, 80).await?;
    ready_are(&story, "app", (2, 8)).await?;
    let stepped = seen.lock().await.clone();
    let most = stepped.iter().map(|(_, pods)| *pods).max();
    ensure!(most <= Some(13), "{most:?} pods while the steps run");
    story.phase("app", Phase::Succeeded).await?;
    watching.abort();
    let all = seen.lock().await.clone();
    let least = all.iter().map(|((old, new), _)| old + new).min();
    ensure!(least >= Some(8), "{least:?} ready pods: {all:?}");
    let peak = all.iter().map(|(_, pods)| *pods).max();
    ensure!(peak == Some(18), "{peak:?} pods are asked for at most, in the promotion");
    let order: Vec<_> = all.iter().map(|(counts, _)| *counts).collect();
    let mut at = 0;
    for wanted in [(6, 4), (4, 6), (2, 8)] {
        let found = order[at..].iter().position(|c| *c == wanted);
        at += found.with_context(|| format!("{wanted:?} is not among {order:?}"))?;
    }
    ensure!(story.replicas("app-primary").await? == Some(10));
    ready_are(&story, "app", (10, 0)).await?;
    story.target("app").serving("2", PATIENCE).await?;
    over(&story, load).await
}

async fn shares_go_back_when_they_do_badly(shared: &Shared) -> anyhow::Result<()> {
    let story = plain(shared, "shares-bad", 5, shares(&[80])).await?;
    let load = LoadHandle::start(&story.target("app"), 200.0, 2);
    // long before the first window ends
    shared.bed.scripted().traffic("shares-bad", "app", Traffic::success(10.0, 50.0));
    story.set_image("app", "app:2").await?;
    weighs(&story, 80).await?;
    ready_are(&story, "app", (1, 4)).await?;
    pace(&story).await?;
    story.phase("app", Phase::Failed).await?;
    ensure!(story.replicas("app-primary").await? == Some(5));
    ready_are(&story, "app", (5, 0)).await?;
    story.target("app").serving("1", PATIENCE).await?;
    over(&story, load).await
}

async fn deleted_while_shared_users_notice_nothing(shared: &Shared) -> anyhow::Result<()> {
    let story = plain(shared, "shares-deleted", 4, shares(&[50])).await?;
    let load = LoadHandle::start(&story.target("app"), 200.0, 2);
    story.set_image("app", "app:2").await?;
    weighs(&story, 50).await?;
    story.delete_canary("app").await?;
    ensure!(story.replicas("app").await? == Some(4) && story.replicas("app-primary").await?.is_none());
    story.target("app").serving("2", PATIENCE).await?;
    unharmed(load).await
}

async fn what_cannot_be_shared_is_refused(shared: &Shared) -> anyhow::Result<()> {
    let story = plain(shared, "shares-refused", 3, shares(&[10])).await?;
    stands(&story, "app", "Advisory", "True", "Advisory", &["10 % becomes 33 %", "of 3"]).await?;
    let analysis = |analysis: Value| json!({"spec": {"analysis": analysis}});
    for (edit, words, mend) in [
        (
            json!({"spec": {"autoscalerRef": {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "app"}}}),
            ["spec.autoscalerRef", "replicas"],
            json!({"spec": {"autoscalerRef": null}}),
        ),
        (
            analysis(json!({"steps": [{"weight": 100}]})),
            ["spec.analysis.steps", "100"],
            analysis(shares(&[10])),
        ),
        (
            analysis(json!({"promotion": {"mode": "manual", "after": "1m"}})),
            ["spec.analysis.promotion.after", "leave one of the two out"],
            analysis(json!({"promotion": null})),
        ),
        (
            analysis(json!({"promotion": {"switch": true}})),
            ["spec.analysis.promotion.switch", "iterations"],
            analysis(json!({"promotion": null})),
        ),
    ] {
        story.edit_canary("app", edit).await?;
        refused(&story, "app", "InvalidSpec", &words).await?;
        story.edit_canary("app", mend).await?;
        accepted(&story, "app").await?;
    }
    // also not with pods that something else scales
    let hpa = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "other"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"}, "maxReplicas": 4},
    });
    story.apply(vec![hpa]).await?;
    let words = ["HorizontalPodAutoscaler other scales app", "spec.analysis.iterations"];
    refused(&story, "app", "InvalidSpec", &words).await?;
    story.api::<HorizontalPodAutoscaler>().delete("other", &DeleteParams::default()).await?;
    accepted(&story, "app").await?;
    // a revision whose pods have no suitable label is not shared
    let bare = json!({"spec": {"template": {"metadata": {"labels": {BY_NAME: "other"}}}}});
    story.api::<Deployment>().patch("app", &PatchParams::default(), &Patch::Strategic(bare)).await?;
    refused(&story, "app", "NoSharedLabel", &["deployment app", "spec.template.metadata.labels", BY_NAME])
        .await?;
    ensure!(story.selector("app").await? == json!({"app": "app-primary"}));
    story.set_image("app", "app:2").await?;
    let labelled = json!({"spec": {"template": {"metadata": {"labels": {BY_NAME: "app"}}}}});
    story.api::<Deployment>().patch("app", &PatchParams::default(), &Patch::Strategic(labelled)).await?;
    accepted(&story, "app").await?;
    weighs(&story, 33).await?;
    pace(&story).await?;
    story.phase("app", Phase::Succeeded).await.map(drop)
}

async fn pods_stay_as_long_as_they_should(shared: &Shared) -> anyhow::Result<()> {
    shared.bed.scripted().traffic("lingers", "app", Traffic::success(100.0, 50.0));
    let story = Story::new(&shared.bed, "lingers").await?;
    story.initialised("app", |c| c["spec"]["canaryScaleDownDelay"] = json!("60m")).await?;
    story.target("app").serving("1", PATIENCE).await?;
    let load = LoadHandle::start(&story.target("app"), 200.0, 2);
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Finalising).await?;
    story.target("app").serving("2", PATIENCE).await?;
    ensure!(story.weight("app").await? == Some(0) && story.replicas("app").await? == Some(2));
    // a new revision does not have to wait for that
    story.set_image("app", "app:3").await?;
    story.event("app", "New revision detected! Scaling up").await?;
    let run = story.phase("app", Phase::Progressing).await?;
    ensure!(run.status.is_some_and(|s| s.last_promoted_spec.is_some()));
    story.phase("app", Phase::Finalising).await?;
    story.target("app").serving("3", PATIENCE).await?;
    story.edit_canary("app", json!({"spec": {"canaryScaleDownDelay": null}})).await?;
    story.phase("app", Phase::Succeeded).await?;
    over(&story, load).await
}
