//! `make demo`: releases on the bed under real traffic, shown in the terminal while they happen.
//!
//! Owns what is played and in which order. The objects are those of `deploy/examples/canary-istio.yaml`, as they are.
//! [`act`] plays one release, [`report`] judges what was seen, [`keep`] leaves everything running for a look around.

mod act;
mod calls;
mod keep;
mod measured;
mod report;
mod screen;
mod sight;
mod traffic;

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};
use serin::api::Phase;

use self::{
    act::{Act, Outcome},
    measured::Limits,
    screen::Screen,
    sight::Sight,
    traffic::Traffic,
};
use crate::{
    bed::{Bed, Options},
    load::Target,
    operator::Operator,
    story::{PATIENCE, Story},
};

/// What can be watched.
pub const SCENARIOS: [&str; 1] = ["first-flight"];

const EXAMPLE: &str = include_str!("../../../deploy/examples/canary-istio.yaml");
const NAMESPACE: &str = "test";
/// Name of the Deployment and of the Canary.
const NAME: &str = "podinfo";
/// Requests a second: a step of 4 s counts 2,000 answers, twice what is needed to judge a share.
const RATE: f64 = 500.0;

const ACTS: [Act; 3] = [
    Act {
        title: "a good release is promoted",
        about: "6.0.1 is as good as 6.0.0: it gets 10, 30 and 50 % of the traffic, then all of it.",
        version: "6.0.1",
        error_rate: 0.0,
        called: true,
        end: Phase::Succeeded,
    },
    Act {
        title: "a bad release is rolled back",
        about: "6.0.2 answers 500 to everything: after two failed checks nobody is sent to it any more.",
        version: "6.0.2",
        error_rate: 1.0,
        called: true,
        end: Phase::Failed,
    },
    Act {
        title: "a release that nobody calls is rolled back",
        about: "The client is silent: nothing is known about 6.0.3, so it is not promoted. Then callers come back.",
        version: "6.0.3",
        error_rate: 0.0,
        called: false,
        end: Phase::Failed,
    },
];

/// What stands while the acts are played.
struct Stage<'a> {
    story: Story<'a>,
    operator: Operator,
    traffic: Traffic,
    sight: Sight,
    screen: Screen,
    limits: Limits,
    /// Those that a good release goes through.
    weights: Vec<i64>,
    /// The Deployment's image without its tag.
    image: String,
    container: String,
    /// The version that everyone gets.
    serving: String,
}

/// Plays all acts; whether all went as they should. [`crate::enter`] must have been called.
///
/// # Errors
/// The bed or the operator does not start, or an act does not end.
pub async fn first_flight() -> anyhow::Result<bool> {
    let began = Instant::now();
    let mut screen = Screen::new();
    screen.title("Serin at work: three releases on real parts, under real traffic")?;
    screen.line("")?;
    let bed = Bed::start(Options::default()).await?;
    bed.install().await?;
    let parts: Vec<&str> = bed.timings().iter().map(|(name, _)| *name).filter(|name| is_part(name)).collect();
    screen.fact("bed", &format!("{} s: {}", tenths(began.elapsed()), parts.join(", ")))?;
    let mut stage = open(&bed, screen).await?;
    let mut played: Vec<(&Act, Outcome)> = Vec::new();
    for (index, act) in ACTS.iter().enumerate() {
        stage.screen.line("")?;
        stage.screen.title(&format!("Act {}: {}", index + 1, act.title))?;
        stage.screen.line(&format!("{}\n", act.about))?;
        let outcome = act::play(&mut stage, act).await?;
        if outcome.phase == Phase::Succeeded {
            act.version.clone_into(&mut stage.serving);
        }
        played.push((act, outcome));
    }
    let good = report::print(&mut stage, &played, began.elapsed())?;
    if keep::wanted() {
        keep::running(&mut stage).await?;
    }
    drop(stage);
    bed.stop().await?;
    Ok(good)
}

/// Everything up to the first act: operator, objects, client.
async fn open(bed: &Bed, mut screen: Screen) -> anyhow::Result<Stage<'_>> {
    let mut operator = Operator::start(bed, &[], &[])?;
    operator.ready(PATIENCE).await?;
    let objects: Vec<Value> = serde_saphyr::from_multiple(EXAMPLE).context("reading the example")?;
    let of_kind = |kind: &str| objects.iter().find(|one| one["kind"] == kind).cloned().unwrap_or_default();
    let (canary, deployment) = (of_kind("Canary"), of_kind("Deployment"));
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let (image, tag) =
        container["image"].as_str().and_then(|image| image.rsplit_once(':')).context("no tag")?;
    let host = canary["spec"]["service"]["hosts"][0].as_str().context("no host")?.to_owned();
    let limits = Limits::of(&canary);
    let analysis = &canary["spec"]["analysis"];
    let weights: Vec<i64> =
        analysis["stepWeights"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    screen.fact(
        "release",
        &format!(
            "{NAME} in {NAMESPACE}: weights {} %, a check every {}, rolled back after {} that fail",
            list(&weights),
            text(&analysis["interval"]),
            analysis["threshold"],
        ),
    )?;
    screen.fact("limits", &format!("success rate {}, 99th percentile {}", limits.success(), limits.p99()))?;
    screen.fact("client", &format!("{RATE} requests/s to {host} through Envoy; none is sent twice"))?;

    let began = Instant::now();
    let story = Story::new(bed, NAMESPACE).await?;
    bed.gateway(NAMESPACE, &[&host]).await?;
    let mut sight = Sight::open(&story, NAME);
    bed.apply_yaml(NAMESPACE, EXAMPLE).await?;
    sight.said("Initialization done!", PATIENCE).await?;
    let target = Target::gateway(&host);
    target.serving(tag, PATIENCE).await?;
    screen.fact(
        "ready",
        &format!("{} s: {NAME}-primary serves everyone with {tag}", tenths(began.elapsed())),
    )?;
    let (image, container, serving) = (image.to_owned(), text(&container["name"]).to_owned(), tag.to_owned());
    Ok(Stage {
        story,
        operator,
        traffic: Traffic::new(target, RATE),
        sight,
        screen,
        limits,
        weights,
        image,
        container,
        serving,
    })
}

impl Stage<'_> {
    /// Changes the image, as `kubectl set image` does.
    async fn release(&self, image: &str) -> anyhow::Result<()> {
        let containers = json!([{"name": self.container, "image": image}]);
        let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
        let api: kube::Api<k8s_openapi::api::apps::v1::Deployment> = self.story.api();
        let patch = kube::api::Patch::Strategic(patch);
        api.patch(NAME, &kube::api::PatchParams::default(), &patch).await.context("setting the image")?;
        Ok(())
    }
}

/// Timings of a bed name its parts, and some other things.
fn is_part(name: &str) -> bool {
    !matches!(name, "all" | "istio-crds")
}

fn tenths(took: Duration) -> String {
    format!("{:.1}", took.as_secs_f64())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(weights: &[i64]) -> String {
    let all: Vec<String> = weights.iter().map(i64::to_string).collect();
    all.join(", ")
}
