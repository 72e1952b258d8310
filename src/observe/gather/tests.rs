use serde_json::json;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + seconds).unwrap()
}

/// A cache that has seen a Canary of this provider and its target.
fn seen(provider: &str) -> (ObjectCache, Key) {
    let cache = ObjectCache::default();
    let target = json!({"kind": "Deployment", "apiVersion": "apps/v1", "name": "app"});
    let meta = json!({"name": "app", "namespace": "n", "resourceVersion": "1"});
    let spec = json!({"targetRef": target, "provider": provider, "service": {"port": 80}, "analysis": {}});
    cache.insert(
        CANARY,
        json!({"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": meta, "spec": spec}),
    );
    cache.insert(DEPLOYMENT, json!({"metadata": meta}));
    let key: Key = ("n".into(), "app".into());
    for kind in super::super::mandatory(&Rules::default()).into_iter().chain(pod_policies::KINDS) {
        cache.listed(kind, &BTreeSet::from([key.clone()]));
    }
    let crds = ["virtualservices.networking.istio.io", "destinationrules.networking.istio.io"];
    cache.set_crds(crds.map(str::to_owned).into());
    (cache, key)
}

#[test]
fn c24_what_is_newer_than_has_been_seen_is_not_waited_for_while_its_kind_is_not_seen() {
    let (cache, key) = seen("kubernetes");
    cache.floor(DEPLOYMENT, key.clone(), 7);
    let gather = |now| super::gather(&cache, &Rules::default(), &key, now);
    assert!(matches!(gather(at(0)), Err(GatherError::Behind("deployments"))));
    cache.lose(DEPLOYMENT, "no answer", at(0));
    assert!(matches!(gather(at(10)), Err(GatherError::Behind("deployments"))));
    let snap = gather(at(30)).unwrap();
    assert_eq!(snap.stale.len(), 1);
    assert_eq!((snap.stale[0].kind, snap.stale[0].since), (DEPLOYMENT, at(0)));
}

#[test]
fn c25_a_kind_that_cannot_be_listed_is_said_and_not_waited_for() {
    let (cache, key) = seen("istio");
    let gather = |now| super::gather(&cache, &Rules::default(), &key, now);
    assert!(matches!(gather(at(0)), Err(GatherError::Behind(_))));
    for kind in router::by_name("istio").unwrap().kinds() {
        cache.lose(*kind, "not found (404)", at(0));
    }
    assert!(matches!(gather(at(10)), Err(GatherError::Behind(_))));
    let snap = gather(at(30)).unwrap();
    let why = snap.unlisted_kinds.get("virtualservices.networking.istio.io").map(String::as_str);
    assert_eq!(why, Some("not found (404)"));
}
