//! Fifty releases beside traffic, and more until leaders have failed for ten minutes. Every third one is bad.
#![allow(clippy::print_stdout, reason = "how long takeovers took is for the reader of the test's output")]

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use futures::future::try_join_all;
use k8s_openapi::api::apps::v1::Deployment;
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    Traffic,
    hooks::Receiver,
    load::LoadHandle,
    story::{PATIENCE, Story},
    wait,
};

use crate::{
    Shared,
    leaders::Pair,
    told::{self, Releases},
};

/// Applications side by side.
const APPLICATIONS: usize = 5;
/// Releases of each, at least.
const RELEASES: usize = 10;
/// How long leaders fail, at least.
const LENGTH: Duration = Duration::from_secs(600);
/// Longest run.
const END: Duration = Duration::from_secs(240);

pub(crate) async fn every_run_ends_as_it_should_when_leaders_fail(shared: &Shared) -> anyhow::Result<()> {
    let (receiver, mut pair) = (Receiver::start().await?, Pair::start(shared).await?);
    let since = Instant::now();
    let told = {
        let releases = try_join_all((0..APPLICATIONS).map(|n| application(shared, &receiver, n, since)));
        tokio::select! {
            told = releases => told?,
            failed = pair.fail() => match failed? {},
        }
    };
    let sum = |of: fn(&Releases) -> usize| told.iter().map(of).sum::<usize>();
    println!(
        "ha: {} promoted, {} rolled back, {} requests, 0 lost, {} alerts and {} webhooks heard, in {:.0?}",
        sum(|one| one.promoted),
        sum(|one| one.failed),
        told.iter().map(|one| one.requests).sum::<u64>(),
        sum(|one| one.alerts),
        sum(|one| one.webhooks),
        since.elapsed()
    );
    for takeover in pair.takeovers() {
        println!("ha: {takeover}");
    }
    Ok(())
}

async fn application(
    shared: &Shared,
    receiver: &Receiver,
    number: usize,
    since: Instant,
) -> anyhow::Result<Releases> {
    let story = Story::new(&shared.bed, &format!("ha-{number}")).await?;
    story.apply(vec![told::provider(receiver, &story.namespace)]).await?;
    story.initialised("app", |canary| edit(canary, receiver, number)).await?;
    story.target("app").serving("1", PATIENCE).await?;
    let (mut told, load) = (Releases::default(), LoadHandle::start(&story.target("app"), 40.0, 2));
    let mut version = 1;
    while version <= RELEASES || since.elapsed() < LENGTH {
        version += 1;
        let what = format!("{}, app:{version}", story.namespace);
        let done = Box::pin(one(shared, &story, version, &mut told)).await;
        let window = load.reset();
        told.requests += window.requests;
        done.with_context(|| what.clone())?;
        ensure!(window.lost() == 0, "{what}: of {} requests, lost: {:?}", window.requests, window.failures);
    }
    load.stop().await;
    told.heard(receiver, &story.namespace)?;
    Ok(told)
}

/// Five steps of four seconds, so that leaders fail in every part of a run.
fn edit(canary: &mut Value, receiver: &Receiver, number: usize) {
    let namespace = format!("ha-{number}");
    canary["spec"]["settleTime"] = json!("2s");
    let analysis = &mut canary["spec"]["analysis"];
    analysis["interval"] = json!("4s");
    analysis["stepWeight"] = json!(10);
    analysis["webhooks"] = told::webhooks(receiver, &namespace);
    analysis["alerts"] = json!([{"name": "chat", "severity": "info", "providerRef": {"name": "chat"}}]);
}

/// One release: a good version is promoted, a bad one goes back.
async fn one(shared: &Shared, story: &Story<'_>, version: usize, told: &mut Releases) -> anyhow::Result<()> {
    let bad = version.is_multiple_of(3);
    let scripted = shared.bed.scripted();
    scripted.reset(&story.namespace, "app").await?;
    scripted.traffic(&story.namespace, "app", Traffic::success(if bad { 50.0 } else { 100.0 }, 50.0));
    let number = |c: &Canary| c.status.as_ref().and_then(|s| s.last_run.as_ref()).map_or(0, |run| run.number);
    let before = number(&story.api::<Canary>().get("app").await?);
    let image = format!("app:{version}");
    story.set_image("app", &image).await?;
    let ended = |c: &Canary| {
        let status = c.status.as_ref();
        let rests = status.is_some_and(|s| s.run.is_none() && !s.post_rollout_due);
        rests && number(c) > before
    };
    let canary = wait::object(story.api::<Canary>(), "app", END, ended).await.context("it does not end")?;
    let phase = canary.status.and_then(|status| status.phase);
    let primary: Deployment = story.api().get("app-primary").await?;
    let spec = primary.spec.template.spec.unwrap_or_default();
    let promoted = spec.containers.first().and_then(|c| c.image.as_deref()) == Some(image.as_str());
    match (phase, bad, promoted) {
        (Some(Phase::Succeeded), false, true) => told.promoted += 1,
        (Some(Phase::Failed), true, false) => told.failed += 1,
        (phase, ..) => bail!("bad: {bad}, ended in {phase:?}, promoted: {promoted}"),
    }
    ensure!(story.weight("app").await? == Some(0), "weight after the end");
    Ok(())
}
