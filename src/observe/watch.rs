//! One watch per kind, from start to stop. What is seen goes into the [`ObjectCache`]; the Canaries it matters to go out as
//! triggers. Of ConfigMaps and Secrets only the metadata is watched. Kinds that a cluster may lack are watched while their CustomResourceDefinition exists.
//!
//! Objects are taken as untyped JSON: one that does not decode cannot blind a watch.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this module reads the cluster")]

use std::{collections::BTreeMap, collections::BTreeSet, pin::pin, sync::Arc};

use futures::{Stream, StreamExt};
use k8s_openapi::{
    api::{coordination::v1::Lease, core::v1::Namespace},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ApiResource, DynamicObject, ListParams},
    core::{DynamicResourceScope, PartialObjectMeta},
    runtime::{WatchStreamExt, watcher},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::{Notify, mpsc::UnboundedSender};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{cache::ObjectCache, optional::needed};
use crate::{
    config::{Config, Rules},
    manifest::config,
    names,
    snapshot::{
        ALERT_PROVIDER, CANARY, CANARY_RUN, DEPLOYMENT, ENDPOINTS, HPA, JOB, Key, Kind, METRIC_TEMPLATE, POD,
        REVISION, SECRET, SERVICE,
    },
};

/// Kinds that every cluster has and that are watched whole.
const WHOLE: [Kind; 8] =
    [CANARY, DEPLOYMENT, SERVICE, ENDPOINTS, REVISION, METRIC_TEMPLATE, ALERT_PROVIDER, HPA];

/// Kinds that must have been listed before anything is decided.
pub(crate) fn mandatory(rules: &Rules) -> Vec<Kind> {
    let metadata = if rules.config_tracking { &config::KINDS[..] } else { &[] };
    WHOLE.iter().chain(metadata).copied().collect()
}

/// An object of which the API server sends no more than its metadata.
type Metadata = PartialObjectMeta<DynamicObject>;

const FLAGGER_LEASE: &str = "flagger-leader-election";

/// Where seen objects go.
#[derive(Clone)]
struct Sink {
    cache: Arc<ObjectCache>,
    triggers: UnboundedSender<Key>,
    /// Canaries or MetricTemplates came or changed: other kinds may be needed.
    canaries: Arc<Notify>,
}

impl Sink {
    fn trigger(&self, keys: Vec<Key>) {
        for key in keys {
            // a closed receiver means that the process is stopping
            self.triggers.send(key).ok();
        }
    }
}

/// Starts all watches on `tasks`; they end with `stop`.
pub(crate) fn watch_all(
    client: &Client,
    config: &Config,
    cache: &Arc<ObjectCache>,
    triggers: UnboundedSender<Key>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let sink = Sink { cache: cache.clone(), triggers, canaries: Arc::default() };
    for kind in mandatory(&config.rules) {
        let (namespace, selected) = (config.namespace.as_deref(), selector(kind));
        if config::KINDS.contains(&kind) {
            let stream = watcher(untyped::<Metadata>(client, kind, namespace), selected);
            tasks.spawn(follow(kind, stream, sink.clone(), stop.child_token()));
        } else {
            let stream = watcher(untyped::<DynamicObject>(client, kind, namespace), selected);
            tasks.spawn(follow(kind, stream, sink.clone(), stop.child_token()));
        }
    }
    tasks.spawn(follow_crds(client.clone(), config.clone(), sink.clone(), tasks.clone(), stop.clone()));
    tasks.spawn(follow_namespaces(client.clone(), config.namespace.clone(), sink.clone(), stop.clone()));
    tasks.spawn(follow_lease(client.clone(), config.lease_namespace.clone(), sink, stop.clone()));
}

fn untyped<K>(client: &Client, kind: Kind, namespace: Option<&str>) -> Api<K>
where
    K: Resource<Scope = DynamicResourceScope, DynamicType = ApiResource>,
{
    let resource = kind.resource();
    match namespace.filter(|_| !kind.cluster_wide()) {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

fn selector(kind: Kind) -> watcher::Config {
    let all = watcher::Config::default().page_size(250);
    match kind {
        REVISION => all.labels(names::LABEL_TEMPLATE_OF),
        CANARY_RUN => all.labels(names::LABEL_CANARY),
        JOB | POD => all.labels(names::LABEL_METRIC),
        _ => all,
    }
}

/// One kind, until `stop`. Broken watches are opened again with back-off.
async fn follow<T: ResourceExt + Serialize>(
    kind: Kind,
    stream: impl Stream<Item = watcher::Result<watcher::Event<T>>>,
    sink: Sink,
    stop: CancellationToken,
) {
    let mut listing = BTreeSet::new();
    let mut stream = pin!(stream.default_backoff().take_until(stop.cancelled_owned()));
    while let Some(event) = stream.next().await {
        match event {
            Ok(watcher::Event::Init) => listing.clear(),
            Ok(watcher::Event::InitApply(object)) => {
                listing.insert((object.namespace().unwrap_or_default(), object.name_any()));
                sink.trigger(insert(&sink.cache, kind, &object));
            }
            Ok(watcher::Event::InitDone) => sink.trigger(sink.cache.listed(kind, &listing)),
            Ok(watcher::Event::Apply(object)) => sink.trigger(insert(&sink.cache, kind, &object)),
            Ok(watcher::Event::Delete(object)) => {
                if let Ok(object) = serde_json::to_value(&object) {
                    sink.trigger(sink.cache.remove(kind, &object));
                }
            }
            Err(error) => {
                tracing::warn!(kind = kind.kind, %error, "watch interrupted, opening it again");
                if forbidden(&error) {
                    sink.trigger(sink.cache.forbid(kind));
                }
            }
        }
        if [CANARY, METRIC_TEMPLATE].contains(&kind) {
            sink.canaries.notify_one();
        }
    }
}

/// The rights of the operator do not suffice.
fn forbidden(error: &watcher::Error) -> bool {
    let (watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error)) = error else {
        return false;
    };
    matches!(error, kube::Error::Api(status) if status.is_forbidden())
}

/// Lists may leave apiVersion and kind out of their items.
fn insert(cache: &ObjectCache, kind: Kind, object: &impl Serialize) -> Vec<Key> {
    let Ok(mut object) = serde_json::to_value(object) else { return vec![] };
    object["apiVersion"] = kind.api_version().into();
    object["kind"] = kind.kind.into();
    cache.insert(kind, object)
}

/// Which kinds the cluster has; starts the watches of the optional ones that are needed, and stops those of kinds that
/// are gone.
async fn follow_crds(
    client: Client,
    config: Config,
    sink: Sink,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let mut running: BTreeMap<Kind, CancellationToken> = BTreeMap::new();
    let mut crds = Definitions::default();
    let api: Api<PartialObjectMeta<CustomResourceDefinition>> = Api::all(client.clone());
    let mut stream = pin!(events(api, watcher::Config::default(), &stop));
    loop {
        tokio::select! {
            event = stream.next() => match event {
                Some(event) => {
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
                let api: Api<DynamicObject> = untyped(&client, kind, config.namespace.as_deref());
                tasks.spawn(follow(kind, watcher(api, selector(kind)), sink.clone(), token.clone()));
                token
            });
        }
    }
}

/// Names of the CustomResourceDefinitions.
#[derive(Default)]
struct Definitions {
    known: BTreeSet<String>,
    listing: BTreeSet<String>,
}

impl Definitions {
    /// True when what is known may have changed. Nothing is known before the list is complete: no kind may look missing
    /// until then.
    fn update(&mut self, event: watcher::Event<PartialObjectMeta<CustomResourceDefinition>>) -> bool {
        match event {
            watcher::Event::Init => self.listing.clear(),
            watcher::Event::InitApply(crd) => {
                self.listing.insert(crd.name_any());
            }
            watcher::Event::InitDone => {
                self.known.clone_from(&self.listing);
                return true;
            }
            watcher::Event::Apply(crd) => return self.known.insert(crd.name_any()),
            watcher::Event::Delete(crd) => return self.known.remove(&crd.name_any()),
        }
        false
    }
}

/// Which namespaces are being deleted.
async fn follow_namespaces(client: Client, only: Option<String>, sink: Sink, stop: CancellationToken) {
    let mut config = watcher::Config::default();
    if let Some(name) = only {
        config = config.fields(&format!("metadata.name={name}"));
    }
    let api: Api<PartialObjectMeta<Namespace>> = Api::all(client);
    let mut stream = pin!(events(api, config, &stop));
    while let Some(event) = stream.next().await {
        match event {
            watcher::Event::InitApply(ns) | watcher::Event::Apply(ns) => {
                let terminating = ns.metadata.deletion_timestamp.is_some();
                sink.trigger(sink.cache.set_terminating(&ns.name_any(), terminating));
            }
            watcher::Event::Delete(ns) => sink.trigger(sink.cache.set_terminating(&ns.name_any(), false)),
            watcher::Event::Init | watcher::Event::InitDone => {}
        }
    }
}

/// Whether a Flagger with leader election is still at work.
async fn follow_lease(client: Client, namespace: String, sink: Sink, stop: CancellationToken) {
    let config = watcher::Config::default().fields(&format!("metadata.name={FLAGGER_LEASE}"));
    let api: Api<Lease> = Api::namespaced(client, &namespace);
    let mut stream = pin!(events(api, config, &stop));
    while let Some(event) = stream.next().await {
        match event {
            watcher::Event::InitApply(lease) | watcher::Event::Apply(lease) => {
                sink.trigger(sink.cache.set_flagger(lease_holder(&lease)));
            }
            watcher::Event::Delete(_) => sink.trigger(sink.cache.set_flagger(None)),
            watcher::Event::Init | watcher::Event::InitDone => {}
        }
    }
}

fn lease_holder(lease: &Lease) -> Option<(String, jiff::Timestamp)> {
    let spec = lease.spec.as_ref()?;
    let holder = spec.holder_identity.clone().filter(|h| !h.is_empty())?;
    let seconds = i64::from(spec.lease_duration_seconds.unwrap_or(60));
    let until = spec.renew_time.as_ref()?.0.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()?;
    Some((holder, until))
}

fn events<K>(
    api: Api<K>,
    config: watcher::Config,
    stop: &CancellationToken,
) -> impl futures::Stream<Item = watcher::Event<K>> + use<K>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    watcher(api, config).default_backoff().take_until(stop.clone().cancelled_owned()).filter_map(
        |event| async {
            event.inspect_err(|error| tracing::warn!(%error, "watch interrupted, opening it again")).ok()
        },
    )
}

/// Lists everything of one namespace once, for a look without watching. `provider` is that of Canaries that name none.
///
/// # Errors
/// The first list that the API server refuses.
pub(crate) async fn list_once(
    client: &Client,
    namespace: &str,
    rules: &Rules,
    cache: &ObjectCache,
) -> kube::Result<()> {
    let crds: Api<CustomResourceDefinition> = Api::all(client.clone());
    let known: BTreeSet<String> =
        crds.list_metadata(&ListParams::default()).await?.items.iter().map(ResourceExt::name_any).collect();
    for kind in mandatory(rules) {
        list(client, namespace, kind, cache).await?;
    }
    for kind in needed(cache, &rules.mesh_provider, &known) {
        match list(client, namespace, kind, cache).await {
            // whoever looks may not see them, and nothing is decided from them
            Err(kube::Error::Api(no)) if kind == CANARY_RUN && no.is_forbidden() => {}
            // without them it can be told what waits for a Job, and not how far that is
            Err(kube::Error::Api(no)) if [JOB, POD].contains(&kind) && no.is_forbidden() => {
                cache.forbid(kind);
            }
            listed => listed?,
        }
    }
    cache.set_crds(known);
    for other in cache.templates_elsewhere(namespace) {
        list_into_cache(client, &other, METRIC_TEMPLATE, cache).await?;
        if rules.config_tracking {
            list_into_cache(client, &other, SECRET, cache).await?;
        }
    }
    Ok(())
}

async fn list(client: &Client, namespace: &str, kind: Kind, cache: &ObjectCache) -> kube::Result<()> {
    let seen = list_into_cache(client, namespace, kind, cache).await?;
    cache.listed(kind, &seen);
    Ok(())
}

/// Takes in what a namespace has of one kind.
async fn list_into_cache(
    client: &Client,
    namespace: &str,
    kind: Kind,
    cache: &ObjectCache,
) -> kube::Result<BTreeSet<Key>> {
    let mut seen = BTreeSet::new();
    if config::KINDS.contains(&kind) {
        let api: Api<Metadata> = untyped(client, kind, Some(namespace));
        for object in api.list(&ListParams::default()).await? {
            seen.insert((object.namespace().unwrap_or_default(), object.name_any()));
            insert(cache, kind, &object);
        }
    } else {
        let api: Api<DynamicObject> = untyped(client, kind, Some(namespace));
        let of_ours = [JOB, POD].contains(&kind).then(|| names::LABEL_METRIC.to_owned());
        for object in api.list(&ListParams { label_selector: of_ours, ..ListParams::default() }).await? {
            seen.insert((object.namespace().unwrap_or_default(), object.name_any()));
            insert(cache, kind, &object);
        }
    }
    Ok(seen)
}
