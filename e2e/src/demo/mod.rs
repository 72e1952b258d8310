//! `make demo`: releases on the bed under real traffic, shown in the terminal while they happen.
//!
//! [`scenarios`] says what is played and in which order. [`act`] plays one release, [`beside`] looks at those who make a
//! strategy special, [`report`] judges what was seen, [`keep`] leaves everything running for a look around.

mod act;
mod beside;
mod calls;
mod keep;
mod measured;
mod report;
mod scenarios;
mod screen;
mod sight;
mod traffic;

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};
use serin::api::Phase;

pub use self::scenarios::{SCENARIOS, Scenario, find, list};
use self::{
    act::{Act, Outcome},
    measured::Limits,
    screen::Screen,
    sight::Sight,
    traffic::Traffic,
};
use crate::{
    bed::{Bed, Options, proxies::Door},
    load::Target,
    operator::Operator,
    story::{PATIENCE, Story},
};

const NAMESPACE: &str = "test";
/// Name of the Deployment and of the Canary.
const NAME: &str = "podinfo";
/// Requests a second: a step of 4 s counts 2,000 answers, twice what is needed to judge a share.
const RATE: f64 = 500.0;

/// What stands while the acts are played.
struct Stage<'a> {
    story: Story<'a>,
    operator: Operator,
    traffic: Traffic,
    sight: Sight,
    screen: Screen,
    limits: Limits,
    scenario: &'static Scenario,
    /// A request without anything that names it.
    everyone: Target,
    /// The Deployment's image without its tag.
    image: String,
    container: String,
    /// The version that everyone gets.
    serving: String,
}

/// Plays all acts of a scenario; whether all went as they should. [`crate::enter`] must have been called.
///
/// # Errors
/// The bed or the operator does not start, or an act does not end.
pub async fn play(scenario: &'static Scenario) -> anyhow::Result<bool> {
    let began = Instant::now();
    let mut screen = Screen::new();
    screen.title("Serin at work on real parts, under real traffic")?;
    screen.line(scenario.about)?;
    screen.line("")?;
    let proxies = scenario.door.and_then(Door::proxy).into_iter().collect();
    let options = Options { proxies, ..Options::default() };
    let bed = Bed::start(options).await?;
    bed.install().await?;
    let parts: Vec<&str> = bed.timings().iter().map(|(name, _)| *name).filter(|name| is_part(name)).collect();
    screen.fact("bed", &format!("{} s: {}", tenths(began.elapsed()), parts.join(", ")))?;
    let mut stage = open(&bed, scenario, screen).await?;
    let mut played: Vec<(&Act, Outcome)> = Vec::new();
    for (index, act) in scenario.acts.iter().enumerate() {
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

/// Deployment and Canary of a scenario.
fn objects(scenario: &Scenario) -> anyhow::Result<(Value, Value)> {
    let mut found = Vec::new();
    for text in [scenario.example, scenarios::PLAIN] {
        let objects: Vec<Value> = serde_saphyr::from_multiple(text).context("reading the example")?;
        found.extend(objects);
    }
    let mut of_kind = |kind: &str| {
        let first = found.iter().position(|one| one["kind"] == kind);
        first.map(|first| found.remove(first)).with_context(|| format!("no {kind}"))
    };
    let (mut deployment, mut canary) = (of_kind("Deployment")?, of_kind("Canary")?);
    (scenario.edit)(&mut deployment, &mut canary);
    Ok((deployment, canary))
}

/// Everything up to the first act: operator, objects, client.
async fn open<'a>(
    bed: &'a Bed,
    scenario: &'static Scenario,
    mut screen: Screen,
) -> anyhow::Result<Stage<'a>> {
    let mut operator = Operator::start(bed, &[], &[])?;
    operator.ready(PATIENCE).await?;
    let (deployment, canary) = objects(scenario)?;
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let (image, tag) =
        container["image"].as_str().and_then(|image| image.rsplit_once(':')).context("no tag")?;
    let (image, serving) = (image.to_owned(), tag.to_owned());
    let container = text(&container["name"]).to_owned();
    let host = canary["spec"]["service"]["hosts"][0].as_str().context("no host")?.to_owned();
    let limits = Limits::of(&canary);
    introduce(&mut screen, scenario, &canary, &host)?;

    let began = Instant::now();
    let story = Story::new(bed, NAMESPACE).await?;
    bed.gateway(NAMESPACE, &[&host]).await?;
    let mut sight = Sight::open(&story, NAME, scenario.door.is_some());
    story.apply(vec![deployment, canary]).await?;
    sight.said("Initialization done!", PATIENCE).await?;
    let everyone = match scenario.door {
        Some(door) => Target::at(door.address(), &host),
        None => Target::gateway(&host),
    };
    everyone.serving(&serving, PATIENCE).await?;
    screen.fact(
        "ready",
        &format!("{} s: {NAME}-primary serves everyone with {serving}", tenths(began.elapsed())),
    )?;
    let target = scenario.header.iter().fold(everyone.clone(), |to, (name, value)| to.header(name, value));
    Ok(Stage {
        story,
        operator,
        traffic: Traffic::new(target, RATE),
        sight,
        screen,
        limits,
        scenario,
        everyone,
        image,
        container,
        serving,
    })
}

/// What there is to know before the first act.
fn introduce(screen: &mut Screen, scenario: &Scenario, canary: &Value, host: &str) -> anyhow::Result<()> {
    let analysis = &canary["spec"]["analysis"];
    let (interval, threshold) = (text(&analysis["interval"]), &analysis["threshold"]);
    screen.fact(
        "release",
        &format!(
            "{NAME} in {NAMESPACE}: {}, a check every {interval}, rolled back after {threshold} that fail",
            scenario.plan
        ),
    )?;
    let limits = Limits::of(canary);
    screen.fact("limits", &format!("success rate {}, 99th percentile {}", limits.success(), limits.p99()))?;
    let with = scenario.header.map(|(name, value)| format!(" with {name}: {value}")).unwrap_or_default();
    screen.fact("client", &format!("{RATE} requests/s to {host}{with} through Envoy; none is sent twice"))?;
    Ok(())
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
