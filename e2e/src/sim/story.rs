//! Stories as data: the objects, then what happens when. The transcript of one is compared with what is expected.
//!
//! ```yaml
//! title: a bad release goes back
//! canary: {analysis: {threshold: 2}}       # laid over the usual spec
//! steps:
//!   - {at: 30s, image: "podinfo:2"}
//!   - {at: 40s, metrics: {request-success-rate: 90.09}}
//!   - {at: 2m}
//! ```

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use anyhow::{Context as _, Result, bail};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};
use serin::{
    analysis::Reading,
    manifest::scaler,
    snapshot::{
        CONFIG_MAP, DAEMONSET, DEPLOYMENT, HPA, KNATIVE_SERVICE, Kind, ObjectRef, REVISION, Rival,
        SCALED_OBJECT, SECRET, SERVICE,
    },
};

use super::{
    Sim, Trouble, fixture,
    pods::Mode,
    route, transcript,
    world::{World, merge},
};

/// A story.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Story {
    /// What happens, as a sentence.
    pub title: String,
    /// Tell also what happens before the first step.
    #[serde(default)]
    fresh: bool,
    /// Laid over the usual spec.
    #[serde(default)]
    canary: Value,
    /// Laid over the usual Canary, its spec apart: metadata, status.
    #[serde(default)]
    object: Value,
    /// Laid over the usual Deployment; `absent` for none.
    #[serde(default)]
    target: Value,
    /// Other objects that are there at the beginning.
    #[serde(default)]
    objects: Vec<Value>,
    /// CustomResourceDefinitions that are not there.
    #[serde(default)]
    missing: Vec<String>,
    /// Names of older Canaries that want the same target.
    #[serde(default)]
    rivals: Vec<String>,
    /// What happens when.
    steps: Vec<Step>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Step {
    at: String,
    #[serde(default)]
    metrics: BTreeMap<String, Value>,
    /// What webhooks say from now on: a text is a no, nothing a yes.
    #[serde(default)]
    hooks: BTreeMap<String, Option<String>>,
    #[serde(default)]
    image: Option<String>,
    #[serde(default)]
    pods: BTreeMap<String, Mode>,
    /// Replicas that the load asks for, by Deployment.
    #[serde(default)]
    load: BTreeMap<String, i64>,
    /// Merge patch of the Canary's spec.
    #[serde(default)]
    spec: Option<Value>,
    /// Merge patches, by `Kind name`.
    #[serde(default)]
    edit: BTreeMap<String, Value>,
    /// `Kind name`.
    #[serde(default)]
    delete: Option<String>,
    #[serde(default)]
    create: Option<Value>,
    #[serde(default)]
    rivals: Option<Vec<String>>,
    #[serde(default)]
    missing: Option<Vec<String>>,
    /// The API server does not give out contents, or does again.
    #[serde(default)]
    unreadable: Option<bool>,
    /// Value of the annotation `serin.dev/request`.
    #[serde(default)]
    request: Option<String>,
    /// The operator dies after so many writes of its next plan.
    #[serde(default)]
    crash: Option<usize>,
    /// Somebody else writes the Canary just before the operator does.
    #[serde(default)]
    conflict: bool,
}

const KINDS: [Kind; 10] = [
    DEPLOYMENT,
    DAEMONSET,
    SERVICE,
    REVISION,
    CONFIG_MAP,
    SECRET,
    HPA,
    SCALED_OBJECT,
    route::VIRTUAL_SERVICE,
    KNATIVE_SERVICE,
];

/// Kinds by the names that stories give them: their own, but for Knative's Service.
fn kind_named(name: &str) -> Option<Kind> {
    if name == "KnativeService" {
        return Some(KNATIVE_SERVICE);
    }
    KINDS.into_iter().find(|kind| kind.kind == name)
}

/// Plays a story and tells it.
///
/// # Errors
/// The story does not make sense, or what happened in it must not.
pub fn tell(text: &str) -> Result<String> {
    let story: Story = serde_saphyr::from_str(text)?;
    let mut sim = Sim::new(story.world()?, "podinfo");
    sim.observer.lenient = !story.object["status"].is_null();
    let begin = sim.now;
    let mut out = format!("{}\n", story.title);
    for (number, step) in story.steps.iter().enumerate() {
        let at = fixture::later(begin, duration(&step.at)?);
        let mut told = String::new();
        pass(&mut sim, at, &mut told)?;
        if story.fresh || number > 0 {
            out.push_str(&told);
        }
        let said = step.happens(&mut sim)?;
        writeln!(out, "\n+{} {said}", step.at)?;
        sim.look();
    }
    sim.settle();
    flush(&mut sim, &mut out, false);
    end(&sim, &mut out)?;
    if let Err(wrong) = sim.verdict() {
        bail!("{wrong}\n{out}");
    }
    Ok(out)
}

/// Time passes up to `at`, each moment at which something happens under its own heading.
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
        bail!("the steps of a story are in order of time");
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
        let since = sim.now.duration_since(fixture::start());
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

fn end(sim: &Sim, out: &mut String) -> Result<()> {
    writeln!(out, "\nin the end")?;
    match &sim.world.canary {
        None => writeln!(out, "  the Canary is gone")?,
        Some(canary) => {
            let status = sim.world.status();
            writeln!(out, "  phase {}, weight {}", status.phase.unwrap_or_default(), status.canary_weight)?;
            for condition in &status.conditions {
                writeln!(out, "  {}={} {}", condition.type_, condition.status, condition.reason)?;
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
    for service in sim.world.objects.of(SERVICE) {
        let name = service["metadata"]["name"].as_str().unwrap_or_default();
        let ready = sim.world.ready.get(name).copied().unwrap_or(0);
        writeln!(out, "  Service {name}: {} ({ready} ready)", service["spec"]["selector"])?;
    }
    for live in sim.world.objects.of(KNATIVE_SERVICE) {
        let (metadata, traffic) = (&live["metadata"], &live["spec"]["traffic"]);
        writeln!(out, "  Knative Service {}: {} {traffic}", metadata["name"], metadata["annotations"])?;
    }
    for kind in [HPA, SCALED_OBJECT] {
        for live in sim.world.objects.of(kind) {
            let (min, max) = scaler::bounds(kind, live);
            let paused = if scaler::paused(live) { ", paused at 0" } else { "" };
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

/// `99.5`, `nodata`, `down`, or a list of values.
fn reading(value: &Value) -> Option<Reading> {
    let number = |v: &Value| match v.as_str() {
        Some(text) => text.parse().unwrap_or(f64::NAN),
        None => v.as_f64().unwrap_or(f64::NAN),
    };
    match value {
        Value::Null => None,
        Value::Array(values) => Some(Reading::Values(values.iter().map(number).collect())),
        Value::String(text) if text == "nodata" => Some(Reading::Values(vec![])),
        Value::String(text) if text == "down" => Some(Reading::Failed("connection refused".into())),
        one => Some(Reading::Values(vec![number(one)])),
    }
}

fn points_at(text: &str) -> Result<ObjectRef> {
    let (kind, name) = text.split_once(' ').with_context(|| format!("{text} is not `Kind name`"))?;
    let kind = kind_named(kind).with_context(|| format!("no kind {kind} in stories"))?;
    Ok(ObjectRef::new(kind, name))
}

fn rivals(names: &[String]) -> Vec<Rival> {
    let one = |name: &String| Rival {
        name: name.clone(),
        uid: "uid-0".into(),
        created: Some(fixture::start() - SignedDuration::from_hours(1)),
        wants: ObjectRef::new(DEPLOYMENT, "podinfo"),
    };
    names.iter().map(one).collect()
}

impl Story {
    fn world(&self) -> Result<World> {
        let mut world = World::default();
        world.missing_kinds.clone_from(&self.missing);
        world.rivals = rivals(&self.rivals);
        if self.target != "absent" {
            let mut target = fixture::target("podinfo:1");
            merge_some(&mut target, &self.target);
            world.put(DEPLOYMENT, target, fixture::start());
        }
        for object in &self.objects {
            put(&mut world, object, fixture::start())?;
        }
        let spec = if self.canary.is_null() { json!({}) } else { self.canary.clone() };
        let mut canary = fixture::canary(&spec);
        merge_some(&mut canary, &self.object);
        world.put_canary(canary, fixture::start());
        Ok(world)
    }
}

fn merge_some(into: &mut Value, over: &Value) {
    if !over.is_null() {
        merge(into, over);
    }
}

fn put(world: &mut World, object: &Value, now: jiff::Timestamp) -> Result<()> {
    let kind = object["kind"].as_str().and_then(kind_named).context("an object of no known kind")?;
    world.put(kind, object.clone(), now);
    Ok(())
}

impl Step {
    /// Does what the step says; returns it in words.
    fn happens(&self, sim: &mut Sim) -> Result<String> {
        let mut said = Vec::new();
        if let Some(image) = &self.image {
            fixture::set_image(sim, image);
            said.push(format!("the target gets {image}"));
        }
        for (metric, value) in &self.metrics {
            match reading(value) {
                Some(reading) => sim.readings.insert(metric.clone(), reading),
                None => sim.readings.remove(metric),
            };
            let what = if value.is_null() { "well".to_owned() } else { value.to_string() };
            said.push(format!("{metric} reads {what}"));
        }
        for (name, refusal) in &self.hooks {
            match refusal {
                Some(why) => sim.refusals.insert(name.clone(), why.clone()),
                None => sim.refusals.remove(name),
            };
            said.push(format!("the webhook {name} says {}", refusal.as_deref().unwrap_or("yes")));
        }
        for (name, mode) in &self.pods {
            sim.pods.modes.insert(name.clone(), *mode);
            said.push(format!("new pods of {name}: {mode:?}"));
        }
        for (name, replicas) in &self.load {
            sim.pods.loads.insert(name.clone(), *replicas);
            said.push(format!("the load of {name} asks for {replicas} replicas"));
        }
        if let Some(spec) = &self.spec {
            sim.world.edit_canary(&json!({"spec": spec}));
            sim.observer.spec_edited = true;
            said.push(format!("the Canary's spec gets {spec}"));
        }
        if let Some(request) = &self.request {
            sim.world.edit_canary(&json!({"metadata": {"annotations": {"serin.dev/request": request}}}));
            said.push(format!("somebody asks for {request}"));
        }
        for (what, patch) in &self.edit {
            if !sim.world.edit(&points_at(what)?, patch) {
                bail!("there is no {what} to edit");
            }
            said.push(format!("{what} gets {patch}"));
        }
        self.comes_and_goes(sim, &mut said)?;
        if let Some(writes) = self.crash {
            sim.trouble = Some(Trouble::CrashAfter(writes));
            said.push(format!("the operator will die after {writes} writes"));
        }
        if self.conflict {
            sim.trouble = Some(Trouble::Conflict);
            said.push("somebody writes the Canary at the same time".into());
        }
        sim.pods.play(&mut sim.world, sim.now);
        Ok(if said.is_empty() { "nothing happens".into() } else { said.join("; ") })
    }

    fn comes_and_goes(&self, sim: &mut Sim, said: &mut Vec<String>) -> Result<()> {
        if let Some(what) = &self.delete {
            if what == "Canary" {
                sim.world.delete_canary(sim.now);
            } else if sim.world.objects.remove(&points_at(what)?).is_none() {
                bail!("there is no {what} to delete");
            } else if what.starts_with("ConfigMap") || what.starts_with("Secret") {
                sim.observer.configs_deleted = true;
            }
            said.push(format!("{what} is deleted"));
        }
        if let Some(object) = &self.create {
            put(&mut sim.world, object, sim.now)?;
            said.push(format!("{} {} is made", object["kind"], object["metadata"]["name"]));
        }
        if let Some(names) = &self.rivals {
            sim.world.rivals = rivals(names);
            said.push(format!("older Canaries of the same target: {names:?}"));
        }
        if let Some(unreadable) = self.unreadable {
            sim.unreadable = unreadable;
            said.push(format!("contents can be read: {}", !unreadable));
        }
        if let Some(missing) = &self.missing {
            sim.world.missing_kinds.clone_from(missing);
            said.push(format!("kinds the cluster does not have: {missing:?}"));
        }
        Ok(())
    }
}
