//! The main task with real traffic: a good release is promoted, a bad one rolled back.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;
use serin::api::Phase;
use serin_bed::{
    kubelet::{Behaviour, Selector},
    load::LoadHandle,
    story::{Story, by_traffic},
};

use crate::{Family, Shared};

pub(crate) const STORIES: Family = &[
    crate::story!(a_good_release_is_promoted),
    crate::story!(a_bad_release_is_rolled_back),
    crate::story!(a_release_that_refuses_connections_is_rolled_back),
    crate::story!(a_release_that_breaks_off_connections_is_rolled_back),
    crate::story!(a_release_slower_than_the_routes_timeout_is_rolled_back),
];

async fn a_good_release_is_promoted(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "good").await?;
    story.initialised("app", by_traffic).await?;
    story.target("app").serving("1", Duration::from_secs(30)).await?;
    let load = LoadHandle::start(&story.target("app"), 200.0, 4);
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Succeeded).await?;
    story.target("app").serving("2", Duration::from_secs(30)).await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0, "requests lost: {:?}", window.failures);
    ensure!(window.version_errors == 0);
    ensure!(story.replicas("app").await? == Some(0));
    Ok(())
}

async fn a_bad_release_is_rolled_back(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "bad").await?;
    story.initialised("app", by_traffic).await?;
    story.target("app").serving("1", Duration::from_secs(30)).await?;
    shared.bed.kubelet()?.set(
        Selector::image("app:2").in_namespace("bad"),
        Behaviour { error_rate: Some(1.0), ..Behaviour::default() },
    );
    let load = LoadHandle::start(&story.target("app"), 200.0, 4);
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Failed).await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0, "requests lost: {:?}", window.failures);
    ensure!(window.version_errors > 0);
    ensure!(story.weight("app").await? == Some(0));
    ensure!(story.replicas("app").await? == Some(0));
    Ok(())
}

async fn a_release_that_refuses_connections_is_rolled_back(shared: &Shared) -> anyhow::Result<()> {
    fails_for_its_success_rate(shared, "refuses", Behaviour { refuses: Some(true), ..Behaviour::default() })
        .await
}

async fn a_release_that_breaks_off_connections_is_rolled_back(shared: &Shared) -> anyhow::Result<()> {
    fails_for_its_success_rate(
        shared,
        "breaks-off",
        Behaviour { breaks_off: Some(1.0), ..Behaviour::default() },
    )
    .await
}

async fn a_release_slower_than_the_routes_timeout_is_rolled_back(shared: &Shared) -> anyhow::Result<()> {
    let slow = Behaviour { delay: Some(Duration::from_secs(2)), ..Behaviour::default() };
    fails_for_its_success_rate(shared, "too-slow", slow).await
}

/// Requests that reach no pod, or get no answer in time, are only in the caller's metrics: such a release fails because
/// of its success rate, and not because of missing traffic.
async fn fails_for_its_success_rate(shared: &Shared, name: &str, second: Behaviour) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, name).await?;
    story
        .initialised("app", |canary| {
            by_traffic(canary);
            canary["spec"]["service"]["timeout"] = json!("1s");
        })
        .await?;
    story.target("app").serving("1", Duration::from_secs(30)).await?;
    shared.bed.kubelet()?.set(Selector::image("app:2").in_namespace(name), second);
    let load = LoadHandle::start(&story.target("app"), 200.0, 8);
    story.set_image("app", "app:2").await?;
    story.event("app", &format!("Halt app.{name} advancement success rate 0.00% < 99%")).await?;
    story.phase("app", Phase::Failed).await?;
    story.target("app").serving("1", Duration::from_secs(30)).await?;
    load.stop().await;
    ensure!(story.weight("app").await? == Some(0));
    Ok(())
}
