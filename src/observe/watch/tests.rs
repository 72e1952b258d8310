use serde_json::json;
use tokio::sync::mpsc;

use super::*;
use crate::{manifest::pod_policies, observe::GRACE, snapshot::INGRESS};

/// The state after a watch of this kind could not be opened for these reasons.
async fn lost(kind: Kind, losses: Vec<Loss>) -> (Arc<ObjectCache>, Arc<Metrics>) {
    after(kind, losses.into_iter().map(Seen::Lost).collect()).await
}

/// The state after these observations of a kind.
async fn after(kind: Kind, events: Vec<Seen<Value>>) -> (Arc<ObjectCache>, Arc<Metrics>) {
    let (cache, metrics) = (Arc::<ObjectCache>::default(), Arc::new(Metrics::new("istio")));
    let triggers = mpsc::unbounded_channel().0;
    let sink = Sink { cache: cache.clone(), metrics: metrics.clone(), triggers, canaries: Arc::default() };
    let (sender, seen) = mpsc::channel(events.len());
    for event in events {
        sender.send(event).await.unwrap();
    }
    drop(sender);
    follow(kind.into(), seen, sink, CancellationToken::new()).await;
    (cache, metrics)
}

fn forbidden() -> Loss {
    Loss::Forbidden("no".into())
}

#[tokio::test]
async fn what_can_be_done_without_is_forbidden_and_not_lost() {
    let later = clock::after(clock::now(), 2 * GRACE.unsigned_abs());
    let traffic_route =
        Kind { group: "kuma.io", version: "v1alpha1", kind: "TrafficRoute", plural: "trafficroutes" };
    for kind in pod_policies::KINDS.into_iter().chain([traffic_route]) {
        let silent = Loss::Unanswered("none".into());
        let (cache, metrics) = lost(kind, vec![silent, forbidden(), forbidden()]).await;
        assert!(cache.forbidden(kind, "n"));
        assert!(cache.stale_kinds(later).is_empty(), "{kind:?}");
        // the one from the silence
        let counted = format!("serin_watch_interruptions_total{{kind=\"{}\"}} 1", kind.crd());
        assert!(metrics.exposition().contains(&counted), "{}", metrics.exposition());
    }
    let (cache, _) = lost(INGRESS, vec![forbidden()]).await;
    assert!(cache.forbidden(INGRESS, "n"));
    assert_eq!(cache.stale_kinds(later).len(), 1, "a route rests on it");
}

fn undecodable(name: &str, version: u64, listed: bool) -> Seen<Value> {
    let key = ("n".to_owned(), name.to_owned());
    Seen::Undecodable(Undecodable { key, version, listed, content: Value::Null, why: "too deep".into() })
}

fn template(name: &str, version: &str, query: &Value) -> Value {
    let meta = json!({"name": name, "namespace": "n", "resourceVersion": version});
    json!({"metadata": meta, "spec": {"provider": {"type": "prometheus"}, "query": query}})
}

#[tokio::test]
async fn f1_objects_that_do_not_decode_are_counted_and_there() {
    let good = |version| template("becomes-deep", version, &json!("up"));
    let begin = || {
        vec![
            Seen::Begin(7),
            Seen::Listed(good("3")),
            undecodable("deep", 4, true),
            Seen::Listed(template("odd", "5", &json!(["up"]))),
            Seen::Complete,
            undecodable("becomes-deep", 8, false),
            Seen::Begin(9),
            undecodable("becomes-deep", 8, true),
            Seen::Complete,
        ]
    };
    let counted = |metrics: &Metrics| {
        let text = metrics.exposition();
        let line =
            text.lines().find(|line| line.starts_with("serin_undecodable_objects{kind=\"MetricTemplate\"}"));
        line.and_then(|line| line.rsplit_once(' ')).map(|(_, number)| number.to_owned())
    };
    let mut events = begin();
    events.truncate(5);
    assert_eq!(counted(&after(METRIC_TEMPLATE, events).await.1).as_deref(), Some("2"));
    let mut events = begin();
    events.truncate(6);
    assert_eq!(counted(&after(METRIC_TEMPLATE, events).await.1).as_deref(), Some("3"));
    // the others were gone in the second list
    let (cache, metrics) = after(METRIC_TEMPLATE, begin()).await;
    assert_eq!(counted(&metrics).as_deref(), Some("1"));
    assert_eq!(*cache.get(METRIC_TEMPLATE, "n", "becomes-deep").unwrap(), named(METRIC_TEMPLATE, good("3")));
    let mut events = begin();
    events.push(Seen::Changed(good("10")));
    let (cache, metrics) = after(METRIC_TEMPLATE, events).await;
    assert_eq!(counted(&metrics).as_deref(), Some("0"));
    assert_eq!(cache.undecodable(METRIC_TEMPLATE, &("n".into(), "becomes-deep".into())), None);
}

#[tokio::test]
async fn what_is_not_seen_after_a_watch_has_ended_is_lost_after_a_while() {
    let later = clock::after(clock::now(), 2 * GRACE.unsigned_abs());
    let a_list_began = vec![Seen::Begin(7), Seen::Complete, Seen::Alive, Seen::Ended, Seen::Begin(9)];
    let (cache, metrics) = after(METRIC_TEMPLATE, a_list_began).await;
    assert!(cache.stale_kinds(clock::now()).is_empty());
    assert_eq!(cache.stale_kinds(later).len(), 1, "its first pages say nothing about the rest");
    assert!(!metrics.exposition().contains("serin_watch_interruptions_total{"), "it is usual");
    let (cache, _) = after(METRIC_TEMPLATE, vec![Seen::Ended, Seen::Alive]).await;
    assert!(cache.stale_kinds(later).is_empty());
}

/// The state after these observations of the Lease.
async fn leases(events: Vec<Seen<Lease>>) -> Arc<ObjectCache> {
    let cache = Arc::<ObjectCache>::default();
    let metrics = Arc::new(Metrics::new("istio"));
    let sink = Sink {
        cache: cache.clone(),
        metrics,
        triggers: mpsc::unbounded_channel().0,
        canaries: Arc::default(),
    };
    let (sender, seen) = mpsc::channel(9);
    for event in events {
        sender.send(event).await.unwrap();
    }
    drop(sender);
    follow_lease(seen, sink, CancellationToken::new()).await;
    cache
}

#[tokio::test]
async fn the_lease_of_another_operator_is_awaited_and_missed() {
    let (now, later) = (clock::now(), clock::after(clock::now(), 2 * GRACE.unsigned_abs()));
    for (events, known, known_later, stale) in [
        (vec![], false, false, 0),
        (vec![Seen::Begin(1)], false, false, 0),
        (vec![Seen::Begin(1), Seen::Complete], true, true, 0),
        (vec![Seen::Lost(Loss::Unanswered("none".into()))], false, false, 1),
        (vec![Seen::Lost(forbidden())], false, true, 1),
        (vec![Seen::Begin(1), Seen::Complete, Seen::Lost(forbidden())], true, true, 1),
        (vec![Seen::Lost(forbidden()), Seen::Begin(1), Seen::Complete], true, true, 0),
    ] {
        let told = format!("{events:?}");
        let cache = leases(events).await;
        assert_eq!(
            [cache.lease_known(LEASES, now), cache.lease_known(LEASES, later)],
            [known, known_later],
            "{told}"
        );
        assert_eq!(cache.stale_kinds(later).len(), stale, "{told}");
    }
}
