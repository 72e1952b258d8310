//! Comparisons with the primary, counted by a real Prometheus: every request counts exactly once.

use anyhow::{Context, ensure};
use serde_json::json;
use serin::api::{Canary, CompareStatus, CompareVerdict, Phase};
use serin_bed::{Traffic, story::Story};

use crate::{Family, Shared, bad_common::stands, story};

pub(crate) const STORIES: Family = &[
    story!(a_canary_that_fails_more_often_than_its_primary_goes_back_at_once),
    story!(a_canary_as_good_as_its_primary_is_promoted),
];

/// `app` at version 1, with a comparison every two seconds. One in a thousand requests to the primary fails. The given
/// percentage of requests to the canary succeeds.
async fn compared<'a>(
    shared: &'a Shared,
    namespace: &str,
    interval: &str,
    success: f64,
) -> anyhow::Result<Story<'a>> {
    let story = Story::new(&shared.bed, namespace).await?;
    shared.bed.scripted().traffic(namespace, "app-primary", Traffic::success(99.9, 50.0));
    shared.bed.scripted().traffic(namespace, "app", Traffic::success(success, 50.0));
    let edit = |c: &mut serde_json::Value| {
        let analysis = &mut c["spec"]["analysis"];
        analysis["interval"] = json!(interval);
        analysis["metrics"] = json!([{
            "name": "request-success-rate", "interval": "5s", "thresholdRange": {"min": 1},
            "compare": {"every": "2s", "hiccup": "2s", "bursts": 1, "warmup": {"for": "0s"}},
        }]);
    };
    story.initialised("app", edit).await?;
    Ok(story)
}

fn found(canary: &Canary) -> anyhow::Result<&CompareStatus> {
    let status = canary.status.as_ref().context("no status")?;
    let metric = status.metrics.first().context("no metric in status")?;
    metric.compare.as_ref().with_context(|| format!("nothing was compared: {metric:?}"))
}

/// Each scrape adds ten thousand requests to each side, so shares are exact if and only if every request is counted.
fn counted_exactly(found: &CompareStatus, failing: [i64; 2]) -> anyhow::Result<()> {
    for (side, per_thousand) in [found.canary, found.primary].into_iter().zip(failing) {
        let side = side.context("a side was not counted")?;
        ensure!(side.requests > 0 && side.requests % 10_000 == 0, "{found:?}");
        ensure!(side.failed * 1000 == side.requests * per_thousand, "{found:?}");
    }
    Ok(())
}

async fn a_canary_that_fails_more_often_than_its_primary_goes_back_at_once(
    shared: &Shared,
) -> anyhow::Result<()> {
    // no window ends in this story: only the comparison's checks end the run
    let story = compared(shared, "compare-worse", "60m", 90.0).await?;
    story.set_image("app", "app:2").await?;
    let words = ["request-success-rate", "10 % of", "0.1 % of", "times as often"];
    stands(&story, "app", "Halted", "True", "FoundWorse", &words).await?;
    let canary = story.phase("app", Phase::Failed).await?;
    ensure!(story.weight("app").await? == Some(0), "weight after the rollback");
    let found = found(&canary)?;
    ensure!(found.verdict == Some(CompareVerdict::Worse), "{found:?}");
    counted_exactly(found, [100, 1])
}

async fn a_canary_as_good_as_its_primary_is_promoted(shared: &Shared) -> anyhow::Result<()> {
    let story = compared(shared, "compare-as-good", "5s", 99.9).await?;
    story.set_image("app", "app:2").await?;
    let canary = story.phase("app", Phase::Succeeded).await?;
    let found = found(&canary)?;
    ensure!(found.verdict == Some(CompareVerdict::NoWorse), "{found:?}");
    counted_exactly(found, [1, 1])
}
