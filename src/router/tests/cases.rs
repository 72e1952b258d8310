//! The cases of the conformance suite for each registered router.

use serde_json::{Value, json};

use crate::{
    manifest::{fixture::merge, revision},
    names,
    router::{Router, by_name},
    snapshot::{INGRESS, KNATIVE_SERVICE, Kind},
};

/// The case of one router.
pub(super) struct Case {
    pub(super) provider: &'static str,
    /// Merged into the spec: fields that it requires.
    pub(super) spec: Value,
    /// Parts of `spec.service` that change its output.
    pub(super) service: Vec<Value>,
    /// Parts of `spec.analysis` that it can do, in any combination.
    pub(super) can: Vec<Value>,
    /// Parts that it has to refuse, each separately.
    pub(super) cannot: Vec<Value>,
    /// The user's own objects that it renders from.
    pub(super) sources: Vec<(Kind, Value)>,
    /// Spec of an object with the apex's name that it takes over; [`APEX`] stands for the apex, and values that begin
    /// with [`KEPT`] have to be kept. Null: it takes over none.
    pub(super) theirs: Value,
    /// Parts merged into that spec with which it is not taken over, and a word of what would be lost.
    pub(super) lost: Vec<(Value, &'static str)>,
    /// Matching requests go all or none to the canary.
    pub(super) whole: bool,
}

impl Case {
    fn of(provider: &'static str) -> Self {
        Self {
            provider,
            spec: json!({}),
            service: vec![
                json!({"name": "web"}),
                json!({"apex": {"labels": {"team": "a"}, "annotations": {"note": "b"}}}),
            ],
            can: vec![],
            cannot: vec![],
            sources: vec![],
            theirs: Value::Null,
            lost: vec![],
            whole: false,
        }
    }

    pub(super) fn router(&self) -> &'static dyn Router {
        by_name(self.provider).unwrap()
    }
}

pub(super) const APEX: &str = "THE-APEX";
pub(super) const KEPT: &str = "kept-";

fn named() -> Value {
    json!({"match": [{"headers": {"x-canary": {"exact": "always"}}}]})
}
fn mirror() -> Value {
    json!({"mirror": true})
}
fn affinity() -> Value {
    json!({"sessionAffinity": {"cookieName": "a", "maxAge": 60}})
}
fn both_cookies() -> Value {
    json!({"sessionAffinity": {"cookieName": "a", "primaryCookieName": "b", "maxAge": 60}})
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        istio(),
        gateway("gatewayapi:v1"),
        gateway("gatewayapi:v1beta1"),
        contour(),
        traefik(),
        kubernetes(),
        nginx(),
        skipper(),
        apisix(),
        gloo(),
        kuma(),
        linkerd(),
        knative(),
    ]
}

/// The same routers with always and never, which cannot be combined with `match`.
pub(super) fn pinned() -> Vec<Case> {
    let exact = |value: &str| json!([{"headers": {"x-canary": {"exact": value}}}]);
    let both = || vec![json!({"always": exact("always")}), json!({"never": exact("never")})];
    let listed = json!({"always": [{"headers": {"x": {"regex": "a"}, "y": {"exact": "b"}}}, {"headers": {"z": {"exact": "c"}}}]});
    let with = |mut case: Case, pins: Vec<Value>| {
        case.can.retain(|part| part.get("match").is_none());
        case.can.extend(pins);
        let together = json!({"always": exact("always"), "match": exact("always")});
        case.cannot = vec![together, json!({"always": [{}]}), json!({"never": [{"headers": {}}]})];
        case
    };
    let mut all = vec![
        with(istio(), both()),
        with(gateway("gatewayapi:v1"), both()),
        with(gateway("gatewayapi:v1beta1"), vec![listed.clone()]),
        with(contour(), both()),
        with(nginx(), vec![json!({"always": exact("always"), "never": exact("never")})]),
        with(gloo(), both()),
        with(istio(), vec![listed.clone()]),
        with(gloo(), vec![listed]),
    ];
    all.push(kuma_by_traffic_routes());
    all[0].cannot.push(json!({"always": [{"headers": {"x": {"suffix": "a"}}}]}));
    all[1].cannot.push(json!({"never": [{"headers": {"x": {"prefix": "a"}}}]}));
    all[3].cannot.push(json!({"never": [{"sourceLabels": {"x": "a"}}]}));
    all[4].cannot.extend([
        json!({"never": exact("never")}),
        json!({"always": exact("yes"), "never": exact("never")}),
        json!({"always": exact("always"), "never": [{"headers": {"y": {"exact": "never"}}}]}),
        json!({"always": [{"headers": {"x": {"exact": "a"}, "y": {"exact": "b"}}}]}),
        json!({"always": [{"headers": {"x": {"exact": "a"}, "cookie": {"exact": "b"}}}]}),
        json!({
            "always": [{"headers": {"x": {"exact": "a"}}}, {"headers": {"cookie": {"exact": "b"}}}],
            "never": [{"headers": {"cookie": {"exact": "b"}}}],
        }),
    ]);
    all
}

/// What a router that cannot distinguish requests has to refuse.
fn pins() -> [Value; 2] {
    let list = json!([{"headers": {"x-canary": {"exact": "a"}}}]);
    [json!({"always": list}), json!({"never": list})]
}

fn istio() -> Case {
    let named = json!({"match": [{"headers": {"x-canary": {"exact": "always"}}}, {"headers": {"x": {"regex": "a"}}}]});
    let mut case = Case {
        can: vec![named, json!({"mirror": true, "mirrorWeight": 30}), both_cookies()],
        theirs: json!({
            "hosts": [APEX], "gateways": ["mesh"],
            "http": [{
                "name": "kept-name", "fault": {"abort": {"httpStatus": 500, "percentage": {"value": 0}}, "note": "kept-fault"},
                "headers": {"request": {"set": {"kept-header": "1"}}},
                "route": [{"destination": {"host": APEX, "port": {"number": 80}}, "headers": {"response": {"set": {"kept-side": "1"}}}}],
            }],
            "tcp": [{"match": [{"port": 5432}], "route": [{"destination": {"host": "kept-tcp"}}]}],
            "tls": [{"match": [{"sniHosts": ["kept-tls"]}], "route": [{"destination": {"host": "other"}}]}],
        }),
        lost: istio_losses(),
        ..Case::of("istio")
    };
    case.service.extend([
        json!({"gateways": ["public"], "hosts": ["a.example.com"]}),
        json!({"portDiscovery": true}),
        json!({"gateways": ["public", "mesh"]}),
        json!({"match": [{"uri": {"prefix": "/"}, "port": 80}], "timeout": "5s"}),
        json!({"trafficPolicy": {"tls": {"mode": "DISABLE"}}}),
    ]);
    case
}

fn istio_losses() -> Vec<(Value, &'static str)> {
    let to = |host: &str| json!([{"destination": {"host": host}}]);
    let http = |rules: Value| json!({"http": rules});
    vec![
        (
            http(
                json!([{"match": [{"uri": {"prefix": "/admin"}}], "route": to("admin")}, {"route": to(APEX)}]),
            ),
            "/admin to admin",
        ),
        (
            http(
                json!([{"match": [{"uri": {"exact": "/old"}}], "redirect": {"uri": "/new"}}, {"route": to(APEX)}]),
            ),
            "/old",
        ),
        (
            http(
                json!([{"route": [{"destination": {"host": APEX}, "weight": 90}, {"destination": {"host": "beta"}, "weight": 10}]}]),
            ),
            "beta",
        ),
        (http(json!([{"route": [{"destination": {"host": APEX, "subset": "v1"}}]}])), "subset v1"),
        (http(json!([{"route": [{"destination": {"host": APEX, "port": {"number": 9102}}}]}])), "9102"),
        (
            http(
                json!([{"match": [{"uri": {"prefix": "/a"}}], "timeout": "5s", "route": to(APEX)}, {"route": to(APEX)}]),
            ),
            "timeout",
        ),
        (http(json!([{"match": [{"uri": {"prefix": "/api"}}], "route": to(APEX)}])), "/api"),
        (http(json!([{"match": [{"gateways": ["public"]}], "route": to(APEX)}])), "gateway mesh"),
        (json!({"hosts": [APEX, "b.example.com"]}), "b.example.com"),
        (json!({"gateways": ["mesh", "public"]}), "public"),
    ]
}

/// HTTPRoute, as the API server stores it.
fn gateway_rule(more: &Value) -> Value {
    let mut rule = json!({
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "backendRefs": [{"group": "", "kind": "Service", "name": APEX, "port": 80, "weight": 1}],
    });
    merge(&mut rule, more);
    rule
}

fn gateway_losses() -> Vec<(Value, &'static str)> {
    let path = |path: &str| json!([{"path": {"type": "PathPrefix", "value": path}}]);
    let to = |name: &str, more: Value| {
        let mut to = json!([{"name": name, "port": 80}]);
        merge(&mut to[0], &more);
        to
    };
    let rules = |rules: Value| json!({"rules": rules});
    vec![
        (
            rules(json!([
                gateway_rule(&json!({"matches": path("/admin"), "backendRefs": to("admin", json!({}))})),
                gateway_rule(&json!({}))
            ])),
            "/admin to admin",
        ),
        (rules(json!([gateway_rule(&json!({"backendRefs": to(APEX, json!({"port": 9102}))}))])), "9102"),
        (
            rules(json!([gateway_rule(&json!({"backendRefs": to(APEX, json!({"namespace": "other"}))}))])),
            "namespace other",
        ),
        (
            rules(json!([{"filters": [{"type": "RequestRedirect", "requestRedirect": {"hostname": "x"}}]}])),
            "rule of its own",
        ),
        (
            rules(json!([
                gateway_rule(&json!({"matches": path("/a"), "retry": {"attempts": 2}})),
                gateway_rule(&json!({}))
            ])),
            "retry",
        ),
        (
            json!({"parentRefs": [{"name": "gw", "namespace": "infra"}, {"name": "other", "namespace": "infra"}]}),
            "other",
        ),
        (rules(json!([gateway_rule(&json!({"matches": path("/api")}))])), "/api"),
        (
            json!({"parentRefs": [{"name": "gw", "namespace": "infra", "sectionName": "https"}]}),
            "sectionName https",
        ),
        (json!({"parentRefs": [{"name": "gw", "namespace": "infra", "port": 443}]}), "port 443"),
    ]
}

fn gateway(provider: &'static str) -> Case {
    let v1 = provider == "gatewayapi:v1";
    let mut case = Case {
        spec: json!({"service": {"gatewayRefs": [{"name": "gw", "namespace": "infra"}]}}),
        can: vec![mirror(), if v1 { both_cookies() } else { affinity() }],
        cannot: vec![
            json!({"mirror": true, "mirrorWeight": 30}),
            json!({"match": [{"headers": {"x": {"prefix": "a"}}}]}),
            json!({"match": [{"sourceLabels": {"x": "a"}}]}),
            json!({"match": [{"headers": {"x": {"exact": "a"}}}], "sessionAffinity": {"cookieName": "a"}}),
        ],
        theirs: json!({
            "parentRefs": [{"name": "gw", "namespace": "infra"}],
            "rules": [gateway_rule(&json!({
                "name": "kept-name", "sessionPersistence": {"sessionName": "kept-session"}, "retry": {"note": "kept-retry"},
                "filters": [{"type": "ExtensionRef", "extensionRef": {"name": "kept-filter"}}],
                "backendRefs": [{
                    "group": "", "kind": "Service", "name": APEX, "port": 80, "weight": 1,
                    "filters": [{"type": "ExtensionRef", "extensionRef": {"name": "kept-side"}}],
                }],
            }))],
        }),
        lost: gateway_losses(),
        ..Case::of(provider)
    };
    if !v1 {
        case.cannot.push(both_cookies());
    }
    case.service.extend([
        json!({"hosts": ["a.example.com"]}),
        json!({"match": [{"uri": {"prefix": "/a"}, "headers": {"x": {"exact": "y"}}}, {"uri": {"exact": "/b"}}]}),
        json!({"match": [{"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/b"}}], "rewrite": {"uri": "/", "type": "ReplacePrefixMatch"}}),
        json!({"timeout": "5s", "rewrite": {"authority": "b"}}),
        json!({"headers": {"request": {"set": {"x": "y"}}, "response": {"remove": ["z"]}}}),
        json!({"corsPolicy": {"allowOrigin": ["https://a.example.com"], "maxAge": "1h"}}),
        json!({"mirror": [{"backendRef": {"name": "spy", "port": 80}}]}),
    ]);
    case
}

fn contour_losses() -> Vec<(Value, &'static str)> {
    let to = |name: &str, port: i32| json!([{"name": name, "port": port}]);
    let routes = |routes: Value| json!({"routes": routes});
    let admin = json!({"conditions": [{"prefix": "/admin"}], "services": to("admin", 80)});
    let sockets =
        json!({"conditions": [{"prefix": "/ws"}], "enableWebsockets": true, "services": to(APEX, 80)});
    vec![
        (routes(json!([admin, {"services": to(APEX, 80)}])), "/admin to admin"),
        (routes(json!([sockets, {"services": to(APEX, 80)}])), "enableWebsockets"),
        (routes(json!([{"services": to(APEX, 9102)}])), "9102"),
        (routes(json!([{"conditions": [{"prefix": "/api"}], "services": to(APEX, 80)}])), "/api"),
        (
            routes(
                json!([{"services": [{"name": APEX, "port": 80}, {"name": "spy", "port": 80, "mirror": true}]}]),
            ),
            "spy",
        ),
        (routes(json!([{"conditions": [{"prefix": "/x"}], "requestRedirectPolicy": {"path": "/y"}}])), "/x"),
    ]
}

fn contour() -> Case {
    let named = json!({"match": [
        {"headers": {"x-canary": {"exact": "always"}, "y": {"prefix": "a"}}}, {"queryParams": {"q": {"regex": "b"}}},
    ]});
    let mut case = Case {
        can: vec![named],
        cannot: vec![mirror(), affinity(), json!({"match": [{"sourceLabels": {"x": "a"}}]})],
        theirs: json!({"virtualhost": {"fqdn": "a"}, "ingressClassName": "kept-class", "routes": [{
            "conditions": [{"prefix": "/"}], "enableWebsockets": true, "note": "kept-websockets",
            "responseHeadersPolicy": {"set": [{"name": "kept-header", "value": "1"}]},
            "services": [{
                "name": APEX, "port": 80, "protocol": "kept-h2c",
                "requestHeadersPolicy": {"set": [{"name": "kept-side", "value": "1"}]},
            }],
        }]}),
        lost: contour_losses(),
        ..Case::of("contour")
    };
    case.service.extend([
        json!({"match": [{"uri": {"prefix": "/a"}}], "timeout": "5s"}),
        json!({"retries": {"attempts": 3, "perTryTimeout": "1s"}}),
    ]);
    case
}

fn traefik() -> Case {
    let [always, never] = pins();
    Case {
        cannot: vec![named(), mirror(), affinity(), always, never],
        theirs: json!({"weighted": {
            "services": [{"name": APEX, "port": 80, "scheme": "kept-h2c", "serversTransport": "kept-transport"}],
            "sticky": {"cookie": {"name": "kept-cookie"}},
        }}),
        lost: vec![
            (
                json!({"weighted": {"services": [{"name": APEX, "port": 80}, {"name": "other", "port": 80}]}}),
                "other",
            ),
            (json!({"weighted": {"services": [{"name": APEX, "port": 9102}]}}), "9102"),
            (json!({"weighted": {"services": [{"name": APEX, "kind": "TraefikService"}]}}), "TraefikService"),
            (json!({"weighted": null, "mirroring": {"name": APEX, "port": 80}}), "mirroring"),
        ],
        ..Case::of("traefik")
    }
}

fn kubernetes() -> Case {
    let [always, never] = pins();
    let (step, list) = (json!({"stepWeight": 5}), json!({"stepWeights": [1]}));
    Case {
        spec: json!({"analysis": {"stepWeight": 0, "iterations": 3}}),
        cannot: vec![step, list, named(), mirror(), affinity(), always, never],
        ..Case::of("kubernetes")
    }
}

/// An Ingress to the apex, under any of its names.
fn ingress() -> (Kind, Value) {
    let path = |path: &str, service: &str| json!({"path": path, "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}});
    let object = json!({
        "metadata": {"name": "public", "labels": {"team": "a"}, "annotations": {
            "nginx.ingress.kubernetes.io/proxy-body-size": "1m", "zalando.org/skipper-predicate": "Method(\"GET\")",
            "zalando.org/backend-weights": r#"{"podinfo": 3, "web": 3, "shared": 1, "other": 5}"#,
            "zalando.org/skipper-routes": r#"preflight: Method("OPTIONS") -> status(204) -> <shunt>"#,
        }},
        "spec": {"ingressClassName": "x", "rules": [
            {"host": "a.example.com", "http": {"paths": [
                path("/", "podinfo"), path("/web", "web"), path("/", "shared"), path("/web", "shared"), path("/c", "other"),
            ]}},
            {"host": "b.example.com"},
        ]},
    });
    (INGRESS, object)
}

fn with_ingress() -> Value {
    json!({"ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "public"}})
}

fn nginx() -> Case {
    let mut spec = with_ingress();
    spec["analysis"] = json!({"stepWeight": 0, "iterations": 3});
    let named = json!({"match": [
        {"headers": {"x-canary": {"exact": "always"}}}, {"headers": {"cookie": {"exact": "insider"}}},
    ]});
    Case {
        spec,
        can: vec![named],
        cannot: vec![
            mirror(),
            affinity(),
            json!({"match": [{"headers": {"x": {"prefix": "a"}}}]}),
            json!({"match": [{"headers": {"x": {"exact": "a"}, "y": {"exact": "b"}}}]}),
            json!({"match": [{"headers": {"x": {"exact": "a"}, "cookie": {"exact": "b"}}}]}),
            json!({"match": [{"queryParams": {"x": {"exact": "a"}}}]}),
            json!({"match": [{"headers": {"x": {"exact": "a"}}}], "stepWeight": 10}),
        ],
        sources: vec![ingress()],
        whole: true,
        ..Case::of("nginx")
    }
}

fn skipper() -> Case {
    let [always, never] = pins();
    Case {
        spec: with_ingress(),
        cannot: vec![named(), mirror(), affinity(), always, never],
        sources: vec![ingress()],
        ..Case::of("skipper")
    }
}

fn apisix() -> Case {
    let kind =
        Kind { group: "apisix.apache.org", version: "v2", kind: "ApisixRoute", plural: "apisixroutes" };
    let rule = |name: &str, service: &str| {
        json!({
            "name": name, "match": {"hosts": ["a.example.com"], "paths": ["/*"]},
            "backends": [{"serviceName": service, "servicePort": 80, "resolveGranularity": "service"}],
        })
    };
    let user = json!({
        "metadata": {"name": "public", "labels": {"team": "a"}},
        "spec": {"ingressClassName": "apisix", "http": [rule("one", "podinfo"), rule("two", "web"), rule("three", "other")]},
    });
    let [always, never] = pins();
    Case {
        spec: json!({"routeRef": {"apiVersion": "apisix.apache.org/v2", "kind": "ApisixRoute", "name": "public"}}),
        cannot: vec![named(), mirror(), affinity(), always, never],
        sources: vec![(kind, user)],
        ..Case::of("apisix")
    }
}

fn gloo_service(namespace: &str) -> Value {
    json!({"kube": {"ref": {"name": APEX, "namespace": namespace}, "port": 80}})
}

fn gloo() -> Case {
    let kind = Kind { group: "gloo.solo.io", version: "v1", kind: "Upstream", plural: "upstreams" };
    let user = json!({
        "metadata": {"name": "settings", "labels": {"team": "a"}},
        "spec": {"connectionConfig": {"maxRequestsPerConnection": 5}, "kube": {"serviceName": "podinfo"}},
    });
    Case {
        spec: json!({"upstreamRef": {"apiVersion": "gloo.solo.io/v1", "kind": "Upstream", "name": "settings"}}),
        can: vec![json!({"match": [{"headers": {"x": {"exact": "a"}, "y": {"regex": "b"}}}]})],
        cannot: vec![
            mirror(),
            affinity(),
            json!({"match": [{"headers": {"x": {"prefix": "a"}}}]}),
            json!({"match": [{"queryParams": {"x": {"exact": "a"}}}]}),
        ],
        sources: vec![(kind, user)],
        theirs: json!({"routes": [{
            "name": "kept-name", "matchers": [{"prefix": "/"}], "options": {"note": "kept-options"},
            "routeAction": {"single": {"kube": {"ref": {"name": APEX, "namespace": "test"}, "port": 80}}},
        }]}),
        lost: gloo_lost(),
        ..Case::of("gloo")
    }
}

/// RouteTables whose users would lose something, and what is named.
fn gloo_lost() -> Vec<(Value, &'static str)> {
    vec![
        (
            json!({"routes": [{"matchers": [{"prefix": "/x"}], "directResponseAction": {"status": 404}}]}),
            "/x",
        ),
        (
            json!({"routes": [{"routeAction": {"single": {"upstream": {"name": "other", "namespace": "test"}}}}]}),
            "other",
        ),
        (
            json!({"routes": [{"routeAction": {"single": {"kube": {"ref": {"name": APEX}, "port": 9102}}}}]}),
            "9102",
        ),
        (
            json!({"routes": [{"matchers": [{"prefix": "/api"}], "routeAction": {"single": gloo_service("test")}}]}),
            "/api",
        ),
        (json!({"routes": [{"routeAction": {"single": gloo_service("prod")}}]}), "podinfo of namespace prod"),
        (
            json!({"routes": [{"routeAction": {"single": {"upstream": {
                "name": "test-podinfo-primaryupstream-80", "namespace": "prod",
            }}}}]}),
            "test-podinfo-primaryupstream-80 of namespace prod",
        ),
        (
            json!({"routes": [{"routeAction": {"single": {
                "kube": {"ref": {"name": APEX, "namespace": "test"}, "port": 80}, "subset": {"values": {"v": "1"}},
            }}}]}),
            "subset",
        ),
        (
            json!({"routes": [{"routeAction": {"single": {
                "kube": {"ref": {"name": APEX, "namespace": "test"}, "port": 80}, "destinationSpec": {"aws": {}},
            }}}]}),
            "destinationSpec",
        ),
    ]
}

/// The target itself, with a promoted primary.
fn knative() -> Case {
    let primary = "podinfo-00001";
    let user = json!({
        "metadata": {
            "name": "podinfo", "uid": "u", "labels": {"theirs": "1"}, "annotations": {
                "theirs": "2", names::ANNOTATION_PRIMARY_REVISION: primary,
                names::ANNOTATION_REVISION: revision::hash(&json!({"revision": primary})),
            },
        },
        "spec": {"unknown": ["."], "template": {"spec": {}}}, "status": {"seen": true},
    });
    let [always, never] = pins();
    Case {
        spec: json!({"targetRef": {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "podinfo"}}),
        service: vec![],
        cannot: vec![named(), mirror(), affinity(), always, never],
        sources: vec![(KNATIVE_SERVICE, user)],
        ..Case::of("knative")
    }
}

/// A MeshHTTPRoute to one Service, with `more` merged into its rule.
fn mesh_route(apex: &str, more: &Value) -> Value {
    let name = format!("{apex}_test_svc_80");
    let mut rule = json!({"default": {"backendRefs": [{"kind": "MeshService", "name": name}]}});
    merge(&mut rule, more);
    json!([{"targetRef": {"kind": "MeshService", "name": name}, "rules": [rule]}])
}

/// Some pods of the Service.
fn mesh_subset() -> Value {
    let name = format!("{APEX}_test_svc_80");
    json!([{"kind": "MeshServiceSubset", "name": name, "tags": {"version": "v1"}}])
}

fn kuma() -> Case {
    let [always, never] = pins();
    let mut case = Case {
        cannot: vec![named(), mirror(), affinity(), always, never],
        theirs: json!({"targetRef": {"kind": "Mesh"}, "note": "kept-note", "to": mesh_route(APEX, &json!({}))}),
        lost: vec![
            (json!({"to": mesh_route("other", &json!({}))}), "other_test_svc_80"),
            (json!({"targetRef": {"kind": "Dataplane"}}), "targetRef"),
            (
                json!({"to": mesh_route(APEX, &json!({"matches": [{"path": {"type": "Exact", "value": "/x"}}]}))}),
                "/x",
            ),
            (
                json!({"to": mesh_route(APEX, &json!({"default": {"filters": [{"type": "RequestMirror"}]}}))}),
                "filters",
            ),
            (
                json!({"to": mesh_route(APEX, &json!({"default": {"backendRefs": [{"name": "other_test_svc_80"}]}}))}),
                "other_test_svc_80",
            ),
            (json!({"to": mesh_route(APEX, &json!({"default": {"backendRefs": mesh_subset()}}))}), "version"),
            (
                json!({"to": [{"targetRef": mesh_subset()[0], "rules": [{"default": {"backendRefs": mesh_subset()}}]}]}),
                "version",
            ),
        ],
        ..Case::of("kuma")
    };
    case.service.push(json!({"port": 8080}));
    case
}

/// In a mesh that runs on TrafficRoutes.
fn kuma_by_traffic_routes() -> Case {
    let all = json!([{"match": {"kuma.io/service": "*"}}]);
    let mesh = json!({
        "mesh": "default", "metadata": {"name": "route-all-default"},
        "spec": {"sources": all, "destinations": all, "conf": {"destination": {"kuma.io/service": "*"}}},
    });
    let kind = by_name("kuma").unwrap().optional_kinds()[0];
    Case { sources: vec![(kind, mesh)], theirs: Value::Null, lost: vec![], ..kuma() }
}

fn linkerd() -> Case {
    let [always, never] = pins();
    let mut case = Case {
        cannot: vec![named(), mirror(), affinity(), always, never],
        theirs: json!({"service": APEX, "backends": [{"service": APEX, "weight": "1"}], "note": "kept-note"}),
        lost: vec![
            (
                json!({"backends": [{"service": "app-v1", "weight": "50"}, {"service": "app-v2", "weight": "50"}]}),
                "app-v1",
            ),
            (json!({"service": "shop"}), "shop"),
        ],
        ..Case::of("linkerd")
    };
    case.service.push(json!({"hosts": ["podinfo.test"]}));
    case
}
