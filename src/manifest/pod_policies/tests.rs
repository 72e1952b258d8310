use serde_json::json;

use super::*;
use crate::manifest::fixture;

fn sides() -> [Value; 2] {
    [json!({"app": "podinfo", "tier": "web"}), json!({"app": "podinfo-primary", "tier": "web"})]
}

fn said(kind: Kind, spec: &Value) -> Vec<String> {
    let mut objects = Objects::default();
    objects.insert(kind, json!({"metadata": {"name": "it"}, "spec": spec}));
    let [target, primary] = sides();
    advice(&fixture::canary(&json!({})), [&target, &primary], &objects)
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
    // pods of other namespaces are none of the primary's
    let elsewhere = json!({"podSelector": {"matchLabels": {"app": "podinfo"}}, "namespaceSelector": {}});
    let told =
        said(NETWORK_POLICY, &json!({"podSelector": database, "ingress": [{"from": [elsewhere]}, {}]}));
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn r36_a_disruption_budget_of_the_target_alone_is_named() {
    let told = said(POD_DISRUPTION_BUDGET, &json!({"selector": {"matchLabels": {"app": "podinfo"}}}));
    assert!(told.len() == 1 && told[0].contains("PodDisruptionBudget it protects"), "{told:?}");
    // one without a selector selects nothing
    for spec in [json!({}), json!({"selector": {}}), json!({"selector": {"matchLabels": {"tier": "web"}}})] {
        assert!(said(POD_DISRUPTION_BUDGET, &spec).is_empty(), "{spec}");
    }
}
