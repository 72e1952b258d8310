//! Test data for the pure modules: Canaries, the target of the recordings, and how an API server applies a patch.

use std::time::Duration;

use jiff::Timestamp;
/// RFC 7386, as the API server applies it.
pub(crate) use json_patch::merge;
use serde_json::{Value, json};

use super::Manifest;
use crate::{
    config::Ingress,
    names,
    spec::{Apex, CheckedSpec, Names, Step, Strategy, Target, Validated},
};

/// The Canary of the recordings, with `service` laid over `port: 80`.
pub(crate) fn canary(service: &Value) -> Validated {
    let mut all = json!({"port": 80});
    merge(&mut all, service);
    let apex = all["name"].as_str().unwrap_or("podinfo").to_owned();
    let analysis = json!({"interval": "10s", "threshold": 3, "stepWeight": 25, "maxWeight": 50});
    let spec = json!({
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
        "service": all, "analysis": analysis,
    });
    Validated::unchecked(CheckedSpec {
        name: "podinfo".into(),
        namespace: "test".into(),
        names: Names {
            target: "podinfo".into(),
            primary: names::primary("podinfo"),
            primary_service: names::primary(&apex),
            canary_service: names::canary(&apex),
            apex,
        },
        target: Target::Deployment,
        provider: "istio".into(),
        ingress: Ingress::default(),
        mesh: "default".into(),
        metrics_server: "http://prometheus:9090".into(),
        service: serde_json::from_value(all).unwrap(),
        analysis: serde_json::from_value(analysis).unwrap(),
        spec: serde_json::from_value(spec).unwrap(),
        names_port: false,
        mesh_appended: false,
        strategy: Strategy::Weighted,
        schedule: [25, 50].map(|weight| Step { weight, ..Step::default() }).to_vec(),
        promotion_step: 0,
        interval: Duration::from_secs(10),
        threshold: 3,
        deadline: Duration::from_secs(60),
        settle: None,
        linger: Duration::ZERO,
        apex: Apex::Stays,
        pause: None,
        gates: crate::spec::Gates::default(),
        windows: Vec::new(),
        canary_replicas: None,
        skip_analysis: false,
        metrics: Vec::new(),
    })
}

/// The target of the recordings, as stored.
pub(crate) fn target() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "podinfo", "namespace": "test", "uid": "u1", "generation": 1, "resourceVersion": "10",
            "labels": {"app": "podinfo", "team": "a", "kustomize.toolkit.fluxcd.io/name": "x"},
            "annotations": {"owner": "me", names::ANNOTATION_KUBECTL: "{}", "deployment.kubernetes.io/revision": "3"},
        },
        "spec": {
            "replicas": 2, "minReadySeconds": 1, "revisionHistoryLimit": 5, "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"app": "podinfo"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
            "template": {
                "metadata": {
                    "labels": {"app": "podinfo", "version": "x"},
                    "annotations": {"prometheus.io/scrape": "true"},
                },
                "spec": {
                    "containers": [{
                        "name": "podinfod", "image": "podinfo:1",
                        "env": [{"name": "UI", "valueFrom": {"configMapKeyRef": {"name": "cm-env", "key": "a"}}}],
                        "ports": [
                            {"name": "http", "containerPort": 9898, "protocol": "TCP"},
                            {"name": "http-metrics", "containerPort": 9797, "protocol": "TCP"},
                            {"containerPort": 9999, "protocol": "TCP"},
                        ],
                    }],
                    "volumes": [{"name": "v", "secret": {"secretName": "sec", "defaultMode": 420}}],
                },
            },
        },
    })
}

/// The object with the epoch of the run that writes it and the time of the write.
pub(crate) fn stamped(object: Manifest, epoch: i64, written: Timestamp) -> Manifest {
    object
        .annotated(names::ANNOTATION_EPOCH, &epoch.to_string())
        .annotated(names::ANNOTATION_WRITTEN, &written.to_string())
}
