//! `explain`: the current state of a release and its next step, in sentences.

use jiff::Timestamp;

use super::{
    release::{limit, value},
    term::{Line, Term, Tone, shown},
};
use crate::{
    text::{age, wrap},
    view::{CanaryView, State, WaitingKind},
};

/// The paragraph.
pub fn explain(view: &CanaryView, now: Timestamp, term: &Term) -> Vec<Line> {
    let width = term.width.min(100);
    let mut lines: Vec<Line> = wrap(&sentences(view, now, term), width)
        .into_iter()
        .map(|text| Line::of(Tone::Plain, text))
        .collect();
    for command in view.waiting_for.iter().flat_map(|w| &w.commands) {
        let does = format!("  to {:<10}", format!("{}:", command.does));
        lines.push(Line::of(Tone::Dim, does).and(Tone::Bold, &command.command));
    }
    lines
}

/// Its sentences, in one line.
pub fn sentences(view: &CanaryView, now: Timestamp, term: &Term) -> String {
    let mut said = vec![place(view, now), format!("{}.", view.headline.trim_end_matches('.'))];
    said.extend(failing(view, term));
    if view.run.is_some() && view.failed_checks.count > 0 {
        let failed = view.failed_checks;
        said.push(format!(
            "{} of {} failed checks are counted; at {} it is rolled back.",
            failed.count, failed.limit, failed.limit
        ));
    }
    said.extend(ends(view, now));
    said.extend(next(view, now));
    shown(term, &said.join(" "))
}

fn place(view: &CanaryView, now: Timestamp) -> String {
    let word = view.state.word(&view.phase);
    let since = view.since.map(|at| format!(" for {}", age(Some(at), now))).unwrap_or_default();
    match &view.progress {
        Some(at) if at.at > 0 => format!(
            "{} is {word}, at step {} of {} (weight {}){since}:",
            view.name, at.at, at.of, view.weight.wanted
        ),
        _ => format!("{} is {word}{since}:", view.name),
    }
}

fn failing(view: &CanaryView, term: &Term) -> Vec<String> {
    let live = view.run.is_some() || view.state == State::Failed;
    let bad = view.checks.iter().filter(|c| live && c.verdict.as_deref().is_some_and(|v| v != "Pass"));
    bad.map(|check| {
        let row = if check.failed_in_row > 1 {
            format!(", {} times in a row", check.failed_in_row)
        } else {
            String::new()
        };
        let verdict = check.verdict.clone().unwrap_or_default();
        let verdict = if verdict == "Fail" { "failed".to_owned() } else { format!("came to {verdict}") };
        format!("{} {verdict}{row}: {} measured, wanted {}.", check.name, value(check), limit(check, term))
    })
    .collect()
}

fn ends(view: &CanaryView, now: Timestamp) -> Option<String> {
    let waits = view.waiting_for.as_ref()?;
    let end = waits.deadline?;
    let then = if waits.on_deadline == Some("proceed") { "goes on by itself" } else { "is rolled back" };
    Some(format!("If nobody answers, it {then} in {}.", age(Some(now), end)))
}

/// The result of the next check.
fn next(view: &CanaryView, now: Timestamp) -> Option<String> {
    let progress = view.progress.as_ref().filter(|_| view.state == State::Progressing)?;
    let blocked = view
        .waiting_for
        .as_ref()
        .is_some_and(|w| matches!(w.kind, WaitingKind::Pods | WaitingKind::Route | WaitingKind::Job));
    if blocked || progress.at == 0 {
        return None;
    }
    let when = progress.next_look.filter(|at| *at > now).map(|at| format!(" in {}", age(Some(now), at)));
    let gate = view.steps.get(progress.at.saturating_sub(1)).and_then(|step| step.gate.as_ref());
    let then = match (gate, view.steps.get(progress.at)) {
        (Some(gate), _) => format!("it waits at the gate {gate:?}"),
        (None, Some(step)) => format!("the weight becomes {}", step.weight),
        (None, None) if view.promotion == "manual" => "it waits to be promoted".into(),
        (None, None) => "the revision is promoted".into(),
    };
    let failed = view.failed_checks;
    let strict: Vec<&str> =
        view.checks.iter().filter(|check| check.last_chance).map(|check| check.name.as_str()).collect();
    let after = if failed.count + 1 >= failed.limit {
        "it is rolled back".to_owned()
    } else if strict.is_empty() {
        format!("{} of {} failed checks are counted", failed.count + 1, failed.limit)
    } else {
        let strict = strict.join(" or ");
        format!(
            "{} of {} failed checks are counted; if {strict} fails, it is rolled back",
            failed.count + 1,
            failed.limit
        )
    };
    Some(format!(
        "The next look is{}. If every check passes and the step has lasted long enough, {then}; if one fails, {after}.",
        when.unwrap_or_else(|| " due".into())
    ))
}
