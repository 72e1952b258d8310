use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    response::IntoResponse,
};

use super::*;
use crate::{plan::Wake, scope::Scope, snapshot::Evidence};

/// Records requests as `VERB path`, and answers these paths with this status.
struct Server {
    asked: Mutex<Vec<String>>,
    refuses: Vec<(&'static str, u16)>,
}

async fn answer(State(server): State<Arc<Server>>, request: Request) -> impl IntoResponse {
    let path = request.uri().path().to_owned();
    let mut asked = server.asked.lock().unwrap_or_else(PoisonError::into_inner);
    asked.push(format!("{} {path}", request.method()));
    let name = path.trim_end_matches("/status").rsplit('/').next().unwrap_or_default();
    let no = server.refuses.iter().find(|(refused, _)| path.ends_with(refused)).map(|(_, code)| *code);
    let code = no.unwrap_or(200);
    let body = if no.is_some() {
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
            "reason": if code == 409 { "Conflict" } else { "Forbidden" }, "message": "no"})
    } else {
        let status = json!({"epoch": 3, "failedChecks": 0, "canaryWeight": 0, "iterations": 0});
        json!({"apiVersion": "v1", "kind": "X", "status": status, "metadata": {"name": name, "namespace": "n", "resourceVersion": "9"}})
    };
    (StatusCode::from_u16(code).unwrap(), body.to_string())
}

fn canary() -> Canary {
    let spec =
        json!({"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"}, "analysis": {}});
    let meta = json!({"name": "app", "namespace": "n", "resourceVersion": "1"});
    serde_json::from_value(json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": meta, "spec": spec,
    }))
    .unwrap()
}

const RULE: Kind = Kind {
    group: "networking.istio.io",
    version: "v1beta1",
    kind: "DestinationRule",
    plural: "destinationrules",
};
const ROUTE: Kind = Kind { kind: "VirtualService", plural: "virtualservices", ..RULE };

/// A plan that writes the status, patches a DestinationRule and then a VirtualService.
fn plan(urgent: bool) -> Plan {
    let live = json!({"metadata": {"name": "app", "resourceVersion": "3"}});
    let patch =
        |kind| Action::patch(ObjectRef::new(kind, "app"), managers::ROUTE, &live, json!({"spec": {"a": 1}}));
    let status = CanaryStatus { epoch: 3, ..CanaryStatus::default() };
    Plan {
        status: Some(status),
        actions: vec![patch(RULE), patch(ROUTE)],
        notes: vec![],
        urgent,
        judged: None,
        unrecorded: Evidence::default(),
        calls: vec![],
        stopped: None,
        wake: Wake::Now,
    }
}

/// The requests to the API server for a plan that patches a DestinationRule and then a VirtualService, and its result.
async fn carry_out(urgent: bool, refuses: Vec<(&'static str, u16)>) -> (Vec<String>, Carried) {
    let server = Arc::new(Server { asked: Mutex::default(), refuses });
    let service = Router::new().fallback(answer).with_state(server.clone());
    let applier = Applier::new(Client::new(service, "n"), Arc::default());
    let carried = applier.carry_out(&canary(), &plan(urgent)).await;
    let asked = server.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let kinds = asked.iter().filter_map(|line| line.split("/n/").nth(1)).map(str::to_owned).collect();
    (kinds, carried)
}

#[tokio::test]
async fn c16_a_refused_object_does_not_keep_the_route_of_a_rollback_from_being_written() {
    let (asked, carried) = carry_out(true, vec![("destinationrules/app", 403)]).await;
    assert_eq!(asked, ["canaries/app/status", "destinationrules/app", "virtualservices/app"]);
    assert!(carried.decided && carried.failed.is_some());
    let outcomes: Vec<_> = carried.attempts.iter().map(|(_, outcome)| outcome.clone()).collect();
    assert_eq!(
        outcomes,
        [Outcome::Refused("patch DestinationRule app: no".into()), Outcome::Written],
        "each is counted"
    );
}

#[tokio::test]
async fn c16_nor_does_a_conflict_of_the_status() {
    let (asked, carried) = carry_out(true, vec![("status", 409), ("destinationrules/app", 403)]).await;
    assert_eq!(asked, ["canaries/app/status", "destinationrules/app", "virtualservices/app"]);
    assert!(!carried.decided && carried.failed.is_some_and(|error| error.is_conflict()));
}

#[tokio::test]
async fn what_is_not_urgent_stops_at_the_first_write_that_fails() {
    let (asked, carried) = carry_out(false, vec![("destinationrules/app", 403)]).await;
    assert_eq!(asked, ["canaries/app/status", "destinationrules/app"]);
    assert!(carried.decided && carried.failed.is_some());
    let (asked, _) = carry_out(false, vec![("status", 409)]).await;
    assert_eq!(asked, ["canaries/app/status"]);
}

#[tokio::test]
async fn c27_a_deleted_canary_that_does_not_decode_is_let_go() {
    let raw = |deleted: Value, finalizers: Value| json!({"metadata": {"resourceVersion": "3", "deletionTimestamp": deleted, "finalizers": finalizers}});
    let (at, ours) = (json!("2026-01-01T00:00:00Z"), crate::names::FINALIZER);
    assert_eq!(crate::plan::freed(&raw(at.clone(), json!(["x", ours]))), Some(vec!["x".to_owned()]));
    assert_eq!(crate::plan::freed(&raw(at.clone(), json!(["x"]))), None);
    assert_eq!(crate::plan::freed(&raw(Value::Null, json!([ours]))), None);

    let server = Arc::new(Server { asked: Mutex::default(), refuses: vec![] });
    let service = Router::new().fallback(answer).with_state(server.clone());
    let applier = Applier::new(Client::new(service, "n"), Arc::default());
    applier.free(&("n".into(), "app".into()), &raw(at, json!([ours])), &[]).await.unwrap();
    let asked = server.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(asked, ["PATCH /apis/flagger.app/v1beta1/namespaces/n/canaries/app"]);
}

#[tokio::test]
async fn a_namespace_that_is_let_go_gets_no_further_write_of_a_plan_that_is_under_way() {
    for urgent in [true, false] {
        let cache = Arc::new(ObjectCache::of(&Scope::labelled("team=shop").unwrap()));
        cache.choose("n", true);
        let (asked, known) = (Arc::new(AtomicUsize::new(0)), cache.clone());
        let counted = asked.clone();
        let service = Router::new().fallback(move |_: Request| {
            let (counted, known) = (counted.clone(), known.clone());
            async move {
            counted.fetch_add(1, Ordering::SeqCst);
            // the label is removed during the first write
            known.choose("n", false);
            let status = json!({"epoch": 3, "failedChecks": 0, "canaryWeight": 0, "iterations": 0});
            json!({"apiVersion": "v1", "kind": "X", "status": status, "metadata": {"name": "app", "namespace": "n", "resourceVersion": "9"}}).to_string()
        }});
        let applier = Applier::new(Client::new(service, "n"), cache);
        let carried = applier.carry_out(&canary(), &plan(urgent)).await;
        assert_eq!(asked.load(Ordering::SeqCst), 1, "urgent: {urgent}");
        let failed = carried.failed.unwrap();
        assert_eq!(failed.to_string(), "the operator no longer writes in namespace n");
        assert!(carried.decided && failed.is_conflict() && failed.permanent_refusal().is_none());
    }
}

#[test]
fn a_refusal_tells_that_the_namespace_is_being_deleted() {
    let refused = |details: Value| {
        let status = json!({"status": "Failure", "code": 403, "reason": "Forbidden", "message": "no", "details": details});
        let source = Box::new(kube::Error::Api(Box::new(serde_json::from_value(status).unwrap())));
        ApplyError::Refused { verb: CREATE, object: ObjectRef::new(ROUTE, "app"), source }
    };
    let causes = json!({"causes": [{"reason": "NamespaceTerminating", "message": "n", "field": "metadata.namespace"}]});
    assert!(refused(causes).namespace_terminates());
    assert!(!refused(json!({})).namespace_terminates());
}
