//! Watches all objects that canaries use, in the whole bed, and checks the invariants at each revision.
//!
//! The watches are merged by resourceVersion: there is one etcd, so the order is total. Each change is delayed for a
//! moment, because the watches are not synchronised. The checks are pure: `Checker` takes revisions and calls
//! `serin_invariants`. A write counts as the operator's if the managed fields or the operator's own marker show it.
//! Deletions carry no name.

mod checker;
#[cfg(test)]
mod tests;
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::StreamExt;
use jiff::Timestamp;
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DynamicObject, ListParams},
    runtime::{WatchStreamExt, watcher},
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
    time::{Instant, sleep_until},
};

pub use checker::{Checker, Violation};
pub use serin_invariants::view::Kind;
pub use world::Change;

use crate::wait;

/// Maximum time between the watches.
const LAG: Duration = Duration::from_millis(700);
/// Maximum time for the watches to catch up at the end of a story.
const PATIENCE: Duration = Duration::from_secs(60);

const DAEMON_SET: &str = "DaemonSet";

/// The observed kinds: group, version, kind and plural.
type Row = (Kind, &'static str, &'static str, &'static str, &'static str);

const KINDS: [Row; 8] = [
    (Kind::Canary, "flagger.app", "v1beta1", "Canary", "canaries"),
    (Kind::Route, "networking.istio.io", "v1beta1", "VirtualService", "virtualservices"),
    (Kind::Route, "gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"),
    (Kind::Deployment, "apps", "v1", "Deployment", "deployments"),
    (Kind::Deployment, "apps", "v1", DAEMON_SET, "daemonsets"),
    (Kind::Service, "", "v1", "Service", "services"),
    (Kind::Slice, "discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
    (Kind::Revision, "apps", "v1", "ControllerRevision", "controllerrevisions"),
];

#[derive(Default)]
struct State {
    checker: Checker,
    /// The checks that do not apply, per namespace.
    excepted: BTreeMap<String, BTreeSet<String>>,
}

/// The watches and their results. Dropping it stops them.
pub struct Observer {
    client: Client,
    state: Arc<Mutex<State>>,
    _tasks: JoinSet<()>,
}

impl Observer {
    /// Starts to watch. The kinds must exist.
    pub fn start(client: Client) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (sender, receiver) = unbounded_channel();
        let mut tasks = JoinSet::new();
        for row in KINDS {
            tasks.spawn(follow(row, Api::all_with(client.clone(), &resource(row)), sender.clone()));
        }
        tasks.spawn(merge(receiver, state.clone()));
        Self { client, state, _tasks: tasks }
    }

    /// Disables some checks (such as `S2`) in a namespace, because the story itself breaks them: it deletes pods, edits
    /// weights or changes objects that only the operator should change.
    pub fn except(&self, namespace: &str, checks: &[&str]) {
        let mut state = lock(&self.state);
        let excepted = state.excepted.entry(namespace.to_owned()).or_default();
        excepted.extend(checks.iter().map(|c| (*c).to_owned()));
    }

    /// The violations in a namespace, after all current changes in the cluster have been processed.
    ///
    /// # Errors
    /// The watches do not catch up.
    pub async fn violations(&self, namespace: &str) -> anyhow::Result<Vec<String>> {
        let mut live = Vec::new();
        for row in KINDS {
            let api: Api<DynamicObject> =
                Api::namespaced_with(self.client.clone(), namespace, &resource(row));
            for object in api.list(&ListParams::default()).await? {
                live.push((row.0, object.name_any(), version(&object)));
            }
        }
        wait::until(&format!("the observer to have seen all of {namespace}"), PATIENCE, async || {
            let state = lock(&self.state);
            let seen = |(kind, name, version): &(Kind, String, u64)| {
                state.checker.version(namespace, *kind, name).is_some_and(|v| v >= *version)
            };
            live.iter().all(seen).then_some(())
        })
        .await?;
        let state = lock(&self.state);
        let excepted = state.excepted.get(namespace);
        let counts = |v: &Violation| excepted.is_none_or(|e| !e.contains(v.check));
        let found = state.checker.violations(namespace).into_iter().filter(counts);
        Ok(found.map(|v| format!("{namespace}: {} {}", v.check, v.text)).collect())
    }
}

/// A panic elsewhere does not make the state invalid.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn resource((_, group, version, kind, plural): Row) -> ApiResource {
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    ApiResource {
        group: group.into(),
        version: version.into(),
        api_version,
        kind: kind.into(),
        plural: plural.into(),
    }
}

fn version(object: &DynamicObject) -> u64 {
    object.metadata.resource_version.as_ref().and_then(|v| v.parse().ok()).unwrap_or(0)
}

async fn follow((kind, _, _, name, _): Row, api: Api<DynamicObject>, sink: UnboundedSender<Change>) {
    let read = if name == DAEMON_SET { world::as_deployment } else { std::convert::identity };
    let mut stream = pin!(watcher(api, watcher::Config::default()).default_backoff());
    while let Some(event) = stream.next().await {
        let (object, gone) = match event {
            Ok(watcher::Event::InitApply(object) | watcher::Event::Apply(object)) => (object, false),
            Ok(watcher::Event::Delete(object)) => (object, true),
            // a broken watch resumes where it stopped
            Ok(watcher::Event::Init | watcher::Event::InitDone) | Err(_) => continue,
        };
        let change = Change {
            version: version(&object),
            at: Timestamp::now(),
            kind,
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
            object: if gone { None } else { serde_json::to_value(&object).ok().map(read) },
        };
        if sink.send(change).is_err() {
            return;
        }
    }
}

/// Passes changes to the checker in the order of their versions, each delayed by [`LAG`].
async fn merge(mut source: UnboundedReceiver<Change>, state: Arc<Mutex<State>>) {
    let mut held: BTreeMap<(u64, Kind, String, String), (Instant, Change)> = BTreeMap::new();
    loop {
        let due = held.values().next().map(|(since, _)| *since + LAG);
        tokio::select! {
            change = source.recv() => {
                let Some(change) = change else { return };
                let key = (change.version, change.kind, change.namespace.clone(), change.name.clone());
                held.insert(key, (Instant::now(), change));
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                if let Some((_, (_, change))) = held.pop_first() {
                    let mut state = lock(&state);
                    let known = state.checker.version(&change.namespace, change.kind, &change.name);
                    // listed again after a broken watch
                    if known.is_none_or(|known| known < change.version) {
                        state.checker.see(&change);
                    }
                }
            }
        }
    }
}
