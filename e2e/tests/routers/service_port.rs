//! An edit of `service.port`: whatever a live route leads to is there, at every moment, also if a run ends meanwhile, the
//! Canary is not accepted, or the Services are refused.

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};
use serin::{
    analysis::Reading,
    api::Phase,
    router,
    snapshot::{Kind, SERVICE},
};
use serin_model::{
    fixture,
    others::{Refusal, all_of},
    pods::Mode,
};

use crate::{CHECK, Play};

/// The Services and ports that an object leads to, by the fields in which proxies look for them.
fn led(value: &Value, out: &mut Vec<(String, i64)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| led(item, out)),
        Value::Object(fields) => {
            let name = ["name", "host", "serviceName"].iter().find_map(|key| fields.get(*key)?.as_str());
            let port = ["port", "servicePort"]
                .iter()
                .find_map(|key| fields.get(*key))
                .map(|port| port.as_i64().or_else(|| port["number"].as_i64()).unwrap_or_default());
            if let (Some(name), Some(port)) = (name, port.filter(|port| *port > 0)) {
                out.push((name.to_owned(), port));
            }
            fields.values().for_each(|field| led(field, out));
        }
        _ => {}
    }
}

/// A live route, or an Upstream that one names, leads to a port that its Service does not have.
fn astray(play: &Play) -> Option<String> {
    let objects = &play.sim.world.objects;
    let kinds: Vec<Kind> = play.router.kinds().iter().filter(|kind| **kind != SERVICE).copied().collect();
    let routes: Vec<&Value> = kinds.iter().flat_map(|kind| objects.of(*kind)).collect();
    let text: String = routes.iter().map(|route| route["spec"].to_string()).collect();
    for route in routes {
        let name = route["metadata"]["name"].as_str().unwrap_or_default();
        if route["kind"] == "Upstream" && !text.contains(&format!("\"name\":\"{name}\"")) {
            continue;
        }
        let mut all = Vec::new();
        led(&route["spec"], &mut all);
        for (service, port) in all {
            let Some(live) = objects.get(SERVICE, &service) else { continue };
            let ports = live["spec"]["ports"].as_array().into_iter().flatten();
            if !ports.clone().any(|has| has["port"] == port) {
                return Some(format!("{}: {} {name} leads to {service}:{port}", play.sim.now, route["kind"]));
            }
            let mut names: Vec<&Value> = ports.map(|has| &has["name"]).collect();
            let count = names.len();
            names.sort_by_key(ToString::to_string);
            names.dedup();
            if names.len() < count {
                return Some(format!("{}: two ports of {service} have one name", play.sim.now));
            }
        }
    }
    None
}

fn edited(provider: &'static str, in_a_run: bool) -> Result<()> {
    let mut play = Play::new(provider, &json!({"analysis": {"stepWeight": 20, "maxWeight": 40}}))?;
    play.pass(60);
    play.is(Phase::Initialized)?;
    if in_a_run {
        fixture::set_image(&mut play.sim, "podinfo:2");
        play.pass(14);
        play.is(Phase::Progressing)?;
    }
    play.sim.world.edit_canary(&json!({"spec": {"service": {"port": 8080}}}));
    play.sim.look();
    never_astray(&mut play, 100)?;
    ports_are_new(&play)
}

/// For this long, each second.
fn never_astray(play: &mut Play, seconds: u64) -> Result<()> {
    for _ in 0..seconds {
        play.pass(1);
        if let Some(why) = astray(play) {
            bail!("{}: {why}\n{}", play.router.name(), play.sim.log.join("\n"));
        }
    }
    Ok(())
}

/// All Services have the new port alone.
fn ports_are_new(play: &Play) -> Result<()> {
    let provider = play.router.name();
    let ports = |name: &str| {
        let live = play.sim.world.objects.get(SERVICE, name);
        let ports = live.and_then(|live| live["spec"]["ports"].as_array()).into_iter().flatten();
        ports.map(|port| port["port"].clone()).collect::<Vec<_>>()
    };
    // the user's own route of these still leads to the former port
    if !["nginx", "skipper", "apisix"].contains(&provider) {
        for name in ["podinfo", "podinfo-primary", "podinfo-canary"] {
            ensure!(
                ports(name) == [8080],
                "{provider}, {name}: {:?}\n{}",
                ports(name),
                play.sim.log.join("\n")
            );
        }
        for kind in play.router.kinds().iter().filter(|kind| kind.kind == "Upstream") {
            let all: Vec<&Value> = play.sim.world.objects.of(*kind).collect();
            let new = all.iter().all(|upstream| upstream["spec"]["kube"]["servicePort"] == 8080);
            ensure!(new && all.len() == 2, "{all:?}\n{}", play.sim.log.join("\n"));
        }
    }
    Ok(())
}

/// What happens together with the edit in a run, or shortly before.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    SetBack,
    RolledBack,
    Undone,
    NotAccepted,
    Refused,
}

fn beside(provider: &'static str, what: Meanwhile) -> Result<()> {
    let mut play = Play::new(provider, &json!({"analysis": {"stepWeight": 20, "maxWeight": 40}}))?;
    play.pass(60);
    fixture::set_image(&mut play.sim, "podinfo:2");
    play.pass(14);
    play.is(Phase::Progressing)?;
    let mut spec = json!({"service": {"port": 8080}});
    match what {
        Meanwhile::SetBack => fixture::set_image(&mut play.sim, "podinfo:1"),
        Meanwhile::RolledBack => {
            play.sim.readings.insert(CHECK.into(), Reading::Values(vec![0.0]));
            // the first of its passes has ended the run when the port is edited
            let ends = |play: &Play| play.sim.world.status().run.is_some_and(|run| run.ending.is_some());
            (0..200).find(|_| {
                play.pass(1);
                ends(&play)
            });
        }
        Meanwhile::Undone => {
            play.sim.pods.modes.insert("podinfo-primary".into(), Mode::Never);
            (0..200).find(|_| {
                play.pass(1);
                play.sim.world.status().phase == Some(Phase::Promoting)
            });
        }
        Meanwhile::NotAccepted => spec["analysis"] = json!({"interval": "never"}),
        Meanwhile::Refused => {
            let refusal = Refusal { why: "spec.ports: Invalid value".into(), ..Refusal::default() };
            play.sim.others.refuses.insert(all_of(SERVICE), refusal);
        }
    }
    play.sim.world.edit_canary(&json!({"spec": spec}));
    play.sim.look();
    never_astray(&mut play, 20)?;
    if matches!(what, Meanwhile::NotAccepted) {
        play.sim.pods.modes.insert("podinfo".into(), Mode::Never);
        never_astray(&mut play, 40)?;
        play.sim.world.edit_canary(&json!({"spec": {"analysis": {"interval": "10s"}}}));
    }
    play.sim.pods.modes.insert("podinfo-primary".into(), Mode::Ready);
    play.sim.pods.modes.insert("podinfo".into(), Mode::Ready);
    play.sim.readings.clear();
    play.sim.others.refuses.clear();
    play.sim.look();
    never_astray(&mut play, 120)?;
    ensure!(play.sim.world.status().run.is_none(), "the run does not end\n{}", play.sim.log.join("\n"));
    ports_are_new(&play)
}

/// Routers with routes of their own.
fn moving() -> impl Iterator<Item = &'static str> {
    router::all().iter().map(|router| router.name()).filter(|name| !["knative", "kubernetes"].contains(name))
}

#[test]
fn every_port_that_a_route_leads_to_stays_until_it_leads_elsewhere() -> Result<()> {
    let mut wrong = Vec::new();
    for provider in moving() {
        for in_a_run in [false, true] {
            wrong
                .extend(edited(provider, in_a_run).err().map(|why| format!("in a run: {in_a_run}, {why:?}")));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}

#[test]
fn no_route_leads_to_a_port_that_its_services_do_not_have_yet() -> Result<()> {
    let mut wrong = Vec::new();
    for provider in moving() {
        for what in [
            Meanwhile::SetBack,
            Meanwhile::RolledBack,
            Meanwhile::Undone,
            Meanwhile::NotAccepted,
            Meanwhile::Refused,
        ] {
            wrong.extend(beside(provider, what).err().map(|why| format!("{what:?}, {why:?}")));
        }
    }
    ensure!(wrong.is_empty(), "{} lives\n{}", wrong.len(), wrong.join("\n\n"));
    Ok(())
}
