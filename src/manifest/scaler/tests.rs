use serde_json::{Value, json};

use super::*;
use crate::manifest::{
    fixture::{self, merge},
    patch,
};

fn hpa() -> Value {
    json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {
            "name": "podinfo", "uid": "u7", "resourceVersion": "3",
            "labels": {"team": "a", "kustomize.toolkit.fluxcd.io/name": "x"},
            "annotations": {names::ANNOTATION_KUBECTL: "{}", "owner": "me"},
        },
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
            "minReplicas": 2, "maxReplicas": 8,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
        },
        "status": {"currentReplicas": 4},
    })
}

fn scaled_object() -> Value {
    json!({
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
        "metadata": {"name": "podinfo", "labels": {"a": "b", "scaledobject.keda.sh/name": "podinfo"}, "annotations": {
            names::KEDA_PAUSED_REPLICAS: "0", "autoscaling.keda.sh/paused": "true",
            "scaledobject.keda.sh/transfer-hpa-ownership": "true", "owner": "me",
        }},
        "spec": {
            "scaleTargetRef": {"name": "podinfo"}, "pollingInterval": 10, "idleReplicaCount": 0,
            "advanced": {"horizontalPodAutoscalerConfig": {"name": "podinfo-by-load"}},
            "triggers": [
                {"type": "prometheus", "name": "load", "metadata": {"threshold": "5", "query": "rate(x{app=\"podinfo\"}[1m])"}},
                {"type": "cron", "metadata": {"start": "0 8 * * *", "desiredReplicas": "5"}},
            ],
        },
    })
}

fn named(kind: Kind, more: &Value) -> AutoscalerRef {
    let mut all = json!({"apiVersion": kind.api_version(), "kind": kind.kind, "name": "podinfo"});
    fixture::merge(&mut all, more);
    serde_json::from_value(all).unwrap()
}

fn rendered(kind: Kind, more: &Value, source: &Value, floor: Option<i64>) -> Manifest {
    primary_autoscaler(
        &fixture::canary(&json!({})),
        kind,
        &named(kind, more),
        source,
        &("app".into(), "podinfo".into()),
        floor,
    )
}

#[test]
fn the_primary_is_scaled_as_the_target_is() {
    let made = rendered(HPA, &json!({}), &hpa(), None);
    let mut spec = hpa()["spec"].clone();
    spec["scaleTargetRef"]["name"] = json!("podinfo-primary");
    assert_eq!((made.name.as_str(), &made.body["spec"]), ("podinfo-primary", &spec));
    assert_eq!(made.body["metadata"]["labels"], json!({"team": "a", names::LABEL_CANARY: "podinfo"}));
    let annotations = made.to_create()["metadata"]["annotations"].clone();
    assert_eq!(annotations.as_object().unwrap().keys().collect::<Vec<_>>(), [names::ANNOTATION_SOURCE]);
    assert!(made.to_create()["metadata"]["ownerReferences"].is_null());
}

/// The note of a floor.
fn floor_of(made: &Manifest) -> Value {
    let noted = made.body["metadata"]["annotations"][names::ANNOTATION_FLOOR].as_str();
    noted.map(|noted| serde_json::from_str(noted).unwrap()).unwrap_or_default()
}

#[test]
fn own_bounds_and_a_floor_are_put_in_and_taken_out() {
    let own = json!({"primaryScalerReplicas": {"minReplicas": 3, "maxReplicas": 20}});
    let bounds_of = |m: &Manifest| bounds(HPA, &m.body);
    assert_eq!(bounds_of(&rendered(HPA, &own, &hpa(), None)), (3, 20));
    let raised = rendered(HPA, &own, &hpa(), Some(7));
    assert_eq!(bounds_of(&raised), (7, 20));
    assert_eq!(
        floor_of(&raised),
        json!({"replicas": 7, "atRest": {"minReplicas": 3, "idleReplicaCount": null}})
    );
    assert_eq!(
        bounds_of(&rendered(HPA, &json!({}), &hpa(), Some(50))),
        (8, 8),
        "as far as the maximum allows"
    );
    let low = rendered(HPA, &own, &hpa(), Some(1));
    assert_eq!((bounds_of(&low), floor_of(&low)), ((3, 20), Value::Null));

    let back = patch(&raised.to_create(), &rendered(HPA, &own, &hpa(), None)).unwrap();
    assert_eq!(
        back,
        json!({"metadata": {"annotations": {names::ANNOTATION_FLOOR: null}}, "spec": {"minReplicas": 3}})
    );
    let mut alone = raised.to_create();
    let without = without_floor(&alone).unwrap();
    merge(&mut alone, &without);
    assert_eq!((bounds(HPA, &alone), without_floor(&alone)), ((3, 20), None));
}

#[test]
fn only_a_change_of_the_source_changes_its_mark() {
    let mark = |m: &Manifest| m.body["metadata"]["annotations"][names::ANNOTATION_SOURCE].clone();
    let made = rendered(HPA, &json!({}), &hpa(), None);
    assert_eq!(mark(&made), mark(&rendered(HPA, &json!({}), &hpa(), Some(5))));
    let mut edited = hpa();
    edited["spec"]["maxReplicas"] = json!(9);
    assert_ne!(mark(&made), mark(&rendered(HPA, &json!({}), &edited, None)));
    edited = hpa();
    edited["spec"].as_object_mut().unwrap().remove("behavior");
    let follows = patch(&made.to_create(), &rendered(HPA, &json!({}), &edited, None)).unwrap();
    assert_eq!(follows["spec"], json!({"behavior": null}));
    assert_eq!(patch(&made.to_create(), &made), None);
}

#[test]
fn a_scaled_object_is_copied_awake_and_about_the_primary() {
    let made = rendered(SCALED_OBJECT, &json!({}), &scaled_object(), None);
    let spec = &made.body["spec"];
    assert_eq!(spec["scaleTargetRef"], json!({"name": "podinfo-primary"}));
    assert_eq!(spec["advanced"]["horizontalPodAutoscalerConfig"]["name"], "podinfo-by-load-primary");
    assert_eq!(spec["triggers"][0]["metadata"]["query"], "rate(x{app=\"podinfo-primary\"}[1m])");
    assert_eq!(spec["triggers"][1], scaled_object()["spec"]["triggers"][1]);
    assert_eq!(made.body["metadata"]["labels"], json!({"a": "b", names::LABEL_CANARY: "podinfo"}));
    let annotations = made.to_create()["metadata"]["annotations"].clone();
    let kept: Vec<_> = annotations.as_object().unwrap().keys().cloned().collect();
    assert_eq!(kept, ["scaledobject.keda.sh/transfer-hpa-ownership", names::ANNOTATION_SOURCE]);

    let given = json!({"primaryScalerQueries": {"load": "sum(y)"}});
    let made = rendered(SCALED_OBJECT, &given, &scaled_object(), Some(4));
    assert_eq!(made.body["spec"]["triggers"][0]["metadata"]["query"], "sum(y)");
    assert_eq!(
        (&made.body["spec"]["minReplicaCount"], &made.body["spec"]["idleReplicaCount"]),
        (&json!(4), &Value::Null)
    );
}

#[test]
fn a_floor_forbids_to_be_idle() {
    let mut source = scaled_object();
    source["spec"]["minReplicaCount"] = json!(3);
    let made = rendered(SCALED_OBJECT, &json!({}), &source, Some(2));
    assert_eq!(
        (&made.body["spec"]["minReplicaCount"], &made.body["spec"]["idleReplicaCount"]),
        (&json!(3), &Value::Null)
    );
    assert_eq!(floor_of(&made)["replicas"], 2);
    let mut alone = made.to_create();
    let without = without_floor(&alone).unwrap();
    merge(&mut alone, &without);
    assert_eq!(
        (&alone["spec"]["minReplicaCount"], &alone["spec"]["idleReplicaCount"]),
        (&json!(3), &json!(0))
    );
    let rests = rendered(SCALED_OBJECT, &json!({}), &source, None);
    assert_eq!(rests.body["spec"]["idleReplicaCount"], 0);
}

#[test]
fn bounds_have_the_defaults_of_their_kind() {
    assert_eq!(bounds(HPA, &json!({"spec": {"maxReplicas": 4}})), (1, 4));
    assert_eq!(bounds(SCALED_OBJECT, &json!({"spec": {}})), (0, 100));
    assert_eq!(bounds(HPA, &json!({"spec": {"minReplicas": -3, "maxReplicas": "x"}})), (0, 1));
}

#[test]
fn a_pause_is_at_no_pods() {
    assert!(paused(&scaled_object()));
    let mut other = scaled_object();
    fixture::merge(&mut other, &json!({"metadata": {"annotations": {names::KEDA_PAUSED_REPLICAS: "3"}}}));
    assert!(!paused(&other));
    let patch = pause(&other, "uid-1");
    fixture::merge(&mut other, &patch);
    assert!(paused_by_us(&other));
    let patch = resume(&other);
    fixture::merge(&mut other, &patch);
    assert_eq!(other["metadata"]["annotations"][names::KEDA_PAUSED_REPLICAS], "3", "as it was");
    assert_eq!(other["metadata"]["annotations"][names::ANNOTATION_ORIGINAL], Value::Null);

    let mut flaggers = scaled_object();
    assert!(!paused_by_us(&flaggers));
    let patch = resume(&flaggers);
    fixture::merge(&mut flaggers, &patch);
    assert!(!paused(&flaggers));
}

#[test]
fn r5_the_copy_bears_no_label_by_which_a_tool_deletes_it() {
    let mut source = hpa();
    let labels = json!({"app.kubernetes.io/instance": "shop", "kapp.k14s.io/app": "1", "team": "a"});
    fixture::merge(&mut source, &json!({"metadata": {"labels": labels}}));
    let made = rendered(HPA, &json!({}), &source, None);
    let bears = made.to_create()["metadata"]["labels"].clone();
    assert_eq!(bears, json!({"team": "a", names::LABEL_CANARY: "podinfo"}));
    // what an earlier version copied is removed
    let mut live = made.to_create();
    fixture::merge(&mut live, &json!({"metadata": {"labels": labels}}));
    let change = patch(&live, &made).unwrap();
    assert_eq!(
        change["metadata"]["labels"],
        json!({"app.kubernetes.io/instance": null, "kapp.k14s.io/app": null})
    );
}

#[test]
fn k3_one_that_may_reach_zero_is_told_to_keep_pods_and_given_back() {
    let mut live = scaled_object();
    live["metadata"]["annotations"] = json!({names::KEDA_PAUSED_SCALE_IN: "false"});
    assert!(reaches_zero(&live), "idle at 0");
    let before = live.clone();
    for patch in [pause, keep_up, pause, keep_up] {
        let change = patch(&live, "uid-1");
        fixture::merge(&mut live, &change);
        assert!(paused_by(&live, "uid-1") && !paused_by(&live, "uid-2"));
    }
    assert!(kept_up(&live) && !paused(&live));
    let change = resume(&live);
    fixture::merge(&mut live, &change);
    assert_eq!(live, before);
    for (spec, zero) in [
        (json!({"minReplicaCount": 0}), true),
        (json!({}), true),
        (json!({"minReplicaCount": 1}), false),
        (json!({"minReplicaCount": 3, "idleReplicaCount": 0}), true),
        (json!({"minReplicaCount": 3, "idleReplicaCount": 1}), false),
    ] {
        assert_eq!(reaches_zero(&json!({"spec": spec})), zero);
    }
}

/// A tool that applies it, or a person, sets the annotation again while it is ours.
#[test]
fn what_its_owner_has_set_since_is_what_is_given_back() {
    let set = |live: &mut Value, key: &str, value: Value| {
        fixture::merge(live, &json!({"metadata": {"annotations": {key: value}}}));
    };
    for (key, value, first, second) in [
        (
            names::KEDA_PAUSED_REPLICAS,
            json!("3"),
            pause as fn(&Value, &str) -> Value,
            pause as fn(&Value, &str) -> Value,
        ),
        (names::KEDA_PAUSED_REPLICAS, json!(null), pause, keep_up),
        (names::KEDA_PAUSED_SCALE_IN, json!("false"), keep_up, keep_up),
        (names::KEDA_PAUSED_SCALE_IN, json!(null), keep_up, pause),
    ] {
        let mut live = scaled_object();
        live["metadata"]["annotations"] = json!({names::KEDA_PAUSED_REPLICAS: "1"});
        let change = first(&live, "uid-1");
        fixture::merge(&mut live, &change);
        set(&mut live, key, value.clone());
        let change = second(&live, "uid-1");
        fixture::merge(&mut live, &change);
        let change = resume(&live);
        fixture::merge(&mut live, &change);
        let annotations = &live["metadata"]["annotations"];
        assert_eq!((&annotations[key], &annotations[names::ANNOTATION_ORIGINAL]), (&value, &Value::Null));
    }
}
