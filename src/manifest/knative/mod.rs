//! A Knative Service as target: Knative creates a revision for each change, runs its pods, and sends each revision the
//! share of requests in `spec.traffic`. So nothing is created for it: the primary is a revision that an
//! annotation on the target names.
//!
//! Owns what counts as a revision, how to read revisions from the target, and the form of `spec.traffic`. It does not
//! know which shares are wanted.

use serde_json::{Map, Value, json};

use super::{
    json as get,
    marks::annotation,
    object::Manifest,
    revision::{self, Source},
};
use crate::{
    names::{self, managers},
    snapshot::{KNATIVE_SERVICE, Snapshot},
    spec::Validated,
};

/// The revision that Knative created for the last change, ready or not.
pub fn newest(live: &Value) -> Option<&str> {
    text(&live["status"]["latestCreatedRevisionName"])
}

/// The revision in the annotation, regardless of who wrote it.
pub(super) fn annotated_revision(live: &Value) -> Option<&str> {
    annotation(live, names::ANNOTATION_PRIMARY_REVISION).filter(|name| !name.is_empty())
}

/// The primary: the revision in the annotation, if it is the one that was promoted.
pub fn primary(live: &Value) -> Option<&str> {
    let hash = annotation(live, names::ANNOTATION_REVISION);
    annotated_revision(live).filter(|name| hash == Some(revision::hash(&of(name)).as_str()))
}

/// `spec.traffic` with `canary` percent for the newest revision and the rest for `primary`. Each entry sets the fields
/// that Knative would fill in.
pub fn traffic(primary: &str, canary: i64) -> Value {
    json!([
        {"latestRevision": true, "percent": canary},
        {"latestRevision": false, "revisionName": primary, "percent": 100 - canary},
    ])
}

/// The same, with the user's tags: each is an address of its own, which gets no share of the requests.
pub fn traffic_with_tags(live: &Value, primary: &str, canary: i64) -> Value {
    let mut traffic = traffic(primary, canary);
    if let Some(entries) = traffic.as_array_mut() {
        entries.extend(tags(live));
    }
    traffic
}

/// Entries of `spec.traffic` with a tag, without a share.
pub fn tags(live: &Value) -> impl Iterator<Item = Value> {
    let entries = get::list(&live["spec"]["traffic"]).iter();
    entries.filter(|entry| text(&entry["tag"]).is_some()).cloned().map(|mut entry| {
        if entry["percent"] != 0 {
            entry.as_object_mut().and_then(|entry| entry.remove("percent"));
        }
        entry
    })
}

/// The revision other than the newest in a `spec.traffic` of that form, and the percentage of the newest.
pub fn shares(live: &Value) -> Option<(&str, i64)> {
    let entries = get::list(&live["spec"]["traffic"]).iter();
    let [newest, other] = entries.filter(|entry| text(&entry["tag"]).is_none()).collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let percent = |entry: &Value| entry["percent"].as_i64().unwrap_or(0);
    let whole = (0..=100).contains(&percent(newest)) && percent(newest) + percent(other) == 100;
    let name = text(&other["revisionName"]).filter(|_| other["latestRevision"] != true)?;
    (newest["latestRevision"] == true && whole).then_some((name, percent(newest)))
}

/// Requests that a revision other than the newest gets by its name, although nobody has noted a primary: the newest,
/// which counts as promoted when a Canary is first seen, was held back. In words, with a remedy.
pub(super) fn held_back(live: &Value) -> Option<String> {
    let noted = annotation(live, names::ANNOTATION_ORIGINAL).is_some() || annotated_revision(live).is_some();
    let newest = newest(live).filter(|_| !noted)?;
    let other = |entry: &&Value| {
        entry["percent"].as_i64().unwrap_or(0) > 0
            && text(&entry["revisionName"]).is_some_and(|name| name != newest)
    };
    let entry = get::list(&live["spec"]["traffic"]).iter().find(other)?;
    let (name, percent) = (text(&entry["revisionName"])?, &entry["percent"]);
    Some(format!(
        "spec.traffic leads {percent} % to revision {name}, and the newest revision {newest} would get all: to have {newest} analysed first, annotate the Knative Service with {}={name}",
        names::ANNOTATION_PRIMARY_REVISION
    ))
}

/// What makes a revision of it.
pub(super) fn revision(live: &Value) -> Value {
    newest(live).map_or_else(|| json!({}), of)
}

fn of(name: &str) -> Value {
    json!({"revision": name})
}

pub(super) fn source(live: &Value) -> Source {
    Source { template: revision(live), spec: Map::new(), configs: std::collections::BTreeMap::new() }
}

/// The target as it would be if the newest revision were the one in the annotation.
pub(super) fn held(live: &Value) -> Value {
    json!({"metadata": live["metadata"], "status": {"latestCreatedRevisionName": annotated_revision(live)}})
}

/// The target with the revision of `source` as its primary. If requests are already split, they go there with the
/// same write.
pub(super) fn promoted(c: &Validated, live: &Value, source: &Source, hash: &str) -> Manifest {
    let name = source.template["revision"].as_str().unwrap_or_default();
    let marks = json!({names::ANNOTATION_PRIMARY_REVISION: name, names::ANNOTATION_REVISION: hash});
    let mut body = json!({"metadata": {"annotations": marks}});
    if let Some((_, canary)) = shares(live) {
        get::set(&mut body, &["spec", "traffic"], traffic_with_tags(live, name, canary));
    }
    Manifest::new(KNATIVE_SERVICE, &c.names.target, managers::WORKLOAD, &[], body)
}

/// Revisions of one side that can take requests: Knative starts pods of a ready one when requests come. A primary that
/// is not the newest has been ready before.
pub(super) fn behind(snap: &Snapshot, service: &str) -> u32 {
    let target = &snap.canary.spec.target_ref.name;
    let Some(live) = snap.objects.get(KNATIVE_SERVICE, target) else { return 0 };
    let ready = |name: &str| text(&live["status"]["latestReadyRevisionName"]) == Some(name);
    // a note that somebody has changed is written again, and the revision that gets the requests serves meanwhile
    let led = || {
        shares(live).map(|(name, _)| name).filter(|_| annotation(live, names::ANNOTATION_ORIGINAL).is_some())
    };
    // noted by the user, or by Flagger, before a Canary is first seen
    let kept = || annotated_revision(live).filter(|name| sent(live, name) > 0);
    u32::from(if service == names::primary(target) {
        primary(live)
            .or_else(led)
            .or_else(kept)
            .is_some_and(|name| newest(live) != Some(name) || ready(name) || sent(live, name) > 0)
    } else {
        newest(live).is_some_and(ready)
    })
}

/// Percent of the requests that Knative reports for a revision by name.
pub fn sent(live: &Value, name: &str) -> i64 {
    let named = |entry: &&Value| entry["revisionName"] == name && entry["latestRevision"] != true;
    sum(live, named)
}

/// Percent of the requests that Knative reports for the newest revision.
pub fn sent_to_newest(live: &Value) -> i64 {
    sum(live, |entry| entry["latestRevision"] == true)
}

fn sum(live: &Value, of: impl Fn(&&Value) -> bool) -> i64 {
    let entries = get::list(&live["status"]["traffic"]).iter().filter(of);
    entries.filter_map(|entry| entry["percent"].as_i64()).sum()
}

/// Knative's messages about problems, for people.
pub fn complaint(live: &Value) -> Option<String> {
    let conditions = get::list(&live["status"]["conditions"]);
    let of = |type_: &str| conditions.iter().find(|c| c["type"] == type_ && c["status"] != "True");
    let said = ["ConfigurationsReady", "RoutesReady", "Ready"].into_iter().find_map(of)?;
    let why = ["message", "reason"].into_iter().find_map(|field| text(&said[field]))?;
    Some(why.to_owned())
}

/// Why the newest revision cannot take requests.
pub(super) fn unready(live: &Value) -> String {
    let name = newest(live).unwrap_or_default();
    complaint(live).map_or_else(
        || format!("revision {name} is not ready"),
        |why| format!("revision {name} is not ready: {why}"),
    )
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
