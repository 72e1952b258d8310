//! Watches: the same lists, kept up to date. A broken watch resumes where it stopped. A list that the user may not
//! watch was named in the first read, and is left out.

use std::collections::BTreeMap;

use futures::{
    StreamExt as _,
    stream::{BoxStream, SelectAll},
};
use kube::{
    Api, ResourceExt,
    api::DynamicObject,
    core::Status,
    runtime::{WatchStreamExt as _, watcher},
};
use serin::{api::Canary, snapshot::CANARY};

use super::{
    connect::Cluster,
    read::{Depth, put},
    slots::{self, Slot},
};
use crate::{
    failure::{Asked, Failure, code},
    view::Facts,
};

type Streams<K> = SelectAll<BoxStream<'static, (usize, watcher::Result<watcher::Event<K>>)>>;

/// The result of waiting for a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Something changed.
    Change,
    /// The Canary is gone.
    Gone,
    /// The API server does not answer. The watch retries.
    Trouble(String),
}

/// Objects by name, and the objects of a list that is not complete yet.
struct Kept<K> {
    now: BTreeMap<String, K>,
    next: BTreeMap<String, K>,
}

impl<K> Default for Kept<K> {
    fn default() -> Self {
        Self { now: BTreeMap::new(), next: BTreeMap::new() }
    }
}

fn key<K: ResourceExt>(object: &K) -> String {
    format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any())
}

impl<K: ResourceExt> Kept<K> {
    /// Applies an event. Returns true if something changed.
    fn take(&mut self, event: watcher::Event<K>) -> bool {
        match event {
            watcher::Event::Apply(object) => drop(self.now.insert(key(&object), object)),
            watcher::Event::Delete(object) => drop(self.now.remove(&key(&object))),
            watcher::Event::Init => {
                self.next.clear();
                return false;
            }
            watcher::Event::InitApply(object) => {
                self.next.insert(key(&object), object);
                return false;
            }
            watcher::Event::InitDone => self.now = std::mem::take(&mut self.next),
        }
        true
    }
}

/// One Canary and the objects around it.
pub(crate) struct Live {
    canary: Canary,
    slots: Vec<Slot>,
    kept: Vec<Kept<DynamicObject>>,
    unread: Vec<String>,
    failed: Vec<String>,
    /// Number of slots for pods, including those that the user may not read.
    pods: usize,
    streams: Streams<DynamicObject>,
}

impl Live {
    /// Starts the watches. The first facts are available when this returns.
    pub(crate) async fn of(cluster: &Cluster, canary: Canary, depth: Depth) -> (Self, Facts) {
        let own = Slot {
            kind: CANARY,
            namespace: canary.namespace(),
            labels: None,
            fields: Some(format!("metadata.name={}", canary.name_any())),
        };
        let mut live = Self {
            canary,
            slots: vec![own],
            kept: vec![Kept::default()],
            unread: vec![],
            failed: vec![],
            pods: 0,
            streams: Streams::new(),
        };
        let first = match depth {
            Depth::Canary | Depth::Target => vec![],
            Depth::Told => slots::told(&live.canary),
            Depth::All => [slots::told(&live.canary), slots::objects(&live.canary)].concat(),
        };
        live.fill(cluster, first).await;
        if depth == Depth::All {
            let pods = slots::pods(&live.canary, &live.facts().objects);
            live.pods = pods.len();
            live.fill(cluster, pods).await;
        }
        for (i, slot) in live.slots.iter().enumerate() {
            let config = watcher::Config {
                label_selector: slot.labels.clone(),
                field_selector: slot.fields.clone(),
                ..watcher::Config::default()
            };
            let stream = watcher(slot.api(&cluster.client), config).default_backoff();
            live.streams.push(stream.map(move |event| (i, event)).boxed());
        }
        let facts = live.facts();
        (live, facts)
    }

    /// Lists these slots, and keeps the readable ones.
    async fn fill(&mut self, cluster: &Cluster, slots: Vec<Slot>) {
        let lists = cluster.lists(&slots, &mut self.unread, &mut self.failed).await;
        for (slot, objects) in slots.into_iter().zip(lists) {
            if !self.unread.contains(&slot.right("list")) {
                let now = objects.into_iter().map(|object| (key(&object), object)).collect();
                self.slots.push(slot);
                self.kept.push(Kept { now, next: BTreeMap::new() });
            }
        }
    }

    /// The target or the primary appeared later, and its pods are not watched yet.
    pub(crate) fn lacks_pods(&self, facts: &Facts) -> bool {
        slots::pods(&self.canary, &facts.objects).len() > self.pods
    }

    /// Waits for a change.
    pub(crate) async fn changed(&mut self) -> Result<Seen, Failure> {
        loop {
            let Some((i, event)) = self.streams.next().await else {
                return Err(Failure::failed("the watch has ended"));
            };
            match event {
                Ok(event) => {
                    if !self.kept[i].take(event) {
                        continue;
                    }
                    if i == 0 && !self.own() {
                        return Ok(Seen::Gone);
                    }
                    return Ok(Seen::Change);
                }
                // the cluster does not have this kind
                Err(error) if i > 0 && answered(&error) == Some(404) => {}
                Err(error) if i == 0 && matches!(answered(&error), Some(401 | 403)) => {
                    return Err(self.refused(&error));
                }
                Err(error) if i == 0 => return Ok(Seen::Trouble(error.to_string())),
                Err(_) => {}
            }
        }
    }

    /// Takes over the Canary from its watch. Returns false if it is gone, or if another Canary has its name now.
    fn own(&mut self) -> bool {
        let Some(object) = self.kept[0].now.values().next() else { return false };
        let read = serde_json::to_value(object).and_then(serde_json::from_value::<Canary>);
        let Ok(canary) = read else { return true };
        if canary.uid() != self.canary.uid() {
            return false;
        }
        self.canary = canary;
        true
    }

    fn refused(&self, error: &watcher::Error) -> Failure {
        let namespace = self.canary.namespace();
        let resource = slots::resource(CANARY);
        let asked = Asked { verb: "watch", resource: &resource, namespace: namespace.as_deref(), name: None };
        let right = format!("{} (and list)", asked.right());
        refused(error, &asked, &right)
    }

    /// The facts as of now.
    pub(crate) fn facts(&self) -> Facts {
        let (unread, failed) = (self.unread.clone(), self.failed.clone());
        let mut facts = Facts { unread, failed, ..Facts::of(self.canary.clone()) };
        for (slot, kept) in self.slots.iter().zip(&self.kept).skip(1) {
            kept.now.values().for_each(|object| put(&mut facts, slot, object));
        }
        facts
    }
}

/// What a refusal of the API server means: it does not know who asks, or they may not.
fn refused(error: &watcher::Error, asked: &Asked<'_>, right: &str) -> Failure {
    match status(error) {
        Some(status) if status.code == 401 => asked.failure(&kube::Error::Api(Box::new(status.clone()))),
        _ => Failure::new(code::FAILED, format!("may not watch: {error}"))
            .hint(format!("missing right: {right}")),
    }
}

/// With what code the API server answered.
fn answered(error: &watcher::Error) -> Option<u16> {
    status(error).map(|status| status.code)
}

fn status(error: &watcher::Error) -> Option<&Status> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => Some(status),
        _ => None,
    }
}

/// All Canaries of one namespace, or of all namespaces.
pub(crate) struct Lists {
    kept: Kept<Canary>,
    stream: BoxStream<'static, watcher::Result<watcher::Event<Canary>>>,
}

impl Lists {
    pub(crate) fn of(cluster: &Cluster, all: bool, selector: Option<&str>) -> Self {
        let api: Api<Canary> =
            if all { Api::all(cluster.client.clone()) } else { cluster.canaries(&cluster.namespace) };
        let config =
            watcher::Config { label_selector: selector.map(str::to_owned), ..watcher::Config::default() };
        let stream = watcher(api, config).default_backoff().boxed();
        Self { kept: Kept::default(), stream }
    }

    /// Waits for a change.
    pub(crate) async fn changed(&mut self) -> Result<Seen, Failure> {
        loop {
            match self.stream.next().await {
                None => return Err(Failure::failed("the watch has ended")),
                Some(Ok(event)) => {
                    if self.kept.take(event) {
                        return Ok(Seen::Change);
                    }
                }
                Some(Err(error)) => match answered(&error) {
                    Some(401 | 403) => {
                        let resource = slots::resource(CANARY);
                        let asked = Asked { verb: "watch", resource: &resource, namespace: None, name: None };
                        return Err(refused(&error, &asked, "list and watch canaries.flagger.app"));
                    }
                    _ => return Ok(Seen::Trouble(error.to_string())),
                },
            }
        }
    }

    /// All Canaries, by namespace and name.
    pub(crate) fn all(&self) -> Vec<Canary> {
        self.kept.now.values().cloned().collect()
    }
}
