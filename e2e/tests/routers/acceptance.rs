//! Cases in which the operator waits, refuses or warns before traffic moves.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use serin::{
    analysis::Reading,
    api::Phase,
    router::Split,
    snapshot::{INGRESS, Kind, ObjectRef},
};
use serin_model::fixture;

use crate::{CHECK, Play, condition, users};

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
    // c15, refused later: the proxies continue with their old state, so bad checks count, and good ones raise no weight
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

#[test]
fn t6_what_has_to_be_switched_on_for_the_checks_is_said_when_a_canary_is_made() -> Result<()> {
    const FLAG: &str = "-serve-route-metrics";
    let mut play = Play::new("skipper", &json!({}))?;
    play.sim.uncounted = true;
    play.pass(40);
    play.is(Phase::Initialized)?;
    ensure!(condition(&play, "Advisory").is_some_and(|said| said.contains(FLAG)), "{:?}", play.sim.log);
    // from then on the checks show it
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
fn t8_a_gloo_that_says_nothing_is_waited_for_no_longer_than_the_deadline() -> Result<()> {
    let mut play = Play::new("gloo", &json!({"progressDeadlineSeconds": 20}))?;
    play.answers = false;
    play.pass(20);
    play.is(Phase::Initializing)?;
    ensure!(condition(&play, "RouteFollowed").is_some_and(|said| said.contains("has not accepted Upstream")));
    play.pass(30);
    play.is(Phase::Initialized)?;
    ensure!(condition(&play, "RouteFollowed").is_none());
    ensure!(
        condition(&play, "Advisory").is_some_and(|said| said.contains("Gloo writes no status to Upstream"))
    );

    // a refused object never gets traffic
    let mut refused = Play::new("gloo", &json!({"progressDeadlineSeconds": 20}))?;
    refused.answers = false;
    for _ in 0..50 {
        refused.pass(1);
        refused.say("Rejected");
    }
    refused.is(Phase::Initializing)?;
    ensure!(condition(&refused, "RouteFollowed").is_some_and(|said| said.contains("Gloo rejects Upstream")));
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

#[test]
fn t5_an_ingress_for_all_hosts_with_conditions_is_named() -> Result<()> {
    let mut play = Play::new("skipper", &json!({}))?;
    let at = ObjectRef::new(INGRESS, "public");
    let user = play.sim.world.objects.at(&at).cloned().context("no Ingress")?;
    let mut rules = user["spec"]["rules"].clone();
    rules[0]["host"] = json!("app.example.com");
    play.sim.world.edit(&at, &json!({"spec": {"rules": rules}}));
    let by = "Header(\"X-Beta\", \"1\") && Cookie(\"beta\", \"1\")";
    let mut beta =
        json!({"metadata": {"name": "beta", "annotations": {"zalando.org/skipper-predicate": by}}});
    beta["spec"] = user["spec"].clone();
    beta["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = json!("beta");
    play.sim.world.put(INGRESS, beta, play.sim.now);
    play.sim.look();
    play.pass(40);
    play.is(Phase::Initialized)?;
    let said = condition(&play, "Advisory").context("no Advisory")?;
    ensure!(said.contains("Ingress test/beta serves app.example.com, path /"), "{said}");
    Ok(())
}

#[test]
fn t7_routes_straight_to_the_apex_are_named_behind_gloo() -> Result<()> {
    const VIRTUAL_SERVICE: Kind =
        Kind { group: "gateway.solo.io", version: "v1", kind: "VirtualService", plural: "virtualservices" };
    let mut play = Play::new("gloo", &json!({}))?;
    let to = |service: &str| {
        let apex = json!({"ref": {"name": service, "namespace": "test"}, "port": 80});
        json!({"matchers": [{"prefix": "/"}], "routeAction": {"single": {"kube": apex}}})
    };
    let delegates = json!({"delegateAction": {"ref": {"name": "podinfo", "namespace": "test"}}});
    for (name, routes) in
        [("straight", json!([to("podinfo")])), ("elsewhere", json!([to("other"), delegates]))]
    {
        let host = json!({"domains": [format!("{name}.example.com")], "routes": routes});
        let object = json!({"metadata": {"name": name}, "spec": {"virtualHost": host}});
        play.sim.world.put(VIRTUAL_SERVICE, object, play.sim.now);
    }
    let table = json!({"metadata": {"name": "second"}, "spec": {"routes": [to("podinfo")]}});
    play.sim.world.put(play.router.kinds()[0], table, play.sim.now);
    play.sim.look();
    play.pass(60);
    play.is(Phase::Initialized)?;
    let said = condition(&play, "Advisory").context("no Advisory")?;
    for named in ["VirtualService test/straight", "RouteTable test/second"] {
        ensure!(said.contains(named), "{said}");
    }
    ensure!(!said.contains("elsewhere") && !said.contains("RouteTable test/podinfo leads"), "{said}");
    Ok(())
}
