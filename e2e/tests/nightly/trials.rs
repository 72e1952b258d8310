//! Fifty releases under traffic, with a disturbance every five seconds: moving traffic loses no request, no share
//! exceeds the analysed one (S9 of the observer), and every run ends.
//!
//! `SERIN_SEED` repeats the random choices.
#![allow(clippy::print_stdout, reason = "what was drawn is for the reader of the test's output")]

use std::{
    collections::{BTreeMap, hash_map::RandomState},
    env,
    hash::{BuildHasher as _, Hasher as _},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    Traffic,
    load::LoadHandle,
    story::{PATIENCE, Story},
    wait,
};

use crate::{
    Family, Shared,
    trouble::{Draw, Trouble},
};

pub(crate) const STORIES: Family = &[crate::story!(fifty_releases_with_trouble_end_and_lose_no_request)];

/// Number of parallel applications.
const APPLICATIONS: u64 = 5;
/// Releases per application.
const RELEASES: u64 = 10;
/// Time between two disturbances.
const PAUSE: Duration = Duration::from_secs(5);
/// Maximum number of disturbances per run. After that the run is left alone.
const MOST: usize = 6;
/// The longest time until an undisturbed run ends.
const END: Duration = Duration::from_secs(180);

/// The results of one application's releases.
#[derive(Default)]
struct Told {
    requests: u64,
    promoted: usize,
    failed: usize,
    troubles: BTreeMap<&'static str, usize>,
}

async fn fifty_releases_with_trouble_end_and_lose_no_request(shared: &Shared) -> anyhow::Result<()> {
    let seed = match env::var("SERIN_SEED") {
        Ok(text) => text.parse().context("SERIN_SEED is a number")?,
        Err(_) => RandomState::new().build_hasher().finish() % 1_000_000,
    };
    println!("trials: SERIN_SEED={seed}");
    let all = (0..APPLICATIONS).map(|number| application(shared, number, seed));
    let told = try_join_all(all).await.with_context(|| format!("SERIN_SEED={seed}"))?;
    let mut troubles: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, times) in told.iter().flat_map(|one| &one.troubles) {
        *troubles.entry(name).or_default() += times;
    }
    let sum = |of: fn(&Told) -> usize| told.iter().map(of).sum::<usize>();
    println!(
        "trials: {} promoted, {} failed, {} requests, 0 lost; {troubles:?}",
        sum(|one| one.promoted),
        sum(|one| one.failed),
        told.iter().map(|one| one.requests).sum::<u64>()
    );
    Ok(())
}

async fn application(shared: &Shared, number: u64, seed: u64) -> anyhow::Result<Told> {
    let story = Story::new(&shared.bed, &format!("trial-{number}")).await?;
    story.initialised("app", |canary| *canary = usual(canary.take())).await?;
    let host = story.host("app");
    shared.bed.scripted().traffic(&story.namespace, "app", Traffic::success(100.0, 50.0));
    story.target("app").serving("1", PATIENCE).await?;
    let (mut draw, mut told) = (Draw::new(seed ^ (number << 32)), Told::default());
    let load = LoadHandle::start(&story.target("app"), 40.0, 2);
    for release in 1..=RELEASES {
        let done = one(shared, &story, &mut draw, release + 1, &mut told).await;
        let window = load.reset();
        told.requests += window.requests;
        done.with_context(|| format!("{host}, release {release}"))?;
        ensure!(
            window.lost() == 0,
            "{host}, release {release}: of {} requests, lost: {:?}",
            window.requests,
            window.failures
        );
    }
    load.stop().await;
    Ok(told)
}

/// Five steps of two seconds.
fn usual(mut canary: Value) -> Value {
    canary["spec"]["settleTime"] = json!("2s");
    canary["spec"]["analysis"]["interval"] = json!("2s");
    canary["spec"]["analysis"]["stepWeight"] = json!(10);
    canary
}

/// One release, with disturbances until it has ended, or for long enough.
async fn one(
    shared: &Shared,
    story: &Story<'_>,
    draw: &mut Draw,
    version: u64,
    told: &mut Told,
) -> anyhow::Result<()> {
    let bad = draw.below(4) == 0;
    let scripted = shared.bed.scripted();
    scripted.reset(&story.namespace, "app").await?;
    scripted.traffic(&story.namespace, "app", Traffic::success(if bad { 50.0 } else { 100.0 }, 50.0));
    story.set_image("app", &format!("app:{version}")).await?;
    let number = |c: &Canary| c.status.as_ref().and_then(|s| s.last_run.as_ref()).map_or(0, |run| run.number);
    let before = number(&story.api::<Canary>().get("app").await?);
    let mut happened = Vec::new();
    for _ in 0..MOST {
        tokio::time::sleep(PAUSE).await;
        if number(&story.api::<Canary>().get("app").await?) > before {
            break;
        }
        let trouble = Trouble::draw(draw);
        println!("trials: {} app:{version}: {}", story.namespace, trouble.name());
        happened.push(trouble.name());
        *told.troubles.entry(trouble.name()).or_default() += 1;
        trouble.happen(shared, story, draw).await.with_context(|| trouble.name())?;
    }
    Trouble::over(story).await?;
    let ended = |c: &Canary| {
        let status = c.status.as_ref();
        let rests = status
            .is_some_and(|s| matches!(s.phase, Some(Phase::Succeeded | Phase::Failed)) && s.run.is_none());
        rests && number(c) > before
    };
    let canary = wait::object(story.api::<Canary>(), "app", END, ended)
        .await
        .with_context(|| format!("the run of app:{version} does not end after {happened:?}"))?;
    match canary.status.and_then(|status| status.phase) {
        Some(Phase::Succeeded) => told.promoted += 1,
        Some(Phase::Failed) => told.failed += 1,
        other => bail!("it ends in {other:?}"),
    }
    Ok(())
}
