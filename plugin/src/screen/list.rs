//! `list`: a line for each Canary.

use jiff::Timestamp;

use super::{
    table::{Table, cell},
    term::{Line, Term, Tone, of_state},
};
use crate::{
    text::{age, time},
    view::{CanaryView, State},
};

/// The columns to show.
#[derive(Clone, Copy, Debug, Default)]
pub struct Columns {
    /// The namespace.
    pub namespaces: bool,
    /// Provider, strategy, target, run and revision, and times instead of ages.
    pub wide: bool,
}

/// Failed checks get a column from this width on.
const ROOMY: usize = 100;

/// The table.
pub fn list(views: &[CanaryView], columns: Columns, now: Timestamp, term: &Term, header: bool) -> Vec<Line> {
    let mut names = vec![];
    if columns.namespaces {
        names.push("NAMESPACE");
    }
    names.extend(["NAME", "STATUS", "STEP", "WEIGHT"]);
    // on a narrow screen the note is more useful
    let checks = term.width >= ROOMY;
    if checks {
        names.push("CHECKS");
    }
    names.push("CHANGED");
    if columns.wide {
        names.extend(["PROVIDER", "STRATEGY", "TARGET", "RUN", "REVISION"]);
    }
    names.push("NOTE");
    let last = names.len() - 1;
    let first = usize::from(columns.namespaces);
    let mut table = Table::new(&names, &[last, first, 0]);
    for view in views {
        let (sign, tone) = of_state(view.state);
        let mut row = vec![];
        if columns.namespaces {
            row.push(cell(&view.namespace));
        }
        row.push(cell(&view.name));
        row.push((tone, format!("{} {}", sign.of(term), view.state.word(&view.phase))));
        row.push(cell(step(view)));
        row.push(cell(view.weight.canary.to_string()));
        if checks {
            row.push(cell(format!("{}/{}", view.failed_checks.count, view.failed_checks.limit)));
        }
        let changed = match view.since.filter(|_| columns.wide) {
            Some(at) => time(at),
            None => age(view.since, now),
        };
        row.push(cell(changed));
        if columns.wide {
            row.extend(wide(view).map(cell));
        }
        row.push((Tone::Plain, note(view, now)));
        table.row(row);
    }
    table.lines(term, header)
}

fn step(view: &CanaryView) -> String {
    view.progress.as_ref().map_or_else(|| "-".into(), |p| format!("{}/{}", p.at, p.of))
}

fn wide(view: &CanaryView) -> [String; 5] {
    let or =
        |text: Option<&String>| text.filter(|t| !t.is_empty()).map_or_else(|| "-".to_owned(), Clone::clone);
    let last = view.last_run.as_ref();
    let run = view.run.as_ref().map(|run| run.number).or_else(|| last.map(|run| run.number));
    let revision = view.run.as_ref().map(|run| &run.revision).or_else(|| last.map(|run| &run.revision));
    [
        or(view.provider.as_ref()),
        or(view.strategy.as_ref()),
        format!("{}/{}", view.target.kind, view.target.name),
        run.map_or_else(|| "-".to_owned(), |number| number.to_string()),
        revision.map_or_else(|| "-".to_owned(), |hash| hash.chars().take(8).collect()),
    ]
}

/// The most important information about a Canary.
fn note(view: &CanaryView, now: Timestamp) -> String {
    match (view.state, &view.waiting_for) {
        (State::Healthy, _) if view.declined() => view.headline.clone(),
        (State::Healthy, _) | (State::Progressing, None) => String::new(),
        (State::Waiting, Some(waits)) => match waits.deadline {
            Some(end) => format!("{}, closes in {}", waits.text, age(Some(now), end)),
            None => waits.text.clone(),
        },
        _ => view.headline.clone(),
    }
}
