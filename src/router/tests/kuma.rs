use serde_json::{Value, json};

use crate::{
    manifest::{Manifest, Undo, fixture},
    router::{
        kuma::{Kuma, MESH_HTTP_ROUTE},
        kuma_traffic_route::{SERVICE, TRAFFIC_ROUTE},
        split::Split,
        tests::snapshot,
        traits::{Cookies, Router, RouterError},
    },
    snapshot::{ObjectRef, Objects},
    spec::Validated,
};

fn rendered(c: &Validated, live: &Objects, weight: i32) -> Manifest {
    Kuma.render(c, live, Split::to_canary(weight), &Cookies::default()).unwrap().remove(0)
}

fn holding(routes: &[&Value]) -> Objects {
    let mut live = Objects::default();
    for route in routes {
        live.insert(TRAFFIC_ROUTE, (*route).clone());
    }
    live
}

fn traffic_route(name: &str, destination: &str, conf: &Value) -> Value {
    json!({
        "apiVersion": "kuma.io/v1alpha1", "kind": "TrafficRoute", "mesh": "default", "metadata": {"name": name},
        "spec": {"sources": [{"match": {SERVICE: "*"}}], "destinations": [{"match": {SERVICE: destination}}], "conf": conf},
    })
}

/// The TrafficRoute by which a mesh runs on them.
fn for_all() -> Value {
    traffic_route("route-all-default", "*", &json!({"destination": {SERVICE: "*"}}))
}

/// As Flagger creates it, without a mark.
fn flaggers(namespace: &str) -> Value {
    let to = |name: &str, weight| json!({"weight": weight, "destination": {SERVICE: format!("{name}_{namespace}_svc_80")}});
    let split = [to("podinfo-primary", 90), to("podinfo-canary", 10)];
    traffic_route("podinfo", &format!("podinfo_{namespace}_svc_80"), &json!({"split": split}))
}

/// As an earlier version left it behind when the Canary was deleted.
fn left_behind() -> Value {
    traffic_route("podinfo", "podinfo_test_svc_80", &json!({"destination": {SERVICE: "podinfo_test_svc_80"}}))
}

fn deleted(undo: &[Undo]) -> Vec<ObjectRef> {
    let at = undo.iter().filter_map(|undo| if let Undo::Delete(at) = undo { Some(at.clone()) } else { None });
    at.collect()
}

#[test]
fn requests_of_the_whole_mesh_for_the_apex_are_split() {
    let mut c = fixture::canary(&json!({}));
    c.mesh = "prod".into();
    let mut live = Objects::default();
    snapshot("kuma", &rendered(&c, &live, 25).body);
    live.insert(TRAFFIC_ROUTE, {
        let mut all = for_all();
        all["mesh"] = json!("prod");
        all
    });
    snapshot("kuma_traffic_route", &rendered(&c, &live, 25).body);
}

#[test]
fn t1_a_traffic_route_is_made_only_in_a_mesh_that_has_one_for_all() {
    let c = fixture::canary(&json!({}));
    let kind = |live: &Objects| rendered(&c, live, 10).kind;
    let other = traffic_route("other", "other_test_svc_80", &json!({}));
    let mut elsewhere = for_all();
    elsewhere["mesh"] = json!("prod");
    let mut of_one = for_all();
    of_one["spec"]["sources"] = json!([{"match": {SERVICE: "web_test_svc_80"}}]);
    for routes in [&[][..], &[&other], &[&elsewhere], &[&of_one]] {
        assert_eq!(kind(&holding(routes)), MESH_HTTP_ROUTE);
    }
    let mut live = holding(&[&for_all(), &other]);
    assert_eq!(kind(&live), TRAFFIC_ROUTE);
    assert_eq!(Kuma.claims(&c, &live), [ObjectRef::new(TRAFFIC_ROUTE, "podinfo")]);
    // a route in use stays in any case
    live.insert(MESH_HTTP_ROUTE, rendered(&c, &Objects::default(), 10).to_create());
    assert_eq!(kind(&live), MESH_HTTP_ROUTE);
}

#[test]
fn t1_what_is_left_of_earlier_routes_goes_once_the_new_one_is_in_force() {
    let c = fixture::canary(&json!({}));
    let at = ObjectRef::new(TRAFFIC_ROUTE, "podinfo");
    let mut owned = flaggers("test");
    owned["metadata"]["ownerReferences"] = json!([{"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "podinfo", "uid": "u", "controller": true}]);
    let mut marked = left_behind();
    marked["metadata"]["labels"] = json!({"serin.dev/canary": "podinfo"});
    marked["metadata"]["annotations"] = json!({"serin.dev/namespace": "test"});
    for route in [flaggers("test"), owned, marked, left_behind()] {
        let mut live = holding(&[&route]);
        // users depend on it until then
        assert!(Kuma.leftovers(&c, &live).is_empty());
        assert!(Kuma.advice(&c, &live).is_empty(), "it is about to go");
        live.insert(MESH_HTTP_ROUTE, rendered(&c, &live, 0).to_create());
        assert_eq!(deleted(&Kuma.leftovers(&c, &live)), std::slice::from_ref(&at));
        assert!(deleted(&Kuma.restore(&c, &live)).contains(&at), "also when the Canary is deleted");
    }
    let before = holding(&[&flaggers("test")]);
    assert_eq!(Kuma.read_back(&c, &before), Ok(Split::to_canary(10)));
}

#[test]
fn t1_what_others_left_is_named_and_let_alone() {
    let c = fixture::canary(&json!({}));
    let theirs =
        traffic_route("podinfo", "podinfo_test_svc_80", &json!({"loadBalancer": {"leastRequest": {}}}));
    for route in [traffic_route("shop", "shop_test_svc_80", &json!({})), flaggers("other"), theirs] {
        let mut live = holding(&[&route]);
        live.insert(MESH_HTTP_ROUTE, rendered(&c, &live, 0).to_create());
        assert!(Kuma.leftovers(&c, &live).is_empty());
        let advice = Kuma.advice(&c, &live).remove(0);
        let name = route["metadata"]["name"].as_str().unwrap();
        assert!(advice.contains(&format!("kubectl delete trafficroute {name}")), "{advice}");
        live.insert(TRAFFIC_ROUTE, for_all());
        assert!(Kuma.advice(&c, &live).is_empty());
    }
}

#[test]
fn t1_a_deleted_canary_leaves_no_route_behind() {
    let c = fixture::canary(&json!({}));
    for mut live in [Objects::default(), holding(&[&for_all()])] {
        let made = rendered(&c, &live, 25);
        live.insert(made.kind, made.to_create());
        let undo = Kuma.restore(&c, &live);
        let [Undo::Restore(plain), Undo::Delete(at)] = &undo[..] else { panic!("{undo:?}") };
        assert!(!plain.body["spec"].to_string().contains("podinfo-"), "it leads to the apex first");
        assert_eq!(*at, made.at());
    }
}

#[test]
fn t1_a_traffic_route_that_was_taken_over_is_as_it_was() {
    let c = fixture::canary(&json!({}));
    let theirs = left_behind_by_a_user();
    let mut live = holding(&[&for_all(), &theirs]);
    let taken = rendered(&c, &live, 0);
    let mut route = theirs.clone();
    fixture::merge(&mut route, &crate::manifest::patch(&theirs, &taken).unwrap());
    live.insert(TRAFFIC_ROUTE, route);
    let undo = Kuma.restore(&c, &live);
    let [Undo::Restore(back)] = &undo[..] else { panic!("{undo:?}") };
    assert_eq!(back.body["spec"]["sources"], theirs["spec"]["sources"]);
}

/// It is cluster-scoped: anything that a Canary's author could restore would affect everybody.
#[test]
fn f2_a_traffic_route_that_was_made_leads_to_the_apex_whatever_is_noted_on_it() {
    let c = fixture::canary(&json!({}));
    let live = holding(&[&for_all()]);
    let made = rendered(&c, &live, 25).to_create();
    let fields = json!({"/spec/destinations": [{"match": {SERVICE: "pay_bank_svc_80"}}], "/spec/conf": {"destination": {SERVICE: "x"}}});
    let noted = json!({"canary": "podinfo", "fields": fields}).to_string();
    let marks = json!({"metadata": {"annotations": {crate::names::ANNOTATION_ORIGINAL: noted}}});
    for mut route in [made, flaggers("test")] {
        fixture::merge(&mut route, &marks);
        let undo = Kuma.restore(&c, &holding(&[&for_all(), &route]));
        let [Undo::Restore(plain), Undo::Delete(_)] = &undo[..] else { panic!("{undo:?}") };
        assert_eq!(plain.body["spec"]["destinations"], json!([{"match": {SERVICE: "podinfo_test_svc_80"}}]));
        assert_eq!(plain.body["spec"]["conf"], json!({"destination": {SERVICE: "podinfo_test_svc_80"}}));
    }
}

fn left_behind_by_a_user() -> Value {
    let mut route = left_behind();
    route["spec"]["sources"] = json!([{"match": {SERVICE: "web_test_svc_80"}}]);
    route
}

#[test]
fn the_route_of_another_namespace_is_no_route_of_ours() {
    let c = fixture::canary(&json!({}));
    let mut other = fixture::canary(&json!({}));
    other.namespace = "other".into();
    let mesh = holding(&[&for_all()]);
    let theirs = rendered(&other, &mesh, 50).to_create();
    let live = holding(&[&for_all(), &theirs]);
    assert!(Kuma.read_back(&c, &live).is_err() && Kuma.restore(&c, &live).is_empty());
    assert_eq!(Kuma.read_back(&other, &live), Ok(Split::to_canary(50)));
    let lost = Kuma.takeover_conflict(&c, &flaggers("other")).unwrap();
    assert!(lost.contains("podinfo_other_svc_80") && lost.contains("spec.service.name"), "{lost}");
    assert!(Kuma.restore(&c, &holding(&[&flaggers("other")])).is_empty());
}

#[test]
fn a_route_of_another_mesh_or_with_rules_is_not_taken_over() {
    let c = fixture::canary(&json!({}));
    let mut route = flaggers("test");
    route["mesh"] = json!("prod");
    assert!(Kuma.takeover_conflict(&c, &route).unwrap().contains("kuma.io/mesh: prod"));
    route["mesh"] = json!("default");
    route["spec"]["conf"]["http"] = json!([{"match": {"path": {"prefix": "/"}}}]);
    assert!(Kuma.takeover_conflict(&c, &route).unwrap().contains("spec.conf.http"));
    let mut route = rendered(&c, &Objects::default(), 0).to_create();
    route["metadata"]["labels"]["kuma.io/mesh"] = json!("prod");
    assert!(Kuma.takeover_conflict(&c, &route).unwrap().contains("kuma.io/mesh: prod"));
}

#[test]
fn a_route_of_some_callers_or_pods_is_not_taken_over() {
    let c = fixture::canary(&json!({}));
    let lost = |change: Value| {
        let mut route = flaggers("test");
        fixture::merge(&mut route, &json!({"spec": change}));
        Kuma.takeover_conflict(&c, &route).unwrap_or_else(|| "is taken over".into())
    };
    assert_eq!(lost(json!({})), "is taken over");
    let some = json!({SERVICE: "podinfo_test_svc_80", "version": "v1"});
    for (change, word) in [
        (json!({"sources": [{"match": {SERVICE: "web_test_svc_80"}}]}), "web_test_svc_80"),
        (json!({"sources": [{"match": {SERVICE: "*", "zone": "a"}}]}), "zone"),
        (json!({"destinations": [{"match": some}]}), "version"),
        (json!({"conf": {"split": null, "destination": some}}), "version"),
        (json!({"conf": {"split": [{"weight": 100, "destination": some}]}}), "version"),
    ] {
        let said = lost(change.clone());
        assert!(said.contains(word), "{change}: {said}");
    }
}

#[test]
fn one_destination_gets_everything_whatever_its_port() {
    let c = fixture::canary(&json!({}));
    let mut route = flaggers("test");
    route["spec"]["conf"] = json!({"destination": {SERVICE: "podinfo-canary_test_svc_9898"}});
    assert_eq!(Kuma.read_back(&c, &holding(&[&route])), Ok(Split::to_canary(100)));
    route["spec"]["conf"] = json!({"destination": {SERVICE: "podinfo-canary_other_svc_80"}});
    assert!(matches!(Kuma.read_back(&c, &holding(&[&route])), Err(RouterError::NotFound(_))));
}

/// Giving back and deleting are writes of different passes.
#[test]
fn t1_a_route_that_was_given_back_is_still_known_and_goes() {
    let c = fixture::canary(&json!({}));
    let by_traffic_routes = holding(&[&for_all()]);
    for (kind, mut live) in [(MESH_HTTP_ROUTE, Objects::default()), (TRAFFIC_ROUTE, by_traffic_routes)] {
        let route = rendered(&c, &live, 10);
        assert_eq!(route.kind, kind);
        let at = route.at();
        let others: Vec<Value> = live.of(kind).cloned().collect();
        let held = |route: Value| {
            let mut live = Objects::default();
            others.iter().cloned().chain([route]).for_each(|route| live.insert(kind, route));
            live
        };
        live = held(route.to_create());
        for pass in 0..3 {
            let undo = Kuma.restore(&c, &live);
            assert!(deleted(&undo).contains(&at), "{at} is not known any more");
            let mut object = live.at(&at).unwrap().clone();
            let back =
                undo.iter().filter_map(|undo| if let Undo::Restore(back) = undo { Some(back) } else { None });
            for patch in back.filter_map(|back| crate::manifest::patch(&object, back)).collect::<Vec<_>>() {
                assert_eq!(pass, 0, "{at} is written again and again: {patch}");
                fixture::merge(&mut object, &patch);
            }
            // the API server keeps no empty map
            for map in ["annotations", "labels"] {
                if object["metadata"][map].as_object().is_some_and(serde_json::Map::is_empty) {
                    object["metadata"].as_object_mut().unwrap().remove(map);
                }
            }
            live = held(object);
        }
    }
}
