use serde_json::json;

use super::*;
use crate::manifest::fixture;

fn sides() -> [Value; 2] {
    [json!({"app": "podinfo", "tier": "web"}), json!({"app": "podinfo-primary", "tier": "web"})]
}

fn said(kind: Kind, spec: &Value) -> Vec<String> {
    said_of(kind, &[("it", spec)])
}

fn said_of(kind: Kind, all: &[(&str, &Value)]) -> Vec<String> {
    let mut objects = Objects::default();
    for (name, spec) in all {
        objects.insert(kind, json!({"metadata": {"name": name}, "spec": spec}));
    }
    let [target, primary] = sides();
    Sides::new(&fixture::canary(&json!({})), [&target, &primary]).advice(kind, &objects)
}

#[test]
fn r36_a_network_policy_of_the_target_alone_is_named() {
    let of = |selector: Value| said(NETWORK_POLICY, &json!({"podSelector": selector}));
    let told = of(json!({"matchLabels": {"app": "podinfo"}}));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with(
            "NetworkPolicy it holds for the pods of podinfo and not for those of podinfo-primary"
        )
    );
    let expression = |operator: &str, values: Value| json!({"matchExpressions": [{"key": "app", "operator": operator, "values": values}]});
    assert_eq!(of(expression("In", json!(["podinfo"]))).len(), 1);
    assert_eq!(of(expression("NotIn", json!(["podinfo-primary"]))).len(), 1);
    for both in [
        json!({}),
        json!({"matchLabels": {"tier": "web"}}),
        json!({"matchLabels": {"app": "other"}}),
        expression("In", json!(["podinfo", "podinfo-primary"])),
        expression("Exists", Value::Null),
        expression("DoesNotExist", Value::Null),
    ] {
        assert_eq!(of(both.clone()), Vec::<String>::new(), "{both}");
    }
}

#[test]
fn r36_a_network_policy_of_another_workload_that_lets_the_target_through_is_named() {
    let peer = json!({"podSelector": {"matchLabels": {"app": "podinfo"}}});
    let database = json!({"matchLabels": {"app": "database"}});
    for (rules, ends) in [("ingress", "from"), ("egress", "to")] {
        let told = said(NETWORK_POLICY, &json!({"podSelector": database, rules: [{ends: [peer]}]}));
        assert!(told.len() == 1 && told[0].contains("lets the pods of podinfo through"), "{told:?}");
    }
    // pods of other namespaces are not the primary's
    let elsewhere = json!({"podSelector": {"matchLabels": {"app": "podinfo"}}, "namespaceSelector": {}});
    let told =
        said(NETWORK_POLICY, &json!({"podSelector": database, "ingress": [{"from": [elsewhere]}, {}]}));
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn r36_a_disruption_budget_of_the_target_alone_is_named() {
    let told = said(POD_DISRUPTION_BUDGET, &json!({"selector": {"matchLabels": {"app": "podinfo"}}}));
    assert!(told.len() == 1 && told[0].contains("PodDisruptionBudget it protects"), "{told:?}");
    // a policy without a selector selects nothing
    for spec in [json!({}), json!({"selector": {}}), json!({"selector": {"matchLabels": {"tier": "web"}}})] {
        assert!(said(POD_DISRUPTION_BUDGET, &spec).is_empty(), "{spec}");
    }
}

#[test]
fn advice_goes_when_another_object_holds_for_the_primary() {
    let of = |name: &str| json!({"matchLabels": {"app": name}});
    let budget = |selector: Value| json!({"selector": selector});
    let one = budget(of("podinfo"));
    for (other, told) in
        [(of("podinfo-primary"), 0), (json!({"matchLabels": {"tier": "web"}}), 0), (of("x"), 1)]
    {
        let all = said_of(POD_DISRUPTION_BUDGET, &[("it", &one), ("other", &budget(other.clone()))]);
        assert_eq!(all.len(), told, "{other}");
    }

    let policy = |selector: Value, rules: Value| {
        let mut policy = json!({"podSelector": selector});
        json_patch::merge(&mut policy, &rules);
        policy
    };
    let (allows, denies) = (json!({"ingress": [{}]}), json!({}));
    let primary = || of("podinfo-primary");
    for (one, selector, other, told) in [
        (&allows, primary(), &allows, 0),
        (&denies, primary(), &denies, 0),
        (&denies, json!({}), &denies, 0),
        // a policy that denies everything to all cuts the primary off
        (&allows, json!({}), &denies, 1),
        (&allows, primary(), &json!({"egress": [{}]}), 1),
        (&allows, of("x"), &allows, 1),
    ] {
        let (it, other) = (policy(of("podinfo"), one.clone()), policy(selector, other.clone()));
        assert_eq!(said_of(NETWORK_POLICY, &[("it", &it), ("other", &other)]).len(), told, "{it} {other}");
    }
}

#[test]
fn advice_about_peers_goes_when_the_primary_is_let_through_as_well() {
    let end = |name: &str| json!({"podSelector": {"matchLabels": {"app": name}}});
    let database =
        |name: &str, rules: Value| json!({"podSelector": {"matchLabels": {"app": name}}, "ingress": rules});
    let rule = |ends: Value, port: u16| json!({"from": ends, "ports": [{"port": port}]});
    let (target, primary) = (end("podinfo"), end("podinfo-primary"));
    for (rules, told) in [
        (json!([rule(json!([target]), 80)]), 1),
        (json!([rule(json!([target, primary]), 80)]), 0),
        (json!([rule(json!([target, {"namespaceSelector": {}}]), 80)]), 0),
        (json!([rule(json!([target, {"namespaceSelector": {"matchLabels": {"a": "b"}}}]), 80)]), 1),
        (json!([rule(json!([target, {"ipBlock": {"cidr": "10.0.0.0/8"}}]), 80)]), 1),
        (json!([rule(json!([target]), 80), rule(json!([primary]), 80)]), 0),
        (json!([rule(json!([target]), 80), {"from": [primary]}]), 0),
        (json!([rule(json!([target]), 80), rule(json!([primary]), 81)]), 1),
    ] {
        assert_eq!(said(NETWORK_POLICY, &database("database", rules.clone())).len(), told, "{rules}");
    }
    // another policy for the same pods
    let it = database("database", json!([rule(json!([target]), 80)]));
    for (whose, told) in [("database", 0), ("cache", 1)] {
        let other = database(whose, json!([rule(json!([primary]), 80)]));
        assert_eq!(said_of(NETWORK_POLICY, &[("it", &it), ("other", &other)]).len(), told, "{whose}");
    }
}

#[test]
fn a_service_of_others_that_leads_to_the_target_alone_is_named() {
    let [target, primary] = sides();
    let told = |name: &str, selector: Value, labels: Value| {
        let mut objects = Objects::default();
        let metadata = json!({"name": name, "labels": labels});
        objects
            .insert(crate::snapshot::SERVICE, json!({"metadata": metadata, "spec": {"selector": selector}}));
        let c = fixture::canary(&json!({}));
        Sides::new(&c, [&target, &primary]).about_services(&c, &objects)
    };
    for selector in [json!({"app": "podinfo"}), json!({"app": "podinfo", "tier": "web"})] {
        let said = told("podinfo-lb", selector, Value::Null);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with(
            "Service podinfo-lb leads to the pods of podinfo and not to those of podinfo-primary"
        ));
        assert!(said[0].contains("have it select the labels of podinfo-primary"), "{said:?}");
    }
    for selector in [
        json!({"app": "podinfo-primary"}),
        json!({"tier": "web"}),
        json!({"app": "podinfo", "tier": "cache"}),
        json!({}),
        Value::Null,
    ] {
        assert!(told("podinfo-lb", selector.clone(), Value::Null).is_empty(), "{selector}");
    }
    let own = json!({"app": "podinfo"});
    for name in ["podinfo", "podinfo-canary", "podinfo-primary"] {
        assert!(told(name, own.clone(), Value::Null).is_empty(), "{name}");
    }
    assert!(told("other", own, json!({crate::names::LABEL_CANARY: "other"})).is_empty(), "Serin made it");
}
