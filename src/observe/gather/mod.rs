//! The data of the watches about one Canary, as a [`Snapshot`].

mod beside;
mod named;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    availability::Availability,
    cache::{ObjectCache, jobs, secrets},
    error::GatherError,
    references::Contested,
    watch::{LEASES, NAMESPACES, mandatory},
};
use crate::{
    api::Canary,
    config::Rules,
    expression::Known,
    manifest::{config, scaler, service},
    names, router,
    snapshot::{
        CANARY, CANARY_RUN, DAEMONSET, DEPLOYMENT, ENDPOINTS, HPA, Key, Kind, Neighbour, ObjectRef, Objects,
        Pauses, REVISION, Records, Rival, SCALED_OBJECT, SERVICE, Snapshot, StaleKind,
    },
    spec::{Target, keep_in_use, known, validate},
    write_budget::WriteBudget,
};

/// Everything known about one Canary at `now`.
///
/// # Errors
/// See [`GatherError`].
pub(crate) fn gather(
    cache: &ObjectCache,
    rules: &Rules,
    key: &Key,
    now: Timestamp,
) -> Result<Snapshot, GatherError> {
    let namespace = &key.0;
    let (canary, not_followed) = canary(cache, rules, key)?;
    let (target, services) = (canary.spec.target_ref.name.clone(), services(&canary));

    // nothing is read for a kind that is not served
    let target_kind = Target::named(&canary.spec.target_ref).unwrap_or_default();
    let mut available = Availability::at(now, namespace);
    let mut wanted = workloads(cache, target_kind, &target, &mut available)?;
    wanted.extend(services.iter().map(|n| ObjectRef::new(SERVICE, n)));
    wanted.extend(routes(cache, rules, &canary, &services, &mut available)?);
    wanted.extend(scalers(cache, namespace, &canary, &mut available)?);
    if canary.metadata.deletion_timestamp.is_some() {
        wanted.extend(former(cache, rules, key, &canary, &services));
    }
    depend(cache, key, &wanted)?;
    let stale = stale(cache, namespace, &wanted, now);
    let mut objects = read(cache, namespace, &wanted, &stale)?;
    beside::strangers(cache, namespace, target_kind, &target, &mut objects);
    beside::policies(cache, namespace, (target_kind, &target), &mut objects, &mut available);
    revisions(cache, key, &names::primary(&target), &mut objects);
    let bystanders = bystanders(cache, rules, &canary, &objects);
    let records = records(cache, key, &mut objects, &mut available.missing);
    let mut undecodable = BTreeMap::new();
    let templates = named::templates(cache, &canary, namespace, &mut undecodable);
    jobs::gather(cache, key, &templates, &mut objects, &mut available)?;
    if rules.config_tracking {
        configs(cache, key, target_kind, &[&target, &names::primary(&target)], &mut objects);
    }
    let since = |service: &String| Some((service.clone(), cache.ready_since(namespace, service)?));
    Ok(Snapshot {
        rules: rules.clone(),
        objects,
        ready_since: services.iter().filter_map(since).collect(),
        ready: services.iter().filter_map(|s| Some((s.clone(), cache.ready(namespace, s)?))).collect(),
        leaving: services.iter().filter_map(|s| Some((s.clone(), cache.leaving(namespace, s)?))).collect(),
        missing_kinds: available.missing,
        forbidden_kinds: available.forbidden,
        not_followed,
        edited: None,
        rivals: rivals(cache, rules, key),
        neighbours: neighbours(cache, rules, key, &canary),
        bystanders,
        secrets: rules.config_tracking.then(|| secrets::versions(cache, &canary, namespace, &templates)),
        templates,
        alert_providers: named::alert_providers(cache, &canary, namespace, &mut undecodable),
        undecodable,
        flagger: cache.flagger().filter(|(_, until)| *until > now),
        namespace_terminating: cache.terminating(namespace),
        refused: None,
        unkept: None,
        refused_job: None,
        unlisted_kinds: available.unlisted,
        stale,
        writes: WriteBudget::default(),
        pauses: Pauses::default(),
        watching_since: cache.seen_since(namespace).unwrap_or(Timestamp::MIN),
        records: Records { known: records, ..Records::default() },
        conditions: Known::default(),
        heard: BTreeMap::new(),
        queued: None,
        canary,
    })
}

/// Records the needed objects before reading them, so that no later change is missed. An object that exists but does
/// not decode must not be treated as missing: nothing is decided without it, unless its namespace is being deleted.
fn depend(cache: &ObjectCache, key: &Key, wanted: &[ObjectRef]) -> Result<(), GatherError> {
    cache.depends_on(key, wanted);
    let undecodable = cache.undecodable_of(key, wanted).filter(|_| !cache.terminating(&key.0));
    undecodable.map_or(Ok(()), |(object, why)| Err(GatherError::NeedsUndecodable { object, why }))
}

/// Target and primary.
fn workloads(
    cache: &ObjectCache,
    kind: Target,
    target: &str,
    available: &mut Availability,
) -> Result<Vec<ObjectRef>, GatherError> {
    let kind = kind.kind();
    if kind == DAEMONSET {
        available.listed(cache, DAEMONSET)?;
    }
    Ok([target.to_owned(), names::primary(target)].map(|name| ObjectRef::new(kind, name)).to_vec())
}

/// The Canary with the values in use for fields that must not change, and which edits are not followed.
fn canary(cache: &ObjectCache, rules: &Rules, key: &Key) -> Result<(Arc<Canary>, Vec<String>), GatherError> {
    if !cache.works_in(&key.0) {
        return Err(GatherError::Gone);
    }
    if let Some(kind) = cache.unseen(&mandatory(rules), &key.0) {
        return Err(GatherError::Behind(kind.plural));
    }
    let decode = |object: &Value| {
        let mut object = object.clone();
        let not_followed = keep_in_use(&mut object, &rules.mesh_provider);
        let canary = serde_json::from_value::<Canary>(object).map_err(|error| error.to_string())?;
        Ok((Arc::new(canary), not_followed))
    };
    let known = cache.typed(CANARY, (&key.0, &key.1), decode).ok_or(GatherError::Gone)?;
    if cache.stale(CANARY, key) {
        return Err(GatherError::Behind(CANARY.plural));
    }
    if let Some(why) = cache.undecodable(CANARY, key) {
        return Err(GatherError::Undecodable(why));
    }
    (*known).clone().map_err(GatherError::Undecodable)
}

/// Names of the apex and of the Services beside it.
fn services(canary: &Canary) -> [String; 3] {
    let named = canary.spec.service.as_ref().and_then(|s| s.name.clone()).filter(|n| !n.is_empty());
    let apex = named.unwrap_or_else(|| canary.spec.target_ref.name.clone());
    [apex.clone(), names::primary(&apex), names::canary(&apex)]
}

/// Kinds that every decision uses. They include Namespaces if the operator selects by their labels, and without an
/// election the Lease of operators that have one.
const NEEDED: [Kind; 6] = [CANARY, DEPLOYMENT, SERVICE, ENDPOINTS, NAMESPACES, LEASES];

/// Stale kinds among those of these objects, and among those that every decision uses.
fn stale(cache: &ObjectCache, namespace: &str, wanted: &[ObjectRef], now: Timestamp) -> Vec<StaleKind> {
    let kinds: BTreeSet<Kind> = wanted.iter().map(|at| at.kind).chain(NEEDED).collect();
    let here = |stale: &StaleKind| stale.namespace.as_ref().is_none_or(|of| of == namespace);
    cache.stale_kinds(now).into_iter().filter(|stale| kinds.contains(&stale.kind) && here(stale)).collect()
}

/// These objects, if they exist. Versions that are newer than the cache are awaited, unless the kind is stale.
fn read(
    cache: &ObjectCache,
    namespace: &str,
    wanted: &[ObjectRef],
    stale: &[StaleKind],
) -> Result<Objects, GatherError> {
    let mut objects = Objects::default();
    for at in wanted {
        let old = stale.iter().any(|stale| stale.kind == at.kind);
        if cache.stale(at.kind, &(namespace.to_owned(), at.name.clone())) && !old {
            return Err(GatherError::Behind(at.kind.plural));
        }
        if let Some(object) = cache.get(at.kind, namespace, &at.name) {
            objects.share(at.kind, object);
        }
    }
    Ok(objects)
}

/// The objects that the Canary's router reads.
fn routes(
    cache: &ObjectCache,
    rules: &Rules,
    canary: &Canary,
    services: &[String],
    available: &mut Availability,
) -> Result<Vec<ObjectRef>, GatherError> {
    let provider = canary.spec.provider.as_deref().filter(|p| !p.is_empty()).unwrap_or(&rules.mesh_provider);
    let Some(router) = router::by_name(provider) else { return Ok(vec![]) };
    let mut wanted = Vec::new();
    for kind in router.kinds() {
        if !kind.built_in() && !cache.defines(&kind.crd()) {
            available.missing.push(kind.crd());
        } else if available.may_not_list(cache, *kind) {
            available.forbidden.push(kind.crd());
        } else {
            available.listed(cache, *kind)?;
        }
        wanted.extend(services.iter().map(|n| ObjectRef::new(*kind, n.clone())));
    }
    for kind in router.optional_kinds().iter().filter(|kind| cache.defines(&kind.crd())) {
        if !available.may_not_list(cache, *kind) {
            available.listed(cache, *kind)?;
        }
        if kind.cluster_wide() {
            wanted.extend(cache.names(*kind).into_iter().map(|name| ObjectRef::new(*kind, name)));
        }
    }
    if let Some(c) = known(canary, rules) {
        wanted.extend(router.reads(&c));
        wanted.extend(router.sources(&c));
        // after an edit of the port the route leads to the former one for a while
        let namespace = canary.metadata.namespace.as_deref().unwrap_or_default();
        let primary = cache.get(SERVICE, namespace, &c.names.primary_service);
        let ports = primary.iter().flat_map(|live| service::port_numbers(live));
        for port in ports.filter(|port| *port != c.service.port) {
            wanted.extend(router.reads(&c.with_port(port)));
        }
        let key = (namespace.to_owned(), c.name.clone());
        for kind in router.read_by_mark() {
            let name_of = |object: &Arc<Value>| object["metadata"]["name"].as_str().map(str::to_owned);
            let marked = cache.owned(*kind, &key);
            wanted.extend(marked.iter().filter_map(name_of).map(|name| ObjectRef::new(*kind, name)));
        }
    }
    Ok(wanted)
}

/// Objects with the mark of a Canary that is being deleted, under its former names: Services, and routes of these
/// names.
fn former(
    cache: &ObjectCache,
    rules: &Rules,
    key: &Key,
    spec: &Canary,
    services: &[String],
) -> Vec<ObjectRef> {
    let all = cache.owned(SERVICE, key);
    let mut found = Vec::new();
    for apex in service::apexes(all.iter().map(Arc::as_ref), &key.1)
        .into_iter()
        .filter(|apex| !services.contains(apex))
    {
        let names = [apex.clone(), names::primary(&apex), names::canary(&apex)];
        found.extend(names.map(|name| ObjectRef::new(SERVICE, name)));
        let Ok(c) = validate(spec, rules) else { continue };
        let Some(router) = router::by_name(&c.provider) else { continue };
        found.extend(router.reads(&c.with_apex(&apex)));
    }
    found
}

/// The autoscaler that the Canary names, its copy, and all others of target and primary.
fn scalers(
    cache: &ObjectCache,
    namespace: &str,
    canary: &Canary,
    available: &mut Availability,
) -> Result<Vec<ObjectRef>, GatherError> {
    let mut found = Vec::new();
    let named = canary.spec.autoscaler_ref.as_ref();
    if let Some((kind, named)) = named.and_then(|n| Some((scaler::kind(&n.kind)?, n))) {
        if kind == SCALED_OBJECT && !cache.defines(&kind.crd()) {
            available.missing.push(kind.crd());
        } else {
            available.listed(cache, kind)?;
        }
        found.extend([named.name.clone(), names::primary(&named.name)].map(|n| ObjectRef::new(kind, n)));
    }
    let target = &canary.spec.target_ref.name;
    for kind in [HPA, SCALED_OBJECT] {
        found.extend(cache.scalers(kind, namespace, target).into_iter().map(|n| ObjectRef::new(kind, n)));
    }
    Ok(found)
}

/// The stored templates of this Canary's primary: another Canary may have one with the same name and another kind.
fn revisions(cache: &ObjectCache, key: &Key, primary: &str, objects: &mut Objects) {
    let of = names::label_value(primary);
    let all = cache.owned(REVISION, key).into_iter();
    for revision in all.filter(|r| r["metadata"]["labels"][names::LABEL_TEMPLATE_OF] == of) {
        objects.share(REVISION, revision);
    }
}

/// The records of this Canary's runs; true if they are known.
fn records(cache: &ObjectCache, key: &Key, objects: &mut Objects, missing: &mut Vec<String>) -> bool {
    if !cache.defines(&CANARY_RUN.crd()) {
        missing.push(CANARY_RUN.crd());
        return false;
    }
    for record in cache.owned(CANARY_RUN, key) {
        objects.share(CANARY_RUN, record);
    }
    cache.listed_in(CANARY_RUN, &key.0)
}

/// Metadata of the ConfigMaps and Secrets that these workloads use, of the copies made for this Canary, and of objects
/// with the name of a copy.
fn configs(cache: &ObjectCache, key: &Key, target: Target, workloads: &[&String], objects: &mut Objects) {
    let mut used = Vec::new();
    for workload in workloads.iter().filter_map(|name| objects.get(target.kind(), name)) {
        used.extend(config::references(&target.revision(workload)["spec"]).into_iter().map(|r| r.at));
    }
    for at in &used {
        if let Some(object) = cache.get(at.kind, &key.0, &at.name) {
            objects.share(at.kind, object);
        }
    }
    for kind in config::KINDS {
        let copies = used.iter().filter(|at| at.kind == kind).map(|at| names::primary(&at.name));
        // "-primary", then a checksum
        let named = copies.flat_map(|copy| cache.beginning(kind, &key.0, &format!("{copy}-")));
        for object in cache.owned(kind, key).into_iter().chain(named) {
            objects.share(kind, object);
        }
    }
}

fn rivals(cache: &ObjectCache, rules: &Rules, key: &Key) -> Vec<Rival> {
    let rival = |(other, contested): (Key, Contested)| {
        let theirs = cache.get(CANARY, &other.0, &other.1)?;
        Some(contested.rival(&theirs))
    };
    cache.rivals(key, &rules.mesh_provider).into_iter().filter_map(rival).collect()
}

fn neighbours(cache: &ObjectCache, rules: &Rules, key: &Key, canary: &Canary) -> Vec<Neighbour> {
    let provider = |named: Option<&str>| {
        named.filter(|named| !named.is_empty()).unwrap_or(&rules.mesh_provider).to_owned()
    };
    let ours = provider(canary.spec.provider.as_deref());
    let one = |at: Key| {
        let other = cache.get(CANARY, &at.0, &at.1)?;
        let same = provider(other["spec"]["provider"].as_str()) == ours;
        same.then(|| Neighbour { at, service: other["spec"]["service"].clone() })
    };
    cache.neighbours(key).into_iter().filter_map(one).collect()
}

/// Objects of others whose requests the Canary's route affects.
fn bystanders(cache: &ObjectCache, rules: &Rules, canary: &Canary, objects: &Objects) -> Vec<Value> {
    let touched = || {
        let c = known(canary, rules)?;
        let router = router::by_name(&c.provider)?;
        let terms = router.wanted_bystanders(&c, objects);
        let all = router.bystanders().iter().flat_map(|kind| cache.serving(*kind, terms.as_deref()));
        let touched = all.filter(|other| router.touches(&c, objects, other).is_some());
        Some(touched.map(Arc::unwrap_or_clone).collect())
    };
    touched().unwrap_or_default()
}

#[cfg(test)]
mod cost;
#[cfg(test)]
mod tests;
