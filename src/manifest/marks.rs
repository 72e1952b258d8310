//! Marks on live objects: who owns them, and when and by which run their traffic was written.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::json;
use crate::{names, snapshot::CANARY};

/// True if Serin made the object for this Canary.
pub fn ours(object: &Value, canary: &str) -> bool {
    json::label(object, names::LABEL_CANARY) == Some(names::label_value(canary).as_str())
}

/// Has a mark of ours: created or taken over by Serin, and not yet given back.
pub(crate) fn marked(object: &Value) -> bool {
    let mark = |key: &String| names::is_own(key) && key != names::ANNOTATION_ADOPT;
    let ours = |map: &Value| map.as_object().is_some_and(|m| m.keys().any(mark));
    ours(&object["metadata"]["labels"]) || ours(&object["metadata"]["annotations"])
}

/// True if the object was adopted: somebody else's, with its original kept in an annotation. On created objects, such
/// an annotation is not ours.
pub fn adopted(object: &Value) -> bool {
    original_noted(object) && json::label(object, names::LABEL_CANARY).is_none()
}

/// The object has a record of its original.
pub(super) fn original_noted(object: &Value) -> bool {
    annotation(object, names::ANNOTATION_ORIGINAL).is_some()
}

/// The label value of the Canary that made or adopted the object, if any.
pub(crate) fn holder(object: &Value) -> Option<String> {
    let noted = || serde_json::from_str::<Value>(annotation(object, names::ANNOTATION_ORIGINAL)?).ok();
    let adopter = || Some(names::label_value(noted()?["canary"].as_str()?));
    json::label(object, names::LABEL_CANARY).map(str::to_owned).or_else(adopter)
}

/// True if Serin or Flagger made the object for this Canary, so that nothing else needs it. Objects of another
/// controller are its own, whatever their labels: KEDA copies the labels of a ScaledObject to the
/// HorizontalPodAutoscaler that it makes for it.
pub fn made_for(object: &Value, canary: &str) -> bool {
    let mut controllers = owners(object).iter().filter(|owner| owner["controller"] == true);
    match controllers.next() {
        Some(owner) if !is_canary(owner) => false,
        Some(owner) if owner["name"] == canary => true,
        _ => ours(object, canary),
    }
}

fn owners(object: &Value) -> &[Value] {
    json::list(&object["metadata"]["ownerReferences"])
}

/// Other operators also have a kind of that name.
fn is_canary(owner: &Value) -> bool {
    let group = owner["apiVersion"].as_str().and_then(|version| version.split_once('/'));
    owner["kind"] == CANARY.kind && group.is_some_and(|(group, _)| group == CANARY.group)
}

/// Kind, name and uid of the owner that controls the object.
pub fn controller_of(object: &Value) -> Option<(&str, &str, &str)> {
    let owner = owners(object).iter().find(|o| o["controller"] == true)?;
    Some((owner["kind"].as_str()?, owner["name"].as_str()?, owner["uid"].as_str().unwrap_or_default()))
}

/// Merge patch that removes the Canary from the object's owners (as Flagger leaves it there); None if it is not one.
pub fn disown(object: &Value, canary: &str) -> Option<Value> {
    let owners = owners(object);
    let kept: Vec<&Value> = owners.iter().filter(|o| !is_canary(o) || o["name"] != canary).collect();
    if kept.len() == owners.len() { None } else { Some(of_owners(&kept)) }
}

/// Merge patch that removes every Canary from the owners of an object that Flagger made; None if it did not. Several
/// Canaries use the same copy of a ConfigMap.
pub(crate) fn orphan(object: &Value) -> Option<Value> {
    let owners = owners(object);
    let made = owners.iter().any(|owner| owner["controller"] == true && is_canary(owner));
    let kept: Vec<&Value> = owners.iter().filter(|owner| !is_canary(owner)).collect();
    made.then(|| of_owners(&kept))
}

fn of_owners(kept: &[&Value]) -> Value {
    json!({"metadata": {"ownerReferences": if kept.is_empty() { Value::Null } else { json!(kept) }}})
}

/// Its labels.
pub fn labels(object: &Value) -> BTreeMap<String, String> {
    json::strings(&object["metadata"]["labels"])
}

/// Its annotations.
pub fn annotations(object: &Value) -> BTreeMap<String, String> {
    json::strings(&object["metadata"]["annotations"])
}

/// One annotation.
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["annotations"][key].as_str()
}

/// When Serin last wrote the object's traffic (`names::ANNOTATION_WRITTEN`).
pub fn written(object: &Value) -> Option<Timestamp> {
    annotation(object, names::ANNOTATION_WRITTEN)?.parse().ok()
}

/// Epoch of the run that wrote the object, if any.
pub fn epoch(object: &Value) -> Option<i64> {
    annotation(object, names::ANNOTATION_EPOCH)?.parse().ok()
}

/// Who changed the object last, if that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangedBy {
    /// A field manager that wrote after us.
    Manager(String),
    /// No field manager has written since we did.
    Us,
    /// The object does not show it.
    Unknown,
}

/// Who changed the object last, by its `managedFields`.
pub fn changed_by(object: &Value) -> ChangedBy {
    let entries = object["metadata"]["managedFields"].as_array().map_or(&[][..], Vec::as_slice);
    let last = |ours: bool| {
        let of = entries.iter().filter(|entry| manager(entry).starts_with(names::MANAGERS) == ours);
        of.filter(|entry| entry["subresource"] != "status")
            .filter_map(|entry| Some((entry["time"].as_str()?.parse::<Timestamp>().ok()?, manager(entry))))
            .max()
    };
    match (last(true), last(false)) {
        (ours, Some((at, other))) if ours.is_none_or(|(written, _)| written <= at) => {
            ChangedBy::Manager(other.to_owned())
        }
        (Some(_), _) => ChangedBy::Us,
        _ => ChangedBy::Unknown,
    }
}

fn manager(entry: &Value) -> &str {
    entry["manager"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Manifest, fixture};

    #[test]
    fn marks_are_read_back_as_written() {
        let at: Timestamp = "2026-01-02T03:04:05.678Z".parse().unwrap();
        let m = fixture::stamped(Manifest::new(CANARY, "x", names::managers::ROUTE, &[], json!({})), 7, at);
        assert_eq!((epoch(&m.body), written(&m.body)), (Some(7), Some(at)));
        assert_eq!((epoch(&json!({})), written(&json!(3))), (None, None));
    }

    #[test]
    fn c23_the_manager_that_wrote_last_is_told_from_ourselves() {
        let entry =
            |manager: &str, time: &str| json!({"manager": manager, "operation": "Update", "time": time});
        let of = |entries: Value| changed_by(&json!({"metadata": {"managedFields": entries}}));
        let ours = entry(names::managers::ROUTE, "2026-01-02T03:04:05Z");
        let argo = entry("argocd-controller", "2026-01-02T03:04:05Z");
        let before = entry("helm", "2026-01-01T00:00:00Z");
        assert_eq!(
            of(json!([ours, before, argo])),
            ChangedBy::Manager("argocd-controller".into()),
            "times are whole seconds"
        );
        assert_eq!(of(json!([ours, before])), ChangedBy::Us);
        assert_eq!(of(json!([before])), ChangedBy::Manager("helm".into()));
        assert_eq!(changed_by(&json!({})), ChangedBy::Unknown);
        let mut status = entry("kube-controller-manager", "2026-02-01T00:00:00Z");
        status["subresource"] = json!("status");
        assert_eq!(of(json!([ours, status])), ChangedBy::Us);
    }

    #[test]
    fn only_the_canary_is_disowned() {
        let object = json!({"metadata": {"ownerReferences": [
            {"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "podinfo", "uid": "1", "controller": true},
            {"kind": "Team", "name": "a", "uid": "2"},
        ]}});
        assert_eq!(controller_of(&object), Some(("Canary", "podinfo", "1")));
        assert!(made_for(&object, "podinfo") && !made_for(&object, "other") && !ours(&object, "podinfo"));
        let patch = disown(&object, "podinfo").unwrap();
        assert_eq!(patch["metadata"]["ownerReferences"], json!([{"kind": "Team", "name": "a", "uid": "2"}]));
        assert_eq!(disown(&object, "other"), None);
    }

    #[test]
    fn a_copy_of_flaggers_is_orphaned_whoever_shares_it() {
        let owner = |kind: &str, name: &str, controller: bool| json!({"apiVersion": "flagger.app/v1beta1", "kind": kind, "name": name, "controller": controller});
        let object_of = |owners: Value| json!({"metadata": {"ownerReferences": owners}});
        let shared =
            [owner("Canary", "other", true), owner("Canary", "podinfo", false), owner("Team", "a", false)];
        assert_eq!(orphan(&object_of(json!(shared))), Some(object_of(json!([owner("Team", "a", false)]))));
        assert_eq!(orphan(&object_of(json!([owner("Canary", "a", true)]))), Some(object_of(Value::Null)));
        for users in [json!(null), json!([owner("Canary", "a", false)]), json!([owner("Team", "a", true)])] {
            assert_eq!(orphan(&object_of(users)), None, "not made by Flagger");
        }
    }

    #[test]
    fn what_another_controller_made_is_its_own_whatever_its_labels_say() {
        let owner = |kind: &str, controller: bool| json!({"apiVersion": "keda.sh/v1alpha1", "kind": kind, "name": "app-primary", "controller": controller});
        let labelled = |owners: Value| json!({"metadata": {"labels": {names::LABEL_CANARY: "app"}, "ownerReferences": owners}});
        assert!(!made_for(&labelled(json!([owner("ScaledObject", true)])), "app"));
        assert!(made_for(&labelled(json!([owner("ScaledObject", false)])), "app"));
        assert!(made_for(&labelled(Value::Null), "app"));
    }
}
