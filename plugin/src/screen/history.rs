//! `history`: the runs of a Canary, and one run in full.

use jiff::Timestamp;

use super::{
    release::value,
    table::{Table, cell},
    term::{Line, Sign, Term, Tone, of_outcome, of_verdict},
};
use crate::{
    text::{age, span, time, wrap},
    view::{RunView, model::CheckView},
};

/// Images in short form: for a single container, only the image.
pub(super) fn images(all: &[String]) -> String {
    match all {
        [] => "-".into(),
        [one] => crate::view::short_image(one),
        [first, ..] => format!("{} +{}", crate::view::short_image(first), all.len() - 1),
    }
}

fn took(run: &RunView, now: Timestamp) -> String {
    let end = run.ended.unwrap_or(now);
    run.started.map_or_else(|| "-".into(), |start| span(end.duration_since(start).as_secs()))
}

/// All runs, newest first.
pub fn history(runs: &[RunView], wide: bool, now: Timestamp, term: &Term) -> Vec<Line> {
    let mut names = vec!["RUN", "OUTCOME", "REASON", "REVISION", "IMAGE", "STARTED", "TOOK", "FAILED", "BY"];
    if wide {
        names.push("MESSAGE");
    }
    let last = names.len() - 1;
    let mut table = Table::new(&names, &[last, 4, 2]);
    for run in runs {
        let (sign, tone) = of_outcome(&run.outcome);
        let started = run.started.filter(|_| wide).map_or_else(|| age(run.started, now), time);
        let mut row = vec![
            cell(run.number.to_string()),
            (tone, format!("{} {}", sign.of(term), run.outcome)),
            cell(if run.reason.is_empty() { "-" } else { &run.reason }),
            cell(run.revision.chars().take(8).collect::<String>()),
            cell(images(&run.images)),
            cell(started),
            cell(took(run, now)),
            cell(run.failed_checks.to_string()),
            cell(run.by.clone().unwrap_or_default()),
        ];
        if wide {
            row.push(cell(&run.message));
        }
        table.row(row);
    }
    table.lines(term, true)
}

/// One run.
pub fn run(run: &RunView, now: Timestamp, term: &Term) -> Vec<Line> {
    let (sign, tone) = of_outcome(&run.outcome);
    let arrow = Sign::Arrow.of(term);
    let mut lines = vec![
        Line::of(Tone::Bold, format!("run {} of {}", run.number, run.canary))
            .plain("   ")
            .and(tone, format!("{} {}", sign.of(term), run.outcome))
            .plain(if run.reason.is_empty() { String::new() } else { format!(" ({})", run.reason) }),
    ];
    lines.extend(wrap(&run.message, term.width).into_iter().map(|text| Line::of(Tone::Plain, text)));
    let replaced = format!("{} {arrow} {}", images(&run.promoted_images), images(&run.images));
    let revision = run.revision.chars().take(8).collect::<String>();
    lines.push(Line::of(Tone::Dim, "images   ").plain(format!("{replaced}   (revision {revision})")));
    let started = run.started.map_or_else(|| "-".into(), time);
    let failed = run
        .threshold
        .map_or_else(|| run.failed_checks.to_string(), |limit| format!("{} of {limit}", run.failed_checks));
    lines.push(
        Line::of(Tone::Dim, "started  ")
            .plain(format!("{started}   took {}   failed checks {failed}", took(run, now))),
    );
    for request in &run.requests {
        let by = if request.message.is_empty() { String::new() } else { format!(": {}", request.message) };
        let text = format!("{} {:?}{by}", request.verb, request.answer).to_lowercase();
        lines.push(Line::of(Tone::Dim, "asked    ").plain(format!("{}   {text}", time(request.at.0))));
    }
    lines.extend(tables(run, term));
    if run.left_out > 0 {
        let text = format!("{} more are left out of the record for size", run.left_out);
        lines.push(Line::of(Tone::Dim, text));
    }
    lines
}

fn tables(run: &RunView, term: &Term) -> Vec<Line> {
    let mut lines = Vec::new();
    let at = |t: Option<Timestamp>| t.map_or_else(|| "-".into(), time);
    if !run.steps.is_empty() {
        let mut table = Table::new(&["STEP", "WEIGHT", "SINCE"], &[]);
        for step in &run.steps {
            let index = if step.promotion { "promotion".into() } else { step.index.to_string() };
            table.row(vec![cell(index), cell(step.weight.to_string()), cell(at(step.at))]);
        }
        lines.push(Line::default());
        lines.extend(table.lines(term, true));
    }
    if !run.measurements.is_empty() {
        let mut table = Table::new(&["CHECK", "STEP", "AT", "VALUE", "WANTED", "VERDICT", "WHY"], &[6, 0]);
        for m in &run.measurements {
            let (sign, tone) = of_verdict(&m.verdict);
            let of = CheckView { value: m.value.clone(), ..CheckView::default() };
            table.row(vec![
                cell(&m.metric),
                cell(m.step.to_string()),
                cell(at(m.at)),
                cell(value(&of)),
                cell(&m.wanted),
                (tone, format!("{} {}", sign.of(term), m.verdict.to_lowercase())),
                cell(&m.message),
            ]);
        }
        lines.push(Line::default());
        lines.extend(table.lines(term, true));
    }
    if !run.hooks.is_empty() {
        let mut table = Table::new(&["WEBHOOK", "TYPE", "STEP", "AT", "OUTCOME", "WHY"], &[5, 0]);
        for hook in &run.hooks {
            let tone = if hook.outcome == "Passed" { Tone::Good } else { Tone::Bad };
            table.row(vec![
                cell(&hook.name),
                cell(&hook.type_),
                cell(hook.step.to_string()),
                cell(at(hook.at)),
                (tone, hook.outcome.clone()),
                cell(&hook.message),
            ]);
        }
        lines.push(Line::default());
        lines.extend(table.lines(term, true));
    }
    lines
}
