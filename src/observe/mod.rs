//! Cluster → Snapshot. [`watch`] fills the [`World`]; [`gather`] reads one Canary's part of it. No call to the API
//! server is made here besides the watches themselves.

mod looked;
mod watch;
mod world;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

pub use watch::{MANDATORY, list_once, watch_all};
pub use world::{Key, World, version_of};

use crate::{
    api::{Canary, validated::validate},
    config::Rules,
    names, router,
    snapshot::{
        CANARY, DEPLOYMENT, Kind, METRIC_TEMPLATE, ObjectRef, Objects, REVISION, Rival, SERVICE, Snapshot,
    },
};

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// It is gone: nothing to do.
    #[error("the Canary does not exist")]
    Gone,
    /// A watch has not caught up with one of our own writes, or has not begun: it will trigger again when it has.
    #[error("the watch of {0} has not caught up")]
    Behind(&'static str),
    /// The stored object is not what the schema says.
    #[error("the stored object does not decode: {0}")]
    Undecodable(String),
}

/// Everything known about one Canary at `now`.
///
/// # Errors
/// See [`GatherError`].
pub fn gather(world: &World, rules: &Rules, key: &Key, now: Timestamp) -> Result<Snapshot, GatherError> {
    let (namespace, name) = key;
    let raw = world.get(CANARY, namespace, name).ok_or(GatherError::Gone)?;
    if world.stale(CANARY, key) {
        return Err(GatherError::Behind(CANARY.plural));
    }
    let canary: Canary = serde_json::from_value(raw).map_err(|e| GatherError::Undecodable(e.to_string()))?;
    let target = canary.spec.target_ref.name.clone();
    let named = canary.spec.service.as_ref().and_then(|s| s.name.clone()).filter(|n| !n.is_empty());
    let apex = named.unwrap_or_else(|| target.clone());
    let services = [apex.clone(), names::primary(&apex), names::canary(&apex)];

    let mut wanted: Vec<ObjectRef> = [target.clone(), names::primary(&target)]
        .into_iter()
        .map(|n| ObjectRef::new(DEPLOYMENT, n))
        .chain(services.iter().map(|n| ObjectRef::new(SERVICE, n.clone())))
        .collect();
    let mut missing = Vec::new();
    let provider = canary.spec.provider.as_deref().filter(|p| !p.is_empty()).unwrap_or(&rules.mesh_provider);
    if let Some(router) = router::by_name(provider) {
        for kind in router.kinds() {
            if !kind.built_in() && !world.defines(&kind.crd()) {
                missing.push(kind.crd());
            } else if !world.synced(&[*kind]) {
                return Err(GatherError::Behind(kind.plural));
            }
            wanted.extend(services.iter().map(|n| ObjectRef::new(*kind, n.clone())));
        }
        if let Ok(c) = validate(&canary, rules) {
            wanted.extend(router.reads(&c));
            wanted.extend(router.sources(&c));
        }
    }
    // noted before it is read: what changes from now on is told
    world.looks_at(key, &wanted);
    let mut objects = Objects::default();
    for at in wanted {
        if world.stale(at.kind, &(namespace.clone(), at.name.clone())) {
            return Err(GatherError::Behind(at.kind.plural));
        }
        if let Some(object) = world.get(at.kind, namespace, &at.name) {
            objects.insert(at.kind, object);
        }
    }
    for revision in revisions(world, namespace, &names::primary(&target)) {
        objects.insert(REVISION, revision);
    }
    Ok(Snapshot {
        rules: rules.clone(),
        objects,
        ready: services.iter().filter_map(|s| Some((s.clone(), world.ready(namespace, s)?))).collect(),
        missing_kinds: missing,
        rivals: rivals(world, key, &target, &apex),
        templates: templates(world, &canary, namespace),
        flagger: world.flagger().filter(|(_, until)| *until > now),
        namespace_terminating: world.terminating(namespace),
        refused: None,
        ask_not_before: None,
        canary,
    })
}

fn revisions(world: &World, namespace: &str, primary: &str) -> Vec<Value> {
    let mut all = world.list(REVISION, namespace);
    all.retain(|r| r["metadata"]["labels"][names::LABEL_TEMPLATE_OF] == names::label_value(primary));
    all
}

fn rivals(world: &World, key: &Key, target: &str, apex: &str) -> Vec<Rival> {
    let mut rivals = Vec::new();
    for (other, interest) in world.interests(&key.0) {
        let wants = if interest.target == target {
            ObjectRef::new(DEPLOYMENT, target)
        } else if interest.apex == apex {
            ObjectRef::new(SERVICE, apex)
        } else {
            continue;
        };
        if other == *key {
            continue;
        }
        let Some(object) = world.get(CANARY, &other.0, &other.1) else { continue };
        let meta = &object["metadata"];
        rivals.push(Rival {
            name: other.1,
            uid: meta["uid"].as_str().unwrap_or_default().into(),
            created: meta["creationTimestamp"].as_str().and_then(|t| t.parse().ok()),
            wants,
        });
    }
    rivals
}

fn templates(world: &World, canary: &Canary, namespace: &str) -> Vec<String> {
    let metrics = canary.analysis().map(|a| a.metrics.as_slice()).unwrap_or_default();
    let named = metrics.iter().filter_map(|m| m.template_ref.as_ref()).map(|t| {
        let ns = t.namespace.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| namespace.to_owned());
        (ns, t.name.clone())
    });
    named
        .filter(|(ns, name)| world.get(METRIC_TEMPLATE, ns, name).is_some())
        .map(|(ns, name)| format!("{ns}/{name}"))
        .collect()
}

/// All optional kinds: those of the routers, each once.
pub fn optional() -> BTreeSet<Kind> {
    router::all().iter().flat_map(|r| r.kinds().iter().copied()).collect()
}

/// The optional kinds that are there and that some Canary needs: what nobody asks for is not watched.
fn needed(world: &World, default: &str, defined: &BTreeSet<String>) -> Vec<Kind> {
    let providers = world.providers();
    let named = providers.iter().map(|name| if name.is_empty() { default } else { name });
    let kinds: BTreeSet<Kind> =
        named.filter_map(router::by_name).flat_map(|router| router.kinds().iter().copied()).collect();
    kinds.into_iter().filter(|kind| kind.built_in() || defined.contains(&kind.crd())).collect()
}
