//! The ConfigMaps and Secrets in the target's template: their known contents, which have to be read, which problems
//! there are, and the revision that they form with the template. `objects::config_snapshots` makes their copies.
//!
//! A content is read once per version: status keeps the checksum with the version it was read at, so neither an idle
//! Canary nor a restarted operator reads anything again.

use serde_json::Value;

use crate::{
    api::{CanaryStatus, ObservedConfig, Phase},
    clock,
    manifest::{
        self,
        config::{self, Digest, Reference},
        revision,
    },
    names::{self, conditions},
    plan::{builder::PlanBuilder, configs::Configs, context::Context, model::Answers},
    snapshot::{ObjectRef, Snapshot},
    spec::{Problem, Target},
};

/// Reason: pods need it to start, and it does not exist.
pub(crate) const MISSING: &str = "ConfigMissing";
/// Reason: the API server does not return it.
pub(crate) const UNREAD: &str = "ConfigUnread";

/// Looks at every reference in the target's template. Objects that cannot be read keep their last state.
pub(crate) fn look(snap: &Snapshot, answers: &Answers, kind: Target, target: &Value) -> Configs {
    let mut found = Configs::default();
    let deleting = snap.canary.metadata.deletion_timestamp.is_some();
    if !snap.rules.config_tracking || deleting {
        return found;
    }
    let (status, name) = (snap.status(), target["metadata"]["name"].as_str().unwrap_or_default());
    let references = config::references(&kind.revision(target)["spec"]);
    found.any = !references.is_empty();
    for reference in &references {
        found.see(snap, answers, &status, name, reference);
    }
    if status.last_promoted_spec.as_deref().is_some_and(|hash| !revision::is_ours(hash)) {
        for copy in flaggers(snap, kind, name, &references) {
            found.see(snap, answers, &status, name, &copy);
            // not part of the target's revision: `adopt` needs it
            found.checksums.remove(&config::key(&copy.at));
            found.absent.retain(|key| *key != config::key(&copy.at));
        }
    }
    found
}

/// Flagger's copies that the primary uses and the target does not.
fn flaggers(snap: &Snapshot, kind: Target, target: &str, references: &[Reference]) -> Vec<Reference> {
    let primary = snap.objects.get(kind.kind(), &names::primary(target)).unwrap_or(&Value::Null);
    let mut used = config::references(&primary["spec"]["template"]["spec"]);
    used.retain(|u| {
        let original = |r: &Reference| r.at.kind == u.at.kind && names::primary(&r.at.name) == u.at.name;
        references.iter().any(original) && references.iter().all(|r| r.at != u.at)
    });
    used.into_iter().map(|used| Reference { optional: true, ..used }).collect()
}

/// The state of a ConfigMap or Secret.
enum ConfigState {
    /// Its annotation says that it is not tracked.
    OptedOut,
    /// It does not exist.
    Missing,
    /// Its contents, for its current version.
    Known(Digest),
    /// It exists, but its contents are unknown, and why the last attempt to read it failed, if there was one.
    Unread(Option<String>),
}

impl ConfigState {
    /// | in the cache | answer | state |
    /// |---|---|---|
    /// | opted out | any | opted out |
    /// | missing | any | missing |
    /// | present | does not exist | missing |
    /// | present | read | known |
    /// | present | not read | unread, with the reason |
    /// | present | none | known if status has a checksum of this version, otherwise unread |
    fn of(snap: &Snapshot, answers: &Answers, status: &CanaryStatus, at: &ObjectRef) -> Self {
        let Some(live) = snap.objects.at(at) else { return Self::Missing };
        if config::opted_out(live) {
            return Self::OptedOut;
        }
        match answers.configs.get(at) {
            Some(Ok(None)) => Self::Missing,
            Some(Ok(Some(digest))) => Self::Known(digest.clone()),
            Some(Err(why)) => Self::Unread(Some(why.clone())),
            None => remembered(status, &config::key(at), live).map_or(Self::Unread(None), Self::Known),
        }
    }
}

impl Configs {
    /// Records the state of one reference of the target `target`.
    fn see(
        &mut self,
        snap: &Snapshot,
        answers: &Answers,
        status: &CanaryStatus,
        target: &str,
        of: &Reference,
    ) {
        let key = config::key(&of.at);
        match ConfigState::of(snap, answers, status, &of.at) {
            ConfigState::OptedOut => {
                self.observed.insert(key, ObservedConfig::default());
            }
            ConfigState::Missing => {
                self.observed.insert(key.clone(), ObservedConfig::default());
                if of.optional {
                    self.absent.push(key);
                } else {
                    self.as_it_was(status, &key);
                    self.refuse(MISSING, missing(of, target));
                }
            }
            ConfigState::Known(Digest { version, checksum }) => {
                if let Some(checksum) = &checksum {
                    self.checksums.insert(key.clone(), checksum.clone());
                    self.foreign(snap, &of.at, checksum);
                }
                self.observed.insert(key, ObservedConfig { version, checksum });
            }
            ConfigState::Unread(why) => {
                self.unread.push(of.at.clone());
                self.as_it_was(status, &key);
                self.refuse(UNREAD, why.map_or_else(|| said_before(status), |why| unread(of, target, &why)));
            }
        }
    }

    /// The first problem is reported.
    fn refuse(&mut self, reason: &'static str, message: String) {
        self.problem.get_or_insert_with(|| Problem::new(reason, message));
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
            self.refuse(
                "ForeignObject",
                format!("{copy} exists and was not made for this Canary: delete or rename it"),
            );
        }
    }
}

fn missing(of: &Reference, target: &str) -> String {
    format!(
        "{} does not exist, but spec.template.spec.{} of {target} refers to it: create it, mark the reference as optional, or correct its name",
        of.at, of.field
    )
}

fn unread(of: &Reference, target: &str, why: &str) -> String {
    format!("{} cannot be read, which spec.template.spec.{} of {target} refers to: {why}", of.at, of.field)
}

/// The checksum in status, if it is of this version.
fn remembered(status: &CanaryStatus, key: &str, live: &Value) -> Option<Digest> {
    let known = status.observed_configs.get(key)?;
    let same = manifest::resource_version(live) == Some(known.version.as_str());
    same.then(|| Digest { version: known.version.clone(), checksum: known.checksum.clone() })
}

/// Between two attempts to read, the condition keeps the last message.
fn said_before(status: &CanaryStatus) -> String {
    let said = status.conditions.iter().find(|c| c.type_ == conditions::ACCEPTED && c.reason == UNREAD);
    said.map_or_else(
        || "what the target's template refers to has not been read yet".into(),
        |c| c.message.clone(),
    )
}

/// Hash of the target's revision: its template and its contents. The recorded hash is kept while the target is the same
/// object, so that a newer API server that stores it differently makes no new revision. The first matching row counts:
///
/// | contents are tracked | recorded in status | target | hash |
/// |---|---|---|---|
/// | no | applied | unchanged, or its template is that of the applied revision | applied |
/// | no | promoted | its template is that of the promoted revision | promoted |
/// | no | - | - | of the template alone |
/// | yes | applied, with these contents | unchanged | applied |
/// | yes | applied, without contents | unchanged, or its template alone has the applied hash | applied |
/// | yes | - | - | of the template and its contents |
///
/// An applied hash without contents is older than tracking: the current contents are used. Flagger's hashes count as
/// not recorded.
pub(crate) fn target_hash(snap: &Snapshot, kind: Target, target: &Value, configs: &Configs) -> String {
    let status = snap.status();
    let template = &*kind.revision(target);
    let unchanged = is_unchanged(&status, kind, target);
    let applied = status.last_applied_spec.filter(|hash| revision::is_ours(hash));
    let promoted = status.last_promoted_spec.filter(|hash| revision::is_ours(hash));
    if !snap.rules.config_tracking {
        let same = |hash: &String| {
            let stored = revision::find(&snap.objects, snap.uid(), hash).and_then(revision::template_of);
            stored.is_some_and(|stored| revision::hash(stored) == revision::hash(template))
        };
        let known = applied.filter(|hash| unchanged || same(hash));
        return known.or_else(|| promoted.filter(same)).unwrap_or_else(|| revision::hash(template));
    }
    match (applied, &status.tracked_configs) {
        (Some(hash), Some(then)) if unchanged && *then == configs.checksums => hash,
        (Some(hash), None) if unchanged || hash == revision::hash(template) => hash,
        _ => revision::hash_with(template, &configs.checksums),
    }
}

/// The target is the object and generation for which the status was written. A Service has no generation that counts
/// its changes, and that of a Knative Service is ahead of its revisions.
fn is_unchanged(status: &CanaryStatus, kind: Target, target: &Value) -> bool {
    let seen = status.target.as_ref().map(|seen| (Some(seen.uid.as_str()), Some(seen.generation)));
    !kind.is_copied()
        && !kind.holds_both()
        && seen == Some((manifest::uid(target), manifest::generation(target)))
}

/// Ending a run and finishing a promotion need no new revision.
pub(crate) fn committed(status: &CanaryStatus) -> bool {
    matches!(status.phase, Some(Phase::Promoting | Phase::Finalising))
        || status.run.as_ref().is_some_and(|run| run.ending.is_some())
}

/// Contents that still have to be read, unless the last attempt has just failed.
pub(crate) fn wait_for_unread(cx: &Context<'_>, d: &mut PlanBuilder) {
    if cx.configs.unread.is_empty() {
        return;
    }
    match cx.snap.pauses.contents {
        Some(time) if cx.now < time => d.wake_at(time),
        _ => {
            d.unread.extend(cx.configs.unread.iter().cloned());
            d.wake_at(clock::after(cx.now, cx.c.interval));
        }
    }
}

/// Records in status what was read and, the first time, which contents the applied revision has.
pub(crate) fn remember(cx: &Context<'_>, d: &mut PlanBuilder) {
    if d.status.tracked_configs.is_none() && cx.applied() == Some(cx.hash.as_str()) {
        d.status.tracked_configs = cx.configs.for_status();
    }
}
