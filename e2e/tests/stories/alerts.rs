//! Alerts arrive at a real receiver in the formats of the services, and a missing receiver affects nothing else.

use anyhow::{Context, ensure};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};
use serin::api::Phase;
use serin_bed::{
    Traffic,
    badprom::{Badprom, Says},
    hooks::Receiver,
    story::{PATIENCE, Story},
    wait,
};

use crate::{
    Family, Shared,
    bad_common::{ends_well, held_at_25, pace, stands, untouched_at_25},
    story,
};

pub(crate) const STORIES: Family = &[
    story!(a_release_is_told_to_those_who_want_to_hear),
    story!(a_rollback_waits_for_no_receiver),
    story!(what_nobody_gets_is_said_on_the_canary),
    story!(a_run_that_is_frozen_is_told_once),
];

fn provider(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "flagger.app/v1beta1", "kind": "AlertProvider", "metadata": {"name": name}, "spec": spec})
}

fn alert(name: &str, severity: &str) -> Value {
    json!({"name": name, "severity": severity, "providerRef": {"name": name}})
}

/// The texts of alerts that Slack received.
fn texts(receiver: &Receiver, path: &str) -> Vec<String> {
    let text = |body: &Value| body["attachments"][0]["text"].as_str().unwrap_or_default().to_owned();
    receiver.received(path).iter().map(text).collect()
}

async fn a_release_is_told_to_those_who_want_to_hear(shared: &Shared) -> anyhow::Result<()> {
    let receiver = Receiver::start().await?;
    shared.bed.scripted().traffic("alerts", "app", Traffic::success(100.0, 50.0));
    let story = Story::new(&shared.bed, "alerts").await?;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "chat"},
        "stringData": {"address": receiver.url("/discord")}});
    let events = provider("events", &json!({"type": "webhook", "address": receiver.url("/events")}));
    let chat =
        provider("chat", &json!({"type": "discord", "channel": "releases", "secretRef": {"name": "chat"}}));
    let errors = provider("errors", &json!({"type": "slack", "address": receiver.url("/errors")}));
    story.apply(vec![secret, events, chat, errors]).await?;
    story
        .initialised("app", |canary| {
            canary["spec"]["analysis"]["alerts"] =
                json!([{"name": "events", "providerRef": {"name": "events"}}, alert("chat", "info"), alert("errors", "error")]);
        })
        .await?;
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Succeeded).await?;
    let expected = [
        "New Deployment detected, initialization completed.",
        "New revision detected, progressing canary analysis.",
        "Canary analysis completed successfully, promotion finished.",
    ];
    let told = async || texts(&receiver, "/discord/slack").contains(&expected[2].to_owned()).then_some(());
    wait::until("the last alert", PATIENCE, told).await?;
    // Alerts about slow pods depend on timing
    let without = |mut all: Vec<String>| {
        all.retain(|text| !text.contains("not ready"));
        all
    };
    let told = without(texts(&receiver, "/discord/slack"));
    ensure!(told == expected, "{told:?}");
    let posted = receiver.received("/discord/slack");
    let first = posted.iter().find(|body| body["attachments"][0]["text"] == expected[0]);
    let first = first.context("the first alert")?;
    let attachment = &first["attachments"][0];
    ensure!(first["channel"] == "releases" && attachment["author_name"] == "app.alerts", "{first}");
    ensure!(attachment["fields"][0]["value"] == "Deployment/app.alerts", "{first}");
    ensure!(receiver.received("/errors").is_empty(), "an alert below its severity was sent");

    let last = async || receiver.received("/events").into_iter().find(|e| e["subject"] == "Promoted");
    let event = wait::until("the event of the promotion", PATIENCE, last).await?;
    ensure!(event["specversion"] == "1.0" && event["data"]["phase"] == "Succeeded", "{event}");
    ensure!(event["source"] == "/apis/flagger.app/v1beta1/namespaces/alerts/canaries/app", "{event}");
    Ok(())
}

async fn a_rollback_waits_for_no_receiver(shared: &Shared) -> anyhow::Result<()> {
    let receiver = Receiver::start().await?;
    shared.bed.scripted().traffic("alerts-bad", "app", Traffic::success(0.0, 50.0));
    let story = Story::new(&shared.bed, "alerts-bad").await?;
    // the address has no listener
    let gone = provider("gone", &json!({"type": "msteams", "address": "http://10.244.255.77:81/"}));
    let errors = provider("errors", &json!({"type": "rocket", "address": receiver.url("/rocket")}));
    story.apply(vec![gone, errors]).await?;
    story
        .initialised("app", |canary| {
            canary["spec"]["analysis"]["alerts"] = json!([alert("gone", ""), alert("errors", "error")]);
        })
        .await?;
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Failed).await?;
    ensure!(story.weight("app").await? == Some(0), "the route is not back");
    let told = async || Some(texts(&receiver, "/rocket")).filter(|all| !all.is_empty());
    let told = wait::until("the alert of the rollback", PATIENCE, told).await?;
    ensure!(told == ["Failed checks threshold reached 3"], "{told:?}");
    let color = &receiver.received("/rocket")[0]["attachments"][0]["color"];
    ensure!(color == "#FF0000", "{color}");
    story.event("app", "An alert was not sent to AlertProvider alerts-bad/gone").await
}

async fn what_nobody_gets_is_said_on_the_canary(shared: &Shared) -> anyhow::Result<()> {
    let receiver = Receiver::start().await?;
    receiver.answer("/no", 404, "no_service");
    shared.bed.scripted().traffic("alerts-missing", "app", Traffic::success(100.0, 50.0));
    let story = Story::new(&shared.bed, "alerts-missing").await?;
    let empty = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "empty"}, "stringData": {"url": "x"}});
    let keyless = provider("keyless", &json!({"type": "slack", "secretRef": {"name": "empty"}}));
    let refusing = provider("refusing", &json!({"type": "slack", "address": receiver.url("/no")}));
    story.apply(vec![empty, keyless, refusing]).await?;
    story
        .initialised("app", |canary| {
            canary["spec"]["analysis"]["alerts"] =
                json!([alert("late", "info"), alert("keyless", "info"), alert("refusing", "info")]);
        })
        .await?;
    let missing = "there is no AlertProvider alerts-missing/late";
    story.condition("app", "Advisory", "True", missing).await?;
    story.event("app", "keyless: Secret empty has no key address: put the URL there").await?;
    story.event("app", "refusing: it answers 404 no_service").await?;

    // repairing the input is enough
    let late = provider("late", &json!({"type": "slack", "address": receiver.url("/late")}));
    story.apply(vec![late]).await?;
    let mended = |c: &serin::api::Canary| {
        let status = c.status.clone().unwrap_or_default();
        status.conditions.iter().all(|k| k.type_ != "Advisory")
    };
    story.canary_that("app", mended).await.context("waiting until the advice is gone")?;
    let secrets: Api<Secret> = story.api();
    let patch = json!({"stringData": {"address": receiver.url("/keyless")}});
    secrets.patch("empty", &PatchParams::default(), &Patch::Merge(patch)).await?;
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Succeeded).await?;
    for path in ["/late", "/keyless"] {
        let told =
            async || texts(&receiver, path).iter().any(|t| t.contains("promotion finished")).then_some(());
        wait::until(&format!("alerts at {path}"), PATIENCE, told).await?;
    }
    let events = story.events("app").await?;
    let said = events.iter().filter(|e| e.contains("it answers 404")).count();
    ensure!(said == 1, "said {said} times that an alert was refused");
    Ok(())
}

async fn a_run_that_is_frozen_is_told_once(shared: &Shared) -> anyhow::Result<()> {
    const NAMESPACE: &str = "alerts-frozen";
    let good = Says::Values(vec!["100", "100"]);
    let (receiver, server) = (Receiver::start().await?, Badprom::start(good.clone()).await?);
    let ops = provider("ops", &json!({"type": "webhook", "address": receiver.url("/ops")}));
    shared.bed.namespace(NAMESPACE).await?;
    shared.bed.apply(NAMESPACE, vec![ops]).await?;
    let url = server.url();
    let edit = |canary: &mut Value| {
        canary["spec"]["metricsServer"] = json!(url);
        canary["spec"]["analysis"]["alerts"] = json!([alert("ops", "warn")]);
    };
    let story = held_at_25(shared, NAMESPACE, edit).await?;
    server.say(Says::Html);
    pace(&story).await?;
    stands(&story, "app", "Frozen", "True", "MetricsUnavailable", &["Prometheus query failed", &url]).await?;
    let frozen = || -> Vec<Value> {
        let all = receiver.received("/ops").into_iter().map(|event| event["data"].clone());
        all.filter(|data| data["reason"] == "Frozen").collect()
    };
    let told = async || frozen().into_iter().next();
    let told = wait::until("the alert of the frozen run", PATIENCE, told).await?;
    let words = told["message"].as_str().unwrap_or_default();
    ensure!(
        words.starts_with("Metric query failed, the run holds its weight: ") && words.contains(&url),
        "{words}"
    );
    ensure!(told["severity"] == "warn" && told["canaryWeight"] == 25, "{told}");
    server.asked_more(4, PATIENCE).await?;
    untouched_at_25(&story).await?;
    server.say(good);
    ends_well(&story).await?;
    ensure!(frozen().len() == 1, "told {} times", frozen().len());
    Ok(())
}
