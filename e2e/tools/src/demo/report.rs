//! The end of the demo: settings and results, and whether the expectations were met. The stories in `e2e/tests` test
//! the quality of the results.

use std::{io, time::Duration};

use jiff::Timestamp;
use serin::api::Phase;

use super::{
    act::{Outcome, Step},
    measured::{Limits, Measured},
    numbers::{grouped, percent},
    scenarios::Act,
    screen::Screen,
    stage::Stage,
};

/// Prints the summary. `broken` are the violated invariants. Returns whether there were none, and every act ended as
/// described.
pub(super) fn print(
    stage: &mut Stage<'_>,
    played: &[(&Act, Outcome)],
    broken: &[String],
    took: Duration,
) -> io::Result<bool> {
    let limits = stage.limits;
    let screen = &mut stage.screen;
    screen.line("")?;
    screen.title("What was seen")?;
    screen.line("")?;
    steps(screen, played, limits)?;
    screen.line("")?;
    rollbacks(screen, played)?;
    findings(screen, played)?;
    effort(screen, played)?;
    screen.line("")?;
    for (index, (act, outcome)) in played.iter().enumerate() {
        let expected = outcome.phase == act.end;
        let (mark, end) =
            if expected { ("✓", String::new()) } else { ("✗", format!(", not {}", act.end)) };
        let text = format!("{mark} act {}: {}: {}{end}", index + 1, act.title, outcome.phase);
        let text = screen.verdict(expected, &text);
        screen.line(&format!("  {text}"))?;
    }
    for text in broken {
        let text = screen.verdict(false, &format!("✗ {text}"));
        screen.line(&format!("  {text}"))?;
    }
    for failure in stage.traffic.failures() {
        stage.screen.line(&format!("    lost: {failure}"))?;
    }
    let good = broken.is_empty() && played.iter().all(|(act, outcome)| outcome.phase == act.end);
    stage.screen.line("")?;
    let text = if good { "Every act ended as described." } else { "Not every act went as described." };
    let text = stage.screen.verdict(good, text);
    stage.screen.line(&format!("{text} {:.0} s in all.", took.as_secs_f64()))?;
    Ok(good)
}

fn steps(screen: &mut Screen, played: &[(&Act, Outcome)], limits: Limits) -> io::Result<()> {
    let head = format!(
        "  {:<4} {:<8} {:>11} {:>7} {:>15} {:>9} {:>8}   {:>9} {:>9}",
        "act", "version", "weight set", "lasted", "share measured", "answers", "off by", "success", "P99"
    );
    let head = screen.dim(&head);
    screen.line(&head)?;
    for (index, (act, outcome)) in played.iter().enumerate() {
        for (nth, step) in outcome.steps.iter().enumerate() {
            let (number, version) =
                if nth == 0 { ((index + 1).to_string(), act.version) } else { (String::new(), "") };
            let (success, p99) = match step.measured {
                Measured::Nothing => (String::new(), String::new()),
                measured => measured.cells(),
            };
            let (share, off) = match step.answers {
                0 => ("no requests".to_owned(), String::new()),
                _ => (percent(step.share), format!("{:.1}", off_by(step).abs())),
            };
            let after = if step.afterwards { screen.dim(" afterwards") } else { String::new() };
            let (weight, answers) = (format!("{} %", step.weight), grouped(step.answers));
            let lasted =
                if step.afterwards { String::new() } else { format!("{:.1} s", step.lasted.as_secs_f64()) };
            screen.line(&format!(
                "  {number:<4} {version:<8} {weight:>11} {lasted:>7} {share:>15} {answers:>9} {off:>8}   {success:>9} {p99:>9}{after}"
            ))?;
        }
    }
    let note = format!(
        "  success and P99: as the operator measured them; limits {} and {}",
        limits.success(),
        limits.p99()
    );
    let note = screen.dim(&note);
    screen.line(&note)
}

/// How fast traffic was removed from the failed releases.
fn rollbacks(screen: &mut Screen, played: &[(&Act, Outcome)]) -> io::Result<()> {
    for (act, outcome) in played.iter().filter(|(act, _)| act.end == Phase::Failed) {
        let moments = outcome.moments;
        let mut facts = Vec::new();
        if let Some(took) = span(moments.first_failed, moments.zero) {
            facts.push(format!("{took} after the first failed check"));
        }
        if let Some(took) = span(moments.decided, moments.zero) {
            facts.push(format!("{took} after the deciding answer"));
        }
        if !facts.is_empty() {
            screen.fact("weight 0", &format!("{}: {}", act.version, facts.join(", ")))?;
        }
        if let Some(took) = span(moments.decided, moments.last_answer).filter(|_| act.called) {
            screen.fact(
                "",
                &format!("{}: its last answer to a client came {took} after the deciding one", act.version),
            )?;
        }
    }
    Ok(())
}

/// The findings about the additional clients.
fn findings(screen: &mut Screen, played: &[(&Act, Outcome)]) -> io::Result<()> {
    for (act, outcome) in played {
        for found in &outcome.findings {
            screen.fact(found.about, &format!("{}: {}", act.version, found.text))?;
        }
    }
    Ok(())
}

/// The cost for clients and the API server.
fn effort(screen: &mut Screen, played: &[(&Act, Outcome)]) -> io::Result<()> {
    let sum = |of: fn(&Outcome) -> u64| played.iter().map(|(_, outcome)| of(outcome)).sum::<u64>();
    let (requests, lost, own) = (sum(|o| o.totals.requests), sum(|o| o.totals.lost), sum(|o| o.totals.own));
    screen.fact(
        "lost",
        &format!(
            "{lost} of {} requests by moving traffic; {} answers of 500 are the bad release's own",
            grouped(requests),
            grouped(own)
        ),
    )?;
    let calls: Vec<String> = played
        .iter()
        .map(|(_, outcome)| format!("{} ({} for Events)", outcome.calls.all, outcome.calls.events))
        .collect();
    screen.fact("API calls", &format!("by the operator, act by act: {}", calls.join(", ")))?;
    let took: Vec<String> =
        played.iter().map(|(_, outcome)| format!("{:.1} s", outcome.took.as_secs_f64())).collect();
    screen.fact("time", &format!("from the new image to the end of the run: {}", took.join(", ")))
}

/// Percentage points between share and weight.
fn off_by(step: &Step) -> f64 {
    step.share * 100.0 - step.weight as f64
}

fn span(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<String> {
    let millis = to?.duration_since(from?).as_millis();
    Some(if millis < 1000 { format!("{millis} ms") } else { format!("{:.2} s", millis as f64 / 1000.0) })
}
