//! Target, primary, their ReplicaSets and pods, and the routing objects as a tree. Also the images of both versions.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde_json::Value;
use serin::{api::CanaryStatus, names};

use super::{
    ended::target,
    facts::{Facts, under_way},
    model::{Health, ImageView, ObjectView, Role},
};

const REPLICA_SET: &str = "ReplicaSet";
const POD: &str = "Pod";

/// All objects, each below its owner.
pub(super) fn tree(facts: &Facts) -> Vec<ObjectView> {
    let mut rows = Vec::new();
    for (workload, role) in [(target(facts), Role::Canary), (primary(facts), Role::Primary)] {
        let Some(workload) = workload else { continue };
        rows.push(row(workload, 0, role));
        for set in sets(facts, workload) {
            rows.push(row(set, 1, role));
            rows.extend(pods(facts, set).map(|pod| row(pod, 2, role)));
        }
        rows.extend(pods(facts, workload).map(|pod| row(pod, 1, role)));
    }
    let drawn = |o: &&Value| {
        let kind = text(o, "kind");
        kind == REPLICA_SET || kind == POD || same(o, target(facts)) || same(o, primary(facts))
    };
    rows.extend(facts.objects.iter().filter(|o| !drawn(o)).map(|o| row(o, 0, Role::Route)));
    rows
}

fn same(object: &Value, other: Option<&Value>) -> bool {
    other.is_some_and(|other| std::ptr::eq(object, other))
}

fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    object[field].as_str().unwrap_or_default()
}

fn primary(facts: &Facts) -> Option<&Value> {
    let of = &facts.canary.spec.target_ref;
    let name = names::primary(&of.name);
    facts.objects.iter().find(|o| o["kind"] == of.kind.as_str() && o["metadata"]["name"] == name.as_str())
}

fn owned_by(object: &Value, owner: &Value) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    let uid = &owner["metadata"]["uid"];
    !uid.is_null() && owners.is_some_and(|all| all.iter().any(|o| o["uid"] == *uid))
}

/// ReplicaSets with current or wanted pods, newest first.
fn sets<'f>(facts: &'f Facts, workload: &Value) -> Vec<&'f Value> {
    let alive = |set: &Value| {
        set["spec"]["replicas"].as_i64().unwrap_or(0) > 0
            || set["status"]["replicas"].as_i64().unwrap_or(0) > 0
    };
    let all = facts.objects.iter().filter(|o| text(o, "kind") == REPLICA_SET);
    let mut sets: Vec<_> = all.filter(|set| owned_by(set, workload) && alive(set)).collect();
    sets.sort_by_key(|set| Reverse(created(set)));
    sets
}

fn pods<'f>(facts: &'f Facts, owner: &'f Value) -> impl Iterator<Item = &'f Value> {
    facts.objects.iter().filter(move |o| text(o, "kind") == POD && owned_by(o, owner))
}

fn created(object: &Value) -> Option<Timestamp> {
    object["metadata"]["creationTimestamp"].as_str()?.parse().ok()
}

fn row(object: &Value, depth: usize, role: Role) -> ObjectView {
    let kind = text(object, "kind").to_owned();
    let (health, state, info) = match kind.as_str() {
        POD => pod(object),
        "Deployment" | "DaemonSet" | REPLICA_SET => workload(object),
        _ => (Health::Idle, String::new(), String::new()),
    };
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    ObjectView { kind, name, depth, role, health, state, created: created(object), info }
}

/// Ready and desired pods, and the images.
fn workload(object: &Value) -> (Health, String, String) {
    let (spec, status) = (&object["spec"], &object["status"]);
    let number = |v: &Value| v.as_i64().unwrap_or(0);
    let daemons = text(object, "kind") == "DaemonSet";
    let (desired, ready) = if daemons {
        (number(&status["desiredNumberScheduled"]), number(&status["numberReady"]))
    } else {
        (spec["replicas"].as_i64().unwrap_or(1), number(&status["readyReplicas"]))
    };
    let health = match (desired, ready) {
        (0, 0) => Health::Idle,
        (desired, ready) if ready >= desired => Health::Good,
        _ => Health::Busy,
    };
    let images: Vec<_> = containers(object).map(|(_, image)| short(image)).collect();
    (health, format!("{ready}/{desired} ready"), images.join(", "))
}

fn pod(object: &Value) -> (Health, String, String) {
    let status = &object["status"];
    let all = status["containerStatuses"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ready = all.iter().filter(|c| c["ready"] == true).count();
    let restarts: i64 = all.iter().filter_map(|c| c["restartCount"].as_i64()).sum();
    let waits = all.iter().find_map(|c| c["state"]["waiting"]["reason"].as_str());
    let broken = |why: &str| why.ends_with("BackOff") || why.starts_with("Err") || why.ends_with("Error");
    let phase = status["phase"].as_str().unwrap_or("Unknown");
    let (health, state) = match (waits, phase) {
        _ if !object["metadata"]["deletionTimestamp"].is_null() => (Health::Idle, "Terminating"),
        (Some(why), _) if broken(why) => (Health::Bad, why),
        (Some(why), _) => (Health::Busy, why),
        (None, "Failed") => (Health::Bad, phase),
        (None, "Running") if ready == all.len() => (Health::Good, phase),
        _ => (Health::Busy, phase),
    };
    let restarts = if restarts > 0 { format!(", {restarts} restarts") } else { String::new() };
    (health, state.to_owned(), format!("{ready}/{}{restarts}", all.len()))
}

/// Names and images of the containers of a workload's template, init containers last.
fn containers(object: &Value) -> impl Iterator<Item = (&str, &str)> {
    let spec = &object["spec"]["template"]["spec"];
    let lists = ["containers", "initContainers"].map(|list| spec[list].as_array());
    let all = lists.into_iter().flatten().flatten();
    all.map(|c| (c["name"].as_str().unwrap_or_default(), c["image"].as_str().unwrap_or_default()))
}

/// The image without its registry and folders.
pub(crate) fn short(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or(image);
    // the first characters of a digest are enough
    match name.split_once("@sha256:") {
        Some((name, digest)) => format!("{name}@{}", digest.chars().take(12).collect::<String>()),
        None => name.to_owned(),
    }
}

/// Images of both versions, from the workloads or from the record of the run.
pub(super) fn images(facts: &Facts, status: &CanaryStatus) -> Vec<ImageView> {
    let of = |object: Option<&Value>| -> Vec<(String, String)> {
        object.into_iter().flat_map(containers).map(|(name, image)| (name.into(), image.into())).collect()
    };
    let (canary, primary) = (of(target(facts)), of(primary(facts)));
    if canary.is_empty() && primary.is_empty() {
        return recorded(facts, status);
    }
    let mut named: Vec<&String> = canary.iter().chain(&primary).map(|(name, _)| name).collect();
    named.dedup();
    let mut views: Vec<ImageView> = Vec::new();
    let find = |all: &[(String, String)], name: &str| {
        all.iter().find(|(n, _)| n == name).map(|(_, image)| image.clone())
    };
    for name in named {
        if !views.iter().any(|v| v.container.as_ref() == Some(name)) {
            let (primary, canary) = (find(&primary, name), find(&canary, name));
            views.push(ImageView { container: Some(name.clone()), primary, canary });
        }
    }
    views
}

fn recorded(facts: &Facts, status: &CanaryStatus) -> Vec<ImageView> {
    let number = status.run.as_ref().map(|run| run.number);
    let number = number.or_else(|| status.last_run.as_ref().map(|last| last.number));
    let Some(spec) = number.and_then(|n| facts.run(n)).map(|run| &run.spec) else { return vec![] };
    let count = spec.images.len().max(spec.promoted_images.len());
    let promoted = |i: usize| {
        // a promoted run has replaced it
        let replaced = !under_way(status) && status.last_promoted_spec.as_deref() == Some(&spec.revision);
        if replaced { spec.images.get(i) } else { spec.promoted_images.get(i) }.cloned()
    };
    let all = 0..count;
    all.map(|i| ImageView { container: None, primary: promoted(i), canary: spec.images.get(i).cloned() })
        .collect()
}
