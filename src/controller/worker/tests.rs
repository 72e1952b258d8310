use std::{
    collections::BTreeSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use futures::{FutureExt as _, stream};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::{
    api::{CanaryStatus, Phase},
    config::{Rules, RunLimits},
    controller::{
        dropped_status::DroppedStatus,
        lanes::{Class, Lane, Rank},
    },
    names,
    plan::Note,
    scope::Scope,
    snapshot::{CANARY, CONFIG_MAP, DEPLOYMENT, ENDPOINTS, Evidence, Kind, ObjectRef},
};

/// A worker without flags, on an API server that refuses everything.
fn refused() -> Worker {
    let no = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "message": "no",
        "reason": "Forbidden"});
    worker(Router::new().fallback(move || async move { (StatusCode::FORBIDDEN, no.to_string()) }))
}

/// A worker on an API server that accepts every write, and the bodies of these writes.
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
        scope: Scope::All,
        max_runs: RunLimits::default(),
        lease_namespace: "n".into(),
        election: None,
        port: 0,
        metrics_auth: false,
        log_filter: "info".into(),
        event_webhook: None,
        log_json: false,
        quote_answers: true,
        proxies: crate::proxies::Proxies::default(),
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
    let mut slot = worker.turn(&key, &start()).await.unwrap();
    let Ok(snap) = worker.observe(&key, now, &mut slot).await else { panic!("no snapshot") };
    let asked = worker.ask(&key, &snap, questions, now, &mut slot).await.unwrap();
    assert!(asked.answers.configs[&at].is_err());
    let decided = asked.decided_at(now);
    let Ok(snap) = worker.observe(&key, decided, &mut slot).await else { panic!("no snapshot") };
    let until = snap.pauses.contents;
    assert!(until.is_some_and(|until| until > decided), "{until:?} at {decided}");
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

/// The work on a Canary that is due now.
fn start() -> Start {
    Start::at(Instant::now())
}

/// The end of a run that has failed.
fn failed(urgent: bool) -> Plan {
    Plan {
        status: Some(CanaryStatus { phase: Some(Phase::Failed), ..CanaryStatus::default() }),
        actions: vec![],
        notes: vec![],
        urgent,
        judged: None,
        unrecorded: Evidence::default(),
        calls: vec![],
        stopped: None,
        wake: Wake::OnChange,
    }
}

/// A Canary during a run, with all its objects visible.
fn running(worker: &Worker, analysis: &Value) -> Key {
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
    key
}

/// Makes the worker write a status in which the run of such a Canary has failed, `times` times.
async fn fails(worker: &Worker, analysis: &Value, times: usize) -> Vec<String> {
    let key = running(worker, analysis);
    let mut slot = worker.turn(&key, &start()).await.unwrap();
    let Ok(snap) = worker.observe(&key, clock::now(), &mut slot).await else { panic!("no snapshot") };
    for _ in 0..times {
        worker.carry_out(&key, &snap, &failed(false), None).await.ok();
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
        let mut slot = worker.turn(&key, &start()).await.unwrap();
        assert!(Box::pin(worker.pass(&key, None, &mut slot)).await.is_err());
        let written = written.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let patch = json!({"metadata": {"finalizers": ["theirs"], "resourceVersion": "1"}});
        let freed: Vec<&Value> =
            written.iter().filter(|body| body["metadata"]["finalizers"].is_array()).collect();
        assert_eq!(freed, if deleted { vec![&patch] } else { vec![] });
    }
}

/// The answer to the write is nested as deeply as the Canary.
#[tokio::test]
async fn f26_a_deleted_canary_that_is_nested_too_deeply_is_let_go() {
    let key = ("n".to_owned(), "app".to_owned());
    for deleted in [false, true] {
        let patched = Arc::new(AtomicUsize::new(0));
        let count = patched.clone();
        let worker = worker(Router::new().fallback(move |uri: Uri| {
            let ours = uri.path().ends_with("/canaries/app");
            count.fetch_add(usize::from(ours), Ordering::SeqCst);
            async move { format!("{}{}", "[".repeat(9000), "]".repeat(9000)) }
        }));
        let mut content = canary(&json!({"stepWeight": 10}), &CanaryStatus::default());
        content["metadata"]["finalizers"] = json!([names::FINALIZER]);
        if deleted {
            content["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
        worker.cache.set_crds(BTreeSet::new());
        worker.cache.insert_undecodable(CANARY, key.clone(), 1, content, "spec is too deep".into());
        let mut slot = worker.turn(&key, &start()).await.unwrap();
        let ended = Box::pin(worker.pass(&key, None, &mut slot)).await;
        assert!(
            matches!(ended, Err((_, Again::OnChange))),
            "the write is done, whatever its answer looks like"
        );
        assert_eq!(patched.load(Ordering::SeqCst), usize::from(deleted));
        let counted = worker.metrics.exposition();
        assert!(counted.contains("serin_undecodable_objects{kind=\"Canary\"} 1"), "{counted}");
    }
}

#[tokio::test]
async fn f1_a_canary_waits_for_an_object_that_does_not_decode() {
    let (worker, written) = accepted();
    let key = ("n".to_owned(), "app".to_owned());
    worker.cache.set_crds(BTreeSet::new());
    worker.cache.insert(CANARY, canary(&json!({"stepWeight": 10}), &CanaryStatus::default()));
    worker.cache.insert_undecodable(DEPLOYMENT, key.clone(), 1, json!({}), "spec is too deep".into());
    let mut slot = worker.turn(&key, &start()).await.unwrap();
    assert!(matches!(Box::pin(worker.pass(&key, None, &mut slot)).await, Err((_, Again::OnChange))));
    let written = written.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(written.iter().all(|body| body["spec"].is_null() && body["status"].is_null()), "{written:?}");
    assert!(!worker.metrics.exposition().contains("serin_undecodable_objects{kind=\"Canary\"} 1"));
}

/// An API server whose definition of Canaries may keep only some fields of the status.
struct Forgetful {
    /// None: all.
    keeps: Mutex<Option<Vec<&'static str>>>,
    canary: Mutex<Value>,
    /// The last part of each written path, except for Events.
    written: Mutex<Vec<String>>,
    /// How often it was asked what it would keep.
    tried: AtomicUsize,
}

impl Forgetful {
    fn answer(&self, uri: &Uri, body: &[u8]) -> String {
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut canary = locked(&self.canary);
        let mut answer = canary.clone();
        for (field, value) in sent["status"].as_object().into_iter().flatten() {
            if locked(&self.keeps).as_ref().is_none_or(|keeps| keeps.contains(&field.as_str())) {
                answer["status"][field] = value.clone();
            }
        }
        if uri.query().unwrap_or_default().contains("dryRun") {
            self.tried.fetch_add(1, Ordering::Relaxed);
        } else if !uri.path().ends_with("/events") {
            let path = uri.path().rsplit('/').next().unwrap_or_default();
            locked(&self.written).push(path.to_owned());
            canary.clone_from(&answer);
        }
        answer.to_string()
    }

    fn served(self: &Arc<Self>) -> Router {
        let this = self.clone();
        Router::new().fallback(move |uri: Uri, body: Bytes| async move { this.answer(&uri, &body) })
    }
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An application with a Canary that has never been processed.
fn fresh(worker: &Worker) -> Value {
    let router = crate::router::by_name("istio").unwrap();
    worker.cache.set_crds(router.kinds().iter().map(Kind::crd).collect());
    for kind in observe::mandatory(&Rules::default()).into_iter().chain(router.kinds().iter().copied()) {
        worker.cache.listed(kind, &BTreeSet::new());
    }
    let pods = json!({"metadata": {"labels": {"app": "app"}}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}});
    worker.cache.insert(
        DEPLOYMENT,
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "app", "namespace": "n", "resourceVersion": "1", "uid": "u"},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "app"}}, "template": pods},
        }),
    );
    let mut canary = canary(&json!({"stepWeight": 10, "maxWeight": 50}), &CanaryStatus::default());
    canary["metadata"]["generation"] = json!(2);
    worker.cache.insert(CANARY, canary.clone());
    canary
}

#[tokio::test]
async fn what_a_definition_drops_is_not_acted_on_until_it_keeps_it() {
    let api = Arc::new(Forgetful {
        keeps: Mutex::new(Some(vec!["phase", "conditions", "lastTransitionTime"])),
        canary: Mutex::default(),
        written: Mutex::default(),
        tried: AtomicUsize::default(),
    });
    rustls::crypto::ring::default_provider().install_default().ok();
    let worker = worker(api.served());
    *locked(&api.canary) = fresh(&worker);
    let key = ("n".to_owned(), "app".to_owned());
    let again = async || {
        worker.work(key.clone(), start()).await;
        worker.states.of(&key, |state| state.unkept.iter_mut().for_each(DroppedStatus::due));
    };
    for _ in 0..6 {
        again().await;
    }
    let accepted = || {
        let status = locked(&api.canary)["status"].clone();
        let status: CanaryStatus = serde_json::from_value(status).unwrap_or_default();
        let found = status.conditions.into_iter().find(|condition| condition.type_ == "Accepted");
        found.map(|found| (found.status, found.message)).unwrap_or_default()
    };
    let (status, message) = accepted();
    assert_eq!(status, "False");
    assert!(message.contains("drops status.observedGeneration: apply the one that"), "{message}");
    assert_eq!(*locked(&api.written), ["status", "status"], "nothing is made, and it is said once");
    assert_eq!(api.tried.load(Ordering::Relaxed), 5);

    *locked(&api.keeps) = None;
    again().await;
    assert_eq!(accepted().0, "True");
    assert_eq!(locked(&api.written).get(2..4), Some(&["status".to_owned(), "app".to_owned()][..]));
}

#[tokio::test]
async fn waiting_for_an_answer_keeps_no_other_from_deciding() {
    let worker = worker(Router::new().fallback(std::future::pending::<StatusCode>));
    let key = running(&worker, &json!({"stepWeight": 10}));
    let mut slot = worker.turn(&key, &start()).await.unwrap();
    let Ok(snap) = worker.observe(&key, clock::now(), &mut slot).await else { panic!("no snapshot") };
    let questions =
        vec![Question::Config { namespace: "n".into(), at: ObjectRef::new(CONFIG_MAP, "settings") }];
    let asked = worker.ask(&key, &snap, questions, clock::now(), &mut slot);
    let rank = Rank { class: Class::Other, due: Instant::now() };
    let deciding = async {
        let mut all = vec![];
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            all.push(worker.lanes.decide.enter("m", rank).await);
        }
    };
    tokio::select! { biased; _ = asked => panic!("there is no answer"), () = deciding => {} }
}

/// All permits that tasks of this class can get, for the namespace `n`.
fn taken(lane: &Lane, class: Class) -> Vec<Permit> {
    let rank = Rank { class, due: Instant::now() };
    std::iter::from_fn(|| lane.enter("n", rank).now_or_never()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_rollback_is_written_though_its_namespace_has_its_share_of_writes() {
    let (worker, _) = accepted();
    let key = running(&worker, &json!({"stepWeight": 10}));
    let mut held = taken(&worker.lanes.write, Class::Due);
    let mut slot = worker.turn(&key, &start()).await.unwrap();
    let Ok(snap) = worker.observe(&key, clock::now(), &mut slot).await else { panic!("no snapshot") };
    let (other, urgent) = (failed(false), failed(true));
    assert!(
        worker.writes(&key, &snap, &other, &mut slot).now_or_never().is_none(),
        "{} are under way",
        held.len()
    );
    assert_eq!(worker.writes(&key, &snap, &urgent, &mut slot).await, Some(Entry::Write));
    slot.writes = None;
    held.pop();
    assert_eq!(worker.writes(&key, &snap, &other, &mut slot).await, Some(Entry::Write));
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_decided_again_unless_it_has_waited_briefly_or_takes_users_off_a_version() {
    let (worker, _) = accepted();
    let key = running(&worker, &json!({"stepWeight": 10}));
    let mut slot = worker.turn(&key, &start()).await.unwrap();
    let Ok(snap) = worker.observe(&key, clock::now(), &mut slot).await else { panic!("no snapshot") };
    for (millis, urgent, then) in
        [(100, false, Entry::Write), (300, false, Entry::Decide), (30_000, true, Entry::Write)]
    {
        let others = if urgent { Class::Pressing } else { Class::Due };
        let mut held = taken(&worker.lanes.write, others);
        let plan = failed(urgent);
        {
            let mut waits = std::pin::pin!(worker.writes(&key, &snap, &plan, &mut slot));
            assert!(waits.as_mut().now_or_never().is_none());
            tokio::time::advance(Duration::from_millis(millis)).await;
            held.pop();
            assert_eq!(waits.await, Some(then), "{millis} ms");
        }
        assert!(slot.writes.take().is_some(), "the permit stays for what is decided");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waited_to_be_written_is_decided_again_and_then_waits_for_no_other() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let (worker, written) = accepted();
    let mut canary = fresh(&worker);
    let key = ("n".to_owned(), "app".to_owned());
    let mut held = taken(&worker.lanes.write, Class::Due);
    let mut slot = worker.turn(&key, &start()).await.unwrap();
    let pass = {
        let mut waits = Box::pin(worker.pass(&key, None, &mut slot));
        // it queries first
        while worker.lanes.write.waiting() == 0 {
            assert!(waits.as_mut().now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        tokio::time::advance(Duration::from_secs(30)).await;
        canary["metadata"]["generation"] = json!(3);
        canary["metadata"]["resourceVersion"] = json!("2");
        canary["spec"]["analysis"]["maxWeight"] = json!(20);
        worker.cache.insert(CANARY, canary);
        held.pop();
        waits.await
    };
    let Ok(Pass { wrote: false, next: Next::Again(asked) }) = pass else { panic!("it was carried out") };
    assert_eq!(*locked(&written), [Value::Null; 0], "it was decided before the edit");

    assert!(taken(&worker.lanes.write, Class::Due).is_empty(), "its permit is its own");
    assert!(Box::pin(worker.pass(&key, asked, &mut slot)).await.is_ok_and(|pass| pass.wrote));
    let generations: Vec<i64> =
        locked(&written).iter().filter_map(|body| body["status"]["observedGeneration"].as_i64()).collect();
    assert_eq!(generations, [3]);
    assert_eq!(taken(&worker.lanes.write, Class::Due).len(), 1);
}

/// Somebody asks for the end of the run of such a Canary.
fn abort(worker: &Worker) {
    let mut aborted = (*worker.cache.get(CANARY, "n", "app").unwrap()).clone();
    aborted["metadata"]["resourceVersion"] = json!("2");
    aborted["metadata"]["annotations"] = json!({names::ANNOTATION_REQUEST: "abort/1"});
    worker.cache.insert(CANARY, aborted);
}

#[tokio::test(start_paused = true)]
async fn an_abort_is_seen_while_the_canary_waits_to_query_and_to_write() {
    let (worker, _) = accepted();
    let key = running(&worker, &json!({"stepWeight": 10}));
    let _held = [taken(&worker.lanes.ask, Class::Due), taken(&worker.lanes.write, Class::Pressing)];
    let (mut queries, mut writes) =
        (worker.turn(&key, &start()).await.unwrap(), worker.turn(&key, &start()).await.unwrap());
    let Ok(snap) = worker.observe(&key, clock::now(), &mut queries).await else { panic!("no snapshot") };
    let settings = ObjectRef::new(CONFIG_MAP, "settings");
    let questions = vec![Question::Config { namespace: "n".into(), at: settings }];
    let (triggered, plan) = ([queries.start.clone(), writes.start.clone()], failed(false));
    {
        let mut asked = std::pin::pin!(worker.ask(&key, &snap, questions, clock::now(), &mut queries));
        let mut carried = std::pin::pin!(worker.writes(&key, &snap, &plan, &mut writes));
        assert!(asked.as_mut().now_or_never().is_none() && carried.as_mut().now_or_never().is_none());
        abort(&worker);
        triggered.iter().for_each(Start::trigger);
        assert!(asked.as_mut().now_or_never().is_none() && carried.as_mut().now_or_never().is_none());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(asked.as_mut().now_or_never().is_some_and(|asked| asked.is_none()));
        assert_eq!(carried.as_mut().now_or_never(), Some(Some(Entry::Decide)));
    }
    assert_eq!([queries.rank.class, writes.rank.class], [Class::Pressing; 2]);
}

#[tokio::test(start_paused = true)]
async fn answers_are_not_awaited_once_their_questions_have_changed() {
    let worker = worker(Router::new().fallback(std::future::pending::<StatusCode>));
    let key = running(&worker, &json!({"stepWeight": 10}));
    let now = clock::now();
    let mut slot = worker.turn(&key, &start()).await.unwrap();
    let Ok(snap) = worker.observe(&key, now, &mut slot).await else { panic!("no snapshot") };
    slot.pause();
    let start = slot.start.clone();
    {
        let mut same = std::pin::pin!(worker.overtaken(&key, &snap, (&[], now), &mut slot));
        for _ in 0..3 {
            start.trigger();
            assert!(same.as_mut().now_or_never().is_none());
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(same.as_mut().now_or_never().is_none(), "nothing else would be asked");
    }
    let at = ObjectRef::new(CONFIG_MAP, "settings");
    let others = vec![Question::Config { namespace: "n".into(), at }];
    {
        let mut asked = std::pin::pin!(worker.ask(&key, &snap, others, now, &mut slot));
        assert!(asked.as_mut().now_or_never().is_none());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(asked.as_mut().now_or_never().is_none(), "nothing has happened");
        start.trigger();
        assert!(asked.as_mut().now_or_never().is_some_and(|asked| asked.is_none()));
    }
    let free = Rank { class: Class::Due, due: Instant::now() };
    assert_eq!(taken(&worker.lanes.ask, Class::Due).len(), 64);
    drop(worker.lanes.ask.enter("n", free).await);
}

#[tokio::test]
async fn one_of_a_namespace_that_is_not_seen_leaves_its_turn_to_others() {
    let mut worker = refused();
    worker.cache = Arc::new(ObjectCache::of(&Scope::named("n,shop").unwrap()));
    worker.runs = Runs::new(RunLimits { all: Some(1), namespace: None });
    worker.cache.set_crds(BTreeSet::new());
    let (key, other) = (("n".to_owned(), "app".to_owned()), ("shop".to_owned(), "app".to_owned()));
    worker.cache.insert(CANARY, canary(&json!({"stepWeight": 10}), &CanaryStatus::default()));
    for watched in
        observe::mandatory(&Rules::default()).into_iter().flat_map(|kind| worker.cache.watches(kind))
    {
        if (watched.kind, watched.namespace.as_deref()) != (ENDPOINTS, Some("n")) {
            worker.cache.listed(watched, &BTreeSet::from([key.clone()]));
        }
    }
    worker.runs.resume(vec![], vec![(key.clone(), Timestamp::UNIX_EPOCH)]);
    worker.runs.begin(&other, clock::now()).unwrap_err();
    let mut slot = worker.turn(&key, &start()).await.unwrap();
    let ended = Box::pin(worker.pass(&key, None, &mut slot)).await;
    assert!(matches!(ended, Err((_, Again::After(_)))));
    worker.runs.begin(&other, clock::now()).unwrap();

    // also if it had begun to take its turn
    worker.runs.note(&other, false, false);
    worker.runs.begin(&key, clock::now()).unwrap();
    assert!(worker.observe(&key, clock::now(), &mut slot).await.is_err());
    worker.runs.begin(&other, clock::now()).unwrap();
}

#[tokio::test]
async fn at_the_end_what_waits_for_its_turn_does_nothing() {
    let (worker, _) = accepted();
    let key = running(&worker, &json!({"stepWeight": 10}));
    let mut slot = worker.turn(&key, &start()).await.unwrap();
    let Ok(snap) = worker.observe(&key, clock::now(), &mut slot).await else { panic!("no snapshot") };
    slot.pause();
    let _held = [&worker.lanes.write, &worker.lanes.decide].map(|lane| taken(lane, Class::Pressing));
    worker.stop.cancel();
    assert_eq!(worker.writes(&key, &snap, &failed(true), &mut slot).await, None);
    assert!(worker.turn(&key, &start()).await.is_none());
}

#[tokio::test]
async fn an_abort_goes_before_those_that_have_waited_for_longer() {
    let (worker, _) = accepted();
    let key = running(&worker, &json!({"stepWeight": 10}));
    let mut held = vec![];
    for _ in 0..std::thread::available_parallelism().unwrap().get() {
        held.push(worker.lanes.decide.enter("m", Rank { class: Class::Other, due: Instant::now() }).await);
    }
    let (earlier, due) = (Instant::now().checked_sub(Duration::from_secs(20)).unwrap(), start());
    let others = worker.lanes.decide.enter("m", Rank { class: Class::Due, due: earlier });
    let ours = worker.turn(&key, &due);
    tokio::pin!(others, ours);
    assert!(others.as_mut().now_or_never().is_none() && ours.as_mut().now_or_never().is_none());
    abort(&worker);
    due.trigger();
    assert!(ours.as_mut().now_or_never().is_none());
    held.pop();
    assert!(others.as_mut().now_or_never().is_none());
    assert!(ours.as_mut().now_or_never().flatten().is_some());
}

/// What becomes of the first write of a status.
#[derive(Clone, Copy)]
struct First {
    /// It takes effect.
    applies: bool,
    /// Status of the answer; none: the connection ends before there is one.
    answer: Option<u16>,
}

/// An API server that stores a Canary.
struct Unreliable {
    first: First,
    canary: Mutex<Value>,
    /// Writes of the status.
    tried: AtomicUsize,
    /// Reasons of the Events.
    events: mpsc::UnboundedSender<String>,
}

impl Unreliable {
    fn answer(&self, uri: &Uri, body: &[u8]) -> Response {
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        if uri.path().ends_with("/events") {
            self.events.send(sent["reason"].as_str().unwrap_or_default().to_owned()).ok();
            return sent.to_string().into_response();
        }
        let mut canary = locked(&self.canary);
        let refused = |code: u16| {
            let reason = if code == 409 { "Conflict" } else { "Timeout" };
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason});
            (StatusCode::from_u16(code).unwrap(), status.to_string()).into_response()
        };
        let first = self.tried.fetch_add(1, Ordering::SeqCst) == 0;
        if sent["metadata"]["resourceVersion"] != canary["metadata"]["resourceVersion"] {
            return refused(409);
        }
        if !first || self.first.applies {
            for (field, value) in sent["status"].as_object().into_iter().flatten() {
                canary["status"][field] = value.clone();
            }
            canary["metadata"]["resourceVersion"] = json!("2");
        }
        match self.first.answer.filter(|_| first) {
            Some(code) => refused(code),
            None if first => Body::from_stream(stream::iter([
                Ok(Bytes::from_static(b"{")),
                Err(std::io::Error::other("the connection is gone")),
            ]))
            .into_response(),
            None => canary.to_string().into_response(),
        }
    }
}

/// The Events about a run whose failure is written like this, until a last one, and the count of failures. `again`: the
/// same decision is written once more before the Canary is seen again. `seen`: how it is seen then.
async fn unanswered(first: First, again: bool, seen: impl FnOnce(&mut Value)) -> (Vec<String>, Vec<String>) {
    let (events, mut told) = mpsc::unbounded_channel();
    let api = Arc::new(Unreliable { first, canary: Mutex::default(), tried: AtomicUsize::default(), events });
    let served = api.clone();
    let worker = worker(
        Router::new().fallback(move |uri: Uri, body: Bytes| async move { served.answer(&uri, &body) }),
    );
    let key = running(&worker, &json!({"stepWeight": 10}));
    *locked(&api.canary) = (*worker.cache.get(CANARY, "n", "app").unwrap()).clone();
    let mut slot = worker.turn(&key, &start()).await.unwrap();
    let plan = Plan { notes: vec![Note::warning("RollingBack", "too many failed checks")], ..failed(false) };
    for _ in 0..=usize::from(again) {
        let Ok(snap) = worker.observe(&key, clock::now(), &mut slot).await else { panic!("no snapshot") };
        worker.carry_out(&key, &snap, &plan, None).await.ok();
    }
    let mut stored = locked(&api.canary).clone();
    seen(&mut stored);
    worker.cache.insert(CANARY, stored);
    for _ in 0..2 {
        worker.observe(&key, clock::now(), &mut slot).await.ok();
    }
    let Ok(snap) = worker.observe(&key, clock::now(), &mut slot).await else { panic!("no snapshot") };
    worker.events.publish(&snap.canary, &Note::normal("Last", "no more"));
    let mut reasons = vec![];
    while reasons.last().is_none_or(|reason| reason != "Last") {
        reasons.push(told.recv().await.unwrap());
    }
    let text = worker.metrics.exposition();
    let counted = text.lines().filter(|line| line.starts_with("flagger_canary_failures_total{"));
    (reasons, counted.filter_map(|line| Some(line.rsplit_once(' ')?.1.to_owned())).collect())
}

#[tokio::test]
async fn a_decision_that_was_written_without_an_answer_is_told_once_it_is_seen() {
    for answer in [None, Some(504)] {
        for again in [false, true] {
            let (told, counted) = unanswered(First { applies: true, answer }, again, |_| ()).await;
            assert_eq!(told, ["RollingBack", "Last"], "{answer:?}, again: {again}");
            assert_eq!(counted, ["1"], "{answer:?}, again: {again}");
        }
    }
}

#[tokio::test]
async fn a_decision_that_was_not_written_is_not_told() {
    let changed = |canary: &mut Value| canary["metadata"]["resourceVersion"] = json!("2");
    for answer in [None, Some(504)] {
        let (told, counted) = unanswered(First { applies: false, answer }, false, changed).await;
        assert_eq!(told, ["Last"], "{answer:?}");
        assert!(counted.is_empty(), "{answer:?}: {counted:?}");
    }
}

#[tokio::test]
async fn a_decision_that_was_not_written_at_first_is_told_once() {
    for answer in [None, Some(504)] {
        let (told, counted) = unanswered(First { applies: false, answer }, true, |_| ()).await;
        assert_eq!(told, ["RollingBack", "Last"], "{answer:?}");
        assert_eq!(counted, ["1"], "{answer:?}");
    }
}

#[tokio::test]
async fn the_weight_of_an_ab_test_is_that_of_the_requests_that_it_names() {
    let worker = accepted().0;
    let named = json!([{"headers": {"x": {"exact": "y"}}}]);
    let key = running(&worker, &json!({"iterations": 5, "match": named}));
    let kinds = crate::router::by_name("istio").unwrap().kinds();
    let kind = kinds.iter().find(|kind| kind.kind == "VirtualService").unwrap();
    let to = |host: &str, weight: u32| json!({"destination": {"host": host}, "weight": weight});
    let plan = Plan { status: None, ..failed(false) };
    for (version, weight) in [("1", 0), ("2", 100)] {
        let split = [to("app-primary", 100 - weight), to("app-canary", weight)];
        worker.cache.insert(
            *kind,
            json!({
                "apiVersion": kind.api_version(), "kind": kind.kind,
                "metadata": {"name": "app", "namespace": "n", "resourceVersion": version},
                "spec": {"hosts": ["app"], "http": [
                    {"match": named, "route": split}, {"route": [to("app-primary", 100)]},
                ]},
            }),
        );
        let mut slot = worker.turn(&key, &start()).await.unwrap();
        let Ok(snap) = worker.observe(&key, clock::now(), &mut slot).await else { panic!("no snapshot") };
        worker.carry_out(&key, &snap, &plan, None).await.unwrap();
        let text = worker.metrics.exposition();
        let shown = text.lines().filter(|line| line.starts_with("flagger_canary_weight{"));
        let mut shown: Vec<(bool, &str)> =
            shown.filter_map(|line| Some((line.contains("primary"), line.rsplit_once(' ')?.1))).collect();
        shown.sort_unstable();
        assert_eq!(shown, [(false, &*weight.to_string()), (true, &*(100 - weight).to_string())]);
    }
}
