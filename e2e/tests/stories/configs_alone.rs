//! The cost of tracking ConfigMaps and Secrets after a restart of the operator. The flag disables all of it.

use anyhow::ensure;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use serin::{api::Phase, manifest::config};
use serin_bed::{
    Traffic, User,
    audit::Audit,
    operator::Operator,
    story::{PATIENCE, Story},
    wait,
};

use crate::{Family, Shared};

pub(crate) const STORIES: Family =
    &[crate::story!(a_new_life_reads_nothing_again), crate::story!(the_flag_turns_all_of_it_off)];

async fn alone(shared: &Shared, story: &Story<'_>, args: &[&str]) -> anyhow::Result<Operator> {
    shared.operator.lock().await.kill9().await?;
    let namespace = format!("--namespace={}", story.namespace);
    let mut operator = Operator::start(&shared.bed, &[&[namespace.as_str()], args].concat(), &[])?;
    operator.ready(PATIENCE).await?;
    Ok(operator)
}

/// The operator's requests about ConfigMaps and Secrets.
fn asked(shared: &Shared, story: &Story<'_>, from: Timestamp) -> anyhow::Result<Audit> {
    let all = Audit::of(&shared.bed, User::Operator)?.within(&story.namespace).between(from, Timestamp::MAX);
    Ok(all.only(|r| ["configmaps", "secrets"].contains(&r.resource.as_str())))
}

async fn settled(operator: &Operator) -> anyhow::Result<()> {
    let settled = async || {
        let metrics = operator.metrics().await.ok()?;
        metrics.lines().any(|l| l.contains("outcome=\"settled\"") && !l.ends_with(" 0")).then_some(())
    };
    wait::until("the operator to have nothing left to do", PATIENCE, settled).await
}

async fn a_new_life_reads_nothing_again(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "configs-life").await?;
    let mut operator = alone(shared, &story, &[]).await?;
    story.configured("app", |_| {}).await?;
    settled(&operator).await?;
    let read = asked(shared, &story, Timestamp::MIN)?.only(|r| r.verb == "get").count();
    ensure!((4..=8).contains(&read), "4 contents were read {read} times to be known and copied");
    operator.kill9().await?;
    let died = Timestamp::now();
    operator.restart().await?;
    operator.ready(PATIENCE).await?;
    settled(&operator).await?;
    let again = asked(shared, &story, died)?.only(|r| r.verb != "list" && r.verb != "watch");
    ensure!(again.count() == 0, "asked again: {:?}", again.requests());
    ensure!(asked(shared, &story, died)?.count() > 0, "that is not the whole log");
    Ok(())
}

async fn the_flag_turns_all_of_it_off(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "configs-off").await?;
    let operator = alone(shared, &story, &["--enable-config-tracking=false"]).await?;
    story.configured("app", |_| {}).await?;
    shared.bed.scripted().traffic("configs-off", "app", Traffic::success(100.0, 20.0));
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Succeeded).await?;
    let api = story.api::<k8s_openapi::api::core::v1::ConfigMap>();
    let changed = Patch::Merge(json!({"data": {"LEVEL": "2"}}));
    api.patch("app-env", &PatchParams::default(), &changed).await?;
    settled(&operator).await?;
    let primary = serde_json::to_value(story.api::<Deployment>().get("app-primary").await?)?;
    let used = config::references(&primary["spec"]["template"]["spec"]);
    ensure!(
        used.len() == 4 && used.iter().all(|r| !r.at.name.contains("primary")),
        "the primary uses {used:?}"
    );
    let asked = asked(shared, &story, Timestamp::MIN)?;
    ensure!(asked.count() == 0, "asked about contents: {:?}", asked.requests());
    story.canary_that("app", |c| c.status.as_ref().and_then(|s| s.phase) == Some(Phase::Succeeded)).await?;
    Ok(())
}
