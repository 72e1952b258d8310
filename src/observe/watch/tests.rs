use tokio::sync::mpsc;

use super::*;
use crate::{manifest::pod_policies, snapshot::INGRESS};

/// What is known after a watch of this kind could not be opened for these reasons.
async fn lost(kind: Kind, losses: Vec<Loss>) -> (Arc<ObjectCache>, Arc<Metrics>) {
    let (cache, metrics) = (Arc::<ObjectCache>::default(), Arc::new(Metrics::new("istio")));
    let triggers = mpsc::unbounded_channel().0;
    let sink = Sink { cache: cache.clone(), metrics: metrics.clone(), triggers, canaries: Arc::default() };
    let (sender, seen) = mpsc::channel::<Seen<DynamicObject>>(losses.len());
    for loss in losses {
        sender.send(Seen::Lost(loss)).await.unwrap();
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
        // that of the silence
        let counted = format!("serin_watch_interruptions_total{{kind=\"{}\"}} 1", kind.crd());
        assert!(metrics.exposition().contains(&counted), "{}", metrics.exposition());
    }
    let (cache, _) = lost(INGRESS, vec![forbidden()]).await;
    assert!(cache.forbidden(INGRESS, "n"));
    assert_eq!(cache.stale_kinds(later).len(), 1, "a route rests on it");
}
