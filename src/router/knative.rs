//! Knative: the target routes itself. `spec.traffic` of the Knative Service gives its newest revision a share of the
//! requests, and the primary the rest.
//!
//! Owns `spec.traffic` as a whole, in which the user's tags stay. Everything else in the object is the user's; `manifest::knative` records which
//! revision is the primary, together with the share when that is promoted.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{
    queries::{Builtin, UNANSWERED, builtin},
    route,
    split::Split,
    traits::{Cookies, Router, RouterError},
};
use crate::{
    manifest::{self, Manifest, Undo, annotation, json as get, knative},
    names::{self, managers},
    snapshot::{KNATIVE_SERVICE, Kind, ObjectRef, Objects},
    spec::Validated,
};

const OWNED: &[&str] = &["/spec/traffic"];

const QUERIES: Builtin = Builtin {
    unseen: UNANSWERED,
    primary_series: &[r#"envoy_cluster_upstream_rq{envoy_cluster_name=~"{{ namespace }}/{{ promoted }}"}"#],
    ..builtin!(
        r#"envoy_cluster_name=~"{{ namespace }}/{{ route }}""#,
        "envoy_cluster_upstream_rq" if r#"envoy_response_code!~"5.*""#,
        p99 "envoy_cluster_upstream_rq_time_bucket" ""
    )
};

/// The router.
pub(super) struct Knative;

impl Router for Knative {
    fn name(&self) -> &'static str {
        "knative"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[KNATIVE_SERVICE]
    }

    fn settle(&self) -> Duration {
        Duration::from_secs(3)
    }

    fn unsupported(&self, c: &Validated) -> Vec<String> {
        let why = "Knative shares requests out by weight alone: leave it out";
        route::cannot(c, &["match", "always", "never", "mirror", "sessionAffinity"], why)
    }

    fn externally_owned_route(&self, c: &Validated) -> Option<ObjectRef> {
        Some(at(c))
    }

    fn not_programmed(&self, c: &Validated, live: &Objects) -> Option<String> {
        let object = live.at(&at(c))?;
        let (other, canary) = knative::shares(object)?;
        let seen = object["status"]["observedGeneration"].as_i64();
        if manifest::generation(object).is_some_and(|generation| seen.is_some_and(|seen| seen < generation)) {
            return Some(format!("Knative has not looked at the last change of {} yet", at(c)));
        }
        if knative::sent_to_newest(object) == canary && knative::sent(object, other) == 100 - canary {
            return None;
        }
        let said = knative::complaint(object).map_or_else(String::new, |why| format!(": {why}"));
        Some(format!("status.traffic of {} does not show what spec.traffic asks for{said}", at(c)))
    }

    fn reads(&self, c: &Validated) -> Vec<ObjectRef> {
        vec![at(c)]
    }

    fn read_back(&self, c: &Validated, live: &Objects) -> Result<Split, RouterError> {
        let object = live.at(&at(c)).ok_or_else(|| RouterError::NotFound(at(c)))?;
        match (knative::shares(object), knative::primary(object)) {
            (Some((name, canary)), Some(primary)) if name == primary => {
                Ok(Split::to_canary(i32::try_from(canary).unwrap_or(100)))
            }
            _ => Err(RouterError::Unreadable {
                object: at(c),
                why: "does not share requests out between its newest revision and its primary".into(),
            }),
        }
    }

    fn render(
        &self,
        c: &Validated,
        live: &Objects,
        want: Split,
        _cookies: &Cookies,
    ) -> Result<Vec<Manifest>, RouterError> {
        let object = live.at(&at(c)).ok_or_else(|| RouterError::NotFound(at(c)))?;
        // without a reliable primary the current revision stays; if there is none, traffic is not split
        let beside = knative::primary(object).or_else(|| Some(knative::shares(object)?.0));
        let written = beside.map(|name| {
            let marks = json!({names::ANNOTATION_ORIGINAL: original(object)});
            let traffic = knative::traffic_with_tags(object, name, i64::from(want.canary()));
            manifest(c, &json!({"metadata": {"annotations": marks}, "spec": {"traffic": traffic}}))
        });
        Ok(written.into_iter().collect())
    }

    fn restore(&self, c: &Validated, live: &Objects) -> Vec<Undo> {
        let Some(object) =
            live.at(&at(c)).filter(|object| marks().any(|key| annotation(object, key).is_some()))
        else {
            return vec![];
        };
        let annotations: Map<String, Value> = marks().map(|key| (key.to_owned(), Value::Null)).collect();
        let noted = annotation(object, names::ANNOTATION_ORIGINAL);
        let was = noted.and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
        let all = || json!([{"latestRevision": true, "percent": 100}]);
        let promoted = knative::primary(object).filter(|name| pins_another(&was["traffic"], name));
        let mut traffic = match (noted, &was["traffic"]) {
            (None, _) => object["spec"]["traffic"].clone(),
            // the newest one goes on getting what is newer
            (Some(_), Value::Array(entries)) if promoted.is_some() && follows(entries, object, promoted) => {
                all()
            }
            (Some(_), Value::Array(_)) if promoted.is_some() => {
                json!([{"revisionName": promoted, "latestRevision": false, "percent": 100}])
            }
            (Some(_), Value::Array(entries)) if !entries.is_empty() => was["traffic"].clone(),
            (Some(_), _) => all(),
        };
        let since: Vec<Value> = knative::tags(object)
            .filter(|entry| get::list(&traffic).iter().all(|known| known["tag"] != entry["tag"]))
            .collect();
        traffic.as_array_mut().into_iter().for_each(|entries| entries.extend(since.clone()));
        let mut body = json!({"metadata": {"annotations": annotations}});
        get::set(&mut body, &["spec", "traffic"], traffic);
        vec![Undo::Restore(manifest(c, &body))]
    }

    fn queries(&self) -> &'static Builtin {
        &QUERIES
    }
}

pub(super) fn at(c: &Validated) -> ObjectRef {
    ObjectRef::new(KNATIVE_SERVICE, c.names.target.clone())
}

fn manifest(c: &Validated, body: &Value) -> Manifest {
    Manifest::new(KNATIVE_SERVICE, &c.names.target, managers::ROUTE, OWNED, body.clone())
}

/// Some entry sends requests to a revision by name that is not the primary: it was replaced since, and may be gone.
fn pins_another(traffic: &Value, primary: &str) -> bool {
    let pinned = |entry: &Value| entry["latestRevision"] != true && entry["percent"].as_i64() > Some(0);
    get::list(traffic).iter().any(|entry| pinned(entry) && entry["revisionName"] != primary)
}

/// Requests went to the newest revision, whichever it was, and that is the promoted one.
fn follows(traffic: &[Value], object: &Value, promoted: Option<&str>) -> bool {
    let newest = |entry: &Value| entry["latestRevision"] == true && entry["percent"].as_i64() > Some(0);
    traffic.iter().any(newest) && knative::newest(object) == promoted
}

/// Every annotation of ours that such an object can have.
fn marks() -> impl Iterator<Item = &'static str> {
    [
        names::ANNOTATION_ORIGINAL,
        names::ANNOTATION_EPOCH,
        names::ANNOTATION_WRITTEN,
        names::ANNOTATION_REVISION,
        names::ANNOTATION_PRIMARY_REVISION,
    ]
    .into_iter()
}

/// The original, as the annotation keeps it. Shares left behind by Flagger are not the user's.
fn original(object: &Value) -> String {
    let noted = annotation(object, names::ANNOTATION_ORIGINAL).map(str::to_owned);
    noted.unwrap_or_else(|| {
        let theirs = &object["spec"]["traffic"];
        let traffic = if knative::shares(object).is_some() { &Value::Null } else { theirs };
        json!({"traffic": traffic}).to_string()
    })
}
