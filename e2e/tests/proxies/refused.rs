//! A version that refuses every connection goes back as fast as one that answers 500 to everything, whoever counts: the proxies,
//! or the application itself, which then has nothing to count.
#![allow(clippy::print_stdout, reason = "how long it took is for the reader of the test's output")]

use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;
use serin::api::{Canary, Phase};
use serin_bed::{Behaviour, Selector, proxies::Door};

use crate::{Family, Shared, lives::Life, story, way::Way};

pub(crate) const STORIES: Family = &[
    story!(refused_connections_by_gateway_of_istiod),
    story!(refused_connections_by_istio),
    story!(refused_connections_by_contour),
    story!(refused_connections_by_traefik),
];

/// Two windows of the analysis: reports arrive at any time within one.
const LATER: Duration = Duration::from_secs(4);

async fn refused(shared: &Shared, namespace: &str, way: Way) -> anyhow::Result<()> {
    let life = Life::begin(shared, namespace, way).await?;
    life.adopted(json!({"stepWeights": [10, 50], "threshold": 3})).await?;
    let bad = [
        ("app:2", Behaviour { error_rate: Some(1.0), ..Behaviour::default() }),
        ("app:3", Behaviour { refuses: Some(true), ..Behaviour::default() }),
    ];
    let mut took = Vec::new();
    for (image, behaviour) in bad {
        shared.bed.kubelet()?.set(Selector::image(image).in_namespace(namespace), behaviour);
        life.story.set_image("app", image).await?;
        life.at_step(1).await?;
        let began = Instant::now();
        let ended =
            life.story.canary_that("app", |c| phase(c) == Some(Phase::Failed) || weight(c) > 10).await?;
        ensure!(weight(&ended) == 0, "{image} was given {} %", weight(&ended));
        took.push(began.elapsed());
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
    ensure!(refuses <= answers + LATER, "500: {answers:?}, refused: {refuses:?}");
    Ok(())
}

fn phase(canary: &Canary) -> Option<Phase> {
    canary.status.as_ref().and_then(|s| s.phase)
}

fn weight(canary: &Canary) -> i32 {
    canary.status.as_ref().map_or(0, |s| s.canary_weight)
}

async fn refused_connections_by_gateway_of_istiod(shared: &Shared) -> anyhow::Result<()> {
    refused(shared, "refused-gw-istiod", Way::Gateway(Door::Mesh)).await
}

async fn refused_connections_by_istio(shared: &Shared) -> anyhow::Result<()> {
    refused(shared, "refused-istio", Way::Istio).await
}

async fn refused_connections_by_contour(shared: &Shared) -> anyhow::Result<()> {
    refused(shared, "refused-contour", Way::Contour).await
}

async fn refused_connections_by_traefik(shared: &Shared) -> anyhow::Result<()> {
    refused(shared, "refused-traefik", Way::Traefik).await
}
