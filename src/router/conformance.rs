//! What every router must do, run for each registered one over generated Canaries.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Cookies, Router, Split, by_name};
use crate::{
    api::validated::Validated,
    manifest::{Manifest, Undo, fixture, fixture::merge, patch},
    names,
    snapshot::Objects,
};

const REGISTERED: [&str; 1] = ["istio"];

fn routers() -> impl Iterator<Item = &'static dyn Router> {
    REGISTERED.into_iter().filter_map(by_name)
}

/// A Canary with any of the parts of `spec.service` that routes depend on.
fn canaries() -> impl Strategy<Value = Validated> {
    let part = |value: Value| prop_oneof![Just(json!({})), Just(value)];
    let parts = (
        part(json!({"name": "web"})),
        part(json!({"gateways": ["public"], "hosts": ["a.example.com"]})),
        part(json!({"portDiscovery": true})),
        part(json!({"match": [{"uri": {"prefix": "/"}, "port": 80}], "timeout": "5s"})),
        part(json!({"apex": {"labels": {"team": "a"}, "annotations": {"note": "b"}}})),
        part(json!({"appProtocol": "tcp"})),
        part(json!({"trafficPolicy": {"tls": {"mode": "DISABLE"}}})),
    );
    let named =
        json!([{"headers": {"x-canary": {"exact": "always"}}}, {"headers": {"cookie": {"regex": "a"}}}]);
    let analysis = (
        part(json!({"match": named})),
        part(json!({"mirror": true, "mirrorWeight": 30})),
        part(json!({"sessionAffinity": {"cookieName": "a", "primaryCookieName": "b", "maxAge": 60}})),
    );
    (parts, analysis, any::<bool>()).prop_map(|((a, b, c, d, e, f, g), asked, old)| {
        let mut service = json!({});
        for part in [a, b, c, d, e, f, g] {
            merge(&mut service, &part);
        }
        let mut canary = fixture::canary(&service);
        canary.mesh_appended = old;
        let mut analysis = json!({"stepWeight": 10});
        for part in [asked.0, asked.1, asked.2] {
            merge(&mut analysis, &part);
        }
        canary.analysis = serde_json::from_value(analysis).unwrap();
        canary
    })
}

/// What the API server holds after the manifests were written, with fields that somebody else added.
fn write(live: &mut Objects, manifests: &[Manifest]) {
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
        "spec": {"exportTo": ["."]}, "status": {"seen": true},
    })
}

fn keeps_foreign(object: &Value) -> bool {
    let mut merged = object.clone();
    merge(&mut merged, &foreign());
    merged == *object
}

/// All that a router may be asked to do with a weight.
fn splits(c: &Validated, weight: i32) -> Vec<Split> {
    let named = !c.analysis.match_.is_empty();
    let rescue = Split::to_canary(100).for_everyone(named);
    let copies = |weight| Split::to_canary(weight).mirroring(c.analysis.mirror == Some(true));
    vec![
        Split::to_canary(0),
        copies(0),
        Split::to_canary(weight),
        rescue,
        copies(weight),
        Split::to_canary(0),
    ]
}

fn check(router: &dyn Router, c: &Validated, weight: i32) -> Result<(), TestCaseError> {
    if !router.refuses(c).is_empty() {
        return Ok(());
    }
    let mut live = Objects::default();
    prop_assert!(router.read_back(c, &live).is_err(), "there is nothing to read");
    write(&mut live, &router.beside(c));
    for split in splits(c, weight) {
        let cookie = |name: &str| Some(format!("{name}=abcdefghij"));
        let given = split.canary() > 0;
        let cookies = Cookies {
            canary: cookie("a").filter(|_| given),
            primary: cookie("b").filter(|_| given),
            previous: cookie("c"),
        };
        let route =
            router.render(c, &live, split, &cookies).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let stamped: Vec<Manifest> =
            route.iter().map(|m| m.clone().stamped(3, jiff::Timestamp::UNIX_EPOCH)).collect();
        write(&mut live, &stamped);
        prop_assert_eq!(router.read_back(c, &live), Ok(split));
        for m in router.render(c, &live, split, &cookies).iter().flatten().chain(&router.beside(c)) {
            let object = live.at(&m.at()).cloned().unwrap_or_default();
            prop_assert_eq!(patch(&object, m), None, "settled");
            prop_assert!(keeps_foreign(&object), "{}", object);
            prop_assert!(router.kinds().contains(&m.kind) && router.reads(c).contains(&m.at()));
        }
    }
    for undo in router.restore(c, &live) {
        match undo {
            Undo::Restore(m) => write(&mut live, &[m]),
            Undo::Delete(at) => prop_assert!(live.remove(&at).is_some(), "{} is not there", at),
        }
    }
    for kind in router.kinds() {
        for object in live.of(*kind) {
            let text = object.to_string();
            prop_assert!(!text.contains("serin.dev") && !text.contains(names::FLUX), "{}", text);
            prop_assert!(!text.contains("-primary\"") && !text.contains("-canary\""), "{}", text);
            prop_assert!(keeps_foreign(object), "{}", object);
        }
    }
    prop_assert!(router.restore(c, &live).is_empty(), "nothing is left to restore");
    Ok(())
}

proptest! {
    #[test]
    fn every_router_conforms(c in canaries(), weight in 0..=100) {
        for router in routers() {
            check(router, &c, weight)?;
        }
    }
}

#[test]
fn every_weight_is_read_back() {
    for router in routers() {
        for weight in 0..=100 {
            check(router, &fixture::canary(&json!({})), weight).unwrap();
        }
    }
}
