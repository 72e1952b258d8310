//! Users of routes next to an application: another host, another path of the same host, with and without conditions, requests
//! that the user's own routes answer, a path with weights set by the user. Nothing that happens to the application affects them.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use serin_bed::{
    load::{LoadHandle, Method, Target},
    proxies::Door,
    story::{PATIENCE, Story, deployment},
};
use tokio::time::sleep;

use crate::{
    Shared,
    lives::{Life, app},
    way::{Paths, Way, ingress, namespace_of, route, to_service},
};

/// The version of the neighbouring application.
const VERSION: &str = "beside";
/// Requests per second of each kind.
const RATE: f64 = 10.0;
/// The user's own route answers requests with this header, and preflight requests, with this status.
const ANSWERED: (&str, u16) = ("x-answered", 204);
/// The neighbouring application gets requests for `/beta` with this header.
const BETA: &str = "x-beta";
/// The neighbouring application's share of `/shared`.
const SHARE: f64 = 0.8;
/// The number of answers for measuring that share, and the tolerance: four standard deviations.
const SHARED: (u64, f64) = (200, 0.12);

/// An application with neighbours.
pub(crate) async fn beside<'a>(
    shared: &'a Shared,
    namespace: &str,
    way: Way,
) -> anyhow::Result<(Life<'a>, Bystanders)> {
    shared.bed.namespace(namespace).await?;
    shared.bed.apply(namespace, application()).await?;
    let routes = routes(way, &format!("app.{namespace}.example.com"));
    let life = Life::begin_behind(shared, namespace, way, app(), routes).await?;
    let others = Bystanders::begin(way, &life.story).await?;
    Ok((life, others))
}

/// The routes of `app` and of its neighbours. The one of `app` is first.
fn routes(way: Way, host: &str) -> Vec<Value> {
    let elsewhere = host.replacen("app", "beside", 1);
    let mut all = way.objects(host);
    match way {
        Way::Contour => {
            let service = json!([{"name": "beside", "port": 80}]);
            all[1]["spec"]["routes"] = json!([{"conditions": [{"prefix": "/beside"}], "services": service}]);
            let spec = json!({"virtualhost": {"fqdn": elsewhere}, "routes": [{"services": service}]});
            all.push(route("projectcontour.io/v1", "HTTPProxy", "beside", spec));
        }
        Way::Traefik => {
            let service = json!([{"name": "beside", "port": 80}]);
            let rules = [format!("Host(`{host}`) && PathPrefix(`/beside`)"), format!("Host(`{elsewhere}`)")];
            let rules = rules.map(|rule| json!({"kind": "Rule", "match": rule, "services": service}));
            let spec = json!({"entryPoints": ["web"], "routes": rules});
            all.push(route("traefik.io/v1alpha1", "IngressRoute", "beside", spec));
        }
        Way::Beta => return routes(Way::Gateway(Door::Contour), host),
        Way::Gateway(door) => {
            let at = |path: &str| json!([{"path": {"type": "PathPrefix", "value": path}}]);
            let beside = json!([{"name": "beside", "port": 80}]);
            let weighted = json!([
                {"name": "app", "port": 80, "weight": 20},
                {"name": "beside", "port": 80, "weight": 80},
            ]);
            for (name, host, matches, to) in [
                ("beside", host, at("/beside"), &beside),
                ("shared", host, at("/shared"), &weighted),
                ("elsewhere", &elsewhere, json!([{}]), &beside),
            ] {
                let rule = json!({"matches": matches, "backendRefs": to});
                let spec = json!({"parentRefs": [door.gateway()], "hostnames": [host], "rules": [rule]});
                all.push(route("gateway.networking.k8s.io/v1", "HTTPRoute", name, spec));
            }
        }
        Way::Istio => {
            let rule = json!({"route": [{"destination": {"host": "beside"}}]});
            let spec = json!({"gateways": ["gateway"], "hosts": [elsewhere], "http": [rule]});
            all.push(route("networking.istio.io/v1", "VirtualService", "beside", spec));
        }
        Way::Gloo => by_tables(&mut all, host, &elsewhere),
        Way::Services => {}
        Way::Skipper => all = by_ingresses(host, &elsewhere),
    }
    all
}

/// Skipper's Ingresses: weights and further routes beside the application's, another path, another predicate, and another
/// host.
fn by_ingresses(host: &str, elsewhere: &str) -> Vec<Value> {
    let weights = json!({"app": 20, "beside": 80}).to_string();
    let (header, status) = ANSWERED;
    let answer = format!("status({status}) -> <shunt>");
    let own =
        format!("own: Header(\"{header}\", \"1\") -> {answer}; preflight: Method(\"OPTIONS\") -> {answer}");
    let annotations = json!({"zalando.org/backend-weights": weights, "zalando.org/skipper-routes": own});
    let by = json!({"zalando.org/skipper-predicate": format!("Header(\"{BETA}\", \"1\")")});
    let beta: &[(&str, Paths<'_>)] = &[(host, &[("/beta", &["beside"])])];
    let paths: Paths<'_> = &[("/", &["app"]), ("/shared", &["app", "beside"])];
    let others: &[(&str, Paths<'_>)] =
        &[(host, &[("/beside", &["beside"])]), (elsewhere, &[("/", &["beside"])])];
    vec![
        ingress("app", &annotations, &[(host, paths)]),
        ingress("beside", &json!({}), others),
        ingress("beta", &by, beta),
    ]
}

/// Gloo's routes: an own answer, another path, and a path with weights in the virtual service, and another one for the other
/// host. The path with weights leads to the application by an Upstream of the user's.
fn by_tables(all: &mut Vec<Value>, host: &str, elsewhere: &str) {
    let namespace = namespace_of(host);
    let beside = |at: &str| json!({"matchers": [{"prefix": at}], "routeAction": to_service(host, "beside")});
    let (header, status) = ANSWERED;
    let answered = json!({
        "matchers": [{"prefix": "/", "headers": [{"name": header, "value": "1"}]}],
        "directResponseAction": {"status": status},
    });
    let own = json!({"upstream": {"name": "app-own", "namespace": namespace}});
    let shares = json!([
        {"destination": own, "weight": 20},
        {"destination": to_service(host, "beside")["single"], "weight": 80},
    ]);
    let split =
        json!({"matchers": [{"prefix": "/shared"}], "routeAction": {"multi": {"destinations": shares}}});
    let hosts = &mut all[1]["spec"]["virtualHost"]["routes"];
    *hosts = json!([answered, beside("/beside"), split, hosts[0]]);
    let kube = json!({"serviceName": "app", "serviceNamespace": namespace, "servicePort": 80});
    all.push(route("gloo.solo.io/v1", "Upstream", "app-own", json!({"kube": kube})));
    let spec = json!({"virtualHost": {"domains": [elsewhere], "routes": [beside("/")]}});
    all.push(route("gateway.solo.io/v1", "VirtualService", "beside", spec));
}

/// The neighbouring application.
fn application() -> Vec<Value> {
    vec![
        deployment("beside", &format!("beside:{VERSION}"), 1),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "beside"},
            "spec": {"selector": {"app": "beside"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
        }),
    ]
}

/// The neighbours' users, who send requests from start to end.
pub(crate) struct Bystanders {
    /// By request. All get the one version.
    others: Vec<(&'static str, LoadHandle)>,
    /// Requests that the user's own routes answer.
    answered: Vec<(&'static str, LoadHandle)>,
    shared: Option<LoadHandle>,
}

impl Bystanders {
    async fn begin(way: Way, story: &Story<'_>) -> anyhow::Result<Self> {
        let target = way.target(story).await?;
        let at = |path: &str| Target { path: path.to_owned(), ..target.clone() };
        let mut others = vec![("another host", Target::at(target.address, &story.host("beside")))];
        // Istio orders the paths of one host by the age of their VirtualServices
        if way != Way::Istio {
            others.push(("/beside", at("/beside")));
        }
        if way == Way::Skipper {
            others.push(("/beta", at("/beta").header(BETA, "1")));
        }
        for (_, target) in &others {
            target.serving(VERSION, PATIENCE).await?;
        }
        let load = |target: &Target| LoadHandle::start(target, RATE, 2);
        let mut answered = vec![];
        if matches!(way, Way::Skipper | Way::Gloo) {
            answered.push(("the user's own answer", load(&target.clone().header(ANSWERED.0, "1"))));
        }
        if way == Way::Skipper {
            answered.push(("preflight", load(&target.clone().asking(Method::OPTIONS))));
        }
        Ok(Self {
            others: others.iter().map(|(what, target)| (*what, load(target))).collect(),
            answered,
            shared: matches!(way, Way::Skipper | Way::Gloo | Way::Gateway(_) | Way::Beta)
                .then(|| load(&at("/shared"))),
        })
    }

    /// Fails as soon as the user's weights are not in effect.
    pub(crate) async fn shares_stay(&self) -> anyhow::Result<()> {
        loop {
            let Some(load) = &self.shared else {
                sleep(Duration::from_secs(3600)).await;
                continue;
            };
            let (answers, within) = SHARED;
            load.reset();
            let window = load.requests(answers, PATIENCE).await?;
            ensure!(window.lost() == 0, "/shared: {:?}", window.failures);
            let share = window.share(VERSION);
            ensure!(
                (share - SHARE).abs() <= within,
                "of /shared {share} went beside in place of {SHARE}: {:?}",
                window.versions
            );
        }
    }

    /// The number of their requests. Each was answered as before the Canary.
    pub(crate) fn unharmed(&self) -> anyhow::Result<u64> {
        let mut all = 0;
        for (what, load) in &self.others {
            let window = load.snapshot();
            ensure!(window.lost() == 0, "{what}: {:?}", window.failures);
            let ok = window.versions.get(VERSION).map_or(0, |v| v.ok);
            ensure!(ok == window.requests, "{what}: of {} only {ok}: {:?}", window.requests, window.versions);
            all += ok;
        }
        for (what, load) in &self.answered {
            let window = load.snapshot();
            let own = window.statuses.get(&ANSWERED.1).copied().unwrap_or_default();
            ensure!(
                own == window.requests,
                "{what}: of {} only {own}: {:?}",
                window.requests,
                window.statuses
            );
            all += own;
        }
        if let Some(load) = &self.shared {
            let window = load.snapshot();
            ensure!(window.lost() == 0, "/shared: {:?}", window.failures);
        }
        Ok(all)
    }
}
