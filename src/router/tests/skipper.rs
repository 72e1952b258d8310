use serde_json::{Value, json};

use crate::{
    manifest::fixture,
    router::{
        skipper::{PREDICATE, ROUTES, Skipper},
        skipper_weights::WEIGHTS,
        split::Split,
        tests::snapshot,
        traits::{Cookies, Router},
    },
    snapshot::{INGRESS, ObjectRef, Objects},
    spec::Validated,
};

fn canary() -> Validated {
    let mut c = fixture::canary(&json!({}));
    let reference = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "public"});
    c.spec.ingress_ref = serde_json::from_value(reference).unwrap();
    c
}

fn live(predicate: &Value) -> Objects {
    let path = |path: &str, service: &str| json!({"path": path, "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}});
    let mut live = Objects::default();
    live.insert(
        INGRESS,
        json!({
            "metadata": {"name": "public", "annotations": {PREDICATE: predicate, "team": "a"}},
            "spec": {"rules": [{"host": "a.example.com", "http": {"paths": [path("/", "podinfo"), path("/x", "other")]}}]},
        }),
    );
    live
}

#[test]
fn each_path_to_the_apex_leads_to_both_sides() {
    let made = Skipper.render(&canary(), &live(&json!(null)), Split::to_canary(25), &Cookies::default());
    snapshot("skipper", &made.unwrap()[0].body);
}

#[test]
fn the_users_predicate_is_kept() {
    let predicate = |weight| {
        let live = live(&json!("Method(\"GET\")"));
        let made = Skipper.render(&canary(), &live, Split::to_canary(weight), &Cookies::default()).unwrap();
        made[0].body["metadata"]["annotations"][PREDICATE].as_str().unwrap().to_owned()
    };
    assert_eq!(predicate(25), r#"Weight(100) && Method("GET")"#);
    assert_eq!(predicate(0), r#"False() && Method("GET")"#);
}

#[test]
fn what_was_copied_stands_in_for_an_ingress_that_is_gone() {
    let mut live = live(&json!("Method(\"GET\")"));
    let made = Skipper.render(&canary(), &live, Split::to_canary(25), &Cookies::default()).unwrap();
    live.insert(INGRESS, made[0].to_create());
    live.remove(&ObjectRef::new(INGRESS, "public"));
    let back = Skipper.render(&canary(), &live, Split::to_canary(0), &Cookies::default()).unwrap();
    assert_eq!(back[0].body["spec"], made[0].body["spec"]);
    assert_eq!(back[0].body["metadata"]["annotations"][PREDICATE], r#"False() && Method("GET")"#);
    assert!(Skipper.not_programmed(&canary(), &live).is_some());
}

#[test]
fn r20_r21_the_copy_holds_no_paths_of_others_and_no_host_without_paths() {
    let mut live = live(&json!(null));
    let mut user = live.get(INGRESS, "public").unwrap().clone();
    user["spec"]["rules"].as_array_mut().unwrap().push(json!({"host": "www.example.com"}));
    user["spec"]["defaultBackend"] = json!({"service": {"name": "podinfo", "port": {"number": 80}}});
    live.insert(INGRESS, user);
    let made = Skipper.render(&canary(), &live, Split::to_canary(25), &Cookies::default()).unwrap().remove(0);
    let rules = made.body["spec"]["rules"].as_array().unwrap();
    let leads: Vec<&Value> = rules[0]["http"]["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|path| &path["backend"]["service"]["name"])
        .collect();
    assert_eq!((rules.len(), leads), (1, vec![&json!("podinfo-canary"), &json!("podinfo-primary")]));
    assert!(made.body["spec"].get("defaultBackend").is_none());
}

/// An Ingress with these annotations and these paths with their Services.
fn sharing(annotations: &Value, paths: &[(&str, &str)]) -> Objects {
    let path = |(path, service): &(&str, &str)| json!({"path": path, "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}});
    let paths: Vec<Value> = paths.iter().map(path).collect();
    let mut live = Objects::default();
    live.insert(
        INGRESS,
        json!({
            "metadata": {"name": "public", "annotations": annotations},
            "spec": {"rules": [{"host": "a.example.com", "http": {"paths": paths}}]},
        }),
    );
    live
}

fn made(live: &Objects, weight: i32) -> Value {
    Skipper
        .render(&canary(), live, Split::to_canary(weight), &Cookies::default())
        .unwrap()
        .remove(0)
        .to_create()
}

/// Its paths with their Services, and its weights.
fn leads(copy: &Value) -> (Vec<String>, Value) {
    let paths = copy["spec"]["rules"][0]["http"]["paths"].as_array().unwrap().iter();
    let text = |path: &Value| {
        let (path, service) = (&path["path"], &path["backend"]["service"]["name"]);
        format!("{} {}", path.as_str().unwrap(), service.as_str().unwrap())
    };
    let weights = copy["metadata"]["annotations"][WEIGHTS].as_str().unwrap();
    (paths.map(text).collect(), serde_json::from_str(weights).unwrap())
}

#[test]
fn t4_the_users_own_weights_stay_in_force() {
    let paths = [("/x", "oa"), ("/x", "ob"), ("/y", "podinfo"), ("/y", "ob")];
    let live = sharing(&json!({WEIGHTS: r#"{"oa":20,"ob":80,"podinfo":20}"#}), &paths);
    let (leads_to, weights) = leads(&made(&live, 50));
    assert_eq!(leads_to, ["/y ob", "/y podinfo-canary", "/y podinfo-primary"]);
    assert_eq!(weights, json!({"ob": 8000, "podinfo-canary": 1000, "podinfo-primary": 1000}));
    // without weights all backends of a path get the same
    let plain = sharing(&json!({}), &paths[2..]);
    assert_eq!(leads(&made(&plain, 25)).1, json!({"ob": 100, "podinfo-canary": 25, "podinfo-primary": 75}));
    // if only others have some, the apex gets nothing
    let paths = [("/", "podinfo"), ("/y", "podinfo"), ("/y", "ob")];
    let nothing = sharing(&json!({WEIGHTS: r#"{"ob":0.5}"#}), &paths);
    let (leads_to, weights) = leads(&made(&nothing, 10));
    assert_eq!(leads_to, ["/ podinfo-canary", "/ podinfo-primary"]);
    assert_eq!(weights, json!({"podinfo-canary": 10, "podinfo-primary": 90}));
}

#[test]
fn t4_every_weight_is_read_back_whatever_the_users_are() {
    for own in ["20", "0.3", "3", "70000"] {
        let given = json!({WEIGHTS: format!(r#"{{"podinfo":{own},"ob":1}}"#)});
        let mut live = sharing(&given, &[("/", "podinfo"), ("/", "ob")]);
        for weight in 0..=100 {
            live.insert(INGRESS, made(&live, weight));
            assert_eq!(Skipper.read_back(&canary(), &live), Ok(Split::to_canary(weight)), "{own}");
        }
        // the same from the copy alone
        live.remove(&ObjectRef::new(INGRESS, "public"));
        for weight in [7, 100, 0, 33] {
            let (copy, mut then) = (made(&live, weight), live.clone());
            assert_eq!(leads(&copy).1["ob"], 100);
            then.insert(INGRESS, copy);
            assert_eq!(Skipper.read_back(&canary(), &then), Ok(Split::to_canary(weight)), "{own}");
        }
    }
}

#[test]
fn t10_what_is_left_of_a_path_goes_to_the_primary() {
    let live = sharing(&json!({}), &[("/", "podinfo"), ("/api", "podinfo"), ("/api", "other")]);
    for weight in [1, 50, 100] {
        let (leads_to, _) = leads(&made(&live, weight));
        let api = ["/api other", "/api podinfo-canary", "/api podinfo-primary"];
        assert_eq!(leads_to, [&["/ podinfo-canary", "/ podinfo-primary"][..], &api].concat());
    }
}

#[test]
fn t5b_extra_routes_of_the_users_ingress_go_before_the_paths_of_its_copy() {
    let given = json!({ROUTES: r#"opt: Method("OPTIONS") -> status(204) -> <shunt>"#});
    let mut live = sharing(&given, &[("/", "podinfo")]);
    let routes = |copy: &Value| copy["metadata"]["annotations"][ROUTES].as_str().unwrap().to_owned();
    let first = |predicate| format!(r#"opt: {predicate} && Method("OPTIONS") -> status(204) -> <shunt>"#);
    for (weight, predicate) in [(0, "False()"), (20, "Weight(200)"), (0, "False()")] {
        let copy = made(&live, weight);
        assert_eq!(routes(&copy), first(predicate));
        live.insert(INGRESS, copy);
    }
    live.insert(INGRESS, made(&live, 50));
    live.remove(&ObjectRef::new(INGRESS, "public"));
    assert_eq!(routes(&made(&live, 0)), first("False()"));

    // a route that comes after the paths of the user's Ingress comes after those of the copy as well
    let given = json!({
        ROUTES: r#"a: * -> <shunt>; b: Method("GET") && Header("x", "y") -> <shunt>"#,
        PREDICATE: r#"Method("GET")"#,
    });
    let copy = made(&sharing(&given, &[("/", "podinfo")]), 20);
    let placed =
        r#"a: Weight(100) && * -> <shunt>; b: Weight(200) && Method("GET") && Header("x", "y") -> <shunt>"#;
    assert_eq!(routes(&copy), placed);

    let unread = sharing(&json!({ROUTES: r#"opt: Method("OPTIONS) -> <shunt>"#}), &[("/", "podinfo")]);
    let refused = Skipper.render(&canary(), &unread, Split::to_canary(0), &Cookies::default());
    assert!(refused.unwrap_err().to_string().contains("zalando.org/skipper-routes"));
}

#[test]
fn t3_the_answers_that_skipper_gives_itself_are_counted() {
    let queries = Skipper.queries();
    for query in [queries.success_rate, queries.requests, queries.series[0]] {
        assert!(query.contains("skipper_serve_route_duration_seconds_count"), "{query}");
    }
    assert!(queries.needs.contains("-serve-route-metrics"));
}
