use std::collections::BTreeSet;

use axum::{Router, http::StatusCode};
use serde_json::json;

use super::*;
use crate::{
    config::Rules,
    snapshot::{CANARY, CONFIG_MAP, ObjectRef},
};

/// A worker without flags, on an API server that refuses everything.
fn refused() -> Worker {
    let no = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "message": "no",
        "reason": "Forbidden"});
    let service = Router::new().fallback(move || async move { (StatusCode::FORBIDDEN, no.to_string()) });
    let (client, tasks) = (Client::new(service, "n"), TaskTracker::new());
    let metrics = Arc::new(Metrics::new("kubernetes"));
    let parts = Parts {
        out: Outbound::own(),
        events: Events::new(client.clone(), metrics.clone(), tasks.clone()),
        client,
        metrics,
        cache: Arc::default(),
        triggers: mpsc::unbounded_channel().0,
        tasks,
        stop: CancellationToken::new(),
    };
    let config = Config {
        rules: Rules::default(),
        kubeconfig: None,
        master: None,
        namespace: None,
        lease_namespace: "n".into(),
        port: 0,
        log_filter: "info".into(),
        event_webhook: None,
        log_json: false,
        quote_answers: true,
        cluster_name: String::new(),
        manage_crds: false,
        notifier: None,
        unserved_flags: vec![],
    };
    Worker::new(config, parts)
}

#[tokio::test]
async fn a_config_that_cannot_be_read_is_not_to_be_read_again_by_the_decision_that_follows() {
    let worker = refused();
    worker.cache.set_crds(BTreeSet::new());
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"});
    worker.cache.insert(
        CANARY,
        json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
            "metadata": {"name": "app", "namespace": "n", "resourceVersion": "1"},
            "spec": {"targetRef": target, "provider": "kubernetes", "service": {"port": 80}, "analysis": {}},
        }),
    );
    let (key, now) = (("n".to_owned(), "app".to_owned()), clock::now());
    let at = ObjectRef::new(CONFIG_MAP, "settings");
    let questions = vec![Question::Config { namespace: "n".into(), at: at.clone() }];
    let Ok(snap) = worker.observe(&key, now).await else { panic!("no snapshot") };
    let Ok(asked) = worker.ask(&key, &snap, questions, None, now).await else { panic!("not asked") };
    assert!(asked.answers.configs[&at].is_err());
    let decided = asked.decided_at(now);
    let Ok(snap) = worker.observe(&key, decided).await else { panic!("no snapshot") };
    let until = snap.ask_not_before;
    assert!(until.is_some_and(|until| until > decided), "{until:?} at {decided}");
}

#[test]
fn c30_a_server_that_asks_for_less_is_not_asked_more_often_than_one_that_answers() {
    let seconds = Duration::from_secs;
    let interval = seconds(300);
    assert_eq!(pause(seconds(2), None, interval), seconds(2), "one that is down is asked again soon");
    assert_eq!(pause(seconds(2), Some(seconds(0)), interval), interval);
    assert_eq!(pause(seconds(2), Some(seconds(900)), interval), seconds(900));
    assert_eq!(pause(seconds(30), Some(seconds(5)), seconds(10)), seconds(30));
    assert_eq!(pause(Duration::ZERO, None, interval), seconds(1));
}
