//! The environment of the acts: operator, objects, client.

use std::time::Instant;

use anyhow::Context;
use serde_json::{Value, json};
use serin_bed::{
    Bed,
    load::Target,
    operator::Operator,
    story::{PATIENCE, Story},
};

use super::{
    measured::Limits,
    numbers::{NAME, NAMESPACE, tenths},
    scenarios::{self, Scenario},
    screen::Screen,
    sight::Sight,
    traffic::Traffic,
};

/// Requests per second: a step of 4 s has 2,000 answers, twice the number needed to judge a share.
const RATE: f64 = 500.0;

/// The environment of the acts.
pub(super) struct Stage<'a> {
    pub(super) story: Story<'a>,
    pub(super) operator: Operator,
    pub(super) traffic: Traffic,
    pub(super) sight: Sight,
    pub(super) screen: Screen,
    pub(super) limits: Limits,
    pub(super) scenario: &'static Scenario,
    /// A request without a match.
    pub(super) everyone: Target,
    /// The Deployment's image without its tag.
    pub(super) image: String,
    pub(super) container: String,
    /// The current version.
    pub(super) serving: String,
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

/// Sets up everything before the first act: operator, objects, client.
pub(super) async fn open<'a>(
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

/// The introduction before the first act.
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
    /// Changes the image like `kubectl set image`.
    pub(super) async fn release(&self, image: &str) -> anyhow::Result<()> {
        let containers = json!([{"name": self.container, "image": image}]);
        let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
        let api: kube::Api<k8s_openapi::api::apps::v1::Deployment> = self.story.api();
        let patch = kube::api::Patch::Strategic(patch);
        api.patch(NAME, &kube::api::PatchParams::default(), &patch).await.context("setting the image")?;
        Ok(())
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
