//! PURE. Processes revisions in order, keeps the state of each namespace and runs the checks.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use serde_json::Value;

use serin_invariants::{
    changes,
    facts::Facts,
    seen::{By, Place, Seen},
    track::Track,
    view::{Kind, Names, View as _},
};

use super::world::{Change, World, concerns, ours};

/// Istio's settle time, and some tolerance because watches are not synchronised.
const BED: Place = Place { settle: Duration::from_secs(3), reaction: Duration::from_secs(3), model: false };

/// Number of violations kept per namespace. The first ones are the most useful.
const KEPT: usize = 20;

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its number in the reliability rules, e.g. `S2`.
    pub check: &'static str,
    /// The description, with the object and its revision.
    pub text: String,
}

#[derive(Default)]
struct Namespace {
    world: World,
    tracks: BTreeMap<String, Track>,
    /// Each Canary's uid and names. The names from its initialisation stay in force after edits of the spec.
    named: BTreeMap<String, (String, Names)>,
    violations: Vec<Violation>,
}

/// All namespaces.
#[derive(Default)]
pub struct Checker {
    namespaces: BTreeMap<String, Namespace>,
}

impl Checker {
    /// Processes the next revision.
    pub fn see(&mut self, change: &Change) {
        self.namespaces.entry(change.namespace.clone()).or_default().see(change);
    }

    /// The last seen version of an object.
    pub fn version(&self, namespace: &str, kind: Kind, name: &str) -> Option<u64> {
        let object = self.namespaces.get(namespace)?.world.get(kind, name)?;
        object["metadata"]["resourceVersion"].as_str()?.parse().ok()
    }

    /// All violations in a namespace so far, and current disagreements.
    pub fn violations(&self, namespace: &str) -> Vec<Violation> {
        let Some(namespace) = self.namespaces.get(namespace) else { return vec![] };
        let mut all = namespace.violations.clone();
        for (name, canary) in namespace.world.of(Kind::Canary) {
            let Some(track) = namespace.tracks.get(name) else { continue };
            let Some((_, names)) = namespace.named.get(name) else { continue };
            let facts = Facts::of(&namespace.world, names);
            let weight = facts.weights.as_ref().map(|_| facts.weight(&names.canary_service));
            let found = changes::disagrees(canary, weight, track);
            all.extend(found.map(|(check, text)| Violation { check, text: format!("at the end: {text}") }));
        }
        all
    }
}

impl Namespace {
    fn see(&mut self, change: &Change) {
        let concerned: Vec<(String, Names)> = self
            .named
            .iter()
            .map(|(name, (_, names))| (name.clone(), names.clone()))
            .filter(|(name, names)| {
                let before = self.world.get(change.kind, &change.name);
                change.kind == Kind::Canary && change.name == *name
                    || concerns(
                        names,
                        change.kind,
                        &change.name,
                        change.object.as_ref().or(before.as_deref()),
                    )
            })
            .collect();
        let before: Vec<_> = concerned.iter().map(|(_, names)| Facts::of(&self.world, names)).collect();
        let old = self.world.put(change);
        let made = (change.kind == Kind::Canary && old.is_none()).then_some(change.object.as_ref()).flatten();
        if let Some(canary) = made {
            self.begin(change, canary);
        }
        self.name(change);
        let by = match &change.object {
            None => By::Unknown,
            Some(new) if ours(old.as_ref(), new) => By::Us,
            Some(_) => By::Others,
        };
        for ((name, names), before) in concerned.into_iter().zip(before) {
            let Some(canary) = self.world.get(Kind::Canary, &name).map(Cow::into_owned) else {
                self.tracks.remove(&name);
                continue;
            };
            let uid = canary["metadata"]["uid"].as_str().unwrap_or_default();
            let track = self.tracks.entry(name).or_default();
            if track.uid != uid {
                *track = Track::of(uid);
            }
            let after = Facts::of(&self.world, &names);
            let seen = Seen {
                kind: change.kind,
                name: &change.name,
                at: change.at,
                old: old.as_ref(),
                new: change.object.as_ref(),
                by,
                before,
                after,
                names: &names,
                canary: &canary,
                place: BED,
            };
            let broken = changes::see(&seen, track);
            let room = KEPT.saturating_sub(self.violations.len());
            self.violations.extend(broken.into_iter().take(room).map(|(check, text)| Violation {
                check,
                text: format!("revision {} ({:?} {}): {text}", change.version, change.kind, change.name),
            }));
        }
    }

    /// Records the names of a Canary that is new or not yet initialised.
    fn name(&mut self, change: &Change) {
        if change.kind != Kind::Canary {
            return;
        }
        let Some(canary) = &change.object else {
            self.named.remove(&change.name);
            return;
        };
        let uid = canary["metadata"]["uid"].as_str().unwrap_or_default();
        let known = self.named.get(&change.name).is_some_and(|(of, _)| of == uid);
        let free = matches!(canary["status"]["phase"].as_str(), None | Some("Initializing"));
        if free || !known {
            self.named.insert(change.name.clone(), (uid.to_owned(), Names::of(canary)));
        }
    }

    /// Handles a new Canary: existing templates count as seen.
    fn begin(&mut self, change: &Change, canary: &Value) {
        let uid = canary["metadata"]["uid"].as_str().unwrap_or_default();
        let mut track = Track::of(uid);
        let names = Names::of(canary);
        for name in [&names.target, &names.primary] {
            if let Some(deployment) = self.world.get(Kind::Deployment, name) {
                let template = deployment["spec"]["template"].clone();
                track.templates.insert(serin::manifest::revision::hash(&template), template);
            }
        }
        self.tracks.insert(change.name.clone(), track);
    }
}
