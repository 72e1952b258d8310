//! Stored templates: one immutable ControllerRevision for each template that was on trial or promoted.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    manifest::{
        Manifest,
        revision::{self, StoredConfig},
    },
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{
            Action,
            flow::{Flow, GO_ON, WAIT},
        },
        objects::config_snapshots,
    },
    snapshot::REVISION,
};

/// Stores the target's current template under its hash, after copies of its configuration.
pub(crate) fn store_template(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.stored(Some(&cx.hash)).is_some() {
        return GO_ON;
    }
    if cx.configs.problem.is_some() {
        // its configuration cannot be copied now: it continues once that is fixed
        return WAIT;
    }
    config_snapshots::make_all(cx, d)?;
    let (configs, absent) = (config_snapshots::to_store(cx), config_snapshots::absent(cx));
    let stored = revision::with_configs(new(cx, &cx.hash, cx.target), &configs);
    create(cx, d, revision::with_absent(stored, &absent))
}

/// Stores the template of `source` (the target or a primary) under `hash`, with its contents. A primary that is kept as it
/// is refers to what it uses.
pub(crate) fn store(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    hash: &str,
    source: &Value,
    configs: &BTreeMap<String, StoredConfig>,
) -> Flow {
    create(cx, d, revision::with_configs(new(cx, hash, source), configs))
}

fn new(cx: &Context<'_>, hash: &str, source: &Value) -> Manifest {
    let number = cx.snap.objects.of(REVISION).map(revision::number).max().unwrap_or(0) + 1;
    revision::stored(&cx.c, number, hash, source)
}

/// Creates a stored template. That of a former Canary with the same name is deleted first, if garbage collection has not
/// come to it yet.
fn create(cx: &Context<'_>, d: &mut PlanBuilder, stored: Manifest) -> Flow {
    let left = cx.snap.objects.at(&stored.at()).filter(|live| revision::is_left(live, cx.snap.uid()));
    if let Some(left) = left {
        let going = !left["metadata"]["deletionTimestamp"].is_null();
        return if going { WAIT } else { d.try_act(Action::delete(REVISION, left)) };
    }
    d.try_act(Action::Create(Box::new(stored.owned_by(&cx.c.name, cx.snap.uid()))))
}

/// Deletes promoted templates beyond the history limit, oldest first; those in status stay.
pub(crate) fn collect(cx: &Context<'_>, d: &mut PlanBuilder) {
    let mut old: Vec<&Value> = cx
        .snap
        .objects
        .of(REVISION)
        .filter(|r| {
            let hash = revision::hash_of(r);
            hash != cx.promoted() && hash != cx.applied()
        })
        .collect();
    old.sort_by_key(|r| revision::number(r));
    let excess = old.len().saturating_sub(cx.snap.rules.revision_history);
    for revision in old.into_iter().take(excess) {
        d.act(Action::delete(REVISION, revision));
    }
}
