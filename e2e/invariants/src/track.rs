//! The memory for one Canary between changes, and how a change updates it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use serde_json::{Value, json};
use serin::{
    manifest::revision,
    names::{ANNOTATION_KUBECTL, ANNOTATION_WRITTEN},
};

use crate::{
    schedule::{audience, needed, schedule},
    seen::{By, Seen},
    view::{Kind, list, replicas},
};

/// The memory.
#[derive(Clone, Debug, Default)]
pub struct Track {
    /// The uid of the Canary.
    pub uid: String,
    /// Invariants that are not checked.
    pub except: BTreeSet<&'static str>,
    /// All templates of the target, by hash.
    pub templates: BTreeMap<String, Value>,
    /// Hashes that the primary may get: their last step was confirmed, or the reason why they passed was seen.
    pub passed: BTreeSet<String>,
    /// The epoch of the run to which `reached` belongs.
    pub(crate) run: Option<i64>,
    /// Generation of the Canary at its start.
    pub(crate) generation: Option<i64>,
    /// The highest step that the route has had in this run.
    pub(crate) reached: usize,
    /// Another party changed the weights, or the Canary, in this run.
    pub(crate) edited: bool,
    /// The current schedule, and the one before the last edit.
    pub(crate) schedules: [Vec<i64>; 2],
    /// The requests to which the weights apply, according to the Canary.
    pub(crate) audience: Value,
    /// The time since which the Canary states this.
    pub(crate) audience_since: Option<Timestamp>,
    /// The step in the status, and the requests to which its weight applied when it was written.
    pub(crate) intent: (Value, Value),
    /// The highest weight for these requests in this run.
    pub(crate) shown: i64,
    /// The highest epoch at which an ending has started.
    pub(crate) ended: Option<i64>,
    /// The time since which the canary has had no traffic.
    pub zero_since: Option<Timestamp>,
    /// The time since which the apex Service has had its selector.
    pub(crate) apex_since: Option<Timestamp>,
    /// When each Service lost its last ready pod.
    pub(crate) lost: BTreeMap<String, Timestamp>,
    /// When each Service got its first ready pod again.
    pub(crate) found: BTreeMap<String, Timestamp>,
    /// When the target was removed. None while it exists.
    pub(crate) target_removed: Option<Timestamp>,
    /// Users were served when the deletion started.
    pub(crate) served: Option<bool>,
    /// Our writes between runs, per object.
    pub(crate) writes: BTreeMap<(Kind, String), VecDeque<Timestamp>>,
    /// The last change of the route came from another party.
    pub(crate) foreign_route: bool,
    /// The number of pods with which the primary serves all users: its last observed number, unless we reduced it.
    pub(crate) whole: Option<i64>,
    /// The number that somebody set for the target on purpose between runs.
    pub(crate) wished: Option<i64>,
    /// The same, from when the run in progress is over.
    wished_next: Option<Wish>,
    /// What the target is asked for.
    pub(crate) asked: i64,
}

/// What became of the target's number: one that was set on purpose, or none.
#[derive(Clone, Debug)]
struct Wish(Option<i64>);

impl Track {
    /// An empty memory for the Canary with this uid.
    pub fn of(uid: &str) -> Self {
        Self { uid: uid.to_owned(), ..Self::default() }
    }

    /// The Canary was deleted and created again. Its epochs start from zero.
    pub fn made_again(&mut self) {
        (self.ended, self.run, self.generation) = (None, None, None);
    }

    /// The clock was changed: earlier times cannot be compared.
    pub fn clock_was_set(&mut self) {
        for time in [&mut self.zero_since, &mut self.apex_since].into_iter().flatten() {
            *time = Timestamp::MIN;
        }
    }

    /// Updates the memory before the checks.
    pub(crate) fn before(&mut self, seen: &Seen<'_>) {
        if seen.kind == Kind::Deployment && seen.name == seen.names.target {
            self.target_removed = seen.new.is_none().then_some(seen.at);
        }
        if let Some(target) = seen.is(Kind::Deployment, &seen.names.target) {
            let template = &target["spec"]["template"];
            self.templates.entry(revision::hash(template)).or_insert_with(|| template.clone());
        }
        if let Some(stored) = seen.is(Kind::Revision, seen.name) {
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
                self.shown = 0;
                self.edited = false;
            }
            if seen.status()["run"]["ending"].is_object() {
                self.ended = self.ended.max(Some(epoch));
            }
        }
        self.edited |= seen.canary["metadata"]["generation"].as_i64() != self.generation;
        self.scheduled(seen);
        self.repeated(seen);
        self.analysed(seen);
        for (service, ready) in &seen.before.ready {
            match (*ready > 0, seen.after.ready(service) > 0) {
                (true, false) => self.lost.insert(service.clone(), seen.at),
                (false, true) => self.found.insert(service.clone(), seen.at),
                _ => None,
            };
        }
    }

    /// Updates the schedule, and the requests to which it applies.
    fn scheduled(&mut self, seen: &Seen<'_>) {
        let now = schedule(seen.canary);
        if now != self.schedules[0] {
            self.schedules.swap(0, 1);
            self.schedules[0] = now;
        }
        let audience = audience(seen.canary);
        let step = &seen.status()["step"];
        let place = json!([seen.status()["epoch"], step["index"], step["weight"], step["everyone"]]);
        if place != self.intent.0 {
            self.intent = (place, audience.clone());
        }
        if audience != self.audience {
            (self.audience, self.shown) = (audience, 0);
            self.audience_since = Some(seen.at);
        }
    }

    /// The highest weight to which the canary may be raised from this one after any edit: the next step of the old or
    /// the new schedule, or the weight that the same requests already had in this run.
    pub(crate) fn most_from(&self, weight: i64) -> i64 {
        let above = |steps: &Vec<i64>| steps.iter().copied().find(|step| *step > weight);
        let listed = self.schedules.iter().flat_map(|steps| steps.windows(2));
        let after = listed.filter(|pair| pair[0] == weight).map(|pair| pair[1]);
        self.schedules.iter().filter_map(above).chain(after).chain([self.shown]).max().unwrap_or(0)
    }

    /// A step with the same weight as the one before does not change the route: only the status shows that it was
    /// taken.
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
        if seen.status()["run"]["finish"].is_object()
            && let Some(hash) = seen.status()["lastAppliedSpec"].as_str()
        {
            self.passed.insert(hash.to_owned());
        }
        if seen.phase() == "Progressing"
            && step["index"].as_u64().unwrap_or(0) as usize >= needed(seen.canary)
            && step["confirmed"].is_string()
            && let Some(hash) = seen.status()["lastAppliedSpec"].as_str()
        {
            self.passed.insert(hash.to_owned());
        }
    }

    /// Target and Canary were deleted within a minute, or the target after the Canary: there are no users to serve any
    /// more.
    pub(crate) fn removed_together(&self, seen: &Seen<'_>) -> bool {
        let deleted = seen.canary["metadata"]["deletionTimestamp"].as_str();
        let deleted: Option<Timestamp> = deleted.and_then(|at| at.parse().ok());
        let gap = |removed: Timestamp| deleted.map(|at| at.duration_since(removed).as_secs());
        self.target_removed.and_then(gap).is_some_and(|seconds| seconds <= 60)
            && seen.canary["spec"]["revertOnDeletion"] != false
    }

    /// The number of pods that the primary needs to serve all users: includes pods that others add, and pods that we
    /// add.
    fn counted(&mut self, seen: &Seen<'_>) {
        if let Some(primary) = seen.is(Kind::Deployment, &seen.names.primary) {
            let now = replicas(primary);
            let followed = seen.by != By::Us || self.wished == Some(now);
            self.whole = if followed { Some(now) } else { self.whole.max(Some(now)) };
        }
        let at_rest = matches!(seen.phase(), "Initialized" | "Succeeded" | "Failed" | "Waiting");
        if let Some(target) = seen.is(Kind::Deployment, &seen.names.target)
            && seen.old.is_none_or(|old| {
                // the number that it has by chance may be applied, too
                replicas(old) != replicas(target) || by_apply(target) && !by_apply(old)
            })
        {
            // 1 is what a number becomes that nobody writes any more
            let wished = || Some(replicas(target)).filter(|n| *n > 1 || by_apply(target));
            self.wished_next = (seen.by == By::Others).then(|| Wish(wished()));
        }
        self.asked = seen.is(Kind::Deployment, &seen.names.target).map_or(self.asked, replicas);
        // a number that is given in a run is what the next run begins with
        if at_rest || seen.phase() == "Initializing" {
            self.wished = self.wished_next.take().map_or(self.wished, |Wish(wished)| wished);
        }
    }

    /// Updates the memory after the checks.
    pub(crate) fn after(&mut self, seen: &Seen<'_>) {
        let at = seen.at;
        self.counted(seen);
        if seen.place.model {
            let weight = if seen.after.weights.is_some() { seen.weights().1 } else { seen.after.share };
            self.zero_since = if weight > 0 { None } else { self.zero_since.or(Some(at)) };
        }
        if let Some(route) = seen.is(Kind::Route, &seen.names.apex) {
            let (before, after) = seen.weights();
            if after == 0 && !seen.place.model && (before > 0 || self.zero_since.is_none()) {
                self.zero_since = Some(written(route, seen));
            }
            if after > 0 {
                self.zero_since = None;
            }
            if seen.before.weights != seen.after.weights {
                self.foreign_route = seen.by != By::Us;
                self.edited |= seen.by != By::Us;
            }
            if !seen.rescue(None) {
                self.shown = self.shown.max(after);
            }
            let steps = schedule(seen.canary);
            let next = (1..=(self.reached + 1).min(steps.len())).rev().find(|i| steps[i - 1] == after);
            self.reached = self.reached.max(next.unwrap_or(0));
        }
        if let Some(apex) = seen.is(Kind::Service, &seen.names.apex)
            && seen.old.is_none_or(|old| old["spec"]["selector"] != apex["spec"]["selector"])
        {
            self.apex_since = Some(written(apex, seen));
        }
    }
}

/// An applied manifest states the number of replicas.
fn by_apply(target: &Value) -> bool {
    let meta = &target["metadata"];
    let fields = list(&meta["managedFields"]);
    let owned =
        fields.iter().any(|f| f["operation"] == "Apply" && f["fieldsV1"]["f:spec"]["f:replicas"].is_object());
    let applied = meta["annotations"][ANNOTATION_KUBECTL].as_str().unwrap_or_default();
    let applied: Value = serde_json::from_str(applied).unwrap_or_default();
    owned || applied["spec"]["replicas"].as_i64() == Some(replicas(target))
}

/// When the operator claims to have written an object. On the bed this is seen a little later. On the model it is seen
/// at once, and the operator's clock may be wrong.
fn written(object: &Value, seen: &Seen<'_>) -> Timestamp {
    let text = object["metadata"]["annotations"][ANNOTATION_WRITTEN].as_str().filter(|_| !seen.place.model);
    text.and_then(|t| t.parse().ok()).unwrap_or(seen.at)
}
