//! Watches every decision and every write of a model for what must never happen.
//!
//! Owns the safety invariants, worked out from the objects anew and not by the planner's own functions. What it finds
//! is collected, not raised: a test asks for it at the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use serin::{
    api::{CanaryAnalysis, CanaryStatus, Phase, promotion::Apex, validated::validate},
    manifest::workload,
    names,
    plan::{Action, Answers, Plan, Question, Wake},
    snapshot::{DAEMONSET, DEPLOYMENT, SERVICE, Snapshot},
};

use crate::{
    configs::{self, Contents},
    evidence::enough,
    knative,
    names::Names,
    pods::Pods,
    route, scalers, shares, transcript,
    world::World,
};

/// What has been seen so far, and what was wrong in it.
#[derive(Clone, Debug, Default)]
pub struct Observer {
    /// Sentences that begin with the number of the invariant.
    pub violations: Vec<String>,
    /// Templates the target has had, by hash.
    pub templates: BTreeMap<String, Value>,
    /// With which contents, see [`configs`].
    contents: BTreeMap<String, Contents>,
    /// Hash of what the target is now.
    present: String,
    /// Somebody deleted what templates use, or their copies: they may be gone for good.
    pub configs_deleted: bool,
    /// Hashes that may be given to the primary: the first one and those with a complete pass.
    cleared: BTreeSet<String>,
    /// Since when the route gives the canary nothing.
    zero_since: Option<Timestamp>,
    /// Epoch, index and time of the furthest step.
    furthest: (i64, i32, Option<Timestamp>),
    /// The clock was set: times before are not comparable.
    clock_set: bool,
    /// Somebody edited the analysis in the middle of a run: steps may not be those of one schedule.
    pub spec_edited: bool,
    /// Spec edits that make the observer's own working out pointless: two Canaries, taking over.
    pub lenient: bool,
}

/// Weights of a run, worked out anew: by iterations, by steps up to the maximum, or as listed; copies come first.
pub fn schedule(analysis: &CanaryAnalysis) -> Vec<i32> {
    let iterations = analysis.iterations.unwrap_or(0).max(0) as usize;
    if iterations > 0 {
        let hidden = vec![0; iterations].into_iter().chain([100]).collect();
        return if analysis.match_.is_empty() { hidden } else { vec![100; iterations] };
    }
    let copies = vec![0; usize::from(analysis.mirror == Some(true))];
    copies.into_iter().chain(weights(analysis)).collect()
}

fn weights(analysis: &CanaryAnalysis) -> Vec<i32> {
    let step = analysis.step_weight.unwrap_or(0);
    if step <= 0 {
        let listed = analysis.step_weights.iter().copied().chain(analysis.steps.iter().map(|s| s.weight));
        return listed.map(|w| w.clamp(0, 100)).collect();
    }
    let max = analysis.max_weight.filter(|m| (1..=100).contains(m)).unwrap_or(100);
    let mut weights = Vec::new();
    let mut weight = 0;
    while weight < max {
        weight = (weight + step.min(100)).min(max);
        weights.push(weight);
    }
    weights
}

impl Observer {
    fn wrong(&mut self, text: impl Into<String>) {
        self.violations.push(text.into());
    }

    /// The clock was set: what was noted by it before is not comparable.
    pub fn clock_was_set(&mut self) {
        self.clock_set = true;
        self.zero_since = self.zero_since.map(|_| Timestamp::MIN);
    }

    /// Every change of the world, whoever made it.
    pub fn saw(&mut self, world: &World, names: &Names, now: Timestamp) {
        if let Some(target) = world.workload(&names.target) {
            let template = &target["spec"]["template"];
            let contents = configs::of(world, template);
            self.present = configs::hash(template, &contents);
            self.templates.entry(self.present.clone()).or_insert_with(|| template.clone());
            self.contents.insert(self.present.clone(), contents);
        }
        if route::weight_of(world, names, &names.canary_service) > 0 {
            self.zero_since = None;
        } else if self.zero_since.is_none() {
            self.zero_since = Some(now);
        }
    }

    /// Every plan, before it is carried out.
    pub fn decided(
        &mut self,
        snap: &Snapshot,
        asked: &[Question],
        answers: &Answers,
        plan: &Plan,
        now: Timestamp,
    ) {
        let old = snap.canary.status.clone().unwrap_or_default();
        if plan.is_empty() && matches!(plan.wake, Wake::At(t) if t <= now) {
            self.wrong(format!("liveness: asks to be woken at {:?}, which is past at {now}", plan.wake));
        }
        let ending = old.run.as_ref().is_some_and(|r| r.ending.is_some());
        let deleting = snap.canary.metadata.deletion_timestamp.is_some();
        if snap.canary.spec.suspend == Some(true) && !ending && !deleting && !plan.actions.is_empty() {
            self.wrong(format!("S13: acts while suspended: {:?}", plan.actions));
        }
        let Some(new) = &plan.status else { return };
        self.told(&old, new, plan);
        if new.epoch < old.epoch {
            self.wrong("S10: the epoch falls");
        }
        self.stepped(snap, &old, new, now);
        self.evidence(snap, &old, new, asked, answers, now);
        let applied = new.last_applied_spec.clone().unwrap_or_default();
        if matches!(new.phase, Some(Phase::Promoting | Phase::Initialized)) && new.phase != old.phase {
            self.cleared.insert(applied);
        }
    }

    fn told(&mut self, old: &CanaryStatus, new: &CanaryStatus, plan: &Plan) {
        // that traffic goes to the primary, or that the run ends, was said when it was decided, plans earlier
        let ending = old.run.as_ref().is_some_and(|r| r.ending.is_some());
        let said_before = new.phase == Some(Phase::Finalising) || ending;
        // a primary that vanished while it was being taken over is simply made
        let quiet = new.phase == Some(Phase::Initializing);
        if old.phase != new.phase && plan.notes.is_empty() && !said_before && !quiet {
            self.wrong(format!("property 12: {:?} → {:?} without a word", old.phase, new.phase));
        }
    }

    fn stepped(&mut self, snap: &Snapshot, old: &CanaryStatus, new: &CanaryStatus, now: Timestamp) {
        let (a, b) = (old.step.clone().unwrap_or_default(), new.step.clone().unwrap_or_default());
        let Ok(c) = validate(&snap.canary, &snap.rules) else { return };
        let primary_down = snap.ready(&c.names.primary_service) == 0;
        let ended = new.run.as_ref().and_then(|r| r.ending.as_ref());
        if ended.is_some() && b.weight > a.weight && !(primary_down && b.weight == 100) {
            self.wrong(format!("S7: weight {} → {} after the run was ended", a.weight, b.weight));
        }
        if b.index == a.index.saturating_add(1) {
            let weights = schedule(&c.analysis);
            let listed = weights.get(a.index as usize).or(weights.last()).copied().unwrap_or(100);
            let expected = if c.apex == Apex::Shares { shares::nearest(new, listed) } else { listed };
            if b.weight != expected {
                self.wrong(format!("S9: step {} gives {} and not {expected}", b.index, b.weight));
            }
            let (epoch, index, at) = self.furthest;
            let waited = at.is_none_or(|at| {
                now.duration_since(at) >= SignedDuration::try_from(c.interval).unwrap_or_default()
            });
            if epoch == new.epoch && b.index > index && !waited && !self.clock_set && !self.spec_edited {
                self.wrong(format!("property 2: step {} within the interval", b.index));
            }
            if epoch != new.epoch || b.index > index {
                self.furthest = (new.epoch, b.index, Some(now));
            }
        } else if b.index > a.index {
            self.wrong(format!("S9: index {} → {}", a.index, b.index));
        } else if b.weight > a.weight && !(primary_down && b.weight == 100) {
            self.wrong(format!("S9: weight {} → {} without a step", a.weight, b.weight));
        }
        let back = a.weight.saturating_sub(b.weight);
        let moved_on = || Some(&self.present) != old.last_applied_spec.as_ref();
        if b.promotion > a.promotion && c.promotion_step > 0 && back > c.promotion_step && !moved_on() {
            self.wrong(format!("S9: promotion takes {back} at once"));
        }
    }

    fn evidence(
        &mut self,
        snap: &Snapshot,
        old: &CanaryStatus,
        new: &CanaryStatus,
        asked: &[Question],
        answers: &Answers,
        now: Timestamp,
    ) {
        let (a, b) = (old.step.clone().unwrap_or_default(), new.step.clone().unwrap_or_default());
        let begins = |phase| new.phase == Some(phase) && old.phase != new.phase;
        let advances = b.index > a.index && a.index > 0;
        let Ok(c) = validate(&snap.canary, &snap.rules) else { return };
        // it was measured before it began to wait
        let waited = matches!(old.phase, Some(Phase::WaitingPromotion | Phase::Waiting));
        if c.skip_analysis || waited || !(advances || begins(Phase::Promoting)) {
            return;
        }
        let metrics = c.metrics.len();
        let vanished_and_back = self.furthest.0 == new.epoch && b.index <= self.furthest.1 && b.index == 1;
        if !enough(&c, asked, answers, !vanished_and_back) {
            self.wrong(format!(
                "S6: goes on from step {} on {answers:?} to {} of {metrics} checks",
                a.index,
                asked.len()
            ));
        }
        let window = a.checked.or(a.confirmed).map(|t| now.duration_since(t.0));
        if window.is_none_or(|w| w < SignedDuration::try_from(c.interval).unwrap_or_default()) {
            self.wrong(format!("S6: goes on from step {} before its window has ended", a.index));
        }
    }

    /// Every write of ours that took effect.
    pub fn wrote(
        &mut self,
        before: &World,
        after: &World,
        pods: &Pods,
        names: &Names,
        action: Option<&Action>,
        now: Timestamp,
    ) {
        let what = action.map_or_else(|| "status".to_owned(), transcript::action);
        if let Some(problem) = route::malformed(after, names).filter(|_| route::changed(before, after, names))
        {
            self.wrong(format!("S1: {problem} ({what})"));
        }
        let (was, is) = (route::to_nobody(before, pods, names), route::to_nobody(after, pods, names));
        if is > was {
            self.wrong(format!("S2: {is} % instead of {was} % of the traffic go to nobody: {what}"));
        }
        let cut = |w: &World| {
            w.objects.get(SERVICE, &names.apex).is_some() && route::ready(w, pods, &names.apex) == 0
        };
        if cut(after) && !cut(before) {
            self.wrong(format!("S2: the apex Service leads to nobody: {what}"));
        }
        self.primary(before, after, names, &what);
        self.violations.extend(scalers::wrong(before, after, names, &what));
        self.violations.extend(knative::wrong(before, after, &what));
        self.violations.extend(shares::wrong(before, after, pods, names, &what));
        self.target(before, after, names, &what, now);
        self.intended(before, after, pods, names, &what);
        self.untouched(before, after, names, &what);
        self.last(before, after, pods, names, &what);
    }

    fn primary(&mut self, before: &World, after: &World, names: &Names, what: &str) {
        let (was, is) = (before.workload(&names.primary), after.workload(&names.primary));
        if was == is {
            return;
        }
        if was.is_some() && is.is_none() {
            let routed = route::weight_of(after, names, &names.primary_service) > 0
                || route::selects(after, &names.apex, &names.primary);
            if routed {
                self.wrong("S3: the primary is deleted while users are sent to it");
            }
        }
        let Some(is) = is else { return };
        let replicas = serin::manifest::replicas(&is);
        if replicas < 1 && was.as_ref().map(serin::manifest::replicas) != Some(replicas) {
            self.wrong(format!("S3: the primary is given {replicas} replicas: {what}"));
        }
        let changed = was.is_none_or(|w| w["spec"]["template"] != is["spec"]["template"]);
        if !changed || self.lenient {
            return;
        }
        let initial = after.status().phase.unwrap_or_default() <= Phase::Initializing;
        let label = ("app".to_owned(), names.target.clone());
        let allowed = self.templates.iter().filter(|(hash, _)| initial || self.cleared.contains(*hash)).any(
            |(hash, t)| {
                let wanted = workload::template(serin::api::Target::Deployment, t, &label, &names.target);
                let contents = self.contents.get(hash).cloned().unwrap_or_default();
                configs::same(after, &is["spec"]["template"], wanted, &contents, self.configs_deleted)
            },
        );
        if !allowed {
            self.wrong(format!("S5: the primary is given a template that has not passed: {what}"));
        }
    }

    fn target(&mut self, before: &World, after: &World, names: &Names, what: &str, now: Timestamp) {
        let live = |w: &World| w.workload(&names.target);
        if live(before) == live(after) {
            return;
        }
        let (Some(was), Some(is)) = (live(before), live(after)) else { return };
        if strip(&was) != strip(&is) {
            self.wrong(format!("S11: the target is changed: {what}"));
        }
        if serin::manifest::replicas(&is) > 0 || serin::manifest::replicas(&was) == 0 {
            return;
        }
        let settle =
            after.snapshot().and_then(|s| validate(&s.canary, &s.rules).ok()?.settle.or(s.rules.settle));
        let settle = SignedDuration::try_from(settle.unwrap_or(Duration::from_secs(3))).unwrap_or_default();
        // a status write rounds to whole seconds nowhere here: routes bear their own time
        match self.zero_since.map(|since| now.duration_since(since)) {
            Some(held) if held >= settle => {}
            held => self.wrong(format!("S4: the target loses its pods when it had no traffic for {held:?}")),
        }
        if route::selects(after, &names.apex, &names.target) {
            self.wrong("S4: the target loses its pods while the apex selects them");
        }
    }

    /// A route gets no weight that the status did not name before.
    fn intended(&mut self, before: &World, after: &World, pods: &Pods, names: &Names, what: &str) {
        let weight = |w: &World| route::weight_of(w, names, &names.canary_service);
        let (was, is) = (weight(before), weight(after));
        if is <= was || !route::changed(before, after, names) {
            return;
        }
        let intent = after.status().step.map_or(0, |s| s.weight);
        let only_canary = is == 100 && route::ready(after, pods, &names.primary_service) == 0;
        if is != i64::from(intent) && !only_canary {
            self.wrong(format!("S9: the route is raised to {is}, the status says {intent}: {what}"));
        }
        let analysed = after.status().phase == Some(Phase::Progressing);
        // a Service as target has no pods of its own: then its copy leads where it does
        let selector = |name: &str| after.objects.get(SERVICE, name).map(|s| s["spec"]["selector"].clone());
        let copied = after.workload(&names.target).is_none()
            && selector(&names.target) == selector(&names.canary_service);
        if analysed && !only_canary && !copied && !pods.all_updated(after, &names.target) {
            self.wrong(format!("property 6: weight {is} for pods that do not all run the revision: {what}"));
        }
    }

    fn untouched(&mut self, before: &World, after: &World, names: &Names, what: &str) {
        let (Some(was), Some(is)) = (&before.canary, &after.canary) else { return };
        if was["spec"] != is["spec"] || was["metadata"]["labels"] != is["metadata"]["labels"] {
            self.wrong(format!("S11: the Canary's spec is changed: {what}"));
        }
        let foreign = |o: &&Value| !names.all().contains(&o["metadata"]["name"].as_str().unwrap_or_default());
        if let Some(problem) = configs::harmed(before, after, names) {
            self.wrong(format!("{problem}: {what}"));
        }
        for kind in [DEPLOYMENT, DAEMONSET, SERVICE, route::VIRTUAL_SERVICE] {
            if !before.objects.of(kind).filter(foreign).eq(after.objects.of(kind).filter(foreign)) {
                self.wrong(format!("S11: a foreign {} is changed: {what}", kind.kind));
            }
        }
    }

    /// The finalizer goes last.
    fn last(&mut self, before: &World, after: &World, pods: &Pods, names: &Names, what: &str) {
        let held = |w: &World| {
            let list = w.canary.as_ref().map(|c| c["metadata"]["finalizers"].clone()).unwrap_or_default();
            list.as_array().into_iter().flatten().any(|f| f == names::FINALIZER)
        };
        if !held(before) || held(after) {
            return;
        }
        let had_users = before.objects.get(SERVICE, &names.apex).is_some();
        let alive = before.workload(&names.target).is_some_and(|t| serin::manifest::replicas(&t) > 0);
        // a primary that somebody deleted cannot be left serving
        let left = before.canary.as_ref().is_some_and(|c| c["spec"]["revertOnDeletion"] == false);
        let alive = alive && (!left || before.workload(&names.primary).is_some());
        if had_users
            && alive
            && route::ready(after, pods, &names.apex) == 0
            && pods.all_updated(before, &names.target)
        {
            self.wrong(format!("S12: let go while the apex leads to nobody: {what}"));
        }
    }
}

/// A target without what may change: replicas, and what counts changes.
fn strip(target: &Value) -> Value {
    let mut out = target.clone();
    for (at, key) in [("/spec", "replicas"), ("/metadata", "generation"), ("/metadata", "resourceVersion")] {
        if let Some(map) = out.pointer_mut(at).and_then(Value::as_object_mut) {
            map.remove(key);
        }
    }
    out
}
