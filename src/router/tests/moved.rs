//! Giving a route back does not undo what its owner has changed in the Canary since the takeover.

use std::{cell::RefCell, collections::BTreeMap};

use serde_json::{Value, json};

use super::{
    cases::{Case, cases},
    conformance::{at_apex, canary, marked, sources, write},
    snapshot,
};
use crate::{
    manifest::Undo,
    names,
    router::{Cookies, Split},
    snapshot::Objects,
    spec::Validated,
};

/// An edit of `spec.service` after the takeover, and a field of the route with the value that it has from then on.
type Edit = (Value, &'static str, Value);

fn edits(provider: &str) -> Vec<Edit> {
    let port = json!({"port": 8080});
    match provider {
        "istio" => vec![
            (
                json!({"hosts": ["new.example.com"], "gateways": ["new"]}),
                "/spec/hosts",
                json!(["new.example.com", "podinfo"]),
            ),
            (json!({"hosts": ["new.example.com"], "gateways": ["new"]}), "/spec/gateways", json!(["new"])),
            (json!({"timeout": "5s"}), "/spec/http/0/timeout", json!("5s")),
        ],
        "gatewayapi:v1" | "gatewayapi:v1beta1" => vec![
            (
                json!({"gatewayRefs": [{"name": "new", "namespace": "infra"}]}),
                "/spec/parentRefs/0/name",
                json!("new"),
            ),
            (json!({"hosts": ["new.example.com"]}), "/spec/hostnames", json!(["new.example.com"])),
            (port, "/spec/rules/0/backendRefs/0/port", json!(8080)),
        ],
        "contour" => vec![
            (port, "/spec/routes/0/services/0/port", json!(8080)),
            (json!({"timeout": "5s"}), "/spec/routes/0/timeoutPolicy/response", json!("5s")),
        ],
        "traefik" => vec![(port, "/spec/weighted/services/0/port", json!(8080))],
        "gloo" => {
            vec![(port, "/spec/routes/0/routeAction/multi/destinations/0/destination/kube/port", json!(8080))]
        }
        "kuma" => vec![(port, "/spec/to/0/targetRef/name", json!("podinfo_test_svc_8080"))],
        "linkerd" => vec![(json!({"hosts": ["web.test"]}), "/spec/service", json!("web"))],
        other => panic!("{other} has no edit"),
    }
}

fn taking_over() -> impl Iterator<Item = Case> {
    cases().into_iter().filter(|case| !case.theirs.is_null())
}

fn theirs(case: &Case, c: &Validated) -> Value {
    let at = case.router().reads(c).remove(0);
    json!({
        "apiVersion": at.kind.api_version(), "kind": at.kind.kind, "metadata": {"name": at.name, "uid": "u"},
        "spec": at_apex(c, &case.theirs),
    })
}

/// The route that is taken over by one Canary and given back by the same one after an edit. `noted` changes the record
/// of the takeover.
fn given_back(case: &Case, before: &Validated, after: &Validated, noted: impl Fn(&mut Value)) -> Value {
    let (router, mut live) = (case.router(), sources(case));
    let at = router.reads(before).remove(0);
    live.insert(at.kind, theirs(case, before));
    let led = |c: &Validated, live: &mut Objects, weight| {
        let made = router.render(c, live, Split::to_canary(weight), &Cookies::default()).unwrap();
        write(live, &made);
    };
    led(before, &mut live, 0);
    let mut object = live.at(&at).cloned().unwrap();
    let text = object["metadata"]["annotations"][names::ANNOTATION_ORIGINAL].as_str().unwrap();
    let mut record: Value = serde_json::from_str(text).unwrap();
    noted(&mut record);
    object["metadata"]["annotations"][names::ANNOTATION_ORIGINAL] = json!(record.to_string());
    live.insert(at.kind, object);
    led(before, &mut live, 20);
    led(after, &mut live, 0);
    for undo in router.restore(after, &live) {
        if let Undo::Restore(back) = undo {
            write(&mut live, &[back]);
        }
    }
    live.at(&at).cloned().unwrap()
}

fn earlier(record: &mut Value) {
    record.as_object_mut().unwrap().remove("asked");
}

#[test]
fn what_has_moved_on_since_the_takeover_stays_where_it_is() {
    for case in taking_over() {
        let before = canary(&case, &[], &[]);
        for (edit, field, value) in edits(case.provider) {
            let back = given_back(&case, &before, &canary(&case, &[&edit], &[]), |_| {});
            assert_eq!(back.pointer(field), Some(&value), "{}: {back}", case.provider);
            let text = back.to_string();
            assert!(!text.contains("-primary") && !text.contains("serin.dev"), "{}: {text}", case.provider);
            for kept in marked(&case.theirs) {
                assert!(text.contains(&kept), "{}: {kept} is lost: {text}", case.provider);
            }
        }
    }
}

/// With another digest every route that was taken over before counts as changed since, and is not given back as it was:
/// a change of the default object of a router needs a way to read the former digests.
#[test]
fn records_are_read_by_later_versions() {
    let records: BTreeMap<&str, Value> = taking_over()
        .map(|case| {
            let (before, asked) = (canary(&case, &[], &[]), RefCell::new(Value::Null));
            given_back(&case, &before, &before, |record| *asked.borrow_mut() = record["asked"].clone());
            (case.provider, asked.into_inner())
        })
        .collect();
    snapshot("asked_at_a_takeover", &json!(records));
}

#[test]
fn what_has_not_moved_is_as_it_was() {
    for case in taking_over() {
        let (before, mut was) = (canary(&case, &[], &[]), given_back_spec(&case));
        let hosts = json!({"hosts": ["podinfo", "podinfo.test", "new.example.com"]});
        let (after, field) = match case.provider {
            "istio" => (canary(&case, &[&hosts], &[]), "hosts"),
            "gatewayapi:v1" => {
                let both = json!({"gatewayRefs": [{"name": "gw", "namespace": "infra"}, {"name": "new"}]});
                (canary(&case, &[&both], &[]), "parentRefs")
            }
            _ => (canary(&case, &[], &[]), ""),
        };
        let mut back = given_back(&case, &before, &after, |_| {})["spec"].clone();
        if !field.is_empty() {
            assert_ne!(back[field], was[field], "{}", case.provider);
            (back[field], was[field]) = (Value::Null, Value::Null);
        }
        assert_eq!(back, was, "{}", case.provider);
    }
}

fn given_back_spec(case: &Case) -> Value {
    at_apex(&canary(case, &[], &[]), &case.theirs)
}

/// A record of an earlier version does not say what the Canary asked for then. It counts whatever this version takes over,
/// unless its hosts, parents or port are no longer there.
#[test]
fn an_earlier_record_counts_for_as_long_as_the_canary_names_all_of_it() {
    for case in taking_over() {
        let before = canary(&case, &[], &[]);
        let back = given_back(&case, &before, &before, earlier);
        assert_eq!(back["spec"], given_back_spec(&case), "{}", case.provider);
        for (edit, field, value) in edits(case.provider) {
            let after = canary(&case, &[&edit], &[]);
            let back = given_back(&case, &before, &after, earlier);
            if ["/spec/hosts", "/spec/hostnames"].contains(&field) {
                // an added one is not noticed
                continue;
            }
            let lost = ["gateways", "parentRefs"].iter().any(|one| field.contains(one));
            if lost || value == 8080 {
                assert_eq!(back.pointer(field), Some(&value), "{}: {back}", case.provider);
            } else {
                assert_eq!(back["spec"], given_back_spec(&case), "{}", case.provider);
            }
        }
    }
}

/// Earlier versions took routes over that serve some requests only: they are given back as they were.
#[test]
fn an_earlier_record_of_a_narrower_route_is_given_back() {
    for (provider, field, narrow) in [
        ("gatewayapi:v1", "/rules/0/matches", json!([{"path": {"type": "PathPrefix", "value": "/api"}}])),
        ("istio", "/http/0/match", json!([{"uri": {"prefix": "/api"}}])),
    ] {
        let mut case = taking_over().find(|case| case.provider == provider).unwrap();
        let (rule, member) = field.rsplit_once('/').unwrap();
        case.theirs.pointer_mut(rule).unwrap()[member] = narrow.clone();
        let c = canary(&case, &[], &[]);
        assert!(case.router().takeover_conflict(&c, &theirs(&case, &c)).is_some(), "{provider}");
        let back = given_back(&case, &c, &c, earlier);
        assert_eq!(back["spec"].pointer(field), Some(&narrow), "{provider}: {back}");
    }
}
