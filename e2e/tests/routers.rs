//! The whole life of a Canary behind each router, played on a model: initialised, promoted, rolled back, deleted. What
//! the model knows of traffic is Istio's, so the split is read back by the router that wrote it, as its conformance
//! suite proves it can.
#![allow(missing_docs, reason = "a test target has no callers")]

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use serin::{
    analysis::Reading,
    api::{Canary, Phase},
    config::Rules,
    plan::{self, Answers},
    router::{self, Router, Split},
    snapshot::{INGRESS, Kind, ObjectRef, SERVICE},
    spec::validate,
};
use serin_model::{Sim, Trouble, fixture, late_proxy::LateProxy, others::Refusal, time, world::World};

#[path = "routers/late_proxy.rs"]
mod late_proxy;

const HTTP_ROUTE: Kind =
    Kind { group: "gateway.networking.k8s.io", version: "v1", kind: "HTTPRoute", plural: "httproutes" };
const CHECK: &str = "request-success-rate";

/// A Canary of this provider, whose Gateway answers or not.
struct Play {
    sim: Sim,
    router: &'static dyn Router,
    answers: bool,
    /// The operator dies after so many writes, once a second.
    dies: Option<usize>,
    /// What leads users, if requests are counted.
    proxy: Option<LateProxy>,
}

impl Play {
    fn new(provider: &str, spec: &Value) -> Result<Self> {
        let router = router::by_name(provider).with_context(|| format!("{provider} is not served"))?;
        let mut whole = json!({"provider": provider});
        json_patch::merge(&mut whole, &needs(provider));
        json_patch::merge(&mut whole, spec);
        let mut world: World = fixture::world(&whole);
        for (kind, object) in users(provider) {
            world.put(kind, object, time::start());
        }
        Ok(Self { sim: Sim::new(world, "podinfo"), router, answers: true, dies: None, proxy: None })
    }

    /// Time passes second by second; the Gateway takes in what it sees.
    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.sim.trouble = self.dies.map(Trouble::CrashAfter);
            self.sim.advance(Duration::from_secs(1));
            if self.answers {
                self.answer("True");
                self.accept();
            }
            if let Some(proxy) = &mut self.proxy {
                proxy.saw(&self.sim.world, self.sim.now);
                let lost = proxy.lost(&self.sim.world, &self.sim.pods, self.sim.now);
                let lines = lost.into_iter().map(|why| format!("LOST   {why}"));
                self.sim.log.extend(lines);
            }
        }
    }

    /// Gloo says of each of its objects that it has taken it.
    fn accept(&mut self) {
        for kind in self.router.kinds().iter().filter(|kind| kind.group.ends_with("solo.io")) {
            let names: Vec<String> = self.sim.world.objects.of(*kind).map(name).collect();
            for name in names {
                let said = json!({"status": {"statuses": {"gloo-system": {"state": "Accepted"}}}});
                self.sim.world.edit(&ObjectRef::new(*kind, name), &said);
            }
        }
        self.sim.look();
        self.sim.settle();
    }

    fn answer(&mut self, status: &str) {
        for kind in self.router.kinds().iter().filter(|kind| kind.kind == HTTP_ROUTE.kind) {
            let at = ObjectRef::new(*kind, "podinfo");
            let Some(generation) =
                self.sim.world.objects.at(&at).map(|o| o["metadata"]["generation"].clone())
            else {
                continue;
            };
            let condition = json!({"type": "Accepted", "status": status, "observedGeneration": generation,
                "reason": "NotAllowedByListeners", "message": "no"});
            let parents = json!([{"parentRef": {"name": "gw"}, "conditions": [condition]}]);
            self.sim.world.edit(&at, &json!({"status": {"parents": parents}}));
            self.sim.look();
            self.sim.settle();
        }
    }

    fn canary(&self) -> Result<Canary> {
        Ok(serde_json::from_value(self.sim.world.canary.clone().context("the Canary is gone")?)?)
    }

    fn split(&self) -> Result<Split> {
        let c = validate(&self.canary()?, &Rules::default()).map_err(|e| anyhow::anyhow!("{e:?}"))?;
        Ok(self.router.read_back(&c, &self.sim.world.objects)?)
    }

    fn is(&self, phase: Phase) -> Result<()> {
        let status = self.sim.world.status();
        ensure!(
            status.phase == Some(phase),
            "{}: {status:#?}\n{}",
            self.router.name(),
            self.sim.log.join("\n")
        );
        Ok(())
    }

    fn said(&self, text: &str) -> bool {
        self.sim.log.iter().any(|line| line.contains(text))
    }
}

/// What a Canary of this provider cannot do without.
fn needs(provider: &str) -> Value {
    let reference = |kind: &str| json!({"apiVersion": "x/v1", "kind": kind, "name": "public"});
    match provider {
        "gatewayapi:v1" | "gatewayapi:v1beta1" => json!({"service": {"gatewayRefs": [{"name": "gw"}]}}),
        "nginx" | "skipper" => json!({"ingressRef": reference("Ingress")}),
        "apisix" => json!({"routeRef": reference("ApisixRoute")}),
        "kubernetes" => json!({"analysis": {"stepWeight": 0, "iterations": 2}}),
        _ => json!({}),
    }
}

/// Objects of the user that the provider reads.
fn users(provider: &str) -> Vec<(Kind, Value)> {
    let backend = json!({"service": {"name": "podinfo", "port": {"number": 80}}});
    let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
    match provider {
        "nginx" | "skipper" => {
            vec![(
                INGRESS,
                json!({"metadata": {"name": "public"}, "spec": {"rules": [{"http": {"paths": paths}}]}}),
            )]
        }
        "apisix" => {
            let kind = Kind {
                group: "apisix.apache.org",
                version: "v2",
                kind: "ApisixRoute",
                plural: "apisixroutes",
            };
            let rule = json!({"name": "a", "backends": [{"serviceName": "podinfo", "servicePort": 80}]});
            vec![(kind, json!({"metadata": {"name": "public"}, "spec": {"http": [rule]}}))]
        }
        _ => vec![],
    }
}

#[test]
fn every_router_leads_a_canary_through_its_life() -> Result<()> {
    // what routes itself is a target as well: its life is among those of targets
    for provider in router::all().iter().map(|router| router.name()).filter(|name| *name != "knative") {
        life(provider).with_context(|| provider.to_owned())?;
    }
    Ok(())
}

fn life(provider: &str) -> Result<()> {
    lived(Play::new(provider, &json!({}))?, provider != "kubernetes", users(provider))
}

/// From the beginning to the end, after which the user's objects are as they were. `moves`: users are moved in a run.
fn lived(mut play: Play, moves: bool, users: Vec<(Kind, Value)>) -> Result<()> {
    play.pass(40);
    play.is(Phase::Initialized)?;
    ensure!(play.split()? == Split::to_canary(0));

    fixture::set_image(&mut play.sim, "podinfo:2");
    let mut most = 0;
    for _ in 0..80 {
        play.pass(1);
        most = most.max(play.split()?.canary());
    }
    play.is(Phase::Succeeded)?;
    ensure!(most == if moves { 40 } else { 0 }, "{most} % went to the canary at most");
    ensure!(play.said("Routing all traffic to primary") == moves);

    play.sim.readings.insert(CHECK.into(), Reading::Values(vec![50.0]));
    fixture::set_image(&mut play.sim, "podinfo:3");
    play.pass(80);
    play.is(Phase::Failed)?;
    ensure!(play.split()? == Split::to_canary(0));

    play.sim.world.delete_canary(play.sim.now);
    play.sim.look();
    play.pass(40);
    ensure!(play.sim.world.canary.is_none(), "{}", play.sim.log.join("\n"));
    let objects = &play.sim.world.objects;
    for kind in play.router.kinds().iter().chain([&SERVICE]) {
        for object in objects.of(*kind) {
            let text = object.to_string();
            ensure!(!text.contains("serin.dev") && !text.contains("podinfo-"), "{text}");
        }
    }
    for (kind, object) in users {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let left = objects.get(kind, name).context("the user's object is gone")?;
        ensure!(left["spec"] == object["spec"] && left["metadata"]["generation"] == 1, "{left}");
    }
    Ok(())
}

const VIRTUAL_SERVICE: Kind = Kind {
    group: "networking.istio.io",
    version: "v1beta1",
    kind: "VirtualService",
    plural: "virtualservices",
};

/// A Canary that has one route of the user's VirtualService `shop` lent to it.
fn lent() -> Result<(Play, Value)> {
    let reference = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "name": "shop", "route": "primary",
    });
    let mut play = Play::new("istio", &json!({"routeRef": reference}))?;
    let admin = json!({"name": "admin", "route": [{"destination": {"host": "admin"}}]});
    let ours = json!({"name": "primary", "timeout": "5s", "route": [{"destination": {"host": "podinfo"}}]});
    let shop = json!({"metadata": {"name": "shop"}, "spec": {"hosts": ["shop"], "http": [admin, ours]}});
    play.sim.world.put(VIRTUAL_SERVICE, shop.clone(), play.sim.now);
    play.sim.look();
    Ok((play, shop))
}

#[test]
fn a_lent_route_is_as_before_in_the_end() -> Result<()> {
    let (mut play, shop) = lent()?;
    play.pass(40);
    play.is(Phase::Initialized)?;
    let at = ObjectRef::new(VIRTUAL_SERVICE, "shop");
    fixture::set_image(&mut play.sim, "podinfo:2");
    let mut weights = vec![];
    for _ in 0..80 {
        play.pass(1);
        weights.push(play.split()?.canary());
        let live = play.sim.world.objects.at(&at).context("the VirtualService is gone")?;
        ensure!(
            live["spec"]["http"][0] == shop["spec"]["http"][0]
                && live["spec"]["hosts"] == shop["spec"]["hosts"]
        );
        ensure!(live["spec"]["http"][1]["timeout"] == "5s" && live["metadata"]["labels"].is_null(), "{live}");
    }
    weights.dedup();
    ensure!(weights == [20, 40, 0], "{weights:?}");
    play.is(Phase::Succeeded)?;
    play.sim.world.delete_canary(play.sim.now);
    play.sim.look();
    play.pass(40);
    ensure!(play.sim.world.canary.is_none(), "{}", play.sim.log.join("\n"));
    let left = play.sim.world.objects.at(&at).context("the VirtualService is gone")?;
    ensure!(left["spec"] == shop["spec"] && !left.to_string().contains("serin.dev"), "{left}");
    Ok(())
}

#[test]
fn a_lent_route_that_is_gone_holds_the_run_until_it_is_back() -> Result<()> {
    let (mut play, shop) = lent()?;
    let at = ObjectRef::new(VIRTUAL_SERVICE, "shop");
    play.sim.world.objects.remove(&at);
    play.sim.look();
    play.pass(40);
    ensure!(play.said("VirtualService shop not found") && play.sim.world.status().begun() == Phase::Unset);
    play.sim.world.put(VIRTUAL_SERVICE, shop, play.sim.now);
    play.sim.look();
    play.pass(40);
    play.is(Phase::Initialized)?;
    fixture::set_image(&mut play.sim, "podinfo:2");
    play.pass(5);
    ensure!(play.split()? == Split::to_canary(20));
    let http = play.sim.world.objects.at(&at).context("no VirtualService")?["spec"]["http"].clone();
    play.sim.world.edit(&at, &json!({"spec": {"http": [http[0]]}}));
    play.sim.look();
    play.pass(60);
    ensure!(play.said("has no http route named primary") && play.sim.world.status().canary_weight == 20);
    play.sim.world.edit(&at, &json!({"spec": {"http": http}}));
    play.sim.look();
    play.pass(60);
    play.is(Phase::Succeeded)
}

#[test]
fn pinned_requests_go_their_way_while_a_run_lasts() -> Result<()> {
    let exact = |value: &str| json!([{"headers": {"x-canary": {"exact": value}}}]);
    let spec = json!({"analysis": {"always": exact("always"), "never": exact("never")}});
    for provider in ["istio", "gatewayapi:v1", "gatewayapi:v1beta1", "contour", "nginx", "gloo"] {
        let mut play = Play::new(provider, &spec)?;
        play.pass(40);
        play.is(Phase::Initialized)?;
        ensure!(play.split()? == Split::to_canary(0), "{provider}");
        fixture::set_image(&mut play.sim, "podinfo:2");
        play.pass(5);
        ensure!(play.split()? == Split::to_canary(20).pinning(true), "{provider}: {:?}", play.split()?);
        lived(Play::new(provider, &spec)?, true, users(provider)).with_context(|| provider.to_owned())?;
    }
    for provider in ["traefik", "kubernetes", "skipper", "apisix", "kuma", "linkerd"] {
        let mut play = Play::new(provider, &spec)?;
        play.pass(40);
        ensure!(
            play.said("spec.analysis.always: ") && play.sim.world.status().begun() == Phase::Unset,
            "{provider}"
        );
    }
    Ok(())
}

#[test]
fn nothing_moves_before_a_gateway_has_accepted_the_route() -> Result<()> {
    let mut play = Play::new("gatewayapi:v1", &json!({}))?;
    play.answers = false;
    play.pass(60);
    play.is(Phase::Initializing)?;
    ensure!(play.said("no Gateway answers for HTTPRoute podinfo"), "{}", play.sim.log.join("\n"));
    ensure!(!play.said("scale  podinfo to 0"), "the target still serves");
    play.answer("False");
    play.pass(20);
    ensure!(play.said("Gateway gw does not accept HTTPRoute podinfo: no (NotAllowedByListeners)"));
    play.answers = true;
    play.pass(20);
    play.is(Phase::Initialized)?;
    ensure!(!play.sim.world.status().conditions.iter().any(|c| c.type_ == "RouteFollowed"));
    Ok(())
}

#[test]
fn a_weight_that_no_gateway_has_accepted_is_neither_counted_nor_lost() -> Result<()> {
    let mut play = Play::new("gatewayapi:v1", &json!({}))?;
    play.pass(40);
    play.answers = false;
    let asked = play.sim.asked;
    fixture::set_image(&mut play.sim, "podinfo:2");
    play.pass(60);
    let status = play.sim.world.status();
    let step = status.step.context("no step")?;
    ensure!((step.index, step.weight, status.canary_weight) == (1, 20, 0), "{step:?}");
    ensure!(step.confirmed.is_none() && play.split()? == Split::to_canary(20) && play.sim.asked == asked);
    play.answers = true;
    play.pass(2);
    ensure!(play.sim.world.status().canary_weight == 20);
    // c15, refused later on: the proxies go on with what they have, so bad checks count, and good ones raise nothing
    play.answers = false;
    play.answer("False");
    let asked = play.sim.asked;
    play.pass(60);
    ensure!(play.sim.asked > asked && play.sim.world.status().canary_weight == 20);
    let mut bad = play.sim.clone();
    bad.readings.insert(CHECK.into(), Reading::Values(vec![50.0]));
    bad.advance(Duration::from_secs(60));
    ensure!(bad.world.status().run.is_none_or(|run| run.ending.is_some()), "{}", bad.log.join("\n"));
    play.answers = true;
    play.pass(60);
    play.is(Phase::Succeeded)
}

#[test]
fn pods_stay_until_the_gateway_has_taken_the_canary_out() -> Result<()> {
    let mut play = Play::new("gatewayapi:v1", &json!({}))?;
    play.pass(40);
    fixture::set_image(&mut play.sim, "podinfo:2");
    play.pass(5);
    play.answers = false;
    play.sim.readings.insert(CHECK.into(), Reading::Values(vec![50.0]));
    play.pass(60);
    ensure!(play.split()? == Split::to_canary(0), "the route is written at once");
    let target = ObjectRef::new(serin::snapshot::DEPLOYMENT, "podinfo");
    let replicas = |play: &Play| play.sim.world.objects.at(&target).map(|t| t["spec"]["replicas"].clone());
    ensure!(replicas(&play) == Some(json!(2)));
    play.answers = true;
    play.pass(10);
    play.is(Phase::Failed)?;
    ensure!(replicas(&play) == Some(json!(0)));
    Ok(())
}

#[test]
fn what_a_router_cannot_do_is_refused_before_anything_moves() -> Result<()> {
    let weighted = json!({"analysis": {"iterations": null, "stepWeight": 10}});
    let named = json!({"analysis": {
        "stepWeight": null, "maxWeight": null, "iterations": 2, "match": [{"headers": {"x": {"exact": "y"}}}],
    }});
    let listed = json!({"analysis": {"iterations": null, "stepWeights": [10]}});
    for (provider, spec, field) in [
        ("kubernetes", &weighted, "spec.analysis.stepWeight: "),
        ("kubernetes", &listed, "spec.analysis.stepWeights: "),
        ("kubernetes", &named, "spec.analysis.match: "),
        ("traefik", &named, "spec.analysis.match: "),
        ("linkerd", &named, "spec.analysis.match: "),
        ("kuma", &named, "spec.analysis.match: "),
    ] {
        let mut play = Play::new(provider, spec)?;
        play.pass(60);
        ensure!(
            play.sim.world.status().begun() == Phase::Unset && !play.said("create"),
            "{}",
            play.sim.log.join("\n")
        );
        let accepted = play.sim.world.status().conditions.into_iter().find(|c| c.type_ == "Accepted");
        ensure!(
            accepted.is_some_and(|c| c.status == "False" && c.message.contains(field)),
            "{provider} {spec}"
        );
    }
    Ok(())
}

#[test]
fn a_missing_ingress_is_named_until_it_is_there() -> Result<()> {
    let mut play = Play::new("nginx", &json!({}))?;
    let at = ObjectRef::new(INGRESS, "public");
    let user = play.sim.world.objects.remove(&at).context("no Ingress")?;
    play.pass(60);
    ensure!(play.said("Ingress public not found") && play.sim.world.status().begun() == Phase::Unset);
    play.sim.world.put(INGRESS, user.clone(), play.sim.now);
    play.sim.look();
    play.pass(40);
    play.is(Phase::Initialized)?;
    fixture::set_image(&mut play.sim, "podinfo:2");
    play.pass(5);
    play.sim.world.objects.remove(&at);
    play.sim.look();
    play.pass(60);
    ensure!(play.sim.world.status().canary_weight == 20, "it holds: nobody is led anywhere");
    ensure!(
        play.sim.world.status().conditions.iter().any(|c| c.type_ == "RouteFollowed" && c.status == "False")
    );
    play.sim.world.put(INGRESS, user, play.sim.now);
    play.sim.look();
    play.pass(60);
    play.is(Phase::Succeeded)
}

const TRAFFIC_ROUTE: Kind =
    Kind { group: "kuma.io", version: "v1alpha1", kind: "TrafficRoute", plural: "trafficroutes" };

/// A TrafficRoute of this namespace's Service `podinfo`, all to the primary; `marked` by a Canary there.
fn traffic_route(namespace: &str, marked: bool) -> Value {
    let tag = |name: &str| json!({"kuma.io/service": format!("{name}_{namespace}_svc_80")});
    let mut route = json!({
        "mesh": "default", "metadata": {"name": "podinfo"},
        "spec": {
            "sources": [{"match": {"kuma.io/service": "*"}}], "destinations": [{"match": tag("podinfo")}],
            "conf": {"split": [
                {"weight": 90, "destination": tag("podinfo-primary")},
                {"weight": 10, "destination": tag("podinfo-canary")},
            ]},
        },
    });
    if marked {
        route["metadata"]["labels"] = json!({"serin.dev/canary": "podinfo"});
        route["metadata"]["annotations"] = json!({"serin.dev/namespace": namespace});
    }
    route
}

/// A Canary in a mesh that runs on TrafficRoutes.
fn by_traffic_routes() -> Result<Play> {
    let all = json!([{"match": {"kuma.io/service": "*"}}]);
    let mesh = json!({"mesh": "default", "metadata": {"name": "route-all-default"}, "spec": {
        "sources": all, "destinations": all, "conf": {"destination": {"kuma.io/service": "*"}},
    }});
    let mut play = Play::new("kuma", &json!({}))?;
    play.sim.world.put(TRAFFIC_ROUTE, mesh, play.sim.now);
    play.sim.look();
    Ok(play)
}

#[test]
fn a_route_of_no_namespace_stays_with_the_one_whose_it_is() -> Result<()> {
    for (marked, owned, words) in [
        (true, false, "is controlled by a Canary of namespace other"),
        (false, false, "it is for podinfo_other_svc_80"),
        // Flagger owns what it made by a Canary that is of the same name in every namespace
        (false, true, "it is for podinfo_other_svc_80"),
    ] {
        let mut play = by_traffic_routes()?;
        let at = ObjectRef::new(TRAFFIC_ROUTE, "podinfo");
        let mut theirs = traffic_route("other", marked);
        if owned {
            theirs["metadata"]["ownerReferences"] = json!([{"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "podinfo", "uid": "other", "controller": true}]);
        }
        play.sim.world.put(TRAFFIC_ROUTE, theirs, play.sim.now);
        let before = play.sim.world.objects.at(&at).cloned();
        play.sim.look();
        play.pass(40);
        ensure!(play.said(words) && !play.said("create"), "{}", play.sim.log.join("\n"));
        play.sim.world.delete_canary(play.sim.now);
        play.sim.look();
        play.pass(40);
        ensure!(play.sim.world.canary.is_none() && play.sim.world.objects.at(&at) == before.as_ref());
    }
    Ok(())
}

#[test]
fn a_route_of_no_namespace_that_becomes_anothers_in_a_run_is_let_alone() -> Result<()> {
    let mut play = by_traffic_routes()?;
    play.pass(40);
    fixture::set_image(&mut play.sim, "podinfo:2");
    play.pass(5);
    ensure!(play.split()? == Split::to_canary(20));
    let at = ObjectRef::new(TRAFFIC_ROUTE, "podinfo");
    play.sim.world.objects.remove(&at);
    play.sim.world.put(TRAFFIC_ROUTE, traffic_route("other", true), play.sim.now);
    let before = play.sim.world.objects.at(&at).cloned();
    play.sim.look();
    play.pass(60);
    ensure!(play.said("is controlled by a Canary of namespace other"));
    ensure!(play.sim.world.objects.at(&at) == before.as_ref());
    play.sim.world.objects.remove(&at);
    play.sim.look();
    play.pass(80);
    play.is(Phase::Succeeded)
}

#[test]
fn a_route_of_no_namespace_lives_on_wherever_the_operator_dies() -> Result<()> {
    for writes in [0, 1, 2] {
        let play = Play { dies: Some(writes), ..by_traffic_routes()? };
        lived(play, true, vec![]).with_context(|| format!("dying after {writes} writes"))?;
    }
    Ok(())
}

#[test]
fn the_traffic_route_that_flagger_made_is_taken_over_as_it_leads() -> Result<()> {
    let mut play = by_traffic_routes()?;
    let namespace = play.canary()?.metadata.namespace.context("no namespace")?;
    play.sim.world.put(TRAFFIC_ROUTE, traffic_route(&namespace, false), play.sim.now);
    play.sim.look();
    lived(play, true, vec![])
}

const MESH_HTTP_ROUTE: Kind =
    Kind { group: "kuma.io", version: "v1alpha1", kind: "MeshHTTPRoute", plural: "meshhttproutes" };

#[test]
fn t1_no_traffic_route_is_left_in_a_mesh_that_does_not_run_on_them() -> Result<()> {
    let at = ObjectRef::new(TRAFFIC_ROUTE, "podinfo");
    for marked in [false, true] {
        let mut play = Play::new("kuma", &json!({}))?;
        let namespace = play.canary()?.metadata.namespace.context("no namespace")?;
        play.sim.world.put(TRAFFIC_ROUTE, traffic_route(&namespace, marked), play.sim.now);
        play.sim.look();
        play.pass(8);
        ensure!(play.sim.world.objects.at(&at).is_some(), "users are led by it as yet");
        play.pass(40);
        play.is(Phase::Initialized)?;
        ensure!(play.sim.world.objects.at(&at).is_none() && play.said("LeftoverRemoved"));
        ensure!(play.sim.world.objects.of(MESH_HTTP_ROUTE).count() == 1);
        lived(play, true, vec![])?;
    }
    Ok(())
}

#[test]
fn t1_a_mesh_that_ceases_to_run_on_traffic_routes_gets_the_other_route_in_the_middle_of_a_run() -> Result<()>
{
    let mut play = by_traffic_routes()?;
    play.pass(40);
    fixture::set_image(&mut play.sim, "podinfo:2");
    play.pass(5);
    ensure!(play.split()? == Split::to_canary(20));
    play.sim.world.objects.remove(&ObjectRef::new(TRAFFIC_ROUTE, "route-all-default"));
    play.sim.look();
    play.pass(1);
    ensure!(
        play.sim.world.objects.get(MESH_HTTP_ROUTE, "podinfo").is_some()
            && play.split()? == Split::to_canary(20)
    );
    play.pass(6);
    ensure!(play.sim.world.objects.of(TRAFFIC_ROUTE).count() == 0, "{}", play.sim.log.join("\n"));
    play.pass(60);
    play.is(Phase::Succeeded)
}

#[test]
fn t1_a_traffic_route_of_another_namespace_keeps_nobody_from_a_route_of_their_own() -> Result<()> {
    let mut play = Play::new("kuma", &json!({}))?;
    let at = ObjectRef::new(TRAFFIC_ROUTE, "podinfo");
    play.sim.world.put(TRAFFIC_ROUTE, traffic_route("other", true), play.sim.now);
    let before = play.sim.world.objects.at(&at).cloned();
    play.sim.look();
    play.pass(40);
    play.is(Phase::Initialized)?;
    ensure!(play.said("kubectl delete trafficroute podinfo"), "{}", play.sim.log.join("\n"));
    ensure!(play.sim.world.objects.at(&at) == before.as_ref());
    Ok(())
}

#[test]
fn a_run_that_was_somewhere_else_ends_where_nobody_can_be_moved() -> Result<()> {
    let mut play = Play::new("istio", &json!({}))?;
    play.pass(40);
    fixture::set_image(&mut play.sim, "podinfo:2");
    play.pass(5);
    ensure!(play.split()? == Split::to_canary(20));
    let analysis = json!({"stepWeight": null, "maxWeight": null, "iterations": 2});
    play.sim.world.edit_canary(&json!({"spec": {"provider": "kubernetes", "analysis": analysis}}));
    play.sim.look();
    play.pass(120);
    play.is(Phase::Succeeded)
}

#[test]
fn a_canary_goes_though_what_leads_to_it_has_gone() -> Result<()> {
    for provider in ["nginx", "skipper", "apisix", "gatewayapi:v1"] {
        let mut play = Play::new(provider, &json!({}))?;
        play.pass(40);
        fixture::set_image(&mut play.sim, "podinfo:2");
        play.pass(5);
        ensure!(play.split()? == Split::to_canary(20), "{provider}");
        play.answers = false;
        for (kind, object) in users(provider) {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            play.sim.world.objects.remove(&ObjectRef::new(kind, name));
        }
        play.sim.world.delete_canary(play.sim.now);
        play.sim.look();
        play.pass(50);
        ensure!(play.sim.world.canary.is_none(), "{provider}: {}", play.sim.log.join("\n"));
        for kind in play.router.kinds() {
            for object in play.sim.world.objects.of(*kind) {
                ensure!(!object.to_string().contains("podinfo-canary"), "{provider}: {object}");
            }
        }
    }
    Ok(())
}

#[test]
fn c16_a_run_that_ends_writes_the_route_before_all_that_stands_beside_it() -> Result<()> {
    for (provider, beside) in [("istio", "DestinationRule"), ("gloo", "Upstream")] {
        let mut play = Play::new(provider, &json!({}))?;
        play.pass(40);
        fixture::set_image(&mut play.sim, "podinfo:2");
        play.pass(5);
        ensure!(play.split()? == Split::to_canary(20), "{provider}");
        let kinds = play.router.kinds();
        let lost = kinds.iter().find(|kind| kind.kind == beside).context("no such kind")?;
        let names: Vec<String> = play.sim.world.objects.of(*lost).map(name).collect();
        ensure!(names.len() == 2, "{provider}: {names:?}");
        for name in names {
            play.sim.world.objects.remove(&ObjectRef::new(*lost, name));
        }
        let request = json!({"metadata": {"annotations": {"serin.dev/request": "abort/c16"}}});
        play.sim.world.edit_canary(&request);
        let snap = play.sim.snapshot().context("no Canary")?;
        let decided = plan::decide(&snap, &Answers::default(), play.sim.now);
        let order = decided.actions.iter().map(|action| action.kind().kind);
        let order: Vec<&str> = order.filter(|kind| *kind != "CanaryRun").collect();
        ensure!(order == [kinds[0].kind, beside, beside], "{provider}: {order:?}");
    }
    Ok(())
}

#[test]
fn r27_a_deleted_canary_gives_back_what_it_had_under_a_former_name() -> Result<()> {
    for provider in ["istio", "contour", "gloo", "kubernetes"] {
        let mut play = Play::new(provider, &json!({}))?;
        play.pass(40);
        play.is(Phase::Initialized)?;
        play.sim.world.edit_canary(&json!({"spec": {"service": {"name": "shop"}}}));
        play.sim.look();
        play.pass(40);
        play.sim.world.delete_canary(play.sim.now);
        play.sim.look();
        play.pass(60);
        ensure!(play.sim.world.canary.is_none(), "{provider}: {}", play.sim.log.join("\n"));
        let old = play.sim.world.objects.get(SERVICE, "podinfo").context("the old apex is gone")?;
        ensure!(old["spec"]["selector"] == json!({"app": "podinfo"}), "{provider}: {old}");
        for kind in play.router.kinds().iter().chain([&SERVICE]) {
            for object in play.sim.world.objects.of(*kind) {
                let text = object.to_string();
                ensure!(!text.contains("serin.dev") && !text.contains("-primary"), "{provider}: {text}");
            }
        }
    }
    Ok(())
}

fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}
/// The weights of an Ingress are annotations: they are taken although its rules are not.
#[test]
fn r21_a_rollback_takes_the_traffic_away_although_the_rules_of_the_copy_are_refused() -> Result<()> {
    for provider in ["nginx", "skipper"] {
        let mut play = Play::new(provider, &json!({}))?;
        play.pass(30);
        play.is(Phase::Initialized)?;
        fixture::set_image(&mut play.sim, "podinfo:2");
        play.pass(15);
        ensure!(play.split()? == Split::to_canary(40), "{provider}: {:?}", play.split()?);
        let rules = json!([{"host": "b", "http": {"paths": [{"path": "/", "pathType": "Prefix",
            "backend": {"service": {"name": "podinfo", "port": {"number": 80}}}}]}}]);
        let c = validate(&play.canary()?, &Rules::default()).map_err(|e| anyhow::anyhow!("{e:?}"))?;
        for copy in play.router.reads(&c) {
            let refusal =
                Refusal { why: "spec.rules: Invalid value".into(), field: Some("/spec/rules".into()) };
            play.sim.others.refuses.insert(copy, refusal);
        }
        let public = ObjectRef::new(INGRESS, "public");
        play.sim.world.edit(&public, &json!({"spec": {"rules": rules}}));
        play.sim.look();
        play.pass(5);
        fixture::set_image(&mut play.sim, "podinfo:1");
        play.pass(40);
        ensure!(
            play.split()? == Split::to_canary(0),
            "{provider}: {:?}\n{}",
            play.split()?,
            play.sim.log.join("\n")
        );
        play.is(Phase::Succeeded)?;
    }
    Ok(())
}

fn condition(play: &Play, type_: &str) -> Option<String> {
    let all = play.sim.world.status().conditions;
    all.into_iter().find(|c| c.type_ == type_).map(|c| c.message)
}

#[test]
fn t6_what_has_to_be_switched_on_for_the_checks_is_said_when_a_canary_is_made() -> Result<()> {
    const FLAG: &str = "-serve-route-metrics";
    let mut play = Play::new("skipper", &json!({}))?;
    play.sim.uncounted = true;
    play.pass(40);
    play.is(Phase::Initialized)?;
    ensure!(condition(&play, "Advisory").is_some_and(|said| said.contains(FLAG)), "{:?}", play.sim.log);
    // from then on the checks say it
    play.sim.readings.insert(CHECK.into(), Reading::Values(vec![]));
    fixture::set_image(&mut play.sim, "podinfo:2");
    play.pass(20);
    ensure!(condition(&play, "Advisory").is_none_or(|said| !said.contains(FLAG)));
    ensure!(condition(&play, "Halted").is_some_and(|said| said.contains(FLAG)), "{:?}", play.sim.log);

    let mut counted = Play::new("skipper", &json!({}))?;
    counted.pass(40);
    ensure!(condition(&counted, "Advisory").is_none());
    Ok(())
}

#[test]
fn t8_no_table_leads_to_an_upstream_that_gloo_has_not_accepted() -> Result<()> {
    let mut play = Play::new("gloo", &json!({}))?;
    play.answers = false;
    play.pass(60);
    play.is(Phase::Initializing)?;
    ensure!(play.said("Gloo has not accepted Upstream"), "{}", play.sim.log.join("\n"));
    let table = |play: &Play| play.sim.world.objects.of(play.router.kinds()[0]).next().is_some();
    ensure!(!table(&play));
    play.answers = true;
    play.pass(30);
    play.is(Phase::Initialized)?;
    ensure!(table(&play));
    Ok(())
}

#[test]
fn t5_an_ingress_from_which_a_copy_takes_requests_is_named() -> Result<()> {
    for provider in ["skipper", "nginx"] {
        let mut play = Play::new(provider, &json!({}))?;
        let (kind, mut beta) = users(provider).remove(0);
        json_patch::merge(
            &mut beta,
            &json!({"metadata": {"name": "beta", "annotations": {
                "zalando.org/skipper-predicate": "Header(\"X-Beta\", \"1\")",
            }}}),
        );
        beta["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = json!("beta");
        play.sim.world.put(kind, beta, play.sim.now);
        play.sim.look();
        play.pass(40);
        play.is(Phase::Initialized)?;
        let said = condition(&play, "Advisory").context("no Advisory")?;
        ensure!(said.contains("Ingress test/beta") && !said.contains("public"), "{said}");
    }
    Ok(())
}
