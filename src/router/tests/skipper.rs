use serde_json::{Value, json};

use crate::{
    manifest::fixture,
    router::{
        skipper::{PREDICATE, Skipper},
        split::Split,
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
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_yaml_snapshot!("skipper", made.unwrap()[0].body));
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
    assert_eq!((rules.len(), leads), (1, vec![&json!("podinfo-primary"), &json!("podinfo-canary")]));
    assert!(made.body["spec"].get("defaultBackend").is_none());
}
