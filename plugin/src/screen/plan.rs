//! `simulate`: the schedule as a table, and its consequences in sentences.

use super::{
    table::{Table, cell},
    term::{Line, Sign, Term, Tone, shown},
};
use crate::{
    simulate::{GatePlan, PlanView},
    text::{span, wrap},
};

/// Indentation of the sentences.
const INDENT: usize = 20;
/// Maximum width: longer lines are hard to read.
const WIDEST: usize = 120;

/// The screen.
pub fn plan(view: &PlanView, term: &Term) -> Vec<Line> {
    let dot = Sign::Dot.of(term);
    let place = if view.namespace.is_empty() { String::new() } else { format!(" in {}", view.namespace) };
    let ends = if view.threshold == 1 {
        "1 failed check".into()
    } else {
        format!("{} failed checks", view.threshold)
    };
    let head = format!(
        "{}{place} {dot} {} {dot} {} {dot} a check every {} {dot} rolled back at {ends}",
        view.name,
        view.provider,
        view.strategy,
        seconds(view.interval_seconds)
    );
    let texts = wrap(&shown(term, &head), term.width.min(WIDEST));
    let mut lines: Vec<Line> = texts.into_iter().map(|text| Line::of(Tone::Bold, text)).collect();
    lines.extend(checks(view, term));
    if let Some(gate) = &view.start_gate {
        lines.extend(said("before it begins", &waits(gate), term));
    }
    if !view.steps.is_empty() {
        lines.push(Line::default());
        lines.extend(table(view, term));
    }
    lines.push(Line::default());
    lines.extend(said("earliest promotion", &promotion(view), term));
    lines.extend(said("earliest rollback", &rollback(view), term));
    lines.extend(said("not known", &view.unknown.join("; "), term));
    lines
}

fn checks(view: &PlanView, term: &Term) -> Vec<Line> {
    if view.checks.is_empty() {
        return vec![Line::of(
            Tone::Warn,
            "nothing is measured: every version that becomes ready is promoted",
        )];
    }
    let one = |check: &crate::simulate::CheckPlan| {
        let mut text = format!("{} {}", check.name, check.wanted);
        if check.from_step > 1 {
            text = format!("from step {} on {text}", check.from_step);
        }
        if let Some(count) = check.count {
            text.push_str(&format!(", {count} times"));
        }
        if check.dry_run {
            text.push_str(" (decides nothing)");
        }
        text
    };
    let all: Vec<_> = view.checks.iter().map(one).collect();
    said("checks", &all.join("; "), term)
}

fn table(view: &PlanView, term: &Term) -> Vec<Line> {
    let mut table = Table::new(&["#", "WEIGHT", "AT LEAST", "OVER AT", "WAITS FOR"], &[4]);
    for step in &view.steps {
        let weight = match (step.mirrored, step.iteration) {
            (true, _) => "copies".to_owned(),
            (_, Some(n)) => format!("{} % ({n})", step.weight),
            _ => format!("{} %", step.weight),
        };
        let gate = step.gate.as_ref().map(waits).unwrap_or_default();
        table.row(vec![
            cell(step.index.to_string()),
            cell(weight),
            cell(seconds(step.lasts_seconds)),
            cell(seconds(step.over_at_seconds)),
            (Tone::Warn, gate),
        ]);
    }
    table.lines(term, true)
}

fn waits(gate: &GatePlan) -> String {
    let name = gate.name.as_ref().map_or_else(|| "a gate".to_owned(), |name| format!("gate {name}"));
    match gate.deadline_seconds {
        None => format!("{name} (for ever)"),
        Some(time) if gate.on_deadline == "proceed" => format!("{name} ({}, then it goes on)", seconds(time)),
        Some(time) => format!("{name} ({}, then it is rolled back)", seconds(time)),
    }
}

fn promotion(view: &PlanView) -> String {
    let best = &view.promotion;
    let mut text = format!("{} after the pods are ready", seconds(best.earliest_seconds));
    if let Some(metric) = &best.held_by {
        text.push_str(&format!(", which is when {metric} has been measured often enough"));
    }
    if !best.waits_for.is_empty() {
        text.push_str(&format!(", if people answer at once: {}", best.waits_for.join(", ")));
    }
    text
}

fn rollback(view: &PlanView) -> String {
    match &view.rollback {
        None => "none: no measured metric decides".into(),
        Some(worst) => format!(
            "{} after the pods are ready when every look fails, at {} % (step {}, {}): as many failed requests as {} of everybody",
            seconds(worst.earliest_seconds),
            worst.weight,
            worst.at_step,
            worst.by,
            seconds(worst.exposure_seconds)
        ),
    }
}

fn seconds(time: f64) -> String {
    if time > 0.0 && time < 10.0 && time.fract() > 0.0 {
        format!("{time:.1}s")
    } else {
        span(time.round() as i64)
    }
}

/// A title, with a text next to it.
fn said(title: &str, text: &str, term: &Term) -> Vec<Line> {
    let room = term.width.min(WIDEST).saturating_sub(INDENT).max(20);
    let texts = wrap(&shown(term, text), room);
    let line = |(i, text): (usize, &String)| {
        Line::of(Tone::Dim, if i == 0 { title } else { "" }).to(INDENT).plain(text)
    };
    texts.iter().enumerate().map(line).collect()
}
