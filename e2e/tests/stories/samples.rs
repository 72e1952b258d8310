//! Samples that say nothing about the step: from before it, from counters that were reset, or about no requests. All
//! come from a real Prometheus, with the built-in checks.

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use serin::api::Canary;
use serin_bed::{Traffic, story::PATIENCE, wait};

use crate::{
    Family, Shared,
    bad_common::{ends_well, failed_checks, held_at_25, pace, stands, story, untouched_at_25, weight},
};

pub(crate) const STORIES: Family = &[
    crate::story!(f55_samples_from_before_the_step_let_nobody_pass),
    crate::story!(f55_a_reset_counter_freezes_the_run_until_it_is_out_of_the_window),
    crate::story!(f55_no_requests_count_as_failed_or_hold_as_the_metric_says),
];

/// The built-in checks with this window.
fn over(c: &mut Value, window: &str) {
    c["spec"]["analysis"]["metrics"] = json!([
        {"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": window},
        {"name": "request-duration", "thresholdRange": {"max": 500}, "interval": window},
    ]);
}

/// Waits until this query yields a value.
async fn told(shared: &Shared, promql: &str) -> anyhow::Result<()> {
    let seen = async || shared.bed.query(promql).await.ok().filter(|values| !values.is_empty()).map(drop);
    wait::until(&format!("a value of {promql}"), PATIENCE, seen).await
}

/// Waits until Prometheus has scraped this many more times.
async fn scraped(shared: &Shared, times: u64) -> anyhow::Result<()> {
    let goal = shared.bed.scripted().scrapes() + times;
    wait::until("scrapes", PATIENCE, async || (shared.bed.scripted().scrapes() >= goal).then_some(())).await
}

fn counters(namespace: &str) -> String {
    format!(
        "istio_requests_total{{destination_workload_namespace=\"{namespace}\",destination_workload=\"app\"}}"
    )
}

async fn f55_samples_from_before_the_step_let_nobody_pass(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "sample-early").await?;
    let series = counters(&story.namespace);
    story.initialised("app", |c| over(c, "5m")).await?;
    told(shared, &format!("sum(rate({series}[5m])) > 0")).await?;
    shared.bed.scripted().hide(&story.namespace, "app", true);
    scraped(shared, 2).await?;
    story.set_image("app", "app:2").await?;
    story.canary_that("app", |c| weight(c) == 25).await.context("waiting for the first step")?;
    // many windows of a second end, with good rates
    scraped(shared, 8).await?;
    untouched_at_25(&story).await?;
    let good = shared.bed.query(&format!("sum(rate({series}[5m]))")).await?;
    ensure!(good.first().is_some_and(|rate| *rate > 0.0), "there is nothing to be misled by: {good:?}");
    let said = story.events("app").await?;
    ensure!(!said.iter().any(|text| text.contains("holds its weight")), "said {said:?}");
    shared.bed.scripted().hide(&story.namespace, "app", false);
    ends_well(&story).await?;
    let canary: Canary = story.api().get("app").await?;
    ensure!(failed_checks(&canary) == 0, "counted against the release: {:?}", canary.status);
    Ok(())
}

async fn f55_a_reset_counter_freezes_the_run_until_it_is_out_of_the_window(
    shared: &Shared,
) -> anyhow::Result<()> {
    let story = held_at_25(shared, "sample-reset", |c| over(c, "20s")).await?;
    let series = counters(&story.namespace);
    told(shared, &format!("sum(rate({series}[20s])) > 0")).await?;
    shared.bed.scripted().restart(&story.namespace, "app");
    told(shared, &format!("sum(resets({series}[20s])) > 0")).await?;
    pace(&story).await?;
    let words = ["Prometheus query failed", "a counter was reset within its window"];
    stands(&story, "app", "Frozen", "True", "MetricsUnavailable", &words).await?;
    untouched_at_25(&story).await?;
    ends_well(&story).await?;
    let canary: Canary = story.api().get("app").await?;
    ensure!(failed_checks(&canary) == 0, "counted against the release: {:?}", canary.status);
    Ok(())
}

async fn f55_no_requests_count_as_failed_or_hold_as_the_metric_says(shared: &Shared) -> anyhow::Result<()> {
    let edit = |c: &mut Value| c["spec"]["analysis"]["threshold"] = json!(1000);
    let story = held_at_25(shared, "sample-none", edit).await?;
    shared.bed.scripted().silence(&story.namespace, "app");
    let series = counters(&story.namespace);
    told(shared, &format!("sum(rate({series}[5s])) == 0")).await?;
    pace(&story).await?;
    let words = [
        "no values found for istio metric request-success-rate probably app.sample-none is not receiving traffic",
    ];
    stands(&story, "app", "Halted", "True", "ChecksFailed", &words).await?;
    let metrics = json!([
        {"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "5s", "noData": "hold"},
        {"name": "request-duration", "thresholdRange": {"max": 500}, "interval": "5s", "noData": "hold"},
    ]);
    story.edit_canary("app", json!({"spec": {"analysis": {"metrics": metrics}}})).await?;
    let held = stands(&story, "app", "Inconclusive", "True", "NotEnoughData", &["no values found"]).await?;
    scraped(shared, 4).await?;
    let later: Canary = story.api().get("app").await?;
    ensure!(failed_checks(&held) >= 1 && failed_checks(&later) == failed_checks(&held), "{:?}", later.status);
    ensure!((weight(&later), story.weight("app").await?) == (25, Some(25)), "the weight moved");
    shared.bed.scripted().traffic(&story.namespace, "app", Traffic::success(100.0, 50.0));
    ends_well(&story).await
}
