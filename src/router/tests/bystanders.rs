//! Other routes for the same host and path, or beside it: which are named, and that nothing is written for them.

use serde_json::{Value, json};

use super::cases::cases;
use crate::{
    manifest::fixture::{self, merge},
    router::{Cookies, Split, by_name, bystander_terms, bystanders::wanted_hosts},
    snapshot::{INGRESS, Kind, Objects},
    spec::{Target, Validated},
};

fn canary(provider: &str, spec: &Value) -> Validated {
    let mut c = fixture::canary(&json!({}));
    let mut whole = json!(c.spec);
    merge(&mut whole, spec);
    c.spec = serde_json::from_value(whole).unwrap();
    c.provider = provider.into();
    c.target = Target::named(&c.spec.target_ref).unwrap();
    c
}

fn ingress(at: [&str; 2], annotations: &Value, rules: &[(&str, &str, &str, &str)]) -> Value {
    let rule = |(host, path, kind, service): &(&str, &str, &str, &str)| {
        let backend = json!({"service": {"name": service, "port": {"number": 80}}});
        let mut rule = json!({"http": {"paths": [{"path": path, "pathType": kind, "backend": backend}]}});
        if !host.is_empty() {
            rule["host"] = json!(host);
        }
        rule
    };
    let rules: Vec<Value> = rules.iter().map(rule).collect();
    json!({
        "kind": "Ingress", "metadata": {"namespace": at[0], "name": at[1], "annotations": annotations},
        "spec": {"rules": rules},
    })
}

fn touched(provider: &str, user: &Value, other: &Value) -> Option<String> {
    let reference = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "public"});
    let mut live = Objects::default();
    live.insert(INGRESS, user.clone());
    by_name(provider).unwrap().touches(&canary(provider, &json!({"ingressRef": reference})), &live, other)
}

fn users_ingress() -> Value {
    ingress(
        ["test", "public"],
        &json!({}),
        &[
            ("a.example.com", "/", "Prefix", "podinfo"),
            ("a.example.com", "/x", "ImplementationSpecific", "podinfo"),
            ("a.example.com", "/other", "Prefix", "other"),
            ("*.example.org", "/", "Prefix", "podinfo"),
        ],
    )
}

#[test]
fn t5_annotations_that_only_some_routes_of_an_ingress_have_hide_nobody() {
    let user = users_ingress();
    let plain = |host| ingress(["shop", "all"], &json!({}), &[(host, "/", "Prefix", "beta")]);
    // these add conditions to some routes of the user's Ingress, and none to others of the same path
    for (key, value) in [
        ("zalando.org/skipper-routes", r#"preflight: Method("OPTIONS") -> status(204) -> <shunt>"#),
        ("zalando.org/backend-weights", r#"{"podinfo":50,"x":50}"#),
        ("zalando.org/skipper-predicate", r#"Method("GET)"#),
    ] {
        let mut user = user.clone();
        user["metadata"]["annotations"] = json!({key: value});
        assert!(touched("skipper", &user, &plain("a.example.com")).is_some(), "{key}");
        assert_eq!(touched("skipper", &user, &plain("")), None, "{key}: the user's host comes first");
    }
}

#[test]
fn t5_ingresses_from_which_the_copy_takes_requests_are_named() {
    let user = users_ingress();
    let beta = json!({"zalando.org/skipper-predicate": "Header(\"X-Beta\", \"1\")"});
    let at = |host, path, kind| ingress(["shop", "beta"], &beta, &[(host, path, kind, "beta")]);
    let said = touched("skipper", &user, &at("a.example.com", "/", "Prefix")).unwrap();
    for words in ["Ingress shop/beta", "a.example.com, path /", "zalando.org/skipper-predicate"] {
        assert!(said.contains(words), "{said}");
    }
    assert!(touched("skipper", &user, &at("a.example.com", "/x/y", "ImplementationSpecific")).is_some());
    assert!(touched("skipper", &user, &at("b.example.org", "/", "Prefix")).is_some());
    // for more hosts, or a shorter expression: one condition each, as the user's host is one
    for (host, path, kind) in [
        ("", "/", "Prefix"),
        ("*.example.com", "/", "Prefix"),
        ("a.example.com", "/", "ImplementationSpecific"),
    ] {
        let said = touched("skipper", &user, &at(host, path, kind)).unwrap_or_default();
        assert!(said.contains("serves a.example.com, path /"), "{host}{path}: {said}");
    }
    let plain = |host| ingress(["shop", "all"], &json!({}), &[(host, "/", "Prefix", "beta")]);
    assert_eq!(touched("skipper", &user, &plain("")), None, "the user's host comes first");
    assert!(touched("skipper", &user, &plain("*.example.com")).is_some(), "they tie");
    let narrow = json!({"zalando.org/skipper-predicate": "Method(\"GET\") && Source(\"10.0.0.0/8\")"});
    let mut narrower = user.clone();
    narrower["metadata"]["annotations"] = narrow;
    assert_eq!(
        touched("skipper", &narrower, &at("a.example.com", "/", "Prefix")),
        None,
        "more conditions of ours"
    );
    for (host, path, kind) in [
        ("a.example.com", "/api", "Prefix"),
        ("b.example.com", "/", "Prefix"),
        ("a.example.com", "/other", "Prefix"),
        ("example.org", "/", "Prefix"),
        ("", "/api", "Prefix"),
    ] {
        assert_eq!(touched("skipper", &user, &at(host, path, kind)), None, "{host}{path}");
    }
    assert_eq!(touched("skipper", &user, &user), None, "the user's own");
    let wanted = ["*", "*.com", "*.example.com", "*.example.org", "*.org", ".example.org", "a.example.com"];
    assert_eq!(wanted_hosts(&user).unwrap(), wanted);
    let mut copy = at("a.example.com", "/", "Prefix");
    copy["metadata"]["labels"] = json!({"serin.dev/canary": "podinfo"});
    assert_eq!(touched("skipper", &user, &copy), None, "a copy");
}

/// Paths of the type ImplementationSpecific are regular expressions, of which the shorter one may come first.
#[test]
fn s11_paths_of_the_users_own_ingress_that_the_copy_takes_are_named() {
    let of = |kind: &str| {
        let paths = [("a", "/", kind, "podinfo"), ("a", "/api", kind, "api"), ("a", "/", kind, "other")];
        ingress(["test", "public"], &json!({}), &paths)
    };
    let user = of("ImplementationSpecific");
    let said = touched("skipper", &user, &user).unwrap();
    assert!(said.contains("Ingress test/public serves a, path /api for another Service"), "{said}");
    assert!(said.contains("so use the type Prefix"), "{said}");
    assert_eq!(touched("skipper", &of("Prefix"), &of("Prefix")), None);
    for (host, path) in [("*.example.com", "/"), ("a.example.com", "/api/")] {
        let ours =
            [("a.example.com", "/", "podinfo"), ("a.example.com", "/api", "podinfo"), (host, path, "shop")];
        let user = ingress(
            ["test", "public"],
            &json!({}),
            &ours.map(|(host, path, service)| (host, path, "Prefix", service)),
        );
        let said = touched("skipper", &user, &user).unwrap();
        assert!(said.ends_with("so give it a path of its own") && !said.contains("Prefix"), "{said}");
    }
    assert_eq!(touched("nginx", &user, &user), None);
}

#[test]
fn objects_are_found_by_the_hosts_that_they_serve() {
    let of_host = |host: &str| ingress(["test", "x"], &json!({}), &[(host, "/", "Prefix", "podinfo")]);
    let finds = |ours: &str, theirs: &str| {
        let (wanted, served) = (wanted_hosts(&of_host(ours)), bystander_terms(&of_host(theirs)));
        wanted.is_none_or(|wanted| wanted.iter().any(|host| served.contains(host)))
    };
    for (ours, theirs) in [
        ("a.example.org", "a.example.org"),
        ("*.example.org", "a.example.org"),
        ("*.example.org", "a.b.example.org"),
        ("*.example.org", "*.example.org"),
        ("*shop.example.org", "my-shop.example.org"),
        ("*", "a.example.org"),
        ("", "a.example.org"),
        ("", ""),
        ("a.example.org", "*.example.org"),
        ("a.b.example.org", "*.example.org"),
        ("*.b.example.org", "*.example.org"),
        ("my-shop.example.org", "*shop.example.org"),
        ("a.example.org", "*"),
        ("a.example.org", ""),
        ("*.example.org", ""),
    ] {
        assert!(finds(ours, theirs), "{ours} {theirs}");
    }
    for (ours, theirs) in [
        ("a.example.org", "b.example.org"),
        ("a.example.org", "*.example.com"),
        ("*.example.org", "example.org"),
        ("example.org", "*.example.org"),
    ] {
        assert!(!finds(ours, theirs), "{ours} {theirs}");
    }
}

#[test]
fn t5_ingress_nginx_goes_by_one_ingress_and_one_canary_of_a_path() {
    let user = ingress(["test", "public"], &json!({}), &[("a.example.com", "/", "Prefix", "podinfo")]);
    let at =
        |path, said: &Value| ingress(["test", "second"], said, &[("a.example.com", path, "Prefix", "beta")]);
    let older = touched("nginx", &user, &at("/", &json!({}))).unwrap();
    assert!(older.contains("Ingress test/second") && older.contains("older"), "{older}");
    let canary = json!({"nginx.ingress.kubernetes.io/canary": "true"});
    assert!(touched("nginx", &user, &at("/", &canary)).unwrap().contains("one of them only"));
    assert_eq!(touched("nginx", &user, &at("/api", &canary)), None);
}

#[test]
fn t5_rules_that_a_copy_goes_before_are_named() {
    let rule = |name: &str, host: &str, path: &str, service: &str| json!({"name": name, "match": {"hosts": [host], "paths": [path]}, "backends": [{"serviceName": service}]});
    let route = |name: &str, rules: &[Value]| json!({"kind": "ApisixRoute", "metadata": {"namespace": "test", "name": name}, "spec": {"http": rules}});
    let main = rule("main", "a", "/*", "podinfo");
    let user =
        route("public", &[main.clone(), rule("beta", "a", "/*", "beta"), rule("api", "a", "/api", "api")]);
    let reference = json!({"apiVersion": "apisix.apache.org/v2", "kind": "ApisixRoute", "name": "public"});
    let c = canary("apisix", &json!({"routeRef": reference}));
    let apisix = by_name("apisix").unwrap();
    let mut live = Objects::default();
    live.insert(apisix.bystanders()[0], user.clone());
    let touched = |other: &Value| apisix.touches(&c, &live, other);
    assert!(touched(&user).unwrap().contains("rule beta of ApisixRoute test/public"));
    assert!(touched(&route("second", &[rule("one", "a", "/*", "shop")])).unwrap().contains("rule one"));
    assert_eq!(
        touched(&route("second", &[rule("one", "b", "/*", "shop"), rule("two", "a", "/x", "shop")])),
        None
    );
    let for_all = |priority: i64| {
        let mut all = rule("all", "", "/*", "shop");
        all["match"]["hosts"] = Value::Null;
        all["priority"] = json!(priority);
        route("second", &[all])
    };
    assert!(touched(&for_all(1)).unwrap().contains("rule all"), "it comes first without the copy");
    assert_eq!(touched(&for_all(0)), None);
}

/// If the user's object has other Services, weights and extra routes, nothing of it is written, and its copy contains
/// only what shares a path with the apex.
#[test]
fn no_router_writes_about_services_that_share_nothing_with_the_apex() {
    for case in cases() {
        let mut spec = case.spec.clone();
        merge(&mut spec, &json!({"analysis": {"interval": "10s"}}));
        let c = canary(case.provider, &spec);
        let mut live = Objects::default();
        for (kind, object) in &case.sources {
            live.insert(*kind, object.clone());
        }
        let router = case.router();
        for weight in [0, 30, 100] {
            let made = router.render(&c, &live, Split::to_canary(weight), &Cookies::default()).unwrap();
            for manifest in made.iter().chain(&router.auxiliary_objects(&c)) {
                assert!(
                    router.sources(&c).iter().all(|at| *at != manifest.at()) || case.provider == "knative"
                );
                let text = manifest.body.to_string();
                assert!(!text.contains("\"other\""), "{}: {text}", case.provider);
            }
        }
    }
}

/// G2: proxies treat a list of destinations without any weight as empty, or refuse it.
#[test]
fn g2_some_destination_of_every_rule_has_a_weight() {
    const KINDS: [&str; 7] = [
        "VirtualService",
        "HTTPRoute",
        "HTTPProxy",
        "RouteTable",
        "MeshHTTPRoute",
        "TrafficSplit",
        "ApisixRoute",
    ];
    fn lists(value: &Value, found: &mut Vec<Vec<i64>>) {
        let weight = |one: &Value| match &one["weight"] {
            Value::String(text) => text.parse().ok(),
            given => given.as_i64(),
        };
        match value {
            Value::Array(items) => {
                let weights: Vec<i64> = items.iter().filter_map(weight).collect();
                if !weights.is_empty() {
                    found.push(weights);
                }
                for item in items {
                    lists(item, found);
                }
            }
            Value::Object(members) => {
                for member in members.values() {
                    lists(member, found);
                }
            }
            _ => {}
        }
    }
    let kind = |kind: &Kind| KINDS.contains(&kind.kind);
    for case in cases().into_iter().filter(|case| case.router().kinds().iter().any(kind)) {
        let c = canary(case.provider, &case.spec);
        let mut live = Objects::default();
        for (kind, object) in &case.sources {
            live.insert(*kind, object.clone());
        }
        for weight in [0, 1, 100] {
            let made =
                case.router().render(&c, &live, Split::to_canary(weight), &Cookies::default()).unwrap();
            let mut found = Vec::new();
            for manifest in &made {
                lists(&manifest.body["spec"], &mut found);
            }
            assert!(!found.is_empty(), "{}", case.provider);
            assert!(
                found.iter().all(|weights| weights.iter().sum::<i64>() > 0),
                "{}: {found:?}",
                case.provider
            );
        }
    }
}

#[test]
fn destination_rules_whose_policy_no_longer_applies_are_named() {
    let rule = |namespace: &str, host: &str| {
        let policy = json!({"outlierDetection": {"consecutive5xxErrors": 5}});
        let metadata = json!({"namespace": namespace, "name": "ejects"});
        json!({"kind": "DestinationRule", "metadata": metadata, "spec": {"host": host, "trafficPolicy": policy}})
    };
    let touches =
        |c: &Validated, rule: &Value| by_name("istio").unwrap().touches(c, &Objects::default(), rule);
    let c = canary("istio", &json!({}));
    let found = |rule: &Value| {
        let hosts = by_name("istio").unwrap().wanted_bystanders(&c, &Objects::default()).unwrap();
        bystander_terms(rule).iter().any(|host| hosts.contains(host))
    };
    for (namespace, host, lost) in [
        ("test", "podinfo", true),
        ("shop", "podinfo.test.svc.cluster.local", true),
        ("istio-system", "*.test.svc.cluster.local", true),
        ("istio-system", "*.local", true),
        ("istio-system", "*", true),
        ("shop", "podinfo", false),
        ("test", "podinfo-primary", false),
        ("test", "other", false),
        ("test", "*.shop.svc.cluster.local", false),
    ] {
        let rule = rule(namespace, host);
        assert_eq!(touches(&c, &rule).is_some(), lost, "{namespace} {host}");
        assert_eq!(found(&rule), lost, "{namespace} {host}");
    }
    let theirs = rule("test", "podinfo");
    assert_eq!(
        touches(&c, &theirs).unwrap(),
        "the trafficPolicy of DestinationRule test/ejects for podinfo.test.svc.cluster.local does not apply to this Canary: its requests go to podinfo-primary and podinfo-canary, which have DestinationRules of their own. Put the policy in spec.service.trafficPolicy"
    );
    let mut ours = theirs.clone();
    ours["metadata"]["labels"][crate::names::LABEL_CANARY] = json!("podinfo");
    assert_eq!(touches(&c, &ours), None);
    let mut subsets = theirs.clone();
    subsets["spec"]["trafficPolicy"] = Value::Null;
    assert_eq!(touches(&c, &subsets), None, "there is nothing to lose");
    let mut c = c.clone();
    c.service.traffic_policy = Some(json!({"connectionPool": {}}));
    assert_eq!(touches(&c, &theirs), None, "the Canary has a policy");
}

#[test]
fn t7_routes_of_gloo_straight_to_the_apex_are_named() {
    let gloo = by_name("gloo").unwrap();
    let c = canary("gloo", &json!({}));
    let to = |name: &str, namespace: &str| json!({"kube": {"ref": {"name": name, "namespace": namespace}}});
    let single = |to: &Value| json!([{"routeAction": {"single": to}}]);
    let object = |kind: &str, at: [&str; 2], spec: Value| json!({"kind": kind, "metadata": {"namespace": at[0], "name": at[1]}, "spec": spec});
    let table = |at, to: &Value| object("RouteTable", at, json!({"routes": single(to)}));
    let host =
        |to: &Value| object("VirtualService", ["shop", "v"], json!({"virtualHost": {"routes": single(to)}}));
    let (apex, upstream) =
        (to("podinfo", "test"), json!({"upstream": {"name": "podinfo", "namespace": "test"}}));
    let shares =
        json!({"multi": {"destinations": [{"destination": to("other", "test")}, {"destination": apex}]}});
    let split = object("RouteTable", ["shop", "t"], json!({"routes": [{"routeAction": shares}]}));
    let group = |at, to: &Value| {
        let shares = json!({"destinations": [{"destination": to, "weight": 1}]});
        object("UpstreamGroup", at, shares)
    };
    for (other, touched) in [
        (table(["test", "second"], &apex), true),
        (table(["test", "second"], &to("podinfo", "")), true),
        (table(["shop", "podinfo"], &apex), true),
        (host(&apex), true),
        (split, true),
        (group(["shop", "podinfo"], &apex), true),
        (group(["test", "podinfo"], &to("podinfo", "")), true),
        (group(["shop", "g"], &to("podinfo", "")), false),
        (group(["shop", "g"], &upstream), false),
        (table(["test", "podinfo"], &apex), false),
        (table(["shop", "second"], &to("podinfo", "")), false),
        (host(&to("other", "test")), false),
        (host(&upstream), false),
    ] {
        let said = gloo.touches(&c, &Objects::default(), &other);
        assert_eq!(said.is_some(), touched, "{other}: {said:?}");
        let wanted = gloo.wanted_bystanders(&c, &Objects::default()).unwrap();
        let found = bystander_terms(&other).iter().any(|term| wanted.contains(term));
        assert!(found || !touched, "{other}");
    }
}

#[test]
fn t7_what_is_advised_about_a_group_of_upstreams_can_be_done_there() {
    let gloo = by_name("gloo").unwrap();
    assert!(gloo.bystanders().iter().any(|kind| kind.plural == "upstreamgroups"));
    let to = json!({"kube": {"ref": {"name": "podinfo", "namespace": "test"}}});
    let group = json!({
        "kind": "UpstreamGroup", "metadata": {"namespace": "shop", "name": "g"},
        "spec": {"destinations": [{"destination": to}]},
    });
    let said = gloo.touches(&canary("gloo", &json!({})), &Objects::default(), &group).unwrap();
    assert!(said.starts_with("UpstreamGroup shop/g leads to Service podinfo directly"), "{said}");
    assert!(!said.contains("delegate") && said.ends_with("lead it to an Upstream of the Service"), "{said}");
}

/// Names by which a route may lead to a Service again after it was given back.
#[test]
fn destinations_are_known_by_each_name_that_a_router_has_for_a_service() {
    let c = canary("istio", &json!({}));
    let port = c.service.port;
    for (provider, text, leads) in [
        ("istio", "podinfo-primary".to_owned(), true),
        ("istio", "podinfo-primary.test.svc.cluster.local".to_owned(), true),
        ("istio", "podinfo-primary-v2".to_owned(), false),
        ("gloo", format!("test-podinfo-primaryupstream-{port}"), true),
        ("gloo", "test-podinfo-primaryupstream-9999".to_owned(), true),
        ("gloo", format!("test-podinfo-primary-{port}"), true),
        ("gloo", "podinfo-primary".to_owned(), true),
        ("gloo", format!("test-podinfo-canaryupstream-{port}"), false),
        ("gloo", "test-podinfo-primary-v2-80".to_owned(), false),
        ("kuma", format!("podinfo-primary_test_svc_{port}"), true),
        ("kuma", "podinfo-primary".to_owned(), true),
        ("kuma", format!("podinfo-primary_other_svc_{port}"), false),
        ("kuma", format!("podinfo_test_svc_{port}"), false),
    ] {
        let router = by_name(provider).unwrap();
        assert_eq!(router.leads_to(&c, &c.names.primary_service, &text), leads, "{provider} {text}");
    }
}
