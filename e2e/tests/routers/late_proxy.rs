//! Every router through every life of a Canary, with a proxy that learns about each object separately, late and in any
//! order: no request is lost.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use serin::{
    analysis::Reading,
    api::Phase,
    config::Rules,
    router,
    snapshot::{ObjectRef, SERVICE},
    spec::validate,
};
use serin_model::late_proxy::{Entry, LateProxy};

use super::{CHECK, Play, fixture};

/// The users' routes before there is a Canary, by provider.
fn theirs(provider: &str) -> Option<Value> {
    let weighted = |to: Value| json!({"weighted": {"services": [to]}});
    let named = json!({"name": "podinfo", "port": 80});
    Some(match provider {
        "istio" => json!({"hosts": ["podinfo"], "http": [{"route": [{"destination": {"host": "podinfo"}}]}]}),
        "gatewayapi:v1" | "gatewayapi:v1beta1" => {
            json!({"parentRefs": [{"name": "gw"}], "rules": [{"backendRefs": [named]}]})
        }
        "contour" => json!({"routes": [{"services": [named]}]}),
        "traefik" => weighted(named),
        "gloo" => {
            let apex = json!({"kube": {"ref": {"name": "podinfo", "namespace": "test"}, "port": 80}});
            json!({"routes": [{"routeAction": {"single": apex}}]})
        }
        "linkerd" => json!({"service": "podinfo", "backends": [{"service": "podinfo", "weight": "1"}]}),
        _ => return None,
    })
}

/// The end of a life.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    AtRest,
    InARun,
}

struct Life {
    play: Play,
    provider: &'static str,
}

impl Life {
    /// A Service that users call exists, and with `taken_over` also a route to it.
    fn new(provider: &'static str, spec: &Value, taken_over: bool) -> Result<Self> {
        let mut play = Play::new(provider, spec)?;
        let now = play.sim.now;
        let apex = json!({"metadata": {"name": "podinfo"}, "spec": {
            "selector": {"app": "podinfo"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        }});
        play.sim.world.put(SERVICE, apex, now);
        let c = validate(&play.canary()?, &Rules::default()).map_err(|e| anyhow::anyhow!("{e:?}"))?;
        let route = play.router.reads(&c).into_iter().next();
        let route = route.unwrap_or_else(|| ObjectRef::new(SERVICE, "podinfo"));
        if let Some(spec) = theirs(provider).filter(|_| taken_over) {
            play.sim.world.put(route.kind, json!({"metadata": {"name": route.name}, "spec": spec}), now);
        }
        let entry = Entry {
            copied: !play.router.sources(&c).is_empty(),
            named_first: play.router.needs_handover().is_some(),
            apex: "podinfo".into(),
            route,
        };
        // anything written in a second is seen at its end
        let window = play.router.settle().saturating_sub(Duration::from_secs(1));
        let mut proxy = LateProxy::new(entry, play.router.kinds(), window);
        proxy.saw(&play.sim.world, now);
        play.proxy = Some(proxy);
        play.sim.look();
        Ok(Self { play, provider })
    }

    fn pass(&mut self, seconds: u64, what: &str) -> Result<()> {
        self.play.pass(seconds);
        ensure!(!self.play.said("LOST "), "{}, {what}:\n{}", self.provider, self.play.sim.log.join("\n"));
        Ok(())
    }

    fn lead(&mut self, end: End) -> Result<()> {
        self.pass(80, "being set up")?;
        self.play.is(Phase::Initialized)?;
        fixture::set_image(&mut self.play.sim, "podinfo:2");
        self.pass(120, "being promoted")?;
        self.play.is(Phase::Succeeded)?;
        self.play.sim.readings.insert(CHECK.into(), Reading::Values(vec![50.0]));
        fixture::set_image(&mut self.play.sim, "podinfo:3");
        self.pass(100, "going back")?;
        self.play.is(Phase::Failed)?;
        self.play.sim.readings.clear();
        if end == End::InARun {
            fixture::set_image(&mut self.play.sim, "podinfo:4");
            self.pass(14, "in a run")?;
            self.play.is(Phase::Progressing)?;
        }
        self.play.sim.world.delete_canary(self.play.sim.now);
        self.play.sim.look();
        self.pass(80, "being deleted")?;
        ensure!(self.play.sim.world.canary.is_none(), "{}", self.play.sim.log.join("\n"));
        Ok(())
    }
}

fn lives(spec: &Value, providers: impl Iterator<Item = &'static str>) -> Result<()> {
    let mut wrong = Vec::new();
    for provider in providers {
        let taken_over = theirs(provider).is_some();
        for (taken_over, end) in [(taken_over, End::AtRest), (false, End::InARun)] {
            if let Err(why) = Life::new(provider, spec, taken_over)?.lead(end) {
                wrong.push(format!("{provider}, taken over: {taken_over}, {end:?}: {why}"));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}

#[test]
fn t7_t8_no_request_is_lost_behind_a_proxy_that_learns_late() -> Result<()> {
    // knative is both router and target
    lives(&json!({}), router::all().iter().map(|router| router.name()).filter(|name| *name != "knative"))
}

#[test]
fn t7_t8_no_request_is_lost_where_the_sides_have_objects_of_their_own() -> Result<()> {
    let policy = json!({"service": {"trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}}});
    lives(&policy, ["istio"].into_iter())
}
