//! Records of runs for users: how the last releases ended, and why.
#![allow(clippy::print_stdout, reason = "what kubectl shows is for the reader of the test's output")]

use std::{process::Output, time::Duration};

use anyhow::{Context, ensure};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api,
    api::{DeleteParams, ListParams},
};
use serde_json::{Value, json};
use serin::{
    api::{CanaryRun, CanaryRunStatus, Phase, RunPhase},
    names::conditions,
};
use serin_bed::{
    Traffic, User,
    metrics_servers::MetricsServer,
    operator::Operator,
    story::{PATIENCE, Story},
    wait,
};
use tokio::process::Command;

use crate::{Family, Shared, story};

pub(crate) const STORIES: Family = &[
    story!(how_releases_ended_and_why_can_be_read),
    story!(a_newer_revision_takes_the_place_of_a_run),
    story!(so_many_records_are_kept_and_they_go_with_the_canary),
    story!(a_record_deleted_in_a_run_is_made_again),
    story!(s4_4_a_described_run_says_what_was_asked_and_what_came_of_it),
    story!(s4_5_one_template_asks_for_each_namespace_and_shows_no_secret),
];

pub(crate) const ALONE: Family = &[story!(a_record_goes_on_in_a_new_life)];

/// Removes the definition from the whole cluster.
pub(crate) const LAST: Family = &[story!(without_the_definition_runs_go_on_and_it_is_said)];

fn status(run: &CanaryRun) -> CanaryRunStatus {
    run.status.clone().unwrap_or_default()
}

/// The records of a Canary, oldest first.
async fn records(story: &Story<'_>) -> anyhow::Result<Vec<CanaryRun>> {
    let api: Api<CanaryRun> = story.api();
    let mut all = api.list(&ListParams::default()).await.context("list CanaryRuns")?.items;
    all.sort_by_key(|run| run.spec.number);
    Ok(all)
}

/// Waits until the newest of this many records is accepted by `accept`.
pub(crate) async fn newest(
    story: &Story<'_>,
    count: usize,
    what: &str,
    accept: impl Fn(&CanaryRunStatus) -> bool,
) -> anyhow::Result<CanaryRun> {
    let seen = async || {
        let mut all = records(story).await.ok().filter(|all| all.len() == count)?;
        all.pop().filter(|run| accept(&status(run)))
    };
    let found = wait::until(&format!("a record {what}"), PATIENCE, seen).await;
    match found {
        Ok(found) => Ok(found),
        Err(error) => {
            let all = records(story).await?;
            Err(error.context(format!("there are {}", serde_json::to_string_pretty(&all)?)))
        }
    }
}

pub(crate) async fn kubectl(
    shared: &Shared,
    story: &Story<'_>,
    arguments: &[&str],
) -> anyhow::Result<String> {
    let text = kubectl_quietly(shared, story, arguments).await?;
    println!("$ kubectl {}\n{text}", arguments.join(" "));
    Ok(text)
}

async fn kubectl_quietly(shared: &Shared, story: &Story<'_>, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new("sh");
    command.args(["-c", ". \"$0\"; exec kubectl \"$@\""]).arg(shared.bed.in_bed().with_file_name("env"));
    let kubeconfig = shared.bed.kubeconfig(User::Admin);
    command.arg("--kubeconfig").arg(kubeconfig).args(["-n", &story.namespace]).args(arguments);
    let Output { stdout, stderr, status } = command.output().await.context("run kubectl")?;
    ensure!(status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&stderr));
    Ok(String::from_utf8(stdout)?)
}

async fn how_releases_ended_and_why_can_be_read(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "shop").await?;
    shared.bed.scripted().traffic("shop", "app", Traffic::success(100.0, 20.0));
    story.initialised("app", |_| {}).await?;
    ensure!(records(&story).await?.is_empty(), "making the primary is no run");
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Succeeded).await?;
    let good = newest(&story, 1, "of a promoted run", |s| s.phase == RunPhase::Promoted).await?;
    let told = status(&good);
    let weights: Vec<i32> = told.steps.iter().map(|step| step.weight).collect();
    ensure!(weights == [25, 50] && told.ended.is_some(), "{told:?}");
    ensure!((good.spec.images, good.spec.promoted_images) == (vec!["app:2".into()], vec!["app:1".into()]));
    ensure!(told.measurements.iter().all(|m| m.verdict == "Pass" && !m.value.is_empty()), "{told:?}");
    let rate = told.metrics.iter().find(|m| m.name == "request-success-rate").context("no metric")?;
    ensure!(rate.query.contains("istio_requests_total") && rate.wanted == "at least 99", "{rate:?}");
    ensure!(rate.verdicts.values().sum::<i64>() >= 2, "{rate:?}");

    shared.bed.scripted().traffic("shop", "app", Traffic::success(50.0, 20.0));
    story.set_image("app", "app:3").await?;
    let canary = story.phase("app", Phase::Failed).await?;
    let bad = newest(&story, 2, "of a run that was rolled back", |s| s.phase == RunPhase::RolledBack).await?;
    let told = status(&bad);
    ensure!(told.reason == "ThresholdReached" && told.failed_checks == 3, "{told:?}");
    ensure!(told.message.contains("success rate") && told.decided.is_some(), "{told:?}");
    let failed: Vec<_> = told.measurements.iter().filter(|m| m.verdict != "Pass").collect();
    ensure!(failed.len() >= 3 && failed.iter().all(|m| !m.message.is_empty()), "{told:?}");
    ensure!(failed.iter().any(|m| m.verdict == "Fail" && m.message.contains("< 99%")), "{told:?}");
    let last = canary.status.and_then(|s| s.last_run).context("the Canary does not know its last run")?;
    ensure!(
        (last.outcome, last.message.as_str()) == (RunPhase::RolledBack, told.message.as_str()),
        "{last:?}"
    );

    let listed = kubectl(shared, &story, &["get", "crun"]).await?;
    ensure!(listed.contains("RolledBack") && listed.contains("Promoted"), "{listed}");
    let name = |run: &CanaryRun| run.metadata.name.clone().unwrap_or_default();
    kubectl(shared, &story, &["describe", "canaryrun", &last.name]).await?;
    let first = name(&records(&story).await?[0]);
    kubectl(shared, &story, &["describe", "canaryrun", &first]).await?;
    let described = kubectl(shared, &story, &["describe", "canary", "app"]).await?;
    ensure!(described.contains("ThresholdReached") && described.contains("success rate"), "{described}");
    Ok(())
}

async fn a_newer_revision_takes_the_place_of_a_run(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "history-newer").await?;
    shared.bed.scripted().traffic("history-newer", "app", Traffic::success(100.0, 20.0));
    story.initialised("app", |c| c["spec"]["analysis"]["stepWeight"] = json!(5)).await?;
    story.set_image("app", "app:2").await?;
    story.canary_that("app", |c| c.status.as_ref().is_some_and(|s| s.canary_weight >= 10)).await?;
    story.set_image("app", "app:3").await?;
    newest(&story, 2, "of the newer run", |_| true).await?;
    let closed = async || {
        let first = records(&story).await.ok()?.into_iter().next()?;
        Some(status(&first)).filter(|s| s.phase.ended())
    };
    let first = wait::until("the first run's record to be closed", PATIENCE, closed).await?;
    ensure!(first.phase == RunPhase::Superseded && first.steps.len() >= 2, "{first:?}");
    story.edit_canary("app", json!({"spec": {"analysis": {"stepWeight": 50}}})).await?;
    story.phase("app", Phase::Succeeded).await?;
    newest(&story, 2, "of a promoted run", |s| s.phase == RunPhase::Promoted).await.map(drop)
}

async fn so_many_records_are_kept_and_they_go_with_the_canary(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "history-limit").await?;
    shared.bed.scripted().traffic("history-limit", "app", Traffic::success(100.0, 20.0));
    let short = |c: &mut serde_json::Value| {
        c["spec"]["analysis"]["history"] = json!(1);
        c["spec"]["skipAnalysis"] = json!(true);
    };
    story.initialised("app", short).await?;
    for image in ["app:2", "app:3"] {
        story.set_image("app", image).await?;
        story.event("app", &format!("New revision detected! Scaling up app.{}", story.namespace)).await?;
        let done = |s: &CanaryRunStatus| s.phase == RunPhase::PromotedUnanalysed;
        let run = newest(&story, 1, &format!("of {image} alone"), |s| done(s)).await?;
        if image == "app:3" {
            let third = async || {
                let all = records(&story).await.ok()?;
                all.first().is_some_and(|r| all.len() == 1 && r.spec.images == ["app:3"]).then_some(())
            };
            wait::until("the record of app:3 alone", PATIENCE, third).await?;
        } else {
            ensure!(run.spec.images == ["app:2"], "{run:?}");
        }
    }
    story.delete_canary("app").await?;
    let gone = async || records(&story).await.ok().filter(Vec::is_empty).map(drop);
    wait::until("the records to go with the Canary", PATIENCE, gone).await
}

async fn a_record_deleted_in_a_run_is_made_again(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "history-deleted").await?;
    shared.bed.scripted().traffic("history-deleted", "app", Traffic::success(100.0, 20.0));
    story.initialised("app", |c| c["spec"]["analysis"]["stepWeight"] = json!(10)).await?;
    story.set_image("app", "app:2").await?;
    let begun = newest(&story, 1, "with a step", |s| !s.steps.is_empty()).await?;
    let name = begun.metadata.name.context("a record without a name")?;
    let api: Api<CanaryRun> = story.api();
    api.delete(&name, &DeleteParams::default()).await?;
    let again = newest(&story, 1, "made again", |s| s.incomplete).await?;
    ensure!(again.metadata.name == Some(name) && again.metadata.uid != begun.metadata.uid, "{again:?}");
    story.phase("app", Phase::Succeeded).await?;
    let whole = newest(&story, 1, "that is closed", |s| s.phase == RunPhase::Promoted).await?;
    ensure!(!status(&whole).measurements.is_empty(), "{whole:?}");
    // the record of a completed run is not written again
    api.delete(whole.metadata.name.as_deref().unwrap_or_default(), &DeleteParams::default()).await?;
    story.edit_canary("app", json!({"metadata": {"annotations": {"somebody": "looks"}}})).await?;
    ensure!(records(&story).await?.is_empty(), "a deleted record came back after its run");
    Ok(())
}

async fn alone(shared: &Shared, story: &Story<'_>) -> anyhow::Result<Operator> {
    shared.operator.lock().await.kill9().await?;
    let namespace = format!("--namespace={}", story.namespace);
    let mut operator = Operator::start(&shared.bed, &[&namespace], &[])?;
    operator.ready(PATIENCE).await?;
    Ok(operator)
}

async fn a_record_goes_on_in_a_new_life(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "history-life").await?;
    let mut operator = alone(shared, &story).await?;
    shared.bed.scripted().traffic("history-life", "app", Traffic::success(100.0, 20.0));
    story.initialised("app", |c| c["spec"]["analysis"]["stepWeight"] = json!(5)).await?;
    story.set_image("app", "app:2").await?;
    let before = newest(&story, 1, "with two steps", |s| s.steps.len() >= 2).await?;
    operator.kill9().await?;
    operator.restart().await?;
    operator.ready(PATIENCE).await?;
    story.phase("app", Phase::Succeeded).await?;
    let after = newest(&story, 1, "that is closed", |s| s.phase == RunPhase::Promoted).await?;
    let (before, after) = (status(&before), status(&after));
    ensure!(after.steps.starts_with(&before.steps), "{before:?}\n{after:?}");
    ensure!(after.steps.len() == 10 && !after.incomplete, "{after:?}");
    operator.kill9().await
}

async fn without_the_definition_runs_go_on_and_it_is_said(shared: &Shared) -> anyhow::Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(shared.bed.admin());
    let name = "canaryruns.serin.dev";
    let story = Story::new(&shared.bed, "history-none").await?;
    definitions.delete(name, &DeleteParams::default()).await?;
    wait::gone(definitions.clone(), name, PATIENCE).await?;
    let mut operator = alone(shared, &story).await?;
    shared.bed.scripted().traffic("history-none", "app", Traffic::success(100.0, 20.0));
    story.initialised("app", |_| {}).await?;
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Succeeded).await?;
    let canary = story.condition("app", conditions::RECORDED, "False", name).await?;
    let last = canary.status.and_then(|s| s.last_run).context("no last run")?;
    ensure!(last.outcome == RunPhase::Promoted, "{last:?}");

    shared.bed.install().await?;
    let over = |c: &serin::api::Canary| {
        let all = c.status.iter().flat_map(|s| &s.conditions);
        !all.into_iter().any(|k| k.type_ == conditions::RECORDED)
    };
    story.canary_that("app", over).await?;
    story.set_image("app", "app:3").await?;
    newest(&story, 1, "of the next run", |s| s.phase == RunPhase::Promoted).await?;
    operator.kill9().await
}

/// The output of `kubectl describe` for a record, line by line with single spaces, once it contains `text`.
async fn described(
    shared: &Shared,
    story: &Story<'_>,
    name: &str,
    text: &str,
) -> anyhow::Result<Vec<String>> {
    let shown = async || {
        let all = kubectl(shared, story, &["describe", "canaryrun", name]).await.ok()?;
        all.contains(text).then_some(all)
    };
    let all = wait::until(&format!("{text:?} in what is shown of {name}"), PATIENCE, shown).await?;
    Ok(all.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
}

/// Exposes these samples, and waits until Prometheus has them.
async fn exposed(shared: &Shared, samples: &[(String, f64)]) {
    let scripted = shared.bed.scripted();
    for (series, value) in samples {
        scripted.set(series, *value);
    }
    let seen = scripted.scrapes() + 3;
    while scripted.scrapes() < seen {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn s4_4_a_described_run_says_what_was_asked_and_what_came_of_it(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "history-s4-4").await?;
    let resolved = r#"rejected{shop="history-s4-4",apex="app"}"#;
    exposed(shared, &[(resolved.to_owned(), 7.0)]).await;
    let metric = json!({
        "name": "rejected", "interval": "5s", "thresholdRange": {"max": 5},
        "query": r#"rejected{shop="{{ namespace }}",apex="{{ service }}"}"#,
    });
    let edit = |c: &mut Value| {
        c["spec"]["analysis"]["metrics"] = json!([metric]);
        c["spec"]["analysis"]["threshold"] = json!(2);
    };
    story.initialised("app", edit).await?;
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Failed).await?;
    let run = newest(&story, 1, "of a run that was rolled back", |s| s.phase == RunPhase::RolledBack).await?;
    let name = run.metadata.name.clone().context("a record without a name")?;
    let lines = described(shared, &story, &name, "Canary failed!").await?;
    let begin = |head: &str| lines.iter().filter(|line| line.starts_with(head)).count();
    let measured = status(&run).measurements.len();
    ensure!(measured == 2, "{measured} measurements");
    ensure!((begin("Start: "), begin("End: ")) == (measured, measured), "times of {measured}: {lines:#?}");
    ensure!((begin("Value: 7"), begin("Verdict: Fail")) == (measured, measured), "{lines:#?}");
    let query = format!("Query: {resolved}");
    for line in [
        query.as_str(),
        "Wanted: at most 5",
        "Fail: 2",
        "Failed Checks: 2",
        "Phase: RolledBack",
        "Reason: ThresholdReached",
    ] {
        ensure!(lines.iter().any(|l| l == line), "{line:?} is not in {lines:#?}");
    }
    for event in ["Warning RollingBack ", "Warning Failed "] {
        ensure!(begin(event) == 1, "no Event {event:?} in {lines:#?}");
    }

    exposed(shared, &[(resolved.to_owned(), 3.0)]).await;
    story.set_image("app", "app:3").await?;
    story.phase("app", Phase::Succeeded).await?;
    let run = newest(&story, 2, "of a promoted run", |s| s.phase == RunPhase::Promoted).await?;
    let name = run.metadata.name.context("a record without a name")?;
    let lines = described(shared, &story, &name, "Promotion completed!").await?;
    ensure!(lines.iter().any(|line| line == "Value: 3") && !lines.iter().any(|line| line == "Value: 7"));
    ensure!(lines.iter().any(|line| line.starts_with("Normal Promoted ")), "{lines:#?}");
    Ok(())
}

/// A marker that may only be in a Secret and in requests to its server.
const MARKER: &str = "s4-5-hush";

async fn s4_5_one_template_asks_for_each_namespace_and_shows_no_secret(
    shared: &Shared,
) -> anyhow::Result<()> {
    let one = Story::new(&shared.bed, "history-s4-5-one").await?;
    let two = Story::new(&shared.bed, "history-s4-5-two").await?;
    let server = MetricsServer::guarded(&shared.bed, &[&format!("Bearer {MARKER}-token")]).await?;
    let provider = json!({"type": "prometheus", "address": server.url(), "secretRef": {"name": "login"}});
    let template = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate", "metadata": {"name": "jobs"},
        "spec": {"provider": provider, "query": r#"jobs{shop="{{ namespace }}",key!="{{ args.key }}"}"#},
    });
    let secret = |token: &str| {
        let data = json!({"token": format!("{MARKER}-{token}"), "key": format!("{MARKER}-key")});
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, "stringData": data})
    };
    one.apply(vec![secret("token"), template]).await?;
    two.apply(vec![secret("unused")]).await?;
    let of = |story: &Story<'_>, value: f64| (format!("jobs{{shop=\"{}\"}}", story.namespace), value);
    exposed(shared, &[of(&one, 1.0), of(&two, 2.0)]).await;
    let metric = json!({
        "name": "jobs", "interval": "5s", "thresholdRange": {"max": 5},
        "templateRef": {"name": "jobs", "namespace": one.namespace},
        "args": [{"name": "key", "valueFrom": {"secretKeyRef": {"name": "login", "key": "key"}}}],
    });
    for story in [&one, &two] {
        story.initialised("app", |c| c["spec"]["analysis"]["metrics"] = json!([metric])).await?;
        story.set_image("app", "app:2").await?;
    }
    for (story, value) in [(&one, "1"), (&two, "2")] {
        story.phase("app", Phase::Succeeded).await?;
        let run = newest(story, 1, "of a promoted run", |s| s.phase == RunPhase::Promoted).await?;
        let told = status(&run);
        ensure!(told.measurements.iter().all(|m| m.value == value), "{told:?}");
        let query = &told.metrics.first().context("no metric")?.query;
        ensure!(query.contains(&format!("shop=\"{}\"", story.namespace)), "{query}");
        let asked = server.asked();
        let right =
            |target: &str| target.contains(&story.namespace) && target.contains(&format!("{MARKER}-key"));
        ensure!(asked.iter().any(|a| a.status == 200 && right(&a.target)), "asked {asked:?}");
    }

    // a server that repeats the received data
    one.apply(vec![secret("wrong")]).await?;
    two.set_image("app", "app:3").await?;
    two.condition("app", conditions::FROZEN, "True", "status 401").await?;
    for story in [&one, &two] {
        shown_nowhere(shared, story).await?;
    }
    Ok(())
}

/// No object except the Secret, no log and no metric contains the marker.
async fn shown_nowhere(shared: &Shared, story: &Story<'_>) -> anyhow::Result<()> {
    let kinds = "canaries.flagger.app,canaryruns.serin.dev,metrictemplates.flagger.app,events,configmaps,pods,services,\
                 deployments.apps,replicasets.apps,controllerrevisions.apps,\
                 virtualservices.networking.istio.io,destinationrules.networking.istio.io";
    let mut shown = vec![("an object", kubectl_quietly(shared, story, &["get", kinds, "-o", "json"]).await?)];
    shown.push(("what is described", kubectl(shared, story, &["describe", "canary,canaryrun"]).await?));
    let operator = shared.operator.lock().await;
    shown.extend([("the log", operator.logs()?), ("a metric", operator.metrics().await?)]);
    for (what, text) in shown {
        ensure!(text.contains(&story.namespace), "{what} is not about this story");
        ensure!(!text.contains(MARKER), "{what} shows a secret");
    }
    Ok(())
}
