//! One watch per kind, or per kind and namespace if namespaces are given by name, from start to stop. Observations go
//! into the [`ObjectCache`]; affected Canaries go out as triggers. Of ConfigMaps and Secrets only the metadata is
//! watched. Kinds that a cluster may lack are watched while their CustomResourceDefinition exists.
//!
//! Objects are handled as untyped JSON, each separately: one that does not decode cannot blind a watch. It is counted
//! and named, and still exists: see [`cache`](super::cache).
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this module reads the cluster")]

mod lease;
mod namespaces;
mod sink;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use k8s_openapi::{
    api::coordination::v1::Lease,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{Client, ResourceExt, core::PartialObjectMeta};
use serde::Deserialize as _;
use serde_json::Value;
use tokio::{
    sync::mpsc::{Receiver, UnboundedSender},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use lease::lease_holder;
use sink::Sink;
pub(crate) use sink::{CRDS, LEASES, NAMESPACES};

use super::{
    cache::{ObjectCache, WHOLE, Watched, key_of, version_of},
    optional::needed,
    stream::{self, Collection, Loss, Seen, Selection, Undecodable},
};
use crate::{
    api::{AlertProviderSpec, MetricTemplateSpec},
    clock,
    config::{Config, Rules},
    manifest::config,
    names,
    snapshot::{ALERT_PROVIDER, CANARY, CANARY_RUN, JOB, Key, Kind, METRIC_TEMPLATE, POD, REVISION},
    telemetry::Metrics,
};

/// Kinds that must have been listed before anything is decided.
pub(crate) fn mandatory(rules: &Rules) -> Vec<Kind> {
    let metadata = if rules.config_tracking { &config::KINDS[..] } else { &[] };
    WHOLE.iter().chain(metadata).copied().collect()
}

/// Starts all watches on `tasks`; they end with `stop`.
pub(crate) fn watch_all(
    client: &Client,
    config: &Config,
    cache: &Arc<ObjectCache>,
    metrics: &Arc<Metrics>,
    triggers: UnboundedSender<Key>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let sink = Sink { cache: cache.clone(), metrics: metrics.clone(), triggers, canaries: Arc::default() };
    for watched in mandatory(&config.rules).into_iter().flat_map(|kind| cache.watches(kind)) {
        tasks.spawn(follow(watched.clone(), open(client, &watched), sink.clone(), stop.child_token()));
    }
    tasks.spawn(follow_crds(client.clone(), config.clone(), sink.clone(), tasks.clone(), stop.clone()));
    namespaces::follow(client, &config.scope, &sink, tasks, stop);
    // with an election, its rules decide who acts
    if config.election.is_none() {
        let seen = watch_lease(client, &config.lease_namespace);
        tasks.spawn(follow_lease(seen, sink, stop.clone()));
    }
}

fn open(client: &Client, watched: &Watched) -> Receiver<Seen<Value>> {
    let collection = Collection::of(client, watched.kind, watched.namespace.as_deref());
    stream::watch(collection, selector(watched.kind))
}

pub(super) fn selector(kind: Kind) -> Selection {
    let labels = match kind {
        REVISION => Some(names::LABEL_TEMPLATE_OF),
        CANARY_RUN => Some(names::LABEL_CANARY),
        JOB | POD => Some(names::LABEL_METRIC),
        _ => None,
    };
    Selection { labels: labels.map(str::to_owned), fields: None }
}

/// One watch, until `stop`.
async fn follow(watched: Watched, mut seen: Receiver<Seen<Value>>, sink: Sink, stop: CancellationToken) {
    let kind = watched.kind;
    let mut listing = BTreeSet::new();
    let mut old_at = None;
    while let Some(event) = next(&mut seen, &sink, &stop, &mut old_at).await {
        old_at = sink.old_at(&watched, &event, old_at);
        match event {
            Seen::Begin(version) => {
                listing.clear();
                sink.cache.begin_list(watched.clone(), version);
            }
            Seen::Listed(object) => {
                listing.insert(key_of(&object));
                sink.trigger(insert(&sink.cache, kind, object));
            }
            Seen::Complete => sink.trigger(sink.cache.listed(watched.clone(), &listing)),
            Seen::Changed(object) => {
                sink.cache.saw(watched.clone(), version_of(&object));
                sink.trigger(insert(&sink.cache, kind, object));
            }
            Seen::Undecodable(object) => {
                if object.listed {
                    // it exists
                    listing.insert(object.key.clone());
                } else {
                    sink.cache.saw(watched.clone(), object.version);
                }
                sink.trigger(insert_undecodable(&sink.cache, kind, object));
            }
            Seen::Gone(object) => sink.trigger(sink.cache.remove(kind, &object)),
            Seen::Lost(Loss::Forbidden(_)) => sink.trigger(sink.cache.forbid(watched.clone())),
            Seen::Alive | Seen::Ended | Seen::Lost(_) => continue,
        }
        sink.report_undecodable(kind);
        if [CANARY, METRIC_TEMPLATE].contains(&kind) {
            sink.canaries.notify_one();
        }
        if kind == CANARY {
            sink.report_totals();
        }
    }
}

/// The next event of a watch; none at its end, or after `stop`. Meanwhile its objects may have become old, at `old_at`.
async fn next<T>(
    seen: &mut Receiver<Seen<T>>,
    sink: &Sink,
    stop: &CancellationToken,
    old_at: &mut Option<Instant>,
) -> Option<Seen<T>> {
    loop {
        tokio::select! {
            () = stop.cancelled() => return None,
            () = passed(*old_at) => {
                *old_at = None;
                sink.grows_old();
            }
            event = seen.recv() => return event,
        }
    }
}

/// At this time; never, if there is none.
async fn passed(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Stores an object. Lists may omit apiVersion and kind in their items.
pub(super) fn insert(cache: &ObjectCache, kind: Kind, object: Value) -> Vec<Key> {
    let Some(why) = misshapen(kind, &object) else { return cache.insert(kind, named(kind, object)) };
    let (key, version) = (key_of(&object), version_of(&object));
    insert_undecodable(cache, kind, Undecodable { key, version, listed: false, content: object, why })
}

/// Why an object of ours does not match the schema, for example because an older schema allowed it. For a Canary, this
/// is checked where it is processed.
fn misshapen(kind: Kind, object: &Value) -> Option<String> {
    let spec = &object["spec"];
    let error = match kind {
        METRIC_TEMPLATE => MetricTemplateSpec::deserialize(spec).err()?,
        ALERT_PROVIDER => AlertProviderSpec::deserialize(spec).err()?,
        _ => return None,
    };
    Some(error.to_string())
}

/// The same for an object that cannot be decoded. It is named once for each reason.
pub(super) fn insert_undecodable(cache: &ObjectCache, kind: Kind, object: Undecodable) -> Vec<Key> {
    let Undecodable { key: (namespace, name), version, content, why, .. } = object;
    let key = (namespace, name);
    if cache.undecodable(kind, &key).as_deref() != Some(&why) {
        let (namespace, name) = (&key.0, &key.1);
        tracing::warn!(
            kind = kind.kind,
            namespace,
            name,
            why,
            "this object does not decode: it is left out, the others go on"
        );
    }
    cache.insert_undecodable(kind, key, version, named(kind, content), why)
}

fn named(kind: Kind, mut object: Value) -> Value {
    if object.is_object() {
        object["apiVersion"] = kind.api_version().into();
        object["kind"] = kind.kind.into();
    }
    object
}

/// Watches which kinds the cluster has; starts the watches of the optional ones that are needed, and stops those of
/// kinds that are gone.
async fn follow_crds(
    client: Client,
    config: Config,
    sink: Sink,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let mut running: BTreeMap<Kind, CancellationToken> = BTreeMap::new();
    let mut crds = Definitions::default();
    let mut seen = watch_definitions(&client);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            event = seen.recv() => match event {
                Some(event) => {
                    sink.note(&CRDS.into(), &event);
                    if crds.update(event) {
                        sink.trigger(sink.cache.set_crds(crds.known.clone()));
                    }
                }
                None => break,
            },
            () = sink.canaries.notified() => {}
        }
        running.retain(|kind, token| {
            let there = kind.built_in() || crds.known.contains(&kind.crd());
            if !there {
                token.cancel();
                sink.cache.forget(*kind);
            }
            there
        });
        for kind in needed(&sink.cache, &config.rules.mesh_provider, &crds.known) {
            running.entry(kind).or_insert_with(|| {
                let token = stop.child_token();
                for watched in sink.cache.watches(kind) {
                    tasks.spawn(follow(
                        watched.clone(),
                        open(&client, &watched),
                        sink.clone(),
                        token.clone(),
                    ));
                }
                token
            });
        }
    }
}

/// Observations of the CustomResourceDefinitions, by their metadata.
pub(crate) fn watch_definitions(
    client: &Client,
) -> Receiver<Seen<PartialObjectMeta<CustomResourceDefinition>>> {
    let all = Collection::typed::<CustomResourceDefinition>(client, None);
    stream::watch(all.metadata(), Selection::default())
}

/// Names of the CustomResourceDefinitions.
#[derive(Default)]
struct Definitions {
    known: BTreeSet<String>,
    listing: BTreeSet<String>,
}

impl Definitions {
    /// True if the set may have changed. Nothing is known before the list is complete: no kind may look missing
    /// until then.
    fn update(&mut self, event: Seen<PartialObjectMeta<CustomResourceDefinition>>) -> bool {
        match event {
            Seen::Begin(_) => self.listing.clear(),
            Seen::Listed(crd) => {
                self.listing.insert(crd.name_any());
            }
            Seen::Complete => {
                self.known.clone_from(&self.listing);
                return true;
            }
            Seen::Changed(crd) => return self.known.insert(crd.name_any()),
            Seen::Undecodable(crd) if crd.listed => {
                self.listing.insert(crd.key.1);
            }
            Seen::Undecodable(crd) => return self.known.insert(crd.key.1),
            Seen::Gone(crd) => return self.known.remove(&crd.name_any()),
            Seen::Lost(_) | Seen::Alive | Seen::Ended => {}
        }
        false
    }
}

/// Observations of the operators' Lease.
pub(crate) fn watch_lease(client: &Client, namespace: &str) -> Receiver<Seen<Lease>> {
    let fields = Some(format!("metadata.name={}", names::LEASE));
    stream::watch(Collection::typed::<Lease>(client, Some(namespace)), Selection { fields, labels: None })
}

/// Watches whether another operator with leader election is active.
async fn follow_lease(mut seen: Receiver<Seen<Lease>>, sink: Sink, stop: CancellationToken) {
    let (mut last, mut old_at) = (None, None);
    while let Some(event) = next(&mut seen, &sink, &stop, &mut old_at).await {
        old_at = sink.old_at(&LEASES.into(), &event, old_at);
        match event {
            Seen::Listed(lease) | Seen::Changed(lease) => {
                let holder = lease_holder(&lease, &mut last, clock::now());
                sink.trigger(sink.cache.set_flagger(holder));
            }
            Seen::Gone(_) => sink.trigger(sink.cache.set_flagger(None)),
            Seen::Complete => drop(sink.cache.listed(LEASES, &BTreeSet::new())),
            Seen::Lost(Loss::Forbidden(_)) => drop(sink.cache.forbid(LEASES)),
            // its holder stays until the last known state expires
            Seen::Undecodable(lease) => {
                tracing::warn!(why = lease.why, "the Lease of operators does not decode");
            }
            Seen::Begin(_) | Seen::Alive | Seen::Ended | Seen::Lost(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
