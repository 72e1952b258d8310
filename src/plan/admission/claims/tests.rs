use serde_json::json;

use super::*;
use crate::{manifest::fixture, router};

fn rules(hosts: &[&str], gateways: &[&str]) -> Rules {
    let list = |all: &[&str]| Some(all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
    Rules { route_hosts: list(hosts), gateways: list(gateways), ..Rules::default() }
}

fn bounded(rules: &Rules, provider: &str, service: &Value) -> (Validated, Option<Problem>) {
    bound(rules, &Objects::default(), fixture::canary(service), router::by_name(provider).unwrap())
}

fn refused(rules: &Rules, provider: &str, service: &Value) -> Option<String> {
    let problem = bounded(rules, provider, service).1?;
    assert_eq!(problem.reason, "ClaimNotAllowed");
    Some(problem.message)
}

#[test]
fn f7_hosts_are_those_of_the_namespace_and_those_that_are_allowed() {
    let patterns =
        rules(&["{namespace}.example.com", "*.{namespace}.example.com", "shared.example.com"], &["*"]);
    let strict = Rules { strict: true, ..Rules::default() };
    let of = |rules: &Rules, host: &str| refused(rules, "istio", &json!({"hosts": [host]}));
    for own in ["podinfo", "podinfo.test.svc", "Podinfo.Test.svc.cluster.local."] {
        assert_eq!((of(&patterns, own), of(&strict, own)), (None, None), "{own}");
    }
    for allowed in ["test.example.com", "a.test.example.com", "*.test.example.com", "shared.example.com"] {
        assert_eq!(of(&patterns, allowed), None, "{allowed}");
        assert!(of(&strict, allowed).is_some(), "{allowed}");
    }
    for foreign in
        ["*", "*.example.com", "ads.example.com", "pay.ads.svc.cluster.local", "x.test.example.com.evil.test"]
    {
        for rules in [&patterns, &strict] {
            let why = of(rules, foreign).unwrap();
            let words = format!("spec.service.hosts: {foreign} is not for routes of namespace test: ");
            assert!(why.starts_with(&words) && why.contains("--allowed-route-hosts"), "{why}");
        }
        assert_eq!(of(&Rules::default(), foreign), None, "without a flag nothing changes");
    }
}

#[test]
fn f7_gateways_are_those_of_the_namespace_and_those_that_are_allowed() {
    let patterns = rules(&["*"], &["infra/public-{namespace}"]);
    let of = |gateway: &str| refused(&patterns, "istio", &json!({"gateways": [gateway]}));
    for good in [
        "mesh",
        "own",
        "./own",
        "test/own",
        "own.test",
        "infra/public-test",
        "public-test.infra.svc.cluster.local",
    ] {
        assert_eq!(of(good), None, "{good}");
    }
    for bad in [
        "infra/public",
        "istio-system/shared",
        "shared.istio-system.svc.cluster.local",
        "shared.istio-system",
        "*/x",
    ] {
        let why = of(bad).unwrap();
        assert!(
            why.starts_with(&format!("spec.service.gateways: {bad} ")) && why.contains("--allowed-gateways"),
            "{why}"
        );
    }
    let parent = |namespace: &str| json!({"gatewayRefs": [{"name": "public-test", "namespace": namespace}]});
    assert_eq!(refused(&patterns, "gatewayapi:v1", &parent("infra")), None);
    assert_eq!(refused(&patterns, "gatewayapi:v1", &parent("")), None);
    let why = refused(&patterns, "gatewayapi:v1", &parent("istio-system")).unwrap();
    assert!(why.starts_with("spec.service.gatewayRefs: istio-system/public-test "), "{why}");
}

#[test]
fn f7_conditions_name_no_gateway_that_is_not_allowed() {
    let patterns = rules(&["*"], &[]);
    let service = json!({"match": [{"uri": {"prefix": "/"}, "gateways": ["istio-system/shared", "mesh"]}]});
    let (c, problem) = bounded(&patterns, "istio", &service);
    assert!(problem.unwrap().message.starts_with("spec.service.match[].gateways: istio-system/shared "));
    assert_eq!(c.service.match_[0]["gateways"], json!(["test/shared", "mesh"]));
    for field in ["match", "always", "never"] {
        let c = fixture::canary(&json!({}));
        let mut analysis = c.analysis.clone();
        let list = match field {
            "match" => &mut analysis.match_,
            "always" => &mut analysis.always,
            _ => &mut analysis.never,
        };
        *list = vec![json!({"uri": {"prefix": "/"}}), json!({"gateways": ["istio-system/shared"]})];
        let c = c.with_claims(c.service.clone(), analysis);
        let (c, problem) = bound(&patterns, &Objects::default(), c, router::by_name("istio").unwrap());
        let message = problem.unwrap().message;
        assert!(
            message.starts_with(&format!("spec.analysis.{field}[].gateways: istio-system/shared ")),
            "{message}"
        );
        let list = [&c.analysis.match_, &c.analysis.always, &c.analysis.never]
            .into_iter()
            .find(|list| !list.is_empty());
        assert_eq!(*list.unwrap(), [json!({"uri": {"prefix": "/"}}), json!({"gateways": ["test/shared"]})]);
    }
}

#[test]
fn f7_copies_go_to_no_other_namespace_where_references_must_not_cross() {
    let closed = Rules { no_cross_namespace_refs: true, ..Rules::default() };
    let mirror =
        |namespace: &str| json!({"backendRef": {"name": "copies", "namespace": namespace, "port": 80}});
    let service = json!({"mirror": [mirror("test"), mirror("ads"), mirror("")]});
    let (c, problem) = bounded(&closed, "gatewayapi:v1", &service);
    assert_eq!(problem.map(|problem| problem.reason), Some("CrossNamespace"));
    assert_eq!(c.service.mirror, [mirror("test"), mirror("")]);
    assert_eq!(bounded(&Rules { strict: true, ..Rules::default() }, "gatewayapi:v1", &service).1, None);
    assert_eq!(bounded(&closed, "gatewayapi:v1", &json!({"mirror": [mirror("test")]})).1, None);
}

#[test]
fn f7_no_router_renders_what_is_refused_and_the_live_route_keeps_what_it_has() {
    let strict = Rules { strict: true, ..Rules::default() };
    let service = json!({
        "hosts": ["old.example.com", "new.example.com", "podinfo"],
        "gateways": ["infra/old", "infra/new"],
        "gatewayRefs": [{"name": "old", "namespace": "infra"}, {"name": "new", "namespace": "infra"}],
    });
    for router in router::all() {
        let mut c = fixture::canary(&service);
        c.provider = router.name().to_owned();
        let mut live = Objects::default();
        if let Some(at) = router.route(&c, &live) {
            let spec = json!({
                "hosts": ["old.example.com"], "hostnames": ["old.example.com"], "gateways": ["infra/old"],
                "parentRefs": [{"name": "old", "namespace": "infra"}],
            });
            live.insert(at.kind, json!({"metadata": {"name": at.name}, "spec": spec}));
        }
        let (c, problem) = bound(&strict, &live, c, *router);
        let honoured = |field: &str| router.supported_fields().contains(&field);
        assert_eq!(
            problem.is_some(),
            ["hosts", "gateways", "gatewayRefs"].into_iter().any(honoured),
            "{}",
            router.name()
        );
        let said = |left: &[&str], given: Vec<String>| assert_eq!(given, left, "{}", router.name());
        if honoured("hosts") {
            said(&["old.example.com", "podinfo"], c.service.hosts.clone());
        }
        if honoured("gateways") {
            said(&["infra/old"], c.service.gateways.clone());
        }
        if honoured("gatewayRefs") {
            let names = c.service.gateway_refs.iter().map(|of| of["name"].as_str().unwrap().to_owned());
            said(&["old"], names.collect());
        }
    }
}

/// The HTTPRoute of the Canary, with these hosts and parents.
fn live_route(hosts: &[&str], parents: &Value, ours: bool) -> Objects {
    let router = router::by_name("gatewayapi:v1").unwrap();
    let at = router.route(&fixture::canary(&json!({})), &Objects::default()).unwrap();
    let mut route =
        json!({"metadata": {"name": at.name}, "spec": {"hostnames": hosts, "parentRefs": parents}});
    if ours {
        route["metadata"]["labels"] = json!({crate::names::LABEL_CANARY: "podinfo"});
    }
    let mut live = Objects::default();
    live.insert(at.kind, route);
    live
}

fn own_parent() -> Value {
    json!([{"name": "gw", "namespace": "infra"}])
}

#[test]
fn f7_no_hosts_are_all_hosts_of_a_gateway() {
    let router = router::by_name("gatewayapi:v1").unwrap();
    let patterns = rules(&["*.{namespace}.example.com"], &["*"]);
    let strict = Rules { strict: true, gateways: patterns.gateways.clone(), ..Rules::default() };
    let of = |rules: &Rules, live: &Objects, parents: &Value| {
        let c = fixture::canary(&json!({"gatewayRefs": parents}));
        let (c, problem) = bound(rules, live, c, router);
        (c.service.hosts.clone(), problem.map(|problem| problem.message).unwrap_or_default())
    };
    let none = Objects::default();
    let known = live_route(&["a.test.example.com"], &own_parent(), true);
    for rules in [&patterns, &strict] {
        for (live, hosts) in [(&none, "podinfo.test.svc"), (&known, "a.test.example.com")] {
            let (kept, why) = of(rules, live, &own_parent());
            assert!(why.starts_with("spec.service.hosts: without any "), "{why}");
            assert_eq!(kept, [hosts], "it is never for all");
        }
        let foreign = live_route(&[], &own_parent(), false);
        assert!(!of(rules, &foreign, &own_parent()).1.is_empty());
        let before = live_route(&[], &own_parent(), true);
        assert_eq!(of(rules, &before, &own_parent()), (vec![], String::new()), "a flag cuts no users off");
        let mesh = json!([{"kind": "Service", "name": "podinfo"}]);
        assert_eq!(of(rules, &none, &mesh).1, "", "a Service has no hosts");
    }
    assert_eq!(of(&rules(&["*"], &["*"]), &none, &own_parent()).1, "");
    let gateways = Rules { gateways: patterns.gateways.clone(), ..Rules::default() };
    assert_eq!(of(&gateways, &none, &own_parent()).1, "", "hosts are not limited");
    assert_eq!(refused(&patterns, "istio", &json!({})), None, "an empty list is the apex there");
}

#[test]
fn f7_a_route_of_which_nothing_is_allowed_keeps_what_it_has() {
    let patterns = rules(&["*.{namespace}.example.com"], &["infra/gw"]);
    let live = live_route(&["a.test.example.com"], &own_parent(), true);
    let service = json!({
        "hosts": ["bank.example.com"], "gatewayRefs": [{"name": "gw", "namespace": "bank"}],
    });
    let router = router::by_name("gatewayapi:v1").unwrap();
    let (c, problem) = bound(&patterns, &live, fixture::canary(&service), router);
    assert_eq!(problem.map(|problem| problem.reason), Some("ClaimNotAllowed"));
    let made = router.render(&c, &live, router::Split::to_canary(0), &router::Cookies::default()).unwrap();
    let spec = &made[0].body["spec"];
    assert_eq!(spec["hostnames"], json!(["a.test.example.com"]));
    assert_eq!(spec["parentRefs"][0]["namespace"], "infra");
    // without a live route it is for nobody else's host
    let (c, _) = bound(&patterns, &Objects::default(), fixture::canary(&service), router);
    assert_eq!(c.service.hosts, ["podinfo.test.svc"]);
    // Istio
    let router = router::by_name("istio").unwrap();
    let service = json!({"hosts": ["bank.example.com"], "gateways": ["bank/gw"]});
    let c = fixture::canary(&service);
    let at = router.route(&c, &Objects::default()).unwrap();
    let mut live = Objects::default();
    let spec = json!({"hosts": ["a.test.example.com", "podinfo"], "gateways": ["infra/gw"]});
    live.insert(at.kind, json!({"metadata": {"name": at.name}, "spec": spec}));
    let (c, _) = bound(&patterns, &live, c, router);
    assert_eq!(
        (json!(c.service.hosts), json!(c.service.gateways)),
        (spec["hosts"].clone(), spec["gateways"].clone())
    );
}
