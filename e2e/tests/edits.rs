//! Edits, crashes and refusals during a release, on the model: each cell of the table in `docs/edits.md`, and cases
//! between two writes that scenarios cannot express.
#![allow(missing_docs, reason = "a test target has no callers")]

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use serin::{
    analysis::Reading,
    api::Phase,
    snapshot::{CANARY_RUN, DEPLOYMENT, HPA, Kind, ObjectRef, REVISION},
};
use serin_model::{Sim, Trouble, fixture, observer::Observer, others::Refusal, pods::Mode, route, scalers};

const CHECK: &str = "request-success-rate";
const COLUMNS: [&str; 5] = ["at rest", "in a run", "at a gate", "while it is promoted", "while it goes back"];

/// Seconds pass.
fn pass(sim: &mut Sim, seconds: u64) {
    sim.advance(Duration::from_secs(seconds));
}

fn bad(sim: &mut Sim) {
    sim.readings.insert(CHECK.into(), Reading::Values(vec![10.0]));
}

/// A Canary in the state of the column, with one failed check if it is in a run.
fn standing(column: &str) -> Result<Sim> {
    let steps =
        json!([{"weight": 20}, {"weight": 40, "gate": {"name": "qa"}}, {"weight": 60}, {"weight": 80}]);
    let gated = json!({"analysis": {"threshold": 10, "stepWeight": null, "maxWeight": null, "steps": steps}});
    let weighted = json!({"analysis": {"threshold": 10, "stepWeight": 20, "maxWeight": 80}});
    let mut sim = fixture::initialised(if column == "at a gate" { &gated } else { &weighted });
    if column == "at rest" {
        return Ok(sim);
    }
    fixture::set_image(&mut sim, "podinfo:2");
    pass(&mut sim, 5);
    bad(&mut sim);
    pass(&mut sim, 10);
    sim.readings.clear();
    pass(&mut sim, 10);
    match column {
        "in a run" => {}
        "at a gate" => pass(&mut sim, 20),
        "while it is promoted" => {
            sim.pods.modes.insert("podinfo-primary".into(), Mode::Never);
            pass(&mut sim, 35);
        }
        "while it goes back" => {
            sim.world.edit_canary(&json!({"metadata": {"annotations": {"serin.dev/request": "abort/1"}}}));
            pass(&mut sim, 1);
        }
        other => bail!("the page has a column {other}"),
    }
    let expected = match column {
        "at a gate" => Phase::Waiting,
        "while it is promoted" => Phase::Promoting,
        _ => Phase::Progressing,
    };
    let phase = sim.world.status().phase;
    ensure!(phase == Some(expected), "{column}: the model is in {phase:?}\n{}", sim.log.join("\n"));
    Ok(sim)
}

/// The edit of a table row.
fn edit(row: &str) -> Result<Value> {
    let list = json!({"stepWeight": null, "maxWeight": null, "steps": null});
    let analysis = |patch: Value| json!({"analysis": patch});
    let in_place = |patch: Value| {
        let mut whole = list.clone();
        for (key, value) in patch.as_object().into_iter().flatten() {
            whole[key] = value.clone();
        }
        json!({"analysis": whole})
    };
    Ok(match row {
        "`analysis.interval`" => analysis(json!({"interval": "20s"})),
        "`analysis.steps` in place of weights" => {
            in_place(json!({"steps": [{"weight": 30}, {"weight": 60}]}))
        }
        "`analysis.mirror`" => analysis(json!({"mirror": true})),
        "`analysis.sessionAffinity` (added)" => {
            analysis(json!({"sessionAffinity": {"cookieName": "release"}}))
        }
        "`analysis.always` (added)" => analysis(json!({"always": [{"headers": {"x": {"exact": "y"}}}]})),
        "`analysis.canaryReplicas` (added)" => analysis(json!({"canaryReplicas": 1})),
        "`autoscalerRef` (added)" => json!({"autoscalerRef": {
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "podinfo",
        }}),
        "`autoscalerRef` (of none that exists)" => json!({"autoscalerRef": {
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "gone",
        }}),
        "`progressDeadlineSeconds`" => json!({"progressDeadlineSeconds": 30}),
        "`canaryScaleDownDelay`" => json!({"canaryScaleDownDelay": "5m"}),
        "`service.targetPort`" => json!({"service": {"targetPort": 9898}}),
        "`analysis.stepWeight` (larger)" => in_place(json!({"stepWeight": 50, "maxWeight": 100})),
        "`analysis.maxWeight` (below the weight)" => in_place(json!({"stepWeight": 10, "maxWeight": 10})),
        "`analysis.iterations` in place of weights" => in_place(json!({"iterations": 3})),
        "`analysis.match` (added)" => analysis(json!({"match": [{"headers": {"x": {"exact": "y"}}}]})),
        "`analysis.threshold` (as many as have failed)" => analysis(json!({"threshold": 1})),
        "`analysis.metrics` (one added)" => analysis(json!({"metrics": [
            {"name": CHECK, "thresholdRange": {"min": 99}},
            {"name": "request-duration", "thresholdRange": {"max": 500}},
        ]})),
        "`analysis.metrics` (all removed)" => analysis(json!({"metrics": []})),
        "`analysis.webhooks` (one added)" => analysis(
            json!({"webhooks": [{"name": "smoke", "type": "rollout", "url": "http://tester.test/"}]}),
        ),
        "`analysis.promotion` (manual)" => analysis(json!({"promotion": {"mode": "manual"}})),
        "`analysis` (invalid)" => analysis(json!({"promotion": {"mode": "sometimes"}})),
        "`skipAnalysis`" => json!({"skipAnalysis": true}),
        "`release`" => json!({"release": "2"}),
        "`suspend`" => json!({"suspend": true}),
        "`service.port`" => json!({"service": {"port": 8080}}),
        "`service.name`" => json!({"service": {"name": "web"}}),
        "`provider`" => json!({"provider": "contour"}),
        "`targetRef`" => json!({"targetRef": {"name": "web"}}),
        other => bail!("the page has a row {other}, which this test does not know"),
    })
}

/// The immediate result of an edit, in the words of the page.
fn outcome(column: &str, before: &Sim, after: &Sim) -> String {
    let (was, is) = (before.world.status(), after.world.status());
    let accepted = is.conditions.iter().find(|c| c.type_ == "Accepted" && c.status == "False");
    let said = |reason: &str| after.log[before.log.len()..].iter().any(|line| line.contains(reason));
    let (a, b) = (was.step.clone().unwrap_or_default(), is.step.clone().unwrap_or_default());
    let ending = |status: &serin::api::CanaryStatus| status.run.as_ref().is_some_and(|r| r.ending.is_some());
    let spec =
        |sim: &Sim| sim.world.objects.get(serin::snapshot::SERVICE, "podinfo").map(|s| s["spec"].clone());
    let words = if accepted.is_some_and(|c| c.reason == "FieldInUse") {
        "not followed"
    } else if accepted.is_some() {
        "not accepted"
    } else if is.conditions.iter().any(|c| c.type_ == "Suspended") {
        "held"
    } else if ending(&is) && !ending(&was) {
        "run goes back"
    } else if said("StepsRestarted") {
        "steps begin again"
    } else if said("WeightLowered") {
        "weight goes down"
    } else if b.weight > a.weight {
        "goes on"
    } else if spec(before) != spec(after) {
        "objects follow"
    } else if is.phase > Some(Phase::WaitingPromotion)
        && was.phase < Some(Phase::Promoting)
        && column != "at rest"
    {
        "promoted"
    } else if route::rules(&after.world, after.names())
        .iter()
        .flatten()
        .all(|(s, w)| *w == 0 || s.ends_with("primary"))
        && (a.weight, a.index) == (b.weight, b.index)
        && b.weight > 0
    {
        "traffic to the primary"
    } else if was.phase == is.phase && a.weight == b.weight {
        match column {
            "at rest" => "next run",
            "in a run" | "at a gate" => "from the next window",
            _ => "nothing changes",
        }
    } else {
        return format!("step {a:?} becomes {b:?}, phase {:?} becomes {:?}", was.phase, is.phase);
    };
    words.to_owned()
}

/// The rows of the page's table: the first cell, and those of the columns.
fn table(page: &str) -> Vec<Vec<String>> {
    let rows = page.lines().filter(|line| line.starts_with('|') && !line.starts_with("|---"));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

#[test]
fn an_edit_leads_to_what_the_page_says() -> Result<()> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/edits.md");
    let rows = table(&fs::read_to_string(page)?);
    let (head, rows) = rows.split_first().context("the page has a table")?;
    ensure!(head[1..] == COLUMNS, "columns {head:?}");
    let mut wrong = Vec::new();
    for row in rows {
        for (column, expected) in COLUMNS.iter().zip(&row[1..]) {
            let before = standing(column)?;
            let mut after = before.clone();
            if row[0] == "`autoscalerRef` (added)" {
                after.world.put(HPA, scalers::of_target(HPA), after.now);
            }
            after.world.edit_canary(&json!({"spec": edit(&row[0])?}));
            after.observer.decisions.spec_edited = true;
            after.look();
            after.settle();
            let found = outcome(column, &before, &after);
            if found != *expected {
                wrong.push(format!("{} {column}: {found}, and the page says {expected}", row[0]));
            }
            pass(&mut after, 150);
            if let Err(broken) = after.verdict() {
                wrong.push(format!("{} {column}: {}", row[0], broken.lines().next().unwrap_or_default()));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

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
    let refusal = Refusal { why: "denied by a policy".into(), field: None };
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
