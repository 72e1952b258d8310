//! Whole lives, and the effect on users if the route is lent, refused or gone.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use serin::{
    analysis::Reading,
    api::Phase,
    config::Rules,
    plan::{self, Answers},
    router::{self, Split},
    snapshot::{INGRESS, KNATIVE_SERVICE, Kind, ObjectRef, SERVICE},
    spec::validate,
};
use serin_model::{Sim, fixture, others::Refusal, time, world::World};

use crate::{Play, calls, life, lived, name, users};

#[test]
fn every_router_leads_a_canary_through_its_life() -> Result<()> {
    // knative is both router and target: the tests of targets cover its life
    for provider in router::all().iter().map(|router| router.name()).filter(|name| *name != "knative") {
        life(provider).with_context(|| provider.to_owned())?;
    }
    Ok(())
}

/// Its life is in the model's tests of targets.
#[test]
fn knative_needs_no_more_calls_than_before() -> Result<()> {
    let at = ObjectRef::new(KNATIVE_SERVICE, "podinfo");
    let containers = |version: u8| json!([{"image": format!("podinfo:{version}")}]);
    let template = |version: u8| json!({"spec": {"template": {"spec": {"containers": containers(version)}}}});
    let mut world = World::default();
    let mut service = template(1);
    service["metadata"] = json!({"name": "podinfo"});
    world.put(KNATIVE_SERVICE, service, time::start());
    let target = json!({"kind": KNATIVE_SERVICE.kind, "apiVersion": KNATIVE_SERVICE.api_version()});
    let spec = json!({"provider": "knative", "targetRef": target, "service": null});
    world.put_canary(fixture::canary(&spec), time::start());
    let mut sim = Sim::new(world, "podinfo");
    let mut taken = [0; 4];
    for (stage, count) in (0u8..).zip(&mut taken) {
        let before = sim.log.len();
        match stage {
            0 => {}
            3 => sim.world.delete_canary(sim.now),
            _ => drop(sim.world.edit(&at, &template(stage + 1))),
        }
        if stage == 2 {
            sim.readings.insert("request-success-rate".into(), Reading::Values(vec![50.0]));
        }
        sim.look();
        sim.advance(Duration::from_secs(80));
        *count = calls::of(&sim.log[before..]);
    }
    ensure!(sim.world.canary.is_none(), "{}", sim.log.join("\n"));
    calls::no_more("knative", taken)
}

const VIRTUAL_SERVICE: Kind = Kind {
    group: "networking.istio.io",
    version: "v1beta1",
    kind: "VirtualService",
    plural: "virtualservices",
};

/// A Canary that uses one route of the user's VirtualService `shop`.
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
/// The weights of an Ingress are annotations: they are accepted although the rules are not.
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
            let refusal = Refusal {
                why: "spec.rules: Invalid value".into(),
                field: Some("/spec/rules".into()),
                ..Refusal::default()
            };
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
