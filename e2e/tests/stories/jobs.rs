//! Metrics that are Jobs: warm-ups before a promotion, in the order of steps, and failures. The real Job controller
//! manages the Jobs. Their pods are simulated.
#![allow(non_snake_case, reason = "stories bear the ids of their scenarios")]

use anyhow::{Context, ensure};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Pod, ResourceQuota},
};
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams},
};
use serde_json::{Value, json};
use serin::{
    api::{Answer, Canary, CanaryRun, Phase},
    names,
};
use serin_bed::{
    Behaviour, Selector, http,
    operator::Operator,
    story::{PATIENCE, Story},
    wait,
};

use crate::{
    Family, Shared,
    bad_common::{accepted, failed_checks, refused, stands, story},
};

pub(crate) const STORIES: Family = &[
    crate::story!(s2_7_before_the_warm_up_has_ended_nobody_can_promote),
    crate::story!(s2_7_a_warm_up_that_fails_takes_the_canary_away),
    crate::story!(s2_7_an_image_that_cannot_be_had_is_told_and_passes_nothing),
    crate::story!(s2_8_the_metric_comes_after_the_job),
    crate::story!(s2_8_a_bad_ratio_after_a_good_job_fails),
    crate::story!(a_job_that_the_api_server_refuses_is_quoted_until_it_is_mended),
    crate::story!(a_job_that_cannot_be_meant_is_refused),
    crate::story!(a_quota_for_jobs_is_told_and_no_verdict),
    crate::story!(a_job_of_the_same_name_is_left_alone),
    crate::story!(a_job_deleted_in_the_run_is_made_again),
    crate::story!(jobs_go_with_their_run_and_their_canary),
];

pub(crate) const ALONE: Family = &[crate::story!(a_job_goes_on_in_a_new_life)];

/// The MetricTemplate `warm-up`: a Job with one container, with these fields in its spec.
fn warm_up(image: &str, env: &[(&str, &str)], more: &Value) -> Value {
    let env: Vec<Value> = env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let mut spec = json!({"template": {
        "metadata": {"annotations": {"sidecar.istio.io/inject": "false"}},
        "spec": {"containers": [{"name": "load", "image": image, "env": env}]},
    }});
    for (field, value) in more.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    template(&json!({"metadata": {"labels": {"team": "blue"}}, "spec": spec}))
}

fn template(job: &Value) -> Value {
    json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate", "metadata": {"name": "warm-up"},
        "spec": {"provider": {"type": "job"}, "job": job},
    })
}

fn check() -> Value {
    json!({"name": "warm-up", "templateRef": {"name": "warm-up"}, "count": 1, "failureLimit": 0})
}

/// Blue/green with this many steps and these metrics.
fn analysed(c: &mut Value, steps: i32, mode: &str, metrics: &[Value]) {
    c["spec"]["analysis"] = json!({
        "interval": "1s", "threshold": 3, "iterations": steps, "promotion": {"mode": mode}, "metrics": metrics,
    });
}

/// A new revision under analysis, with a warm-up before its promotion.
async fn warming<'a>(
    shared: &'a Shared,
    namespace: &str,
    template: Value,
    mode: &str,
) -> anyhow::Result<Story<'a>> {
    let story = story(shared, namespace).await?;
    story.apply(vec![template]).await?;
    story.initialised("app", |c| analysed(c, 1, mode, &[check()])).await?;
    story.set_image("app", "app:2").await?;
    Ok(story)
}

/// The Jobs of the namespace, by name.
async fn jobs(story: &Story<'_>) -> anyhow::Result<Vec<Job>> {
    let of_ours = ListParams::default().labels(names::LABEL_METRIC);
    let mut all = story.api::<Job>().list(&of_ours).await.context("list Jobs")?.items;
    all.sort_by_key(ResourceExt::name_any);
    Ok(all)
}

/// Waits for the newest of this many Jobs.
async fn newest(story: &Story<'_>, count: usize) -> anyhow::Result<Job> {
    let there = async || jobs(story).await.ok().filter(|all| all.len() == count)?.pop();
    wait::until(&format!("{count} Jobs"), PATIENCE, there).await
}

/// Lets the pods of held Jobs end.
fn let_end(shared: &Shared, story: &Story<'_>) -> anyhow::Result<()> {
    let all = Selector::prefix("app-").in_namespace(&story.namespace);
    shared.bed.kubelet()?.set(all, Behaviour { done: Some(true), ..Behaviour::default() });
    Ok(())
}

async fn running(story: &Story<'_>, job: &str) -> anyhow::Result<()> {
    let words = format!("Job {job} of metric warm-up is running");
    story.condition("app", "JobEnded", "False", &words).await.map(drop)
}

async fn ask(story: &Story<'_>, request: &str) -> anyhow::Result<()> {
    story.edit_canary("app", json!({"metadata": {"annotations": {"serin.dev/request": request}}})).await
}

/// The number of requests that the pods with this label have answered.
async fn served(story: &Story<'_>, app: &str) -> anyhow::Result<u64> {
    let pods = story.api::<Pod>().list(&ListParams::default().labels(&format!("app={app}"))).await?;
    let mut sum = 0;
    for ip in pods.items.into_iter().filter_map(|pod| pod.status?.pod_ip) {
        let text = http::get(format!("{ip}:8080").parse()?, "/metrics").await?.text();
        let counts = text.lines().filter(|line| line.starts_with("http_request_duration_seconds_count"));
        sum += counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum::<u64>();
    }
    Ok(sum)
}

async fn s2_7_before_the_warm_up_has_ended_nobody_can_promote(shared: &Shared) -> anyhow::Result<()> {
    let calls = [("CALLS", "{{ service }}-canary=1000"), ("HOLD", "1")];
    let story = warming(shared, "jobs-warm-up", warm_up("load:1", &calls, &json!({})), "manual").await?;
    let job = newest(&story, 1).await?;
    let name = job.name_any();
    ensure!(name.starts_with("app-") && name.ends_with("-warm-up-1"), "it is called {name}");
    ensure!(job.labels().get("team").is_some_and(|team| team == "blue"), "labels {:?}", job.labels());
    let owner = job.owner_references().first().cloned().context("it has no owner")?;
    ensure!(
        owner.kind == "CanaryRun"
            && story.api::<CanaryRun>().get(&owner.name).await?.uid() == Some(owner.uid)
    );
    running(&story, &name).await?;
    let called = async || (served(&story, "app").await.ok()? >= 1000).then_some(());
    wait::until("1000 requests to the preview", PATIENCE, called).await?;
    ask(&story, "promote/early").await?;
    let told = |c: &Canary| {
        let request = c.status.as_ref().and_then(|s| s.request.as_ref());
        request.is_some_and(|r| {
            let pending = r.message.contains(&name) && r.message.contains("metric warm-up has passed 0 of 1");
            r.id == "early" && r.answer == Answer::Refused && pending
        })
    };
    story.canary_that("app", told).await.context("the answer to a promotion before the end")?;
    ensure!(served(&story, "app-primary").await? == 0, "users' pods were called");
    let_end(shared, &story)?;
    story.phase("app", Phase::WaitingPromotion).await?;
    ensure!(jobs(&story).await?.len() == 1, "it was made twice");
    ask(&story, "promote/now").await?;
    let canary = story.phase("app", Phase::Succeeded).await?;
    let status = canary.status.context("status")?;
    let metric = status.metrics.first().context("no metric")?;
    ensure!(metric.passed == 1 && metric.job == name && metric.value == "1", "{metric:?}");
    let record: CanaryRun = story.api().get(&owner.name).await?;
    let measured = record.status.unwrap_or_default().measurements;
    ensure!(measured.iter().any(|m| m.job == name && m.verdict == "Pass"), "{measured:?}");
    // it stays for its log
    ensure!(jobs(&story).await?.len() == 1, "it is gone already");
    Ok(())
}

async fn s2_7_a_warm_up_that_fails_takes_the_canary_away(shared: &Shared) -> anyhow::Result<()> {
    let failing = warm_up("load:1", &[("EXIT_CODE", "3")], &json!({}));
    let story = warming(shared, "jobs-failed", failing, "manual").await?;
    let words = [
        "metric warm-up failed (1) > failureLimit (0)",
        "-warm-up-1 failed",
        "container load ended with exit code 3",
        "MetricTemplate jobs-failed/warm-up",
    ];
    stands(&story, "app", "Halted", "True", "LimitReached", &words).await?;
    story.phase("app", Phase::Failed).await?;
    ensure!(story.replicas("app").await? == Some(0), "the canary keeps its pods");
    // the log of a failed Job can be read
    let pods = story.api::<Pod>().list(&ListParams::default().labels(names::LABEL_METRIC)).await?;
    ensure!(pods.items.len() == 1, "{} pods of Jobs are left", pods.items.len());
    Ok(())
}

async fn s2_7_an_image_that_cannot_be_had_is_told_and_passes_nothing(shared: &Shared) -> anyhow::Result<()> {
    let late = json!({"activeDeadlineSeconds": 6});
    let nowhere = warm_up("nowhere.invalid/load:1", &[], &late);
    let story = warming(shared, "jobs-image", nowhere, "auto").await?;
    let words =
        ["has not started: container load cannot get its image nowhere.invalid/load:1", "ErrImagePull"];
    stands(&story, "app", "JobEnded", "False", "JobNotStarting", &words).await?;
    let words = ["has not started within its deadline of 6 s", "cannot get its image nowhere.invalid/load:1"];
    let frozen = stands(&story, "app", "Frozen", "True", "MetricErrors", &words).await?;
    let phase = frozen.status.as_ref().and_then(|s| s.phase);
    ensure!(phase == Some(Phase::Progressing) && failed_checks(&frozen) == 0, "status {:?}", frozen.status);
    story.apply(vec![warm_up("load:1", &[], &late)]).await?;
    story.phase("app", Phase::Succeeded).await.map(drop)
}

/// A ratio from the bed's Prometheus, from the second step on.
fn ratio(value: &str) -> Value {
    json!({
        "name": "preview", "query": format!("vector({value})"), "successCondition": "result[0] >= 0.95",
        "startAtStep": 1, "initialDelay": "1s", "count": 1, "failureLimit": 0,
    })
}

async fn then_measured<'a>(shared: &'a Shared, namespace: &str, value: &str) -> anyhow::Result<Story<'a>> {
    let story = story(shared, namespace).await?;
    story.apply(vec![warm_up("load:1", &[("RUN_MS", "3000")], &json!({}))]).await?;
    story.initialised("app", |c| analysed(c, 3, "auto", &[check(), ratio(value)])).await?;
    story.set_image("app", "app:2").await?;
    Ok(story)
}

async fn s2_8_the_metric_comes_after_the_job(shared: &Shared) -> anyhow::Result<()> {
    let story = then_measured(shared, "jobs-order", "0.97").await?;
    story.phase("app", Phase::Succeeded).await?;
    let job = newest(&story, 1).await?;
    let ended = job.status.and_then(|s| s.completion_time).context("it has not ended")?;
    let runs = story.api::<CanaryRun>().list(&ListParams::default()).await?.items;
    let run = runs.first().and_then(|run| run.status.clone()).context("no record")?;
    let measured: Vec<_> = run.measurements.iter().filter(|m| m.metric == "preview").collect();
    ensure!(!measured.is_empty(), "{run:?}");
    let early = measured.iter().filter(|m| m.end.as_ref().is_none_or(|end| end.0 < ended.0));
    ensure!(early.count() == 0, "measured before the Job had ended at {ended:?}: {measured:?}");
    Ok(())
}

async fn s2_8_a_bad_ratio_after_a_good_job_fails(shared: &Shared) -> anyhow::Result<()> {
    let story = then_measured(shared, "jobs-ratio", "0.90").await?;
    let words = ["metric preview failed (1) > failureLimit (0)", "0.9"];
    stands(&story, "app", "Halted", "True", "LimitReached", &words).await?;
    story.phase("app", Phase::Failed).await.map(drop)
}

async fn a_job_that_the_api_server_refuses_is_quoted_until_it_is_mended(
    shared: &Shared,
) -> anyhow::Result<()> {
    let bad = template(&json!({"spec": {"template": {"spec": {"containers": [{"name": "load"}]}}}}));
    let story = warming(shared, "jobs-invalid", bad, "auto").await?;
    let words = ["containers[0].image", "Required value", "spec.job of MetricTemplate jobs-invalid/warm-up"];
    let frozen = stands(&story, "app", "Frozen", "True", "MetricErrors", &words).await?;
    ensure!(failed_checks(&frozen) == 0 && jobs(&story).await?.is_empty());
    accepted(&story, "app").await?;
    story.apply(vec![warm_up("load:1", &[], &json!({}))]).await?;
    story.phase("app", Phase::Succeeded).await.map(drop)
}

async fn a_job_that_cannot_be_meant_is_refused(shared: &Shared) -> anyhow::Result<()> {
    let story =
        warming(shared, "jobs-unfit", warm_up("load:1", &[], &json!({"suspend": true})), "auto").await?;
    refused(
        &story,
        "app",
        "JobInvalid",
        &["MetricTemplate jobs-unfit/warm-up, spec.job.spec.suspend is true"],
    )
    .await?;
    // its pods would get the canary's requests
    let mut serving = warm_up("load:1", &[], &json!({}));
    serving["spec"]["job"]["spec"]["template"]["metadata"]["labels"] = json!({"app": "app"});
    story.apply(vec![serving]).await?;
    refused(&story, "app", "JobInvalid", &["labels has app: app", "its pods would get requests"]).await?;
    story.apply(vec![warm_up("load:1", &[], &json!({}))]).await?;
    accepted(&story, "app").await?;
    story.phase("app", Phase::Succeeded).await.map(drop)
}

async fn a_quota_for_jobs_is_told_and_no_verdict(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "jobs-quota").await?;
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"},
        "spec": {"hard": {"count/jobs.batch": "0"}},
    });
    story.apply(vec![quota, warm_up("load:1", &[], &json!({}))]).await?;
    let counted =
        |q: &ResourceQuota| q.status.as_ref().is_some_and(|s| s.used.as_ref().is_some_and(|u| !u.is_empty()));
    wait::object(story.api(), "none", PATIENCE, counted).await.context("waiting for the quota")?;
    story.initialised("app", |c| analysed(c, 1, "auto", &[check()])).await?;
    story.set_image("app", "app:2").await?;
    let frozen = stands(&story, "app", "Frozen", "True", "MetricErrors", &["exceeded quota: none"]).await?;
    ensure!(failed_checks(&frozen) == 0, "the quota was counted against the release");
    story.api::<ResourceQuota>().delete("none", &DeleteParams::default()).await?;
    story.phase("app", Phase::Succeeded).await.map(drop)
}

async fn a_job_of_the_same_name_is_left_alone(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "jobs-taken").await?;
    story.apply(vec![warm_up("load:1", &[], &json!({}))]).await?;
    story.initialised("app", |c| analysed(c, 1, "auto", &[check()])).await?;
    let canary: Canary = story.api().get("app").await?;
    let name = format!("app-{}-warm-up-1", canary.status.map_or(0, |s| s.epoch) + 1);
    let theirs = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
        "spec": {"suspend": true, "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a:1"}]}}},
    });
    story.apply(vec![theirs]).await?;
    let before = story.api::<Job>().get(&name).await?;
    story.set_image("app", "app:2").await?;
    story.event("app", "there is one of this name that was not made for this Canary").await?;
    story.phase("app", Phase::Succeeded).await?;
    let after = story.api::<Job>().get(&name).await?;
    ensure!(before.uid() == after.uid() && before.spec == after.spec, "it was touched");
    ensure!(newest(&story, 1).await?.name_any().ends_with("-warm-up-2"));
    Ok(())
}

async fn a_job_deleted_in_the_run_is_made_again(shared: &Shared) -> anyhow::Result<()> {
    let story =
        warming(shared, "jobs-deleted", warm_up("load:1", &[("HOLD", "1")], &json!({})), "auto").await?;
    let name = newest(&story, 1).await?.name_any();
    running(&story, &name).await?;
    story.api::<Job>().delete(&name, &DeleteParams::background()).await?;
    story.event("app", &format!("Job {name} was deleted before its end")).await?;
    let second = async || {
        let all = jobs(&story).await.ok()?;
        all.into_iter().map(|job| job.name_any()).find(|other| *other != name)
    };
    let second = wait::until("another Job", PATIENCE, second).await?;
    ensure!(second.ends_with("-warm-up-2"), "it is called {second}");
    let_end(shared, &story)?;
    let canary = story.phase("app", Phase::Succeeded).await?;
    ensure!(failed_checks(&canary) == 0, "the deletion was counted against the release");
    Ok(())
}

async fn jobs_go_with_their_run_and_their_canary(shared: &Shared) -> anyhow::Result<()> {
    let story = warming(shared, "jobs-gone", warm_up("load:1", &[("HOLD", "1")], &json!({})), "auto").await?;
    let name = newest(&story, 1).await?.name_any();
    running(&story, &name).await?;
    story.set_image("app", "app:1").await?;
    story.phase("app", Phase::Succeeded).await?;
    wait::gone(story.api::<Job>(), &name, PATIENCE).await.context("the Job of a run that was set back")?;
    story.set_image("app", "app:2").await?;
    let name = newest(&story, 1).await?.name_any();
    running(&story, &name).await?;
    story.delete_canary("app").await?;
    wait::gone(story.api::<Job>(), &name, PATIENCE).await.context("the Job of a Canary that was deleted")
}

async fn a_job_goes_on_in_a_new_life(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "jobs-life").await?;
    shared.operator.lock().await.kill9().await?;
    let namespace = format!("--namespace={}", story.namespace);
    let mut operator = Operator::start(&shared.bed, &[&namespace], &[])?;
    operator.ready(PATIENCE).await?;
    story.apply(vec![warm_up("load:1", &[("HOLD", "1")], &json!({}))]).await?;
    story.initialised("app", |c| analysed(c, 1, "auto", &[check()])).await?;
    story.set_image("app", "app:2").await?;
    let first = newest(&story, 1).await?;
    operator.kill9().await?;
    operator.restart().await?;
    operator.ready(PATIENCE).await?;
    running(&story, &first.name_any()).await?;
    // it ends while the operator is down
    operator.kill9().await?;
    let_end(shared, &story)?;
    let ended = |job: &Job| job.status.as_ref().is_some_and(|s| s.completion_time.is_some());
    wait::object(story.api(), &first.name_any(), PATIENCE, ended).await?;
    operator.restart().await?;
    operator.ready(PATIENCE).await?;
    story.phase("app", Phase::Succeeded).await?;
    let all = jobs(&story).await?;
    ensure!(all.len() == 1 && all[0].uid() == first.uid(), "it was made again: {all:?}");
    operator.kill9().await
}
