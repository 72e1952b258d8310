//! What routers write, beside what users say of metadata: the shipped admission policies let it pass, and it stays in the
//! namespace and in the fields that are ours.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    cases::{APEX, Case, cases, pinned},
    conformance::{canary, sources},
};
use crate::{
    manifest::{Manifest, Undo, fixture, fixture::merge, patch},
    names,
    router::{Cookies, Split, all},
    snapshot::{KNATIVE_SERVICE, Kind, Objects},
    spec::Validated,
    tests::policies::{by, policies},
};

/// The policies let a write pass.
fn admitted(kind: Kind, old: &Value, new: &Value) {
    let resource = (kind.group, kind.plural);
    let write = by(resource, old, new);
    assert_eq!(write.refused(), Vec::<String>::new(), "{} {resource:?}: {old} {new}", write.operation());
}

fn written(live: &mut Objects, m: &Manifest) {
    let old = live.at(&m.at()).cloned();
    let mut new = old.clone().unwrap_or_else(|| m.to_create());
    let Some(change) = old.as_ref().map_or(Some(Value::Null), |old| patch(old, m)) else { return };
    if old.is_some() {
        merge(&mut new, &change);
    }
    admitted(m.kind, &old.unwrap_or_default(), &new);
    live.insert(m.kind, new);
}

/// A run, and its end.
fn played(case: &Case, c: &Validated, mut live: Objects) {
    let router = case.router();
    for m in router.auxiliary_objects(c) {
        written(&mut live, &m);
    }
    for (epoch, weight) in [(1, 0), (2, 20), (2, 0)] {
        let split = Split::to_canary(if router.shifts_traffic(c) { weight } else { 0 });
        for m in router.render(c, &live, split, &Cookies::default()).unwrap() {
            written(&mut live, &fixture::stamped(m, epoch, jiff::Timestamp::UNIX_EPOCH));
        }
    }
    for undo in router.restore(c, &live) {
        match undo {
            Undo::Restore(m) => written(&mut live, &m),
            Undo::Delete(at) => {
                let old = live.remove(&at).unwrap();
                admitted(at.kind, &old, &Value::Null);
            }
        }
    }
}

fn all_cases() -> impl Iterator<Item = Case> {
    cases().into_iter().chain(pinned())
}

#[test]
fn f14_what_routers_write_passes_the_policies() {
    for case in all_cases() {
        let c = canary(&case, &[], &[]);
        played(&case, &c, sources(&case));
        if case.theirs.is_null() {
            continue;
        }
        let at = case.router().reads(&c).into_iter().find(|at| at.name == c.names.apex).unwrap();
        let text = case.theirs.to_string().replace(APEX, &c.names.apex);
        let mut live = sources(&case);
        live.insert(
            at.kind,
            json!({
                "apiVersion": at.kind.api_version(), "kind": at.kind.kind,
                "metadata": {"name": at.name, "labels": {"team": "a"}, "finalizers": ["theirs"], "ownerReferences": [{"kind": "Team"}]},
                "spec": serde_json::from_str::<Value>(&text).unwrap(),
            }),
        );
        played(&case, &c, live);
    }
}

#[test]
fn f14_the_policies_are_about_every_kind_that_a_router_writes() {
    let policies: Vec<Value> = ["operator", "routes"].into_iter().flat_map(policies).collect();
    for router in all() {
        for kind in router.kinds().iter().chain(router.optional_kinds()) {
            for operation in ["CREATE", "UPDATE", "DELETE"] {
                // the target itself
                if *kind == KNATIVE_SERVICE && operation == "CREATE" {
                    continue;
                }
                let named = policies.iter().any(|policy| {
                    let rules = policy["spec"]["matchConstraints"]["resourceRules"].as_array().unwrap();
                    rules.iter().any(|rule| {
                        let has =
                            |field: &str, word: &str| rule[field].as_array().unwrap().contains(&json!(word));
                        has("apiGroups", kind.group)
                            && has("resources", kind.plural)
                            && has("operations", operation)
                    })
                });
                assert!(named, "{operation} {kind:?}");
            }
        }
    }
}

/// Labels or annotations as a user may think of them: plain, ours, Flux's, and those by which other controllers are told.
fn metadata() -> impl Strategy<Value = Value> {
    let keys = prop_oneof![
        prop::sample::select(vec![
            names::LABEL_CANARY,
            names::ANNOTATION_ORIGINAL,
            names::ANNOTATION_EPOCH,
            names::ANNOTATION_NAMESPACE,
            names::ANNOTATION_COPIED,
            names::FLUX_MARKERS[0].0,
            names::ANNOTATION_KUBECTL,
            "namespace",
            "kuma.io/mesh",
            "nginx.ingress.kubernetes.io/canary-weight",
        ])
        .prop_map(str::to_owned),
        "[a-z]{1,8}(\\.serin\\.dev/[a-z]{1,4})?",
        "\\PC{0,8}",
    ];
    let values = prop_oneof![Just("neighbour".to_owned()), Just(String::new()), "\\PC{0,16}"];
    proptest::collection::btree_map(keys, values, 0..5).prop_map(|map| json!(map))
}

/// All that a router would write.
fn made(case: &Case, c: &Validated) -> Vec<Manifest> {
    let mut live = sources(case);
    let mut all = case.router().auxiliary_objects(c);
    for m in &all {
        live.insert(m.kind, m.to_create());
    }
    let weight = if case.router().shifts_traffic(c) { 20 } else { 0 };
    all.extend(case.router().render(c, &live, Split::to_canary(weight), &Cookies::default()).unwrap());
    all
}

/// The marks of ours on it, but for the note of what users gave.
fn marks(m: &Manifest) -> Vec<(String, Value)> {
    let maps =
        ["labels", "annotations"].map(|map| m.body["metadata"][map].as_object().cloned().unwrap_or_default());
    let own = |key: &str| names::is_own(key) && key != names::ANNOTATION_COPIED;
    maps.into_iter().flatten().filter(|(key, _)| own(key)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn f2_metadata_of_users_leads_no_write_out_of_the_namespace_or_to_other_fields(labels in metadata(), annotations in metadata()) {
        let given = json!({"labels": labels, "annotations": annotations});
        let service = json!({"apex": given, "primary": given, "canary": given});
        for case in all_cases() {
            let (plain, c) = (canary(&case, &[], &[]), canary(&case, &[&service], &[]));
            let (plain, all) = (made(&case, &plain), made(&case, &c));
            prop_assert_eq!(plain.len(), all.len());
            for (plain, m) in plain.iter().zip(&all) {
                prop_assert_eq!(plain.at(), m.at());
                prop_assert!(case.router().reads(&c).contains(&m.at()), "{}", m.at());
                // what users say of metadata stays in it, and says nothing in our name
                prop_assert_eq!(&plain.body["spec"], &m.body["spec"], "{}", m.at());
                prop_assert_eq!(marks(plain), marks(m), "{}", m.at());
                let note = &m.body["metadata"]["annotations"][names::ANNOTATION_COPIED];
                prop_assert!(note.is_null() || note != "neighbour", "the note is ours: {}", m.at());
                let metadata = m.body["metadata"].as_object().cloned().unwrap_or_default();
                let ours = ["name", "labels", "annotations", "ownerReferences"];
                prop_assert!(metadata.keys().all(|key| ours.contains(&key.as_str())), "{:?}", metadata);
                prop_assert!(m.kind.cluster_wide() || metadata.get("namespace").is_none());
                // of what belongs to no namespace all destinations are in that of the Canary
                let text = m.body["spec"].to_string();
                let elsewhere = text.split('"').filter(|word| word.contains("_svc_") && !word.contains("_test_svc_"));
                prop_assert_eq!(elsewhere.count(), 0, "{}", text);
            }
        }
    }
}
