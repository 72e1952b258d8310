use serde_json::{Value, json};

use crate::{
    manifest::{fixture, json as get},
    router::{
        gatewayapi::{GatewayApi, V1, V1BETA1},
        httproute::backend,
        split::Split,
        tests::snapshot,
        traits::{Cookies, Router, RouterError},
    },
    snapshot::{Objects, SERVICE},
    spec::Validated,
};

fn canary(service: &Value, analysis: &Value) -> Validated {
    let mut all = json!({"gatewayRefs": [{"name": "gw", "namespace": "infra"}]});
    fixture::merge(&mut all, service);
    let mut c = fixture::canary(&all);
    c.analysis = serde_json::from_value(analysis.clone()).unwrap();
    c
}

fn rendered(router: &GatewayApi, c: &Validated, want: Split, cookies: &Cookies) -> Value {
    router.render(c, &Objects::default(), want, cookies).unwrap().remove(0).body
}

#[test]
fn as_recorded() {
    let service = json!({
        "hosts": ["a.example.com"], "timeout": "5s", "headers": {"request": {"set": {"x-b": "c"}}},
        "match": [{"uri": {"prefix": "/api"}}],
    });
    let c = canary(&service, &json!({"stepWeight": 25}));
    let recorded = json!({
        "hostnames": ["a.example.com"],
        "parentRefs": [
            {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gw", "namespace": "infra"},
        ],
        "rules": [{
            "backendRefs": [
                {"group": "", "kind": "Service", "name": "podinfo-primary", "port": 80, "weight": 75},
                {"group": "", "kind": "Service", "name": "podinfo-canary", "port": 80, "weight": 25},
            ],
            "filters": [{
                "requestHeaderModifier": {"set": [{"name": "x-b", "value": "c"}]},
                "type": "RequestHeaderModifier",
            }],
            "matches": [{"path": {"type": "PathPrefix", "value": "/api"}}],
            "timeouts": {"request": "5s"},
        }],
    });
    assert_eq!(rendered(&V1, &c, Split::to_canary(25), &Cookies::default())["spec"], recorded);
}

fn full() -> Value {
    json!({
        "port": 9898, "hosts": ["app.example.com"], "timeout": "15s", "backendTimeout": "5s",
        "match": [
            {"uri": {"regex": "/v[0-9]+/.*"}, "method": {"exact": "GET"}, "queryParams": {"q": {"exact": "1"}}},
            {"uri": {"exact": "/login"}, "headers": {"b": {"regex": "x.*"}, "a": {"exact": "y"}}},
        ],
        "rewrite": {"uri": "/v2", "authority": "inner.example.com"},
        "headers": {
            "request": {"add": {"x-b": "2", "x-a": "1"}},
            "response": {"set": {"x-v": "1"}, "remove": ["server"]},
        },
        "mirror": [{"backendRef": {"name": "spy", "namespace": "audit", "port": 80}}],
        "corsPolicy": {
            "allowOrigin": ["https://a.example.com"], "allowOrigins": [{"exact": "https://b.example.com"}],
            "allowMethods": ["GET"], "allowCredentials": true, "maxAge": "24h",
        },
        "apex": {"labels": {"team": "a"}, "annotations": {"note": "b"}},
    })
}

#[test]
fn everything() {
    let c = canary(&full(), &json!({"iterations": 3, "mirror": true}));
    let both = |router| rendered(router, &c, Split::to_canary(0).mirroring(true), &Cookies::default());
    snapshot("gatewayapi_full", &both(&V1));
    snapshot("gatewayapi_full_v1beta1", &both(&V1BETA1));
    assert!(V1.unsupported(&c).is_empty() && V1BETA1.unsupported(&c).is_empty());
}

#[test]
fn a_replaced_prefix_has_a_rule_of_its_own() {
    let service = json!({
        "match": [{"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/b"}}],
        "rewrite": {"uri": "/", "type": "ReplacePrefixMatch"},
    });
    let mut c = canary(&service, &json!({"stepWeight": 10}));
    assert!(V1.unsupported(&c).is_empty());
    let made = V1.render(&c, &Objects::default(), Split::to_canary(10), &Cookies::default()).unwrap();
    let rules = get::list(&made[0].body["spec"]["rules"]);
    let paths: Vec<&Value> = rules.iter().map(|rule| &rule["matches"][0]["path"]["value"]).collect();
    assert_eq!(paths, ["/a", "/b"]);
    assert!(rules.iter().all(|rule| get::list(&rule["matches"]).len() == 1));
    let mut live = Objects::default();
    live.insert(V1.kinds[0], made[0].to_create());
    assert_eq!(V1.read_back(&c, &live), Ok(Split::to_canary(10)));
    c.service.match_.push(json!({"uri": {"exact": "/c"}}));
    assert!(V1.unsupported(&c)[0].starts_with("spec.service.rewrite.type: "));
}

#[test]
fn named_requests_have_a_rule_of_their_own() {
    let named = json!([{"headers": {"x-canary": {"regex": "insider"}}}, {"headers": {"cookie": {"exact": "canary=always"}}}]);
    let c = canary(&json!({"match": [{"uri": {"prefix": "/a"}}]}), &json!({"iterations": 3, "match": named}));
    snapshot("gatewayapi_named", &rendered(&V1, &c, Split::to_canary(100), &Cookies::default()));
}

#[test]
fn cookies_keep_users_and_are_taken_back() {
    let affinity = json!({"cookieName": "a", "primaryCookieName": "b", "maxAge": 60});
    let c = canary(&json!({}), &json!({"stepWeight": 10, "sessionAffinity": affinity}));
    let cookies =
        Cookies { canary: Some("a=x".into()), primary: Some("b=y".into()), previous: Some("a=w".into()) };
    snapshot("gatewayapi_affinity", &rendered(&V1, &c, Split::to_canary(10), &cookies));
    let after = Cookies { canary: None, ..cookies };
    snapshot("gatewayapi_affinity_after", &rendered(&V1, &c, Split::to_canary(0), &after));
    assert_eq!(
        V1BETA1.unsupported(&c),
        [
            "spec.analysis.sessionAffinity.primaryCookieName: gatewayapi:v1beta1 has the canary's cookie only: leave it out or set spec.provider to gatewayapi:v1"
        ]
    );
}

#[test]
fn what_an_httproute_cannot_express_is_refused() {
    let service = json!({
        "gatewayRefs": [],
        "match": [{"authority": {"exact": "a"}, "ignoreUriCase": false, "name": "x", "method": {"regex": "G.*"}}],
        "corsPolicy": {"allowOrigins": [{"regex": ".*"}]},
    });
    let c = canary(&service, &json!({"match": [{"headers": {"x": {"suffix": "y"}}}]}));
    let refused = V1.unsupported(&c);
    let fields: Vec<&str> = refused.iter().filter_map(|text| text.split(": ").next()).collect();
    assert_eq!(
        fields,
        [
            "spec.service.gatewayRefs",
            "spec.service.match[0].method",
            "spec.service.match[0].authority",
            "spec.analysis.match[0].headers.x",
            "spec.service.corsPolicy.allowOrigins[0]",
        ]
    );
}

#[test]
fn a_route_counts_once_its_gateways_have_accepted_it() {
    let c = canary(&json!({}), &json!({"stepWeight": 25}));
    let answered = |parents: &Value| {
        let mut live = Objects::default();
        let object =
            json!({"metadata": {"name": "podinfo", "generation": 2}, "status": {"parents": parents}});
        live.insert(V1.kinds[0], object);
        V1.not_programmed(&c, &live)
    };
    let answer = |to: &str, status: &str, seen: i64| {
        json!({"parentRef": {"name": to, "namespace": "infra"}, "conditions": [
            {"type": "Accepted", "status": status, "observedGeneration": seen, "reason": "R", "message": "m"},
        ]})
    };
    assert_eq!(V1.not_programmed(&c, &Objects::default()), None, "there is nothing to follow");
    let says = |parents: &Value, text: &str| {
        let why = answered(parents).unwrap_or_default();
        assert!(why.contains(text), "{why}");
    };
    says(&json!([]), "no Gateway answers for HTTPRoute podinfo");
    says(&json!([answer("other", "True", 2)]), "no Gateway answers");
    says(&json!([answer("gw", "True", 1)]), "Gateway gw has not yet taken in HTTPRoute podinfo");
    says(&json!([{"parentRef": {"name": "gw", "namespace": "infra"}}]), "has not yet taken in");
    says(&json!([answer("gw", "False", 2)]), "Gateway gw does not accept HTTPRoute podinfo: m (R)");
    assert_eq!(answered(&json!([answer("gw", "True", 2), answer("other", "False", 2)])), None);
}

#[test]
fn weights_that_are_not_written_are_one() {
    let c = canary(&json!({}), &json!({"stepWeight": 25}));
    let mut live = Objects::default();
    let backends = json!([{"name": "podinfo-primary"}, {"name": "podinfo-canary", "weight": 3}]);
    live.insert(
        V1.kinds[0],
        json!({"metadata": {"name": "podinfo"}, "spec": {"rules": [{"backendRefs": backends}]}}),
    );
    assert_eq!(V1.read_back(&c, &live), Ok(Split::to_canary(75)));
    assert!(matches!(
        V1.read_back(&canary(&json!({"name": "x"}), &json!({})), &live),
        Err(RouterError::NotFound(_))
    ));
}

#[test]
fn pinned_requests_have_rules_of_their_own_before_all_others() {
    let exact = |value: &str| json!([{"headers": {"x-canary": {"exact": value}}}]);
    let asked = json!({
        "stepWeight": 25, "mirror": true, "always": exact("always"), "never": exact("never"),
        "sessionAffinity": {"cookieName": "a"},
    });
    let c = canary(&json!({"match": [{"uri": {"prefix": "/api"}}, {"uri": {"exact": "/b"}}]}), &asked);
    assert_eq!(V1.unsupported(&c), Vec::<String>::new());
    let cookies = Cookies { canary: Some("a=x".into()), ..Cookies::default() };
    let split = Split::to_canary(25).mirroring(true).pinning(true);
    let rules = rendered(&V1, &c, split, &cookies)["spec"]["rules"].clone();
    let header = |rule: &Value| rule["matches"][1]["headers"][0]["value"].clone();
    assert_eq!(rules.as_array().map(Vec::len), Some(4), "never, always, the cookie, all others");
    assert_eq!((header(&rules[0]), header(&rules[1])), (json!("never"), json!("always")));
    assert_eq!(rules[0]["backendRefs"], json!([backend(&c, "podinfo-primary", 100)]));
    assert_eq!(rules[1]["backendRefs"], json!([backend(&c, "podinfo-canary", 100)]));
    let copied: Vec<bool> = get::list(&rules).iter().map(|rule| rule.get("filters").is_some()).collect();
    assert_eq!(copied, [false, false, false, true]);
}

#[test]
fn pinned_requests_have_a_rule_for_each_prefix_that_is_replaced() {
    let service = json!({
        "match": [{"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/b"}}],
        "rewrite": {"uri": "/", "type": "ReplacePrefixMatch"},
    });
    let c = canary(&service, &json!({"stepWeight": 25, "always": [{"headers": {"x": {"exact": "y"}}}]}));
    for pinned in [true, false] {
        let split = Split::to_canary(25).pinning(pinned);
        let mut live = Objects::default();
        live.insert(V1.kinds[0], rendered(&V1, &c, split, &Cookies::default()));
        assert_eq!(V1.read_back(&c, &live), Ok(split));
        let rules = live.get(V1.kinds[0], "podinfo").unwrap()["spec"]["rules"].clone();
        let led: Vec<usize> =
            get::list(&rules).iter().map(|rule| get::list(&rule["backendRefs"]).len()).collect();
        assert_eq!(led, if pinned { [1, 1, 2, 2] } else { [2; 4] }, "at rest they are like all others");
    }
}

/// Envoy Gateway names its clusters by the numbers of rules.
#[test]
fn a_rule_keeps_its_number_at_rest_and_in_a_run() {
    let exact = |value: &str| json!([{"headers": {"x": {"exact": value}}}]);
    let prefixes = json!({
        "match": [{"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/b"}}],
        "rewrite": {"uri": "/", "type": "ReplacePrefixMatch"},
    });
    let given = |canary: Option<&str>, primary: Option<&str>, previous: Option<&str>| Cookies {
        canary: canary.map(str::to_owned),
        primary: primary.map(str::to_owned),
        previous: previous.map(str::to_owned),
    };
    let to = Split::to_canary;
    let stages = [
        (to(0), given(None, None, None)),
        (to(0).pinning(true).mirroring(true), given(None, Some("b=y"), None)),
        (to(10).pinning(true), given(Some("a=x"), Some("b=y"), None)),
        (to(100).pinning(true), given(Some("a=x"), None, None)),
        (to(100).for_everyone(true), given(Some("a=x"), None, None)),
        (to(0), given(None, Some("b=y"), Some("a=x"))),
    ];
    let cookies = json!({"cookieName": "a", "primaryCookieName": "b"});
    for service in [json!({}), prefixes] {
        let each = if service == json!({}) { 1 } else { 2 };
        for (analysis, kinds) in [
            (json!({"stepWeight": 10}), 1),
            (json!({"iterations": 3, "match": exact("insider")}), 2),
            (json!({"stepWeight": 10, "always": exact("always")}), 2),
            (json!({"stepWeight": 10, "always": exact("always"), "never": exact("never")}), 3),
            (json!({"stepWeight": 10, "sessionAffinity": {"cookieName": "a"}}), 2),
            (json!({"stepWeight": 10, "sessionAffinity": cookies, "never": exact("never")}), 4),
        ] {
            let c = canary(&service, &analysis);
            for (split, cookies) in &stages {
                let rules = rendered(&V1, &c, *split, cookies)["spec"]["rules"].clone();
                let rules = get::list(&rules);
                assert_eq!(rules.len(), kinds * each, "{analysis} {split:?}");
                for rule in &rules[(kinds - 1) * each..] {
                    let said = &rule["matches"][0];
                    assert!(said["headers"].is_null(), "all others come last: {analysis} {split:?}");
                }
            }
        }
    }
}

#[test]
fn requests_of_never_alone_are_pinned_only_where_the_canary_is_left_out() {
    let c = canary(&json!({}), &json!({"stepWeight": 25, "never": [{"headers": {"x": {"exact": "y"}}}]}));
    for split in [0, 25, 100].into_iter().flat_map(|w| [true, false].map(|p| Split::to_canary(w).pinning(p)))
    {
        let mut live = Objects::default();
        live.insert(V1.kinds[0], rendered(&V1, &c, split, &Cookies::default()));
        assert_eq!(V1.read_back(&c, &live), Ok(split));
    }
}

#[test]
fn a_service_may_be_the_parent_as_linkerd_wants_it() {
    let service = json!({"gatewayRefs": [
        {"group": "core", "kind": "Service", "name": "podinfo", "port": 80},
        {"group": "core", "kind": "Service", "name": "podinfo", "namespace": "other", "port": 9898},
    ]});
    let mut c = canary(&service, &json!({"stepWeight": 25}));
    assert_eq!(
        rendered(&V1, &c, Split::to_canary(25), &Cookies::default())["spec"]["parentRefs"],
        json!([
            {"group": "core", "kind": "Service", "name": "podinfo", "port": 80},
            {"group": "core", "kind": "Service", "name": "podinfo", "namespace": "other", "port": 9898},
        ])
    );
    // an answer about the Service counts with or without the namespace
    c.service.gateway_refs.truncate(1);
    let at = V1.reads(&c).remove(0);
    let mut live = Objects::default();
    for (namespace, status, followed) in
        [(json!("test"), "True", true), (Value::Null, "True", true), (json!("test"), "False", false)]
    {
        live.insert(
            at.kind,
            json!({
                "metadata": {"name": at.name, "generation": 2}, "status": {"parents": [{
                    "controllerName": "linkerd.io/policy-controller",
                    "parentRef": {"group": "core", "kind": "Service", "name": "podinfo", "namespace": namespace},
                    "conditions": [{"type": "Accepted", "status": status, "reason": "x", "observedGeneration": 2}],
                }]},
            }),
        );
        assert_eq!(V1.not_programmed(&c, &live).is_none(), followed, "{namespace} {status}");
    }
}

#[test]
fn a_route_is_not_taken_over_from_users_that_the_canary_leaves_out() {
    let c = canary(&json!({"hosts": ["a.example.com"]}), &json!({"stepWeight": 25}));
    let own = c.service.gateway_refs.clone();
    let lost = |parents: &Value, hosts: Value| {
        V1.takeover_conflict(&c, &json!({"spec": {"parentRefs": parents, "hostnames": hosts}}))
    };
    assert_eq!(lost(&json!(own), json!(["a.example.com"])), None);
    assert!(lost(&json!(own), json!(["b.example.com"])).unwrap().contains("host b.example.com"));
    let elsewhere = json!([{"name": "other", "namespace": "infra"}]);
    assert!(lost(&elsewhere, json!([])).unwrap().contains("parent other of namespace infra"));
}

#[test]
fn hosts_of_a_route_are_not_lost_to_a_canary_without_any() {
    let lost = |hosts: Value| {
        let c = canary(&json!({"hosts": hosts}), &json!({"stepWeight": 25}));
        let spec = json!({"parentRefs": c.service.gateway_refs, "hostnames": ["a.example.com"]});
        V1.takeover_conflict(&c, &json!({"spec": spec}))
    };
    assert_eq!(lost(json!([])).as_deref(), Some("add its host a.example.com to spec.service.hosts"));
    assert_eq!((lost(json!(["*"])), lost(json!(["a.example.com"]))), (None, None));
}

#[test]
fn a_prefix_means_the_same_with_a_slash_at_its_end() {
    let lost = |path: Value| {
        let c = canary(&json!({"match": [{"uri": {"prefix": "/api/"}}]}), &json!({"stepWeight": 25}));
        let to = json!([{"name": "podinfo", "port": 80}]);
        let rules = json!([{"matches": [{"path": path}], "backendRefs": to}]);
        let spec = json!({"parentRefs": c.service.gateway_refs, "rules": rules});
        V1.takeover_conflict(&c, &json!({"spec": spec})).filter(|said| said.contains("leaves out"))
    };
    for covered in ["/api", "/api/", "/api/v1"] {
        assert_eq!(lost(json!({"type": "PathPrefix", "value": covered})), None, "{covered}");
        assert_eq!(lost(json!({"type": "Exact", "value": covered})), None, "{covered}");
    }
    for left_out in ["/", "/apis"] {
        assert!(lost(json!({"type": "PathPrefix", "value": left_out})).is_some(), "{left_out}");
    }
}

#[test]
fn an_entry_that_would_lose_to_another_rule_is_refused() {
    let refused = |service: Value, analysis: Value| {
        let mut asked = json!({"stepWeight": 25});
        fixture::merge(&mut asked, &analysis);
        V1.unsupported(&canary(&service, &asked))
    };
    let query = json!([{"queryParams": {"x": {"exact": "1"}}}]);
    let header = |value: &str| json!([{"headers": {"x": {"exact": value}}}]);
    let both = |value: &str| json!([{"headers": {"x": {"exact": value}, "y": {"exact": "2"}}}]);
    let affinity = json!({"cookieName": "a"});
    for list in ["always", "never"] {
        let with = |entries: &Value| json!({list: entries, "sessionAffinity": affinity});
        let said = refused(json!({}), with(&query));
        assert!(
            said[0].starts_with(&format!("spec.analysis.{list}[0]: ")) && said[0].contains("cookie"),
            "{said:?}"
        );
        assert_eq!(refused(json!({}), with(&header("1"))), Vec::<String>::new());
        assert_eq!(refused(json!({}), json!({list: query})), Vec::<String>::new());
        // its header takes the place of the general one, to which the cookie's is added
        let general = json!({"match": [{"uri": {"prefix": "/"}}, {"headers": {"x": {"regex": ".+"}}}]});
        assert_eq!(refused(general.clone(), with(&header("1"))).len(), 1);
        assert_eq!(refused(general, with(&both("1"))), Vec::<String>::new());
    }
    let pins = |never: Value, always: Value| refused(json!({}), json!({"never": never, "always": always}));
    for (never, always) in [(query.clone(), header("1")), (header("1"), both("1"))] {
        let said = pins(never, always);
        assert!(
            said[0].starts_with("spec.analysis.never[0]: ") && said[0].contains("spec.analysis.always[0]"),
            "{said:?}"
        );
    }
    for (never, always) in [
        (header("1"), both("2")),
        (both("1"), header("1")),
        (header("1"), query.clone()),
        (header("1"), json!([{"headers": {"z": {"exact": "1"}}}])),
    ] {
        assert_eq!(pins(never, always), Vec::<String>::new());
    }
}

/// Rules of a route with these members that was taken over by a Canary with this service and analysis.
fn taken_over(
    theirs: &Value,
    service: &Value,
    analysis: &Value,
    want: Split,
) -> (Option<String>, Value, Vec<String>) {
    let c = canary(service, analysis);
    let mut rule = json!({"backendRefs": [{"name": "podinfo", "port": 80}]});
    fixture::merge(&mut rule, theirs);
    let route = json!({
        "metadata": {"name": "podinfo"}, "spec": {"parentRefs": c.service.gateway_refs, "rules": [rule]},
    });
    let mut live = Objects::default();
    live.insert(V1.kinds[0], route.clone());
    let made = V1.render(&c, &live, want, &Cookies::default()).unwrap().remove(0);
    (V1.takeover_conflict(&c, &route), made.body["spec"]["rules"].clone(), V1.advice(&c, &live))
}

#[test]
fn no_filter_of_a_route_is_lost() {
    let filter = |name: &str| json!({"type": "ExtensionRef", "extensionRef": {"group": "x", "kind": "Auth", "name": name}});
    let theirs = json!({"filters": [
        filter("auth"), filter("ratelimit"),
        {"type": "RequestHeaderModifier", "requestHeaderModifier": {
            "set": [{"name": "X-A", "value": "1"}, {"name": "X-B", "value": "1"}], "remove": ["X-C"],
        }},
        {"type": "URLRewrite", "urlRewrite": {
            "hostname": "inner", "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"},
        }},
    ]});
    let service = json!({
        "headers": {"request": {"set": {"X-B": "2"}, "remove": ["X-D"]}}, "rewrite": {"uri": "/v2"},
    });
    let mirror = json!({"iterations": 3, "mirror": true});
    let (lost, rules, _) = taken_over(&theirs, &service, &mirror, Split::to_canary(0).mirroring(true));
    assert_eq!(lost, None);
    let ours = get::list(&rules[0]["filters"]);
    assert!(ours.contains(&filter("auth")) && ours.contains(&filter("ratelimit")), "{rules}");
    assert_eq!(
        ours[0]["requestHeaderModifier"],
        json!({"set": [{"name": "X-B", "value": "2"}, {"name": "X-A", "value": "1"}], "remove": ["X-D", "X-C"]})
    );
    assert_eq!(
        ours[1]["urlRewrite"],
        json!({"hostname": "inner", "path": {"type": "ReplaceFullPath", "replaceFullPath": "/v2"}})
    );
    assert_eq!(ours.iter().filter(|filter| filter["type"] == "RequestMirror").count(), 1);
}

#[test]
fn rules_that_differ_in_filters_are_not_made_one() {
    let c = canary(&json!({"headers": {"request": {"set": {"X-B": "2"}}}}), &json!({"stepWeight": 25}));
    let to = json!([{"name": "podinfo", "port": 80}]);
    let admin = json!([{"path": {"type": "PathPrefix", "value": "/admin"}}]);
    let auth = json!([{"type": "ExtensionRef", "extensionRef": {"name": "auth"}}]);
    let rules = json!([{"backendRefs": to}, {"matches": admin, "filters": auth, "backendRefs": to}]);
    let spec = json!({"parentRefs": c.service.gateway_refs, "rules": rules});
    let said = V1.takeover_conflict(&c, &json!({"spec": spec})).unwrap();
    assert!(said.contains("its rules differ in filters"), "{said}");
}

#[test]
fn a_name_that_some_rules_do_not_have_is_advised_about() {
    let header = json!([{"headers": {"x": {"exact": "1"}}}]);
    let named = json!({"name": "api"});
    let advice =
        |theirs: &Value, analysis: Value| taken_over(theirs, &json!({}), &analysis, Split::to_canary(25)).2;
    for (field, value) in [
        ("match", header.clone()),
        ("always", header.clone()),
        ("sessionAffinity", json!({"cookieName": "a"})),
    ] {
        let said = advice(&named, json!({"stepWeight": 25, field: value}));
        let words = format!("for the requests of spec.analysis.{field}: ");
        assert!(
            said[0].contains("the rule api of HTTPRoute podinfo") && said[0].contains(&words),
            "{said:?}"
        );
    }
    assert_eq!(advice(&named, json!({"stepWeight": 25})), Vec::<String>::new());
    assert_eq!(advice(&json!({}), json!({"stepWeight": 25, "match": header})), Vec::<String>::new());
}

/// With a Service as its parent, and these conditions of its controller; the route is at generation 3.
fn answered_for_a_service(router: &GatewayApi, conditions: &Value) -> (Option<String>, Vec<String>) {
    let parent =
        json!({"group": "core", "kind": "Service", "name": "podinfo", "namespace": "test", "port": 80});
    let c = canary(&json!({"gatewayRefs": [parent]}), &json!({"stepWeight": 25}));
    let mut live = Objects::default();
    let answer = json!({"controllerName": "linkerd.io/policy-controller", "parentRef": parent, "conditions": conditions});
    let object = json!({"metadata": {"name": "podinfo", "generation": 3}, "status": {"parents": [answer]}});
    live.insert(router.kinds[0], object);
    (router.not_programmed(&c, &live), router.advice(&c, &live))
}

#[test]
fn r1_an_answer_without_a_generation_is_no_stale_one() {
    for router in [&V1, &V1BETA1] {
        let said = |status: &str, seen: Value| {
            let accepted = json!({"type": "Accepted", "status": status, "reason": "R", "message": "m", "observedGeneration": seen});
            answered_for_a_service(router, &json!([accepted]))
        };
        for silent in [Value::Null, json!(0)] {
            let (unfollowed, advice) = said("True", silent.clone());
            assert_eq!(unfollowed, None, "{silent}");
            assert!(
                advice[0].contains("Service podinfo of linkerd.io/policy-controller")
                    && advice[0].contains("settleTime")
            );
            let (unfollowed, advice) = said("False", silent);
            assert!(
                unfollowed.unwrap().contains("does not accept HTTPRoute podinfo: m (R)") && advice.is_empty()
            );
        }
        assert!(said("True", json!(2)).0.unwrap().contains("not yet taken in"));
        assert_eq!(said("True", json!(3)), (None, vec![]));
    }
}

#[test]
fn r29_a_route_whose_backends_are_refused_is_not_followed() {
    let accepted = json!({"type": "Accepted", "status": "True", "observedGeneration": 3});
    let with = |other: Value| answered_for_a_service(&V1, &json!([accepted, other])).0;
    let refused = json!({"type": "ResolvedRefs", "status": "False", "reason": "RefNotPermitted", "message": "no grant", "observedGeneration": 3});
    let said = with(refused).unwrap();
    assert!(said.contains("RefNotPermitted") && said.contains("no grant"), "{said}");
    let silent =
        json!({"type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound", "message": "m"});
    assert!(with(silent).unwrap().contains("BackendNotFound"));
    let partly = json!({"type": "PartiallyInvalid", "status": "True", "reason": "UnsupportedValue", "message": "m", "observedGeneration": 3});
    assert!(with(partly).unwrap().contains("UnsupportedValue"));
    for fine in [
        json!({"type": "ResolvedRefs", "status": "True", "observedGeneration": 3}),
        json!({"type": "ResolvedRefs", "status": "False", "observedGeneration": 2}),
    ] {
        assert_eq!(with(fine), None);
    }
}

#[test]
fn r12_a_service_with_several_ports_as_parent_wants_one_named() {
    let parent = |port: Value| json!({"group": "core", "kind": "Service", "name": "podinfo", "port": port});
    let ports = |numbers: &[i32]| {
        let ports: Vec<Value> = numbers.iter().map(|port| json!({"port": port})).collect();
        json!({"metadata": {"name": "podinfo"}, "spec": {"ports": ports}})
    };
    for (port, numbers, advised) in [
        (Value::Null, &[80, 9102][..], true),
        (Value::Null, &[80][..], false),
        (json!(80), &[80, 9102][..], false),
    ] {
        let c = canary(&json!({"gatewayRefs": [parent(port)]}), &json!({"stepWeight": 25}));
        let mut live = Objects::default();
        live.insert(SERVICE, ports(numbers));
        let advice = V1.advice(&c, &live);
        assert_eq!(
            advice.iter().any(|text| text.contains("spec.service.gatewayRefs")),
            advised,
            "{advice:?}"
        );
    }
}
