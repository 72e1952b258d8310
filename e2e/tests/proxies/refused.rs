//! A version that refuses every connection is rolled back after as many checks as one that answers everything with 500,
//! with counts from the proxies and with counts from the application itself, which then has nothing to count.
#![allow(clippy::print_stdout, reason = "how long it took is for the reader of the test's output")]

use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde_json::json;
use serin::api::{Canary, CanaryRun, Phase};
use serin_bed::{Behaviour, Selector, proxies::Door, story::PATIENCE, wait};

use crate::{Family, Shared, lives::Life, story, way::Way};

pub(crate) const STORIES: Family = &[
    story!(refused_connections_by_gateway_of_istiod),
    story!(refused_connections_by_istio),
    story!(refused_connections_by_contour),
    story!(refused_connections_by_traefik),
];

/// Measurements that may have no result before the counts of the requests arrive.
const LATER: i64 = 2;

async fn refused(shared: &Shared, namespace: &str, way: Way) -> anyhow::Result<()> {
    let life = Life::begin(shared, namespace, way).await?;
    life.adopted(json!({"stepWeights": [10, 50], "threshold": 3})).await?;
    let bad = [
        ("app:2", Behaviour { error_rate: Some(1.0), ..Behaviour::default() }),
        ("app:3", Behaviour { refuses: Some(true), ..Behaviour::default() }),
    ];
    let (mut took, mut measured) = (Vec::new(), Vec::new());
    for (image, behaviour) in bad {
        shared.bed.kubelet()?.set(Selector::image(image).in_namespace(namespace), behaviour);
        life.story.set_image("app", image).await?;
        life.at_step(1).await?;
        let began = Instant::now();
        let ended =
            life.story.canary_that("app", |c| phase(c) == Some(Phase::Failed) || weight(c) > 10).await?;
        ensure!(weight(&ended) == 0, "{image} was given {} %", weight(&ended));
        took.push(began.elapsed());
        measured.push(Box::pin(counts(&life, ended)).await.with_context(|| image.to_owned())?);
        life.users.all("1").await?;
        life.story.set_image("app", "app:1").await?;
        life.story.phase("app", Phase::Succeeded).await?;
    }
    let [answers, refuses] = took[..] else { unreachable!() };
    println!(
        "{namespace}: at 10 %, back after {:.1} s of 500 and {:.1} s of refused connections",
        answers.as_secs_f64(),
        refuses.as_secs_f64()
    );
    let [answers, refuses] = measured[..] else { unreachable!() };
    println!(
        "{namespace}: measurements and failed checks: {answers:?} of 500, {refuses:?} of refused connections"
    );
    ensure!(refuses.1 == answers.1, "failed checks: {} of 500, {} of refused", answers.1, refuses.1);
    ensure!(refuses.0 <= answers.0 + LATER, "measurements: {} of 500, {} of refused", answers.0, refuses.0);
    Ok(())
}

/// Measurements and failed checks of the completed run.
async fn counts(life: &Life<'_>, ended: Canary) -> anyhow::Result<(i64, i32)> {
    let run = ended.status.and_then(|s| s.last_run).context("no run has ended")?;
    let over = |record: &CanaryRun| record.status.as_ref().is_some_and(|s| s.ended.is_some());
    let record = wait::object(life.story.api::<CanaryRun>(), &run.name, PATIENCE, over).await?;
    let metrics = record.status.unwrap_or_default().metrics;
    Ok((metrics.iter().flat_map(|metric| metric.verdicts.values()).sum(), run.failed_checks))
}

fn phase(canary: &Canary) -> Option<Phase> {
    canary.status.as_ref().and_then(|s| s.phase)
}

fn weight(canary: &Canary) -> i32 {
    canary.status.as_ref().map_or(0, |s| s.canary_weight)
}

async fn refused_connections_by_gateway_of_istiod(shared: &Shared) -> anyhow::Result<()> {
    Box::pin(refused(shared, "refused-gw-istiod", Way::Gateway(Door::Mesh))).await
}

async fn refused_connections_by_istio(shared: &Shared) -> anyhow::Result<()> {
    Box::pin(refused(shared, "refused-istio", Way::Istio)).await
}

async fn refused_connections_by_contour(shared: &Shared) -> anyhow::Result<()> {
    Box::pin(refused(shared, "refused-contour", Way::Contour)).await
}

async fn refused_connections_by_traefik(shared: &Shared) -> anyhow::Result<()> {
    Box::pin(refused(shared, "refused-traefik", Way::Traefik)).await
}
