//! How an installed CustomResourceDefinition is treated: updated to this version, or left alone.
//!
//! Nothing is ever removed: fields and versions that only the installed one has stay, so that no stored object loses
//! data. An annotation shows which of two is newer, because schemas do not.

use serde_json::{Map, Value, json};

use crate::names;

/// How an installed definition compares with this program's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Standing {
    /// It has everything that this program's has.
    Current,
    /// It is from a newer version, which it names, and is left alone.
    Newer(String),
    /// Something is missing: the merge patch that adds it, bound to the version that was seen.
    Behind(Value),
}

/// Compares an installed definition with the `own` one of this program; both as JSON.
pub(crate) fn standing(own: &Value, live: &Value) -> Standing {
    let version =
        |crd: &Value| crd["metadata"]["annotations"][names::ANNOTATION_VERSION].as_str().map(str::to_owned);
    let (ours, theirs) = (version(own).unwrap_or_default(), version(live));
    if let Some(theirs) = &theirs
        && numbers(theirs) > numbers(&ours)
    {
        return Standing::Newer(theirs.clone());
    }
    let versions = with_kept(&own["spec"]["versions"], &live["spec"]["versions"]);
    let names_differ = contains(&own["spec"]["names"], &live["spec"]["names"]);
    let noted = theirs.as_deref() == Some(ours.as_str());
    let kept = live["metadata"]["annotations"].get(names::HELM_KEEP.0).is_some();
    if same(&versions, &live["spec"]["versions"]) && names_differ && noted && kept {
        return Standing::Current;
    }
    Standing::Behind(json!({
        "metadata": {
            "annotations": {(names::ANNOTATION_VERSION): ours, (names::HELM_KEEP.0): names::HELM_KEEP.1},
            "resourceVersion": live["metadata"]["resourceVersion"],
        },
        "spec": {"names": own["spec"]["names"], "versions": versions},
    }))
}

/// The numbers of `1.2.3`; anything after a `-` or `+` is ignored.
fn numbers(version: &str) -> Vec<u64> {
    let release = version.split(['-', '+']).next().unwrap_or_default();
    release.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

/// Our versions plus the fields that only the installed ones have, and versions that only it has.
fn with_kept(own: &Value, live: &Value) -> Value {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (mut all, live) = (list(own), list(live));
    for version in &mut all {
        if let Some(installed) = live.iter().find(|installed| installed["name"] == version["name"]) {
            let schema = &mut version["schema"]["openAPIV3Schema"];
            keep(schema, &installed["schema"]["openAPIV3Schema"]);
        }
    }
    let known: Vec<Value> = all.iter().map(|version| version["name"].clone()).collect();
    for mut version in live.into_iter().filter(|version| !known.contains(&version["name"])) {
        version["storage"] = json!(false);
        all.push(version);
    }
    Value::Array(all)
}

/// Keeps unknown fields.
const OPEN: &str = "x-kubernetes-preserve-unknown-fields";

/// Adds to a schema the fields that another allows to be stored and this one would drop.
fn keep(schema: &mut Value, live: &Value) {
    let (Some(map), Some(installed)) = (schema.as_object_mut(), live.as_object()) else { return };
    if map.get(OPEN) == Some(&json!(true)) {
        return;
    }
    keep_properties(map, installed);
    if let (Some(ours), Some(theirs)) = (map.get_mut("items"), installed.get("items")) {
        keep(ours, theirs);
    }
    let theirs = installed.get("additionalProperties").filter(|theirs| **theirs != json!(false));
    let any_key = match (map.get_mut("additionalProperties"), theirs) {
        (Some(ours), Some(theirs)) => {
            keep(ours, theirs);
            false
        }
        // a map with any key where we have fields: values under other keys stay
        (None, Some(_)) => true,
        (_, None) => installed.get(OPEN) == Some(&json!(true)),
    };
    if any_key && map.get("type") == installed.get("type") {
        map.insert(OPEN.into(), json!(true));
    }
}

fn keep_properties(map: &mut Map<String, Value>, installed: &Map<String, Value>) {
    let Some(theirs) = installed.get("properties").and_then(Value::as_object) else { return };
    if map.contains_key("additionalProperties") {
        return;
    }
    let ours = map.entry("properties").or_insert_with(|| json!({}));
    for (name, theirs) in theirs {
        match ours.get_mut(name) {
            Some(ours) => keep(ours, theirs),
            None => ours[name] = theirs.clone(),
        }
    }
}

/// The same JSON; `1` and `1.0` are one number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// Everything in `part` is also in `whole`.
fn contains(part: &Value, whole: &Value) -> bool {
    part.as_object()
        .into_iter()
        .flatten()
        .all(|(key, value)| whole.get(key).is_some_and(|of| same(value, of)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::crd::all_crds;

    fn own(name: &str) -> Value {
        let all = all_crds();
        let found = all.iter().find(|crd| crd.spec.names.plural == name);
        serde_json::to_value(found).unwrap()
    }

    fn installed(version: Option<&str>, edit: impl FnOnce(&mut Value)) -> Value {
        let mut live = own("canaries");
        live["metadata"]["resourceVersion"] = json!("7");
        match version {
            Some(version) => live["metadata"]["annotations"][names::ANNOTATION_VERSION] = json!(version),
            None => drop(live["metadata"].as_object_mut().unwrap().remove("annotations")),
        }
        edit(&mut live);
        live
    }

    fn spec_of(crd: &mut Value) -> &mut Value {
        &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    }

    fn patched(live: &Value) -> Value {
        let Standing::Behind(patch) = standing(&own("canaries"), live) else { panic!("not behind") };
        assert_eq!(patch["metadata"]["resourceVersion"], "7");
        let mut after = live.clone();
        json_patch::merge(&mut after, &patch);
        after
    }

    #[test]
    fn ch8_ch10_an_older_definition_is_brought_up_and_then_current() {
        let older = installed(Some("0.0.9"), |crd| {
            spec_of(crd).as_object_mut().unwrap().remove("settleTime");
        });
        let after = patched(&older);
        assert!(spec_of(&mut after.clone()).get("settleTime").is_some());
        assert_eq!(standing(&own("canaries"), &after), Standing::Current);
        // only the mark is missing: Flagger's, or from a release before there was a mark
        let unmarked = patched(&installed(None, |_| {}));
        assert_eq!(standing(&own("canaries"), &unmarked), Standing::Current);
        assert_eq!(unmarked["metadata"]["annotations"][names::HELM_KEEP.0], names::HELM_KEEP.1);
    }

    #[test]
    fn ch10_one_of_a_newer_version_is_left_alone() {
        for newer in ["0.3.0", "1.0.0", "0.2.10", "10.0.0-rc.1"] {
            let live =
                installed(Some(newer), |crd| drop(spec_of(crd).as_object_mut().unwrap().remove("suspend")));
            assert_eq!(standing(&own("canaries"), &live), Standing::Newer(newer.into()));
        }
        let same = installed(Some(env!("CARGO_PKG_VERSION")), |_| {});
        assert_eq!(standing(&own("canaries"), &same), Standing::Current);
    }

    #[test]
    fn ch10_no_field_and_no_version_is_ever_taken_out() {
        let live = installed(None, |crd| {
            let spec = spec_of(crd);
            spec["theirs"] = json!({"type": "string"});
            spec["service"]["properties"]["theirs"] =
                json!({"type": "object", "properties": {"a": {"type": "string"}}});
            spec["analysis"]["properties"]["metrics"]["items"]["properties"]["theirs"] =
                json!({"type": "integer"});
            spec["targetRef"]["x-kubernetes-preserve-unknown-fields"] = json!(true);
            let mut old = crd["spec"]["versions"][0].clone();
            old["name"] = json!("v1alpha1");
            old["storage"] = json!(true);
            crd["spec"]["versions"].as_array_mut().unwrap().push(old);
        });
        let mut after = patched(&live);
        let versions = after["spec"]["versions"].as_array().unwrap().clone();
        let of = |name: &str| versions.iter().find(|version| version["name"] == name).unwrap().clone();
        assert_eq!(of("v1alpha1")["storage"], false);
        assert_eq!(versions.iter().filter(|version| version["storage"] == true).count(), 1);
        let spec = spec_of(&mut after);
        assert_eq!(spec["theirs"]["type"], "string");
        assert_eq!(spec["service"]["properties"]["theirs"]["properties"]["a"]["type"], "string");
        assert_eq!(
            spec["analysis"]["properties"]["metrics"]["items"]["properties"]["theirs"]["type"],
            "integer"
        );
        assert_eq!(spec["targetRef"]["x-kubernetes-preserve-unknown-fields"], true);
        assert_eq!(standing(&own("canaries"), &after), Standing::Current);
    }

    #[test]
    fn numbers_are_compared_by_value() {
        assert!(same(&json!({"a": [1]}), &json!({"a": [1.0]})));
        assert!(!same(&json!({"a": 1}), &json!({"a": 1, "b": 2})));
        assert!(numbers("0.10.0") > numbers("0.9.9") && numbers("1.0.0-rc") == numbers("1.0.0"));
    }
}
