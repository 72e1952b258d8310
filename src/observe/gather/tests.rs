use serde_json::json;

use super::*;
use crate::{
    observe::cache::work,
    snapshot::{CONFIG_MAP, JOB, POD, SECRET},
};

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
    let crds = [
        "virtualservices.networking.istio.io",
        "destinationrules.networking.istio.io",
        "canaryruns.serin.dev",
    ];
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

/// So many applications in one namespace, each with all that a Canary can have.
fn crowd(number: usize) -> ObjectCache {
    let (cache, _) = seen("istio");
    let routes = router::by_name("istio").unwrap().kinds()[0];
    let kinds = router::by_name("istio").unwrap().kinds().iter().copied();
    for kind in kinds.chain([HPA, SCALED_OBJECT, CANARY_RUN, JOB, POD, CONFIG_MAP, SECRET]) {
        cache.listed(kind, &BTreeSet::new());
    }
    for number in 0..number {
        for (kind, object) in application(&format!("web-{number}"), routes) {
            cache.insert(kind, object);
        }
    }
    cache
}

fn application(name: &str, routes: Kind) -> Vec<(Kind, Value)> {
    let primary = names::primary(name);
    let object = |name: String, labels: Value, rest: Value| {
        let meta = json!({"name": name, "namespace": "n", "resourceVersion": "5", "labels": labels});
        let mut object = json!({"apiVersion": "v1", "kind": "X", "metadata": meta});
        object.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        object
    };
    let own = || json!({names::LABEL_CANARY: name, names::LABEL_TEMPLATE_OF: primary});
    let workload = |label: &str| {
        let labels = json!({"app": label, "tier": "web"});
        let template =
            json!({"metadata": {"labels": labels}, "spec": {"volumes": [{"configMap": {"name": name}}]}});
        json!({"spec": {"selector": {"matchLabels": labels}, "template": template}})
    };
    let target = json!({"kind": "Deployment", "apiVersion": "apps/v1", "name": name});
    let metric = json!({"name": "m", "templateRef": {"name": format!("{name}-errors")}});
    let spec = json!({
        "targetRef": target, "autoscalerRef": {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": name},
        "service": {"port": 80, "hosts": [format!("{name}.example.com")]}, "analysis": {"metrics": [metric]},
    });
    let status = json!({"observedConfigs": {format!("configmap/{name}"): {"version": "1"}}});
    let mut all = vec![
        (CANARY, object(name.to_owned(), json!({}), json!({"spec": spec, "status": status}))),
        (METRIC_TEMPLATE, object(format!("{name}-errors"), json!({}), json!({"spec": {}}))),
        (DEPLOYMENT, object(name.to_owned(), json!({}), workload(name))),
        (DEPLOYMENT, object(primary.clone(), own(), workload(&primary))),
        (routes, object(name.to_owned(), own(), json!({}))),
        (CONFIG_MAP, object(name.to_owned(), json!({}), json!({}))),
        (CONFIG_MAP, object(format!("{name}-primary-1"), own(), json!({}))),
        (JOB, object(format!("{name}-job"), own(), json!({}))),
    ];
    for scaled in [name, &primary] {
        let spec = json!({"spec": {"scaleTargetRef": {"kind": "Deployment", "name": scaled}}});
        all.push((HPA, object(scaled.to_owned(), json!({}), spec)));
    }
    for service in [name.to_owned(), primary.clone(), names::canary(name)] {
        all.push((SERVICE, object(service, own(), json!({}))));
    }
    for number in 1..4 {
        all.push((REVISION, object(format!("{primary}-{number}"), own(), json!({"data": {}}))));
        all.push((CANARY_RUN, object(format!("{name}-{number}"), own(), json!({}))));
    }
    all
}

#[test]
fn no_pass_and_no_event_costs_more_because_there_are_others() {
    let (few, many) = (crowd(50), crowd(400));
    let key: Key = ("n".into(), "web-7".into());
    let routes = router::by_name("istio").unwrap().kinds()[0];
    let pass = |cache: &ObjectCache| work::of(|| gather(cache, &Rules::default(), &key, at(0)));
    let ((small, cost), (large, more)) = (pass(&few), pass(&many));
    let (small, large) = (small.unwrap(), large.unwrap());
    let kinds = [DEPLOYMENT, SERVICE, REVISION, CANARY_RUN, HPA, CONFIG_MAP];
    let read = |snap: &Snapshot| kinds.map(|kind| snap.objects.of(kind).count());
    assert_eq!((read(&small), read(&large)), ([2, 3, 3, 3, 2, 2], [2, 3, 3, 3, 2, 2]));
    assert_eq!(cost, more);
    for (kind, mut object) in application("web-7", routes) {
        object["metadata"]["resourceVersion"] = json!("6");
        object["metadata"]["annotations"] = json!({"changed": "1"});
        let event = |cache: &ObjectCache| work::of(|| cache.insert(kind, object.clone()));
        let (cost, more) = (event(&few), event(&many));
        assert!(cost.0.contains(&key), "{}: {:?}", kind.kind, cost.0);
        assert_eq!(cost, more, "{}", kind.kind);
    }
}
