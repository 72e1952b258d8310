//! The main job on real traffic: a good release promoted, a bad one rolled back.

use std::time::Duration;

use anyhow::ensure;
use serin::api::Phase;
use serin_bed::{
    load::LoadHandle,
    story::{Story, by_traffic},
};

use crate::{Family, Shared};

pub(crate) const STORIES: Family =
    &[crate::story!(a_good_release_is_promoted), crate::story!(a_bad_release_is_rolled_back)];

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
        serin_bed::kubelet::Selector::image("app:2").in_namespace("bad"),
        serin_bed::kubelet::Behaviour { error_rate: Some(1.0), ..Default::default() },
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
