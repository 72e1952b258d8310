//! The chart's alert rules, loaded into the bed's Prometheus with shorter times: none fires during a good release, and
//! each alert that can be provoked here fires once. SerinCapacityShort, SerinQuarantined, SerinUndecodable,
//! SerinKindNotSeen, SerinWritesFail, SerinMetricsServerFails, SerinStepsLate and SerinEventsDropped have only unit
//! tests with promtool.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use serin::api::Phase;
use serin_bed::{
    Traffic,
    badprom::{Badprom, Says, nobody},
    kubelet::Selector,
    story::{PATIENCE, Story, canary},
    wait,
};
use serin_monitoring::rules;

use crate::{Family, Shared};

pub(crate) const STORIES: Family = &[crate::story!(alerts_fire_in_trouble_and_not_in_a_good_release)];

/// Factors by which times are divided. Windows of the operator's rules must contain two scrapes, which are 5 s apart.
const SCALES: [(&str, u64); 2] = [("serin.releases", 120), ("serin.operator", 60)];
/// Longer than any alert needs.
const LIMIT: Duration = Duration::from_secs(180);

fn file() -> Value {
    let group = |(name, scale): (&str, u64)| {
        let rules = rules::all(scale).into_iter().filter(|rule| rule.group == name);
        let one = |rule: rules::Rule| json!({"alert": rule.alert, "expr": rule.expr, "for": format!("{}s", rule.hold)});
        json!({"name": name, "rules": rules.map(one).collect::<Vec<_>>()})
    };
    json!({"groups": SCALES.map(group)})
}

/// The alerts of a namespace, or without one those of the operator, that fired in the last minutes.
async fn fired(shared: &Shared, namespace: &str) -> Result<Vec<&'static str>> {
    let mut all = vec![];
    for rule in rules::all(1) {
        let query = format!(
            "count_over_time(ALERTS{{alertname=\"{}\",alertstate=\"firing\",namespace=\"{namespace}\"}}[5m])",
            rule.alert
        );
        if !shared.bed.query(&query).await?.is_empty() {
            all.push(rule.alert);
        }
    }
    Ok(all)
}

async fn fires(shared: &Shared, alert: &str, namespace: &str) -> Result<()> {
    let query = format!("ALERTS{{alertname=\"{alert}\",alertstate=\"firing\",namespace=\"{namespace}\"}}");
    let firing = async || (!shared.bed.query(&query).await.ok()?.is_empty()).then_some(());
    wait::until(&format!("{alert} to fire"), LIMIT, firing).await
}

/// A target and its idle Canary, with the given metrics.
async fn at_rest<'a>(
    shared: &'a Shared,
    namespace: &str,
    good: bool,
    edit: impl FnOnce(&mut Value),
) -> Result<Story<'a>> {
    let story = Story::new(&shared.bed, namespace).await?;
    let share = if good { 100.0 } else { 0.0 };
    shared.bed.scripted().traffic(namespace, "app", Traffic::success(share, 50.0));
    story.initialised("app", edit).await?;
    Ok(story)
}

async fn good_release(shared: &Shared) -> Result<()> {
    let story = at_rest(shared, "rules-good", true, |_| {}).await?;
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Succeeded).await?;
    // longer than the operator's rules need
    tokio::time::sleep(Duration::from_secs(35)).await;
    let all = [fired(shared, "rules-good").await?, fired(shared, "").await?].concat();
    ensure!(all.is_empty(), "alerts in a good release: {all:?}");
    Ok(())
}

async fn long_and_suspended(shared: &Shared) -> Result<()> {
    let slow = |canary: &mut Value| canary["spec"]["analysis"]["interval"] = json!("10m");
    let story = at_rest(shared, "rules-long", true, slow).await?;
    story.set_image("app", "app:2").await?;
    story.canary_that("app", |c| c.status.as_ref().is_some_and(|s| s.canary_weight == 25)).await?;
    fires(shared, "SerinReleaseRunsLong", "rules-long").await?;
    story.edit_canary("app", json!({"spec": {"suspend": true}})).await?;
    story.condition("app", "Suspended", "True", "").await?;
    shared.bed.kubelet()?.fail_ready(Selector::image("app:2").in_namespace("rules-long"));
    fires(shared, "SerinSuspendedWithoutPods", "rules-long").await
}

async fn at_a_gate(shared: &Shared) -> Result<()> {
    let gated = |canary: &mut Value| {
        let metrics = canary["spec"]["analysis"]["metrics"].clone();
        let steps = json!([{"weight": 20, "gate": {"name": "qa"}}, {"weight": 50}]);
        canary["spec"]["analysis"] =
            json!({"interval": "1s", "threshold": 3, "steps": steps, "metrics": metrics});
    };
    let story = at_rest(shared, "rules-gate", true, gated).await?;
    story.set_image("app", "app:2").await?;
    fires(shared, "SerinReleaseWaitsForPeople", "rules-gate").await
}

async fn frozen(shared: &Shared) -> Result<()> {
    let server = Badprom::start(Says::Text(503, "{}".into())).await?;
    let edit = |canary: &mut Value| canary["spec"]["metricsServer"] = json!(server.url());
    let story = at_rest(shared, "rules-frozen", true, edit).await?;
    story.set_image("app", "app:2").await?;
    fires(shared, "SerinReleaseFrozen", "rules-frozen").await
}

async fn refused(shared: &Shared) -> Result<()> {
    let story = Story::new(&shared.bed, "rules-refused").await?;
    story.apply(vec![canary("app")]).await?;
    fires(shared, "SerinCanaryNotAccepted", "rules-refused").await
}

async fn bad_releases(shared: &Shared) -> Result<()> {
    let address = nobody().await?;
    let provider = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "AlertProvider", "metadata": {"name": "people"},
        "spec": {"type": "slack", "address": address},
    });
    let alerting = |canary: &mut Value| {
        canary["spec"]["analysis"]["alerts"] = json!([{"name": "people", "providerRef": {"name": "people"}}]);
    };
    shared.bed.namespace("rules-bad").await?;
    shared.bed.apply("rules-bad", vec![provider]).await?;
    let story = at_rest(shared, "rules-bad", false, alerting).await?;
    for image in ["app:2", "app:3", "app:4"] {
        story.set_image("app", image).await?;
        story.phase("app", Phase::Progressing).await?;
        story.phase("app", Phase::Failed).await?;
    }
    fires(shared, "SerinReleaseRolledBack", "rules-bad").await?;
    fires(shared, "SerinReleaseRollsBackOften", "rules-bad").await?;
    fires(shared, "SerinAlertsLost", "").await
}

async fn silent_webhooks(shared: &Shared) -> Result<()> {
    let address = nobody().await?;
    let hooked = |canary: &mut Value| {
        let analysis = &mut canary["spec"]["analysis"];
        analysis["threshold"] = json!(1000);
        analysis["webhooks"] = json!([{"name": "check", "type": "rollout", "url": address, "timeout": "1s"}]);
    };
    let story = at_rest(shared, "rules-hooks", true, hooked).await?;
    story.set_image("app", "app:2").await?;
    fires(shared, "SerinWebhooksUnanswered", "").await
}

async fn alerts_fire_in_trouble_and_not_in_a_good_release(shared: &Shared) -> Result<()> {
    shared.bed.rules(&file()).await?;
    good_release(shared).await?;
    tokio::try_join!(
        long_and_suspended(shared),
        at_a_gate(shared),
        frozen(shared),
        refused(shared),
        bad_releases(shared),
        silent_webhooks(shared),
    )?;
    let mut operator = shared.operator.lock().await;
    operator.kill9().await?;
    fires(shared, "SerinGone", "").await?;
    operator.restart().await?;
    operator.ready(PATIENCE).await.context("after SerinGone")
}
