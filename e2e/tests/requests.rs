//! Which requests are possible when, on the model: each cell of the table in `docs/requests.md`, also with a crash of
//! the operator at every following write.
#![allow(missing_docs, reason = "a test target has no callers")]

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use serin::{
    analysis::Reading,
    api::{Answer, Phase, request::VERBS},
    snapshot::{DEPLOYMENT, ObjectRef},
};
use serin_model::{Sim, Trouble, fixture, pods::Mode};

const CHECK: &str = "request-success-rate";

fn pass(sim: &mut Sim, seconds: u64) {
    sim.advance(Duration::from_secs(seconds));
}

/// Sends the request like `kubectl canary`: for the target's revision.
fn ask(sim: &mut Sim, id: &str, verb: &str) {
    let status = sim.world.status();
    let waiting = status.waiting.and_then(|waiting| waiting.revision).filter(|_| status.run.is_none());
    let revision = waiting.or(status.last_applied_spec);
    let request = json!({"id": id, "verb": verb, "revision": revision, "by": "ann"}).to_string();
    sim.world.edit_canary(&json!({"metadata": {"annotations": {"serin.dev/request": request}}}));
    sim.look();
    sim.settle();
}

/// A Canary in the state of the row.
fn standing(row: &str) -> Result<(Sim, Phase)> {
    if let Some(accepted) = row.strip_suffix(", not accepted") {
        let (mut sim, phase) = standing(accepted)?;
        sim.world.edit_canary(&json!({"spec": {"analysis": {"promotion": {"mode": "sometimes"}}}}));
        sim.look();
        return Ok((sim, phase));
    }
    let gate = json!([{"weight": 20, "gate": {"name": "qa"}}, {"weight": 40}]);
    let spec = match row {
        "waiting to begin" => json!({"analysis": {"startGate": {"name": "qa"}}}),
        "at a gate" => json!({"analysis": {"stepWeight": null, "maxWeight": null, "steps": gate}}),
        "waiting for the promotion" => json!({"analysis": {"promotion": {"mode": "manual"}}}),
        "finalising" | "going back" => json!({"canaryScaleDownDelay": "10m"}),
        _ => json!({}),
    };
    let mut sim = fixture::initialised(&spec);
    if row == "initialising" {
        sim = Sim::new(fixture::world(&spec), "podinfo");
        sim.pods.modes.insert("podinfo-primary".into(), Mode::Never);
        pass(&mut sim, 30);
        return Ok((sim, Phase::Initializing));
    }
    if row == "initialised" {
        return Ok((sim, Phase::Initialized));
    }
    fixture::set_image(&mut sim, "podinfo:2");
    pass(&mut sim, 5);
    let phase = match row {
        "suspended" | "being deleted" => stopped(&mut sim, row),
        _ => brought(&mut sim, row)?,
    };
    Ok((sim, phase))
}

/// A run that is suspended, or whose Canary is deleted.
fn stopped(sim: &mut Sim, row: &str) -> Phase {
    let suspended = row == "suspended";
    if suspended {
        sim.world.edit_canary(&json!({"spec": {"suspend": true}}));
    } else {
        sim.pods.modes.insert("podinfo".into(), Mode::Never);
        sim.world.delete_canary(sim.now);
    }
    sim.look();
    pass(sim, 1);
    if suspended { Phase::Progressing } else { Phase::Terminating }
}

/// From the start of a run to the state of the row.
fn brought(sim: &mut Sim, row: &str) -> Result<Phase> {
    let (seconds, phase) = match row {
        "waiting to begin" => (0, Phase::Waiting),
        "in a run" => (0, Phase::Progressing),
        "in a run, a check fails" => {
            sim.readings.insert(CHECK.into(), Reading::Values(vec![10.0]));
            (8, Phase::Progressing)
        }
        "in a run, frozen" => {
            sim.readings.insert(CHECK.into(), Reading::Failed("connection refused".into()));
            (8, Phase::Progressing)
        }
        "paused" => {
            ask(sim, "before", "pause");
            (0, Phase::Progressing)
        }
        "at a gate" => (10, Phase::Waiting),
        "waiting for the promotion" => (25, Phase::WaitingPromotion),
        "being promoted" => {
            sim.pods.modes.insert("podinfo-primary".into(), Mode::Never);
            (25, Phase::Promoting)
        }
        "finalising" => (60, Phase::Finalising),
        "succeeded" => (120, Phase::Succeeded),
        "going back" => {
            ask(sim, "before", "abort");
            (0, Phase::Progressing)
        }
        "failed" => {
            ask(sim, "before", "abort");
            (60, Phase::Failed)
        }
        other => bail!("the page has a row {other}, which this test does not know"),
    };
    pass(sim, seconds);
    Ok(phase)
}

/// The answer in the words of the page.
fn word(sim: &Sim, id: &str) -> &'static str {
    match sim.world.status().request.filter(|request| request.id == id).map(|request| request.answer) {
        None => "later",
        Some(Answer::Accepted) => "yes",
        Some(Answer::Refused) => "no",
    }
}

/// The page's table: the header and its rows.
fn table(page: &str) -> Vec<Vec<String>> {
    let from = page.lines().skip_while(|line| !line.starts_with("| the Canary is |"));
    let rows = from.take_while(|line| line.starts_with('|')).filter(|line| !line.starts_with("|---"));
    rows.map(|row| {
        row.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    })
    .collect()
}

fn page() -> Result<Vec<Vec<String>>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/requests.md");
    Ok(table(&fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?))
}

#[test]
fn every_verb_is_answered_in_every_phase_as_the_page_says() -> Result<()> {
    let rows = page()?;
    let (head, rows) = rows.split_first().context("the page has a table")?;
    let words: Vec<&str> = VERBS.iter().map(|(word, _)| *word).collect();
    let mut named: Vec<&str> = head[1..].iter().map(String::as_str).collect();
    named.sort_unstable();
    let mut all = words.clone();
    all.sort_unstable();
    ensure!(named == all, "the columns are {named:?}, and the verbs {all:?}");
    let mut wrong = Vec::new();
    for row in rows {
        let (before, phase) = standing(&row[0])?;
        ensure!(
            before.world.status().phase == Some(phase),
            "{}: {:?}\n{}",
            row[0],
            before.world.status().phase,
            before.log.join("\n")
        );
        for (verb, expected) in head[1..].iter().zip(&row[1..]) {
            let mut after = before.clone();
            ask(&mut after, "asked", verb);
            let found = word(&after, "asked");
            if found != *expected {
                let said = after.world.status().request.map(|r| r.message).unwrap_or_default();
                wrong.push(format!("{verb}, {}: {found} ({said}), and the page says {expected}", row[0]));
            }
            pass(&mut after, 300);
            if let Err(broken) = after.verdict() {
                wrong.push(format!("{verb}, {}: {broken}", row[0]));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// The final state of a model: phase, weight, images and outcome of the last run.
fn end_of(sim: &Sim) -> BTreeMap<&'static str, Value> {
    let status = sim.world.status();
    let image = |name: &str| {
        let live = sim.world.objects.at(&ObjectRef::new(DEPLOYMENT, name))?;
        Some(live["spec"]["template"]["spec"]["containers"][0]["image"].clone())
    };
    BTreeMap::from([
        ("phase", json!(status.phase)),
        ("weight", json!(status.canary_weight)),
        ("last run", json!(status.last_run.map(|run| (run.outcome, run.reason)))),
        ("answer", json!(status.request.map(|request| (request.id, request.answer)))),
        ("primary", image("podinfo-primary").unwrap_or_default()),
        ("target", image("podinfo").unwrap_or_default()),
    ])
}

#[test]
fn a_request_comes_to_the_same_end_wherever_the_operator_is_killed() -> Result<()> {
    for (row, verb) in [
        ("in a run", "abort"),
        ("in a run", "pause"),
        ("in a run", "advance"),
        ("in a run", "finish"),
        ("in a run, frozen", "finish"),
        ("paused", "resume"),
        ("paused", "finish"),
        ("paused", "abort"),
        ("at a gate", "pause"),
        ("at a gate", "finish"),
        ("at a gate", "approve"),
        ("waiting for the promotion", "promote"),
        ("being promoted", "abort"),
        ("failed", "retry"),
    ] {
        let (before, _) = standing(row)?;
        let run = |trouble: Option<(usize, usize)>| {
            let mut sim = before.clone();
            sim.trouble_at = trouble.map(|(plan, writes)| (sim.plans + plan, Trouble::CrashAfter(writes)));
            ask(&mut sim, "asked", verb);
            sim.pods.modes.clear();
            pass(&mut sim, 240);
            sim
        };
        let whole = run(None);
        ensure!(word(&whole, "asked") == "yes", "{verb}, {row}\n{}", whole.log.join("\n"));
        for plan in 0..6 {
            for writes in 0..3 {
                let cut = run(Some((plan, writes)));
                cut.verdict().map_err(anyhow::Error::msg)?;
                ensure!(
                    end_of(&whole) == end_of(&cut),
                    "{verb}, {row}, killed in plan {plan} after {writes} writes: {:?} and not {:?}\n{}",
                    end_of(&cut),
                    end_of(&whole),
                    cut.log.join("\n")
                );
            }
        }
    }
    Ok(())
}
