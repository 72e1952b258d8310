//! Sends all objects that routers render to an API server with the definitions of their kinds: each object is accepted
//! without unknown fields, and nothing in it is changed or defaulted.

use anyhow::{Context, Result, ensure};
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, Patch, PatchParams, ValidationDirective},
    core::GroupVersionKind,
};
use serde_json::{Value, json};
use serin::{
    api::Canary,
    config::Rules,
    manifest::{self, Manifest, Undo},
    router::{self, Cookies, Router, Split},
    snapshot::{INGRESS, Kind, Objects},
    spec::{Validated, validate},
};
use serin_bed::Bed;
use serin_model::fixture;

/// Definitions that come with no package.
const OWN_WORDS: [&str; 2] =
    [include_str!("../../schemas/own-words.yaml"), include_str!("../../schemas/kuma.yaml")];

const NAMESPACE: &str = "schemas";

/// A router, the required fields of its Canaries, optional ones, and the user's objects.
struct Case {
    provider: &'static str,
    needs: Value,
    asks: Vec<Value>,
    users: Vec<(Kind, Value)>,
}

fn case(provider: &'static str, needs: Value, asks: Vec<Value>) -> Case {
    Case { provider, needs, asks, users: users(provider) }
}

fn header(value: &str) -> Value {
    json!([{"headers": {"x-canary": {"exact": value}}}])
}

/// Requests that always go to one side, and requests that are matched.
fn requests() -> Vec<Value> {
    let both = json!([{"headers": {"x": {"exact": "a"}, "y": {"regex": "b.*"}}}]);
    vec![
        json!({"analysis": {"always": header("always"), "never": header("never")}}),
        json!({"analysis": {"match": both}}),
        json!({"analysis": {"stepWeight": null, "maxWeight": null, "iterations": 3}}),
    ]
}

fn service(all: &Value) -> Value {
    json!({ "service": all })
}

fn gateway() -> Vec<Value> {
    let prefixes = json!([{"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/b"}}]);
    let cors = json!({"allowOrigin": ["https://a.example.com"], "allowMethods": ["GET"], "maxAge": "1h"});
    let mut all = requests();
    all.extend([
        service(&json!({"hosts": ["a.example.com"], "timeout": "15s", "backendTimeout": "5s"})),
        service(&json!({"match": [{"uri": {"regex": "/v[0-9]+"}, "method": {"exact": "GET"}}, {"uri": {"exact": "/b"}}]})),
        service(&json!({"match": prefixes, "rewrite": {"uri": "/", "type": "ReplacePrefixMatch"}})),
        service(&json!({"rewrite": {"uri": "/x", "authority": "b.example.com"}})),
        service(&json!({"headers": {"request": {"set": {"x": "y"}, "add": {"b": "c"}}, "response": {"remove": ["z"]}}})),
        service(&json!({"corsPolicy": cors})),
        service(&json!({"mirror": [{"backendRef": {"name": "spy", "port": 80}}]})),
        json!({"analysis": {"mirror": true}}),
        json!({"analysis": {"sessionAffinity": {"cookieName": "a", "maxAge": 60}}}),
    ]);
    all
}

fn istio() -> Vec<Value> {
    let mut all = requests();
    let rich = json!({
        "gateways": ["public"], "hosts": ["a.example.com"], "timeout": "5s", "portDiscovery": true,
        "match": [{"uri": {"prefix": "/"}, "port": 80}], "rewrite": {"uri": "/v2"},
        "retries": {"attempts": 3, "perTryTimeout": "1s", "retryOn": "5xx"},
        "headers": {"response": {"add": {"x": "1"}}}, "trafficPolicy": {"tls": {"mode": "DISABLE"}},
        "corsPolicy": {"allowOrigins": [{"exact": "https://a.example.com"}], "maxAge": "24h"},
    });
    all.extend([
        service(&rich),
        service(&json!({"appProtocol": "tcp", "match": [{"port": 5432}]})),
        service(&json!({"delegation": true})),
        json!({"analysis": {"mirror": true, "mirrorWeight": 30}}),
        json!({"analysis": {"sessionAffinity": {"cookieName": "a", "primaryCookieName": "b"}}}),
        json!({"routeRef": {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "name": "shop"}}),
    ]);
    all
}

fn cases() -> Vec<Case> {
    let reference = |kind: &str| json!({"apiVersion": "x/v1", "kind": kind, "name": "public"});
    let parent = json!({"service": {"gatewayRefs": [{"name": "gw", "namespace": "infra"}]}});
    let ingress = || json!({"ingressRef": reference("Ingress")});
    let mut contour = requests();
    let named = json!([{"headers": {"x": {"exact": "a"}, "y": {"prefix": "b"}}, "queryParams": {"q": {"regex": "c"}}}]);
    contour.extend([
        service(&json!({"match": [{"uri": {"prefix": "/a"}}], "timeout": "5s"})),
        service(&json!({"retries": {"attempts": 3, "perTryTimeout": "1s", "retryOn": "5xx, reset"}})),
        service(&json!({"retries": {"attempts": 3}})),
        json!({"analysis": {"match": named}}),
    ]);
    let by_cookie = json!([{"headers": {"cookie": {"exact": "canary"}}}]);
    let by_name = json!({"stepWeight": null, "maxWeight": null, "iterations": 3, "match": header("a")});
    let nginx = vec![
        json!({"analysis": {"always": header("always"), "never": header("never")}}),
        json!({"analysis": {"always": by_cookie}}),
        json!({"analysis": by_name}),
    ];
    let upstream =
        json!({"upstreamRef": {"apiVersion": "gloo.solo.io/v1", "kind": "Upstream", "name": "public"}});
    let mut gloo = requests();
    gloo.push(upstream);
    vec![
        case("istio", json!({}), istio()),
        case("gatewayapi:v1", parent.clone(), gateway()),
        case("gatewayapi:v1beta1", parent, gateway()),
        case("contour", json!({}), contour),
        case("traefik", json!({}), vec![]),
        case("nginx", ingress(), nginx),
        case("skipper", ingress(), vec![]),
        case("apisix", json!({"routeRef": reference("ApisixRoute")}), vec![]),
        case("gloo", json!({}), gloo),
        case("kuma", json!({}), vec![]),
        Case { users: vec![for_all()], ..case("kuma", json!({}), vec![]) },
        case("linkerd", json!({}), vec![service(&json!({"hosts": ["podinfo.schemas.svc.cluster.local"]}))]),
    ]
}

/// A TrafficRoute that makes a mesh use TrafficRoutes.
fn for_all() -> (Kind, Value) {
    let kind = Kind { group: "kuma.io", version: "v1alpha1", kind: "TrafficRoute", plural: "trafficroutes" };
    let all = json!([{"match": {"kuma.io/service": "*"}}]);
    let spec =
        json!({"sources": all, "destinations": all, "conf": {"destination": {"kuma.io/service": "*"}}});
    (kind, json!({"metadata": {"name": "route-all-default"}, "mesh": "default", "spec": spec}))
}

/// The user's objects that a provider needs for rendering.
fn users(provider: &str) -> Vec<(Kind, Value)> {
    let kind = |group, version, kind, plural| Kind { group, version, kind, plural };
    match provider {
        "istio" => {
            let at = kind("networking.istio.io", "v1beta1", "VirtualService", "virtualservices");
            let http = json!([{"timeout": "5s", "route": [{"destination": {"host": "podinfo"}}]}]);
            vec![(at, json!({"metadata": {"name": "shop"}, "spec": {"hosts": ["shop"], "http": http}}))]
        }
        "nginx" | "skipper" => {
            let backend = json!({"service": {"name": "podinfo", "port": {"number": 80}}});
            let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
            let spec = json!({"ingressClassName": "x", "rules": [{"host": "a.example.com", "http": {"paths": paths}}]});
            vec![(INGRESS, json!({"metadata": {"name": "public", "annotations": {"a": "b"}}, "spec": spec}))]
        }
        "apisix" => {
            let at = kind("apisix.apache.org", "v2", "ApisixRoute", "apisixroutes");
            let backend =
                json!({"serviceName": "podinfo", "servicePort": 80, "resolveGranularity": "service"});
            let rule = json!({
                "name": "a", "match": {"hosts": ["a.example.com"], "paths": ["/*"]}, "backends": [backend],
                "plugins": [{"name": "cors", "enable": true, "config": {"max_age": 5}}],
            });
            vec![(at, json!({"metadata": {"name": "public"}, "spec": {"http": [rule]}}))]
        }
        "gloo" => {
            let at = kind("gloo.solo.io", "v1", "Upstream", "upstreams");
            let spec = json!({"kube": {"serviceName": "podinfo"}, "useHttp2": true, "circuitBreakers": {"default": {}}});
            vec![(at, json!({"metadata": {"name": "public"}, "spec": spec}))]
        }
        _ => vec![],
    }
}

/// Sends all objects of every router to the API server. Returns a description of the refused ones.
pub(crate) async fn all(bed: &Bed) -> Result<()> {
    bed.define_routes().await?;
    for definitions in OWN_WORDS {
        bed.apply_yaml(NAMESPACE, definitions).await?;
    }
    bed.namespace(NAMESPACE).await?;
    let (client, mut wrong, mut seen) = (bed.admin(), Vec::new(), 0);
    for case in cases() {
        for spec in std::iter::once(json!({})).chain(case.asks.iter().cloned()) {
            let rendered =
                rendered(&case, &spec).with_context(|| format!("{} with {spec}", case.provider))?;
            for manifest in &rendered {
                seen += 1;
                if let Err(error) = taken(&client, manifest).await {
                    wrong.push(format!("{} with {spec}: {error:#}\n{}", case.provider, manifest.to_create()));
                }
            }
        }
    }
    ensure!(wrong.is_empty(), "{} of {seen} objects:\n{}", wrong.len(), wrong.join("\n\n"));
    Ok(())
}

/// The objects of a Canary for every possible split, and those that it leaves behind.
fn rendered(case: &Case, spec: &Value) -> Result<Vec<Manifest>> {
    let router = router::by_name(case.provider).context("not served")?;
    let c = canary(case, spec)?;
    let refused = router.unsupported(&c);
    ensure!(refused.is_empty(), "refused: {refused:?}");
    let mut live = Objects::default();
    for (kind, object) in &case.users {
        live.insert(*kind, object.clone());
    }
    let pinned = !c.analysis.always.is_empty() || !c.analysis.never.is_empty();
    let mirrored = c.analysis.mirror == Some(true);
    let mut all = router.auxiliary_objects(&c);
    let splits = [
        Split::to_canary(0),
        Split::to_canary(0).mirroring(mirrored).pinning(pinned),
        Split::to_canary(100).pinning(pinned),
        Split::to_canary(0),
    ];
    let cookies = |canary: i32| Cookies {
        canary: (canary > 0).then(|| "a=abc".into()),
        primary: (canary > 0).then(|| "b=abc".into()),
        previous: Some("a=old".into()),
    };
    for split in splits {
        all.extend(router.render(&c, &live, split, &cookies(split.canary()))?);
    }
    all.extend(left_behind(router, &c, &live, &all));
    Ok(all)
}

/// The objects that are restored after these manifests have been written.
fn left_behind(router: &dyn Router, c: &Validated, live: &Objects, written: &[Manifest]) -> Vec<Manifest> {
    let mut live = live.clone();
    for manifest in written {
        live.insert(manifest.kind, manifest.to_create());
    }
    let restored = router.restore(c, &live).into_iter();
    let whole = |manifest: Manifest| {
        let mut body = live.at(&manifest.at()).cloned().unwrap_or_default();
        if let Some(patch) = manifest::patch(&body, &manifest) {
            json_patch::merge(&mut body, &patch);
        }
        Manifest { body, ..manifest }
    };
    restored.filter_map(|undo| if let Undo::Restore(m) = undo { Some(whole(m)) } else { None }).collect()
}

fn canary(case: &Case, spec: &Value) -> Result<Validated> {
    let mut whole = json!({"provider": case.provider});
    json_patch::merge(&mut whole, &case.needs);
    let mut object = fixture::canary(&whole);
    json_patch::merge(&mut object["spec"], spec);
    object["metadata"]["namespace"] = json!(NAMESPACE);
    object["apiVersion"] = json!("flagger.app/v1beta1");
    object["kind"] = json!("Canary");
    let canary: Canary = serde_json::from_value(object)?;
    validate(&canary, &Rules::default()).map_err(|refusal| anyhow::anyhow!("{refusal:?}"))
}

/// A dry run: the object is accepted, and returned as it was rendered.
async fn taken(client: &Client, manifest: &Manifest) -> Result<()> {
    let sent = manifest.to_create();
    let stored = dry_run(client, manifest.kind, &sent).await?;
    let difference = manifest::patch(&stored, manifest);
    ensure!(difference.is_none(), "the API server made it {stored}: {difference:?}");
    let mut odd = sent;
    odd["spec"]["unheardOf"] = json!(true);
    ensure!(dry_run(client, manifest.kind, &odd).await.is_err(), "a field that nobody knows was accepted");
    Ok(())
}

async fn dry_run(client: &Client, kind: Kind, object: &Value) -> Result<Value> {
    let gvk = GroupVersionKind::gvk(kind.group, kind.version, kind.kind);
    let resource = ApiResource::from_gvk_with_plural(&gvk, kind.plural);
    let api: Api<DynamicObject> = if kind.cluster_wide() {
        Api::all_with(client.clone(), &resource)
    } else {
        Api::namespaced_with(client.clone(), NAMESPACE, &resource)
    };
    let params = PatchParams {
        dry_run: true,
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply("schemas")
    };
    let name = object["metadata"]["name"].as_str().context("an object without a name")?;
    Ok(json!(api.patch(name, &params, &Patch::Apply(object)).await?))
}
