//! Releases of the examples for the mesh and for plain Services, with scripted metrics. The bed with other proxies
//! tests the other examples, and whether the API server accepts all of them.

use anyhow::{Context, ensure};
use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use serin::api::Phase;
use serin_bed::{
    Traffic,
    examples::{CONTAINER, FIRST, NAME, hurried, objects, primary},
    load::LoadHandle,
    story::{PATIENCE, Story},
};

use crate::{Family, Shared};

pub(crate) const STORIES: Family = &[crate::story!(those_that_the_bed_serves_are_released_to)];

/// Examples that the bed supports, and what a release changes in each.
const SERVED: [(&str, Release); 10] = [
    ("canary-istio", Release::Image),
    ("canary-istio-steps", Release::Image),
    ("canary-istio-ab", Release::Image),
    ("canary-istio-bluegreen", Release::Image),
    ("canary-istio-mirror", Release::Image),
    ("canary-istio-affinity", Release::Image),
    ("canary-istio-verdicts", Release::Image),
    ("canary-istio-configs", Release::Config),
    ("canary-hpa", Release::Image),
    ("canary-kubernetes", Release::Image),
];
/// Number of examples at a time.
const AT_ONCE: usize = 3;

#[derive(Clone, Copy, PartialEq)]
enum Release {
    /// Another tag.
    Image,
    /// Another value in the ConfigMap.
    Config,
}

async fn those_that_the_bed_serves_are_released_to(shared: &Shared) -> anyhow::Result<()> {
    let all: Vec<_> = SERVED.iter().map(|(name, release)| tried(shared, name, *release)).collect();
    let outcomes: Vec<_> = stream::iter(all).buffer_unordered(AT_ONCE).collect().await;
    let failed: Vec<String> = outcomes.into_iter().flatten().collect();
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

/// The error, if any.
async fn tried(shared: &Shared, name: &str, release: Release) -> Option<String> {
    let outcome = released_to(shared, name, release).await;
    outcome.err().map(|error| format!("{name}.yaml: {error:#}"))
}

/// From the unchanged objects, with shorter intervals, to the end of a good release.
async fn released_to(shared: &Shared, name: &str, release: Release) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, &format!("example-{name}")).await?;
    for side in [NAME, "podinfo-primary"] {
        shared.bed.scripted().traffic(&story.namespace, side, Traffic::success(100.0, 50.0));
    }
    let host = story.host(NAME);
    shared.bed.gateway(&story.namespace, &[&host]).await?;
    let objects = objects(name, &host)?;
    let canary = objects.iter().find(|object| object["kind"] == "Canary").cloned().context("no Canary")?;
    let outside = !canary["spec"]["service"]["gateways"].is_null();
    story.apply(objects).await?;
    let fast = hurried(&canary, "1s", "5s");
    story.edit_canary(NAME, json!({"spec": {"settleTime": "500ms", "analysis": fast}})).await?;
    story.phase(NAME, Phase::Initialized).await?;

    let target = story.target(NAME);
    let load = if outside {
        target.serving(FIRST, PATIENCE).await?;
        Some(LoadHandle::start(&target, 20.0, 2))
    } else {
        None
    };
    let [container, image] = CONTAINER;
    let tag = match release {
        Release::Image => "6.0.1",
        Release::Config => FIRST,
    };
    let image = format!("{image}:{tag}");
    let before = primary(&story).await?;
    match release {
        Release::Image => story.set_image_of(NAME, container, &image).await?,
        Release::Config => {
            let colour = Patch::Merge(json!({"data": {"PODINFO_UI_COLOR": "#34577c"}}));
            story.api::<ConfigMap>().patch(NAME, &PatchParams::default(), &colour).await?;
        }
    }
    story.phase(NAME, Phase::Succeeded).await?;
    let after = primary(&story).await?;
    ensure!(after["containers"][0]["image"] == image, "the primary runs {}", after["containers"][0]["image"]);
    ensure!(before != after, "the primary is as it was before the release");
    if let Some(load) = load {
        target.serving(tag, PATIENCE).await?;
        let window = load.stop().await;
        ensure!(window.lost() + window.version_errors == 0, "requests failed: {:?}", window.failures);
    }
    Ok(())
}
