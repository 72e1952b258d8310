//! PURE. What has to be remembered of one Canary between revisions, and how a revision changes it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::Value;
use serin::{api::duration, manifest::revision};

use super::world::{Change, Facts, Kind, Names, World, list, written};

/// What changed this short a time before a write was not yet so when the write was decided.
pub(super) const REACTION: Duration = Duration::from_secs(3);

/// The settle time of a Canary that names none: Istio's.
const SETTLE: Duration = Duration::from_secs(3);

/// Whole seconds and milliseconds between two times, none if the second is first.
pub(super) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// One revision as one Canary sees it.
pub(super) struct Seen<'a> {
    pub(super) change: &'a Change,
    pub(super) old: Option<&'a Value>,
    pub(super) ours: bool,
    pub(super) before: Facts,
    pub(super) after: Facts,
    pub(super) names: &'a Names,
    /// The Canary as it is at this revision.
    pub(super) canary: &'a Value,
    pub(super) world: &'a World,
}

impl Seen<'_> {
    /// The object as it is now, if it is the one of that kind and name.
    pub(super) fn is(&self, kind: Kind, name: &str) -> Option<&Value> {
        (self.change.kind == kind && self.change.name == name)
            .then_some(self.change.object.as_ref())
            .flatten()
    }

    pub(super) fn status(&self) -> &Value {
        &self.canary["status"]
    }

    pub(super) fn phase(&self) -> &str {
        self.status()["phase"].as_str().unwrap_or_default()
    }

    pub(super) fn deleting(&self) -> bool {
        self.canary["metadata"]["deletionTimestamp"].is_string()
    }

    /// Weight of the canary before and after.
    pub(super) fn weights(&self) -> (i64, i64) {
        (self.before.weight(&self.names.canary_service), self.after.weight(&self.names.canary_service))
    }

    pub(super) fn settle(&self) -> Duration {
        self.canary["spec"]["settleTime"].as_str().and_then(duration::parse).unwrap_or(SETTLE)
    }

    /// Only the canary can serve, or could a moment ago, when this was decided: all traffic belongs there, whatever the
    /// schedule says.
    pub(super) fn rescue(&self, track: &Track) -> bool {
        let primary = &self.names.primary_service;
        let back = track.found.get(primary).is_some_and(|at| between(*at, self.change.at) < REACTION);
        (self.after.ready(primary) == 0 || back) && self.after.ready(&self.names.canary_service) > 0
    }
}

/// The memory.
#[derive(Default)]
pub(super) struct Track {
    pub(super) uid: String,
    /// Templates that the target has had, by hash.
    pub(super) templates: BTreeMap<String, Value>,
    /// Hashes whose last step was confirmed.
    pub(super) passed: BTreeSet<String>,
    /// Epoch of the run that `reached` is about.
    pub(super) run: Option<i64>,
    /// Generation of the Canary when it began.
    pub(super) generation: Option<i64>,
    /// Highest step that the route has carried in this run.
    pub(super) reached: usize,
    /// Somebody else changed the weights, or the Canary, in this run.
    pub(super) edited: bool,
    /// Highest epoch at which an ending was begun.
    pub(super) ended: Option<i64>,
    /// Since when the canary has had no traffic.
    pub(super) zero_since: Option<Timestamp>,
    /// Since when the apex Service has had its selector.
    pub(super) apex_since: Option<Timestamp>,
    /// When each Service lost its last ready pod.
    pub(super) lost: BTreeMap<String, Timestamp>,
    /// When each Service got its first ready pod again.
    pub(super) found: BTreeMap<String, Timestamp>,
    /// Clients were served when the deletion began.
    pub(super) served: Option<bool>,
    /// Our writes at rest, per object.
    pub(super) writes: BTreeMap<(Kind, String), VecDeque<Timestamp>>,
    /// The last change of the route was somebody else's.
    pub(super) foreign_route: bool,
}

impl Track {
    /// Before the checks.
    pub(super) fn before(&mut self, seen: &Seen<'_>) {
        if let Some(target) = seen.is(Kind::Deployment, &seen.names.target) {
            let template = &target["spec"]["template"];
            self.templates.entry(revision::hash(template)).or_insert_with(|| template.clone());
        }
        if let Some(stored) = seen.is(Kind::Revision, &seen.change.name) {
            let template = &stored["data"]["template"];
            let hash = revision::hash_with(template, &revision::checksums_of(stored));
            self.templates.entry(hash).or_insert_with(|| template.clone());
        }
        if let Some(epoch) = seen.status()["epoch"].as_i64() {
            if seen.phase() == "Progressing" && seen.status()["step"]["index"] == 0 && self.run != Some(epoch)
            {
                self.run = Some(epoch);
                self.generation = seen.canary["metadata"]["generation"].as_i64();
                self.reached = 0;
                self.edited = false;
            }
            if seen.status()["run"]["ending"].is_object() {
                self.ended = self.ended.max(Some(epoch));
            }
        }
        self.edited |= seen.canary["metadata"]["generation"].as_i64() != self.generation;
        self.repeated(seen);
        self.analysed(seen);
        for (service, ready) in &seen.before.ready {
            match (*ready > 0, seen.after.ready(service) > 0) {
                (true, false) => self.lost.insert(service.clone(), seen.change.at),
                (false, true) => self.found.insert(service.clone(), seen.change.at),
                _ => None,
            };
        }
    }

    /// A step with the weight of the one before it changes no route: only the status tells that it was taken.
    fn repeated(&mut self, seen: &Seen<'_>) {
        let step = &seen.status()["step"];
        let index = step["index"].as_u64().unwrap_or(0) as usize;
        let steps = schedule(seen.canary);
        let before = index.checked_sub(2).and_then(|i| steps.get(i)).copied().unwrap_or(0);
        let same = index >= 1 && steps.get(index - 1) == Some(&before);
        if same && index == self.reached + 1 && step["confirmed"].is_string() {
            self.reached = index;
        }
    }

    fn analysed(&mut self, seen: &Seen<'_>) {
        let step = &seen.status()["step"];
        let last = schedule(seen.canary).len();
        if seen.phase() == "Progressing"
            && step["index"] == last
            && step["confirmed"].is_string()
            && let Some(hash) = seen.status()["lastAppliedSpec"].as_str()
        {
            self.passed.insert(hash.to_owned());
        }
    }

    /// After them.
    pub(super) fn after(&mut self, seen: &Seen<'_>) {
        let at = seen.change.at;
        if let Some(route) = seen.is(Kind::Route, &seen.names.apex) {
            let (before, after) = seen.weights();
            if after == 0 && (before > 0 || self.zero_since.is_none()) {
                self.zero_since = Some(written(route, at));
            }
            if after > 0 {
                self.zero_since = None;
            }
            if seen.before.weights != seen.after.weights {
                self.foreign_route = !seen.ours;
                self.edited |= !seen.ours;
            }
            let steps = schedule(seen.canary);
            let next = (1..=(self.reached + 1).min(steps.len())).rev().find(|i| steps[i - 1] == after);
            self.reached = self.reached.max(next.unwrap_or(0));
        }
        if let Some(apex) = seen.is(Kind::Service, &seen.names.apex)
            && seen.old.is_none_or(|old| old["spec"]["selector"] != apex["spec"]["selector"])
        {
            self.apex_since = Some(written(apex, at));
        }
    }
}

/// The analysis, under either name.
fn analysis(canary: &Value) -> &Value {
    let spec = &canary["spec"];
    if spec["analysis"].is_object() { &spec["analysis"] } else { &spec["canaryAnalysis"] }
}

/// The requests that it names go to the canary, all others never do.
pub(super) fn by_name(canary: &Value) -> bool {
    let analysis = analysis(canary);
    analysis["iterations"].as_i64().unwrap_or(0) > 0 && !list(&analysis["match"]).is_empty()
}

/// There is a route; with plain Services there is none, and nobody goes to the canary.
pub(super) fn routed(canary: &Value) -> bool {
    canary["spec"]["provider"] != "kubernetes"
}

/// The declared weights: by iterations; `stepWeight` up to `maxWeight`, or the list as it stands; copies come first.
pub(super) fn schedule(canary: &Value) -> Vec<i64> {
    let analysis = analysis(canary);
    let iterations = usize::try_from(analysis["iterations"].as_i64().unwrap_or(0)).unwrap_or(0);
    if iterations > 0 {
        let switch = routed(canary).then_some(100);
        let hidden = vec![0; iterations].into_iter().chain(switch).collect();
        return if by_name(canary) { vec![100; iterations] } else { hidden };
    }
    let copies = vec![0; usize::from(analysis["mirror"] == true)];
    copies.into_iter().chain(weights(analysis)).collect()
}

fn weights(analysis: &Value) -> Vec<i64> {
    let step = analysis["stepWeight"].as_i64().unwrap_or(0);
    if step > 0 {
        let max = analysis["maxWeight"].as_i64().filter(|m| *m > 0).unwrap_or(100).min(100);
        return (1..=100).map(|n| n * step).take_while(|w| *w < max).chain([max]).collect();
    }
    let listed = list(&analysis["stepWeights"]).iter().chain(list(&analysis["steps"]));
    let listed: Vec<i64> = listed.filter_map(|s| s.as_i64().or(s["weight"].as_i64())).collect();
    if listed.is_empty() { vec![100] } else { listed }
}
