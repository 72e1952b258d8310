//! Namespaces: which of them are being deleted, and in which the operator works, if it selects by their labels.
#![allow(clippy::disallowed_types, reason = "this module reads the cluster")]

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Namespace;
use kube::{Client, ResourceExt, core::PartialObjectMeta};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::sink::{NAMESPACES, Sink, interrupted};
use crate::{
    observe::stream::{self, Collection, Loss, Seen, Selection},
    scope::Scope,
};

type Metadata = PartialObjectMeta<Namespace>;

/// Starts the watches on `tasks`; they end with `stop`.
pub(super) fn follow(
    client: &Client,
    scope: &Scope,
    sink: &Sink,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let all = || Collection::typed::<Namespace>(client, None).metadata();
    let watch = |selection| stream::watch(all(), selection);
    match scope {
        Scope::All => {
            tasks.spawn(follow_deletions(None, watch(Selection::default()), sink.clone(), stop.clone()));
        }
        // a right to only these is enough
        Scope::Named(names) => {
            for name in names {
                let fields = Some(format!("metadata.name={name}"));
                let seen = watch(Selection { fields, labels: None });
                tasks.spawn(follow_deletions(Some(name.clone()), seen, sink.clone(), stop.clone()));
            }
        }
        Scope::Labelled(selector) => {
            let labels = Some(selector.to_string());
            let seen = watch(Selection { fields: None, labels });
            tasks.spawn(follow_labels(seen, sink.clone(), stop.clone()));
        }
    }
}

type Receiver = tokio::sync::mpsc::Receiver<Seen<Metadata>>;

/// Which namespaces are being deleted, of all or of `one`. Without the right to see them, refusals show it.
async fn follow_deletions(one: Option<String>, mut seen: Receiver, sink: Sink, stop: CancellationToken) {
    let mut there = false;
    while let Some(Some(event)) = stop.run_until_cancelled(seen.recv()).await {
        match &event {
            Seen::Begin(_) => there = false,
            Seen::Listed(_) | Seen::Undecodable(_) => there = true,
            Seen::Complete if !there => {
                // it may be created later: its Canaries are seen then
                tracing::warn!(namespace = one, "the namespace of --namespace does not exist");
            }
            _ => {}
        }
        match event {
            Seen::Lost(Loss::Forbidden(why)) => {
                tracing::info!(why, "it is not seen in advance that a namespace is being deleted");
                return;
            }
            Seen::Lost(loss) => interrupted(NAMESPACES.kind, &loss),
            event => take_note(&sink, &event),
        }
    }
}

/// In which namespaces the operator works. A namespace that loses the labels is gone for this watch.
async fn follow_labels(mut seen: Receiver, sink: Sink, stop: CancellationToken) {
    let mut listing = BTreeSet::new();
    while let Some(Some(event)) = stop.run_until_cancelled(seen.recv()).await {
        sink.note(&NAMESPACES.into(), &event);
        take_note(&sink, &event);
        let concerned = match event {
            Seen::Begin(_) => {
                listing.clear();
                continue;
            }
            Seen::Listed(namespace) => {
                listing.insert(namespace.name_any());
                continue;
            }
            Seen::Complete => {
                if listing.is_empty() {
                    tracing::warn!("no namespace has the labels of --namespace-selector");
                }
                sink.cache.choose_only(&listing)
            }
            Seen::Undecodable(namespace) if namespace.listed => {
                listing.insert(namespace.key.1);
                continue;
            }
            Seen::Changed(namespace) => sink.cache.choose(&namespace.name_any(), true),
            Seen::Undecodable(namespace) => sink.cache.choose(&namespace.key.1, true),
            Seen::Gone(namespace) => sink.cache.choose(&namespace.name_any(), false),
            Seen::Lost(_) | Seen::Alive | Seen::Ended => continue,
        };
        sink.trigger(concerned);
        sink.report_totals();
        // kinds that they need may not be watched yet
        sink.canaries.notify_one();
    }
}

/// Records which namespaces are being deleted.
fn take_note(sink: &Sink, event: &Seen<Metadata>) {
    let (namespace, terminating) = match event {
        Seen::Listed(namespace) | Seen::Changed(namespace) => {
            (namespace, namespace.metadata.deletion_timestamp.is_some())
        }
        Seen::Gone(namespace) => (namespace, false),
        Seen::Begin(_)
        | Seen::Complete
        | Seen::Undecodable(_)
        | Seen::Lost(_)
        | Seen::Alive
        | Seen::Ended => return,
    };
    sink.trigger(sink.cache.set_terminating(&namespace.name_any(), terminating));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;
    use tokio::sync::mpsc;

    use super::*;
    use crate::{
        observe::ObjectCache,
        snapshot::{CANARY, Key},
        telemetry::Metrics,
    };

    fn namespace(name: &str) -> Metadata {
        serde_json::from_value(json!({"metadata": {"name": name}})).unwrap()
    }

    fn key(namespace: &str) -> Key {
        (namespace.into(), "app".into())
    }

    /// The Canaries that are processed after these events, and those that were triggered by each of them.
    async fn after(events: Vec<Seen<Metadata>>) -> (Vec<Key>, Vec<Key>) {
        let cache = Arc::new(ObjectCache::of(&Scope::labelled("team=shop").unwrap()));
        for namespace in ["ads", "pay", "shop"] {
            let spec = json!({"targetRef": {"kind": "Deployment", "apiVersion": "apps/v1", "name": "app"}});
            let meta = json!({"name": "app", "namespace": namespace, "resourceVersion": "1"});
            cache.insert(CANARY, json!({"metadata": meta, "spec": spec}));
        }
        let (triggers, mut triggered) = mpsc::unbounded_channel();
        let metrics = Arc::new(Metrics::new("istio"));
        let sink = Sink { cache: cache.clone(), metrics, triggers, canaries: Arc::default() };
        let (sender, seen) = mpsc::channel(events.len());
        for event in events {
            sender.send(event).await.unwrap();
        }
        drop(sender);
        follow_labels(seen, sink, CancellationToken::new()).await;
        let mut looked_at = vec![];
        while let Ok(key) = triggered.try_recv() {
            looked_at.push(key);
        }
        (cache.concerned(), looked_at)
    }

    #[tokio::test]
    async fn namespaces_are_taken_up_and_let_go_as_their_labels_change() {
        let listed = || vec![Seen::Begin(1), Seen::Listed(namespace("shop")), Seen::Complete];
        assert_eq!(after(listed()).await, (vec![key("shop")], vec![key("shop")]));

        let mut changed = listed();
        changed.extend([Seen::Changed(namespace("ads")), Seen::Gone(namespace("shop"))]);
        let each = vec![key("shop"), key("ads"), key("shop")];
        assert_eq!(after(changed).await, (vec![key("ads")], each));

        // while the watch was broken
        let mut missed = listed();
        missed.push(Seen::Lost(Loss::Unanswered("silence".into())));
        missed.extend([Seen::Begin(2), Seen::Listed(namespace("pay"))]);
        assert_eq!(after(missed).await.0, [key("shop")], "not in the middle of a list");
        let mut missed = listed();
        missed.extend([Seen::Begin(2), Seen::Listed(namespace("pay")), Seen::Complete]);
        assert_eq!(after(missed).await.0, [key("pay")]);
    }
}
