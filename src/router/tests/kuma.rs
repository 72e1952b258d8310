use serde_json::{Value, json};

use crate::{
    manifest::{Manifest, Undo, adopted, fixture, patch},
    router::{
        kuma::{Kuma, SERVICE, TRAFFIC_ROUTE},
        split::Split,
        traits::{Cookies, Router, RouterError},
    },
    snapshot::Objects,
    spec::Validated,
};

fn rendered(c: &Validated, live: &Objects, weight: i32) -> Manifest {
    Kuma.render(c, live, Split::to_canary(weight), &Cookies::default()).unwrap().remove(0)
}

fn holding(route: Value) -> Objects {
    let mut live = Objects::default();
    live.insert(TRAFFIC_ROUTE, route);
    live
}

/// As Flagger makes it, which leaves no mark on it.
fn flaggers(namespace: &str) -> Value {
    let to = |name: &str, weight| json!({"weight": weight, "destination": {SERVICE: format!("{name}_{namespace}_svc_80")}});
    json!({
        "apiVersion": "kuma.io/v1alpha1", "kind": "TrafficRoute", "mesh": "default", "metadata": {"name": "podinfo"},
        "spec": {
            "sources": [{"match": {SERVICE: "*"}}],
            "destinations": [{"match": {SERVICE: format!("podinfo_{namespace}_svc_80")}}],
            "conf": {"split": [to("podinfo-primary", 90), to("podinfo-canary", 10)]},
        },
    })
}

#[test]
fn requests_of_the_whole_mesh_for_the_apex_are_split() {
    let mut c = fixture::canary(&json!({}));
    c.mesh = "prod".into();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_yaml_snapshot!("kuma", rendered(&c, &Objects::default(), 25).body));
}

#[test]
fn the_route_that_flagger_made_is_kept_up_and_not_put_back() {
    let c = fixture::canary(&json!({}));
    let mut live = holding(flaggers("test"));
    assert_eq!(
        (Kuma.read_back(&c, &live), Kuma.takeover_conflict(&c, &flaggers("test"))),
        (Ok(Split::to_canary(10)), None)
    );
    let ours = rendered(&c, &live, 10);
    let mut route = flaggers("test");
    let change = patch(&route, &ours).unwrap();
    assert_eq!(change["spec"], Value::Null, "only marks are to be written");
    fixture::merge(&mut route, &change);
    assert!(!adopted(&route) && !route.to_string().contains("serin.dev/original"));
    live.insert(TRAFFIC_ROUTE, route);
    let [Undo::Restore(plain)] = &Kuma.restore(&c, &live)[..] else { panic!("it is left as it is") };
    assert_eq!(plain.body["mesh"], "default");
    assert_eq!(plain.body["spec"]["conf"], json!({"destination": {SERVICE: "podinfo_test_svc_80"}}));
    // also before the first mark is on it
    assert_eq!(Kuma.restore(&c, &holding(flaggers("test"))).len(), 1);
}

#[test]
fn the_route_of_another_namespace_is_no_route_of_ours() {
    let c = fixture::canary(&json!({}));
    let mut other = fixture::canary(&json!({}));
    other.namespace = "other".into();
    let theirs = rendered(&other, &Objects::default(), 50).to_create();
    let live = holding(theirs.clone());
    assert!(Kuma.read_back(&c, &live).is_err() && Kuma.restore(&c, &live).is_empty());
    assert_eq!(Kuma.read_back(&other, &live), Ok(Split::to_canary(50)));
    let lost = Kuma.takeover_conflict(&c, &flaggers("other")).unwrap();
    assert!(lost.contains("podinfo_other_svc_80") && lost.contains("spec.service.name"), "{lost}");
    assert!(Kuma.restore(&c, &holding(flaggers("other"))).is_empty());
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
}

#[test]
fn one_destination_gets_everything_whatever_its_port() {
    let c = fixture::canary(&json!({}));
    let mut route = flaggers("test");
    route["spec"]["conf"] = json!({"destination": {SERVICE: "podinfo-canary_test_svc_9898"}});
    assert_eq!(Kuma.read_back(&c, &holding(route.clone())), Ok(Split::to_canary(100)));
    route["spec"]["conf"] = json!({"destination": {SERVICE: "podinfo-canary_other_svc_80"}});
    assert!(matches!(Kuma.read_back(&c, &holding(route)), Err(RouterError::Unreadable { .. })));
}
