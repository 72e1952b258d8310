//! The moments of a release at which the page's tables edit a Canary, and what happens after each of them.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};
use serin::{
    analysis::Reading,
    api::{EndingKind, Phase},
    snapshot::{DEPLOYMENT, HPA, ObjectRef},
};
use serin_model::{Sim, fixture, pods::Mode, scalers};

/// The metric of all Canaries here.
pub(crate) const CHECK: &str = "request-success-rate";

/// The columns of each table: before a run, in a run, at its end.
pub(crate) const TABLES: [&[&str]; 3] = [
    &["while it is initialised", "at rest", "at the gate of the start"],
    &["in a run", "at the gate of a step", "at the gate of the promotion"],
    &["while it is promoted", "while a promotion is undone", "while it is finished", "while it goes back"],
];

const PRIMARY: &str = "podinfo-primary";
const TARGET: &str = "podinfo";

/// Seconds after an edit at which what the release waits for happens.
pub(crate) const OPENS: u64 = 20;

/// Seconds pass.
pub(crate) fn pass(sim: &mut Sim, seconds: u64) {
    sim.advance(Duration::from_secs(seconds));
}

/// The checks fail from now on.
pub(crate) fn bad(sim: &mut Sim) {
    sim.readings.insert(CHECK.into(), Reading::Values(vec![10.0]));
}

/// The target gets another image, beside a port that the Canary does not name.
fn release(sim: &mut Sim, image: &str) {
    let ports = json!([{"name": "http", "containerPort": 9898}, {"name": "grpc", "containerPort": 9999}]);
    let containers = json!([{"name": "podinfod", "image": image, "ports": ports}]);
    let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
    sim.world.edit(&ObjectRef::new(DEPLOYMENT, TARGET), &patch);
    sim.look();
}

fn asks(sim: &mut Sim, request: &str) {
    sim.world.edit_canary(&json!({"metadata": {"annotations": {"serin.dev/request": request}}}));
    sim.look();
}

fn until(sim: &mut Sim, column: &str, reached: impl Fn(&Sim) -> bool) -> Result<()> {
    for _ in 0..200 {
        if reached(sim) {
            return Ok(());
        }
        pass(sim, 1);
    }
    let phase = sim.world.status().phase;
    bail!("{column}: the model is in {phase:?}\n{}", sim.log.join("\n"))
}

/// The schedule and the gates of the column.
fn spec(column: &str) -> Value {
    let steps =
        json!([{"weight": 20}, {"weight": 40, "gate": {"name": "qa"}}, {"weight": 60}, {"weight": 80}]);
    let mut analysis = json!({"threshold": 10, "stepWeight": 20, "maxWeight": 80});
    match column {
        "at the gate of a step" => {
            analysis = json!({"threshold": 10, "steps": steps, "stepWeight": null, "maxWeight": null});
        }
        "at the gate of the start" => analysis["startGate"] = json!({"name": "board"}),
        "at the gate of the promotion" => {
            analysis["webhooks"] =
                json!([{"name": "promote", "type": "confirm-promotion", "url": "http://tester.test/"}]);
        }
        _ => {}
    }
    json!({"analysis": analysis})
}

/// A Canary at the moment of the column, with one failed check if it is in a run. `more`: what its spec has besides.
pub(crate) fn standing(column: &str, more: &Value) -> Result<Sim> {
    let mut spec = spec(column);
    json_patch::merge(&mut spec, more);
    let mut sim = Sim::new(fixture::world(&spec), TARGET);
    release(&mut sim, "podinfo:1");
    if column == "while it is initialised" {
        sim.pods.modes.insert(PRIMARY.into(), Mode::Vanish);
        pass(&mut sim, 10);
        ensure!(sim.world.status().phase == Some(Phase::Initializing), "{}", sim.log.join("\n"));
        return Ok(sim);
    }
    until(&mut sim, column, |sim| sim.world.status().phase == Some(Phase::Initialized))?;
    pass(&mut sim, 10);
    sim.refusals.insert("promote".into(), "closed".into());
    if column != "at rest" {
        release(&mut sim, "podinfo:2");
        comes_to(&mut sim, column)?;
    }
    Ok(sim)
}

/// A release comes to the moment of the column.
fn comes_to(sim: &mut Sim, column: &str) -> Result<()> {
    let phase = |phase| move |sim: &Sim| sim.world.status().phase == Some(phase);
    let weight = |weight| move |sim: &Sim| sim.world.status().canary_weight == weight;
    if column == "at the gate of the start" {
        return until(sim, column, phase(Phase::Waiting));
    }
    until(sim, column, weight(20))?;
    bad(sim);
    pass(sim, 11);
    sim.readings.clear();
    until(sim, column, weight(40))?;
    match column {
        "in a run" => {}
        "at the gate of a step" => until(sim, column, phase(Phase::Waiting))?,
        "at the gate of the promotion" => until(sim, column, phase(Phase::WaitingPromotion))?,
        "while it is promoted" => {
            sim.pods.modes.insert(PRIMARY.into(), Mode::Never);
            until(sim, column, phase(Phase::Promoting))?;
        }
        "while a promotion is undone" => {
            sim.pods.modes.insert(PRIMARY.into(), Mode::OneUnready);
            let ending =
                |sim: &Sim| sim.world.status().run.and_then(|run| run.ending).map(|ending| ending.kind);
            until(sim, column, |sim| ending(sim) == Some(EndingKind::UndoingPromotion))?;
        }
        "while it is finished" => until(sim, column, phase(Phase::Finalising))?,
        "while it goes back" => asks(sim, "abort/1"),
        other => bail!("the page has a column {other}"),
    }
    // within the window
    pass(sim, if column == "while it goes back" || column == "while it is finished" { 1 } else { 3 });
    Ok(())
}

/// An autoscaler of the target is there.
pub(crate) fn is_scaled(sim: &mut Sim) {
    if sim.world.objects.get(HPA, TARGET).is_none() {
        sim.world.put(HPA, scalers::of_target(HPA), sim.now);
        sim.look();
        pass(sim, 1);
    }
}

/// The canary's pods are gone.
pub(crate) fn loses_pods(sim: &mut Sim) {
    sim.pods.modes.insert(TARGET.into(), Mode::Vanish);
    pass(sim, 2);
}

/// What happens by itself so many seconds after the edit.
pub(crate) fn happens(column: &str, sim: &mut Sim, second: u64) {
    if second == OPENS {
        sim.pods.modes.remove(PRIMARY);
        sim.refusals.clear();
        asks(sim, "approve/2");
    }
    let begins = begins(column);
    if second == begins && column != "at the gate of the start" {
        release(sim, "podinfo:3");
    }
    // the next run waits for its pods, and its first check fails
    if second == begins {
        sim.pods.modes.insert(TARGET.into(), Mode::Vanish);
    } else if second == begins + 5 {
        asks(sim, "approve/3");
    } else if second == begins + 20 {
        sim.pods.modes.remove(TARGET);
        bad(sim);
    } else if second == begins + 35 {
        sim.readings.clear();
    }
    sim.settle();
}

/// Seconds after an edit until the next run begins.
pub(crate) fn begins(column: &str) -> u64 {
    match column {
        "at rest" => 5,
        "while it is initialised" => 40,
        "at the gate of the start" => OPENS,
        _ if TABLES[1].contains(&column) => 80,
        _ => 50,
    }
}
