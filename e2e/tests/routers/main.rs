//! The whole life of a Canary behind each router on a model: initialised, promoted, rolled back, deleted. The model
//! only understands Istio's traffic rules, so the router that wrote a split also reads it back. Its conformance suite
//! proves that it can.
#![allow(missing_docs, reason = "a test target has no callers")]

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use serin::{
    analysis::Reading,
    api::{Canary, Phase},
    config::Rules,
    router::{self, Router, Split},
    snapshot::{INGRESS, Kind, ObjectRef, SERVICE},
    spec::validate,
};
use serin_model::{Sim, Trouble, fixture, late_proxy::LateProxy, time, world::World};

mod acceptance;
mod calls;
mod flagger;
mod kuma;
mod late_proxy;
mod led_back;
mod lives;
mod service_port;

use calls::Calls;

const HTTP_ROUTE: Kind =
    Kind { group: "gateway.networking.k8s.io", version: "v1", kind: "HTTPRoute", plural: "httproutes" };
const CHECK: &str = "request-success-rate";

/// A Canary of this provider. Its Gateway may or may not answer.
struct Play {
    sim: Sim,
    router: &'static dyn Router,
    answers: bool,
    /// The operator dies after this many writes, once per second.
    dies: Option<usize>,
    /// The proxy that routes users, if requests are counted.
    proxy: Option<LateProxy>,
    /// Number of API calls so far.
    calls: usize,
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
        Ok(Self { sim: Sim::new(world, "podinfo"), router, answers: true, dies: None, proxy: None, calls: 0 })
    }

    /// Time passes second by second. The Gateway accepts the objects that it sees.
    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            let before = self.sim.log.len();
            self.sim.trouble = self.dies.map(Trouble::CrashAfter);
            self.sim.advance(Duration::from_secs(1));
            if self.answers {
                self.answer("True");
                self.accept();
            }
            self.calls += calls::of(&self.sim.log[before..]);
            if let Some(proxy) = &mut self.proxy {
                proxy.saw(&self.sim.world, self.sim.now);
                let lost = proxy.lost(&self.sim.world, &self.sim.pods, self.sim.now);
                let lines = lost.into_iter().map(|why| format!("LOST   {why}"));
                self.sim.log.extend(lines);
            }
        }
    }

    /// Gloo reports each of its objects as accepted.
    fn accept(&mut self) {
        self.say("Accepted");
    }

    /// Gloo reports this state for each of its objects.
    fn say(&mut self, state: &str) {
        let kinds = self.router.kinds().iter().filter(|kind| kind.group.ends_with("solo.io"));
        let kinds: Vec<Kind> = kinds.copied().collect();
        if kinds.is_empty() {
            return;
        }
        for kind in kinds {
            let names: Vec<String> = self.sim.world.objects.of(kind).map(name).collect();
            for name in names {
                let said = json!({"status": {"statuses": {"gloo-system": {"state": state}}}});
                self.sim.world.edit(&ObjectRef::new(kind, name), &said);
            }
        }
        self.sim.look();
        self.sim.settle();
    }

    fn answer(&mut self, status: &str) {
        for kind in self.router.kinds().iter().filter(|kind| kind.kind == HTTP_ROUTE.kind) {
            let routes: Vec<Value> = self.sim.world.objects.of(*kind).cloned().collect();
            for route in routes {
                let condition = json!({"type": "Accepted", "status": status,
                    "observedGeneration": route["metadata"]["generation"],
                    "reason": "NotAllowedByListeners", "message": "no"});
                let named = route["spec"]["parentRefs"].as_array().into_iter().flatten();
                let parents: Vec<Value> = named
                    .map(|parent| json!({"parentRef": parent, "conditions": [condition.clone()]}))
                    .collect();
                let at = ObjectRef::new(*kind, name(&route));
                self.sim.world.edit(&at, &json!({"status": {"parents": parents}}));
            }
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

/// The required fields of a Canary of this provider.
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

/// The user's objects that the provider reads.
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

fn life(provider: &str) -> Result<()> {
    let calls = played(Play::new(provider, &json!({}))?, provider != "kubernetes", users(provider))?;
    calls::no_more(provider, calls)
}

fn lived(play: Play, moves: bool, users: Vec<(Kind, Value)>) -> Result<()> {
    played(play, moves, users).map(drop)
}

/// A whole life, after which the user's objects are unchanged. `moves`: a run moves users.
fn played(mut play: Play, moves: bool, users: Vec<(Kind, Value)>) -> Result<Calls> {
    play.pass(40);
    let begun = play.calls;
    play.is(Phase::Initialized)?;
    ensure!(play.split()? == Split::to_canary(0));
    let logged = play.sim.log.len();
    play.sim.advance(Duration::from_secs(300));
    ensure!(calls::of(&play.sim.log[logged..]) == 0, "calls at rest:\n{}", play.sim.log.join("\n"));

    fixture::set_image(&mut play.sim, "podinfo:2");
    let mut most = 0;
    for _ in 0..80 {
        play.pass(1);
        most = most.max(play.split()?.canary());
    }
    play.is(Phase::Succeeded)?;
    let promoted = play.calls;
    ensure!(most == if moves { 40 } else { 0 }, "{most} % went to the canary at most");
    ensure!(play.said("Routing all traffic to primary") == moves);

    play.sim.readings.insert(CHECK.into(), Reading::Values(vec![50.0]));
    fixture::set_image(&mut play.sim, "podinfo:3");
    play.pass(80);
    play.is(Phase::Failed)?;
    let failed = play.calls;
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
    Ok([begun, promoted - begun, failed - promoted, play.calls - failed])
}

fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

fn condition(play: &Play, type_: &str) -> Option<String> {
    let all = play.sim.world.status().conditions;
    all.into_iter().find(|c| c.type_ == type_).map(|c| c.message)
}
