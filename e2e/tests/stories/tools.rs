//! The operator's other commands, as users run them: `explain` and `release-all`.

use std::{process::Output, time::Duration};

use anyhow::{Context, ensure};
use kube::api::ListParams;
use serin::api::{Canary, Phase};
use serin_bed::{
    Traffic, User,
    load::LoadHandle,
    operator::binary,
    story::{PATIENCE, Story},
    wait,
};
use tokio::process::Command;

use crate::{Family, Shared, story};

pub(crate) const STORIES: Family = &[
    story!(explain_says_what_comes_next_and_writes_nothing),
    story!(release_all_hands_every_application_back),
];

async fn serin(shared: &Shared, arguments: &[&str]) -> anyhow::Result<Output> {
    let kubeconfig = shared.bed.kubeconfig(User::Admin);
    let run = Command::new(binary()?).args(arguments).arg("--kubeconfig").arg(kubeconfig).output();
    run.await.context("run serin")
}

async fn explain_says_what_comes_next_and_writes_nothing(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "explained").await?;
    shared.bed.scripted().traffic("explained", "app", Traffic::success(100.0, 20.0));
    story.initialised("app", |c| c["spec"]["analysis"]["interval"] = "600s".into()).await?;
    story.set_image("app", "app:2").await?;
    let weight = |c: &Canary| c.status.as_ref().is_some_and(|s| s.canary_weight == 25);
    let before = story.canary_that("app", weight).await?;
    // the second pod may appear a moment later
    let text = wait::until("both pods to be counted", PATIENCE, async || {
        let output = serin(shared, &["explain", "app", "-n", "explained"]).await.ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success() && text.contains("ready pods behind app-canary: 2")).then_some(text)
    });
    let text = text.await?;
    for part in [
        "phase Progressing, canary weight 25",
        "next:\n  stopped by the guard analysis (waiting)\n  waits ",
        "then, if a check fails:",
    ] {
        ensure!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    let after = story.canary_that("app", |_| true).await?;
    ensure!(before.metadata.resource_version == after.metadata.resource_version, "explain wrote something");
    let missing = serin(shared, &["explain", "nobody", "-n", "explained"]).await?;
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    ensure!(
        !missing.status.success() && said.contains("nobody"),
        "no clear word for a missing Canary: {said}"
    );
    Ok(())
}

async fn release_all_hands_every_application_back(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "released").await?;
    story.initialised("app", |_| {}).await?;
    story.target("app").serving("1", Duration::from_secs(30)).await?;
    let load = LoadHandle::start(&story.target("app"), 100.0, 2);
    let output = serin(shared, &["release-all", "--namespace", "released"]).await?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    ensure!(text.contains("[1/1] releasing released/app") && text.contains("1 released"), "{text}");
    let left: kube::Api<Canary> = story.api();
    ensure!(left.list(&ListParams::default()).await?.items.is_empty());
    ensure!(story.replicas("app").await? == Some(2), "the target is not back");
    ensure!(story.replicas("app-primary").await?.is_none(), "the primary is left");
    let window = load.stop().await;
    ensure!(window.lost() == 0, "requests lost: {:?}", window.failures);
    // the same Canary may take over its former objects again
    story.initialised("app", |_| {}).await?;
    story.phase("app", Phase::Initialized).await.map(drop)
}
