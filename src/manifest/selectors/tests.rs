use super::*;

fn label() -> (String, String) {
    ("app.kubernetes.io/name".into(), "web".into())
}

/// As the default of a chart creates them.
fn target(instance: &str) -> Value {
    let labels = json!({"app.kubernetes.io/name": "web", "app.kubernetes.io/instance": instance});
    let mut pods = labels.clone();
    pods["version"] = json!("1");
    json!({"spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": pods}}}})
}

/// A primary that selects by one label, as earlier versions and Flagger create it.
fn one_label(instance: &str) -> Value {
    let pods = json!({"app.kubernetes.io/name": "web-primary", "app.kubernetes.io/instance": instance});
    json!({
        "metadata": {"generation": 2},
        "spec": {
            "selector": {"matchLabels": {"app.kubernetes.io/name": "web-primary"}},
            "template": {"metadata": {"labels": pods}},
        },
        "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2},
    })
}

#[test]
fn r6_two_releases_of_one_chart_select_their_own_pods() {
    let (a, b) = (target("a"), target("b"));
    let (of_a, of_b) = (of_target(&a, &label()), of_target(&b, &label()));
    assert!(selects(&of_a, &a) && !selects(&of_a, &b) && selects(&of_b, &b));
    let new = of_new_primary(&a, &label());
    assert!(!selects(&new, &a) && !selects(&new, &one_label("b")) && selects(&new, &one_label("a")));
    assert_eq!(shown(&new), "app.kubernetes.io/instance=a, app.kubernetes.io/name=web-primary");
}

#[test]
fn r7_pods_of_another_component_are_not_selected() {
    let of = |component: &str| {
        let labels = json!({"app.kubernetes.io/name": "web", "component": component});
        json!({"spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}})
    };
    let (web, worker) = (of("web"), of("worker"));
    assert!(selects(&of_target(&web, &label()), &web) && !selects(&of_target(&web, &label()), &worker));
}

#[test]
fn c7_a_primary_that_selects_by_one_label_is_found_by_all_that_its_pods_have() {
    let all = of_new_primary(&target("a"), &label());
    assert_eq!(of_primary(&target("a"), &label(), Some(&one_label("a")), None), all);
    let mut rolling = one_label("a");
    rolling["status"]["updatedReplicas"] = json!(1);
    let one = match_labels(&rolling);
    assert_eq!(of_primary(&target("a"), &label(), Some(&rolling), None), one, "its old pods may lack it");
    let service = json!({"spec": {"selector": all}});
    assert_eq!(of_primary(&target("a"), &label(), Some(&rolling), Some(&service)), all, "and may not");
    // a target that was created again with another label
    assert_eq!(of_primary(&target("c"), &label(), Some(&one_label("a")), Some(&service)), one);
    assert_eq!(of_primary(&target("a"), &label(), Some(&json!({})), None), all);
}

#[test]
fn c41_pods_of_a_primary_keep_what_they_are_selected_by() {
    let kept = kept_by(&one_label("a"), &target("c"));
    assert_eq!(
        json!(kept),
        json!({"app.kubernetes.io/name": "web-primary", "app.kubernetes.io/instance": "a"})
    );
}

#[test]
fn expressions_go_along_but_for_those_about_the_label() {
    let mut target = target("a");
    let of = |key: &str| json!({"key": key, "operator": "In", "values": ["web"]});
    target["spec"]["selector"]["matchExpressions"] = json!([of("app.kubernetes.io/name"), of("tier")]);
    assert_eq!(whole(&target, &label())["matchExpressions"], json!([of("tier")]));
}

#[test]
fn odd_objects_select_nothing_of_others() {
    for odd in [json!(null), json!([]), json!({"spec": {"selector": {"matchLabels": 3}}})] {
        assert_eq!(shown(&of_target(&odd, &label())), "app.kubernetes.io/name=web");
        assert!(!selects(&match_labels(&odd), &target("a")));
    }
}
