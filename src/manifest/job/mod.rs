//! Jobs of metrics: their form, and their progress, from the status of the Job and of its pods.
//!
//! Judges nothing: `plan` decides what the end of a Job means for a run.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    json as path,
    marks::{annotation, controller_of, ours},
    object::Manifest,
};
use crate::{
    api::JobTemplate,
    names,
    snapshot::{JOB, Kind},
    text::first_chars,
};

/// Default deadline of a Job in seconds.
const DEADLINE: i64 = 600;
/// Seconds that a Job without a setting, and the log of its pods, is kept after its end.
const KEPT: i64 = 3600;

/// The marks that identify the Job of one measurement.
pub struct Marks<'a> {
    /// Its name.
    pub name: &'a str,
    /// The Canary.
    pub canary: &'a str,
    /// Its uid.
    pub uid: &'a str,
    /// The metric.
    pub metric: &'a str,
    /// Kind, name and uid of its owner, with which it is garbage collected.
    pub owner: (Kind, &'a str, &'a str),
}

/// The progress of a Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Course {
    /// None of its pods has run yet, and why, if that is known.
    Waiting(Option<String>),
    /// One runs, or has run.
    Running,
    /// It has succeeded.
    Succeeded,
    /// It has failed.
    Failed {
        /// Its deadline has passed.
        late: bool,
        /// In words.
        why: String,
    },
}

/// The Job to create: the template with its defaults, owner and marks.
pub fn manifest(template: &JobTemplate, marks: &Marks<'_>) -> Manifest {
    let mut spec = template.spec.clone();
    let defaults =
        [("activeDeadlineSeconds", DEADLINE), ("backoffLimit", 0), ("ttlSecondsAfterFinished", KEPT)];
    for (field, value) in defaults {
        if spec[field].is_null() {
            path::set(&mut spec, &[field], json!(value));
        }
    }
    if spec["template"]["spec"]["restartPolicy"].is_null() {
        path::set(&mut spec, &["template", "spec", "restartPolicy"], json!("Never"));
    }
    let given = template.metadata.clone().unwrap_or_default();
    let mut metadata = json!({"labels": given.labels, "annotations": given.annotations});
    for (label, value) in [
        (names::LABEL_CANARY, names::label_value(marks.canary)),
        (names::LABEL_METRIC, names::metric_label(marks.metric)),
    ] {
        path::set(&mut metadata, &["labels", label], json!(value));
        path::set(&mut spec, &["template", "metadata", "labels", label], json!(value));
    }
    path::set(&mut metadata, &["annotations", names::ANNOTATION_CANARY_UID], json!(marks.uid));
    let (kind, owner, uid) = marks.owner;
    metadata["ownerReferences"] = json!([{
        "apiVersion": kind.api_version(), "kind": kind.kind, "name": owner, "uid": uid,
        "controller": true, "blockOwnerDeletion": false,
    }]);
    let body = json!({"metadata": metadata, "spec": spec});
    Manifest::new(JOB, marks.name, names::managers::JOB, &[], body)
}

/// It was made for the Canary of this name and uid.
pub fn is_of(job: &Value, canary: &str, uid: &str) -> bool {
    ours(job, canary) && annotation(job, names::ANNOTATION_CANARY_UID) == Some(uid)
}

/// Seconds within which the Job must end.
pub fn deadline(job: &Value) -> i64 {
    job["spec"]["activeDeadlineSeconds"].as_i64().unwrap_or(DEADLINE)
}

/// When the Job was made.
pub fn created_at(job: &Value) -> Option<Timestamp> {
    job["metadata"]["creationTimestamp"].as_str()?.parse().ok()
}

/// It has succeeded or failed.
pub fn ended(job: &Value) -> bool {
    ending(job).is_some()
}

fn ending(job: &Value) -> Option<&Value> {
    let conditions = path::list(&job["status"]["conditions"]).iter();
    let mut last = conditions.filter(|c| c["type"] == "Complete" || c["type"] == "Failed");
    last.find(|c| c["status"] == "True")
}

/// The progress of the Job. `pods`: of this and of other Jobs.
pub fn course<'a>(job: &Value, pods: impl Iterator<Item = &'a Value>) -> Course {
    let uid = path::uid(job);
    let pods: Vec<&Value> = pods.filter(|pod| controller_of(pod).map(|(.., of)| of) == uid).collect();
    if let Some(end) = ending(job) {
        if end["type"] == "Complete" {
            return Course::Succeeded;
        }
        let text = |field: &str| end[field].as_str().unwrap_or_default().to_owned();
        let (reason, message) = (text("reason"), text("message"));
        let exits = pods.iter().find_map(|pod| exit(pod));
        let exits = exits.map(|exit| format!("{exit}; ")).unwrap_or_default();
        return Course::Failed {
            late: reason == "DeadlineExceeded",
            why: format!("{exits}{reason}: {message}").trim_end_matches([':', ' ']).to_owned(),
        };
    }
    let counted = |field: &str| job["status"][field].as_i64().unwrap_or(0) > 0;
    let ran = ["ready", "succeeded"].into_iter().any(counted) || pods.iter().any(|pod| has_run(pod));
    if ran { Course::Running } else { Course::Waiting(pods.iter().find_map(|pod| stuck(pod))) }
}

fn containers<'a>(pod: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    path::list(&pod["status"][list]).iter()
}

/// A container of the pod runs, or has run. A container that was killed before it could start has an end, but no
/// beginning.
fn has_run(pod: &Value) -> bool {
    let began = |state: &Value| !state["running"].is_null() || !state["terminated"]["startedAt"].is_null();
    containers(pod, "containerStatuses").any(|c| began(&c["state"]) || began(&c["lastState"]))
}

/// How a container of the pod ended badly.
fn exit(pod: &Value) -> Option<String> {
    let mut all = containers(pod, "initContainerStatuses").chain(containers(pod, "containerStatuses"));
    all.find_map(|c| {
        let end = &c["state"]["terminated"];
        let code = end["exitCode"].as_i64().filter(|code| *code != 0)?;
        let name = c["name"].as_str().unwrap_or_default();
        let reason = end["reason"].as_str().filter(|reason| *reason != "Error");
        let reason = reason.map(|reason| format!(" ({reason:.60})")).unwrap_or_default();
        Some(format!("container {name} ended with exit code {code}{reason}"))
    })
}

/// Cuts a kubelet's message, which may be long.
fn short(value: &Value) -> &str {
    first_chars(value.as_str().unwrap_or_default(), 200)
}

/// Why the pod does not run, in words that do not change while the reason lasts.
fn stuck(pod: &Value) -> Option<String> {
    let mut all = containers(pod, "initContainerStatuses").chain(containers(pod, "containerStatuses"));
    let waits = all.find_map(|c| {
        let waiting = &c["state"]["waiting"];
        let reason = waiting["reason"].as_str().unwrap_or_default();
        let (name, image) = (short(&c["name"]), short(&c["image"]));
        match reason {
            "" | "ContainerCreating" | "PodInitializing" => None,
            "ErrImagePull" | "ImagePullBackOff" => {
                Some(format!("container {name} cannot get its image {image} (ErrImagePull)"))
            }
            _ => Some(format!("container {name} waits: {reason}: {}", short(&waiting["message"]))),
        }
    });
    waits.or_else(|| {
        let mut conditions = path::list(&pod["status"]["conditions"]).iter();
        let unplaced = |c: &&Value| c["type"] == "PodScheduled" && c["status"] == "False";
        conditions.find(unplaced).map(|_| "no node takes its pod".to_owned())
    })
}

#[cfg(test)]
mod tests;
