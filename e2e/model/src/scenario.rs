//! Scenarios as data: the objects, then the events with their times. A test compares the transcript with the expected
//! one.
//!
//! ```yaml
//! title: a bad release goes back
//! canary: {analysis: {threshold: 2}}       # laid over the usual spec
//! show: [phase, route, events]          # see `show`; all, where this is not said
//! steps:
//!   - {at: 30s, image: "podinfo:2"}
//!   - {at: 40s, metrics: {request-success-rate: 90.09}}
//!   - {at: 2m}
//! ```

use std::{fmt::Write as _, time::Duration};

use anyhow::{Result, bail};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};
use serin::{
    manifest::scaler,
    names,
    snapshot::{CONFIG_MAP, DEPLOYMENT, HPA, KNATIVE_SERVICE, REVISION, SCALED_OBJECT, SECRET, SERVICE},
};

use crate::{
    fixture,
    objects::{put, rivals},
    route,
    show::{self, Topic},
    sim::Sim,
    step::Step,
    time, transcript,
    world::World,
};

/// A scenario.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Scenario {
    /// A sentence that describes the scenario.
    pub title: String,
    /// Also show what happens before the first step.
    #[serde(default)]
    fresh: bool,
    /// Merged into the usual spec.
    #[serde(default)]
    canary: Value,
    /// Merged into the usual Canary without its spec: metadata, status.
    #[serde(default)]
    object: Value,
    /// Merged into the usual Deployment. `absent`: no Deployment.
    #[serde(default)]
    target: Value,
    /// Other initial objects.
    #[serde(default)]
    objects: Vec<Value>,
    /// CustomResourceDefinitions that do not exist.
    #[serde(default)]
    missing: Vec<String>,
    /// Names of older Canaries with the same target.
    #[serde(default)]
    rivals: Vec<String>,
    /// The parts of the transcript to compare. Without it, the whole transcript with all texts is compared.
    #[serde(default)]
    show: Vec<Topic>,
    /// The events with their times.
    steps: Vec<Step>,
}

/// Runs a scenario and returns the requested parts of the transcript.
///
/// # Errors
/// The scenario is invalid, or violates an invariant.
pub fn shown(text: &str) -> Result<String> {
    let story: Scenario = serde_saphyr::from_str(text)?;
    let whole = told(&story)?;
    Ok(if story.show.is_empty() { whole } else { show::about(&whole, &story.show) })
}

/// Runs a scenario and returns the whole transcript.
///
/// # Errors
/// The same as for [`shown`].
pub fn tell(text: &str) -> Result<String> {
    told(&serde_saphyr::from_str(text)?)
}

/// Whether a scenario asks for its whole transcript.
///
/// # Errors
/// The scenario is invalid.
pub fn is_whole(text: &str) -> Result<bool> {
    Ok(serde_saphyr::from_str::<Scenario>(text)?.show.is_empty())
}

/// Runs a scenario and returns the Canary after each write of its status, and at the end if it still exists.
///
/// # Errors
/// The same as for [`shown`].
pub fn statuses(text: &str) -> Result<Vec<Value>> {
    let story: Scenario = serde_saphyr::from_str(text)?;
    let mut sim = Sim::new(story.world()?, "podinfo");
    sim.told = Some(vec![]);
    play(&story, &mut sim)?;
    let mut all = sim.told.take().unwrap_or_default();
    all.extend(sim.world.canary);
    Ok(all)
}

fn told(story: &Scenario) -> Result<String> {
    play(story, &mut Sim::new(story.world()?, "podinfo"))
}

fn play(story: &Scenario, sim: &mut Sim) -> Result<String> {
    sim.observer.lenient = !story.object["status"].is_null();
    let begin = sim.now;
    let mut out = format!("{}\n", story.title);
    for (number, step) in story.steps.iter().enumerate() {
        let at = time::later(begin, duration(&step.at)?);
        let mut told = String::new();
        let away = step.away.as_deref().map(duration).transpose()?.unwrap_or_default();
        pass(sim, time::earlier(at, away), &mut told)?;
        if !away.is_zero() {
            sim.away(away);
        }
        if story.fresh || number > 0 {
            out.push_str(&told);
        }
        let said = step.happens(sim)?;
        writeln!(out, "\n+{} {said}", step.at)?;
        sim.look();
    }
    sim.settle();
    flush(sim, &mut out, false);
    end(sim, &mut out)?;
    if let Err(wrong) = sim.verdict() {
        bail!("{wrong}\n{out}");
    }
    Ok(out)
}

/// Lets time pass until `at`. Each moment with an event gets its own heading.
fn pass(sim: &mut Sim, at: jiff::Timestamp, out: &mut String) -> Result<()> {
    if at == sim.now {
        return Ok(());
    }
    sim.settle();
    flush(sim, out, false);
    for _ in 0..2000 {
        let serin::plan::Wake::At(next) = sim.wake() else { break };
        if next >= at {
            break;
        }
        sim.now = next;
        sim.settle();
        flush(sim, out, true);
    }
    if at < sim.now {
        bail!("the steps of a scenario are in order of time");
    }
    sim.now = at;
    Ok(())
}

fn flush(sim: &mut Sim, out: &mut String, headed: bool) {
    let lines = std::mem::take(&mut sim.log);
    if lines.is_empty() {
        return;
    }
    if headed {
        let since = sim.now.duration_since(time::start());
        *out += &format!("\n+{}\n", compact(since));
    }
    for line in lines {
        *out += &format!("  {line}\n");
    }
}

fn compact(time: SignedDuration) -> String {
    let (minutes, seconds, millis) = (time.as_secs() / 60, time.as_secs() % 60, time.subsec_millis());
    let seconds = if millis == 0 { format!("{seconds}s") } else { format!("{seconds}.{millis:03}s") };
    if minutes == 0 {
        seconds
    } else if seconds == "0s" {
        format!("{minutes}m")
    } else {
        format!("{minutes}m{seconds}")
    }
}

/// Services with their selector, ready endpoints, ports, and the number of the container port behind the first.
fn services(sim: &Sim, out: &mut String) -> Result<()> {
    for service in sim.world.objects.of(SERVICE) {
        let name = service["metadata"]["name"].as_str().unwrap_or_default();
        let ready = sim.world.ready.get(name).copied().unwrap_or(0);
        let ports = service["spec"]["ports"].as_array().into_iter().flatten();
        let ports: Vec<_> = ports.map(|port| port["port"].to_string()).collect();
        let ports = if ports.len() > 1 { format!(", ports {}", ports.join(" and ")) } else { String::new() };
        let to = service["spec"]["ports"][0]["targetPort"].as_i64();
        let to = to.map_or_else(String::new, |to| format!(", to {to}"));
        writeln!(out, "  Service {name}: {} ({ready} ready){ports}{to}", service["spec"]["selector"])?;
    }
    Ok(())
}

fn end(sim: &Sim, out: &mut String) -> Result<()> {
    writeln!(out, "\nin the end")?;
    match &sim.world.canary {
        None => writeln!(out, "  the Canary is gone")?,
        Some(canary) => {
            let status = sim.world.status();
            writeln!(out, "  phase {}, weight {}", status.phase.unwrap_or_default(), status.canary_weight)?;
            for condition in status.conditions.iter().filter(|c| !transcript::follows(c)) {
                writeln!(out, "  {}={} {}", condition.type_, condition.status, condition.reason)?;
            }
            for entry in status.metrics.iter().filter(|entry| judged_anew(canary, &entry.name)) {
                writeln!(out, "  {}", transcript::metric(entry))?;
            }
            if canary["metadata"]["finalizers"].is_null() {
                writeln!(out, "  no finalizer")?;
            }
        }
    }
    for (kind, live) in sim.world.workloads() {
        let name = live["metadata"]["name"].as_str().unwrap_or_default();
        writeln!(out, "  {} {name}: {}", kind.kind, transcript::deployment(&live))?;
    }
    services(sim, out)?;
    for live in sim.world.objects.of(KNATIVE_SERVICE) {
        let (metadata, traffic) = (&live["metadata"], &live["spec"]["traffic"]);
        writeln!(out, "  Knative Service {}: {} {traffic}", metadata["name"], metadata["annotations"])?;
    }
    for kind in [HPA, SCALED_OBJECT] {
        for live in sim.world.objects.of(kind) {
            let (min, max) = scaler::bounds(kind, live);
            let at = live["metadata"]["annotations"][names::KEDA_PAUSED_REPLICAS].as_str();
            let paused = match (at, scaler::kept_up(live)) {
                (Some(at), _) => format!(", paused at {at}"),
                (None, true) => ", scale-in paused".into(),
                (None, false) => String::new(),
            };
            let name = live["metadata"]["name"].as_str().unwrap_or_default();
            writeln!(out, "  {} {name}: {min} to {max}{paused}", kind.kind)?;
        }
    }
    let rules = route::rules(&sim.world, sim.names());
    for (n, rule) in rules.iter().enumerate() {
        let which = if rules.len() > 1 { format!("route {}", n + 1) } else { "route".into() };
        for (host, weight) in rule {
            writeln!(out, "  {which} {weight} % to {host}")?;
        }
    }
    for object in [CONFIG_MAP, SECRET].into_iter().flat_map(|kind| sim.world.objects.of(kind)) {
        let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        writeln!(out, "  {} {}: {}", text(kind), text(name), object["data"])?;
    }
    let revisions: Vec<_> = sim.world.objects.of(REVISION).collect();
    writeln!(out, "  {} stored templates, {} questions asked", revisions.len(), sim.asked)?;
    Ok(())
}

/// The metric has fields that Flagger does not have.
fn judged_anew(canary: &Value, name: &str) -> bool {
    const FLAGGERS: [&str; 7] =
        ["name", "query", "interval", "threshold", "thresholdRange", "templateRef", "templateVariables"];
    let metrics = canary["spec"]["analysis"]["metrics"].as_array().into_iter().flatten();
    let fields = metrics.filter(|m| m["name"] == name).filter_map(Value::as_object).flatten();
    fields.into_iter().any(|(field, _)| !FLAGGERS.contains(&field.as_str()))
}

fn duration(text: &str) -> Result<Duration> {
    let (mut total, mut number) = (Duration::ZERO, 0_u64);
    for c in text.chars() {
        match (c, c.to_digit(10)) {
            (_, Some(digit)) => number = number * 10 + u64::from(digit),
            ('s', _) => total += Duration::from_secs(std::mem::take(&mut number)),
            ('m', _) => total += Duration::from_secs(std::mem::take(&mut number) * 60),
            ('h', _) => total += Duration::from_secs(std::mem::take(&mut number) * 3600),
            _ => bail!("{text} is no time such as 1m30s"),
        }
    }
    Ok(total)
}

impl Scenario {
    fn world(&self) -> Result<World> {
        let mut world = World::default();
        world.missing_kinds.clone_from(&self.missing);
        world.rivals = rivals(&self.rivals);
        if self.target != "absent" {
            let mut target = fixture::target("podinfo:1");
            merge_some(&mut target, &self.target);
            world.put(DEPLOYMENT, target, time::start());
        }
        for object in &self.objects {
            put(&mut world, object, time::start())?;
        }
        let spec = if self.canary.is_null() { json!({}) } else { self.canary.clone() };
        let mut canary = fixture::canary(&spec);
        merge_some(&mut canary, &self.object);
        world.put_canary(canary, time::start());
        Ok(world)
    }
}

fn merge_some(into: &mut Value, over: &Value) {
    if !over.is_null() {
        json_patch::merge(into, over);
    }
}
