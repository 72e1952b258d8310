//! Edits, crashes and refusals during a release, on the model: each cell of the tables in `docs/edits.md`, and cases
//! between two writes that scenarios cannot express.
#![allow(missing_docs, reason = "a test target has no callers")]

mod page;
mod rows;
mod standing;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use serin::{
    api::Phase,
    snapshot::{CANARY_RUN, DEPLOYMENT, Kind, ObjectRef, REVISION},
};
use serin_model::{Sim, Trouble, fixture, observer::Observer, others::Refusal, route};

use standing::{bad, pass};

/// A run at 20 %, with a threshold of one failed check.
fn in_a_run() -> Sim {
    let mut sim = fixture::initialised(&json!({"analysis": {"threshold": 1}}));
    fixture::set_image(&mut sim, "podinfo:2");
    pass(&mut sim, 5);
    sim
}

fn sound(sim: &Sim) -> Result<()> {
    sim.verdict().map_err(anyhow::Error::msg)
}

fn canary_weight(sim: &Sim) -> i64 {
    route::weight_of(&sim.world, sim.names(), "podinfo-canary")
}

#[test]
fn b6_a_rollback_ends_although_the_spec_has_become_invalid() -> Result<()> {
    let mut sim = in_a_run();
    bad(&mut sim);
    sim.now = serin_model::time::later(sim.now, Duration::from_secs(5));
    sim.trouble = Some(Trouble::CrashAfter(1));
    sim.step();
    assert!(sim.world.status().run.is_some_and(|run| run.ending.is_some()), "it was decided");
    assert_eq!(canary_weight(&sim), 20, "and the route was not written");
    for patch in [json!({"analysis": {"promotion": {"mode": "sometimes"}}}), json!({"provider": "nowhere"})] {
        let mut sim = sim.clone();
        sim.world.edit_canary(&json!({"spec": patch}));
        sim.observer.decisions.spec_edited = true;
        sim.look();
        pass(&mut sim, 60);
        assert_eq!(canary_weight(&sim), 0);
        assert_eq!(sim.world.status().phase, Some(Phase::Failed), "{}", sim.log.join("\n"));
        sound(&sim)?;
    }
    Ok(())
}

#[test]
fn c18_a_restart_whose_status_was_refused_is_no_rollback() -> Result<()> {
    let mut sim = in_a_run();
    fixture::set_image(&mut sim, "podinfo:3");
    sim.trouble = Some(Trouble::Conflict);
    sim.step();
    assert_eq!(canary_weight(&sim), 0, "the route is lowered all the same");
    fixture::set_image(&mut sim, "podinfo:2");
    pass(&mut sim, 120);
    assert_eq!(sim.world.status().phase, Some(Phase::Succeeded), "{}", sim.log.join("\n"));
    sound(&sim)
}

/// The Canary and its owned objects of these kinds are deleted, and the Canary is created again.
fn made_again(sim: &mut Sim, kinds: &[Kind]) {
    for kind in kinds {
        let name_of = |object: &Value| object["metadata"]["name"].as_str().map(str::to_owned);
        let all: Vec<String> = sim.world.objects.of(*kind).filter_map(name_of).collect();
        for name in all {
            sim.world.objects.remove(&ObjectRef::new(*kind, name));
        }
    }
    let mut canary = fixture::canary(&json!({}));
    canary["metadata"]["finalizers"] = json!(null);
    sim.world.canary = None;
    let now = sim.now;
    sim.world.put_canary(canary, now);
    sim.observer = Observer::default();
    sim.observer.lenient = true;
    sim.readings.clear();
    sim.look();
}

#[test]
fn a_canary_that_is_made_again_records_its_runs_beside_those_that_are_left() -> Result<()> {
    let mut sim = in_a_run();
    bad(&mut sim);
    pass(&mut sim, 60);
    let names = |sim: &Sim| -> Vec<String> {
        let all = sim.world.objects.of(CANARY_RUN);
        all.filter_map(|run| run["metadata"]["name"].as_str().map(str::to_owned)).collect()
    };
    let left = names(&sim);
    ensure!(!left.is_empty(), "no record of the first run");
    made_again(&mut sim, &[REVISION]);
    pass(&mut sim, 120);
    fixture::set_image(&mut sim, "podinfo:3");
    pass(&mut sim, 120);
    let status = sim.world.status();
    let last = status.last_run.context("a run of the second Canary")?;
    ensure!(last.outcome == serin::api::RunPhase::Promoted, "{:?}", last.outcome);
    ensure!(!left.contains(&last.name), "{} was there before", last.name);
    let record = sim.world.objects.get(CANARY_RUN, &last.name).context("its record")?;
    ensure!(record["status"]["phase"] == "Promoted", "{record}");
    Ok(())
}

#[test]
fn a_route_that_is_gone_comes_back_although_what_stands_beside_it_is_refused() -> Result<()> {
    let mut sim = in_a_run();
    let (beside, route) = (
        ObjectRef::new(route::DESTINATION_RULE, "podinfo-canary"),
        ObjectRef::new(route::VIRTUAL_SERVICE, "podinfo"),
    );
    let refusal = Refusal { why: "denied by a policy".into(), ..Refusal::default() };
    sim.others.refuses.insert(beside.clone(), refusal);
    ensure!(sim.world.edit(&beside, &json!({"spec": {"host": "drifted"}})), "there is no {beside}");
    pass(&mut sim, 2);
    sim.world.objects.remove(&route);
    sim.look();
    pass(&mut sim, 5);
    ensure!(sim.world.objects.at(&route).is_some(), "{}", sim.log.join("\n"));
    ensure!(canary_weight(&sim) > 0, "{}", sim.log.join("\n"));
    sound(&sim)
}

#[test]
fn c12_a_primary_that_is_left_keeps_what_it_runs() -> Result<()> {
    let mut sim = in_a_run();
    bad(&mut sim);
    pass(&mut sim, 60);
    assert_eq!(sim.world.status().phase, Some(Phase::Failed));
    // garbage collection deletes the objects that the Canary owned
    made_again(&mut sim, &[REVISION, CANARY_RUN]);
    let image = |sim: &Sim| {
        let primary = sim.world.objects.get(DEPLOYMENT, "podinfo-primary");
        primary.map(|p| p["spec"]["template"]["spec"]["containers"][0]["image"].clone()).unwrap_or_default()
    };
    let mut ran = false;
    for _ in 0..120 {
        pass(&mut sim, 1);
        let phase = sim.world.status().phase;
        ran |= phase == Some(Phase::Progressing);
        if phase < Some(Phase::Promoting) {
            assert_eq!(image(&sim), "podinfo:1", "in {phase:?}\n{}", sim.log.join("\n"));
        }
    }
    assert!(ran, "the target's template is analysed");
    assert_eq!(image(&sim), "podinfo:2");
    sound(&sim)
}
