use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use axum::{Router, body::Bytes, http::StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::{
    api::{CanaryStatus, Phase},
    config::Rules,
    names,
    snapshot::{CANARY, CONFIG_MAP, Evidence, Kind, ObjectRef},
};

/// A worker without flags, on an API server that refuses everything.
fn refused() -> Worker {
    let no = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "message": "no",
        "reason": "Forbidden"});
    worker(Router::new().fallback(move || async move { (StatusCode::FORBIDDEN, no.to_string()) }))
}

/// A worker on an API server that takes every write, and the bodies of these writes.
fn accepted() -> (Worker, Arc<Mutex<Vec<Value>>>) {
    let written = Arc::new(Mutex::new(vec![]));
    let seen = written.clone();
    let service = Router::new().fallback(move |body: Bytes| async move {
        let mut object: Value = serde_json::from_slice(&body).unwrap_or_default();
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(object.clone());
        object["apiVersion"] = json!(CANARY.api_version());
        object["kind"] = json!(CANARY.kind);
        object["metadata"]["name"] = json!("app");
        object["metadata"]["namespace"] = json!("n");
        object["metadata"]["resourceVersion"] = json!("9");
        (StatusCode::OK, object.to_string())
    });
    (worker(service), written)
}

fn worker(service: Router) -> Worker {
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

fn canary(analysis: &Value, status: &CanaryStatus) -> Value {
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"});
    json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
        "metadata": {"name": "app", "namespace": "n", "resourceVersion": "1"},
        "spec": {"targetRef": target, "provider": "istio", "service": {"port": 80}, "analysis": analysis},
        "status": status,
    })
}

/// Has the worker write a status in which the run of such a Canary has failed, `times` times.
async fn fails(worker: &Worker, analysis: &Value, times: usize) -> Vec<String> {
    let run = serde_json::from_value(json!({"started": "2026-01-01T00:00:00Z"})).unwrap();
    let before = CanaryStatus { phase: Some(Phase::Progressing), run: Some(run), ..CanaryStatus::default() };
    worker.cache.set_crds(crate::router::by_name("istio").unwrap().kinds().iter().map(Kind::crd).collect());
    worker.cache.insert(CANARY, canary(analysis, &before));
    let key = ("n".to_owned(), "app".to_owned());
    for kind in observe::mandatory(&Rules::default()) {
        worker.cache.listed(kind, &BTreeSet::from([key.clone()]));
    }
    for kind in crate::router::by_name("istio").unwrap().kinds() {
        worker.cache.listed(*kind, &BTreeSet::new());
    }
    let Ok(snap) = worker.observe(&key, clock::now()).await else { panic!("no snapshot") };
    let plan = Plan {
        status: Some(CanaryStatus { phase: Some(Phase::Failed), ..CanaryStatus::default() }),
        actions: vec![],
        notes: vec![],
        urgent: false,
        judged: None,
        unrecorded: Evidence::default(),
        calls: vec![],
        stopped: None,
        wake: Wake::OnChange,
    };
    for _ in 0..times {
        worker.carry_out(&key, &snap, &plan).await.ok();
    }
    let text = worker.metrics.exposition();
    let counted = text.lines().filter(|line| line.starts_with("flagger_canary_failures_total{"));
    counted.map(str::to_owned).collect()
}

#[tokio::test]
async fn b3_a_rollout_is_counted_only_once_its_end_is_written() {
    assert_eq!(fails(&refused(), &json!({"stepWeight": 10}), 3).await, [""; 0]);
    let counted = fails(&accepted().0, &json!({"stepWeight": 10}), 1).await;
    assert!(matches!(counted.as_slice(), [one] if one.ends_with("} 1")), "{counted:?}");
}

#[tokio::test]
async fn b4_a_rollout_is_counted_with_the_strategy_of_its_canary() {
    let named = json!([{"headers": {"x": {"exact": "y"}}}]);
    for (analysis, strategy) in [
        (json!({"stepWeight": 10}), "canary"),
        (json!({"iterations": 5}), "blue-green"),
        (json!({"iterations": 5, "match": named}), "ab-testing"),
    ] {
        let counted = fails(&accepted().0, &analysis, 1).await;
        let label = format!("deployment_strategy=\"{strategy}\"");
        assert!(matches!(counted.as_slice(), [one] if one.contains(&label)), "{strategy}: {counted:?}");
    }
}

#[tokio::test]
async fn c27_the_finalizer_of_a_deleted_canary_that_does_not_decode_is_removed() {
    let key = ("n".to_owned(), "app".to_owned());
    for deleted in [false, true] {
        let (worker, written) = accepted();
        let mut object = canary(&json!({"stepWeight": "ten"}), &CanaryStatus::default());
        object["metadata"]["finalizers"] = json!(["theirs", names::FINALIZER]);
        if deleted {
            object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
        worker.cache.insert(CANARY, object);
        assert!(Box::pin(worker.pass(&key, None)).await.is_err());
        let written = written.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let patch = json!({"metadata": {"finalizers": ["theirs"], "resourceVersion": "1"}});
        let freed: Vec<&Value> =
            written.iter().filter(|body| body["metadata"]["finalizers"].is_array()).collect();
        assert_eq!(freed, if deleted { vec![&patch] } else { vec![] });
    }
}
