use serde_json::{Value, json};

use crate::{
    manifest::{fixture, json as get, patch},
    router::{
        kubernetes::{Kubernetes, shared},
        split::Split,
        traits::{Cookies, Router},
    },
    snapshot::{DEPLOYMENT, Objects, SERVICE},
    spec::{Apex, Validated},
};

fn live(apex: &Value) -> Objects {
    let mut all = Objects::default();
    let labels = |value: &str, version: &str| json!({"app": value, "name": "podinfo", "version": version});
    for (name, app, replicas, version) in
        [("podinfo", "podinfo", 2, "2"), ("podinfo-primary", "podinfo-primary", 8, "1")]
    {
        all.insert(
            DEPLOYMENT,
            json!({
                "metadata": {"name": name},
                "spec": {
                    "replicas": replicas, "selector": {"matchLabels": {"app": app}},
                    "template": {"metadata": {"labels": labels(app, version)}},
                },
            }),
        );
    }
    let marks = json!({"serin.dev/canary": "podinfo"});
    all.insert(
        SERVICE,
        json!({"metadata": {"name": "podinfo", "labels": marks}, "spec": {"selector": apex}}),
    );
    all
}

fn canary(apex: Apex) -> Validated {
    let mut c = fixture::canary(&json!({}));
    c.provider = "kubernetes".into();
    c.apex = apex;
    c
}

fn rendered(c: &Validated, live: &Objects, weight: i32) -> Value {
    let made = Kubernetes.render(c, live, Split::to_canary(weight), &Cookies::default()).unwrap();
    made[0].body["spec"]["selector"].clone()
}

#[test]
fn the_selector_is_the_route() {
    let c = canary(Apex::Shares);
    let objects = live(&json!({"app": "podinfo-primary"}));
    assert_eq!(rendered(&c, &objects, 0), json!({"app": "podinfo-primary"}));
    assert_eq!(rendered(&c, &objects, 100), json!({"app": "podinfo"}));
    assert_eq!(rendered(&c, &objects, 20), json!({"name": "podinfo"}), "only what both have");
    for (selector, weight) in [
        (json!({"app": "podinfo-primary"}), 0),
        (json!({"app": "podinfo"}), 100),
        (json!({"name": "podinfo"}), 20),
    ] {
        let read = Kubernetes.read_back(&c, &live(&selector));
        assert_eq!(read, Ok(Split::to_canary(weight)), "{selector}");
    }
    for other in [json!({}), json!({"app": "other"}), json!({"app": "podinfo", "x": "y"}), Value::Null] {
        assert!(Kubernetes.read_back(&c, &live(&other)).is_err(), "{other}");
    }
}

#[test]
fn a_switch_is_all_or_nothing() {
    let c = canary(Apex::Switches);
    let objects = live(&json!({"app": "podinfo-primary"}));
    for (weight, app) in [(0, "podinfo-primary"), (40, "podinfo-primary"), (100, "podinfo")] {
        assert_eq!(rendered(&c, &objects, weight), json!({"app": app}));
    }
}

#[test]
fn only_the_selector_is_written() {
    let c = canary(Apex::Switches);
    let mut objects = live(&json!({"app": "podinfo-primary"}));
    let mut apex = objects.get(SERVICE, "podinfo").cloned().unwrap();
    get::set(&mut apex, &["spec", "ports"], json!([{"port": 1}]));
    objects.insert(SERVICE, apex.clone());
    let made = Kubernetes.render(&c, &objects, Split::to_canary(100), &Cookies::default()).unwrap();
    assert_eq!(patch(&apex, &made[0]), Some(json!({"spec": {"selector": {"app": "podinfo"}}})));
}

#[test]
fn an_apex_that_is_not_ours_is_not_turned() {
    let c = canary(Apex::Switches);
    let mut objects = live(&json!({"app": "podinfo"}));
    objects
        .insert(SERVICE, json!({"metadata": {"name": "podinfo"}, "spec": {"selector": {"app": "podinfo"}}}));
    assert_eq!(Kubernetes.render(&c, &objects, Split::to_canary(0), &Cookies::default()), Ok(vec![]));
    assert!(Kubernetes.read_back(&c, &objects).is_err());
}

#[test]
fn a_label_that_strangers_may_have_is_not_enough() {
    let mut objects = live(&json!({}));
    let c = canary(Apex::Shares);
    assert!(shared(&c, &objects, "app", "podinfo").is_some());
    for name in ["podinfo", "podinfo-primary"] {
        let mut deployment = objects.get(DEPLOYMENT, name).cloned().unwrap();
        get::set(&mut deployment, &["spec", "template", "metadata", "labels", "name"], json!("team-a"));
        objects.insert(DEPLOYMENT, deployment);
    }
    assert_eq!(shared(&c, &objects, "app", "podinfo"), None);
    let refused = Kubernetes.render(&c, &objects, Split::to_canary(20), &Cookies::default());
    assert!(refused.is_err());
}
