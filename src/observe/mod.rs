//! Cluster → Snapshot. [`watch`] fills the [`ObjectCache`]; [`gather`] reads one Canary's part of it. No call to the API
//! server is made here besides the watches themselves.

mod cache;
mod dependency_index;
mod endpoints;
mod references;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub use cache::{Key, ObjectCache, version_of};
pub use watch::{list_once, mandatory, watch_all};

use crate::{
    api::{AlertProviderSpec, Canary, MetricTemplateSpec},
    config::Rules,
    expression::Known,
    manifest::{self, config, scaler},
    names, router,
    snapshot::{
        ALERT_PROVIDER, CANARY, CANARY_RUN, DAEMONSET, HPA, JOB, Kind, METRIC_TEMPLATE, ObjectRef, Objects,
        POD, REVISION, Records, Rival, SCALED_OBJECT, SERVICE, Snapshot,
    },
    spec::{Target, validate},
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
pub fn gather(
    world: &ObjectCache,
    rules: &Rules,
    key: &Key,
    now: Timestamp,
) -> Result<Snapshot, GatherError> {
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

    // of a kind that is not served nothing is looked at
    let target_kind = Target::named(&canary.spec.target_ref).unwrap_or_default();
    let workload = target_kind.kind();
    if workload == DAEMONSET && !world.synced(&[DAEMONSET]) {
        return Err(GatherError::Behind(DAEMONSET.plural));
    }
    let mut wanted: Vec<ObjectRef> = [target.clone(), names::primary(&target)]
        .into_iter()
        .map(|n| ObjectRef::new(workload, n))
        .chain(services.iter().map(|n| ObjectRef::new(SERVICE, n.clone())))
        .collect();
    let (mut missing, mut forbidden) = (Vec::new(), Vec::new());
    wanted.extend(routes(world, rules, &canary, &services, &mut missing, &mut forbidden)?);
    wanted.extend(scalers(world, namespace, &canary, &mut missing)?);
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
    revisions(world, namespace, &names::primary(&target), &mut objects);
    let records = records(world, key, &mut objects, &mut missing);
    let templates = templates(world, &canary, namespace);
    cache::jobs::gathered(world, key, &templates, &mut objects, &mut forbidden)?;
    if rules.config_tracking {
        configs(world, key, target_kind, &[&target, &names::primary(&target)], &mut objects);
    }
    Ok(Snapshot {
        rules: rules.clone(),
        objects,
        ready: services.iter().filter_map(|s| Some((s.clone(), world.ready(namespace, s)?))).collect(),
        missing_kinds: missing,
        forbidden_kinds: forbidden,
        rivals: rivals(world, key, workload, &apex),
        secrets: rules.config_tracking.then(|| cache::secrets::named(world, &canary, namespace, &templates)),
        templates,
        alert_providers: alert_providers(world, &canary, namespace),
        flagger: world.flagger().filter(|(_, until)| *until > now),
        namespace_terminating: world.terminating(namespace),
        refused: None,
        refused_job: None,
        ask_not_before: None,
        records: Records { known: records, ..Records::default() },
        conditions: Known::default(),
        heard: BTreeMap::new(),
        canary,
    })
}

/// The objects that the Canary's router reads.
fn routes(
    world: &ObjectCache,
    rules: &Rules,
    canary: &Canary,
    services: &[String],
    missing: &mut Vec<String>,
    forbidden: &mut Vec<String>,
) -> Result<Vec<ObjectRef>, GatherError> {
    let provider = canary.spec.provider.as_deref().filter(|p| !p.is_empty()).unwrap_or(&rules.mesh_provider);
    let Some(router) = router::by_name(provider) else { return Ok(vec![]) };
    let mut wanted = Vec::new();
    for kind in router.kinds() {
        if !kind.built_in() && !world.defines(&kind.crd()) {
            missing.push(kind.crd());
        } else if world.forbidden(*kind) {
            forbidden.push(kind.crd());
        } else if !world.synced(&[*kind]) {
            return Err(GatherError::Behind(kind.plural));
        }
        wanted.extend(services.iter().map(|n| ObjectRef::new(*kind, n.clone())));
    }
    if let Ok(c) = validate(canary, rules) {
        wanted.extend(router.reads(&c));
        wanted.extend(router.sources(&c));
    }
    Ok(wanted)
}

/// The autoscaler that the Canary names, its copy, and all others of target and primary.
fn scalers(
    world: &ObjectCache,
    namespace: &str,
    canary: &Canary,
    missing: &mut Vec<String>,
) -> Result<Vec<ObjectRef>, GatherError> {
    let mut found = Vec::new();
    let named = canary.spec.autoscaler_ref.as_ref();
    if let Some((kind, named)) = named.and_then(|n| Some((scaler::kind(&n.kind)?, n))) {
        if kind == SCALED_OBJECT && !world.defines(&kind.crd()) {
            missing.push(kind.crd());
        } else if !world.synced(&[kind]) {
            return Err(GatherError::Behind(kind.plural));
        }
        found.extend([named.name.clone(), names::primary(&named.name)].map(|n| ObjectRef::new(kind, n)));
    }
    let target = &canary.spec.target_ref.name;
    for kind in [HPA, SCALED_OBJECT] {
        found.extend(world.scalers(kind, namespace, target).into_iter().map(|n| ObjectRef::new(kind, n)));
    }
    Ok(found)
}

fn revisions(world: &ObjectCache, namespace: &str, primary: &str, objects: &mut Objects) {
    let mut all = world.list(REVISION, namespace);
    all.retain(|r| r["metadata"]["labels"][names::LABEL_TEMPLATE_OF] == names::label_value(primary));
    for revision in all {
        objects.insert(REVISION, revision);
    }
}

/// The records of this Canary's runs; true when they are known.
fn records(
    world: &ObjectCache,
    (namespace, canary): &Key,
    objects: &mut Objects,
    missing: &mut Vec<String>,
) -> bool {
    if !world.defines(&CANARY_RUN.crd()) {
        missing.push(CANARY_RUN.crd());
        return false;
    }
    // names of records begin with that of their Canary, as far as it fits
    let head: String = canary.chars().take(54).collect();
    for record in world.find(CANARY_RUN, namespace, |name, _| name.starts_with(&head)) {
        if manifest::ours(&record, canary) {
            objects.insert(CANARY_RUN, record);
        }
    }
    world.synced(&[CANARY_RUN])
}

/// Metadata of the ConfigMaps and Secrets that these workloads use, of the copies made for this Canary, and of what
/// has the name of a copy.
fn configs(
    world: &ObjectCache,
    (namespace, canary): &Key,
    target: Target,
    workloads: &[&String],
    objects: &mut Objects,
) {
    let mut used = Vec::new();
    for workload in workloads.iter().filter_map(|name| objects.get(target.kind(), name)) {
        used.extend(config::references(&target.revision(workload)["spec"]).into_iter().map(|r| r.at));
    }
    for at in &used {
        if let Some(object) = world.get(at.kind, namespace, &at.name) {
            objects.insert(at.kind, object);
        }
    }
    for kind in config::KINDS {
        let copies: Vec<String> =
            used.iter().filter(|at| at.kind == kind).map(|at| names::primary(&at.name)).collect();
        let label = names::label_value(canary);
        let wanted = |name: &str, text: &str| {
            text.contains(&label) && text.contains(names::LABEL_CANARY)
                || name.contains("-primary-") && copies.iter().any(|copy| name.starts_with(copy.as_str()))
        };
        for object in world.find(kind, namespace, wanted) {
            objects.insert(kind, object);
        }
    }
}

fn rivals(world: &ObjectCache, key: &Key, workload: Kind, apex: &str) -> Vec<Rival> {
    let mut rivals = Vec::new();
    let all = world.interests(&key.0);
    let Some(own) = all.iter().find(|(k, _)| k == key).map(|(_, own)| own.clone()) else { return rivals };
    for (other, interest) in all {
        let wants = if interest.same_target(&own) {
            ObjectRef::new(workload, own.target.clone())
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

fn templates(world: &ObjectCache, canary: &Canary, namespace: &str) -> BTreeMap<String, MetricTemplateSpec> {
    let metrics = canary.analysis().map(|a| a.metrics.as_slice()).unwrap_or_default();
    let named = metrics.iter().filter_map(|m| m.template_ref.as_ref()).map(|t| {
        let ns = t.namespace.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| namespace.to_owned());
        (ns, t.name.clone())
    });
    let spec = |ns: &str, name: &str| {
        // what does not decode is as good as missing: its own type and query tell nothing
        serde_json::from_value(world.get(METRIC_TEMPLATE, ns, name)?["spec"].clone()).ok()
    };
    named.filter_map(|(ns, name)| Some((format!("{ns}/{name}"), spec(&ns, &name)?))).collect()
}

fn alert_providers(
    world: &ObjectCache,
    canary: &Canary,
    namespace: &str,
) -> BTreeMap<String, AlertProviderSpec> {
    let alerts = canary.analysis().map(|a| a.alerts.as_slice()).unwrap_or_default();
    let named = alerts.iter().map(|a| a.provider_ref.in_namespace(namespace));
    let spec = |ns: &str, name: &str| {
        // as with templates: what does not decode is as good as missing
        serde_json::from_value(world.get(ALERT_PROVIDER, ns, name)?["spec"].clone()).ok()
    };
    named.filter_map(|(ns, name)| Some((format!("{ns}/{name}"), spec(ns, name)?))).collect()
}

/// All optional kinds, each once: those of the routers, KEDA's, of targets those that few have, and Jobs with their pods.
pub fn optional() -> BTreeSet<Kind> {
    let routes = router::all().iter().flat_map(|r| r.kinds().iter().copied());
    routes.chain([SCALED_OBJECT, DAEMONSET, JOB, POD]).collect()
}

/// The optional kinds that are there and that some Canary needs: what nobody asks for is not watched. Records of runs
/// are ours, and watched whatever Canaries ask for.
fn needed(world: &ObjectCache, default: &str, defined: &BTreeSet<String>) -> Vec<Kind> {
    let providers = world.providers();
    let named = providers.iter().map(|name| if name.is_empty() { default } else { name });
    let kinds: BTreeSet<Kind> =
        named.filter_map(router::by_name).flat_map(|router| router.kinds().iter().copied()).collect();
    let daemons = world.targets(Target::DaemonSet).then_some(DAEMONSET);
    let jobs = if world.has_jobs() { &[JOB, POD][..] } else { &[] };
    let kinds =
        kinds.into_iter().chain([SCALED_OBJECT, CANARY_RUN]).chain(daemons).chain(jobs.iter().copied());
    kinds.filter(|kind| kind.built_in() || defined.contains(&kind.crd())).collect()
}
