//! Checks every decision and every write of a model for forbidden behaviour.
//!
//! The safety invariants come from `serin_invariants`, for which a model is a [`View`]. Checks that need the model are
//! here. Violations are collected, not raised: tests read them at the end.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::Value;
use serin::{
    api::Phase,
    manifest::{self, workload},
    names,
    plan::{Action, Answers, Plan, Question},
    snapshot::{DAEMONSET, DEPLOYMENT, REVISION, SERVICE, Snapshot},
    spec::Target,
};
use serin_invariants::{
    changes,
    decisions::{Decided, Decisions},
    facts::Facts,
    seen::{By, Place, Seen},
    track::Track,
    view::{Kind, Names, View},
};

use crate::{
    configs::{self, Contents},
    knative,
    pods::Pods,
    route, scalers, shares,
    time::later,
    transcript,
    world::World,
};

/// The longest time without pods for users, if the operator has to wait for something.
const LEFT_AT_MOST: Duration = Duration::from_secs(10);

/// Observations so far, and violations.
#[derive(Clone, Debug, Default)]
pub struct Observer {
    /// Sentences that start with the number of the invariant.
    pub violations: Vec<String>,
    /// All templates of the target, by hash.
    pub templates: BTreeMap<String, Value>,
    /// The contents for each template, see [`configs`].
    contents: BTreeMap<String, Contents>,
    /// Hash of the current target.
    present: String,
    /// Somebody deleted objects that templates use, or their copies. They may be lost.
    pub configs_deleted: bool,
    /// Memory of decisions.
    pub decisions: Decisions,
    /// Memory of changes.
    track: Track,
    /// The last seen world.
    last: Option<(World, Pods)>,
    /// The time since which users have had no pods.
    lost_since: Option<Timestamp>,
    /// The status is made up, or there are two Canaries: it is unknown whether a template has passed.
    pub lenient: bool,
    /// The API server refuses writes of the apex Service: a deleted Canary can lead nobody to pods by it.
    pub(crate) apex_refused: bool,
}

/// The invariants' view of a model.
struct Looked<'a>(&'a World, &'a Pods);

impl View for Looked<'_> {
    fn get(&self, kind: Kind, name: &str) -> Option<Cow<'_, Value>> {
        let stored = match kind {
            Kind::Canary => return self.0.canary.as_ref().map(Cow::Borrowed),
            Kind::Deployment => return self.0.workload(name),
            Kind::Slice => return None,
            Kind::Route => route::VIRTUAL_SERVICE,
            Kind::Service => SERVICE,
            Kind::Revision => REVISION,
        };
        self.0.objects.get(stored, name).map(Cow::Borrowed)
    }

    fn ready(&self, service: &str) -> i64 {
        route::ready(self.0, self.1, service).into()
    }

    fn shown(&self, service: &str) -> i64 {
        self.0.ready.get(service).copied().unwrap_or(0).into()
    }

    fn selected(&self, service: &str) -> i64 {
        self.ready(service)
    }
}

/// The objects that differ between two worlds, among those that the invariants check.
fn changed(before: &Looked<'_>, after: &Looked<'_>, names: &Names) -> Vec<(Kind, String)> {
    // comparing shared objects is fast
    if before.0.canary == after.0.canary && before.0.objects == after.0.objects {
        return vec![];
    }
    let services = [&names.apex, &names.primary_service, &names.canary_service];
    let workloads = [&names.target, &names.primary].into_iter();
    let revisions = after.0.objects.of(REVISION).filter_map(|o| o["metadata"]["name"].as_str());
    let all = [(Kind::Canary, &names.target), (Kind::Route, &names.apex)].into_iter();
    let all = all.chain(workloads.map(|name| (Kind::Deployment, name)));
    let all = all.chain(services.into_iter().map(|name| (Kind::Service, name)));
    let all = all.map(|(kind, name)| (kind, name.clone()));
    let all = all.chain(revisions.map(|name| (Kind::Revision, name.to_owned())));
    all.filter(|(kind, name)| before.get(*kind, name) != after.get(*kind, name)).collect()
}

impl Observer {
    fn wrong(&mut self, check: &str, text: impl std::fmt::Display) {
        self.violations.push(format!("{check}: {text}"));
    }

    /// The clock was changed: earlier times cannot be compared.
    pub fn clock_was_set(&mut self) {
        self.decisions.clock_set = true;
        self.track.clock_was_set();
    }

    /// The Canary was deleted and created again, with an empty status.
    pub fn canary_was_made_again(&mut self) {
        self.lenient = true;
        self.track.made_again();
    }

    /// Handles every change of the world that is not ours.
    pub fn saw(&mut self, world: &World, pods: &Pods, names: &Names, now: Timestamp) {
        self.see(world, pods, names, By::Others, "", now);
        if let Some(target) = world.workload(&names.target) {
            let template = &target["spec"]["template"];
            let contents = configs::of(world, template);
            let known = self.templates.get(&self.present) == Some(template);
            if known && self.contents.get(&self.present) == Some(&contents) {
                return;
            }
            self.present = configs::hash(template, &contents);
            self.templates.entry(self.present.clone()).or_insert_with(|| template.clone());
            self.track.templates.entry(self.present.clone()).or_insert_with(|| template.clone());
            self.contents.insert(self.present.clone(), contents);
        }
    }

    /// Checks the invariants for all changes since the last call.
    fn see(&mut self, world: &World, pods: &Pods, names: &Names, by: By, what: &str, now: Timestamp) {
        let (old, old_pods) = self.last.replace((world.clone(), pods.clone())).unwrap_or_default();
        let (before, after) = (Looked(&old, &old_pods), Looked(world, pods));
        let Some(canary) = &world.canary else { return };
        self.track.except = if self.lenient { ["S5"].into() } else { [].into() };
        let settle = world.rules.settle.unwrap_or(Duration::from_secs(3));
        let place = Place { settle, reaction: Duration::ZERO, model: true };
        for (kind, name) in changed(&before, &after, names) {
            let (was, is) = (before.get(kind, &name), after.get(kind, &name));
            let seen = Seen {
                kind,
                name: &name,
                at: now,
                old: was.as_deref(),
                new: is.as_deref(),
                by,
                before: Facts::of(&before, names),
                after: Facts::of(&after, names),
                names,
                canary,
                place,
            };
            for (check, text) in changes::see(&seen, &mut self.track) {
                self.violations.push(format!("{check}: {text}: {what}"));
            }
        }
    }

    /// Nothing is left to do at this time: S2 for writes that are *missing*. Users must not be left on a side without
    /// pods while the other side has some, in any phase. `soon`: the time of the operator's next action, if it acts in
    /// a moment because proxies must first learn of something, or because somebody has reverted a change repeatedly.
    pub fn settled(&mut self, world: &World, pods: &Pods, names: &Names, soon: Option<Timestamp>) {
        let Some(canary) = &world.canary else { return };
        if soon.is_none() && is_off_in_a_run(world, names) {
            self.wrong("S16", "a run goes on, and the primary is asked for no pods");
        }
        self.unanalysed(world, names);
        // with plain Services, users are moved only if the analysis asks for it
        let routed = !route::rules(world, names).is_empty();
        let switched = canary["spec"]["analysis"]["promotion"]["switch"] == true;
        if !routed && !switched && !shares::asked(world) {
            return;
        }
        // suspended: the operator reports this, but does not repair it. Others act
        let others = canary["spec"]["suspend"] == true || world.flagger.is_some();
        let anywhere = [&names.primary_service, &names.canary_service];
        let serving = anywhere.into_iter().any(|service| route::ready(world, pods, service) > 0);
        let lost = route::to_nobody(world, pods, names);
        // before the first acceptance, the route may belong to somebody else
        let written = world.objects.get(route::VIRTUAL_SERVICE, &names.apex);
        let written = written.is_some_and(|live| manifest::written(live).is_some());
        let begun = world.status().in_use.is_some() && written;
        let made = begun || world.status().phase.is_some_and(|phase| phase > Phase::Initializing);
        if lost == 0 || !serving || !made || others || pods.slices_late {
            self.lost_since = None;
            return;
        }
        let since = soon.map(|now| *self.lost_since.get_or_insert(now));
        if since.is_none_or(|since| soon > Some(later(since, LEFT_AT_MOST))) {
            let phase = world.status().phase.unwrap_or_default();
            self.wrong(
                "S2",
                format!("{lost} % of requests have no pods in phase {phase}, beside ready pods"),
            );
        }
        // while only the canary has pods, the route has a higher weight than the step
        let primary_serves = route::ready(world, pods, &names.primary_service) > 0;
        if primary_serves && routed && !others && !self.lenient {
            let facts = Facts::of(&Looked(world, pods), names);
            let weight = facts.weight(&names.canary_service);
            let found = changes::disagrees(canary, Some(weight), &self.track);
            self.violations.extend(found.map(|(check, text)| format!("{check}: {text}")));
        }
    }

    /// Checks every plan before it is executed.
    pub fn decided(
        &mut self,
        snap: &Snapshot,
        asked: &[Question],
        answers: &Answers,
        plan: &Plan,
        now: Timestamp,
    ) {
        let broken = self.decisions.see(&Decided { snap, asked, answers, plan, now, present: &self.present });
        for (check, text) in broken {
            self.wrong(check, text);
        }
        // the reason why it continues was seen
        let old = snap.canary.status.as_ref().and_then(|status| status.phase);
        let Some(new) = &plan.status else { return };
        if matches!(new.phase, Some(Phase::Promoting | Phase::Initialized)) && new.phase != old {
            self.track.passed.extend(new.last_applied_spec.clone());
        }
    }

    /// Checks every write of ours that took effect.
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
        self.see(before, pods, names, By::Others, "", now);
        self.see(after, pods, names, By::Us, &what, now);
        self.violations.extend(scalers::wrong(before, after, names, &what));
        self.violations.extend(knative::wrong(before, after, &what));
        self.violations.extend(shares::wrong(before, after, pods, names, &what));
        self.contents(before, after, names, &what);
        self.updated(before, after, pods, names, &what);
        self.untouched(before, after, names, &what);
        self.released(before, after, pods, names, &what);
    }

    /// S5 for the objects that a template uses: the primary's copies have the contents that the target had when it
    /// passed.
    fn contents(&mut self, before: &World, after: &World, names: &Names, what: &str) {
        let Some(is) = after.workload(&names.primary) else { return };
        let template = &is["spec"]["template"];
        let changed = before.workload(&names.primary).is_none_or(|w| w["spec"]["template"] != *template);
        let hash = is["metadata"]["annotations"][names::ANNOTATION_REVISION].as_str().unwrap_or_default();
        let Some(passed) = self.templates.get(hash).filter(|_| changed && !self.lenient) else { return };
        let target = after.workload(&names.target).unwrap_or_default();
        let label = Target::Deployment.label(&target, &after.rules.selector_labels);
        let label = label.unwrap_or_else(|| ("app".to_owned(), names.target.clone()));
        let mut wanted = workload::template(Target::Deployment, passed, &label, &names.target);
        if passed["metadata"]["labels"][&label.0].is_null() {
            json_patch::merge(&mut wanted, &serde_json::json!({"metadata": {"labels": {&label.0: null}}}));
        }
        // a primary's selector cannot be changed, so its pods keep these labels
        let kept = is["spec"]["selector"]["matchLabels"].clone();
        json_patch::merge(&mut wanted, &serde_json::json!({"metadata": {"labels": kept}}));
        let contents = self.contents.get(hash).cloned().unwrap_or_default();
        if !configs::same(after, template, wanted, &contents, self.configs_deleted) {
            self.wrong("S5", format!("the primary is given other contents than passed: {what}"));
        }
    }

    /// S5 for objects that appear later: the primary's pods would read them without a restart.
    fn unanalysed(&mut self, world: &World, names: &Names) {
        let Some(primary) = world.workload(&names.primary).filter(|_| !self.lenient) else { return };
        let hash =
            primary["metadata"]["annotations"][names::ANNOTATION_REVISION].as_str().unwrap_or_default();
        let passed = self.contents.get(hash).filter(|_| world.rules.config_tracking);
        let read = passed.and_then(|of| configs::unanalysed(world, &primary["spec"]["template"], of));
        if let Some(read) = read {
            self.wrong("S5", format!("the primary's pods read {read}, which has not passed"));
        }
    }

    /// A route sends no requests to a side unless all of its pods run the revision.
    fn updated(&mut self, before: &World, after: &World, pods: &Pods, names: &Names, what: &str) {
        let weight = |w: &World| route::weight_of(w, names, &names.canary_service);
        // a route that is created again has its former destinations
        let gone = route::rules(before, names).is_empty();
        let was = if gone { before.status().canary_weight.into() } else { weight(before) };
        let is = weight(after);
        if is <= was || !route::changed(before, after, names) {
            return;
        }
        let only_canary = is == 100 && route::ready(after, pods, &names.primary_service) == 0;
        let analysed = after.status().phase == Some(Phase::Progressing);
        // a Service as target has no pods of its own: its copy has the same backends
        let selector = |name: &str| after.objects.get(SERVICE, name).map(|s| s["spec"]["selector"].clone());
        let copied = after.workload(&names.target).is_none()
            && selector(&names.target) == selector(&names.canary_service);
        // the contents at the start of pods from before a Canary was created again are unknown
        // a restored share was checked when it was set: the contents that pods read at their start may be gone since
        let put_back = is <= after.status().canary_weight.into();
        let updated = || pods.all_updated(after, &names.target, !put_back);
        if analysed && !self.lenient && !only_canary && !copied && !updated() {
            let text = format!("weight {is} for pods that do not all run the revision: {what}");
            self.wrong("property 6", text);
        }
    }

    fn untouched(&mut self, before: &World, after: &World, names: &Names, what: &str) {
        if let Some(problem) = configs::harmed(before, after, names) {
            self.violations.push(format!("{problem}: {what}"));
        }
        let (Some(was), Some(is)) = (&before.canary, &after.canary) else { return };
        if was["spec"] != is["spec"] || was["metadata"]["labels"] != is["metadata"]["labels"] {
            self.wrong("S11", format!("the Canary's spec is changed: {what}"));
        }
        let foreign = |o: &&Value| !names.all().contains(&o["metadata"]["name"].as_str().unwrap_or_default());
        for kind in [DEPLOYMENT, DAEMONSET, SERVICE, route::VIRTUAL_SERVICE] {
            if !before.objects.of(kind).filter(foreign).eq(after.objects.of(kind).filter(foreign)) {
                self.wrong("S11", format!("a foreign {} is changed: {what}", kind.kind));
            }
        }
    }

    /// The finalizer is removed last.
    fn released(&mut self, before: &World, after: &World, pods: &Pods, names: &Names, what: &str) {
        let held = |w: &World| {
            let list = w.canary.as_ref().map(|c| c["metadata"]["finalizers"].clone()).unwrap_or_default();
            list.as_array().into_iter().flatten().any(|f| f == names::FINALIZER)
        };
        if !held(before) || held(after) {
            return;
        }
        let had_users = before.objects.get(SERVICE, &names.apex).is_some();
        let alive = before.workload(&names.target).is_some_and(|t| serin::manifest::replicas(&t) > 0);
        // a primary that somebody deleted cannot be kept
        let left = before.canary.as_ref().is_some_and(|c| c["spec"]["revertOnDeletion"] == false);
        let alive = alive && (!left || before.workload(&names.primary).is_some());
        // the route still leads everyone to the canary, because a primary that is left has been without pods for too long
        let routed = left
            && route::weight_of(after, names, &names.canary_service) == 100
            && route::ready(after, pods, &names.canary_service) > 0;
        if had_users
            && alive
            && !routed
            && !self.apex_refused
            // late EndpointSlices count when users are moved, not here
            && pods.behind(after, &names.apex) == 0
            && pods.all_updated(before, &names.target, true)
        {
            self.wrong("S12", format!("let go while the apex leads to nobody: {what}"));
        }
    }
}

/// An accepted run goes on, and the primary is scaled to 0.
fn is_off_in_a_run(world: &World, names: &Names) -> bool {
    let status = world.status();
    let suspended = world.canary.as_ref().is_some_and(|canary| canary["spec"]["suspend"] == true);
    let accepted = status.conditions.iter().any(|c| c.type_ == "Accepted" && c.status == "True");
    let off = world.workload(&names.primary).is_some_and(|live| manifest::replicas(&live) == 0);
    off && accepted && !suspended && status.run.is_some() && world.flagger.is_none()
}
