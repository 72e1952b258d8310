//! Every state of every Canary, and every weight of every route, with the time of observation: two watches.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{Stream, StreamExt};
use jiff::Timestamp;
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DynamicObject},
    core::GroupVersionKind,
    runtime::{WatchStreamExt, watcher},
};
use serin::api::{Canary, CanaryStatus};
use tokio::task::JoinSet;

/// Namespace and name.
pub(super) type Key = (String, String);

#[derive(Default)]
struct Seen {
    states: BTreeMap<Key, Vec<CanaryStatus>>,
    weights: BTreeMap<Key, Vec<(Timestamp, i64)>>,
}

/// The two watches and their results.
pub(super) struct Record {
    seen: Arc<Mutex<Seen>>,
    /// Stop with this struct.
    _watches: JoinSet<()>,
}

impl Record {
    pub(super) fn start(client: Client) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let route = GroupVersionKind::gvk("networking.istio.io", "v1beta1", "VirtualService");
        let resource = ApiResource::from_gvk_with_plural(&route, "virtualservices");
        let canaries = watcher(Api::<Canary>::all(client.clone()), watcher::Config::default());
        let routes = watcher(Api::<DynamicObject>::all_with(client, &resource), watcher::Config::default());
        let mut watches = JoinSet::new();
        watches.spawn(follow(canaries.default_backoff().applied_objects(), seen.clone(), Seen::canary));
        watches.spawn(follow(routes.default_backoff().applied_objects(), seen.clone(), Seen::route));
        Self { seen, _watches: watches }
    }

    /// All states of a Canary so far, oldest first.
    pub(super) fn states(&self, key: &Key) -> Vec<CanaryStatus> {
        lock(&self.seen).states.get(key).cloned().unwrap_or_default()
    }

    /// The last seen state of a Canary.
    pub(super) fn last(&self, key: &Key) -> CanaryStatus {
        lock(&self.seen).states.get(key).and_then(|states| states.last()).cloned().unwrap_or_default()
    }

    /// When a route was first seen with this weight of the canary, not before `from`.
    pub(super) fn weighed(&self, key: &Key, weight: i64, from: Timestamp) -> Option<Timestamp> {
        let seen = lock(&self.seen);
        let mut weights = seen.weights.get(key)?.iter();
        weights.find(|(at, seen)| *at >= from && *seen == weight).map(|(at, _)| *at)
    }
}

async fn follow<K>(
    objects: impl Stream<Item = Result<K, watcher::Error>> + Send,
    seen: Arc<Mutex<Seen>>,
    take: fn(&mut Seen, &K),
) {
    let mut objects = std::pin::pin!(objects);
    while let Some(object) = objects.next().await {
        // a broken watch is reopened
        if let Ok(object) = object {
            take(&mut lock(&seen), &object);
        }
    }
}

impl Seen {
    fn canary(&mut self, canary: &Canary) {
        let key = (canary.namespace().unwrap_or_default(), canary.name_any());
        self.states.entry(key).or_default().push(canary.status.clone().unwrap_or_default());
    }

    fn route(&mut self, route: &DynamicObject) {
        let key = (route.namespace().unwrap_or_default(), route.name_any());
        let canary = format!("{}-canary", key.1);
        let routes = route.data["spec"]["http"][0]["route"].as_array().cloned().unwrap_or_default();
        let weight =
            routes.iter().find(|r| r["destination"]["host"] == canary).and_then(|r| r["weight"].as_i64());
        self.weights.entry(key).or_default().push((Timestamp::now(), weight.unwrap_or(0)));
    }
}

/// A panic elsewhere does not make the records invalid.
fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
