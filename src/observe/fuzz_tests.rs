//! Canaries and everything around them, as the watches hold it: whatever it is, a look at it ends in a plan.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{ObjectCache, gather, mandatory, stream::Object};
use crate::{
    config::Rules,
    manifest::{fixture, pod_policies},
    plan::{self, Answers, Plan},
    router,
    snapshot::{
        CANARY, CANARY_RUN, CONFIG_MAP, ENDPOINTS, HPA, JOB, KNATIVE_SERVICE, Key, Kind, POD, SCALED_OBJECT,
        SECRET,
    },
    tests::fuzz::{Input, Target, examples, fuzz},
};

const NOW: &str = "2026-01-01T01:00:00Z";

fn kinds() -> Vec<Kind> {
    let mut all: Vec<Kind> = router::all().iter().flat_map(|router| router.all_kinds()).collect();
    all.extend(mandatory(&Rules::default()));
    all.extend(pod_policies::KINDS);
    all.extend([CANARY_RUN, CONFIG_MAP, ENDPOINTS, HPA, JOB, KNATIVE_SERVICE, POD, SCALED_OBJECT, SECRET]);
    all
}

/// As the API server stores it: with metadata of its own kind, in a namespace.
fn stored(mut object: Value, version: usize) -> Value {
    if !object.is_object() {
        return Value::Null;
    }
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    for map in ["labels", "annotations"] {
        if let Some(map) = object["metadata"][map].as_object_mut() {
            map.retain(|_, value| value.is_string());
        } else {
            object["metadata"][map] = json!({});
        }
    }
    object["metadata"]["namespace"] = json!("test");
    object["metadata"]["uid"] = json!("u");
    object["metadata"]["generation"] = json!(1);
    object["metadata"]["resourceVersion"] = json!(version.to_string());
    object
}

/// A look at the Canary `podinfo`, and a later one with the status of the first.
fn looks(canary: &str, objects: &str) -> Result<String, String> {
    let (cache, key): (_, Key) = (ObjectCache::default(), ("test".to_owned(), "podinfo".to_owned()));
    let mut canary = stored(Object::of(canary).content, 1);
    canary["metadata"]["name"] = json!("podinfo");
    let kinds = kinds();
    cache.set_crds(kinds.iter().map(Kind::crd).collect());
    for kind in &kinds {
        for watched in cache.watches(*kind) {
            cache.listed(watched, &BTreeSet::from([key.clone()]));
        }
    }
    let objects = Object::of(objects).content;
    for (at, object) in objects.as_array().into_iter().flatten().enumerate() {
        let known =
            |kind: &&Kind| object["kind"] == kind.kind && object["apiVersion"] == json!(kind.api_version());
        if let Some(kind) = kinds.iter().find(known) {
            cache.insert(*kind, stored(object.clone(), at + 2));
        }
    }
    let mut said = String::new();
    for (hour, look) in [1, 2, 50].into_iter().enumerate() {
        cache.insert(CANARY, canary.clone());
        let now = NOW.parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_hours(look);
        let snap = match gather(&cache, &Rules::default(), &key, now) {
            Ok(snap) => snap,
            Err(error) => return Ok(format!("{said} {error}")),
        };
        let plan = plan::begin(&snap, now).unwrap_or_else(|_| plan::decide(&snap, &Answers::default(), now));
        checked(&plan)?;
        if let Some(status) = &plan.status {
            let reasons: Vec<&str> = status.conditions.iter().map(|c| c.reason.as_str()).collect();
            said = format!("{:?} {reasons:?} {}", status.phase, plan.actions.len());
            canary["status"] = serde_json::to_value(status).map_err(|error| error.to_string())?;
            canary["metadata"]["resourceVersion"] = json!((1000 + hour).to_string());
        }
    }
    Ok(said)
}

/// What is written is of a size that an API server takes, and every text is short.
fn checked(plan: &Plan) -> Result<(), String> {
    let status = plan.status.as_ref().map(|status| serde_json::to_string(status).unwrap_or_default());
    if status.is_some_and(|text| text.len() > 512 << 10) {
        return Err("its status has more than 512 KiB".into());
    }
    let long = plan.notes.iter().find(|note| note.message.len() > 16 << 10);
    long.map_or(Ok(()), |note| Err(format!("an Event has {} bytes", note.message.len())))
}

/// What may stand beside a Canary.
fn objects() -> Vec<Value> {
    let mut target = fixture::target();
    target["metadata"]["uid"] = json!("t");
    let endpoints = |service: &str| {
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": service,
            "labels": {"kubernetes.io/service-name": service}}, "endpoints": [{"conditions": {"ready": true}}]})
    };
    let mut primary = target.clone();
    primary["metadata"]["name"] = json!("podinfo-primary");
    primary["metadata"]["labels"] = json!({"serin.dev/canary": "podinfo"});
    primary["status"] = json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2});
    target["status"] = primary["status"].clone();
    let mut objects = vec![
        target,
        primary,
        endpoints("podinfo"),
        endpoints("podinfo-primary"),
        endpoints("podinfo-canary"),
    ];
    objects.push(json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "podinfo"},
        "spec": {"minReplicas": 1, "maxReplicas": 4, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"}}}));
    objects.push(json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "podinfo"},
        "spec": {"scaleTargetRef": {"name": "podinfo"}, "triggers": [{"type": "prometheus", "name": "t", "metadata": {"query": "sum(rate(x{pod=~\"podinfo-.*\"}[1m]))", "podSelector": "app=podinfo"}}]}}));
    objects.push(json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "podinfo"},
        "spec": {"hosts": ["podinfo"], "http": [{"route": [{"destination": {"host": "podinfo"}}]}]}}));
    objects.push(json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "podinfo"},
        "spec": {"rules": [{"host": "h", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "podinfo", "port": {"number": 80}}}}]}}]}}));
    objects.push(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "podinfo", "annotations": {"serin.dev/original": "{\"canary\":\"podinfo\",\"ports\":[{\"port\":80}]}"}},
        "spec": {"selector": {"app": "podinfo"}, "ports": [{"name": "http", "port": 80, "targetPort": 9898}]}}));
    objects.extend(examples("MetricTemplate"));
    objects
}

/// Every example, at rest and in each phase.
fn seeds() -> Vec<Input> {
    let objects = Value::from(objects()).to_string();
    let status = json!({
        "phase": "Progressing", "failedChecks": 1, "canaryWeight": 10, "iterations": 1, "epoch": 3, "observedGeneration": 1,
        "lastAppliedSpec": "0123456789abcdef", "lastPromotedSpec": "fedcba9876543210", "trackedConfigs": {"secret/sec": "0123456789abcdef"},
        "lastTransitionTime": NOW, "nextCheck": "2026-01-01T01:00:00.000000Z",
        "step": {"index": 1, "promotion": 0, "weight": 10, "audience": "", "since": "2026-01-01T01:00:00.000000Z", "confirmed": "2026-01-01T01:00:00.000000Z"},
        "run": {"started": "2026-01-01T01:00:00.000000Z", "number": 3, "replicas": 2},
        "target": {"uid": "t", "generation": 1}, "conditions": [{"type": "Promoted", "status": "Unknown", "reason": "Progressing", "message": "m"}],
    });
    let mut seeds = Vec::new();
    for mut canary in examples("Canary") {
        let named =
            canary.to_string().replace(canary["metadata"]["name"].as_str().unwrap_or("podinfo"), "podinfo");
        canary = serde_json::from_str(&named).unwrap();
        seeds.push(vec![canary.to_string(), objects.clone()]);
        for phase in [
            "Initializing",
            "Progressing",
            "Waiting",
            "WaitingPromotion",
            "Promoting",
            "Finalising",
            "Succeeded",
            "Failed",
            "Terminating",
        ] {
            canary["status"] = status.clone();
            canary["status"]["phase"] = json!(phase);
            canary["metadata"]["annotations"] = json!({"serin.dev/request": "promote/1"});
            if phase == "Terminating" {
                canary["metadata"]["deletionTimestamp"] = json!(NOW);
                canary["metadata"]["finalizers"] = json!(["finalizer.flagger.app"]);
            }
            seeds.push(vec![canary.to_string(), objects.clone()]);
        }
    }
    seeds
}

/// Words of this language.
const WORDS: &[&str] = &[
    "podinfo",
    "podinfo-primary",
    "podinfo-canary",
    "Progressing",
    "Promoting",
    "Finalising",
    "Waiting",
    "Terminating",
    "istio",
    "nginx",
    "kubernetes",
    "gatewayapi:v1",
    "contour",
    "traefik",
    "skipper",
    "apisix",
    "gloo",
    "kuma",
    "linkerd",
    "knative",
    "stepWeight",
    "stepWeights",
    "steps",
    "maxWeight",
    "iterations",
    "match",
    "mirror",
    "sessionAffinity",
    "windows",
    "always",
    "canaryReplicas",
    "autoscalerRef",
    "replicas",
    "minReplicas",
    "maxReplicas",
    "epoch",
    "index",
    "metadata",
    "annotations",
    "labels",
    "deletionTimestamp",
    "ownerReferences",
    "serin.dev/request",
    "serin.dev/canary",
    "serin.dev/original",
    "0123456789abcdef",
    "2026-01-01T01:00:00.000000Z",
    "9999-12-31T23:59:59Z",
    "-009999-01-02T01:59:59Z",
    "template",
    "spec",
    "containers",
    "ports",
    "http",
    "weight",
];

#[test]
fn fuzz_clusters() {
    let target = || Target {
        seeds: seeds(),
        words: WORDS,
        longest: 64 * 1024,
        held: (2 << 20, 60),
        made: (80_000, 20),
    };
    fuzz("clusters", target, &|input| looks(&input[0], &input[1]));
}
