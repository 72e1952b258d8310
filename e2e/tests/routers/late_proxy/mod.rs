//! Every router through every life of a Canary, with a proxy that learns about each object separately, late and in any
//! order: no request is lost.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use serin::{
    analysis::Reading,
    api::Phase,
    config::Rules,
    router,
    snapshot::{DEPLOYMENT, Kind, ObjectRef, SERVICE},
    spec::validate,
};
use serin_model::{
    late_proxy::{Entry, LateProxy},
    pods::Mode,
};

use super::{CHECK, Play, fixture, kuma};

mod endpoints;
mod ports;

/// The users' routes before there is a Canary, by provider.
pub(crate) fn theirs(provider: &str) -> Option<Value> {
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
        "kuma" => {
            let apex = json!({"kind": "MeshService", "name": "podinfo_test_svc_80"});
            let rule = json!({"default": {"backendRefs": [apex]}});
            json!({"targetRef": {"kind": "Mesh"}, "to": [{"targetRef": apex, "rules": [rule]}]})
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

/// The circumstances of a life.
#[derive(Clone, Debug)]
struct Setting {
    provider: &'static str,
    /// Merged into the usual spec.
    spec: Value,
    /// There is a route of the user's before.
    taken_over: bool,
    /// The operator dies after this many writes, once per second. Only good releases then.
    dies: Option<usize>,
    /// Other objects of the user.
    beside: Vec<(Kind, Value)>,
    /// The Service that users call was there before.
    apex: bool,
}

impl Setting {
    fn of(provider: &'static str) -> Self {
        let taken_over = theirs(provider).is_some();
        Self { provider, spec: json!({}), taken_over, dies: None, beside: vec![], apex: true }
    }
}

pub(crate) struct Life {
    pub(crate) play: Play,
    /// The route that users' requests reach.
    pub(crate) route: ObjectRef,
    provider: &'static str,
}

impl Life {
    /// A Service that users call exists, and perhaps a route to it.
    fn new(setting: &Setting) -> Result<Self> {
        let mut play = Play::new(setting.provider, &setting.spec)?;
        play.dies = setting.dies;
        let now = play.sim.now;
        let apex = json!({"metadata": {"name": "podinfo"}, "spec": {
            "selector": {"app": "podinfo"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        }});
        if setting.apex {
            play.sim.world.put(SERVICE, apex, now);
        }
        // shares of pods need a label that both sides have
        let labels =
            json!({"spec": {"template": {"metadata": {"labels": {"app.kubernetes.io/name": "podinfo"}}}}});
        play.sim.world.edit(&ObjectRef::new(DEPLOYMENT, "podinfo"), &labels);
        for (kind, object) in &setting.beside {
            play.sim.world.put(*kind, object.clone(), now);
        }
        let c = validate(&play.canary()?, &Rules::default()).map_err(|e| anyhow::anyhow!("{e:?}"))?;
        let route = play.router.route(&c, &play.sim.world.objects);
        let route = route.unwrap_or_else(|| ObjectRef::new(SERVICE, "podinfo"));
        let there = play.sim.world.objects.at(&route).is_some();
        if let Some(spec) = theirs(setting.provider).filter(|_| setting.taken_over && !there) {
            play.sim.world.put(route.kind, json!({"metadata": {"name": route.name}, "spec": spec}), now);
        }
        let entry = Entry {
            copied: !play.router.sources(&c).is_empty(),
            named_first: play.router.needs_handover().is_some(),
            late_endpoints: Duration::from_secs(if setting.provider == "gloo" { 2 } else { 0 }),
            apex: "podinfo".into(),
            route: route.clone(),
        };
        // anything written in a second is seen at its end
        let window = play.router.settle().saturating_sub(Duration::from_secs(1));
        let kinds: Vec<Kind> =
            play.router.kinds().iter().chain(play.router.optional_kinds()).copied().collect();
        let mut proxy = LateProxy::new(entry, &kinds, window);
        proxy.saw(&play.sim.world, now);
        play.proxy = Some(proxy);
        play.sim.look();
        Ok(Self { play, route, provider: setting.provider })
    }

    /// One whose route exists, or is created.
    pub(crate) fn behind(provider: &'static str) -> Result<Self> {
        Self::new(&Setting::of(provider))
    }

    fn pass(&mut self, seconds: u64, what: &str) -> Result<()> {
        self.play.pass(seconds);
        ensure!(!self.play.said("LOST "), "{}, {what}:\n{}", self.provider, self.play.sim.log.join("\n"));
        Ok(())
    }

    fn lead(&mut self, end: End) -> Result<()> {
        self.pass(80, "being set up")?;
        self.play.is(Phase::Initialized)?;
        self.released("podinfo:2")?;
        if self.play.dies.is_none() {
            self.bad_releases()?;
        }
        if end == End::InARun {
            fixture::set_image(&mut self.play.sim, "podinfo:4");
            self.pass(14, "in a run")?;
            self.play.is(Phase::Progressing)?;
        }
        self.deleted()
    }

    /// A version whose pods never become ready, and one that fails its checks.
    fn bad_releases(&mut self) -> Result<()> {
        self.play.sim.pods.modes.insert("podinfo".into(), Mode::Never);
        fixture::set_image(&mut self.play.sim, "podinfo:unready");
        self.pass(80, "not becoming ready")?;
        self.play.is(Phase::Failed)?;
        self.play.sim.pods.modes.clear();
        self.play.sim.readings.insert(CHECK.into(), Reading::Values(vec![50.0]));
        fixture::set_image(&mut self.play.sim, "podinfo:3");
        self.pass(100, "going back")?;
        self.play.is(Phase::Failed)?;
        self.play.sim.readings.clear();
        Ok(())
    }

    fn released(&mut self, image: &str) -> Result<()> {
        fixture::set_image(&mut self.play.sim, image);
        self.pass(120, "being promoted")?;
        self.play.is(Phase::Succeeded)
    }

    fn deleted(&mut self) -> Result<()> {
        self.play.sim.world.delete_canary(self.play.sim.now);
        self.play.sim.look();
        self.pass(80, "being deleted")?;
        ensure!(self.play.sim.world.canary.is_none(), "{}", self.play.sim.log.join("\n"));
        Ok(())
    }
}

/// Lives of these settings, each ended in this way.
fn lives(settings: impl IntoIterator<Item = Setting>, end: End) -> Result<()> {
    let mut wrong = Vec::new();
    for setting in settings {
        if let Err(why) = Life::new(&setting).and_then(|mut life| life.lead(end)) {
            wrong.push(format!("{setting:?}, {end:?}: {why:?}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}

/// All of them. knative is both router and target.
fn providers() -> impl Iterator<Item = &'static str> {
    router::all().iter().map(|router| router.name()).filter(|name| *name != "knative")
}

#[test]
fn t7_t8_no_request_is_lost_behind_a_proxy_that_learns_late() -> Result<()> {
    let made = || providers().map(|provider| Setting { taken_over: false, ..Setting::of(provider) });
    lives(providers().map(Setting::of), End::AtRest)?;
    lives(providers().map(Setting::of), End::InARun)?;
    lives(made(), End::InARun)
}

#[test]
fn t7_t8_no_request_is_lost_wherever_the_operator_dies() -> Result<()> {
    let dying = |provider| [0, 1, 2].map(|writes| Setting { dies: Some(writes), ..Setting::of(provider) });
    lives(providers().flat_map(dying), End::InARun)
}

#[test]
fn t7_t8_no_request_is_lost_where_the_sides_have_objects_of_their_own() -> Result<()> {
    let policy = json!({"service": {"trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}}});
    lives([Setting { spec: policy, ..Setting::of("istio") }], End::AtRest)
}

#[test]
fn t7_t8_no_request_is_lost_in_a_mesh_that_runs_on_traffic_routes() -> Result<()> {
    let (kind, all) = kuma::for_all();
    let tag = json!({"kuma.io/service": "podinfo_test_svc_80"});
    let own = json!({"mesh": "default", "metadata": {"name": "podinfo"}, "spec": {
        "sources": [{"match": {"kuma.io/service": "*"}}], "destinations": [{"match": tag}],
        "conf": {"destination": tag},
    }});
    let made = Setting { taken_over: false, beside: vec![(kind, all.clone())], ..Setting::of("kuma") };
    let taken_over = Setting { beside: vec![(kind, all), (kind, own)], ..made.clone() };
    lives([made, taken_over.clone()], End::AtRest)?;
    lives([taken_over], End::InARun)
}

fn iterations(rest: &Value) -> Value {
    let mut analysis = json!({"stepWeight": 0, "iterations": 2});
    json_patch::merge(&mut analysis, rest);
    json!({"analysis": analysis})
}

#[test]
fn t7_t8_no_request_is_lost_where_services_alone_lead_users() -> Result<()> {
    let switched = iterations(&json!({"promotion": {"switch": true}}));
    let shares =
        json!({"analysis": {"stepWeight": 0, "iterations": null, "steps": [{"weight": 50, "hold": "40s"}]}});
    let all = || [&switched, &shares].map(|spec| Setting { spec: spec.clone(), ..Setting::of("kubernetes") });
    lives(all(), End::AtRest)?;
    lives(all(), End::InARun)
}

#[test]
fn t7_t8_no_request_is_lost_by_any_strategy() -> Result<()> {
    let exact = |value: &str| json!([{"headers": {"x-canary": {"exact": value}}}]);
    let named = iterations(&json!({"match": exact("insider")}));
    let pinned = json!({"analysis": {"always": exact("always"), "never": exact("never")}});
    let mirrored = json!({"analysis": {"mirror": true}});
    let cookies = json!({"analysis": {"sessionAffinity": {"cookieName": "canary"}}});
    let blue_green = iterations(&json!({}));
    let gateways = ["gatewayapi:v1", "gatewayapi:v1beta1"];
    let mut all = Vec::new();
    let with_headers = ["istio", gateways[0], gateways[1], "contour", "nginx", "gloo"];
    for (spec, of) in [
        (named, &with_headers[..]),
        (pinned, &with_headers[..]),
        (mirrored, &["istio", gateways[0], gateways[1]][..]),
        (cookies, &["istio", gateways[0], gateways[1]][..]),
        (blue_green, &["istio", "gloo"][..]),
    ] {
        let each = of.iter().map(|provider| Setting { spec: spec.clone(), ..Setting::of(provider) });
        all.extend(each);
    }
    lives(all, End::InARun)
}

/// The strategies with several rules, on their own and together, where each prefix of a path has rules of its own.
#[test]
fn no_request_is_lost_behind_a_gateway_whose_clusters_have_the_numbers_of_rules() -> Result<()> {
    let exact = |value: &str| json!([{"headers": {"x-canary": {"exact": value}}}]);
    let cookies = json!({"cookieName": "canary", "primaryCookieName": "primary"});
    let service = json!({
        "match": [{"uri": {"prefix": "/"}}, {"uri": {"prefix": "/b"}}],
        "rewrite": {"uri": "/", "type": "ReplacePrefixMatch"}, "gatewayRefs": [{"name": "gw"}],
    });
    let mut all = Vec::new();
    for analysis in [
        json!({"stepWeight": 0, "iterations": 2, "match": exact("insider")}),
        json!({"match": exact("insider")}),
        json!({"always": exact("always"), "never": exact("never"), "sessionAffinity": cookies}),
    ] {
        let spec = json!({"analysis": analysis, "service": service});
        all.push(Setting { spec, ..Setting::of("gatewayapi:v1") });
    }
    lives(all, End::InARun)
}

#[test]
fn no_request_is_lost_when_a_canary_at_rest_gets_rules_and_loses_them() -> Result<()> {
    let exact = |value: &str| json!([{"headers": {"x-canary": {"exact": value}}}]);
    let mut life = Life::behind("gatewayapi:v1")?;
    life.pass(80, "being set up")?;
    for (always, never) in
        [(exact("always"), json!(null)), (exact("always"), exact("never")), (json!(null), json!(null))]
    {
        let analysis = json!({"always": always, "never": never});
        life.play.sim.world.edit_canary(&json!({"spec": {"analysis": analysis}}));
        life.play.sim.look();
        life.pass(30, "being edited")?;
        let rules = life.play.sim.world.objects.at(&life.route).map(|route| route["spec"]["rules"].clone());
        let wanted = 1 + usize::from(!always.is_null()) + usize::from(!never.is_null());
        ensure!(rules.as_ref().and_then(Value::as_array).map(Vec::len) == Some(wanted), "{rules:?}");
    }
    Ok(())
}

/// Users still call the former name: what is there under it serves them until the Canary is deleted, and after that.
#[test]
fn t7_t8_no_request_to_the_former_name_is_lost() -> Result<()> {
    let mut wrong = Vec::new();
    // copies follow the user's own route, which leads to the former name
    for provider in providers().filter(|name| !["nginx", "skipper", "apisix"].contains(name)) {
        let renamed = || -> Result<()> {
            let mut life = Life::behind(provider)?;
            life.pass(80, "being set up")?;
            life.play.sim.world.edit_canary(&json!({"spec": {"service": {"name": "shop"}}}));
            life.play.sim.look();
            life.pass(60, "being renamed")?;
            life.released("podinfo:2").context("after it was renamed")?;
            life.deleted()
        };
        wrong.extend(renamed().err().map(|why| format!("{provider}: {why:?}")));
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}
