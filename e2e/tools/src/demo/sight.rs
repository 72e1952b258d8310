//! Live changes of one Canary in the cluster: its status, the weight in its route, its Events.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context;
use futures::{Stream, StreamExt};
use jiff::Timestamp;
use k8s_openapi::api::events::v1::Event;
use kube::{
    Api,
    api::DynamicObject,
    runtime::{WatchStreamExt, watcher},
};
use serde_json::Value;
use serin::api::Canary;
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

use serin_bed::story::Story;

/// A change.
pub(super) enum What {
    /// The Canary's current state.
    Canary(Box<Canary>),
    /// The route's current state.
    Route(Route),
    /// An Event.
    Said {
        /// Its type is Warning.
        warning: bool,
        /// Its note.
        text: String,
    },
}

/// The canary's part of a route.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Route {
    /// Its percentage of the requests that the route splits.
    pub(super) weight: i64,
    /// The route mirrors requests to the canary.
    pub(super) mirrored: bool,
}

/// A change, and the time of its observation.
pub(super) struct Seen {
    pub(super) at: Timestamp,
    pub(super) what: What,
}

/// Watches until it is dropped.
pub(super) struct Sight {
    queue: mpsc::UnboundedReceiver<Seen>,
    _watches: JoinSet<()>,
}

impl Sight {
    /// The route is an HTTPRoute if `by_gateway`, otherwise a VirtualService.
    pub(super) fn open(story: &Story<'_>, canary: &str, by_gateway: bool) -> Self {
        let (sink, queue) = mpsc::unbounded_channel();
        let named = watcher::Config::default().fields(&format!("metadata.name={canary}"));
        let mut watches = JoinSet::new();

        let canaries: Api<Canary> = story.api();
        let stream = watcher(canaries, named.clone()).default_backoff().applied_objects();
        watches.spawn(pass_on(stream, sink.clone(), |canary| Some(What::Canary(Box::new(canary)))));

        let host = format!("{canary}-canary");
        let routes = if by_gateway { story.http_routes() } else { story.virtual_services() };
        let stream = watcher(routes, named).default_backoff().applied_objects();
        watches.spawn(pass_on(stream, sink.clone(), move |object| Some(What::Route(route(&object, &host)))));

        let (name, mut counts) = (canary.to_owned(), BTreeMap::new());
        let events: Api<Event> = story.api();
        let stream = watcher(events, watcher::Config::default()).default_backoff().applied_objects();
        watches.spawn(pass_on(stream, sink, move |event| said(event, &name, &mut counts)));

        Self { queue, _watches: watches }
    }

    /// The next change. `None` if the watches have ended, which does not normally happen.
    pub(super) async fn next(&mut self) -> Option<Seen> {
        self.queue.recv().await
    }

    /// Waits for an Event that starts with `words`. Drops everything before it.
    pub(super) async fn said(&mut self, words: &str, limit: Duration) -> anyhow::Result<()> {
        let search = async {
            while let Some(seen) = self.next().await {
                if matches!(&seen.what, What::Said { text, .. } if text.starts_with(words)) {
                    return;
                }
            }
        };
        timeout(limit, search)
            .await
            .with_context(|| format!("waited {limit:?} in vain for the Event {words:?}"))
    }

    /// Drops all pending changes.
    pub(super) fn skip(&mut self) {
        while self.queue.try_recv().is_ok() {}
    }
}

async fn pass_on<K>(
    stream: impl Stream<Item = watcher::Result<K>>,
    sink: mpsc::UnboundedSender<Seen>,
    mut what: impl FnMut(K) -> Option<What>,
) {
    let mut stream = std::pin::pin!(stream);
    while let Some(object) = stream.next().await {
        // A broken watch recovers by itself.
        let Some(what) = object.ok().and_then(&mut what) else { continue };
        if sink.send(Seen { at: Timestamp::now(), what }).is_err() {
            return;
        }
    }
}

/// The first rule with two destinations splits requests. The rules before it are for clients with cookies.
fn route(object: &DynamicObject, host: &str) -> Route {
    let spec = &object.data["spec"];
    let rules = spec["http"].as_array().or(spec["rules"].as_array()).map(Vec::as_slice).unwrap_or_default();
    let mut lists =
        rules.iter().filter_map(|rule| rule["route"].as_array().or(rule["backendRefs"].as_array()));
    let shared = lists.find(|list| list.len() > 1).into_iter().flatten();
    let leads = |one: &&Value| one["destination"]["host"] == host || one["name"] == host;
    let weight = shared.filter(leads).find_map(|one| one["weight"].as_i64());
    let mirrored = rules.iter().any(|rule| rule["mirror"]["host"] == host);
    Route { weight: weight.unwrap_or(0), mirrored }
}

/// The note of an Event about the Canary, each time its count increases.
fn said(event: Event, canary: &str, counts: &mut BTreeMap<String, i32>) -> Option<What> {
    let about = event.regarding.as_ref()?;
    if about.kind.as_deref() != Some("Canary") || about.name.as_deref() != Some(canary) {
        return None;
    }
    let count = event.series.as_ref().map_or(1, |series| series.count);
    let known = counts.entry(event.metadata.name?).or_default();
    if count <= std::mem::replace(known, count) {
        return None;
    }
    Some(What::Said { warning: event.type_.as_deref() == Some("Warning"), text: event.note? })
}
