//! Metrics with their own conditions and limits, with a real Prometheus: refusals, ends of runs, and the written
//! results. The model tests the other rules (`scenarios/`).

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use serin::api::{Canary, MetricOutcome, Phase};
use serin_bed::{
    Traffic,
    story::{canary, deployment},
};

use crate::{
    Family, Shared,
    bad_common::{
        ends_well, failed_checks, go_on, held_at_25, pace, refused, stands, untouched_at_25, weight,
    },
    story,
};

pub(crate) const STORIES: Family = &[
    story!(s4_3_a_bad_release_goes_back_at_its_first_sample_and_says_why),
    story!(s0_2_no_data_as_an_error_ends_the_run_at_its_limit),
    story!(a_condition_that_does_not_compile_is_refused_until_it_is_mended),
    story!(a_prometheus_down_for_a_whole_run_changes_nothing_and_fifty_others_finish),
];

/// The share of requests to the canary that did not fail.
const SHARE: &str = "sum(rate(istio_requests_total{destination_workload=\"{{ target }}\",destination_workload_namespace=\"{{ namespace }}\",response_code!~\"5.*\"}[{{ interval }}])) / sum(rate(istio_requests_total{destination_workload=\"{{ target }}\",destination_workload_namespace=\"{{ namespace }}\"}[{{ interval }}]))";

fn measured(c: &mut Value, fields: &Value) {
    let mut metric = json!({"name": "success-rate", "query": SHARE, "interval": "5s"});
    for (field, value) in fields.as_object().into_iter().flatten() {
        metric[field] = value.clone();
    }
    c["spec"]["analysis"]["metrics"] = json!([metric]);
    c["spec"]["analysis"]["threshold"] = json!(100);
}

async fn s4_3_a_bad_release_goes_back_at_its_first_sample_and_says_why(
    shared: &Shared,
) -> anyhow::Result<()> {
    let wanted = json!({"successCondition": "result[0] > 0.95", "failureLimit": 0});
    let story = held_at_25(shared, "verdicts-s4-3", |c| measured(c, &wanted)).await?;
    shared.bed.scripted().reset(&story.namespace, "app").await?;
    shared.bed.scripted().traffic(&story.namespace, "app", Traffic::success(22.97, 50.0));
    let held = shared.bed.scripted().scrapes() + 3;
    while shared.bed.scripted().scrapes() < held {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    pace(&story).await?;
    let words = [
        "metric success-rate failed (1) > failureLimit (0)",
        // 0.2297, within the accuracy of rates
        "0.229",
        "wanted result[0] > 0.95",
        "query: sum(",
    ];
    stands(&story, "app", "Halted", "True", "LimitReached", &words).await?;
    let canary = story.phase("app", Phase::Failed).await?;
    ensure!(story.weight("app").await? == Some(0), "weight after the rollback");
    let status = canary.status.context("status")?;
    let metric = status.metrics.first().context("no metric in status")?;
    ensure!(metric.outcome == Some(MetricOutcome::Fail) && metric.failed == 1, "{metric:?}");
    ensure!(metric.wanted == "result[0] > 0.95" && metric.query.contains("\"verdicts-s4-3\""), "{metric:?}");
    Ok(())
}

async fn s0_2_no_data_as_an_error_ends_the_run_at_its_limit(shared: &Shared) -> anyhow::Result<()> {
    let wanted =
        json!({"successCondition": "result[0] >= 0.8", "noData": "error", "consecutiveErrorLimit": 4});
    let story = held_at_25(shared, "verdicts-s0-2", |c| measured(c, &wanted)).await?;
    shared.bed.scripted().reset(&story.namespace, "app").await?;
    pace(&story).await?;
    let words = ["metric success-rate errors in a row (5) > consecutiveErrorLimit (4)", "no values found"];
    stands(&story, "app", "Halted", "True", "LimitReached", &words).await?;
    let canary = story.phase("app", Phase::Failed).await?;
    ensure!(failed_checks(&canary) == 0, "errors were counted as failed checks");
    ensure!(story.weight("app").await? == Some(0), "weight after the rollback");
    Ok(())
}

async fn a_condition_that_does_not_compile_is_refused_until_it_is_mended(
    shared: &Shared,
) -> anyhow::Result<()> {
    let wanted = json!({"successCondition": "result[0] > 0.95"});
    let story = held_at_25(shared, "verdicts-condition", |c| measured(c, &wanted)).await?;
    let with = |condition: &str| {
        json!({"spec": {"analysis": {"metrics": [
            {"name": "success-rate", "query": SHARE, "interval": "5s", "successCondition": condition},
        ]}}})
    };
    story.edit_canary("app", with("result[0] >")).await?;
    let words = ["spec.analysis.metrics[success-rate]: successCondition does not compile"];
    refused(&story, "app", "MetricInvalid", &words).await?;
    pace(&story).await?;
    untouched_at_25(&story).await?;
    story.edit_canary("app", with("result[0] > 0.9")).await?;
    go_on(&story).await
}

/// Canaries in addition to the one with a stopped Prometheus.
const OTHERS: usize = 50;

async fn a_prometheus_down_for_a_whole_run_changes_nothing_and_fifty_others_finish(
    shared: &Shared,
) -> anyhow::Result<()> {
    let nobody = serin_bed::badprom::nobody().await?;
    let dead = |c: &mut Value| {
        c["spec"]["metricsServer"] = json!(nobody);
        c["spec"]["analysis"]["threshold"] = json!(1);
    };
    let story = held_at_25(shared, "verdicts-outage", dead).await?;
    pace(&story).await?;
    stands(&story, "app", "Frozen", "True", "MetricsUnavailable", &["Prometheus query failed"]).await?;
    let names: Vec<String> = (0..OTHERS).map(|n| format!("other-{n}")).collect();
    for name in &names {
        shared.bed.scripted().traffic(&story.namespace, name, Traffic::success(100.0, 50.0));
        let mut other = canary(name);
        other["spec"]["service"]["gateways"] = json!([]);
        other["spec"]["progressDeadlineSeconds"] = json!(600);
        story.apply(vec![deployment(name, &format!("{name}:1"), 1), other]).await?;
    }
    for name in &names {
        story.phase(name, Phase::Initialized).await.with_context(|| name.clone())?;
    }
    for name in &names {
        story.set_image(name, &format!("{name}:2")).await?;
    }
    for name in &names {
        story.phase(name, Phase::Succeeded).await.with_context(|| name.clone())?;
    }
    let stands: Canary = story.api().get("app").await?;
    ensure!((weight(&stands), failed_checks(&stands)) == (25, 0), "status {:?}", stands.status);
    untouched_at_25(&story).await?;
    let mended = json!({"spec": {"metricsServer": null}});
    story.edit_canary("app", mended).await?;
    ends_well(&story).await
}
