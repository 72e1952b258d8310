//! Everything in a namespace, in a form that is equal for two runs of the same story: without uids, times and epochs,
//! and without Kubernetes' own objects.

use k8s_openapi::api::{
    apps::v1::{ControllerRevision, Deployment},
    autoscaling::v2::HorizontalPodAutoscaler,
    core::v1::{ConfigMap, Secret, Service},
};
use kube::{Api, api::ListParams};
use serde::Serialize;
use serde_json::{Map, Value, json};
use serin::api::{Canary, CanaryRun};
use serin_bed::story::Story;

/// Fields that differ between runs, at any depth.
const MASKED: [&str; 23] = [
    "uid",
    "resourceVersion",
    "observedConfigs",
    "creationTimestamp",
    "managedFields",
    "generation",
    "epoch",
    "serin.dev/epoch",
    "serin.dev/written",
    "lastTransitionTime",
    "lastUpdateTime",
    "confirmed",
    "checked",
    "started",
    "ended",
    "decided",
    "at",
    "clusterIP",
    "clusterIPs",
    "kubectl.kubernetes.io/last-applied-configuration",
    "loadBalancer",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// The objects of the story's namespace by kind and name. Of a Deployment's status only its revision counts (an
/// annotation), which shows how often its template was changed.
pub(crate) async fn of(story: &Story<'_>) -> anyhow::Result<Value> {
    let mut all = Map::new();
    add(&mut all, "Deployment", story.api::<Deployment>()).await?;
    add(&mut all, "Service", story.api::<Service>()).await?;
    add(&mut all, "ControllerRevision", story.api::<ControllerRevision>()).await?;
    add(&mut all, "ConfigMap", story.api::<ConfigMap>()).await?;
    add(&mut all, "Secret", story.api::<Secret>()).await?;
    // the cluster's own, with a new certificate for each bed
    all.remove("ConfigMap kube-root-ca.crt");
    add(&mut all, "Canary", story.api::<Canary>()).await?;
    add(&mut all, "CanaryRun", story.api::<CanaryRun>()).await?;
    add(&mut all, "VirtualService", story.virtual_services()).await?;
    add(&mut all, "DestinationRule", story.destination_rules()).await?;
    add(&mut all, "HorizontalPodAutoscaler", story.api::<HorizontalPodAutoscaler>()).await?;
    // the garbage collector deletes them at some point
    if !all.keys().any(|key| key.starts_with("Canary ")) {
        all.retain(|key, _| !key.starts_with("CanaryRun "));
    }
    for (key, object) in &mut all {
        if (key.starts_with("Deployment") || key.starts_with("HorizontalPodAutoscaler"))
            && let Some(object) = object.as_object_mut()
        {
            object.remove("status");
        }
        findings(key, object);
        taken_over(object);
        // a window may be measured again after a crash
        for metric in object["status"]["metrics"].as_array_mut().into_iter().flatten() {
            *metric = json!({"name": metric["name"], "outcome": metric["outcome"]});
        }
        // the measured value depends on the clients' own requests
        for condition in object["status"]["conditions"].as_array_mut().into_iter().flatten() {
            // during a rollback they have the same message
            if condition["type"].as_str().is_some_and(|kind| ["Halted", "Ready", "Stalled"].contains(&kind)) {
                condition["message"] = Value::Null;
            }
        }
    }
    // host names contain the namespace
    let text = Value::Object(all).to_string().replace(&story.namespace, "NS");
    Ok(serde_json::from_str(&text)?)
}

/// The measurements: they depend on the clients' own requests, and a crash loses the ones that were not written.
fn findings(key: &str, object: &mut Value) {
    let told = match key.split(' ').next() {
        Some("CanaryRun") => object.pointer_mut("/status"),
        Some("Canary") => object.pointer_mut("/status/lastRun"),
        _ => None,
    };
    if let Some(told) = told.and_then(Value::as_object_mut) {
        let lossy = ["message", "steps", "measurements", "metrics", "hooks", "leftOut", "incomplete"];
        told.retain(|field, _| !lossy.contains(&field.as_str()));
    }
}

/// The record of a takeover has digests of fields with the host in them, and so with the namespace.
fn taken_over(object: &mut Value) {
    let Some(text) = object.pointer_mut("/metadata/annotations/serin.dev~1original") else { return };
    let mut noted: Value = text.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    if let Some(asked) = noted["asked"].as_object_mut() {
        asked.values_mut().for_each(|digest| *digest = Value::Null);
        *text = json!(noted.to_string());
    }
}

async fn add<K>(all: &mut Map<String, Value>, kind: &str, api: Api<K>) -> anyhow::Result<()>
where
    K: Clone + Serialize + serde::de::DeserializeOwned + std::fmt::Debug,
{
    for object in api.list(&ListParams::default()).await?.items {
        let mut object = serde_json::to_value(object)?;
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        mask(&mut object);
        all.insert(format!("{kind} {name}"), object);
    }
    Ok(())
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, _| !MASKED.contains(&key.as_str()));
            map.values_mut().for_each(mask);
        }
        Value::Array(items) => {
            items.iter_mut().for_each(mask);
            items.sort_by_key(|item| item["type"].as_str().map(str::to_owned));
        }
        _ => {}
    }
}

/// The paths at which both differ, with both values.
pub(crate) fn differences(one: &Value, other: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk("", one, other, &mut found);
    found
}

fn walk(path: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let (a, b) = (a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null));
                walk(&format!("{path}/{key}"), a, b, found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (n, (a, b)) in a.iter().zip(b).enumerate() {
                walk(&format!("{path}/{n}"), a, b, found);
            }
        }
        _ if one != other => found.push(format!("{path}: {} | {}", short(one), short(other))),
        _ => {}
    }
}

fn short(value: &Value) -> String {
    let text = if value.is_null() { json!("nothing").to_string() } else { value.to_string() };
    text.chars().take(300).collect()
}
