//! Each cell of the tables in `docs/edits.md`: what an edit leads to at once, and from when it applies. For the latter, the
//! same release is played a second time without the edit: the first difference is when the edit applies.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    fs,
    path::Path,
    thread,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::json;
use serin::{
    api::{CanaryStatus, Phase},
    snapshot::{CANARY_RUN, SERVICE},
};
use serin_model::{Sim, route};

use crate::{
    rows,
    standing::{OPENS, TABLES, begins, happens, pass, standing},
};

/// Seconds of the next run that are looked at.
const RUN: u64 = 95;

/// Seconds of the release that are played after each edit, whatever it leads to.
const AT_LEAST: u64 = 80;

/// The seconds after an edit at which the release is looked at, and those since the last look: closely until its window has
/// ended, and then when something happens to it.
fn moments(column: &str) -> impl Iterator<Item = (u64, u64)> {
    let window = if TABLES[1].contains(&column) { 1..=12 } else { 1..=1 };
    let begins = begins(column);
    let before = begins.saturating_sub(5).max(1);
    let later = [
        OPENS,
        35,
        before,
        begins,
        begins + 5,
        begins + 20,
        begins + 35,
        begins + 55,
        begins + 75,
        begins + RUN,
    ];
    let mut all: Vec<u64> = window.chain(later).collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().scan(0, |last, second| Some((second, second - std::mem::replace(last, second))))
}

/// The rows of the page's table with these columns: the first cell, and those of the columns.
fn table(page: &str, columns: &[&str]) -> Result<Vec<Vec<String>>> {
    let cells = |row: &str| -> Vec<String> {
        row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let of_columns = |line: &&str| line.starts_with('|') && cells(line)[1..] == *columns;
    let head = page.lines().position(|line| of_columns(&line));
    let head = head.with_context(|| format!("no table with {columns:?}"))?;
    Ok(page.lines().skip(head + 2).take_while(|line| line.starts_with('|')).map(cells).collect())
}

/// What an edit leads to at once, if that is more than a later effect.
fn at_once(column: &str, before: &Sim, after: &Sim) -> Option<&'static str> {
    let (was, is) = (before.world.status(), after.world.status());
    let accepted = is.conditions.iter().find(|c| c.type_ == "Accepted" && c.status == "False");
    let said = |reason: &str| after.log[before.log.len()..].iter().any(|line| line.contains(reason));
    let (a, b) = (was.step.clone().unwrap_or_default(), is.step.clone().unwrap_or_default());
    let ending = |status: &CanaryStatus| status.run.as_ref().is_some_and(|r| r.ending.is_some());
    let spec = |sim: &Sim, name: &str| sim.world.objects.get(SERVICE, name).map(|s| s["spec"].clone());
    let followed = ["podinfo", "podinfo-primary", "podinfo-canary"]
        .iter()
        .any(|name| spec(before, name) != spec(after, name));
    let on_primary = |sim: &Sim| {
        let rules = route::rules(&sim.world, sim.names());
        rules.iter().flatten().all(|(service, w)| *w == 0 || service.ends_with("primary"))
    };
    Some(if accepted.is_some_and(|c| c.reason == "FieldInUse") {
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
    } else if followed {
        "objects follow"
    } else if is.phase > Some(Phase::WaitingPromotion)
        && was.phase < Some(Phase::Promoting)
        && TABLES[1].contains(&column)
    {
        "promoted"
    } else if on_primary(after) && !on_primary(before) && (a.weight, a.index) == (b.weight, b.index) {
        "traffic to the primary"
    } else {
        return None;
    })
}

/// Objects, what the status says about traffic, and the lines of a while.
type Seen = BTreeSet<String>;

/// What can be seen of a model from outside: objects, phase, weight, questions, calls, writes and Events. Neither advice
/// nor the records of runs, nor what the status remembers.
fn seen(sim: &Sim, from: usize) -> Seen {
    let acts = ["ask ", "call ", "create ", "patch ", "scale ", "delete ", "say "];
    let line =
        |line: &&String| acts.iter().any(|verb| line.starts_with(verb)) && !line.contains(" Advisory:");
    let lines = sim.log[from..].iter().filter(line).cloned();
    let objects = sim.world.objects.iter().filter(|(at, _)| at.kind != CANARY_RUN).map(|(at, object)| {
        let content = [&object["metadata"]["labels"], &object["spec"], &object["data"]];
        format!("{at} {content:?}")
    });
    let status = sim.world.status();
    let held = status.conditions.iter().any(|c| c.type_ == "Suspended");
    let traffic = format!("{:?}, {} %, held {held}", status.phase, status.canary_weight);
    lines.chain(objects).chain([traffic]).collect()
}

/// The release without an edit, as it was seen at each moment.
struct Plain {
    before: Sim,
    seen: Vec<(Seen, bool, Option<Phase>)>,
}

fn plain(row: &str, column: &str) -> Result<Plain> {
    let mut before = standing(column, &rows::before(row))?;
    rows::prepare(row, column, &mut before);
    let (mut sim, mut looked) = (before.clone(), before.log.len());
    let mut all = vec![(seen(&sim, looked), false, sim.world.status().phase)];
    for (second, passed) in moments(column) {
        pass(&mut sim, passed);
        let rests = sim.world.status().run.is_none();
        ensure!(second != begins(column) || rests, "{column}: a run is left\n{}", sim.log.join("\n"));
        happens(column, &mut sim, second);
        let asks = sim.log[looked..].iter().any(|line| line.starts_with("ask "));
        all.push((seen(&sim, looked), asks, sim.world.status().phase));
        looked = sim.log.len();
    }
    Ok(Plain { before, seen: all })
}

/// From when the edit applies, in the words of the page, by the first moment at which the release differs from the one
/// without it.
fn applies(column: &str, second: u64, plain: &Plain, moment: usize, after: &Sim) -> &'static str {
    let ended = |phase: Option<Phase>| matches!(phase, Some(Phase::Succeeded | Phase::Failed));
    let both = ended(after.world.status().phase) && ended(plain.seen[moment].2);
    let over = both || plain.seen[..moment].iter().any(|(_, _, phase)| ended(*phase));
    let asked = plain.seen[..moment].iter().any(|(_, asks, _)| *asks);
    let (before, within) = (TABLES[0].contains(&column), TABLES[1].contains(&column));
    match second {
        0 => "at once",
        _ if (over || before) && second >= begins(column) => "next run",
        _ if before => "before the run",
        _ if over => "after the run",
        _ if within && plain.seen[moment].1 && !asked => "at the window's end",
        _ => "in this run",
    }
}

/// What the cell has to say, and the first difference to the release without the edit.
fn cell(row: &str, column: &str, plain: &Plain) -> Result<(String, String)> {
    let before = &plain.before;
    let spec = before.world.canary.as_ref().map(|canary| canary["spec"].clone()).unwrap_or_default();
    let mut after = before.clone();
    after.world.edit_canary(&json!({"spec": rows::edit(row, &spec)?}));
    after.observer.decisions.spec_edited = true;
    after.look();
    after.settle();
    let mut outcome = at_once(column, before, &after);
    let (mut looked, mut first) = (before.log.len(), String::new());
    let moments = std::iter::once((0, 0)).chain(moments(column));
    for (moment, (second, passed)) in moments.enumerate() {
        if outcome.is_some() && second > AT_LEAST {
            break;
        }
        if second > 0 {
            pass(&mut after, passed);
            happens(column, &mut after, second);
        }
        if outcome.is_none() {
            let (is, was) = (seen(&after, looked), &plain.seen[moment].0);
            if let Some(line) = is.symmetric_difference(was).last() {
                outcome = Some(applies(column, second, plain, moment, &after));
                first = format!("after {second} s: {line}");
            }
        }
        looked = after.log.len();
    }
    let broken = after.verdict().err();
    let broken = broken.map(|text| format!(", but {}", text.lines().next().unwrap_or_default()));
    Ok((outcome.unwrap_or("nothing").to_owned() + &broken.unwrap_or_default(), first))
}

/// The cells of a column that the page has wrong.
fn wrong(rows: &[Vec<String>], column: &str, at: usize) -> Result<Vec<String>> {
    let (mut wrong, mut releases) = (Vec::new(), BTreeMap::new());
    for row in rows {
        let release = match releases.entry(rows::kind(&row[0])) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(plain(&row[0], column)?),
        };
        let (found, first) = cell(&row[0], column, release)?;
        if found != row[at] {
            wrong.push(format!("{} | {column} | {found} | {} | {first}", row[0], row[at]));
        }
    }
    Ok(wrong)
}

fn as_the_page_says(columns: &[&str]) -> Result<()> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/edits.md"))?;
    let rows = table(&page, columns)?;
    let found: Vec<Vec<String>> = thread::scope(|scope| {
        let each = columns.iter().zip(1..);
        let all: Vec<_> = each
            .map(|(column, at)| {
                scope.spawn({
                    let rows = &rows;
                    move || wrong(rows, column, at)
                })
            })
            .collect();
        all.into_iter()
            .map(|one| one.join().map_err(|_| anyhow!("a column ended early"))?)
            .collect::<Result<_>>()
    })?;
    let found = found.concat();
    ensure!(
        found.is_empty(),
        "edit, moment, what happens, what the page says, first difference:\n{}",
        found.join("\n")
    );
    Ok(())
}

#[test]
fn an_edit_before_a_run_leads_to_what_the_page_says() -> Result<()> {
    as_the_page_says(TABLES[0])
}

#[test]
fn an_edit_in_a_run_leads_to_what_the_page_says() -> Result<()> {
    as_the_page_says(TABLES[1])
}

#[test]
fn an_edit_at_the_end_of_a_run_leads_to_what_the_page_says() -> Result<()> {
    as_the_page_says(TABLES[2])
}

#[test]
fn the_tables_have_the_same_rows() -> Result<()> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/edits.md"))?;
    let rows = |columns| -> Result<Vec<String>> {
        Ok(table(&page, columns)?.into_iter().map(|mut row| row.remove(0)).collect())
    };
    let first = rows(TABLES[0])?;
    ensure!(first.len() >= 36, "{} rows", first.len());
    for columns in &TABLES[1..] {
        ensure!(rows(columns)? == first, "the rows beside {columns:?}");
    }
    Ok(())
}
