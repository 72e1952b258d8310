//! Notes → Kubernetes Events, in order, through a bounded queue, so that nothing waits for them.
//!
//! Identical messages about the same object are counted on one Event; kube's own Recorder would keep the first
//! message of a reason and drop the rest. Losing an Event never fails a pass: conditions have the truth.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this module writes Events")]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use k8s_openapi::{
    api::{
        core::v1::ObjectReference,
        events::v1::{Event, EventSeries},
    },
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
    core::ObjectMeta,
};
use serde_json::json;
use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;

use crate::{
    api::Canary,
    clock, names,
    plan::Note,
    queues::{Bounds, Item, Queues},
    snapshot::{CANARY_RUN, Snapshot},
    telemetry::Metrics,
    text,
};

/// Notes that may wait; more are dropped and counted. Those about one namespace may take 1 MiB.
const QUEUE: Bounds = Bounds { items: 4096, of_one: 1 << 20, bytes: 4 << 20 };
/// Longest note that the API server accepts.
const MAX_NOTE: usize = 1024;
/// Time limit of one Event.
const DEADLINE: Duration = Duration::from_secs(5);
/// Messages remembered for counting, over all objects.
const REMEMBERED: usize = 4096;
/// An Event is counted up for this long, then a new one is created.
const FRESH: Duration = Duration::from_secs(3000);

type Said = (String, &'static str, String);

/// Publishes notes.
#[derive(Clone)]
pub(crate) struct Events(Arc<Inner>);

struct Inner {
    client: Client,
    metrics: Arc<Metrics>,
    queue: Queues<(), (ObjectReference, Note)>,
    said: Mutex<BTreeMap<Said, Counted>>,
}

impl Events {
    /// Publishes through `client`, on `tasks`.
    pub(crate) fn new(client: Client, metrics: Arc<Metrics>, tasks: TaskTracker) -> Self {
        Self(Arc::new(Inner { client, metrics, queue: Queues::new(QUEUE, tasks), said: Mutex::default() }))
    }

    /// Publishes a note about a Canary.
    pub(crate) fn publish(&self, canary: &Canary, note: &Note) {
        self.publish_about(reference(canary), note);
    }

    /// Publishes a note about any object.
    pub(crate) fn publish_about(&self, object: ObjectReference, note: &Note) {
        let inner = self.0.clone();
        let publish = move |(object, note)| {
            let inner = inner.clone();
            async move { inner.publish(object, &note).await }
        };
        let owner = object.namespace.clone().unwrap_or_default();
        let bytes = note.message.len() + note.quote.as_ref().map_or(0, String::len);
        let item = Item { owner, bytes, what: (object, note.clone()) };
        if self.0.queue.push(&(), item, publish).is_err() {
            self.0.metrics.event_dropped();
        }
    }
}

/// The reference to a Canary in an Event.
pub(crate) fn reference(canary: &Canary) -> ObjectReference {
    let meta = &canary.metadata;
    ObjectReference {
        api_version: Some("flagger.app/v1beta1".into()),
        kind: Some("Canary".into()),
        name: meta.name.clone(),
        namespace: meta.namespace.clone(),
        uid: meta.uid.clone(),
        resource_version: meta.resource_version.clone(),
        ..ObjectReference::default()
    }
}

/// The reference in an Event to the record of the current run; none if there is no record.
pub(crate) fn record(snap: &Snapshot) -> Option<ObjectReference> {
    let (meta, run) = (&snap.canary.metadata, snap.canary.status.as_ref()?.run.as_ref()?);
    let name = names::run(meta.name.as_deref()?, run.number);
    let uid = snap.objects.get(CANARY_RUN, &name)?["metadata"]["uid"].as_str()?.to_owned();
    Some(ObjectReference {
        api_version: Some(CANARY_RUN.api_version()),
        kind: Some(CANARY_RUN.kind.into()),
        name: Some(name),
        namespace: meta.namespace.clone(),
        uid: Some(uid),
        ..ObjectReference::default()
    })
}

/// Nothing can be created any more, because the namespace is being deleted.
pub(crate) fn namespace_terminates(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
}

struct Counted {
    name: String,
    count: i32,
    made: jiff::Timestamp,
}

impl Inner {
    async fn publish(&self, object: ObjectReference, note: &Note) {
        let mut said = self.said.lock().await;
        if said.len() >= REMEMBERED {
            said.clear();
        }
        let missed =
            match tokio::time::timeout(DEADLINE, publish(&self.client, &mut said, object, note)).await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => {
                    tracing::warn!(%error, reason = note.reason, "event not written");
                    !namespace_terminates(&error)
                }
                Err(_) => {
                    tracing::warn!(reason = note.reason, "event not written in time");
                    true
                }
            };
        if missed {
            self.metrics.event_dropped();
        }
    }
}

async fn publish(
    client: &Client,
    said: &mut BTreeMap<Said, Counted>,
    object: ObjectReference,
    note: &Note,
) -> kube::Result<()> {
    let now = clock::now();
    let namespace = object.namespace.clone().unwrap_or_default();
    let api: Api<Event> = Api::namespaced(client.clone(), &namespace);
    let key = (object.uid.clone().unwrap_or_default(), note.reason, note.for_events().to_owned());
    let fresh = |c: &Counted| now.duration_since(c.made).unsigned_abs() < FRESH;
    if let Some(known) = said.get_mut(&key).filter(|c| fresh(c)) {
        let series = EventSeries { count: known.count + 1, last_observed_time: MicroTime(now) };
        let params = PatchParams { field_manager: Some(names::COMPONENT.into()), ..PatchParams::default() };
        match api.patch(&known.name, &params, &Patch::Merge(json!({"series": series}))).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            done => {
                known.count += 1;
                return done.map(drop);
            }
        }
    }
    let event = event(object, &namespace, note, now);
    let name = event.metadata.name.clone().unwrap_or_default();
    api.create(&PostParams::default(), &event).await?;
    said.insert(key, Counted { name, count: 1, made: now });
    Ok(())
}

fn event(object: ObjectReference, namespace: &str, note: &Note, now: jiff::Timestamp) -> Event {
    let name = format!("{}.{:x}", object.name.as_deref().unwrap_or_default(), now.as_nanosecond());
    Event {
        metadata: ObjectMeta { name: Some(name), namespace: Some(namespace.into()), ..ObjectMeta::default() },
        action: Some(note.reason.into()),
        reason: Some(note.reason.into()),
        note: Some(text::first_bytes(note.for_events(), MAX_NOTE).into()),
        type_: Some(note.severity.word().into()),
        event_time: Some(MicroTime(now)),
        regarding: Some(object),
        reporting_controller: Some(names::COMPONENT.into()),
        reporting_instance: Some(names::COMPONENT.into()),
        ..Event::default()
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, http::StatusCode};
    use serde_json::Value;

    use super::*;

    /// How many Events are counted as not written when an API server answers the creation of one like this.
    async fn not_written(service: Router) -> String {
        let (tasks, metrics) = (TaskTracker::new(), Arc::new(Metrics::new("istio")));
        let events = Events::new(Client::new(service, "n"), metrics.clone(), tasks.clone());
        let about = ObjectReference { namespace: Some("n".into()), ..ObjectReference::default() };
        events.publish_about(about, &Note::warning("RollingBack", "too many failed checks"));
        tasks.close();
        tasks.wait().await;
        let text = metrics.exposition();
        let mut counted = text.lines().filter_map(|line| line.strip_prefix("serin_events_dropped_total "));
        counted.next().unwrap_or_default().to_owned()
    }

    fn refusing(details: &Value) -> Router {
        let no = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "message": "no",
            "reason": "Forbidden", "details": details});
        Router::new().fallback(move || async move { (StatusCode::FORBIDDEN, no.to_string()) })
    }

    #[tokio::test]
    async fn an_event_that_is_refused_is_counted() {
        assert_eq!(not_written(refusing(&json!({}))).await, "1");
        let written = Router::new().fallback(|body: String| async { body });
        assert_eq!(not_written(written).await, "0");
    }

    #[tokio::test]
    async fn events_about_a_namespace_that_is_being_deleted_are_not_missed() {
        let causes = json!({"causes": [{"reason": "NamespaceTerminating", "message": "n"}]});
        assert_eq!(not_written(refusing(&causes)).await, "0");
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_that_is_not_answered_is_counted() {
        assert_eq!(not_written(Router::new().fallback(std::future::pending::<StatusCode>)).await, "1");
    }
}
