use super::*;
use crate::{
    manifest::{
        Rollout,
        fixture::{self, merge},
    },
    spec::Target,
    write_budget::WriteBudget,
};
use jiff::Timestamp;

fn service(over: &Value) -> Value {
    let mut live = json!({
        "metadata": {"name": "podinfo"}, "spec": {"template": {"spec": {"containers": [{"image": "a"}]}}},
        "status": {"latestCreatedRevisionName": "podinfo-2", "latestReadyRevisionName": "podinfo-2"},
    });
    merge(&mut live, over);
    live
}

fn snapshot() -> Snapshot {
    let spec =
        json!({"targetRef": {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "podinfo"}});
    Snapshot {
        rules: crate::config::Rules::default(),
        canary: std::sync::Arc::new(
            serde_json::from_value(json!({"metadata": {"name": "podinfo"}, "spec": spec})).unwrap(),
        ),
        objects: crate::snapshot::Objects::default(),
        ready: std::collections::BTreeMap::new(),
        ready_since: std::collections::BTreeMap::new(),
        missing_kinds: vec![],
        forbidden_kinds: vec![],
        rivals: vec![],
        neighbours: vec![],
        bystanders: vec![],
        secrets: None,
        templates: std::collections::BTreeMap::new(),
        alert_providers: std::collections::BTreeMap::new(),
        undecodable: std::collections::BTreeMap::new(),
        flagger: None,
        leaving: std::collections::BTreeMap::default(),
        namespace_terminating: false,
        refused: None,
        unkept: None,
        refused_job: None,
        unlisted_kinds: std::collections::BTreeMap::new(),
        stale: vec![],
        writes: WriteBudget::default(),
        pauses: crate::snapshot::Pauses::default(),
        not_followed: vec![],
        edited: None,
        watching_since: Timestamp::MIN,
        records: crate::snapshot::Records::default(),
        conditions: crate::expression::Known::default(),
        heard: std::collections::BTreeMap::new(),
        queued: None,
    }
}

fn promoted_to(name: &str) -> Value {
    let hash = revision::hash(&json!({"revision": name}));
    json!({"metadata": {"annotations": {
        names::ANNOTATION_PRIMARY_REVISION: name, names::ANNOTATION_REVISION: hash,
    }}})
}

#[test]
fn a_revision_is_the_name_that_knative_gave_it() {
    let live = service(&json!({}));
    assert_eq!(*Target::Knative.revision(&live), json!({"revision": "podinfo-2"}));
    let shared = service(&json!({"spec": {"traffic": traffic("podinfo-1", 20), "template": null}}));
    assert_eq!(Target::Knative.revision(&shared), Target::Knative.revision(&live), "ours is no revision");
    let none = service(&json!({"status": {"latestCreatedRevisionName": ""}}));
    assert!(Target::Knative.unfit(&none).is_some() && Target::Knative.unfit(&live).is_none());
}

#[test]
fn a_note_that_was_not_written_by_a_promotion_names_no_primary() {
    let live = service(&promoted_to("podinfo-1"));
    assert_eq!(primary(&live), Some("podinfo-1"));
    let mut astray = live;
    merge(
        &mut astray,
        &json!({"metadata": {"annotations": {names::ANNOTATION_PRIMARY_REVISION: "podinfo-9"}}}),
    );
    assert_eq!((primary(&astray), annotated_revision(&astray)), (None, Some("podinfo-9")));
    let flaggers = json!({"metadata": {"annotations": {names::ANNOTATION_PRIMARY_REVISION: "podinfo-1"}}});
    assert_eq!(primary(&service(&flaggers)), None);
}

#[test]
fn only_our_form_of_traffic_is_shares() {
    let shares_of = |traffic: Value| {
        shares(&service(&json!({"spec": {"traffic": traffic}}))).map(|(n, p)| (n.to_owned(), p))
    };
    assert_eq!(shares_of(traffic("a", 30)), Some(("a".into(), 30)));
    for other in [
        json!(null),
        json!([{"latestRevision": true, "percent": 100}]),
        json!([{"latestRevision": true, "percent": 30}, {"revisionName": "a", "percent": 60}]),
        json!([{"latestRevision": true, "percent": 130}, {"revisionName": "a", "percent": -30}]),
        json!([{"revisionName": "b", "percent": 30}, {"revisionName": "a", "percent": 70}]),
    ] {
        assert_eq!(shares_of(other.clone()), None, "{other}");
    }
}

#[test]
fn a_promotion_moves_the_note_and_what_is_shared_out_in_one_write() {
    let c = fixture::canary(&json!({}));
    let (source, hash) = (source(&service(&json!({}))), "h");
    let fresh = promoted(&c, &service(&json!({})), &source, hash);
    assert!(fresh.body["spec"].is_null(), "nothing is shared out before its revision is ready");
    let live = service(&json!({"spec": {"traffic": traffic("podinfo-1", 20)}}));
    let body = promoted(&c, &live, &source, hash).body;
    assert_eq!(body["spec"], json!({"traffic": traffic("podinfo-2", 20)}));
    let tagged = service(&json!({"spec": {"traffic": traffic_with_tags(
        &json!({"spec": {"traffic": [{"revisionName": "podinfo-0", "tag": "old"}]}}), "podinfo-1", 20,
    )}}));
    let body = promoted(&c, &tagged, &source, hash).body;
    assert_eq!(body["spec"]["traffic"][1]["revisionName"], "podinfo-2");
    assert_eq!(body["spec"]["traffic"][2], json!({"revisionName": "podinfo-0", "tag": "old"}));
    assert_eq!(annotated_revision(&body), Some("podinfo-2"));
}

#[test]
fn ready_is_what_knative_says_is_ready() {
    let mut snap = snapshot();
    let mut look = |live: Value| {
        snap.objects.insert(KNATIVE_SERVICE, live);
        (behind(&snap, "podinfo-primary"), behind(&snap, "podinfo-canary"))
    };
    assert_eq!(look(service(&json!({}))), (0, 1), "no primary yet");
    assert_eq!(look(service(&promoted_to("podinfo-2"))), (1, 1));
    let unready = json!({"status": {"latestReadyRevisionName": "podinfo-1"}});
    let mut live = service(&unready);
    assert_eq!(look(live.clone()), (0, 0));
    merge(&mut live, &promoted_to("podinfo-1"));
    assert_eq!(look(live.clone()), (1, 0), "one that was promoted before has been ready");
    merge(&mut live, &promoted_to("podinfo-2"));
    assert_eq!(look(live), (0, 0), "one that is not ready yet");
}

#[test]
fn why_a_revision_is_not_ready_is_said_in_knatives_words() {
    let conditions = json!([
        {"type": "RoutesReady", "status": "True"},
        {"type": "ConfigurationsReady", "status": "False", "reason": "RevisionFailed", "message": "no such image"},
    ]);
    let live = service(&json!({"status": {"conditions": conditions}}));
    let rollout = Target::Knative.rollout(&live, 0, 100);
    assert_eq!(rollout, Rollout::Waiting { why: "revision podinfo-2 is not ready: no such image".into() });
    let rollout = Target::Knative.rollout(&live, 1, 100);
    assert_eq!(rollout, Rollout::Ready);
}

#[test]
fn a_newest_revision_without_requests_is_held_back_until_a_primary_is_noted() {
    let held = |traffic: Value, annotations: Value| {
        held_back(&json!({
            "metadata": {"annotations": annotations}, "spec": {"traffic": traffic},
            "status": {"latestCreatedRevisionName": "app-2"},
        }))
    };
    let pinned = json!([{"revisionName": "app-1", "percent": 100}]);
    let said = held(pinned.clone(), json!({})).unwrap();
    assert!(said.contains("app-1") && said.contains("flagger.app/primary-revision=app-1"), "{said}");
    let shared = json!([{"latestRevision": true, "percent": 90}, {"revisionName": "app-1", "percent": 10}]);
    assert!(held(shared, json!({})).is_some());
    for traffic in [
        Value::Null,
        json!([{"latestRevision": true, "percent": 100}, {"revisionName": "app-1", "tag": "old"}]),
        json!([{"revisionName": "app-2", "percent": 100}]),
    ] {
        assert_eq!(held(traffic, json!({})), None);
    }
    for noted in [names::ANNOTATION_ORIGINAL, names::ANNOTATION_PRIMARY_REVISION] {
        assert_eq!(held(pinned.clone(), json!({noted: "x"})), None);
    }
}
