//! Stored templates: one immutable ControllerRevision for each that was on trial or promoted.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    manifest::revision::{self, StoredConfig},
    plan::{builder::PlanBuilder, context::Context, model::Action, objects::config_snapshots},
    snapshot::REVISION,
};

/// The target's present template is stored under its hash, after copies of what it uses.
pub(crate) fn store_template(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    if cx.stored(Some(&cx.hash)).is_some() {
        return true;
    }
    if cx.configs.problem.is_some() {
        // what it uses cannot be copied now: mending that is enough to go on
        return false;
    }
    config_snapshots::make_all(cx, d);
    store(cx, d, &cx.hash, cx.target, &config_snapshots::to_store(cx));
    false
}

/// Stores the template of `source` (the target or a primary) under `hash`, with the contents that go with it.
pub(crate) fn store(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    hash: &str,
    source: &Value,
    configs: &BTreeMap<String, StoredConfig>,
) {
    let number = cx.snap.objects.of(REVISION).map(revision::number).max().unwrap_or(0) + 1;
    let uid = cx.snap.canary.metadata.uid.as_deref().unwrap_or_default();
    let stored = revision::with_configs(revision::stored(&cx.c, number, hash, source), configs);
    d.act(Action::Create(Box::new(stored.owned_by(&cx.c.name, uid))));
}

/// Promoted templates beyond the history limit go, oldest first; those that status names stay.
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
