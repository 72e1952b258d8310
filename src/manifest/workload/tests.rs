use super::*;
use crate::manifest::{
    fixture::{self, merge},
    patch,
};

fn label() -> (String, String) {
    ("app".into(), "podinfo".into())
}

fn want(target: &Value, prefixes: &[&str]) -> Manifest {
    let prefixes: Vec<String> = prefixes.iter().map(|p| (*p).into()).collect();
    primary(&fixture::canary(&json!({})), target, &Source::of(target), &label(), 4, "h", &prefixes)
}

#[test]
fn the_label_is_the_first_preferred_one() {
    let prefs = ["app", "name"].map(String::from);
    let target = |labels: Value| json!({"spec": {"selector": {"matchLabels": labels}}});
    assert_eq!(selector_label(&fixture::target(), &prefs), Some(label()));
    assert_eq!(selector_label(&target(json!({"name": "x"})), &prefs), Some(("name".into(), "x".into())));
    assert_eq!(selector_label(&target(json!({"tier": "x"})), &prefs), None);
}

#[test]
fn a_created_primary_is_the_recorded_one() {
    let target = fixture::target();
    let body = created(want(&target, &[]), &target, &label(), 2).body;
    let mut recorded = target["spec"].clone();
    recorded["selector"]["matchLabels"]["app"] = json!("podinfo-primary");
    recorded["template"]["metadata"]["labels"]["app"] = json!("podinfo-primary");
    assert_eq!(body["spec"], recorded);
    assert_eq!(body["metadata"]["labels"], json!({"app": "podinfo-primary", "serin.dev/canary": "podinfo"}));
    assert_eq!(
        body["metadata"]["annotations"],
        json!({"owner": "me", "serin.dev/revision": "h", "serin.dev/epoch": "4"})
    );
}

#[test]
fn a_promotion_changes_no_replicas_and_no_selector() {
    let mut target = fixture::target();
    let mut live = created(want(&target, &[]), &target, &label(), 2).to_create();
    live["spec"]["replicas"] = json!(7);
    live["spec"]["template"]["spec"]["byHand"] = json!(true);
    target["spec"]["template"]["spec"]["containers"][0]["image"] = json!("podinfo:2");
    target["spec"]["strategy"] = json!({"type": "Recreate"});
    target["spec"].as_object_mut().unwrap().remove("minReadySeconds");
    let w = want(&target, &[]);
    let change = patch(&live, &w).unwrap();
    merge(&mut live, &change);
    assert_eq!(patch(&live, &w), None);
    assert_eq!(
        (&live["spec"]["replicas"], &live["spec"]["strategy"]),
        (&json!(7), &json!({"type": "Recreate"}))
    );
    assert_eq!(live["spec"]["template"], w.body["spec"]["template"]);
    assert!(live["spec"].get("minReadySeconds").is_none());
    assert!(live["metadata"]["annotations"].get("owner").is_none(), "as Flagger replaces them");
}

#[test]
fn labels_and_annotations_are_copied_by_prefix() {
    let target = fixture::target();
    let labels = |prefixes: &[&str]| want(&target, prefixes).body["metadata"]["labels"].clone();
    assert_eq!(labels(&["te"])["team"], "a");
    assert_eq!(labels(&["*"])["team"], "a");
    assert!(labels(&["*"]).as_object().unwrap().keys().all(|k| !k.contains(names::FLUX)));
    assert!(labels(&["", "x"]).get("team").is_none());
    assert_eq!(want(&target, &["own"]).body["metadata"]["annotations"]["owner"], "me");
}

#[test]
fn selectors_of_the_pods_own_kind_follow_the_primary() {
    let by = |value: &str| json!({"labelSelector": {"matchLabels": {"app": value, "tier": "podinfo"}}});
    let expr = |values: Value| json!({"labelSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": values}]}});
    let source = json!({"metadata": {"annotations": {"a.toolkit.fluxcd.io/x": "1"}}, "spec": {
        "topologySpreadConstraints": [by("podinfo"), by("other")],
        "affinity": {
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [expr(json!(["x", "podinfo", "podinfo"]))],
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": by("podinfo")}],
            },
            "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [by("podinfo")]},
        },
    }});
    let out = template(Target::Deployment, &source, &label(), "podinfo");
    assert_eq!(out["spec"]["topologySpreadConstraints"], json!([by("podinfo-primary"), by("other")]));
    let anti = &out["spec"]["affinity"]["podAntiAffinity"];
    let required = &anti["requiredDuringSchedulingIgnoredDuringExecution"];
    assert_eq!(*required, json!([expr(json!(["x", "podinfo-primary", "podinfo"]))]), "the first match only");
    let preferred = &anti["preferredDuringSchedulingIgnoredDuringExecution"][0]["podAffinityTerm"];
    assert_eq!(*preferred, by("podinfo-primary"));
    assert_eq!(out["spec"]["affinity"]["podAffinity"], source["spec"]["affinity"]["podAffinity"]);
    assert_eq!(out["metadata"], json!({"annotations": {}, "labels": {"app": "podinfo-primary"}}));
}

/// A pod template that wants to be near pods with these labels: two terms of this selector, one of which is required.
fn near(selector: &Value) -> Value {
    json!({"metadata": {"labels": {"app": "podinfo", "tier": "web"}}, "spec": {"affinity": {"podAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": selector, "topologyKey": "zone"}],
        "preferredDuringSchedulingIgnoredDuringExecution":
            [{"weight": 1, "podAffinityTerm": {"labelSelector": selector, "topologyKey": "zone"}}],
    }}}})
}

#[test]
fn pods_that_are_to_be_near_each_other_are_near_those_of_their_own_side() {
    let pods = |labels: Value| json!({"matchLabels": labels});
    let named = |operator: &str, values: Value| json!({"matchExpressions": [{"key": "app", "operator": operator, "values": values}]});
    for (selector, primary) in [
        (pods(json!({"app": "podinfo"})), pods(json!({"app": "podinfo-primary"}))),
        (
            pods(json!({"app": "podinfo", "tier": "web"})),
            pods(json!({"app": "podinfo-primary", "tier": "web"})),
        ),
        (named("In", json!(["podinfo", "x"])), named("In", json!(["podinfo-primary", "x"]))),
    ] {
        let out = template(Target::Deployment, &near(&selector), &label(), "podinfo");
        assert_eq!(out["spec"], near(&primary)["spec"]);
    }
    for others in [
        pods(json!({"app": "cache"})),
        pods(json!({"app": "podinfo", "tier": "cache"})),
        pods(json!({"tier": "web"})),
        named("NotIn", json!(["podinfo"])),
        named("Exists", json!([])),
    ] {
        let source = near(&others);
        assert_eq!(template(Target::Deployment, &source, &label(), "podinfo")["spec"], source["spec"]);
    }
    let mut elsewhere = near(&pods(json!({"app": "podinfo"})));
    for term in [
        "/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/0",
        "/spec/affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/0/podAffinityTerm",
    ] {
        elsewhere.pointer_mut(term).unwrap()["namespaces"] = json!(["other"]);
    }
    assert_eq!(template(Target::Deployment, &elsewhere, &label(), "podinfo")["spec"], elsewhere["spec"]);
}

#[test]
fn a_primary_that_needs_pods_of_the_target_stays_and_is_advised_about() {
    let mut target = fixture::target();
    target["spec"]["template"] = near(&json!({"matchLabels": {"app": "podinfo"}}));
    let wanted = template(Target::Deployment, &target["spec"]["template"], &label(), "podinfo");
    let mut live = json!({"spec": {"template": wanted}});
    let c = fixture::canary(&json!({}));
    assert_eq!(advice(&c, &target, &live).count(), 0);
    // as Flagger and earlier versions made it
    live["spec"]["template"]["spec"] = target["spec"]["template"]["spec"].clone();
    assert!(same_template(&live["spec"]["template"], &wanted), "it is not restarted for that");
    let advice: Vec<String> = advice(&c, &target, &live).collect();
    assert!(advice.len() == 1 && advice[0].starts_with("the podAffinity of podinfo-primary"), "{advice:?}");
}

#[test]
fn odd_templates_do_not_panic() {
    for odd in [json!(null), json!([]), json!("x"), json!({"metadata": 3, "spec": [1]})] {
        let _ = template(Target::Deployment, &odd, &label(), "podinfo");
        let _ = Source::of(&odd);
        assert!(selector_label(&odd, &["app".into()]).is_none());
    }
}

#[test]
fn damage_is_told_from_additions() {
    let target = fixture::target();
    let w = want(&target, &[]);
    let live = created(w.clone(), &target, &label(), 1).body;
    assert!(!differs(&live, &w));
    let with = |pointer: &str, value: Value| {
        let mut live = live.clone();
        *live.pointer_mut(pointer).unwrap() = value;
        differs(&live, &w)
    };
    assert!(with("/spec/template/spec/containers/0/image", json!("podinfo:9")));
    assert!(with("/spec/template/spec/volumes", json!([])));
    assert!(!with(
        "/spec/template/metadata/annotations",
        json!({"prometheus.io/scrape": "true", "kubectl": "x"})
    ));
    assert!(differs(&json!({}), &w));
}

#[test]
fn r22_a_restart_by_reloader_is_no_damage() {
    let target = fixture::target();
    let w = want(&target, &[]);
    let live = created(w.clone(), &target, &label(), 1).body;
    let with = |name: &str| {
        let mut live = live.clone();
        let env = live.pointer_mut("/spec/template/spec/containers/0/env").and_then(Value::as_array_mut);
        env.unwrap().push(json!({"name": name, "value": "c0ffee"}));
        differs(&live, &w)
    };
    assert!(!with("STAKATER_CM_ENV_CONFIGMAP") && with("BY_HAND"));
}

#[test]
fn r5_a_primary_bears_no_key_by_which_a_tool_deletes_it() {
    let mut target = fixture::target();
    let keys = json!({"app.kubernetes.io/instance": "shop", "argocd.argoproj.io/tracking-id": "shop:apps/Deployment", "team": "a"});
    merge(&mut target, &json!({"metadata": {"labels": keys, "annotations": keys}}));
    merge(&mut target, &json!({"metadata": {"annotations": {"reloader.stakater.com/auto": "true"}}}));
    let made = created(want(&target, &["*"]), &target, &label(), 1).to_create();
    for field in ["labels", "annotations"] {
        let all = made["metadata"][field].as_object().unwrap();
        assert!(all.keys().all(|key| !is_tracking(key) && !is_acting(key)), "{all:?}");
        assert_eq!(all["team"], "a");
    }
    // what an earlier version copied is removed
    let mut live = made;
    merge(
        &mut live,
        &json!({"metadata": {"labels": {"app.kubernetes.io/instance": "shop"}, "annotations": keys}}),
    );
    let patch = untrack(&live, &target, &label()).unwrap();
    merge(&mut live, &patch);
    assert_eq!(untrack(&live, &target, &label()), None);
    assert_eq!(live["metadata"]["labels"].get("app.kubernetes.io/instance"), None);
    let want = want(&target, &["*"]);
    assert_eq!(crate::manifest::patch(&live, &want), None);
    // also if the target has another value by now
    let old =
        json!({"app.kubernetes.io/instance": "old", "argocd.argoproj.io/tracking-id": "old:apps/Deployment"});
    merge(&mut live, &json!({"metadata": {"labels": old, "annotations": old}}));
    let patch = crate::manifest::patch(&live, &want).unwrap();
    merge(&mut live, &patch);
    for field in ["labels", "annotations"] {
        let left = live["metadata"][field].as_object().unwrap();
        assert!(!left.keys().any(|key| is_tracking(key)), "{left:?}");
    }
}

#[test]
fn ch40_a_primary_bears_no_mark_of_a_helm_release_from_the_start() {
    let mut target = fixture::target();
    merge(
        &mut target,
        &json!({"metadata": {
            "labels": {"app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "shop-1.0.0"},
            "annotations": {
                "meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "test",
                "helm.sh/resource-policy": "keep", "helm.sh/hook-weight": "1", "team": "a",
            },
        }}),
    );
    let made = created(want(&target, &["*"]), &target, &label(), 1).to_create();
    let text = made["metadata"].to_string();
    assert!(!text.contains("helm.sh") && !text.contains("managed-by"), "{text}");
    assert_eq!(made["metadata"]["annotations"]["team"], "a");
}

#[test]
fn a_primary_of_flaggers_is_recognised() {
    let target = fixture::target();
    let rewritten = template(Target::Deployment, &target["spec"]["template"], &label(), "podinfo");
    let mut flaggers = rewritten.clone();
    flaggers["metadata"]["annotations"]["flagger-id"] = json!("6a1d");
    flaggers["spec"]["volumes"][0]["secret"]["secretName"] = json!("sec-primary");
    flaggers["spec"]["containers"][0]["env"][0]["valueFrom"]["configMapKeyRef"]["name"] =
        json!("cm-env-primary");
    assert!(same_template(&flaggers, &rewritten));
    flaggers["spec"]["containers"][0]["image"] = json!("podinfo:0");
    assert!(!same_template(&flaggers, &rewritten));
    let named = |name: &str| json!({"spec": {"containers": [{"name": name}]}});
    assert!(!same_template(&named("a-primary"), &named("a")), "only configs are renamed");
}

#[test]
fn a_primary_of_flaggers_is_recognised_however_its_pods_are_spread() {
    // Flagger renames values that are the name of the Deployment, under every key of its selector labels
    let by = |key: &str, value: &str| {
        json!({"labelSelector": {
            "matchLabels": {key: value}, "matchExpressions": [{"key": key, "operator": "In", "values": ["x", value]}],
        }})
    };
    let target = |term: &Value| {
        json!({"metadata": {"labels": {"app": "podinfo"}}, "spec": {
            "topologySpreadConstraints": [term],
            "affinity": {"podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [term],
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}],
            }},
        }})
    };
    let name = "app.kubernetes.io/name";
    let flaggers_and_targets = [
        ((name, "web"), (name, "web"), (name.to_owned(), "web".to_owned())),
        ((name, "shop-web-primary"), (name, "shop-web"), label()),
        (("app", "podinfo"), ("app", "podinfo"), label()),
    ];
    for (has, of_target, label) in flaggers_and_targets {
        let wanted = template(Target::Deployment, &target(&by(of_target.0, of_target.1)), &label, "shop-web");
        let mut flaggers = target(&by(has.0, has.1));
        flaggers["metadata"]["labels"][&label.0] = json!(names::primary(&label.1));
        assert!(same_template(&flaggers, &wanted), "{has:?}");
        flaggers["spec"]["topologySpreadConstraints"][0] = by(has.0, "other");
        assert!(!same_template(&flaggers, &wanted), "{has:?}");
    }
}

#[test]
fn marks_alone_touch_no_spec() {
    let target = fixture::target();
    let change = patch(&target, &marked(&fixture::canary(&json!({})), 5, "h")).unwrap();
    assert_eq!(
        change,
        json!({"metadata": {
            "labels": {"serin.dev/canary": "podinfo"},
            "annotations": {"serin.dev/revision": "h", "serin.dev/epoch": "5"},
        }})
    );
}

#[test]
fn r34_an_identity_that_both_sides_bear_is_told() {
    let (c, mut target) = (fixture::canary(&json!({})), fixture::target());
    assert_eq!(shared_identity(&c, &target), None);
    let dapr = json!({"spec": {"template": {"metadata": {"annotations": {"dapr.io/app-id": "shop"}}}}});
    merge(&mut target, &dapr);
    assert!(shared_identity(&c, &target).unwrap().contains("dapr.io/app-id: shop"));
}
