//! What every router must do, tested for each registered one with generated Canaries: with everything that it claims to
//! do, in every combination; the rest it has to refuse. Also beside objects with fields of others, and over existing
//! objects.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases::{APEX, Case, KEPT, cases, pinned};
use crate::{
    analysis::{Checks, Metric, builtin},
    manifest::{
        Manifest, Undo,
        fixture::{self, merge},
        json as get, patch,
    },
    names,
    router::{Builtin, Cookies, Router, Split, all, traits::RouterError},
    snapshot::Objects,
    spec::{Target, Validated},
};

/// The Canary of a case with these parts of service and analysis.
pub(super) fn canary(case: &Case, service: &[&Value], analysis: &[&Value]) -> Validated {
    let mut all = json!({});
    merge(&mut all, case.spec.get("service").unwrap_or(&json!({})));
    for part in service {
        merge(&mut all, part);
    }
    let mut canary = fixture::canary(&all);
    let mut asked = json!({"interval": "10s", "stepWeight": 10});
    merge(&mut asked, case.spec.get("analysis").unwrap_or(&json!({})));
    for part in analysis {
        merge(&mut asked, part);
    }
    canary.analysis = serde_json::from_value(asked).unwrap();
    let mut spec = json!(canary.spec);
    merge(&mut spec, &case.spec);
    canary.spec = serde_json::from_value(spec).unwrap();
    canary.provider = case.provider.into();
    canary.target = Target::named(&canary.spec.target_ref).unwrap();
    canary
}

/// The parts whose bit is set.
fn some(parts: &[Value], bits: usize) -> Vec<&Value> {
    parts.iter().enumerate().filter(|(i, _)| bits & 1 << i != 0).map(|(_, part)| part).collect()
}

/// The state of the API server after the manifests were written, with fields that somebody else added.
pub(super) fn write(live: &mut Objects, manifests: &[Manifest]) {
    for m in manifests {
        let mut object = live.at(&m.at()).cloned().unwrap_or_else(|| {
            let mut new = m.to_create();
            merge(&mut new, &foreign());
            new
        });
        if let Some(change) = patch(&object, m) {
            merge(&mut object, &change);
        }
        live.insert(m.kind, object);
    }
}

fn foreign() -> Value {
    json!({
        "metadata": {"labels": {"theirs": "1"}, "annotations": {"theirs": "2"}, "uid": "u"},
        "spec": {"unknown": ["."]}, "status": {"seen": true},
    })
}

fn keeps_foreign(object: &Value) -> bool {
    let mut merged = object.clone();
    merge(&mut merged, &foreign());
    merged == *object
}

/// Everything that a router may be asked to do with a weight.
fn splits(case: &Case, c: &Validated, weight: i32) -> Vec<Split> {
    let named = !c.analysis.match_.is_empty();
    let weight = if case.whole && named && weight > 0 { 100 } else { weight };
    let rescue = Split::to_canary(100).for_everyone(named);
    let copies = |weight| Split::to_canary(weight).mirroring(c.analysis.mirror == Some(true));
    let pinned = !c.analysis.always.is_empty() || !c.analysis.never.is_empty();
    vec![
        Split::to_canary(0),
        copies(0).pinning(pinned),
        Split::to_canary(weight).pinning(pinned),
        rescue,
        copies(weight),
        Split::to_canary(weight),
        Split::to_canary(0),
    ]
}

type Checked = Result<(), TestCaseError>;

/// A run of `c` over `live`, and its end.
fn check(case: &Case, c: &Validated, weight: i32, mut live: Objects) -> Checked {
    let router = case.router();
    prop_assert_eq!(router.unsupported(c), Vec::<String>::new());
    write(&mut live, &router.auxiliary_objects(c));
    for split in splits(case, c, weight) {
        if router.shifts_traffic(c) {
            carry(router, c, split, &mut live)?;
        } else {
            prop_assert_eq!(router.render(c, &live, split, &Cookies::default()), Ok(vec![]));
            prop_assert_eq!(router.read_back(c, &live), Ok(Split::to_canary(0)));
        }
    }
    restored(router, c, &mut live)
}

/// Makes the live objects have `split`.
fn carry(router: &dyn Router, c: &Validated, split: Split, live: &mut Objects) -> Checked {
    let cookie = |name: &str| Some(format!("{name}=abcdefghij"));
    let given = split.canary() > 0;
    let cookies = Cookies {
        canary: cookie("a").filter(|_| given),
        primary: cookie("b").filter(|_| given),
        previous: cookie("c"),
    };
    let render = |live: &Objects| {
        router.render(c, live, split, &cookies).map_err(|e| TestCaseError::fail(e.to_string()))
    };
    let stamped: Vec<Manifest> =
        render(live)?.into_iter().map(|m| fixture::stamped(m, 3, jiff::Timestamp::UNIX_EPOCH)).collect();
    write(live, &stamped);
    prop_assert_eq!(router.read_back(c, live), Ok(split));
    for m in render(live)?.iter().chain(&router.auxiliary_objects(c)) {
        let mut object = live.at(&m.at()).cloned().unwrap_or_default();
        prop_assert_eq!(patch(&object, m), None, "settled");
        prop_assert!(keeps_foreign(&object), "{}", object);
        let mut kinds = router.kinds().iter().chain(router.optional_kinds());
        prop_assert!(kinds.any(|kind| *kind == m.kind) && router.reads(c).contains(&m.at()));
        // fields of others on the object change no traffic
        let said = json!({"metadata": {"labels": {"new": "x"}, "annotations": {"new": "y"}, "resourceVersion": "9"}});
        merge(&mut object, &said);
        live.insert(m.kind, object.clone());
        prop_assert_eq!(router.read_back(c, live), Ok(split));
        prop_assert_eq!(patch(&object, m), None, "metadata of others is no drift");
    }
    mends(&render, &|live| router.read_back(c, live), split, live)
}

/// Whatever somebody did to our fields, the wanted split is restored, and no other.
fn mends(
    render: &dyn Fn(&Objects) -> Result<Vec<Manifest>, TestCaseError>,
    read_back: &dyn Fn(&Objects) -> Result<Split, RouterError>,
    split: Split,
    live: &mut Objects,
) -> Checked {
    for m in render(live)? {
        for pointer in m.owned.iter().filter(|pointer| pointer.starts_with("/spec")) {
            for spoil in [|_: &mut Value| Value::Null, even_weights] {
                let mut object = live.at(&m.at()).cloned().unwrap_or_default();
                let Some(field) = object.pointer_mut(pointer) else { continue };
                *field = spoil(field);
                get::drop_nulls(&mut object);
                live.insert(m.kind, object);
                let mended = render(live)?;
                write(live, &mended);
                prop_assert_eq!(read_back(live), Ok(split), "{} of {} was spoilt", pointer, m.at());
                let object = live.at(&m.at()).cloned().unwrap_or_default();
                prop_assert_eq!(patch(&object, &m), None);
                prop_assert!(keeps_foreign(&object), "{}", object);
            }
        }
    }
    Ok(())
}

/// The same with every weight at 50.
fn even_weights(value: &mut Value) -> Value {
    match value {
        Value::Object(members) => {
            let even = |(key, value): (&String, &mut Value)| {
                let weight = ["weight", "percent"].contains(&key.as_str()) && value.is_number();
                (key.clone(), if weight { json!(50) } else { even_weights(value) })
            };
            members.iter_mut().map(even).collect()
        }
        Value::Array(items) => items.iter_mut().map(even_weights).collect(),
        other => other.clone(),
    }
}

/// No reference to the two sides and no mark of ours is left.
fn restored(router: &dyn Router, c: &Validated, live: &mut Objects) -> Checked {
    let undo = router.restore(c, live);
    for step in &undo {
        if let Undo::Restore(m) = step {
            write(live, std::slice::from_ref(m));
        }
    }
    if router.shifts_traffic(c) {
        let split = router.read_back(c, live).unwrap_or_default();
        prop_assert_eq!(split.canary(), 0, "what is deleted later carries nothing to the canary");
    }
    for step in undo {
        if let Undo::Delete(at) = step {
            prop_assert!(live.remove(&at).is_some(), "{} is not there", at);
        }
    }
    for kind in router.kinds() {
        for object in
            live.of(*kind).filter(|o| router.sources(c).iter().all(|s| s.name != o["metadata"]["name"]))
        {
            let text = object.to_string();
            prop_assert!(!text.contains("serin.dev") && !text.contains(names::FLUX), "{}", text);
            prop_assert!(!text.contains("-primary\"") && !text.contains("-canary\""), "{}", text);
            prop_assert!(keeps_foreign(object), "{}", object);
        }
    }
    prop_assert!(router.restore(c, live).is_empty(), "nothing is left to restore");
    Ok(())
}

/// The spec with the apex filled in.
pub(super) fn at_apex(c: &Validated, spec: &Value) -> Value {
    serde_json::from_str(&spec.to_string().replace(APEX, &c.names.apex)).unwrap()
}

/// All values of a spec that have to be kept.
pub(super) fn marked(spec: &Value) -> Vec<String> {
    let text = spec.to_string();
    text.split('"').filter(|part| part.starts_with(KEPT)).map(str::to_owned).collect()
}

pub(super) fn sources(case: &Case) -> Objects {
    let mut live = Objects::default();
    for (kind, object) in &case.sources {
        live.insert(*kind, object.clone());
    }
    live
}

/// An existing object is exactly the same afterwards.
fn takes_over(case: &Case, c: &Validated, weight: i32) -> Checked {
    let router = case.router();
    let mut live = sources(case);
    let at = router.reads(c).into_iter().find(|at| at.name == c.names.apex).unwrap();
    let mut theirs = json!({
        "apiVersion": at.kind.api_version(), "kind": at.kind.kind, "metadata": {"name": at.name},
        "spec": at_apex(c, &case.theirs),
    });
    merge(&mut theirs, &foreign());
    live.insert(at.kind, theirs.clone());
    prop_assert!(router.restore(c, &live).iter().all(|undo| !matches!(undo, Undo::Restore(_))));
    write(&mut live, &router.auxiliary_objects(c));
    for split in splits(case, c, weight) {
        carry(router, c, split, &mut live)?;
        let spec = live.at(&at).map(|object| object["spec"].to_string()).unwrap_or_default();
        for kept in marked(&case.theirs) {
            prop_assert!(spec.contains(&kept), "{} is lost: {}", kept, spec);
        }
    }
    for undo in router.restore(c, &live) {
        if let Undo::Restore(m) = undo {
            write(&mut live, &[m]);
        }
    }
    let mut back = live.at(&at).cloned().unwrap_or_default();
    for (field, key) in [("labels", "new"), ("annotations", "new")] {
        merge(&mut back, &json!({"metadata": {field: {key: null}, "resourceVersion": null}}));
    }
    prop_assert_eq!(back, theirs);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn every_router_conforms(service in any::<u16>(), analysis in any::<u16>(), weight in 0..=100, old in any::<bool>()) {
        for case in cases().into_iter().chain(pinned()) {
            let mut c = canary(&case, &some(&case.service, service.into()), &some(&case.can, analysis.into()));
            c.mesh_appended = old;
            check(&case, &c, weight, sources(&case))?;
            if !case.theirs.is_null() {
                takes_over(&case, &c, weight)?;
            }
        }
    }
}

#[test]
fn r10_r11_what_cannot_be_kept_is_said_before_a_takeover() {
    let mut wrong = Vec::new();
    for case in cases().iter().filter(|case| !case.theirs.is_null()) {
        let c = canary(case, &[], &[]);
        let conflict =
            |spec: &Value| case.router().takeover_conflict(&c, &json!({"spec": at_apex(&c, spec)}));
        assert_eq!(conflict(&case.theirs), None, "{}", case.provider);
        assert!(!case.lost.is_empty(), "{}", case.provider);
        for (part, word) in &case.lost {
            let mut theirs = case.theirs.clone();
            merge(&mut theirs, part);
            let said = conflict(&theirs).unwrap_or_else(|| "is taken over".into());
            if !said.contains(word) {
                wrong.push(format!("{}: {part}: {said}", case.provider));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Without an object of a user that is taken over, nothing shows what becomes of it.
#[test]
fn every_router_has_an_object_to_take_over_or_a_reason_why_not() {
    let without = [
        // copies the user's object, and never writes it
        "nginx",
        "skipper",
        "apisix",
        // has no object of its own
        "kubernetes",
        // its route is the target, and the user's tags are kept: `knative::tests`
        "knative",
        // of its two forms, the one with TrafficRoutes has a test of its own: `kuma::tests`
        "kuma",
    ];
    let all: Vec<Case> = cases().into_iter().chain(pinned()).collect();
    let lacking: BTreeSet<&str> =
        all.iter().filter(|case| case.theirs.is_null()).map(|case| case.provider).collect();
    assert_eq!(lacking, BTreeSet::from(without));
    assert!(cases().iter().any(|case| case.provider == "kuma" && !case.theirs.is_null()));
}

/// Flagger takes a route over without becoming its owner: it has both sides before Serin exists.
#[test]
fn r11_what_led_to_the_sides_before_leads_to_the_apex_afterwards() {
    for case in cases().iter().filter(|case| !case.theirs.is_null()) {
        let (router, c) = (case.router(), canary(case, &[], &[]));
        let mut live = sources(case);
        let at = router.reads(&c).remove(0);
        let render = |live: &Objects, weight| {
            router.render(&c, live, Split::to_canary(weight), &Cookies::default()).unwrap()
        };
        let made = render(&live, 0).into_iter().find(|made| made.at() == at).unwrap();
        let mut theirs = made.to_create();
        theirs["metadata"] = json!({"name": at.name});
        assert_eq!(router.takeover_conflict(&c, &theirs), None, "{}", case.provider);
        live.insert(at.kind, theirs);
        for weight in [0, 20, 0] {
            let made = render(&live, weight);
            write(&mut live, &made);
        }
        for undo in router.restore(&c, &live) {
            if let Undo::Restore(back) = undo {
                write(&mut live, &[back]);
            }
        }
        let text = live.at(&at).unwrap().to_string();
        assert!(!text.contains("-primary") && !text.contains("serin.dev"), "{}: {text}", case.provider);
    }
}

/// What a Service as target points to may have changed at any time.
#[test]
fn at_rest_every_request_is_led_to_the_primary_or_a_service_is_refused_as_target() {
    for case in cases().iter().filter(|case| case.provider != "knative") {
        let (router, c) = (case.router(), canary(case, &[], &[]));
        let mut live = sources(case);
        for weight in [0, 50, 0] {
            let made = router.render(&c, &live, Split::to_canary(weight), &Cookies::default()).unwrap();
            write(&mut live, &made);
        }
        let route = router.route(&c, &live).and_then(|at| live.at(&at).cloned()).unwrap_or_default();
        let switched_off = route["metadata"].to_string().contains("False()");
        let at_rest = router.read_back(&c, &live).is_ok_and(|split| split.canary() == 0);
        let leads = at_rest && route["spec"].to_string().contains("podinfo-primary") && !switched_off;
        assert!(leads || router.apex_is_primary(), "{}: {route}", case.provider);
    }
}

#[test]
fn every_weight_is_read_back() {
    for case in cases() {
        for weight in 0..=100 {
            check(&case, &canary(&case, &[], &[]), weight, sources(&case)).unwrap();
        }
    }
}

#[test]
fn every_router_has_a_case() {
    let tested: Vec<_> = cases().iter().map(|case| case.provider).collect();
    let served: Vec<_> = all().iter().map(|router| router.name()).collect();
    assert_eq!(tested, served);
}

#[test]
fn what_a_router_cannot_do_is_refused_by_its_path() {
    for case in cases().into_iter().chain(pinned()) {
        for part in &case.cannot {
            let c = canary(&case, &[], &[part]);
            let refused = case.router().unsupported(&c);
            assert!(!refused.is_empty(), "{}: {part}", case.provider);
            assert!(refused.iter().all(|text| text.starts_with("spec.")), "{refused:?}");
        }
    }
}

#[test]
fn an_entry_of_match_that_names_nothing_is_refused() {
    let entry = json!({"headers": {"x-canary": {"exact": "always"}}});
    for case in cases().iter().filter(|case| case.can.iter().any(|part| !part["match"].is_null())) {
        for empty in [json!({}), json!({"headers": {}}), json!({"uri": {"prefix": "/beta"}})] {
            for list in [json!([empty]), json!([entry, empty])] {
                let c = canary(case, &[], &[&json!({"match": list, "stepWeight": 0, "iterations": 3})]);
                let refused = case.router().unsupported(&c).join("; ");
                let path = format!("spec.analysis.match[{}]", c.analysis.match_.len() - 1);
                assert!(refused.contains(&path), "{}, {list}: {refused:?}", case.provider);
            }
        }
    }
}

#[test]
fn without_its_objects_there_is_nothing_to_read() {
    for case in cases().iter().filter(|case| case.router().shifts_traffic(&canary(case, &[], &[]))) {
        let c = canary(case, &[], &[]);
        assert!(case.router().read_back(&c, &Objects::default()).is_err(), "{}", case.provider);
        assert!(case.router().restore(&c, &Objects::default()).is_empty(), "{}", case.provider);
    }
}

#[test]
fn built_in_queries_ask_for_the_canary_and_read_only_failures_as_zero() {
    for case in cases() {
        let c = canary(&case, &[], &[]);
        let queries: &Builtin = case.router().queries();
        let text = |kind| builtin::render(&c, &Checks::default(), queries, kind, "1m").unwrap();
        let (rate, duration) = (text(Metric::SuccessRate), text(Metric::Duration));
        assert!(rate.contains("or vector(0)") && rate.ends_with("* 100"), "{rate}");
        let counters = builtin::counters(&c, &Checks::default(), queries, Metric::SuccessRate, "1m").unwrap();
        assert!(counters.own.iter().all(|own| rate.contains(own)), "{rate}");
        for reporter in ["both", "source", "destination"] {
            let c = canary(&case, &[], &[&json!({"reporter": reporter})]);
            for kind in [Metric::SuccessRate, Metric::Duration] {
                let asked = builtin::render(&c, &Checks::default(), queries, kind, "1m").unwrap();
                assert!(!asked.contains("rate("), "v4, a rate is not exact on every server: {asked}");
            }
        }
        for query in [&rate, &duration] {
            let whose = query.contains("podinfo") || query.contains("public");
            assert!(whose && query.contains("[1m]") && !query.contains("{{"), "{query}");
        }
    }
}
