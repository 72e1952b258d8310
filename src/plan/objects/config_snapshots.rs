//! Copies of ConfigMaps and Secrets: which ones a revision needs, which are missing, which are no longer used. Only
//! `manifest` and `apply` know their contents.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    clock,
    manifest::{
        self,
        config::{self, CopyOf},
        revision::{self, Source, StoredConfig},
    },
    names,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{
            Action, Messages,
            flow::{Flow, GO_ON, WAIT, WRITE_FIRST},
        },
    },
    snapshot::{ObjectRef, Snapshot},
    spec::Target,
};

/// How long a deleted Canary waits for a refused write that keeps what its primary uses.
const PATIENCE: Duration = Duration::from_secs(60);

/// The copies in the stored form of the target's current revision.
pub(crate) fn to_store(cx: &Context<'_>) -> BTreeMap<String, StoredConfig> {
    let with_copy = |(key, checksum): (&String, &String)| {
        let copy = config::copy_name(&cx.c.name, &config::by_key(key)?, checksum);
        Some((key.clone(), StoredConfig { checksum: checksum.clone(), copy }))
    };
    cx.configs.checksums.iter().filter_map(with_copy).collect()
}

/// Names for the optional objects that the target's current revision is analysed without.
pub(crate) fn absent(cx: &Context<'_>) -> BTreeMap<String, String> {
    let with_name = |key: &String| Some((key.clone(), config::stand_in(&cx.c.name, &config::by_key(key)?)));
    cx.configs.absent.iter().filter_map(with_name).collect()
}

/// What did not exist when a template was stored stays away from the primary, unless it exists by now and is not
/// followed: such an object is used by primary and target alike.
pub(crate) fn leave_shared(cx: &Context<'_>, stored: &Value, source: &mut Source) {
    for key in revision::absent_of(stored).into_keys() {
        let live = config::by_key(&key).and_then(|at| cx.snap.objects.at(&at));
        let unfollowed =
            cx.configs.observed.get(&key).is_some_and(|of| of.checksum.is_none() && !of.version.is_empty());
        if live.is_some_and(|live| config::opted_out(live) || unfollowed) {
            source.configs.remove(&key);
        }
    }
}

/// The objects that a taken over primary uses: Flagger's copies, or those of the target.
pub(crate) fn taken_over(cx: &Context<'_>, primary: &Value) -> BTreeMap<String, StoredConfig> {
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

/// Flagger's copies belong to the Canary, and would be deleted with it under a primary that keeps serving: those that the
/// primary uses lose that owner, as everything else that Flagger made. They are not marked, because primaries of other
/// Canaries may use them too, and a Flagger that comes back changes them.
pub(crate) fn orphan(snap: &Snapshot, d: &mut PlanBuilder) -> Flow {
    let mut flow = GO_ON;
    for (at, patch) in owned(snap) {
        let Some(live) = snap.objects.at(&at) else { continue };
        let tried = d.try_act(Action::patch(at, names::managers::WORKLOAD, live, patch));
        flow = if flow == WRITE_FIRST { flow } else { tried };
    }
    flow
}

/// Objects that the primary uses and that a Canary owns, with the patches that change it.
fn owned(snap: &Snapshot) -> Vec<(ObjectRef, Value)> {
    let target = &snap.canary.spec.target_ref;
    let kind = Target::named(target).unwrap_or_default().kind();
    let Some(primary) = snap.objects.get(kind, &names::primary(&target.name)) else { return vec![] };
    let used = config::references(&primary["spec"]["template"]["spec"]).into_iter();
    let owned = used.filter_map(|used| {
        let live = snap.objects.at(&used.at)?;
        let going = !live["metadata"]["deletionTimestamp"].is_null();
        Some((used.at, manifest::orphan(live).filter(|_| !going)?))
    });
    owned.collect()
}

/// A Canary goes once nothing that its primary uses goes with it, or after a minute of attempts.
pub(crate) fn outlive(snap: &Snapshot, d: &mut PlanBuilder) -> Flow {
    let flow = if snap.namespace_terminating { GO_ON } else { orphan(snap, d) };
    if flow != WAIT {
        return flow;
    }
    let deleted = snap.canary.metadata.deletion_timestamp.as_ref().map_or(Timestamp::MIN, |t| t.0);
    d.reached(clock::after(deleted, PATIENCE))?;
    let lost: Vec<String> = owned(snap).iter().map(|(at, _)| at.to_string()).collect();
    d.say(Messages::lost_with_canary(&lost.join(", "), &names::primary(&snap.canary.spec.target_ref.name)));
    GO_ON
}

/// Creates missing copies of the current revision; comes before the revision is stored, so that a stored one
/// has had all its copies. Waits while one of them is refused.
pub(crate) fn make_all(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let made: Vec<Flow> = to_store(cx).iter().map(|(key, config)| make(cx, d, key, config)).collect();
    if made.contains(&WAIT) { WAIT } else { GO_ON }
}

fn make(cx: &Context<'_>, d: &mut PlanBuilder, key: &str, config: &StoredConfig) -> Flow {
    let Some(from) = config::by_key(key) else { return GO_ON };
    if cx.snap.objects.get(from.kind, &config.copy).is_some() {
        return GO_ON;
    }
    d.try_act(Action::Copy(CopyOf {
        from,
        name: config.copy.clone(),
        checksum: config.checksum.clone(),
        canary: cx.c.name.clone(),
        prefixes: cx.snap.rules.include_label_prefix.clone(),
    }))
}

/// A copy that somebody deleted: key and place of its original, and the stored data about it.
type MissingCopy = (String, ObjectRef, StoredConfig);

/// Copies of a stored revision that somebody deleted.
fn missing(cx: &Context<'_>, stored: &Value) -> Vec<MissingCopy> {
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

/// Its original exists, and still has the content.
fn obtainable(cx: &Context<'_>, (key, from, config): &MissingCopy) -> bool {
    let seen = cx.snap.objects.at(from).is_some() && !cx.configs.unread.contains(from);
    seen && cx.configs.checksums.get(key) == Some(&config.checksum)
}

/// Creates deleted copies of a stored revision again, as far as possible. Waits while one of them is refused.
pub(crate) fn restore(cx: &Context<'_>, d: &mut PlanBuilder, stored: &Value) -> Flow {
    let mut made = vec![];
    // unused copies of a former revision were removed on purpose
    let hash = revision::hash_of(stored);
    let given = cx.primary().and_then(|p| manifest::annotation(p, names::ANNOTATION_REVISION));
    let in_use = hash == given || hash == cx.promoted();
    for (key, from, config) in missing(cx, stored).into_iter().filter(|copy| obtainable(cx, copy)) {
        if in_use {
            d.say(Messages::recreated(&ObjectRef::new(from.kind, config.copy.clone()).to_string()));
        }
        made.push(make(cx, d, &key, &config));
    }
    match made.iter().find(|flow| **flow == WAIT) {
        Some(held) => *held,
        None if made.is_empty() => GO_ON,
        None => WRITE_FIRST,
    }
}

/// A copy of a stored revision is lost, and the primary does not use it yet.
pub(crate) fn lost(cx: &Context<'_>, stored: &Value) -> bool {
    let given = cx.primary().and_then(|p| manifest::annotation(p, names::ANNOTATION_REVISION));
    given != revision::hash_of(stored) && missing(cx, stored).iter().any(|copy| !obtainable(cx, copy))
}

/// Lost copies that the primary uses, for people.
pub(crate) fn advice(cx: &Context<'_>) -> Vec<String> {
    let Some(stored) =
        cx.stored(cx.promoted()).filter(|_| cx.snap.canary.metadata.deletion_timestamp.is_none())
    else {
        return vec![];
    };
    let lost = missing(cx, stored).into_iter().filter(|copy| !obtainable(cx, copy));
    lost.map(|(_, from, config)| {
        format!(
            "{} {}, which {} uses, is gone, and {from} does not have its content any more: release {} once more",
            from.kind.kind, config.copy, cx.c.names.primary, cx.c.names.target
        )
    })
    .collect()
}

/// Deletes copies that neither the primary nor a stored revision in status uses.
pub(crate) fn collect(cx: &Context<'_>, d: &mut PlanBuilder) {
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

/// Deletes all copies except those in use.
pub(crate) fn delete(cx: &Context<'_>, d: &mut PlanBuilder, used: &[ObjectRef]) {
    for kind in config::KINDS {
        for live in cx.snap.objects.of(kind).filter(|o| config::is_copy(o, &cx.c.name)) {
            let going = !live["metadata"]["deletionTimestamp"].is_null();
            let named = |at: &ObjectRef| at.kind == kind && live["metadata"]["name"] == at.name.as_str();
            if !going && !used.iter().any(named) {
                d.act(Action::delete(kind, live));
            }
        }
    }
}
