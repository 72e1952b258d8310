//! The smallest JSON merge patch (RFC 7386) from a live object to its wanted state.
//!
//! ```text
//! below an owned pointer   extra live keys become null; a list that differs is replaced whole
//! elsewhere                only keys that are given are set; a given null removes
//! ```
//!
//! The API server drops some empty values, so these count as equal to nothing: `null`; empty `labels` and
//! `annotations`; and, in core and `apps` objects, an empty string that is not an entry of a map of strings.

use serde_json::{Map, Value};

use super::{json, object::Manifest};

/// Keys under which every entry counts, an empty string too.
const STRING_MAPS: [&str; 7] =
    ["labels", "annotations", "matchLabels", "nodeSelector", "selector", "data", "limits"];

/// Turns the fields of `live` that `want` sets or owns into `want`'s. None: nothing differs. Identity (apiVersion,
/// kind, name, namespace), status and managedFields are never part of it.
pub fn patch(live: &Value, want: &Manifest) -> Option<Value> {
    let rules = Rules { owned: want.owned, typed: matches!(want.kind.group, "" | "apps") };
    let (Value::Object(have), Value::Object(body)) = (live, &want.body) else {
        return None;
    };
    let mut changes = rules.members(have, body, "", false);
    for pointer in want.owned {
        if want.body.pointer(pointer).is_none() && live.pointer(pointer).is_some_and(|v| !v.is_null()) {
            let path: Vec<&str> = pointer.split('/').skip(1).collect();
            let mut value = Value::Object(changes);
            json::set(&mut value, &path, Value::Null);
            changes = if let Value::Object(map) = value { map } else { Map::new() };
        }
    }
    if changes.is_empty() { None } else { Some(Value::Object(changes)) }
}

/// The merge patch that turns `old` into `new`; every field counts. None: nothing differs.
pub fn difference(old: &Value, new: &Value) -> Option<Value> {
    Rules { owned: &[], typed: false }.change(old, new, "", true)
}

struct Rules {
    owned: &'static [&'static str],
    /// Served by the API server's own types, which drop empty strings.
    typed: bool,
}

impl Rules {
    fn members(
        &self,
        have: &Map<String, Value>,
        want: &Map<String, Value>,
        at: &str,
        whole: bool,
    ) -> Map<String, Value> {
        let mut out = Map::new();
        for (key, wanted) in want {
            let pointer = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
            if untouchable(&pointer) {
                continue;
            }
            let whole = whole || self.owned.contains(&pointer.as_str());
            let live = have.get(key).unwrap_or(&Value::Null);
            if let Some(change) = self.change(live, wanted, &pointer, whole) {
                out.insert(key.clone(), change);
            }
        }
        if whole {
            for (key, live) in have.iter().filter(|(key, _)| !want.contains_key(*key)) {
                if !self.nothing(live, key, last(at)) {
                    out.insert(key.clone(), Value::Null);
                }
            }
        }
        out
    }

    /// The patch for `pointer`, if anything differs.
    fn change(&self, live: &Value, want: &Value, pointer: &str, whole: bool) -> Option<Value> {
        match (live, want) {
            (Value::Object(have), Value::Object(members)) => {
                let inner = self.members(have, members, pointer, whole);
                if inner.is_empty() { None } else { Some(Value::Object(inner)) }
            }
            _ if self.equal(live, want, last(pointer), last(parent(pointer))) => None,
            (_, Value::Null) => Some(Value::Null),
            _ => {
                let mut value = want.clone();
                json::drop_nulls(&mut value);
                // a value to remove does not exist
                (!self.equal(live, &value, last(pointer), last(parent(pointer)))).then_some(value)
            }
        }
    }

    /// Deep equality, for values that are set or replaced as a whole.
    fn equal(&self, a: &Value, b: &Value, key: &str, parent: &str) -> bool {
        match (a, b) {
            (Value::Object(x), Value::Object(y)) => {
                let null = &Value::Null;
                x.iter().all(|(k, v)| self.equal(v, y.get(k).unwrap_or(null), k, key))
                    && y.iter().all(|(k, v)| x.contains_key(k) || self.nothing(v, k, key))
            }
            (Value::Array(x), Value::Array(y)) => {
                x.len() == y.len() && x.iter().zip(y).all(|(x, y)| self.equal(x, y, "", key))
            }
            _ => json::same_scalar(a, b) || self.nothing(a, key, parent) && self.nothing(b, key, parent),
        }
    }

    /// Whether the API server drops such a value under `key`.
    fn nothing(&self, value: &Value, key: &str, parent: &str) -> bool {
        match value {
            Value::Null => true,
            Value::Object(map) => map.is_empty() && matches!(key, "labels" | "annotations"),
            Value::String(text) => text.is_empty() && self.typed && !STRING_MAPS.contains(&parent),
            _ => false,
        }
    }
}

fn untouchable(pointer: &str) -> bool {
    matches!(
        pointer,
        "/apiVersion"
            | "/kind"
            | "/status"
            | "/metadata/name"
            | "/metadata/namespace"
            | "/metadata/managedFields"
    )
}

fn parent(pointer: &str) -> &str {
    pointer.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn last(pointer: &str) -> &str {
    pointer.rsplit_once('/').map_or(pointer, |(_, key)| key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{
        manifest::fixture::merge,
        snapshot::{Kind, SERVICE},
    };

    const CUSTOM: Kind = Kind { group: "example.org", version: "v1", kind: "Custom", plural: "customs" };

    fn want(kind: Kind, owned: &'static [&'static str], body: Value) -> Manifest {
        Manifest { kind, name: "x".into(), manager: "m", owned, body }
    }

    #[test]
    fn owned_fields_are_whole_and_others_are_merged() {
        let live = json!({
            "apiVersion": "example.org/v2", "status": {"a": 1},
            "metadata": {"labels": {"mine": "old", "theirs": "kept"}},
            "spec": {"http": [{"a": 1, "b": 2}], "hosts": ["h"], "mode": {"x": 1, "y": {"z": 2}}, "theirs": true},
        });
        let w = want(
            CUSTOM,
            &["/spec/http", "/spec/hosts", "/spec/mode"],
            json!({
                "apiVersion": "example.org/v1", "status": {"a": 2}, "metadata": {"labels": {"mine": "new", "gone": null}},
                "spec": {"http": [{"a": 1}], "mode": {"y": {}}},
            }),
        );
        let p = patch(&live, &w).unwrap();
        assert_eq!(
            p,
            json!({
                "metadata": {"labels": {"mine": "new"}},
                "spec": {"hosts": null, "http": [{"a": 1}], "mode": {"x": null, "y": {"z": null}}},
            })
        );
        let mut after = live;
        merge(&mut after, &p);
        assert_eq!(patch(&after, &w), None);
        assert_eq!(after["spec"]["theirs"], true);
    }

    #[test]
    fn what_the_api_server_drops_is_no_difference() {
        let w = want(
            SERVICE,
            &["/spec/ports"],
            json!({
                "metadata": {"annotations": {}}, "spec": {"ports": [{"name": "", "port": 80}], "externalName": ""},
            }),
        );
        let live = json!({"metadata": {}, "spec": {"ports": [{"port": 80.0}]}});
        assert_eq!(patch(&live, &w), None);
        let w = want(SERVICE, &[], json!({"metadata": {"labels": {"a": ""}}}));
        assert!(patch(&json!({}), &w).is_some(), "an empty label is a label");
        let w =
            want(SERVICE, &["/spec/template"], json!({"spec": {"template": {"volumes": {"emptyDir": {}}}}}));
        assert!(
            patch(&json!({"spec": {"template": {"volumes": {}}}}), &w).is_some(),
            "emptyDir says something"
        );
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-3i64..3).prop_map(Value::from),
            "[ab]?".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[a-d~/]", inner, 0..4)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn one_patch_is_enough(live in value(), spec in value(), kept in value(), custom in any::<bool>()) {
            let mut live = json!({"metadata": {"labels": {"theirs": "1"}}, "spec": {"mine": live, "kept": kept}});
            json::drop_nulls(&mut live);
            let kind = if custom { CUSTOM } else { SERVICE };
            let mut w = want(kind, &["/spec/mine"], json!({"metadata": {"labels": {"ours": "2"}}, "spec": {"mine": spec}}));
            json::drop_nulls(&mut w.body);
            let before = live.clone();
            if let Some(p) = patch(&live, &w) {
                merge(&mut live, &p);
            }
            prop_assert_eq!(patch(&live, &w), None, "{}", live);
            prop_assert_eq!(&live["spec"]["kept"], &before["spec"]["kept"]);
            prop_assert_eq!(&live["metadata"]["labels"]["theirs"], &json!("1"));
        }
    }
}
