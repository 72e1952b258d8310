//! Webhooks and gates on real parts: the requests and answers of a receiver, and the effect on the run.

use anyhow::{Context, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::ListParams};
use serde_json::{Value, json};
use serin::api::{Phase, RunPhase};
use serin_bed::{
    Traffic,
    hooks::{Answer, Receiver},
    kubelet::{Behaviour, Selector},
    load::LoadHandle,
    story::{PATIENCE, Story, by_traffic},
    wait,
};
use std::time::Duration;

use crate::{Family, Shared, bad_common::ends_well, history, story};

pub(crate) const STORIES: Family = &[
    story!(s1_3_errors_abort_and_the_primary_is_untouched),
    story!(s1_8_a_version_that_only_fails_is_rolled_back),
    story!(f58_a_verdict_does_not_wait_for_webhooks_that_hang),
    story!(f59_hostile_answers_are_failed_checks_and_nothing_more),
    story!(f60_gates_close_again_and_late_answers_are_ignored),
    story!(f61_a_rollback_webhook_needs_one_yes),
    story!(a_new_revision_is_noticed_while_a_webhook_takes_long),
    story!(a_call_without_an_answer_is_made_again_as_the_same),
    story!(a_revision_waits_until_it_may_begin),
    story!(a_gated_step_is_left_when_asked_and_aborted_when_asked),
];

/// A Canary of the mesh with these webhooks and good metrics.
async fn hooked<'a>(
    shared: &'a Shared,
    namespace: &str,
    hooks: Value,
    edit: impl FnOnce(&mut Value),
) -> anyhow::Result<Story<'a>> {
    let story = Story::new(&shared.bed, namespace).await?;
    shared.bed.scripted().traffic(namespace, "app", Traffic::success(100.0, 50.0));
    let edit = |c: &mut Value| {
        c["spec"]["analysis"]["webhooks"] = hooks;
        edit(c);
    };
    story.initialised("app", edit).await?;
    Ok(story)
}

/// Removes the weight fields. Other kinds of steps take effect only without them.
fn unweighted(analysis: &mut Value) {
    if let Some(analysis) = analysis.as_object_mut() {
        analysis.retain(|field, _| field != "stepWeight" && field != "maxWeight");
    }
}

/// Waits until a path has been called this often.
async fn called(receiver: &Receiver, path: &str, times: usize) -> anyhow::Result<()> {
    let often = async || (receiver.received(path).len() >= times).then_some(());
    wait::until(&format!("{times} calls of {path}"), PATIENCE, often).await
}

async fn ask(story: &Story<'_>, request: &str) -> anyhow::Result<()> {
    story.edit_canary("app", json!({"metadata": {"annotations": {"serin.dev/request": request}}})).await
}

/// Name, uid and restarts of the primary's pods.
async fn primary_pods(story: &Story<'_>) -> anyhow::Result<Vec<(String, String)>> {
    let api: Api<Pod> = story.api();
    let pods = api.list(&ListParams::default().labels("app=app-primary")).await?;
    let of = |pod: Pod| (pod.metadata.name.unwrap_or_default(), pod.metadata.uid.unwrap_or_default());
    let mut pods: Vec<_> = pods.into_iter().map(of).collect();
    pods.sort();
    Ok(pods)
}

async fn s1_3_errors_abort_and_the_primary_is_untouched(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "s1-3").await?;
    let steps = json!([{"weight": 25, "gate": {"name": "qa"}}, {"weight": 50, "hold": "60m"}]);
    let edit = |c: &mut Value| {
        let analysis = &mut c["spec"]["analysis"];
        (analysis["steps"], analysis["threshold"]) = (steps, json!(10));
        unweighted(analysis);
        by_traffic(c);
    };
    story.initialised("app", edit).await?;
    story.target("app").serving("1", PATIENCE).await?;
    let before = primary_pods(&story).await?;
    let load = LoadHandle::start(&story.target("app"), 200.0, 4);
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Waiting).await?;
    story.condition("app", "Paused", "True", "gate qa at step 1, weight 25").await?;
    ask(&story, "approve/1").await?;
    story.canary_that("app", |c| c.status.as_ref().is_some_and(|s| s.canary_weight == 50)).await?;
    shared.bed.kubelet()?.set(
        Selector::image("app:2").in_namespace("s1-3"),
        Behaviour { error_rate: Some(1.0), ..Default::default() },
    );
    let failed = story.phase("app", Phase::Failed).await?;
    load.stop().await;
    let halted = failed.status.iter().flat_map(|s| &s.conditions).find(|c| c.type_ == "Halted");
    let text = halted.map(|c| c.message.clone()).unwrap_or_default();
    ensure!(
        text.starts_with("failed checks 10/10: ") && text.contains("success rate") && text.contains("< 99%"),
        "{text}"
    );
    ensure!(story.weight("app").await? == Some(0), "weight");
    ensure!(story.replicas("app").await? == Some(0), "replicas");
    ensure!(primary_pods(&story).await? == before, "the primary's pods are others");
    Ok(())
}

async fn s1_8_a_version_that_only_fails_is_rolled_back(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "s1-8").await?;
    story.initialised("app", by_traffic).await?;
    story.target("app").serving("1", PATIENCE).await?;
    shared.bed.kubelet()?.set(
        Selector::image("app:2").in_namespace("s1-8"),
        Behaviour { error_rate: Some(1.0), ..Default::default() },
    );
    let load = LoadHandle::start(&story.target("app"), 200.0, 4);
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Failed).await?;
    load.stop().await;
    // all answers were 500: this is 0 % success, not missing data
    story.event("app", "Halt app.s1-8 advancement success rate 0.00% < 99%").await
}

async fn f58_a_verdict_does_not_wait_for_webhooks_that_hang(shared: &Shared) -> anyhow::Result<()> {
    let receiver = Receiver::start().await?;
    receiver.behave("/load", Answer::Hangs);
    receiver.answer("/back", 403, "");
    let hooks = json!([
        {"name": "load", "url": receiver.url("/load"), "timeout": "60m"},
        {"name": "back", "type": "rollback", "url": receiver.url("/back"), "timeout": "60m"},
    ]);
    let story = hooked(shared, "hooks-hang", hooks, |_| {}).await?;
    story.set_image("app", "app:2").await?;
    called(&receiver, "/load", 1).await?;
    let polls = receiver.received("/back").len();
    receiver.behave("/back", Answer::Hangs);
    called(&receiver, "/back", polls + 1).await?;
    shared.bed.scripted().traffic("hooks-hang", "app", Traffic::success(10.0, 50.0));
    story.phase("app", Phase::Failed).await?;
    ensure!(story.weight("app").await? == Some(0), "weight");
    ensure!(receiver.received("/load").len() == 1, "called again while it was being waited for");
    Ok(())
}

async fn f59_hostile_answers_are_failed_checks_and_nothing_more(shared: &Shared) -> anyhow::Result<()> {
    const MARKER: &str = "s3cr3t-marker";
    let receiver = Receiver::start().await?;
    let hook = json!([{"name": "check", "url": receiver.url("/check"), "timeout": "2s"}]);
    let threshold = |c: &mut Value| c["spec"]["analysis"]["threshold"] = json!(2);
    let story = hooked(shared, "hooks-hostile", hook, threshold).await?;
    let quoted = format!("{MARKER} {}", "x".repeat(5000));
    let cases = [
        (Answer::Hangs, "giving up after 1 attempt(s): no answer within 2 s"),
        (Answer::Drips(200), "no answer within 2 s"),
        (Answer::Redirects(receiver.url("/elsewhere")), "external check check failed status 302"),
        (Answer::Floods(500), "giving up after 1 attempt(s): status 500: xxx"),
        (Answer::Says(403, quoted), MARKER),
    ];
    for (index, (answer, words)) in cases.into_iter().enumerate() {
        receiver.behave("/check", answer);
        story.set_image("app", &format!("app:{}", index + 2)).await?;
        story.phase("app", Phase::Progressing).await?;
        let failed = story.phase("app", Phase::Failed).await.with_context(|| words.to_owned())?;
        story.event("app", words).await?;
        let status = serde_json::to_string(&failed.status)?;
        ensure!(!status.contains(MARKER) && !status.contains("xxx"), "status quotes the answer: {status}");
    }
    ensure!(receiver.received("/elsewhere").is_empty(), "a redirect was followed");
    let events = story.events("app").await?;
    ensure!(events.iter().all(|note| note.len() < 1200), "an answer was quoted at length");
    // an endless 200 still accepts
    receiver.behave("/check", Answer::Floods(200));
    story.set_image("app", "app:9").await?;
    ends_well_at(&story, "9").await
}

async fn ends_well_at(story: &Story<'_>, version: &str) -> anyhow::Result<()> {
    story.phase("app", Phase::Progressing).await?;
    story.phase("app", Phase::Succeeded).await?;
    story.target("app").serving(version, PATIENCE).await
}

async fn f60_gates_close_again_and_late_answers_are_ignored(shared: &Shared) -> anyhow::Result<()> {
    let receiver = Receiver::start().await?;
    receiver.answer("/up", 403, "closed");
    let hooks = json!([
        {"name": "up", "type": "confirm-traffic-increase", "url": receiver.url("/up"), "timeout": "60s"},
    ]);
    let story = hooked(shared, "hooks-gate", hooks, |_| {}).await?;
    story.set_image("app", "app:2").await?;
    story.condition("app", "Paused", "True", "waiting for traffic increase approval up").await?;
    called(&receiver, "/up", 4).await?;
    let shut = story.phase("app", Phase::Progressing).await?.metadata.resource_version;
    called(&receiver, "/up", 8).await?;
    let now = story.phase("app", Phase::Progressing).await?;
    ensure!(now.metadata.resource_version == shut, "polls of a shut gate write");
    // open for one step, and closed again
    receiver.answer("/up", 200, "");
    story.canary_that("app", |c| c.status.as_ref().is_some_and(|s| s.canary_weight == 25)).await?;
    // from now on the acceptance is late: the run is over before it arrives
    receiver.behave("/up", Answer::Late(200, Duration::from_secs(8)));
    let asked = receiver.received("/up").len();
    called(&receiver, "/up", asked + 1).await?;
    story.set_image("app", "app:1").await?;
    story.phase("app", Phase::Succeeded).await?;
    tokio::time::sleep(Duration::from_secs(9)).await;
    ensure!(story.weight("app").await? == Some(0), "a late answer raised the weight");
    story.target("app").serving("1", PATIENCE).await?;
    let ids: Vec<String> = receiver.all().into_iter().map(|posted| posted.id).collect();
    let mut unique = ids.clone();
    unique.sort();
    unique.dedup();
    ensure!(unique.len() == ids.len() && ids.iter().all(|id| id.split('/').count() == 4), "ids {ids:?}");
    Ok(())
}

async fn f61_a_rollback_webhook_needs_one_yes(shared: &Shared) -> anyhow::Result<()> {
    let receiver = Receiver::start().await?;
    receiver.answer("/back", 403, "");
    let hooks = json!([{"name": "back", "type": "rollback", "url": receiver.url("/back")}]);
    let slow = |c: &mut Value| c["spec"]["analysis"]["maxWeight"] = json!(100);
    let story = hooked(shared, "hooks-back", hooks, slow).await?;
    story.set_image("app", "app:2").await?;
    called(&receiver, "/back", 2).await?;
    let asked = receiver.received("/back").len();
    receiver.answer("/back", 200, "");
    called(&receiver, "/back", asked + 1).await?;
    receiver.answer("/back", 403, "");
    story.phase("app", Phase::Failed).await?;
    story.event("app", "Rolling back app.hooks-back manual webhook invoked").await?;
    ensure!(story.weight("app").await? == Some(0), "weight");
    ensure!(receiver.received("/back")[0]["phase"] == "Progressing", "payload");
    Ok(())
}

async fn a_new_revision_is_noticed_while_a_webhook_takes_long(shared: &Shared) -> anyhow::Result<()> {
    let receiver = Receiver::start().await?;
    receiver.behave("/pre", Answer::Hangs);
    let hooks = json!([
        {"name": "pre", "type": "pre-rollout", "url": receiver.url("/pre"), "timeout": "60m"},
        {"name": "post", "type": "post-rollout", "url": receiver.url("/post")},
    ]);
    let story = hooked(shared, "hooks-long", hooks, |_| {}).await?;
    story.set_image("app", "app:2").await?;
    called(&receiver, "/pre", 1).await?;
    story.set_image("app", "app:3").await?;
    story.event("app", "Restarting analysis for app.hooks-long").await?;
    called(&receiver, "/pre", 2).await?;
    // repaired during the call: the current spec counts, not the call in progress
    let instead = json!([{"name": "pre", "type": "pre-rollout", "url": receiver.url("/other")}]);
    story.edit_canary("app", json!({"spec": {"analysis": {"webhooks": instead}}})).await?;
    story.phase("app", Phase::Succeeded).await?;
    story.target("app").serving("3", PATIENCE).await
}

async fn a_call_without_an_answer_is_made_again_as_the_same(shared: &Shared) -> anyhow::Result<()> {
    let receiver = Receiver::start().await?;
    receiver.behave("/pre", Answer::Recovers(2));
    let hooks =
        json!([{"name": "pre", "type": "pre-rollout", "url": receiver.url("/pre?key=hush"), "retries": 3}]);
    let story = hooked(shared, "hooks-again", hooks, |_| {}).await?;
    story.set_image("app", "app:2").await?;
    ends_well_at(&story, "2").await?;
    let all = receiver.all();
    ensure!(all.len() == 3 && all.iter().all(|p| (&p.id, &p.body) == (&all[0].id, &all[0].body)), "{all:?}");
    let run = history::newest(&story, 1, "of the release", |s| s.phase == RunPhase::Promoted).await?;
    let record = run.status.unwrap_or_default();
    let call = record.hooks.first().context("no call in the record")?;
    ensure!(record.hooks.len() == 1 && record.failed_checks == 0, "{record:?}");
    ensure!(
        (call.outcome.as_str(), call.status, call.tries, &call.url)
            == ("Passed", Some(200), Some(3), &receiver.url("/pre")),
        "{call:?}"
    );
    Ok(())
}

async fn a_revision_waits_until_it_may_begin(shared: &Shared) -> anyhow::Result<()> {
    let receiver = Receiver::start().await?;
    receiver.answer("/start", 403, "change freeze");
    let hooks = json!([
        {"name": "start", "type": "confirm-rollout", "url": receiver.url("/start")},
        {"name": "post", "type": "post-rollout", "url": receiver.url("/post")},
    ]);
    let gate = |c: &mut Value| c["spec"]["analysis"]["startGate"] = json!({"name": "board"});
    let story = hooked(shared, "hooks-start", hooks, gate).await?;
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Waiting).await?;
    story.event("app", "Halt app.hooks-start advancement waiting for approval start").await?;
    ensure!(story.replicas("app").await? == Some(0), "pods before it may begin");
    receiver.answer("/start", 200, "");
    story.condition("app", "Paused", "True", "gate board before the run").await?;
    ask(&story, r#"{"id":"1","verb":"approve","gate":"board","by":"ann"}"#).await?;
    ends_well(&story).await?;
    story.event("app", "Post-rollout check post passed").await?;
    let told = receiver.received("/post");
    ensure!(told.len() == 1 && told[0]["phase"] == "Succeeded", "post-rollout: {told:?}");
    let run = history::newest(&story, 1, "of the release", |s| s.phase == RunPhase::Promoted).await?;
    let calls = run.status.map(|s| s.hooks).unwrap_or_default();
    let expected = [
        ("confirm-rollout", "Refused", 403, "/start"),
        ("confirm-rollout", "Passed", 200, "/start"),
        ("post-rollout", "Passed", 200, "/post"),
    ];
    let found: Vec<_> =
        calls.iter().map(|h| (h.type_.clone(), h.outcome.clone(), h.status, h.url.clone())).collect();
    let expected = expected.map(|(type_, outcome, status, path)| {
        (type_.to_owned(), outcome.to_owned(), Some(status), receiver.url(path))
    });
    ensure!(found == expected, "{calls:#?}");
    ensure!(calls.iter().all(|h| h.asked.is_some() && h.asked <= h.at), "{calls:#?}");
    Ok(())
}

async fn a_gated_step_is_left_when_asked_and_aborted_when_asked(shared: &Shared) -> anyhow::Result<()> {
    let steps =
        json!([{"weight": 20, "gate": {}}, {"weight": 60, "gate": {"name": "two", "deadline": "60m"}}]);
    let edit = |c: &mut Value| {
        let analysis = &mut c["spec"]["analysis"];
        analysis["steps"] = steps;
        unweighted(analysis);
    };
    let story = hooked(shared, "gates", json!([]), edit).await?;
    story.set_image("app", "app:2").await?;
    story.condition("app", "Paused", "True", "--overwrite serin.dev/request=approve/run-2-step-1").await?;
    ask(&story, "approve/run-2-step-1").await?;
    story.condition("app", "Paused", "True", "gate two at step 2, weight 60").await?;
    ask(&story, r#"{"id":"2","verb":"abort","by":"ann"}"#).await?;
    story.phase("app", Phase::Failed).await?;
    story.event("app", "Rolling back app.gates abort requested: asked for by ann").await?;
    ensure!(story.weight("app").await? == Some(0), "weight");
    Ok(())
}
