//! Gates that nobody opens in time, the people who are notified with the commands to use, and gates that survive a
//! restart of the operator.

use anyhow::{Context, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use serin::api::{Canary, CanaryStatus, Phase, RunPhase};
use serin_bed::{
    Traffic,
    hooks::Receiver,
    operator::Operator,
    story::{PATIENCE, Story},
    wait,
};

use crate::{Family, Shared, history, story};

pub(crate) const STORIES: Family = &[
    story!(a_gate_that_nobody_opens_is_told_again_and_ends_the_run),
    story!(the_command_in_an_alert_opens_the_gate_and_the_next_one_has_its_own),
    story!(a_revision_that_nobody_lets_begin_is_left),
];

pub(crate) const ALONE: Family = &[story!(a_gate_outlives_the_operator)];

const ALERTS: &str = "/alerts";

/// A Canary of the mesh with good metrics, and with these fields of the analysis instead of weights. It sends warnings
/// to `people`.
async fn gated<'a>(
    shared: &'a Shared,
    namespace: &str,
    people: &Receiver,
    fields: Value,
) -> anyhow::Result<Story<'a>> {
    let story = Story::new(&shared.bed, namespace).await?;
    shared.bed.scripted().traffic(namespace, "app", Traffic::success(100.0, 50.0));
    let provider = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "AlertProvider", "metadata": {"name": "people"},
        "spec": {"type": "webhook", "address": people.url(ALERTS)},
    });
    story.apply(vec![provider]).await?;
    let edit = |c: &mut Value| {
        let analysis = &mut c["spec"]["analysis"];
        if let Some(analysis) = analysis.as_object_mut() {
            analysis.retain(|field, _| field != "stepWeight" && field != "maxWeight");
        }
        for (field, value) in fields.as_object().into_iter().flatten() {
            analysis[field] = value.clone();
        }
        analysis["alerts"] =
            json!([{"name": "people", "severity": "warn", "providerRef": {"name": "people"}}]);
    };
    story.initialised("app", edit).await?;
    Ok(story)
}

async fn ask(story: &Story<'_>, request: &str) -> anyhow::Result<()> {
    story.edit_canary("app", json!({"metadata": {"annotations": {"serin.dev/request": request}}})).await
}

/// Severity, reason and words of the alerts about gates so far.
fn alerts(people: &Receiver) -> Vec<(String, String, String)> {
    let text = |body: &Value, field: &str| body["data"][field].as_str().unwrap_or_default().to_owned();
    let of = |body: &Value| (text(body, "severity"), text(body, "reason"), text(body, "message"));
    let about = |reason: &str| reason.contains("Waiting") || reason == "GateDeadlinePassed";
    people.received(ALERTS).iter().map(of).filter(|(_, reason, _)| about(reason)).collect()
}

/// Waits for this many alerts.
async fn told(people: &Receiver, count: usize) -> anyhow::Result<Vec<(String, String, String)>> {
    let enough = async || Some(alerts(people)).filter(|all| all.len() >= count);
    wait::until(&format!("{count} alerts about gates"), PATIENCE, enough).await
}

fn status(canary: &Canary) -> CanaryStatus {
    canary.status.clone().unwrap_or_default()
}

async fn a_gate_that_nobody_opens_is_told_again_and_ends_the_run(shared: &Shared) -> anyhow::Result<()> {
    let people = Receiver::start().await?;
    let gate = json!({"name": "qa", "deadline": "20s", "remindAfter": "5s"});
    let steps = json!({"steps": [{"weight": 20, "gate": gate}, {"weight": 50}]});
    let story = gated(shared, "gate-late", &people, steps).await?;
    story.set_image("app", "app:2").await?;
    let waits = story.condition("app", "Paused", "True", "approval of gate qa at step 1, weight 20").await?;
    ensure!(status(&waits).phase == Some(Phase::Waiting), "{:?}", waits.status);
    let failed = story.phase("app", Phase::Failed).await?;
    ensure!(story.weight("app").await? == Some(0), "weight");
    ensure!(story.replicas("app").await? == Some(0), "replicas");
    let command =
        "kubectl -n gate-late annotate canary app --overwrite serin.dev/request=approve/run-2-step-1";
    let late = "timed out after 20 s waiting for gate qa at step 1, weight 20: rolling back";
    let expected = [
        ("warn", "WaitingForApproval", format!("Canary is waiting for approval. To go on: {command}")),
        (
            "warn",
            "StillWaiting",
            format!(
                "app.gate-late has waited for 5 s: approval of gate qa at step 1, weight 20 until asked: {command}"
            ),
        ),
        ("error", "GateDeadlinePassed", format!("app.gate-late {late}")),
    ];
    let expected = expected.map(|(severity, reason, text)| (severity.to_owned(), reason.to_owned(), text));
    let all = told(&people, expected.len()).await?;
    ensure!(all == expected, "{all:#?}");
    for words in ["Halt app.gate-late advancement waiting for", "has waited for 5 s", late] {
        story.event("app", words).await?;
    }
    let end = status(&failed);
    ensure!(end.conditions.iter().all(|c| c.type_ != "Paused"), "{:?}", end.conditions);
    let last = end.last_run.context("no last run")?;
    ensure!(
        (last.outcome, last.reason.as_str(), last.message.as_str())
            == (RunPhase::RolledBack, "GateDeadlinePassed", late),
        "{last:?}"
    );
    Ok(())
}

async fn the_command_in_an_alert_opens_the_gate_and_the_next_one_has_its_own(
    shared: &Shared,
) -> anyhow::Result<()> {
    let people = Receiver::start().await?;
    let fields = json!({
        "steps": [{"weight": 20, "gate": {"name": "one"}}, {"weight": 50, "gate": {"name": "two"}}, {"weight": 60}],
        "promotion": {"gate": {"deadline": "5s", "onDeadline": "proceed", "remindAfter": "60m"}},
    });
    let story = gated(shared, "gate-command", &people, fields).await?;
    story.set_image("app", "app:2").await?;
    for (count, gate) in [(1, "gate one at step 1"), (2, "gate two at step 2")] {
        story.condition("app", "Paused", "True", gate).await?;
        let (_, reason, text) = told(&people, count).await?.swap_remove(count - 1);
        ensure!(reason == "WaitingForApproval", "{reason}: {text}");
        let (_, command) = text.split_once("To go on: kubectl ").context("an alert without a command")?;
        let words: Vec<&str> = command.split(' ').collect();
        history::kubectl(shared, &story, &words).await?;
    }
    story.phase("app", Phase::Succeeded).await?;
    story.target("app").serving("2", PATIENCE).await?;
    let late = "timed out after 5 s waiting for the gate before the promotion: the run continues";
    story.event("app", late).await?;
    let all = told(&people, 4).await?;
    let reasons: Vec<&str> = all.iter().map(|(_, reason, _)| reason.as_str()).collect();
    let expected = ["WaitingForApproval", "WaitingForApproval", "WaitingForPromotion", "GateDeadlinePassed"];
    ensure!(reasons == expected, "{all:#?}");
    ensure!(all[3].0 == "warn" && all[3].2.ends_with(late), "{:?}", all[3]);
    ensure!(all[2].2.contains("serin.dev/request=promote/run-2"), "{:?}", all[2]);
    Ok(())
}

async fn a_revision_that_nobody_lets_begin_is_left(shared: &Shared) -> anyhow::Result<()> {
    let people = Receiver::start().await?;
    let fields =
        json!({"startGate": {"name": "board", "deadline": "5s", "remindAfter": "60m"}, "stepWeight": 50});
    let story = gated(shared, "gate-start", &people, fields).await?;
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Waiting).await?;
    ensure!(story.replicas("app").await? == Some(0), "pods before it may begin");
    // no run has started, so no run has failed
    story.condition("app", "Promoted", "False", "did not start a run").await?;
    story.phase("app", Phase::Initialized).await?;
    story
        .event("app", "timed out after 5 s waiting for gate board before the run: the run does not start")
        .await?;
    story.event("app", "Rollout of app.gate-start was not started").await?;
    ensure!(story.replicas("app").await? == Some(0), "pods of a revision that did not start a run");
    let all = told(&people, 2).await?;
    ensure!(all[1].0 == "error" && all[1].1 == "GateDeadlinePassed", "{all:#?}");
    // the next gate asks again
    story.edit_canary("app", json!({"spec": {"analysis": {"startGate": {"deadline": "60m"}}}})).await?;
    story.set_image("app", "app:3").await?;
    story.phase("app", Phase::Waiting).await?;
    let canary = story.condition("app", "Paused", "True", "approve/start-").await?;
    let paused = status(&canary).conditions.into_iter().find(|c| c.type_ == "Paused").context("Paused")?;
    let request = paused.message.rsplit_once("serin.dev/request=").context("a command")?.1.to_owned();
    ask(&story, &request).await?;
    story.phase("app", Phase::Succeeded).await?;
    story.target("app").serving("3", PATIENCE).await
}

async fn alive(operator: &mut Operator) -> anyhow::Result<()> {
    operator.restart().await?;
    operator.ready(PATIENCE).await
}

/// Its deadline is long enough for a restart on a slow machine, and passes while the operator is down: if it started
/// again, the reminder would come first.
async fn a_gate_outlives_the_operator(shared: &Shared) -> anyhow::Result<()> {
    const DEADLINE: SignedDuration = SignedDuration::from_secs(45);
    shared.operator.lock().await.kill9().await?;
    let mut operator = Operator::start(&shared.bed, &["--namespace=gate-life"], &[])?;
    operator.ready(PATIENCE).await?;
    let people = Receiver::start().await?;
    let two = json!({"name": "two", "deadline": "45s", "remindAfter": "40s"});
    let steps = json!({"steps": [{"weight": 20, "gate": {"name": "one"}}, {"weight": 50, "gate": two}]});
    let story = gated(shared, "gate-life", &people, steps).await?;
    story.set_image("app", "app:2").await?;
    story.condition("app", "Paused", "True", "gate one at step 1").await?;
    operator.kill9().await?;
    ask(&story, "approve/once").await?;
    alive(&mut operator).await?;
    let waits = status(&story.condition("app", "Paused", "True", "gate two at step 2").await?);
    ensure!(waits.request.as_ref().is_some_and(|r| r.id == "once"), "{:?}", waits.request);

    operator.kill9().await?;
    let checked = |c: &Canary| status(c).step.and_then(|step| step.checked).map(|at| at.0);
    let before = checked(&story.api::<Canary>().get("app").await?);
    alive(&mut operator).await?;
    // the restarted operator has checked, measured, and continues to wait
    let still = status(&story.canary_that("app", |c| checked(c) > before).await?);
    ensure!(
        (still.phase, still.step.as_ref().map(|s| s.index)) == (Some(Phase::Waiting), Some(2)),
        "an approval was used twice: {still:?}"
    );
    ensure!(still.waiting == waits.waiting, "it waits again from the beginning: {still:?}");

    operator.kill9().await?;
    let since = waits.waiting.context("since when it waits")?.since.0;
    let left = since.checked_add(DEADLINE)?.duration_since(Timestamp::now());
    tokio::time::sleep(left.try_into().unwrap_or_default()).await;
    alive(&mut operator).await?;
    let failed = status(&story.phase("app", Phase::Failed).await?);
    let last = failed.last_run.context("no last run")?;
    ensure!(last.reason == "GateDeadlinePassed", "{last:?}");
    let events = story.events("app").await?;
    ensure!(
        !events.iter().any(|note| note.contains("has waited for")),
        "the deadline began anew: {events:#?}"
    );
    ensure!(story.weight("app").await? == Some(0), "weight");
    operator.kill9().await
}
