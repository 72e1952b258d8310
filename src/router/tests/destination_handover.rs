use serde_json::{Value, json};

use crate::{
    manifest::{
        Manifest, Undo,
        fixture::{self, merge},
        json as get, patch,
    },
    router::{
        Cookies, Split, by_name,
        destination_handover::{announcing, remembering, renumbers},
        traits::{Router, RouterError},
    },
    snapshot::{Kind, Objects},
    spec::Validated,
};

fn written(live: &mut Objects, want: &Manifest) {
    let mut object = live.at(&want.at()).cloned().unwrap_or_default();
    if let Some(change) = patch(&object, want) {
        merge(&mut object, &change);
    }
    live.insert(want.kind, object);
}

fn case(provider: &str, theirs: &Value) -> (&'static dyn Router, Validated, Kind, Objects) {
    let router = by_name(provider).unwrap();
    let mut c = fixture::canary(&json!({}));
    c.provider = provider.into();
    let kind = router.kinds()[0];
    let mut live = Objects::default();
    let metadata = json!({"name": c.names.apex, "annotations": {"theirs": "1"}});
    live.insert(kind, json!({"metadata": metadata, "spec": theirs}));
    (router, c, kind, live)
}

fn weights(live: &Objects, kind: Kind, path: &str) -> Vec<(String, i64)> {
    let list = get::list(live.of(kind).next().unwrap().pointer(path).unwrap()).iter();
    list.map(|to| (to["name"].as_str().unwrap().to_owned(), to["weight"].as_i64().unwrap())).collect()
}

#[test]
fn destinations_are_named_before_a_route_is_taken_over_and_before_it_is_given_back() {
    for (provider, theirs, path) in [
        (
            "contour",
            json!({"routes": [{"services": [{"name": "podinfo", "port": 80}]}]}),
            "/spec/routes/0/services",
        ),
        (
            "gatewayapi:v1",
            json!({"rules": [{"backendRefs": [{"name": "podinfo", "port": 80, "weight": 1}]}]}),
            "/spec/rules/0/backendRefs",
        ),
    ] {
        let (router, c, kind, mut live) = case(provider, &theirs);
        let next = router.render(&c, &live, Split::to_canary(0), &Cookies::default()).unwrap().remove(0);
        let first = announcing(router, &c, &live, &next).unwrap();
        written(&mut live, &first);
        let named = weights(&live, kind, path);
        let wanted =
            [("podinfo", 1), ("podinfo-primary", 0), ("podinfo-canary", 0)].map(|(n, w)| (n.to_owned(), w));
        assert_eq!(named, wanted, "{provider}");
        assert!(
            matches!(router.read_back(&c, &live), Err(RouterError::Unreadable { .. })),
            "no request has moved yet"
        );
        let next = router.render(&c, &live, Split::to_canary(0), &Cookies::default()).unwrap().remove(0);
        assert_eq!(announcing(router, &c, &live, &next), None, "said once");
        let second = remembering(router, &c, &live, &next).unwrap();
        written(&mut live, &second);
        assert_eq!(weights(&live, kind, path)[2], ("podinfo".to_owned(), 0), "{provider}");
        assert_eq!(router.read_back(&c, &live), Ok(Split::to_canary(0)));
        let again = remembering(router, &c, &live, &next).unwrap();
        assert_eq!(patch(live.at(&again.at()).unwrap(), &again), None, "written once");
        written(&mut live, &next);
        assert_eq!(weights(&live, kind, path).len(), 2);
        assert_eq!(remembering(router, &c, &live, &next), None);

        let restore = |live: &Objects| router.restore(&c, live);
        let Undo::Restore(back) = restore(&live).remove(0) else { panic!("not given back") };
        let before = announcing(router, &c, &live, &back).unwrap();
        written(&mut live, &before);
        assert_eq!(weights(&live, kind, path)[2], ("podinfo".to_owned(), 0), "{provider}");
        assert_eq!(router.read_back(&c, &live), Ok(Split::to_canary(0)), "everybody is on the primary still");
        let Undo::Restore(back) = restore(&live).remove(0) else { panic!("not given back") };
        assert_eq!(announcing(router, &c, &live, &back), None);
        let second = remembering(router, &c, &live, &back).unwrap();
        written(&mut live, &second);
        let leading: Vec<_> = weights(&live, kind, path).into_iter().filter(|(_, w)| *w > 0).collect();
        assert_eq!(leading, [("podinfo".to_owned(), 1)], "{provider}");
        let Undo::Restore(back) = restore(&live).remove(0) else { panic!("not given back") };
        written(&mut live, &back);
        let object = live.of(kind).next().unwrap();
        assert_eq!((&object["spec"], &object["metadata"]["annotations"]), (&theirs, &json!({"theirs": "1"})));
    }
}

/// Envoy Gateway names clusters by the numbers of rules: each is there before requests go to it and while they may.
#[test]
fn rules_are_there_before_a_route_is_taken_over_and_until_it_is_given_back() {
    let to = json!([{"name": "podinfo", "port": 80, "weight": 1}]);
    let matches = json!([{"path": {"type": "PathPrefix", "value": "/"}}, {"method": "GET"}]);
    let theirs = json!({"rules": [{"name": "api", "matches": matches, "backendRefs": to}]});
    let (router, mut c, kind, mut live) = case("gatewayapi:v1", &theirs);
    let exact = |value: &str| json!([{"headers": {"x": {"exact": value}}}]);
    c.analysis = serde_json::from_value(json!({"always": exact("a"), "never": exact("b")})).unwrap();
    let rules = |live: &Objects| get::list(&live.of(kind).next().unwrap()["spec"]["rules"]).to_vec();
    let next =
        |live: &Objects| router.render(&c, live, Split::to_canary(0), &Cookies::default()).unwrap().remove(0);
    let first = announcing(router, &c, &live, &next(&live)).unwrap();
    written(&mut live, &first);
    let announced = rules(&live);
    assert_eq!(announced.len(), 3);
    for unused in &announced[1..] {
        assert_eq!(unused["matches"], json!([matches[0]]), "the first rule has its requests");
        assert_eq!((&unused["backendRefs"], &unused["name"]), (&announced[0]["backendRefs"], &Value::Null));
    }
    assert_eq!(announcing(router, &c, &live, &next(&live)), None);
    assert!(renumbers(router, &live, &next(&live)), "the rules are there, and have to be known");
    let second = remembering(router, &c, &live, &next(&live)).unwrap();
    written(&mut live, &second);
    let last = next(&live);
    written(&mut live, &last);
    assert!(!renumbers(router, &live, &next(&live)));
    assert_eq!(rules(&live).iter().filter(|rule| rule["name"] == "api").count(), 1);

    let back = |live: &Objects| {
        let Undo::Restore(back) = router.restore(&c, live).remove(0) else { panic!("not given back") };
        back
    };
    let before = announcing(router, &c, &live, &back(&live)).unwrap();
    written(&mut live, &before);
    let second = remembering(router, &c, &live, &back(&live)).unwrap();
    written(&mut live, &second);
    assert_eq!(rules(&live).len(), 3);
    assert!(rules(&live).iter().all(|rule| rule["matches"][0] == matches[0]));
    let last = back(&live);
    written(&mut live, &last);
    assert_eq!(live.of(kind).next().unwrap()["spec"], theirs);
}

#[test]
fn a_route_that_leads_nowhere_or_is_not_there_is_left_alone() {
    let (router, c, kind, mut live) = case("contour", &json!({"includes": []}));
    let next = router.render(&c, &live, Split::to_canary(0), &Cookies::default()).unwrap().remove(0);
    assert_eq!(announcing(router, &c, &live, &next), None);
    live.remove(&crate::snapshot::ObjectRef::new(kind, &c.names.apex));
    assert_eq!(announcing(router, &c, &live, &next), None);
}
