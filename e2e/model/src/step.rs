//! One step of a scenario: an event at a time, applied to the model and described in words.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};
use serin::{
    analysis::{Doubt, Reading},
    snapshot::{ObjectRef, Queued, StaleKind},
};

use crate::{
    fixture,
    objects::{kind_named, put, rivals},
    others::{Change, Refusal},
    pods::Mode,
    rates::Rates,
    sim::{Sim, Trouble},
};

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Step {
    pub(crate) at: String,
    #[serde(default)]
    metrics: BTreeMap<String, Value>,
    /// Requests per second to both sides from now on, as `{canary: [all, failed], primary: [all, failed]}`, or why they
    /// cannot be counted.
    #[serde(default)]
    counts: Option<Counting>,
    /// Answers of webhooks from now on: a text refuses, null accepts.
    #[serde(default)]
    hooks: BTreeMap<String, Option<String>>,
    #[serde(default)]
    image: Option<String>,
    #[serde(default)]
    pods: BTreeMap<String, Mode>,
    /// EndpointSlices stay as they are from now on, or follow the pods again.
    #[serde(default)]
    slices_late: Option<bool>,
    /// Replicas that the load asks for, by Deployment.
    #[serde(default)]
    load: BTreeMap<String, i64>,
    /// Merge patch of the Canary's spec.
    #[serde(default)]
    spec: Option<Value>,
    /// Merge patches, by `Kind name`.
    #[serde(default)]
    edit: BTreeMap<String, Value>,
    /// Changes by others from now on after each write of the operator, by `Kind name`. Null ends them.
    #[serde(default)]
    changed_back: BTreeMap<String, Option<Change>>,
    /// Writes that the API server refuses from now on, by `Kind name`. Null ends this.
    #[serde(default)]
    refused: BTreeMap<String, Option<Refusal>>,
    /// `Kind name`.
    #[serde(default)]
    delete: Option<String>,
    #[serde(default)]
    create: Option<Value>,
    #[serde(default)]
    rivals: Option<Vec<String>>,
    #[serde(default)]
    missing: Option<Vec<String>>,
    /// Kinds that the API server does not list from now on, with the reason.
    #[serde(default)]
    unlisted: Option<BTreeMap<String, String>>,
    /// Kinds whose watch is broken from now on.
    #[serde(default)]
    unseen: Option<Vec<String>>,
    /// Whether the contents cannot be read.
    #[serde(default)]
    unreadable: Option<bool>,
    /// Value of the annotation `serin.dev/request`.
    #[serde(default)]
    request: Option<String>,
    /// The operator dies after this many writes of its next plan.
    #[serde(default)]
    crash: Option<usize>,
    /// The operator is not running for this long, e.g. `15m`. The step starts afterwards.
    #[serde(default)]
    pub(crate) away: Option<String>,
    /// The operator's clock differs from all others by this many seconds.
    #[serde(default)]
    clock: Option<i64>,
    /// This many other Canaries run, which is the maximum. 0: one of them has ended.
    #[serde(default)]
    others_run: Option<usize>,
    /// Somebody else writes the Canary just before the operator does.
    #[serde(default)]
    conflict: bool,
}

#[derive(Deserialize, Debug)]
#[serde(untagged)]
enum Counting {
    Rates(Rates),
    Unread(String),
}

impl Step {
    /// Applies the step. Returns its description.
    pub(crate) fn happens(&self, sim: &mut Sim) -> Result<String> {
        let mut said = Vec::new();
        self.time_is_odd(sim, &mut said);
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
        self.counted(sim, &mut said);
        for (name, refusal) in &self.hooks {
            match refusal {
                Some(why) => sim.refusals.insert(name.clone(), why.clone()),
                None => sim.refusals.remove(name),
            };
            said.push(format!("the webhook {name} says {}", refusal.as_deref().unwrap_or("yes")));
        }
        self.pods_change(sim, &mut said);
        if let Some(spec) = &self.spec {
            sim.world.edit_canary(&json!({"spec": spec}));
            sim.observer.decisions.spec_edited = true;
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
        self.others(sim, &mut said)?;
        self.comes_and_goes(sim, &mut said)?;
        if let Some(writes) = self.crash {
            sim.trouble = Some(Trouble::CrashAfter(writes));
            said.push(format!("the operator will die after {writes} writes"));
        }
        if self.conflict {
            sim.trouble = Some(Trouble::Conflict);
            said.push("somebody writes the Canary at the same time".into());
        }
        sim.controllers();
        Ok(if said.is_empty() { "nothing happens".into() } else { said.join("; ") })
    }

    fn pods_change(&self, sim: &mut Sim, said: &mut Vec<String>) {
        if let Some(late) = self.slices_late {
            sim.pods.slices_late = late;
            said.push(format!("EndpointSlices follow the pods: {}", !late));
        }
        for (name, mode) in &self.pods {
            sim.pods.modes.insert(name.clone(), *mode);
            said.push(format!("new pods of {name}: {mode:?}"));
        }
        for (name, replicas) in &self.load {
            sim.pods.loads.insert(name.clone(), *replicas);
            said.push(format!("the load of {name} asks for {replicas} replicas"));
        }
    }

    fn counted(&self, sim: &mut Sim, said: &mut Vec<String>) {
        if let Some(counting) = &self.counts {
            if let Ok(former) = &sim.counts {
                sim.former_counts.push((sim.clock(), *former));
            }
            sim.counts = match counting {
                Counting::Rates(rates) => Ok(*rates),
                Counting::Unread(why) => Err(why.clone()),
            };
            said.push(match &sim.counts {
                Ok(rates) => format!("requests a second are {rates}"),
                Err(why) => format!("requests cannot be counted: {why}"),
            });
        }
    }

    fn others(&self, sim: &mut Sim, said: &mut Vec<String>) -> Result<()> {
        for (what, change) in &self.changed_back {
            let at = points_at(what)?;
            if let Some(change) = change {
                sim.others.changes.insert(at.clone(), change.clone());
                sim.others.react(&mut sim.world, &at, sim.now);
                let who = change.by.as_deref().unwrap_or("the API server");
                said.push(format!("{who} changes {what} from now on"));
            } else {
                sim.others.changes.remove(&at);
                said.push(format!("{what} is changed no more"));
            }
        }
        for (what, why) in &self.refused {
            match why {
                Some(why) => sim.others.refuses.insert(points_at(what)?, why.clone()),
                None => sim.others.refuses.remove(&points_at(what)?),
            };
            said.push(format!("writes of {what} are refused: {}", why.is_some()));
        }
        Ok(())
    }

    fn time_is_odd(&self, sim: &mut Sim, said: &mut Vec<String>) {
        if let Some(away) = &self.away {
            said.push(format!("the operator was away for {away}"));
        }
        if let Some(seconds) = self.clock {
            sim.skew += SignedDuration::from_secs(seconds);
            if seconds > 0 {
                sim.watching_since = sim.clock();
            }
            sim.observer.clock_was_set();
            said.push(format!("the operator's clock is set by {seconds} s"));
        }
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
            let none = if names.is_empty() { "none" } else { "" };
            said.push(format!("older Canaries of the same target: {none}{}", names.join(", ")));
        }
        if let Some(most) = self.others_run {
            sim.queued = Some(Queued { most, in_namespace: false }).filter(|_| most > 0);
            said.push(format!(
                "{most} other Canaries run, {}",
                if most > 0 { "as many as may" } else { "and others may" }
            ));
        }
        if let Some(unreadable) = self.unreadable {
            sim.unreadable = unreadable;
            said.push(format!("contents can be read: {}", !unreadable));
        }
        if let Some(unlisted) = &self.unlisted {
            let kinds =
                unlisted.iter().filter_map(|(name, why)| Some((kind_named(name)?.crd(), why.clone())));
            sim.world.unlisted = kinds.collect();
            said.push(format!("kinds that cannot be listed: {}", unlisted.len()));
        }
        if let Some(unseen) = &self.unseen {
            let kinds = unseen.iter().filter_map(|name| kind_named(name));
            let why = "forbidden".to_owned();
            let stale =
                kinds.map(|kind| StaleKind { kind, namespace: None, since: sim.now, why: why.clone() });
            sim.world.stale = stale.collect();
            let none = if unseen.is_empty() { "none" } else { "" };
            said.push(format!("kinds that are not seen: {none}{}", unseen.join(", ")));
        }
        if let Some(missing) = &self.missing {
            sim.world.missing_kinds.clone_from(missing);
            let none = if missing.is_empty() { "none" } else { "" };
            said.push(format!("kinds the cluster does not have: {none}{}", missing.join(", ")));
        }
        Ok(())
    }
}

/// `99.5`, `nodata`, `down`, `early`, `late` and `reset` for good but doubtful values, `former` for bad values from
/// before the run, `behind` for no values from a server that lags, `emptied` for one that lost them, or a list of values.
fn reading(value: &Value) -> Option<Reading> {
    let doubted = |doubt| Some(Reading::Doubted { values: vec![99.9], doubt });
    let number = |v: &Value| match v.as_str() {
        Some(text) => text.parse().unwrap_or(f64::NAN),
        None => v.as_f64().unwrap_or(f64::NAN),
    };
    match value {
        Value::Null => None,
        Value::Array(values) => Some(Reading::Values(values.iter().map(number).collect())),
        Value::String(text) if text == "nodata" => Some(Reading::Values(vec![])),
        Value::String(text) if text == "early" => doubted(Doubt::Early),
        Value::String(text) if text == "reset" => doubted(Doubt::Reset),
        Value::String(text) if text == "former" => {
            Some(Reading::Doubted { values: vec![10.0], doubt: Doubt::Former })
        }
        Value::String(text) if text == "late" => doubted(Doubt::Late { seconds: 31 }),
        Value::String(text) if text == "behind" => {
            Some(Reading::Doubted { values: vec![], doubt: Doubt::Behind { seconds: 31 } })
        }
        Value::String(text) if text == "emptied" => {
            Some(Reading::Doubted { values: vec![], doubt: Doubt::Emptied })
        }
        Value::String(text) if text == "down" => Some(Reading::Failed("connection refused".into())),
        one => Some(Reading::Values(vec![number(one)])),
    }
}

fn points_at(text: &str) -> Result<ObjectRef> {
    let (kind, name) = text.split_once(' ').with_context(|| format!("{text} is not `Kind name`"))?;
    let kind = kind_named(kind).with_context(|| format!("no kind {kind} in scenarios"))?;
    Ok(ObjectRef::new(kind, name))
}
