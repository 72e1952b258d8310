use serde_json::json;

use super::*;
use crate::{
    clock,
    manifest::pod_policies,
    observe::cache::{Watched, work},
    scope::Scope,
    snapshot::{CONFIG_MAP, INGRESS, JOB, METRIC_TEMPLATE, POD, SECRET},
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + seconds).unwrap()
}

/// A cache with a Canary of this provider and its target.
pub(super) fn seen(provider: &str) -> (ObjectCache, Key) {
    seen_by(ObjectCache::default(), provider)
}

fn seen_by(cache: ObjectCache, provider: &str) -> (ObjectCache, Key) {
    let target = json!({"kind": "Deployment", "apiVersion": "apps/v1", "name": "app"});
    let meta = json!({"name": "app", "namespace": "n", "resourceVersion": "1"});
    let spec = json!({"targetRef": target, "provider": provider, "service": {"port": 80}, "analysis": {"iterations": 5}});
    cache.insert(
        CANARY,
        json!({"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": meta, "spec": spec}),
    );
    cache.insert(DEPLOYMENT, json!({"metadata": meta}));
    let key: Key = ("n".into(), "app".into());
    for kind in super::super::mandatory(&Rules::default()).into_iter().chain(pod_policies::KINDS) {
        for watched in cache.watches(kind) {
            cache.listed(watched, &BTreeSet::from([key.clone()]));
        }
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
fn a_canary_is_there_while_the_labels_of_its_namespace_match_and_its_deadlines_count_from_then() {
    let (cache, key) = seen_by(ObjectCache::of(&Scope::labelled("team=shop").unwrap()), "kubernetes");
    let gather = || super::gather(&cache, &Rules::default(), &key, clock::now());
    assert!(matches!(gather(), Err(GatherError::Gone)));
    for _ in 0..2 {
        let before = clock::now();
        assert_eq!(cache.choose("n", true).len(), 1);
        let since = gather().unwrap().watching_since;
        assert!((before..=clock::now()).contains(&since), "{since}");
        cache.choose("n", false);
        assert!(matches!(gather(), Err(GatherError::Gone)));
    }
    // a kind that is watched from the start
    let (cache, key) = seen("kubernetes");
    assert_eq!(super::gather(&cache, &Rules::default(), &key, at(0)).unwrap().watching_since, Timestamp::MIN);
}

#[test]
fn a_canary_waits_for_the_watches_of_its_own_namespace() {
    let (cache, key) = seen_by(ObjectCache::of(&Scope::named("n,other").unwrap()), "kubernetes");
    let gather = |cache: &ObjectCache| super::gather(cache, &Rules::default(), &key, at(30));
    assert!(gather(&cache).is_ok());
    let (of, why) =
        (|namespace: &str| Watched { kind: DEPLOYMENT, namespace: Some(namespace.into()) }, "forbidden");
    cache.lose(of("other"), why, at(0));
    assert!(gather(&cache).unwrap().stale.is_empty(), "what is not seen elsewhere is nothing to it");
    cache.lose(of("n"), why, at(0));
    assert_eq!(gather(&cache).unwrap().stale.len(), 1);

    let fresh = ObjectCache::of(&Scope::named("n,other").unwrap());
    fresh.insert(
        CANARY,
        json!({"metadata": {"name": "app", "namespace": "n", "resourceVersion": "1"}, "spec": {}}),
    );
    assert!(matches!(gather(&fresh), Err(GatherError::Behind("canaries"))));
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

#[test]
fn objects_of_a_former_port_are_read_as_long_as_the_services_have_it() {
    let (cache, key) = seen("gloo");
    let router = router::by_name("gloo").unwrap();
    for kind in router.kinds() {
        cache.lose(*kind, "not found (404)", at(0));
    }
    let upstream = *router.kinds().iter().find(|kind| kind.plural == "upstreams").unwrap();
    let meta = |name: &str| json!({"name": name, "namespace": "n", "resourceVersion": "5"});
    cache.insert(upstream, json!({"metadata": meta("n-app-primaryupstream-81")}));
    let read = || {
        let snap = super::gather(&cache, &Rules::default(), &key, at(30)).unwrap();
        snap.objects.get(upstream, "n-app-primaryupstream-81").is_some()
    };
    assert!(!read());
    cache.insert(
        SERVICE,
        json!({"metadata": meta("app-primary"), "spec": {"ports": [{"port": 80}, {"port": 81}]}}),
    );
    assert!(read());
    let mut without = meta("app-primary");
    without["resourceVersion"] = json!("6");
    cache.insert(SERVICE, json!({"metadata": without, "spec": {"ports": [{"port": 80}]}}));
    assert!(!read(), "it may be of another Canary");
    let mut marked = meta("n-app-primaryupstream-81");
    marked["resourceVersion"] = json!("6");
    marked["labels"] = json!({names::LABEL_CANARY: "app"});
    cache.insert(upstream, json!({"metadata": marked}));
    assert!(read(), "it is to be removed");
}

#[test]
fn f1_without_an_object_that_is_there_and_does_not_decode_nothing_is_decided() {
    let (cache, key) = seen("kubernetes");
    let gather = || super::gather(&cache, &Rules::default(), &key, at(0));
    assert!(gather().is_ok());
    let mark = |kind, name: &str| {
        let meta = json!({"metadata": {"name": name, "namespace": "n", "resourceVersion": "5"}});
        cache.insert_undecodable(kind, ("n".into(), name.into()), 5, meta, "too deep".into())
    };
    mark(SERVICE, "stranger");
    assert!(gather().is_ok(), "it needs another");
    assert_eq!(mark(SERVICE, "app"), std::slice::from_ref(&key));
    let said = gather().unwrap_err().to_string();
    assert_eq!(said, "Service app does not decode: too deep");
    cache.set_terminating("n", true);
    assert!(gather().is_ok(), "it goes with its namespace, and must not hold it up");
    cache.set_terminating("n", false);
    let gone = json!({"metadata": {"name": "app", "namespace": "n", "resourceVersion": "6"}});
    assert_eq!(cache.remove(SERVICE, &gone), std::slice::from_ref(&key));
    assert!(gather().is_ok());

    // the rest of the Canary itself would decode
    let canary = (*cache.get(CANARY, "n", "app").unwrap()).clone();
    cache.insert_undecodable(CANARY, key.clone(), 7, canary.clone(), "spec.service is too deep".into());
    assert!(matches!(gather(), Err(GatherError::Undecodable(why)) if why == "spec.service is too deep"));
    let mut corrected = canary;
    corrected["metadata"]["resourceVersion"] = json!("8");
    cache.insert(CANARY, corrected);
    assert!(gather().is_ok());
}

/// This many applications in one namespace, each with every object that a Canary can have.
fn crowd(number: usize, provider: &str) -> ObjectCache {
    let (cache, _) = seen(provider);
    let kinds = router::by_name(provider).unwrap().kinds().iter().copied();
    for kind in kinds.chain([HPA, SCALED_OBJECT, CANARY_RUN, JOB, POD, CONFIG_MAP, SECRET, INGRESS]) {
        cache.listed(kind, &BTreeSet::new());
    }
    for number in 0..number {
        for (kind, object) in application(&format!("web-{number}"), provider) {
            cache.insert(kind, object);
        }
    }
    cache
}

fn application(name: &str, provider: &str) -> Vec<(Kind, Value)> {
    let routes = router::by_name(provider).unwrap().kinds()[0];
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
        "targetRef": target, "provider": provider, "ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": name},
        "autoscalerRef": {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": name},
        "service": {"port": 80, "hosts": [format!("{name}.example.com")]}, "analysis": {"metrics": [metric]},
    });
    let asked = json!({"spec": {"provider": {"type": "prometheus", "secretRef": {"name": name}}}});
    let status = json!({"observedConfigs": {format!("configmap/{name}"): {"version": "1"}}});
    let mut all = vec![
        (CANARY, object(name.to_owned(), json!({}), json!({"spec": spec, "status": status}))),
        (METRIC_TEMPLATE, object(format!("{name}-errors"), json!({}), asked)),
        (SECRET, object(name.to_owned(), json!({}), json!({}))),
        (INGRESS, object(name.to_owned(), json!({}), ingress(name))),
        (DEPLOYMENT, object(name.to_owned(), json!({}), workload(name))),
        (DEPLOYMENT, object(primary.clone(), own(), workload(&primary))),
        (
            routes,
            object(format!("{name}{}", if routes == INGRESS { "-canary" } else { "" }), own(), json!({})),
        ),
        (CONFIG_MAP, object(name.to_owned(), json!({}), json!({}))),
        (CONFIG_MAP, object(format!("{name}-primary-1"), own(), json!({}))),
        (JOB, object(format!("{name}-job"), own(), json!({}))),
    ];
    for scaled in [name, &primary] {
        let spec = json!({"spec": {"scaleTargetRef": {"kind": "Deployment", "name": scaled}}});
        all.push((HPA, object(scaled.to_owned(), json!({}), spec)));
    }
    for kind in pod_policies::KINDS {
        all.push((kind, object(name.to_owned(), json!({}), policy(name))));
    }
    for service in [name.to_owned(), primary.clone(), names::canary(name)] {
        all.push((
            SERVICE,
            object(service, own(), json!({"spec": {"selector": {"app": name, "tier": "web"}}})),
        ));
    }
    let selector = json!({"spec": {"selector": {"app": name, "tier": "web"}}});
    all.push((SERVICE, object(format!("{name}-lb"), json!({}), selector)));
    for number in 1..4 {
        all.push((REVISION, object(format!("{primary}-{number}"), own(), json!({"data": {}}))));
        all.push((CANARY_RUN, object(format!("{name}-{number}"), own(), json!({}))));
    }
    all
}

fn policy(name: &str) -> Value {
    let (own, of_gateway) = (json!({"matchLabels": {"app": name, "tier": "web"}}), json!({"app": "gateway"}));
    let rules = json!([{"from": [{"podSelector": {"matchLabels": of_gateway}}]}]);
    json!({"spec": {"selector": own, "podSelector": own, "ingress": rules}})
}

fn ingress(name: &str) -> Value {
    let backend = json!({"service": {"name": name, "port": {"number": 80}}});
    let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
    json!({"spec": {"rules": [{"host": format!("{name}.example.com"), "http": {"paths": paths}}]}})
}

#[test]
fn no_pass_and_no_event_costs_more_because_there_are_others() {
    for provider in ["istio", "nginx"] {
        let (few, many) = (crowd(50, provider), crowd(400, provider));
        let key: Key = ("n".into(), "web-7".into());
        let pass = |cache: &ObjectCache| work::of(|| gather(cache, &Rules::default(), &key, at(0)).unwrap());
        // first nothing of this Canary is decoded any more, then everything is
        let caches = [&few, &many];
        for cache in caches {
            cache.forget_decoded();
        }
        let [(small, cost), (large, more)] = caches.map(pass);
        let kinds = [DEPLOYMENT, SERVICE, REVISION, CANARY_RUN, HPA, CONFIG_MAP].into_iter();
        let kinds: Vec<Kind> = kinds.chain(pod_policies::KINDS).collect();
        let read =
            |snap: &Snapshot| kinds.iter().map(|kind| snap.objects.of(*kind).count()).collect::<Vec<_>>();
        assert_eq!(read(&small), [2, 4, 3, 3, 2, 2, 1, 1], "{provider}");
        assert_eq!(read(&small), read(&large), "{provider}");
        assert_eq!(cost, more, "{provider}");
        assert!(cost.parsed > 15 && cost.bytes > 3000 && cost.typed == 2, "{provider}: {cost:?}");
        let [(_, again), (_, more)] = caches.map(pass);
        assert_eq!((again, again.parsed, again.bytes, again.typed), (more, 0, 0, 0), "{provider}");
        for (kind, mut object) in application("web-7", provider) {
            object["metadata"]["resourceVersion"] = json!("6");
            object["metadata"]["annotations"] = json!({"changed": "1"});
            let event = |cache: &ObjectCache| work::of(|| cache.insert(kind, object.clone()));
            let (cost, more) = (event(&few), event(&many));
            let ours = cost.0.contains(&key) || provider == "istio" && kind == INGRESS;
            assert!(ours, "{provider}, {}: {:?}", kind.kind, cost.0);
            assert_eq!(cost, more, "{provider}, {}", kind.kind);
        }
        let needed = |cache: &ObjectCache| {
            work::of(|| crate::observe::optional::needed(cache, provider, &BTreeSet::new()))
        };
        assert_eq!(needed(&few), needed(&many));
    }
}

/// Selectors of pods, by the labels of the target, of the primary, of both, of others, of all.
fn selectors() -> Vec<Value> {
    let labels = |labels: Value| json!({"matchLabels": labels});
    let expression =
        |values: Value| json!({"matchExpressions": [{"key": "app", "operator": "In", "values": values}]});
    vec![
        labels(json!({"app": "app"})),
        labels(json!({"app": "app-primary"})),
        labels(json!({"app": "app", "tier": "web"})),
        labels(json!({"tier": "web"})),
        labels(json!({"app": "db"})),
        expression(json!(["app"])),
        expression(json!(["app", "app-primary"])),
        json!({}),
    ]
}

#[test]
fn advice_about_pod_policies_is_the_same_whether_all_or_those_that_bear_on_the_pods_are_read() {
    let workload = |label: &str| {
        let labels = json!({"app": label, "tier": "web"});
        json!({"spec": {"selector": {"matchLabels": {"app": label}}, "template": {"metadata": {"labels": labels}}}})
    };
    let put = |cache: &ObjectCache, kind: Kind, name: &str, rest: &Value| {
        let mut object = json!({"metadata": {"name": name, "namespace": "n", "resourceVersion": "5"}});
        json_patch::merge(&mut object, rest);
        cache.insert(kind, object);
    };
    let selectors = selectors();
    let ends = selectors.iter().map(|pods| json!({"podSelector": pods}));
    let wide = selectors.iter().map(|pods| json!({"podSelector": pods, "namespaceSelector": {}}));
    let ends: Vec<Value> =
        ends.chain(wide).chain([json!({"namespaceSelector": {}}), json!({"ipBlock": {}})]).collect();
    let (mut seed, mut told) = (7_u64, 0);
    let mut any = |most: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % most
    };
    for round in 0..400 {
        let (cache, key) = seen("kubernetes");
        put(&cache, DEPLOYMENT, "app", &workload("app"));
        if round % 2 == 0 {
            put(&cache, DEPLOYMENT, "app-primary", &workload("app-primary"));
        }
        for name in ["a", "b", "c"] {
            let rule = if any(4) == 0 { json!({}) } else { json!({"from": [ends[any(ends.len())]]}) };
            let pods = &selectors[any(selectors.len())];
            let spec = json!({"spec": {"podSelector": pods, "ingress": [rule]}});
            put(&cache, pod_policies::KINDS[0], name, &spec);
            put(
                &cache,
                pod_policies::KINDS[1],
                name,
                &json!({"spec": {"selector": selectors[any(selectors.len())]}}),
            );
        }
        let snap = gather(&cache, &Rules::default(), &key, at(0)).unwrap();
        let mut whole = snap.clone();
        for kind in pod_policies::KINDS {
            cache.list(kind, "n").into_iter().for_each(|object| whole.objects.share(kind, object));
        }
        let c = validate(&snap.canary, &snap.rules).unwrap();
        let sides = ["app", "app-primary"].map(|label| json!({"app": label, "tier": "web"}));
        let advice = |snap: &Snapshot| pod_policies::advice(&c, [&sides[0], &sides[1]], snap);
        assert_eq!(advice(&snap), advice(&whole), "{:?}", cache.list(pod_policies::KINDS[0], "n"));
        told += advice(&snap).len();
    }
    assert!(told > 200, "{told}");
}
