//! The ConfigMaps and Secrets that the target's template uses: what is known of their contents, what has to be read, what
//! keeps them from being known, and which copies the primary needs.
//!
//! A content is read once per version: status keeps the checksum with the version it was read at, so neither a Canary at
//! rest nor a new life of the operator reads anything again.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Action, Answers,
    context::Context,
    draft::{Draft, after},
    ensure,
    note::Words,
};
use crate::{
    api::{CanaryStatus, ObservedConfig, Phase, validated::Problem},
    manifest::{
        self,
        config::{self, CopyOf, Digest, Reference},
        revision::{self, StoredConfig},
    },
    names::{self, conditions},
    snapshot::{DEPLOYMENT, ObjectRef, Snapshot},
};

/// Reason: pods cannot start without it, and it is not there.
pub(super) const MISSING: &str = "ConfigMissing";
/// Reason: the API server does not give it out.
pub(super) const UNREAD: &str = "ConfigUnread";

type Checksums = BTreeMap<String, String>;

/// What is known, by `config::key`.
#[derive(Default)]
pub(super) struct Configs {
    /// The template refers to some, followed or not.
    any: bool,
    /// Checksums of those that are followed.
    pub(super) checksums: Checksums,
    /// For status: every one that the template refers to.
    pub(super) observed: BTreeMap<String, ObservedConfig>,
    /// To be read before the checksums can be relied on.
    pub(super) unread: Vec<ObjectRef>,
    /// Why a new revision cannot be known or started.
    pub(super) problem: Option<Problem>,
}

/// Looks at everything that the target's template refers to. What cannot be seen counts as it was last.
pub(super) fn look(snap: &Snapshot, answers: &Answers, target: &Value) -> Configs {
    let mut found = Configs::default();
    let deleting = snap.canary.metadata.deletion_timestamp.is_some();
    if !snap.rules.config_tracking || deleting {
        return found;
    }
    let (status, name) = (snap.status(), target["metadata"]["name"].as_str().unwrap_or_default());
    let references = config::references(&target["spec"]["template"]["spec"]);
    found.any = !references.is_empty();
    for reference in &references {
        found.see(snap, answers, &status, name, reference);
    }
    if status.last_promoted_spec.as_deref().is_some_and(|hash| !revision::is_ours(hash)) {
        for copy in flaggers(snap, name, &references) {
            found.see(snap, answers, &status, name, &copy);
            // no part of the target's revision: `adopt` asks for it
            found.checksums.remove(&config::key(&copy.at));
        }
    }
    found
}

/// Copies of Flagger's that the primary uses.
fn flaggers(snap: &Snapshot, target: &str, references: &[Reference]) -> Vec<Reference> {
    let primary = snap.objects.get(DEPLOYMENT, &names::primary(target)).unwrap_or(&Value::Null);
    let mut used = config::references(&primary["spec"]["template"]["spec"]);
    used.retain(|u| {
        references.iter().any(|r| r.at.kind == u.at.kind && names::primary(&r.at.name) == u.at.name)
    });
    used.into_iter().map(|used| Reference { optional: true, ..used }).collect()
}

impl Configs {
    fn see(
        &mut self,
        snap: &Snapshot,
        answers: &Answers,
        status: &CanaryStatus,
        target: &str,
        of: &Reference,
    ) {
        let key = config::key(&of.at);
        let live = snap.objects.at(&of.at);
        if live.is_some_and(config::opted_out) {
            self.observed.insert(key, ObservedConfig::default());
            return;
        }
        let known = match (live, answers.configs.get(&of.at)) {
            (None, _) | (_, Some(Ok(None))) => None,
            (_, Some(Ok(Some(digest)))) => Some(Ok(digest.clone())),
            (Some(_), Some(Err(why))) => Some(Err(Some(why))),
            (Some(live), None) => Some(remembered(status, &key, live).ok_or(None)),
        };
        match known {
            Some(Ok(Digest { version, checksum })) => {
                if let Some(checksum) = &checksum {
                    self.checksums.insert(key.clone(), checksum.clone());
                    self.foreign(snap, &of.at, checksum);
                }
                self.observed.insert(key, ObservedConfig { version, checksum });
            }
            Some(Err(why)) => {
                self.unread.push(of.at.clone());
                self.as_it_was(status, &key);
                let message = why.map_or_else(
                    || said_before(status),
                    |why| {
                        format!(
                            "{} cannot be read, which spec.template.spec.{} of {target} refers to: {why}",
                            of.at, of.field
                        )
                    },
                );
                self.problem.get_or_insert_with(|| Problem::new(UNREAD, message));
            }
            None => {
                self.observed.insert(key.clone(), ObservedConfig::default());
                if !of.optional {
                    self.as_it_was(status, &key);
                    self.problem.get_or_insert_with(|| Problem::new(MISSING, format!(
                        "{} does not exist, which spec.template.spec.{} of {target} refers to: create it, mark the reference as optional, or correct its name",
                        of.at, of.field
                    )));
                }
            }
        }
    }

    fn as_it_was(&mut self, status: &CanaryStatus, key: &str) {
        self.observed.insert(key.to_owned(), status.observed_configs.get(key).cloned().unwrap_or_default());
        if let Some(checksum) = status.tracked_configs.as_ref().and_then(|all| all.get(key)) {
            self.checksums.insert(key.to_owned(), checksum.clone());
        }
    }

    fn foreign(&mut self, snap: &Snapshot, from: &ObjectRef, checksum: &str) {
        let canary = snap.canary.metadata.name.as_deref().unwrap_or_default();
        let copy = ObjectRef::new(from.kind, config::copy_name(canary, from, checksum));
        if snap.objects.at(&copy).is_some_and(|live| !config::is_copy(live, canary)) {
            let message = format!("{copy} exists and was not made for this Canary: delete or rename it");
            self.problem.get_or_insert_with(|| Problem::new("ForeignObject", message));
        }
    }

    /// For `status.trackedConfigs`: none while nothing is looked at.
    pub(super) fn for_status(&self) -> Option<Checksums> {
        self.any.then(|| self.checksums.clone())
    }

    /// Whether pods of the same template would start with something else than those that were started when this status
    /// was written: a reference that was there then leads to another content, to one at all, or to none.
    pub(super) fn differ_for_running_pods(&self, status: &CanaryStatus) -> bool {
        let Some(then) = &status.tracked_configs else { return false };
        let known_then = |key: &&String| status.observed_configs.contains_key(*key);
        self.observed.keys().filter(known_then).any(|key| self.checksums.get(key) != then.get(key))
    }
}

/// The checksum in status, if it is of this version.
fn remembered(status: &CanaryStatus, key: &str, live: &Value) -> Option<Digest> {
    let known = status.observed_configs.get(key)?;
    let same = manifest::resource_version(live) == Some(known.version.as_str());
    same.then(|| Digest { version: known.version.clone(), checksum: known.checksum.clone() })
}

/// Between two attempts to read the condition says what the last one said.
fn said_before(status: &CanaryStatus) -> String {
    let said = status.conditions.iter().find(|c| c.type_ == conditions::ACCEPTED && c.reason == UNREAD);
    said.map_or_else(
        || "what the target's template refers to has not been read yet".into(),
        |c| c.message.clone(),
    )
}

/// Hash of the target's revision: its template and what it uses. The same object is looked at first, so that a newer API
/// server that stores it differently makes no new revision (design D7).
pub(super) fn target_hash(snap: &Snapshot, target: &Value, configs: &Configs) -> String {
    let status = snap.status();
    let template = &target["spec"]["template"];
    let unchanged = status.target.as_ref().is_some_and(|t| {
        Some(t.uid.as_str()) == manifest::uid(target) && Some(t.generation) == manifest::generation(target)
    });
    let applied = status.last_applied_spec.filter(|hash| revision::is_ours(hash));
    let promoted = status.last_promoted_spec.filter(|hash| revision::is_ours(hash));
    if !snap.rules.config_tracking {
        // recorded with contents that are no longer looked at
        let same = |hash: &String| {
            let stored = revision::find(&snap.objects, hash).and_then(revision::template_of);
            stored.is_some_and(|stored| revision::hash(stored) == revision::hash(template))
        };
        let known = applied.filter(|hash| unchanged || same(hash));
        return known.or_else(|| promoted.filter(same)).unwrap_or_else(|| revision::hash(template));
    }
    match (&status.tracked_configs, applied) {
        (Some(then), Some(hash)) if unchanged && *then == configs.checksums => hash,
        // recorded before contents were looked at: they are taken as they are now
        (None, Some(hash)) if unchanged || hash == revision::hash(template) => hash,
        _ => revision::hash_with(template, &configs.checksums),
    }
}

/// Ending a run and finishing a promotion need no new revision.
pub(super) fn committed(status: &CanaryStatus) -> bool {
    matches!(status.phase, Some(Phase::Promoting | Phase::Finalising))
        || status.run.as_ref().is_some_and(|run| run.ending.is_some())
}

/// What is still to be read, unless the last attempt has only just failed.
pub(super) fn wait_for_unread(snap: &Snapshot, d: &mut Draft, now: jiff::Timestamp, configs: &Configs) {
    if configs.unread.is_empty() {
        return;
    }
    match snap.ask_not_before {
        Some(time) if now < time => d.wake_at(time),
        _ => {
            d.unread.extend(configs.unread.iter().cloned());
            d.wake_at(after(now, std::time::Duration::from_secs(10)));
        }
    }
}

/// Into status: what was read, and, the first time, with which contents the applied revision runs.
pub(super) fn remember(cx: &Context<'_>, d: &mut Draft) {
    if d.status.tracked_configs.is_none() && cx.applied() == Some(cx.hash.as_str()) {
        d.status.tracked_configs = cx.configs.for_status();
    }
}

/// The checksums that belong to a revision.
pub(super) fn of_revision(cx: &Context<'_>, hash: Option<&str>) -> Option<Checksums> {
    let now = cx.configs.for_status()?;
    if hash == Some(cx.hash.as_str()) {
        return Some(now);
    }
    Some(cx.stored(hash).map(revision::checksums_of).unwrap_or_default())
}

/// With which copies the target's present revision is stored.
pub(super) fn to_store(cx: &Context<'_>) -> BTreeMap<String, StoredConfig> {
    let with_copy = |(key, checksum): (&String, &String)| {
        let copy = config::copy_name(&cx.c.name, &config::by_key(key)?, checksum);
        Some((key.clone(), StoredConfig { checksum: checksum.clone(), copy }))
    };
    cx.configs.checksums.iter().filter_map(with_copy).collect()
}

/// With which objects a primary that is taken over runs: Flagger's copies, or those of the target.
pub(super) fn taken_over(cx: &Context<'_>, primary: &Value) -> BTreeMap<String, StoredConfig> {
    let used = config::references(&primary["spec"]["template"]["spec"]);
    let with_copy = |(key, checksum): (&String, &String)| {
        let from = config::by_key(key)?;
        let copy = ObjectRef::new(from.kind, names::primary(&from.name));
        let observed =
            cx.configs.observed.get(&config::key(&copy)).filter(|_| used.iter().any(|u| u.at == copy));
        let stored = match observed {
            Some(observed) => {
                StoredConfig { checksum: observed.checksum.clone().unwrap_or_default(), copy: copy.name }
            }
            None => StoredConfig { checksum: checksum.clone(), copy: from.name },
        };
        Some((key.clone(), stored))
    };
    cx.configs.checksums.iter().filter_map(with_copy).collect()
}

/// Makes the copies of the present revision that are not there; comes before the revision is stored, so that one that is
/// stored has had all its copies.
pub(super) fn copy_all(cx: &Context<'_>, d: &mut Draft) {
    for (key, config) in to_store(cx) {
        make(cx, d, &key, &config);
    }
}

fn make(cx: &Context<'_>, d: &mut Draft, key: &str, config: &StoredConfig) {
    let Some(from) = config::by_key(key) else { return };
    if cx.snap.objects.get(from.kind, &config.copy).is_none() {
        d.act(Action::Copy(CopyOf {
            from,
            name: config.copy.clone(),
            checksum: config.checksum.clone(),
            canary: cx.c.name.clone(),
            prefixes: cx.snap.rules.include_label_prefix.clone(),
        }));
    }
}

/// Copies of a stored revision that somebody deleted, each with what it was made from.
fn gone(cx: &Context<'_>, stored: &Value) -> Vec<(String, ObjectRef, StoredConfig)> {
    if !cx.snap.rules.config_tracking {
        return vec![];
    }
    let ours = |(key, config): (String, StoredConfig)| {
        let from = config::by_key(&key)?;
        let named = config.copy == config::copy_name(&cx.c.name, &from, &config.checksum);
        (named && cx.snap.objects.get(from.kind, &config.copy).is_none()).then_some((key, from, config))
    };
    revision::configs_of(stored).into_iter().filter_map(ours).collect()
}

fn obtainable(cx: &Context<'_>, key: &str, config: &StoredConfig) -> bool {
    cx.configs.checksums.get(key) == Some(&config.checksum)
}

/// The copies of a stored revision are there, as far as they can be had; true when nothing was left to do.
pub(super) fn copies(cx: &Context<'_>, d: &mut Draft, stored: &Value) -> bool {
    let before = d.actions.len();
    for (key, from, config) in
        gone(cx, stored).into_iter().filter(|(key, _, config)| obtainable(cx, key, config))
    {
        d.say(Words::recreated(&ObjectRef::new(from.kind, config.copy.clone()).to_string()));
        make(cx, d, &key, &config);
    }
    d.actions.len() == before
}

/// A copy of a stored revision is gone for good, and the primary does not use it yet.
pub(super) fn lost(cx: &Context<'_>, stored: &Value) -> bool {
    let given = cx.primary().and_then(|p| manifest::annotation(p, names::ANNOTATION_REVISION));
    given != revision::hash_of(stored)
        && gone(cx, stored).iter().any(|(key, _, config)| !obtainable(cx, key, config))
}

/// Copies that the primary uses and that are gone for good, for people.
pub(super) fn advice(cx: &Context<'_>) -> Vec<String> {
    let Some(stored) =
        cx.stored(cx.promoted()).filter(|_| cx.snap.canary.metadata.deletion_timestamp.is_none())
    else {
        return vec![];
    };
    let lost = gone(cx, stored).into_iter().filter(|(key, _, config)| !obtainable(cx, key, config));
    lost.map(|(_, from, config)| {
        format!(
            "{} {}, which {} uses, is gone, and {from} has another content by now: release {} once more",
            from.kind.kind, config.copy, cx.c.names.primary, cx.c.names.target
        )
    })
    .collect()
}

/// Copies that nothing uses any more go: not the primary, nor a stored revision that status names.
pub(super) fn collect(cx: &Context<'_>, d: &mut Draft) {
    let pod = cx.primary().map_or(&Value::Null, |p| &p["spec"]["template"]["spec"]);
    let mut used: Vec<ObjectRef> = config::references(pod).into_iter().map(|r| r.at).collect();
    for stored in [cx.stored(cx.applied()), cx.stored(cx.promoted())].into_iter().flatten() {
        let of = |(key, config): (String, StoredConfig)| {
            Some(ObjectRef::new(config::by_key(&key)?.kind, config.copy))
        };
        used.extend(revision::configs_of(stored).into_iter().filter_map(of));
    }
    delete(cx, d, &used);
}

/// All copies go but those in use.
pub(super) fn delete(cx: &Context<'_>, d: &mut Draft, used: &[ObjectRef]) {
    for kind in config::KINDS {
        for live in cx.snap.objects.of(kind).filter(|o| config::is_copy(o, &cx.c.name)) {
            let going = !live["metadata"]["deletionTimestamp"].is_null();
            let named = |at: &ObjectRef| at.kind == kind && live["metadata"]["name"] == at.name.as_str();
            if !going && !used.iter().any(named) {
                d.act(ensure::delete(kind, live));
            }
        }
    }
}
