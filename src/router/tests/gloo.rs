use serde_json::{Value, json};

use crate::{
    manifest::{Undo, fixture},
    router::{
        gloo::{Gloo, to_upstream},
        gloo_upstreams::UPSTREAM,
        route::Side,
        split::Split,
        tests::snapshot,
        traits::{Cookies, Router},
    },
    snapshot::Objects,
    spec::Validated,
};

fn canary(reference: &Value, analysis: &Value) -> Validated {
    let mut c = fixture::canary(&json!({}));
    c.spec.upstream_ref = serde_json::from_value(reference.clone()).unwrap();
    c.analysis = serde_json::from_value(analysis.clone()).unwrap();
    c
}

#[test]
fn everything() {
    let reference = json!({"apiVersion": "gloo.solo.io/v1", "kind": "Upstream", "name": "settings"});
    let named = json!([{"headers": {"x": {"exact": "a"}, "y": {"regex": "b"}}}]);
    let c = canary(&reference, &json!({"iterations": 3, "match": named}));
    let mut live = Objects::default();
    let missing = Gloo.render(&c, &live, Split::to_canary(0), &Cookies::default());
    assert_eq!(missing.unwrap_err().to_string(), "Upstream settings not found");
    live.insert(
        UPSTREAM,
        json!({
            "metadata": {"name": "settings", "labels": {"team": "a"}},
            "spec": {"useHttp2": true, "failover": {}, "kube": {"serviceName": "podinfo"}},
        }),
    );
    let made = Gloo.render(&c, &live, Split::to_canary(100), &Cookies::default()).unwrap();
    let bodies: Vec<&Value> = made.iter().map(|m| &m.body).collect();
    snapshot("gloo", &json!(bodies));
}

#[test]
fn upstreams_of_other_namespaces_are_not_read() {
    let of = |namespace: &str| {
        let reference =
            json!({"apiVersion": "gloo.solo.io/v1", "kind": "Upstream", "name": "s", "namespace": namespace});
        Gloo.unsupported(&canary(&reference, &json!({"stepWeight": 10})))
    };
    assert_eq!((of("").len(), of("test").len()), (0, 0));
    assert!(of("gloo-system")[0].starts_with("spec.upstreamRef.namespace: "));
}

#[test]
fn pinned_requests_have_routes_of_their_own() {
    let exact = |value: &str| json!([{"headers": {"x": {"exact": value}}}]);
    let c = canary(&Value::Null, &json!({"stepWeight": 10, "always": exact("a"), "never": exact("b")}));
    let split = Split::to_canary(10).pinning(true);
    let made = Gloo.render(&c, &Objects::default(), split, &Cookies::default()).unwrap();
    let routes = made.last().unwrap().body["spec"]["routes"].clone();
    let leads = |route: &Value, side: Side, value: &str| {
        assert_eq!(route["matchers"], json!([{"headers": [{"name": "x", "value": value}]}]));
        let to = json!({"multi": {"destinations": [to_upstream(&c, side, 100)]}});
        assert_eq!(route["routeAction"], to);
    };
    leads(&routes[0], Side::Primary, "b");
    leads(&routes[1], Side::Canary, "a");
    assert!(routes[2].get("matchers").is_none() && routes.as_array().unwrap().len() == 3, "{routes}");
}

#[test]
fn t8_what_gloo_says_of_upstreams_is_read_in_each_of_its_forms() {
    let c = canary(&Value::Null, &json!({"stepWeight": 10}));
    let said = |status: Value| {
        let mut live = Objects::default();
        for made in Gloo.render(&c, &live.clone(), Split::to_canary(0), &Cookies::default()).unwrap() {
            let mut object = made.to_create();
            object["status"] = status.clone();
            live.insert(made.kind, object);
        }
        (Gloo.not_accepted(&c, &live).is_none(), Gloo.not_programmed(&c, &live))
    };
    let of_each = |state: Value| json!({"statuses": {"gloo-system": state}});
    for taken in [json!("Accepted"), json!("Warning"), json!(1), json!(3)] {
        assert_eq!(said(of_each(json!({"state": taken}))), (true, None));
        assert_eq!(said(json!({"state": taken})), (true, None));
    }
    for unseen in [json!({}), of_each(json!({"state": "Pending"})), of_each(json!({"state": 0}))] {
        assert_eq!(said(unseen), (false, None));
    }
    for rejected in [json!("Rejected"), json!(2)] {
        let (accepted, why) = said(of_each(json!({"state": rejected, "reason": "no such Service"})));
        assert!(!accepted && why.is_some_and(|why| why.contains("no such Service")));
    }
}

/// The objects of a Canary with this port, beside `live`.
fn with_port(live: &mut Objects, c: &Validated) {
    for made in Gloo.render(c, &live.clone(), Split::to_canary(0), &Cookies::default()).unwrap() {
        live.insert(made.kind, made.to_create());
    }
}

#[test]
fn upstreams_of_a_former_port_go_once_the_table_leads_elsewhere() {
    let c = canary(&Value::Null, &json!({"stepWeight": 10}));
    let new = c.with_port(8080);
    let mut live = Objects::default();
    with_port(&mut live, &c);
    let mut foreign = live.get(UPSTREAM, "test-podinfo-primaryupstream-80").unwrap().clone();
    foreign["metadata"] = json!({"name": "test-podinfo-primaryupstream-81"});
    live.insert(UPSTREAM, foreign);
    let names = |undo: Vec<Undo>| {
        let deleted = |undo: Undo| if let Undo::Delete(at) = undo { Some(at.name) } else { None };
        undo.into_iter().filter_map(deleted).collect::<Vec<_>>()
    };
    assert!(names(Gloo.leftovers(&new, &live)).is_empty(), "the table leads to them");
    with_port(&mut live, &new);
    let former = ["test-podinfo-canaryupstream-80", "test-podinfo-primaryupstream-80"];
    assert_eq!(names(Gloo.leftovers(&new, &live)), former);
    let mut other = new.clone();
    other.name = "other".into();
    assert!(names(Gloo.leftovers(&other, &live)).is_empty());
    let mut all = names(Gloo.restore(&new, &live));
    all.sort_unstable();
    let current = ["test-podinfo-canaryupstream-8080", "test-podinfo-primaryupstream-8080"];
    assert_eq!(all, [former[0], current[0], former[1], current[1]]);
}

#[test]
fn settings_of_an_upstream_that_a_table_led_to_are_asked_for() {
    let upstream = json!({"upstream": {"name": "test-podinfo-80", "namespace": "gloo-system"}});
    let kube = json!({"kube": {"ref": {"name": "podinfo", "namespace": "test"}, "port": 80}});
    let advice = |reference: &Value, to: &Value| {
        let c = canary(reference, &json!({"stepWeight": 10}));
        let mut live = Objects::default();
        let table =
            json!({"metadata": {"name": "podinfo"}, "spec": {"routes": [{"routeAction": {"single": to}}]}});
        live.insert(Gloo.kinds()[0], table);
        Gloo.advice(&c, &live).join("; ")
    };
    let said = advice(&Value::Null, &upstream);
    assert!(said.contains("test-podinfo-80") && said.contains("spec.upstreamRef"), "{said}");
    assert_eq!(advice(&Value::Null, &kube), "");
    let reference = json!({"apiVersion": "gloo.solo.io/v1", "kind": "Upstream", "name": "settings"});
    assert_eq!(advice(&reference, &upstream), "");
}
