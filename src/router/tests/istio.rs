use serde_json::{Value, json};

use crate::{
    manifest::{fixture, json as get, patch},
    router::{
        istio::{Istio, gateways},
        split::Split,
        tests::snapshot,
        traits::{Cookies, Router, RouterError},
        virtual_service::VIRTUAL_SERVICE,
    },
    snapshot::{Objects, SERVICE},
    spec::Validated,
};

fn vs(service: &Value, canary: i32) -> Value {
    let c = fixture::canary(service);
    rendered(&c, Split::to_canary(canary), &Cookies::default())
}

fn rendered(c: &Validated, want: Split, cookies: &Cookies) -> Value {
    Istio.render(c, &Objects::default(), want, cookies).unwrap().remove(0).body
}

/// With this analysis and `service`.
fn analysed(analysis: Value, service: &Value) -> Validated {
    let mut c = fixture::canary(service);
    c.analysis = serde_json::from_value(analysis).unwrap();
    c
}

fn live(http: &Value) -> Objects {
    let mut objects = Objects::default();
    objects.insert(VIRTUAL_SERVICE, json!({"metadata": {"name": "podinfo"}, "spec": {"http": http}}));
    objects
}

#[test]
fn minimal() {
    let expected = json!({"gateways": ["mesh"], "hosts": ["podinfo"], "http": [{"route": [
        {"destination": {"host": "podinfo-primary"}, "weight": 75},
        {"destination": {"host": "podinfo-canary"}, "weight": 25},
    ]}]});
    assert_eq!(vs(&json!({}), 25)["spec"], expected, "as recorded");
    snapshot("istio_minimal", &json!(vs(&json!({}), 25)));
}

#[test]
fn full() {
    let service = json!({
        "port": 9898, "portDiscovery": true, "targetPort": 9898, "timeout": "15s",
        "gateways": ["istio-system/public"], "hosts": ["app.example.com"],
        "match": [{"uri": {"prefix": "/"}, "headers": {"x": {"exact": ""}}}],
        "rewrite": {"uri": "/v2", "type": "ReplacePrefixMatch"},
        "retries": {"attempts": 3, "perTryTimeout": "1s", "retryOn": "5xx"},
        "headers": {"response": {"add": {"x-v": "1"}}},
        "corsPolicy": {"allowOrigins": [{"exact": "https://example.com"}], "maxAge": "24h"},
        "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}},
        "apex": {"labels": {"team": "a"}, "annotations": {"note": "b"}},
    });
    snapshot("istio_full", &json!(vs(&service, 50)));
    let rules = Istio.auxiliary_objects(&fixture::canary(&service));
    snapshot("istio_rules", &json!(rules.iter().map(|m| &m.body).collect::<Vec<_>>()));
}

#[test]
fn tcp_and_delegation() {
    let tcp = vs(&json!({"appProtocol": "TCP", "match": [{"port": 5432}, {"uri": {"prefix": "/"}}]}), 10);
    assert!(tcp["spec"].get("http").is_none());
    assert_eq!(tcp["spec"]["tcp"][0]["match"], json!([{"port": 5432}]));
    let delegate = vs(&json!({"delegation": true, "portDiscovery": true}), 0);
    assert!(delegate["spec"].get("hosts").is_none() && delegate["spec"].get("gateways").is_none());
    assert_eq!(delegate["spec"]["http"][0]["route"][1]["destination"]["port"]["number"], 80);
    let c = fixture::canary(&json!({"delegation": true, "hosts": ["a"], "gateways": ["g"]}));
    assert_eq!(Istio.unsupported(&c).len(), 2);
}

#[test]
fn hosts_and_gateways() {
    let of = |service: Value, field: &str| vs(&service, 0)["spec"][field].clone();
    assert_eq!(of(json!({"hosts": ["a.example.com"]}), "hosts"), json!(["a.example.com", "podinfo"]));
    assert_eq!(of(json!({"hosts": ["*"]}), "hosts"), json!(["*"]));
    assert_eq!(of(json!({"hosts": ["podinfo", "x"]}), "hosts"), json!(["podinfo", "x"]));
    assert_eq!(of(json!({"gateways": ["g"]}), "gateways"), json!(["g"]));
    let mut old = fixture::canary(&json!({"gateways": ["g"]}));
    old.mesh_appended = true;
    assert_eq!(gateways(&old), ["g", "mesh"]);
}

#[test]
fn reading_back_takes_what_it_finds() {
    let c = fixture::canary(&json!({}));
    let to = |host: &str, weight: Value| json!({"destination": {"host": host}, "weight": weight});
    let read = |http: Value| Istio.read_back(&c, &live(&http)).map(Split::canary);
    let not_found = Istio.read_back(&c, &Objects::default());
    assert_eq!(not_found.unwrap_err().to_string(), "VirtualService podinfo not found");
    assert_eq!(read(json!([{"route": [to("podinfo-primary", json!(null))]}])), Ok(0));
    assert_eq!(read(json!([{"route": [to("podinfo-canary", json!(0))]}])), Ok(100));
    let both = |p: i64, c: i64| json!([{"route": [to("podinfo-primary.test.svc.cluster.local", json!(p)), to("podinfo-canary", json!(c))]}]);
    assert_eq!(read(both(1, 3)), Ok(75));
    assert_eq!(read(both(1000, 1)), Ok(1), "some is not none");
    for http in [both(0, 0), json!([{"route": [to("podinfo", json!(100))]}]), json!("odd"), json!([3])] {
        assert!(matches!(read(http), Err(RouterError::Unreadable { .. })));
    }
}

#[test]
fn a_route_of_somebody_else_is_not_given_back() {
    let c = fixture::canary(&json!({}));
    assert!(Istio.restore(&c, &live(&json!([]))).is_empty());
}

fn to(host: &str, weight: i32) -> Value {
    json!({"destination": {"host": format!("podinfo-{host}")}, "weight": weight})
}

#[test]
fn named_requests_have_a_rule_of_their_own() {
    let named = json!([{"headers": {"x-canary": {"regex": ".*insider.*"}}}, {"headers": {"cookie": {"exact": "canary=always"}}}]);
    let c = analysed(json!({"iterations": 3, "match": named}), &json!({}));
    let http = rendered(&c, Split::to_canary(100), &Cookies::default())["spec"]["http"].clone();
    let expected = json!([
        {"match": named, "route": [to("primary", 0), to("canary", 100)]},
        {"route": [to("primary", 100)]},
    ]);
    assert_eq!(http, expected, "as recorded, but for the rest's weight");
    let everyone = Split::to_canary(100).for_everyone(true);
    let http = rendered(&c, everyone, &Cookies::default())["spec"]["http"].clone();
    assert_eq!(http, json!([{"route": [to("primary", 0), to("canary", 100)]}]));
    assert_eq!(Istio.read_back(&c, &live(&http)), Ok(everyone));
}

#[test]
fn conditions_are_joined_with_those_of_the_service() {
    let general =
        json!([{"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/b"}, "headers": {"x": {"exact": "y"}}}]);
    let named = json!([{"headers": {"x": {"exact": "z"}}, "queryParams": {"q": {"exact": "1"}}}]);
    let c = analysed(json!({"stepWeight": 10, "match": named}), &json!({"match": general}));
    let http = rendered(&c, Split::to_canary(10), &Cookies::default())["spec"]["http"].clone();
    let both = |uri: &str| json!({"uri": {"prefix": uri}, "headers": {"x": {"exact": "z"}}, "queryParams": {"q": {"exact": "1"}}});
    assert_eq!(http[0]["match"], json!([both("/a"), both("/b")]));
    assert_eq!(http[1]["match"], general);
}

#[test]
fn mirroring_copies_to_the_canary() {
    let c = analysed(json!({"iterations": 3, "mirror": true, "mirrorWeight": 20}), &json!({}));
    let http = rendered(&c, Split::to_canary(0).mirroring(true), &Cookies::default())["spec"]["http"].clone();
    let expected = json!([{
        "route": [to("primary", 100), to("canary", 0)],
        "mirror": {"host": "podinfo-canary"}, "mirrorPercentage": {"value": 20},
    }]);
    assert_eq!(http, expected);
}

#[test]
fn cookies_keep_users_and_are_taken_back() {
    let affinity = json!({"cookieName": "a", "primaryCookieName": "b", "maxAge": 60});
    let c = analysed(json!({"stepWeight": 10, "sessionAffinity": affinity}), &json!({"timeout": "5s"}));
    let cookies =
        Cookies { canary: Some("a=x".into()), primary: Some("b=y".into()), previous: Some("a=w".into()) };
    snapshot("istio_affinity", &rendered(&c, Split::to_canary(10), &cookies));
    let after = Cookies { canary: None, ..cookies };
    snapshot("istio_affinity_after", &rendered(&c, Split::to_canary(0), &after));
}

#[test]
fn tcp_knows_no_requests() {
    let asked = json!({
        "stepWeight": 10, "mirror": true, "match": [{"headers": {"x": {"exact": "y"}}}],
        "sessionAffinity": {"cookieName": "a"},
    });
    assert_eq!(Istio.unsupported(&analysed(asked.clone(), &json!({"appProtocol": "tcp"}))).len(), 3);
    assert!(Istio.unsupported(&analysed(asked, &json!({}))).is_empty());
}

#[test]
fn pinned_requests_have_rules_of_their_own_before_all_others() {
    let always = json!([{"headers": {"x-canary": {"exact": "always"}}}]);
    let never = json!([{"headers": {"x-canary": {"exact": "never"}}}]);
    let asked = json!({
        "stepWeight": 10, "mirror": true, "always": always, "never": never,
        "sessionAffinity": {"cookieName": "a"},
    });
    let c = analysed(asked, &json!({"match": [{"uri": {"prefix": "/a"}}]}));
    assert!(Istio.unsupported(&c).is_empty());
    let cookies = Cookies { canary: Some("a=x".into()), ..Cookies::default() };
    let split = Split::to_canary(10).mirroring(true).pinning(true);
    let http = rendered(&c, split, &cookies)["spec"]["http"].clone();
    let named = |value: &str| json!([{"uri": {"prefix": "/a"}, "headers": {"x-canary": {"exact": value}}}]);
    assert_eq!(http[0], json!({"match": named("never"), "route": [to("primary", 100)]}), "and no copies");
    assert_eq!(http[1], json!({"match": named("always"), "route": [to("canary", 100)]}));
    assert_eq!(http[2]["match"][0]["headers"]["cookie"]["regex"], "(.*; ?)?a=x(;.*)?");
    assert_eq!(
        (&http[3]["route"][1]["weight"], &http[3]["mirror"]["host"]),
        (&json!(10), &json!("podinfo-canary"))
    );
    assert_eq!(Istio.read_back(&c, &live(&http)), Ok(split));
    let without = rendered(&c, split.pinning(false), &cookies)["spec"]["http"].clone();
    assert_eq!(Istio.read_back(&c, &live(&without)), Ok(split.pinning(false)));
    assert_eq!(without.as_array().unwrap().len(), 2, "{without}");
}

#[test]
fn a_route_is_not_taken_over_from_users_that_the_canary_leaves_out() {
    let c = fixture::canary(&json!({"gateways": ["public", "mesh"], "hosts": ["a.example.com"]}));
    let lost = |spec: Value| Istio.takeover_conflict(&c, &json!({"spec": spec}));
    assert_eq!(lost(json!({"hosts": ["podinfo"]})), None);
    let spelled =
        json!({"gateways": ["test/public"], "hosts": ["a.example.com", "podinfo.test.svc.cluster.local"]});
    assert_eq!(lost(spelled), None);
    let more =
        |gateways: &[&str], hosts: &[&str]| lost(json!({"gateways": gateways, "hosts": hosts})).unwrap();
    assert_eq!(
        more(&["public", "infra/private"], &[]),
        "add its gateway infra/private to spec.service.gateways"
    );
    assert_eq!(
        more(&["public"], &["a.example.com", "b.example.com"]),
        "add its host b.example.com to spec.service.hosts"
    );
}

#[test]
fn r12_sidecars_lead_each_port_to_itself_and_gateways_to_the_one_that_is_named() {
    let service = json!({"port": 8080, "portDiscovery": true, "gateways": ["istio-system/public", "mesh"]});
    let c = analysed(json!({"match": [{"headers": {"x": {"exact": "a"}}}], "mirror": true}), &service);
    let http =
        rendered(&c, Split::to_canary(25).mirroring(true), &Cookies::default())["spec"]["http"].clone();
    let at = |rule: &Value| {
        let ports: Vec<Value> =
            get::list(&rule["route"]).iter().map(|to| to["destination"]["port"]["number"].clone()).collect();
        (rule["match"][0]["gateways"].clone(), ports, rule["mirror"]["port"]["number"].clone())
    };
    let (outside, mesh) = (json!(["istio-system/public"]), json!(["mesh"]));
    let (named, none) = (json!(8080), Value::Null);
    assert_eq!(
        get::list(&http).iter().map(at).collect::<Vec<_>>(),
        [
            (outside.clone(), vec![named.clone(), named.clone()], named.clone()),
            (mesh.clone(), vec![none.clone(), none.clone()], none.clone()),
            (outside, vec![named.clone()], none.clone()),
            (mesh, vec![none.clone()], none),
        ]
    );
    assert_eq!(http[1]["match"][0]["headers"], json!({"x": {"exact": "a"}}));
    let own = json!({"port": 8080, "portDiscovery": true, "gateways": ["public", "mesh"],
        "match": [{"gateways": ["mesh"], "uri": {"prefix": "/in"}}]});
    let http = vs(&own, 0)["spec"]["http"].clone();
    assert_eq!(http.as_array().unwrap().len(), 1, "not for the gateway");
    assert_eq!(http[0]["match"], json!([{"gateways": ["mesh"], "uri": {"prefix": "/in"}}]));
    let delegate = vs(&json!({"delegation": true, "portDiscovery": true}), 0);
    assert!(delegate["spec"]["http"][0].get("match").is_none());
}

#[test]
fn no_condition_has_both_gateways_and_the_labels_of_a_caller() {
    // istiod ignores the labels there, and everybody would get the canary
    let labelled = json!({"sourceLabels": {"app": "tester"}});
    let by_header = json!({"headers": {"x": {"exact": "a"}}});
    let ported = json!({"port": 8080, "portDiscovery": true, "gateways": ["istio-system/public", "mesh"]});
    let general = |gateways: Value| json!({"gateways": ["public", "mesh"], "match": [{"gateways": gateways, "uri": {"prefix": "/"}}]});
    for service in [ported, general(json!(["mesh"])), general(json!(["public", "mesh"]))] {
        for list in ["match", "always", "never"] {
            let c = analysed(json!({list: [labelled, by_header]}), &service);
            assert_eq!(Istio.unsupported(&c), Vec::<String>::new());
            let split = Split::to_canary(if list == "match" { 25 } else { 0 }).pinning(list != "match");
            let http = rendered(&c, split, &Cookies::default())["spec"]["http"].clone();
            let conditions: Vec<Value> =
                get::list(&http).iter().flat_map(|rule| get::list(&rule["match"]).to_vec()).collect();
            let asking = |condition: &&Value| condition["sourceLabels"].is_object();
            assert!(conditions.iter().any(|condition| asking(&condition)), "{http}");
            assert!(conditions.iter().filter(asking).all(|one| one.get("gateways").is_none()), "{http}");
            assert_eq!(Istio.read_back(&c, &live(&http)), Ok(split));
        }
    }
    let c = analysed(
        json!({"match": [labelled]}),
        &json!({"port": 8080, "portDiscovery": true, "gateways": ["public", "mesh"]}),
    );
    let http = rendered(&c, Split::to_canary(25), &Cookies::default())["spec"]["http"].clone();
    let matches: Vec<&Value> = get::list(&http).iter().map(|rule| &rule["match"]).collect();
    assert_eq!(
        matches,
        [&json!([labelled]), &json!([{"gateways": ["public"]}]), &json!([{"gateways": ["mesh"]}])],
        "no rule for callers of the gateway with the label, and the rest for all"
    );
}

#[test]
fn labels_of_callers_are_not_asked_of_a_gateway() {
    let labelled = json!({"sourceLabels": {"app": "tester"}});
    let service =
        json!({"gateways": ["public", "mesh"], "match": [{"gateways": ["public"], "uri": {"prefix": "/"}}]});
    for list in ["match", "always", "never"] {
        let mut c = analysed(json!({list: [labelled]}), &service);
        let refused = Istio.unsupported(&c);
        assert!(refused[0].starts_with(&format!("spec.analysis.{list}: sourceLabels ")), "{refused:?}");
        let http =
            rendered(&c, Split::to_canary(25).pinning(true), &Cookies::default())["spec"]["http"].clone();
        assert!(get::list(&http).iter().all(|rule| !get::list(&rule["match"]).is_empty()), "{http}");
        c.service.match_.push(json!({"gateways": ["mesh"], "uri": {"prefix": "/in"}}));
        assert_eq!(Istio.unsupported(&c), Vec::<String>::new());
        let http =
            rendered(&c, Split::to_canary(25).pinning(true), &Cookies::default())["spec"]["http"].clone();
        let both = json!([{"uri": {"prefix": "/in"}, "sourceLabels": {"app": "tester"}}]);
        assert_eq!(http[0]["match"], both, "{http}");
        assert_eq!(http[1]["match"], json!(c.service.match_), "those of the user stay");
    }
}

#[test]
fn the_end_of_a_value_is_nothing_that_istio_can_ask() {
    let ends = json!([{"headers": {"x-user": {"suffix": "@corp.example"}}}]);
    for list in ["match", "always", "never"] {
        let said = Istio.unsupported(&analysed(json!({list: ends}), &json!({})));
        assert_eq!(
            said,
            [format!("spec.analysis.{list}[0].headers.x-user: Istio knows exact, prefix and regex")]
        );
    }
    let service = json!({"match": [{"uri": {"suffix": ".js"}, "headers": {"x": {"suffix": "a"}}}]});
    assert_eq!(Istio.unsupported(&fixture::canary(&service)).len(), 2);
}

#[test]
fn a_route_without_gateways_is_one_of_the_mesh() {
    let lost = |service: Value| {
        Istio.takeover_conflict(&fixture::canary(&service), &json!({"spec": {"hosts": ["podinfo"]}}))
    };
    assert_eq!(
        lost(json!({"gateways": ["public"]})).as_deref(),
        Some("add its gateway mesh to spec.service.gateways")
    );
    assert_eq!(lost(json!({})), None);
    assert_eq!(lost(json!({"gateways": ["public", "mesh"]})), None);
}

#[test]
fn a_prefix_covers_only_what_begins_with_all_of_it() {
    let lost = |uri: Value| {
        let c = fixture::canary(&json!({"match": [{"uri": {"prefix": "/api/"}}]}));
        let route = json!([{"destination": {"host": "podinfo"}}]);
        let spec = json!({"hosts": ["podinfo"], "http": [{"match": [{"uri": uri}], "route": route}]});
        Istio.takeover_conflict(&c, &json!({"spec": spec})).filter(|said| said.contains("leaves out"))
    };
    for covered in [json!({"prefix": "/api/"}), json!({"prefix": "/api/v1"}), json!({"exact": "/api/v1"})] {
        assert_eq!(lost(covered.clone()), None, "{covered}");
    }
    for left_out in [json!({"prefix": "/api"}), json!({"exact": "/api"})] {
        assert!(lost(left_out.clone()).is_some_and(|said| said.contains("it serves /api,")), "{left_out}");
    }
}

#[test]
fn r12_an_apex_with_other_ports_counts_as_several() {
    let c = fixture::canary(&json!({"gateways": ["public"]}));
    let mut live = Objects::default();
    let ports = |numbers: &[i32]| {
        let ports: Vec<Value> =
            numbers.iter().map(|port| json!({"name": format!("p{port}"), "port": port})).collect();
        json!({"metadata": {"name": "podinfo"}, "spec": {"ports": ports}})
    };
    for (numbers, port) in [(&[80][..], Value::Null), (&[80, 9102][..], json!(80))] {
        live.insert(SERVICE, ports(numbers));
        let made = Istio.render(&c, &live, Split::to_canary(0), &Cookies::default()).unwrap().remove(0);
        assert_eq!(made.body["spec"]["http"][0]["route"][0]["destination"]["port"]["number"], port);
    }
}

#[test]
fn r42_no_retries_reach_the_virtual_service() {
    let http = vs(&json!({"retries": {"attempts": 0}}), 25)["spec"]["http"].clone();
    assert_eq!(http[0]["retries"], json!({"attempts": 0}));
}

#[test]
fn r37_an_annotation_that_a_webhook_adds_to_every_write_is_no_drift() {
    let c = fixture::canary(&json!({}));
    let mut live = Objects::default();
    let render = |live: &Objects| Istio.render(&c, live, Split::to_canary(25), &Cookies::default()).unwrap();
    let all = || render(&Objects::default()).into_iter().chain(Istio.auxiliary_objects(&c));
    for made in all() {
        let mut object = made.to_create();
        get::set(&mut object, &["metadata", "annotations", "example.com/seen"], json!("true"));
        live.insert(made.kind, object);
    }
    for want in render(&live).into_iter().chain(Istio.auxiliary_objects(&c)) {
        assert_eq!(patch(live.at(&want.at()).unwrap(), &want), None, "{}", want.at());
    }
    assert_eq!(Istio.read_back(&c, &live), Ok(Split::to_canary(25)));
}

#[test]
fn r11_tcp_routes_of_what_flagger_had_taken_over_stay_when_it_is_given_back() {
    let c = fixture::canary(&json!({}));
    let tcp = json!([{"match": [{"port": 5432}], "route": [{"destination": {"host": "db"}}]}]);
    let mut theirs = live(&json!([{"route": [{"destination": {"host": "podinfo-primary"}}]}]));
    let mut object = theirs.of(VIRTUAL_SERVICE).next().unwrap().clone();
    object["spec"]["tcp"] = tcp.clone();
    theirs.insert(VIRTUAL_SERVICE, object.clone());
    let made = Istio.render(&c, &theirs, Split::to_canary(0), &Cookies::default()).unwrap().remove(0);
    let change = patch(&object, &made).unwrap();
    fixture::merge(&mut object, &change);
    theirs.insert(VIRTUAL_SERVICE, object.clone());
    let crate::manifest::Undo::Restore(back) = Istio.restore(&c, &theirs).remove(0) else { panic!() };
    let change = patch(&object, &back).unwrap();
    fixture::merge(&mut object, &change);
    assert_eq!(object["spec"]["tcp"], tcp);
    assert_eq!(object["spec"]["http"], json!([{"route": [{"destination": {"host": "podinfo"}}]}]));
}
