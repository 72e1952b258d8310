//! Annotations on live objects cannot be abused: whatever they contain, giving back changes only our fields.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    cases::{Case, cases},
    conformance::{canary, sources},
};
use crate::{
    manifest::{
        Manifest, Undo,
        fixture::{self, merge},
        json as get, made_for, patch,
    },
    names,
    router::{Cookies, Router, Split},
    snapshot::Objects,
    spec::Validated,
};

/// A forged original: our fields in a foreign form, and fields that are not ours.
fn note(fields: &[&str], value: &Value) -> String {
    let all: serde_json::Map<String, Value> =
        fields.iter().map(|field| ((*field).to_owned(), value.clone())).collect();
    json!({"canary": "podinfo", "fields": all, "traffic": value, "annotations": value, "route": "x", "was": [value]}).to_string()
}

fn notes() -> impl Strategy<Value = String> {
    let paths = [
        "/spec/http",
        "/spec/conf",
        "/spec/destinations",
        "/spec/virtualhost",
        "/spec/rules",
        "/spec/unknown",
        "/spec",
        "/metadata/ownerReferences",
        "/metadata/finalizers",
        "/metadata/labels",
        "/metadata/annotations/theirs",
        "/status",
        "",
        "/x",
    ];
    let values = prop_oneof![
        Just(json!([{"kind": "Pod", "name": "x", "uid": "u"}])),
        Just(json!({"fqdn": "neighbour.example.org"})),
        Just(json!("text")),
        Just(Value::Null),
        Just(json!([])),
    ];
    prop_oneof![
        "\\PC{0,12}",
        Just("[".repeat(4000)),
        (proptest::sample::subsequence(paths.to_vec(), 0..paths.len()), values)
            .prop_map(|(fields, value)| note(&fields, &value)),
    ]
}

/// The state of the API server after these were written.
fn write(live: &mut Objects, manifests: &[Manifest]) {
    for m in manifests {
        let mut object = live.at(&m.at()).cloned().unwrap_or_else(|| m.to_create());
        if let Some(change) = patch(&object, m) {
            merge(&mut object, &change);
        }
        live.insert(m.kind, object);
    }
}

/// The object without what this manifest may change: the fields that are ours, and our marks.
pub(super) fn others(object: &Value, m: &Manifest) -> Value {
    let mut rest = object.clone();
    for pointer in m.owned {
        let path: Vec<&str> = pointer.split('/').skip(1).collect();
        get::set(&mut rest, &path, Value::Null);
    }
    let marks = names::OWN.into_iter().chain(names::FLUX_MARKERS.map(|(key, _)| key));
    for key in marks.chain([names::ANNOTATION_PRIMARY_REVISION]) {
        for map in ["labels", "annotations"] {
            get::set(&mut rest, &["metadata", map, key], Value::Null);
        }
    }
    get::drop_nulls(&mut rest);
    rest
}

fn forged(live: &Objects, marks: &Value) -> Objects {
    let mut forged = Objects::default();
    for (at, object) in live.iter() {
        let mut object = object.clone();
        merge(&mut object, &json!({"metadata": {"annotations": marks}}));
        forged.insert(at.kind, object);
    }
    forged
}

/// Everything that it sets.
fn given(m: &Manifest) -> Value {
    let mut body = m.body.clone();
    get::drop_nulls(&mut body);
    body
}

/// Every step of giving back these objects; `plain` are the same without forged annotations.
fn given_back(
    router: &dyn Router,
    c: &Validated,
    live: &Objects,
    plain: &Objects,
) -> Result<(), TestCaseError> {
    let honest = router.restore(c, plain);
    for undo in router.restore(c, live) {
        let Undo::Restore(m) = undo else { continue };
        let before = live.at(&m.at()).cloned().unwrap_or_default();
        let mut after = before.clone();
        if let Some(change) = patch(&before, &m) {
            merge(&mut after, &change);
        }
        if !made_for(&before, &c.name) {
            prop_assert_eq!(others(&after, &m), others(&before, &m), "{}", m.at());
            continue;
        }
        // created objects are the same as without the annotation
        let as_it_should = honest.iter().find_map(|undo| match undo {
            Undo::Restore(honest) if honest.at() == m.at() => Some(given(honest)),
            _ => None,
        });
        prop_assert_eq!(Some(given(&m)), as_it_should, "{}", m.at());
    }
    Ok(())
}

pub(super) fn split(case: &Case, c: &Validated, live: &mut Objects) -> Result<(), TestCaseError> {
    write(live, &case.router().auxiliary_objects(c));
    let made = case.router().render(c, live, Split::to_canary(20), &Cookies::default());
    let made = made.map_err(|error| TestCaseError::fail(error.to_string()))?;
    let stamped: Vec<Manifest> =
        made.into_iter().map(|m| fixture::stamped(m, 3, jiff::Timestamp::UNIX_EPOCH)).collect();
    write(live, &stamped);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn f2_giving_back_changes_nothing_but_what_is_ours(note in notes(), other in "\\PC{0,8}") {
        for case in cases() {
            let c = canary(&case, &[], &[]);
            let mut marks = json!({names::ANNOTATION_ORIGINAL: note});
            for key in [names::ANNOTATION_EPOCH, names::ANNOTATION_WRITTEN, names::ANNOTATION_COPIED] {
                marks[key] = json!(other);
            }
            // made by us
            let mut live = sources(&case);
            split(&case, &c, &mut live)?;
            given_back(case.router(), &c, &forged(&live, &marks), &live)?;
            if case.theirs.is_null() {
                continue;
            }
            // somebody else's, which we took over
            let at = case.router().reads(&c).into_iter().find(|at| at.name == c.names.apex);
            let at = at.ok_or_else(|| TestCaseError::fail("it takes nothing over"))?;
            let text = case.theirs.to_string().replace(super::cases::APEX, &c.names.apex);
            let theirs = json!({
                "apiVersion": at.kind.api_version(), "kind": at.kind.kind,
                "metadata": {"name": at.name, "annotations": {"theirs": "1"}, "finalizers": ["theirs"]},
                "spec": serde_json::from_str::<Value>(&text).map_err(|error| TestCaseError::fail(error.to_string()))?,
            });
            let mut live = sources(&case);
            live.insert(at.kind, theirs);
            split(&case, &c, &mut live)?;
            given_back(case.router(), &c, &forged(&live, &marks), &live)?;
        }
    }
}

/// Metadata that an author sets on the apex does not reach the route, and is ignored if it is already there.
#[test]
fn f2_a_canary_cannot_say_how_its_route_is_given_back() {
    let note = note(&["/spec/http", "/metadata/finalizers"], &json!(["neighbour"]));
    let given = json!({"apex": {
        "annotations": {names::ANNOTATION_ORIGINAL: note, "x.serin.dev/y": "1", "note": "kept"},
        "labels": {names::LABEL_CANARY: "another", "team": "a"},
    }});
    for case in cases() {
        let c = canary(&case, &[&given], &[]);
        let mut live = sources(&case);
        split(&case, &c, &mut live).unwrap();
        for (at, object) in live.iter().filter(|(_, object)| made_for(object, &c.name)) {
            let text = object.to_string();
            assert!(!text.contains("neighbour") && !text.contains("x.serin.dev"), "{at}: {text}");
            assert_eq!(object["metadata"]["labels"][names::LABEL_CANARY], "podinfo", "{at}");
        }
    }
}
