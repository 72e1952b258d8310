use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    manifest::{
        Manifest,
        fixture::{self, merge},
        patch,
    },
    router::{Cookies, Router, istio::Istio, split::Split, virtual_service::VIRTUAL_SERVICE},
    snapshot::Objects,
    spec::Validated,
};

fn canary(route: Option<&str>) -> Validated {
    let mut c = fixture::canary(&json!({}));
    let mut reference =
        json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "name": "shop"});
    if let Some(route) = route {
        reference["route"] = json!(route);
    }
    c.spec.route_ref = serde_json::from_value(reference).unwrap();
    c
}

fn to(host: &str) -> Value {
    json!({"destination": {"host": host, "port": {"number": 80}}, "headers": {"request": {"set": {"a": "b"}}}})
}

/// A VirtualService of the user's whose second route is ours.
fn users(destinations: &Value) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1beta1", "kind": "VirtualService",
        "metadata": {"name": "shop", "labels": {"a": "b"}, "annotations": {"c": "d"}},
        "spec": {
            "hosts": ["shop.example.com"], "gateways": ["public"], "tls": [{"odd": 1.5}],
            "http": [
                {"name": "admin", "match": [{"uri": {"prefix": "/admin"}}], "route": [{"destination": {"host": "admin"}}]},
                {"name": "primary", "timeout": "5s", "mirrors": [], "route": destinations},
                {"redirect": {"uri": "/"}},
            ],
        },
    })
}

fn holding(object: &Value) -> Objects {
    let mut live = Objects::default();
    live.insert(VIRTUAL_SERVICE, object.clone());
    live
}

/// The object after a write.
fn written(live: &Value, manifest: &Manifest) -> Value {
    let mut after = live.clone();
    if let Some(patch) = patch(live, manifest) {
        merge(&mut after, &patch);
    }
    after
}

fn carrying(c: &Validated, live: &Value, canary: i32) -> Value {
    let made = Istio.render(c, &holding(live), Split::to_canary(canary), &Cookies::default()).unwrap();
    assert_eq!(made.len(), 1);
    written(live, &made[0])
}

fn given_back(c: &Validated, live: &Value) -> Value {
    let undo = Istio.restore(c, &holding(live));
    let crate::manifest::Undo::Restore(manifest) = &undo[0] else { panic!("{undo:?}") };
    written(live, manifest)
}

fn without(object: &Value, position: usize) -> Value {
    let mut rest = object.clone();
    rest["spec"]["http"][position]["route"] = Value::Null;
    rest["metadata"]["annotations"] = Value::Null;
    rest
}

fn why(c: &Validated, live: &Value) -> String {
    let made = Istio.render(c, &holding(live), Split::default(), &Cookies::default());
    made.unwrap_err().to_string()
}

proptest! {
    #[test]
    fn only_weights_change_and_all_comes_back(weights in proptest::collection::vec(0..=100, 1..6), domain in any::<bool>()) {
        let c = canary(Some("primary"));
        let host = if domain { "podinfo.test.svc.cluster.local" } else { "podinfo" };
        let theirs = users(&json!([to(host)]));
        let mut live = theirs.clone();
        for weight in weights {
            live = carrying(&c, &live, weight);
            prop_assert_eq!(Istio.read_back(&c, &holding(&live)), Ok(Split::to_canary(weight)));
            prop_assert_eq!(without(&live, 1), without(&theirs, 1));
            let again = carrying(&c, &live, weight);
            prop_assert_eq!(&again, &live, "settled");
        }
        prop_assert_eq!(given_back(&c, &live), theirs);
    }
}

#[test]
fn destinations_keep_what_the_user_gave_them() {
    let c = canary(Some("primary"));
    let live = carrying(&c, &users(&json!([to("podinfo.test")])), 30);
    let (mut primary, mut canary_) = (to("podinfo-primary.test"), to("podinfo-canary.test"));
    (primary["weight"], canary_["weight"]) = (json!(70), json!(30));
    assert_eq!(live["spec"]["http"][1]["route"], json!([primary, canary_]));
    assert_eq!(live["metadata"]["labels"], json!({"a": "b"}), "no tool is asked to leave it alone");
    // edited meanwhile
    let mut edited = live.clone();
    edited["spec"]["http"][1]["route"][0]["headers"] = json!({});
    let live = carrying(&c, &edited, 40);
    assert_eq!(live["spec"]["http"][1]["route"][0]["headers"], json!({}));
    assert_eq!(given_back(&c, &live)["spec"]["http"][1]["route"][0]["headers"], json!({}));
}

#[test]
fn destinations_that_are_there_already_are_used_and_lead_to_the_apex_in_the_end() {
    let c = canary(Some("primary"));
    let (mut primary, mut canary_) = (to("podinfo-primary"), to("podinfo-canary"));
    (primary["weight"], canary_["weight"]) = (json!(100), json!(0));
    for given in [json!([canary_, primary]), json!([primary, canary_]), json!([primary])] {
        let live = carrying(&c, &users(&given), 30);
        let routes = live["spec"]["http"][1]["route"].as_array().unwrap().clone();
        assert_eq!(routes.len(), 2);
        assert_eq!(routes[0]["destination"], given[0]["destination"], "the order stays");
        assert_eq!(given_back(&c, &live)["spec"]["http"][1]["route"], json!([to("podinfo")]));
    }
}

#[test]
fn without_a_name_the_only_route_is_meant() {
    let c = canary(None);
    let mut one = users(&json!([to("podinfo")]));
    one["spec"]["http"] = json!([{"route": [{"destination": {"host": "podinfo"}, "weight": 100}]}]);
    let live = carrying(&c, &one, 5);
    assert_eq!(Istio.read_back(&c, &holding(&live)), Ok(Split::to_canary(5)));
    assert_eq!(given_back(&c, &live), one, "its weight as well");
    assert!(why(&c, &users(&json!([]))).contains("several http routes: say in spec.routeRef.route"));
}

#[test]
fn what_cannot_be_lent_is_named_with_its_remedy() {
    let c = canary(Some("primary"));
    let none = Istio.render(&c, &Objects::default(), Split::default(), &Cookies::default());
    assert_eq!(none.unwrap_err().to_string(), "VirtualService shop not found");
    let mut twice = users(&json!([to("podinfo")]));
    twice["spec"]["http"][0]["name"] = json!("primary");
    assert!(why(&c, &twice).contains("has several http routes named primary"));
    let mut nameless = twice.clone();
    nameless["spec"]["http"] = json!([{"route": []}]);
    assert!(why(&c, &nameless).contains("has no http route named primary"));
    let mut subset = to("podinfo");
    subset["destination"]["subset"] = json!("v1");
    for foreign in [
        json!([to("other")]),
        json!([to("podinfo"), to("other")]),
        json!([to("podinfo"), to("podinfo-canary")]),
        json!([to("podinfo-canary"), to("podinfo-canary")]),
        json!([to("podinfo.elsewhere")]),
        json!([subset]),
        json!([]),
        Value::Null,
    ] {
        let said = why(&c, &users(&foreign));
        assert!(
            said.contains("other places than podinfo alone, or podinfo-primary and podinfo-canary"),
            "{said}"
        );
        assert!(Istio.restore(&c, &holding(&users(&foreign))).is_empty());
    }
}

#[test]
fn a_virtual_service_has_the_weights_of_one_canary() {
    let c = canary(Some("primary"));
    let live = carrying(&c, &users(&json!([to("podinfo")])), 0);
    let mut other = canary(Some("admin"));
    other.name = "admin".into();
    assert!(why(&other, &live).contains("has the weights of Canary podinfo in it"));
    assert!(Istio.restore(&other, &holding(&live)).is_empty());
}

#[test]
fn another_route_is_taken_when_the_canary_names_another() {
    let mut theirs = users(&json!([to("podinfo")]));
    theirs["spec"]["http"][2] = json!({"name": "second", "route": [to("podinfo")]});
    let live = carrying(&canary(Some("primary")), &theirs, 30);
    let c = canary(Some("second"));
    let live = carrying(&c, &live, 30);
    assert_eq!(live["spec"]["http"][1], theirs["spec"]["http"][1], "given back");
    assert_eq!(Istio.read_back(&c, &holding(&live)), Ok(Split::to_canary(30)));
    assert_eq!(given_back(&c, &live), theirs);
}

#[test]
fn foreign_destinations_that_came_later_stay() {
    let c = canary(Some("primary"));
    let mut live = carrying(&c, &users(&json!([to("podinfo")])), 30);
    live["spec"]["http"][1]["route"].as_array_mut().unwrap().push(to("other"));
    let back = given_back(&c, &live);
    let mut apex = to("podinfo");
    apex["weight"] = json!(100);
    assert_eq!(back["spec"]["http"][1]["route"], json!([apex, to("other")]));
    assert_eq!(back["metadata"]["annotations"], json!({"c": "d"}));
}

#[test]
fn what_only_an_own_virtual_service_can_have_is_refused() {
    let mut c = canary(Some("primary"));
    assert!(Istio.unsupported(&c).is_empty());
    c.service = serde_json::from_value(json!({
        "port": 80, "hosts": ["a"], "retries": {"attempts": 1}, "appProtocol": "tcp", "trafficPolicy": {},
    }))
    .unwrap();
    c.analysis = serde_json::from_value(json!({"mirror": true, "stepWeight": 5, "match": [{}]})).unwrap();
    let said = Istio.unsupported(&c);
    let fields: Vec<&str> = said.iter().filter_map(|text| text.split(':').next()).collect();
    let wanted = [
        "spec.service.hosts",
        "spec.service.retries",
        "spec.service.appProtocol",
        "spec.analysis.match",
        "spec.analysis.mirror",
    ];
    assert_eq!(fields, wanted);
}

#[test]
fn r40_the_only_route_needs_no_name_and_the_object_may_be_named_as_a_host() {
    let mut c = canary(None);
    let mut reference = json!(c.spec.route_ref);
    reference["name"] = json!("app.example.com");
    c.spec.route_ref = serde_json::from_value(reference).unwrap();
    let object = json!({
        "metadata": {"name": "app.example.com"},
        "spec": {"hosts": ["app.example.com"], "http": [{"route": [to("podinfo")]}]},
    });
    let after = carrying(&c, &object, 25);
    let weights: Vec<Value> =
        after["spec"]["http"][0]["route"].as_array().unwrap().iter().map(|to| to["weight"].clone()).collect();
    assert_eq!(weights, [75, 25]);
    assert_eq!(Istio.read_back(&c, &holding(&after)), Ok(Split::to_canary(25)));
}

#[test]
fn a_port_that_is_being_replaced_is_named_unless_the_user_names_one() {
    let ports = |c: &Validated, live: &Value| -> Vec<Value> {
        let route = live["spec"]["http"][1]["route"].as_array().unwrap().iter();
        assert_eq!(Istio.read_back(c, &holding(live)), Ok(Split::to_canary(10)));
        route.map(|to| to["destination"]["port"]["number"].clone()).collect()
    };
    let c = canary(Some("primary"));
    let plain = carrying(&c, &users(&json!([{"destination": {"host": "podinfo"}}])), 10);
    assert_eq!(ports(&c, &plain), [Value::Null, Value::Null]);
    let former = carrying(&c.with_port(80), &plain, 10);
    assert_eq!(ports(&c, &former), [80, 80]);
    let new = carrying(&c.with_port(8080), &former, 10);
    assert_eq!(ports(&c, &new), [8080, 8080]);
    // it stays afterwards
    assert_eq!(ports(&c, &carrying(&c, &new, 10)), [8080, 8080]);
    let theirs = carrying(&c, &users(&json!([to("podinfo")])), 10);
    assert_eq!(ports(&c, &carrying(&c.with_port(8080), &theirs, 10)), [80, 80]);
}
