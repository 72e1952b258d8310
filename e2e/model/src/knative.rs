//! Simulates Knative: creates a revision for each new template, reports when it is ready, and follows `spec.traffic`
//! once all named revisions are ready. Also checks that nothing forbidden happens to a Knative Service.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use serin::{
    names,
    snapshot::{KNATIVE_SERVICE, ObjectRef},
};

use crate::{pods::Mode, world::World};

/// Runs Knative once. Returns true if it changed anything.
pub fn play(world: &mut World, modes: &BTreeMap<String, Mode>) -> bool {
    let mut changes = Vec::new();
    for live in world.objects.of(KNATIVE_SERVICE) {
        let name = live["metadata"]["name"].as_str().unwrap_or_default();
        let mode = modes.get(name).copied().unwrap_or_default();
        let status = if mode == Mode::Unseen { live["status"].clone() } else { seen(live, name, mode) };
        if live["status"] != status {
            changes.push((ObjectRef::new(KNATIVE_SERVICE, name), status));
        }
    }
    let any = !changes.is_empty();
    for (at, status) in changes {
        world.write_workload_status(&at, status);
    }
    any
}

/// The status that Knative sets. `Never`: its newest revision does not become ready.
pub fn seen(live: &Value, name: &str, mode: Mode) -> Value {
    let mut status = live["status"].clone();
    let template = live["spec"]["template"].to_string();
    if status["madeOf"] != template.as_str() {
        let number = status["made"].as_i64().unwrap_or(0) + 1;
        status["made"] = json!(number);
        status["madeOf"] = json!(template);
        status["latestCreatedRevisionName"] = json!(format!("{name}-{number:05}"));
    }
    let newest = status["latestCreatedRevisionName"].clone();
    if mode == Mode::Ready {
        status["latestReadyRevisionName"] = newest.clone();
    }
    let ready = status["latestReadyRevisionName"].clone();
    let good = ready == newest;
    let said = if good { Value::Null } else { json!(format!("Revision {newest} failed: no such image")) };
    status["conditions"] = json!([
        {"type": "ConfigurationsReady", "status": if good { "True" } else { "False" }, "message": said},
    ]);
    status["observedGeneration"] = live["metadata"]["generation"].clone();
    if ready.is_string() {
        let all = json!([{"latestRevision": true, "percent": 100}]);
        let asked = Some(&live["spec"]["traffic"]).filter(|traffic| traffic.is_array()).unwrap_or(&all);
        let sent = asked.as_array().into_iter().flatten().map(|entry| {
            let mut sent = entry.clone();
            if entry["latestRevision"] == true {
                sent["revisionName"] = ready.clone();
            }
            sent
        });
        status["traffic"] = sent.collect();
    }
    status
}

/// The percentage of requests to the newest revision, and the revision for the rest.
fn shares(live: &Value) -> (i64, Value) {
    let entries = live["spec"]["traffic"].as_array().cloned().unwrap_or_default();
    let newest = entries.iter().filter(|e| e["latestRevision"] == true);
    let other = entries.iter().find(|e| e["revisionName"].is_string());
    let percent = newest.filter_map(|e| e["percent"].as_i64()).sum();
    (percent, other.map(|e| e["revisionName"].clone()).unwrap_or_default())
}

/// Problems with a write of ours.
pub fn wrong(before: &World, after: &World, what: &str) -> Vec<String> {
    let mut all = Vec::new();
    for was in before.objects.of(KNATIVE_SERVICE) {
        let name = was["metadata"]["name"].as_str().unwrap_or_default();
        let Some(is) = after.objects.get(KNATIVE_SERVICE, name) else {
            all.push(format!("S3: the target is deleted: {what}"));
            continue;
        };
        if was["spec"]["template"] != is["spec"]["template"] || was["status"] != is["status"] {
            all.push(format!("S11: the target is changed: {what}"));
        }
        let ((less, old), (more, new)) = (shares(was), shares(is));
        let entries = is["spec"]["traffic"].as_array().into_iter().flatten();
        let sum: i64 = entries.filter_map(|entry| entry["percent"].as_i64()).sum();
        if is["spec"]["traffic"].is_array() && sum != 100 {
            all.push(format!("S1: {sum} % in all: {what}"));
        }
        let step = after.status().step.unwrap_or_default();
        let leaving = after.canary.as_ref().is_none_or(|c| c["metadata"]["deletionTimestamp"].is_string());
        if more > less && i64::from(step.weight) != more && !leaving {
            all.push(format!("S9: the newest gets {more} %, the status says {}: {what}", step.weight));
        }
        let first = after.status().phase.unwrap_or_default() <= serin::api::Phase::Initializing;
        let promoting = after.status().phase == Some(serin::api::Phase::Promoting);
        // an entry that somebody removed is restored from the note
        let back = old.is_null() && was["metadata"]["annotations"][names::ANNOTATION_PRIMARY_REVISION] == new;
        if old != new && !(first || leaving || promoting || back) {
            all.push(format!("S5: {new} instead of {old} gets the rest: {what}"));
        }
    }
    all
}
