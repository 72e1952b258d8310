//! The end of the demo: what was set and what came of it, and whether each act went as it should.

use std::{io, time::Duration};

use jiff::Timestamp;
use serin::api::Phase;

use super::{
    act::{ENOUGH, Outcome, Step},
    measured::{Limits, Measured},
    numbers::{grouped, percent},
    scenarios::Act,
    screen::Screen,
    stage::Stage,
};

/// How far a share may be from the weight, in percentage points.
const TOLERANCE: f64 = 5.0;

/// Prints the summary; whether all is as it should be.
pub(super) fn print(stage: &mut Stage<'_>, played: &[(&Act, Outcome)], took: Duration) -> io::Result<bool> {
    let (limits, weights) = (stage.limits, stage.scenario.weights);
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
    let mut good = true;
    for (index, (act, outcome)) in played.iter().enumerate() {
        let problems = problems(act, outcome, limits, weights);
        good &= problems.is_empty();
        let (mark, end) = if problems.is_empty() {
            ("✓", String::new())
        } else {
            ("✗", format!(": {}", problems.join("; ")))
        };
        let text =
            screen.verdict(problems.is_empty(), &format!("{mark} act {}: {}{end}", index + 1, act.title));
        screen.line(&format!("  {text}"))?;
    }
    for failure in stage.traffic.failures() {
        stage.screen.line(&format!("    lost: {failure}"))?;
    }
    stage.screen.line("")?;
    let text = if good { "All went as it should." } else { "Not all went as it should." };
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
            let off = screen.verdict(share_is_right(step), &format!("{off:>8}"));
            let after = if step.afterwards { screen.dim(" afterwards") } else { String::new() };
            let (weight, answers) = (format!("{} %", step.weight), grouped(step.answers));
            let lasted =
                if step.afterwards { String::new() } else { format!("{:.1} s", step.lasted.as_secs_f64()) };
            screen.line(&format!(
                "  {number:<4} {version:<8} {weight:>11} {lasted:>7} {share:>15} {answers:>9} {off}   {success:>9} {p99:>9}{after}"
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

/// How fast traffic was taken off the releases that failed.
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

/// What was found of those beside the client.
fn findings(screen: &mut Screen, played: &[(&Act, Outcome)]) -> io::Result<()> {
    for (act, outcome) in played {
        for found in &outcome.findings {
            let text = screen.verdict(found.good, &found.text);
            screen.fact(found.about, &format!("{}: {text}", act.version))?;
        }
    }
    Ok(())
}

/// What it cost clients and the API server.
fn effort(screen: &mut Screen, played: &[(&Act, Outcome)]) -> io::Result<()> {
    let sum = |of: fn(&Outcome) -> u64| played.iter().map(|(_, outcome)| of(outcome)).sum::<u64>();
    let (requests, lost, own) = (sum(|o| o.totals.requests), sum(|o| o.totals.lost), sum(|o| o.totals.own));
    let lost = screen.verdict(lost == 0, &format!("{lost} of {} requests", grouped(requests)));
    screen.fact(
        "lost",
        &format!("{lost} by moving traffic; {} answers of 500 are the bad release's own", grouped(own)),
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

/// What did not go as it should.
fn problems(act: &Act, outcome: &Outcome, limits: Limits, schedule: &[i64]) -> Vec<String> {
    let mut problems = Vec::new();
    if outcome.phase != act.end {
        problems.push(format!("it ended {} instead of {}", outcome.phase, act.end));
    }
    let during: Vec<&Step> = outcome.steps.iter().filter(|step| !step.afterwards).collect();
    let weights: Vec<i64> = during.iter().map(|step| step.weight).collect();
    let wanted = &schedule[..act.steps.min(schedule.len())];
    if weights != wanted {
        problems.push(format!("the weights were {weights:?} instead of {wanted:?}"));
    }
    for step in &outcome.steps {
        let silent = !act.called && !step.afterwards;
        if !silent && step.answers < ENOUGH {
            problems.push(format!("only {} answers at weight {}", step.answers, step.weight));
        }
        if !share_is_right(step) {
            problems.push(format!("{} of the answers at weight {}", percent(step.share), step.weight));
        }
    }
    if !during.iter().all(|step| as_measured(act, step, limits)) {
        problems.push("the operator did not measure what it should have".to_owned());
    }
    problems.extend(
        outcome.findings.iter().filter(|found| !found.good).map(|f| format!("{}: {}", f.about, f.text)),
    );
    if outcome.totals.lost > 0 {
        problems.push(format!("{} requests lost", outcome.totals.lost));
    }
    problems
}

/// Whether the operator's own figures fit what the release does.
fn as_measured(act: &Act, step: &Step, limits: Limits) -> bool {
    match step.measured {
        Measured::Nothing => false,
        Measured::NoTraffic => !act.called,
        Measured::Values { .. } => {
            act.called && step.measured.success_within(limits) == Some(act.end == Phase::Succeeded)
        }
    }
}

/// Afterwards a share is exact; during a run chance has a part in it. Without answers there is no share.
fn share_is_right(step: &Step) -> bool {
    let allowed = if step.afterwards { 0.0 } else { TOLERANCE };
    step.answers == 0 || off_by(step).abs() <= allowed
}

/// Percentage points between share and weight.
fn off_by(step: &Step) -> f64 {
    step.share * 100.0 - step.weight as f64
}

fn span(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<String> {
    let millis = to?.duration_since(from?).as_millis();
    Some(if millis < 1000 { format!("{millis} ms") } else { format!("{:.2} s", millis as f64 / 1000.0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{SCENARIOS, act::Moments, beside::Finding, calls, traffic::Totals};

    const LIMITS: Limits = Limits { min_success: 99.0, max_p99: Some(500.0) };
    const GOOD: Measured = Measured::Values { success: 100.0, p99: Some(5.0) };

    fn step(weight: i64, share: f64) -> Step {
        Step { weight, answers: 2000, share, measured: GOOD, lasted: Duration::ZERO, afterwards: false }
    }

    fn promoted() -> Outcome {
        let last = Step { measured: Measured::Nothing, afterwards: true, ..step(100, 1.0) };
        Outcome {
            phase: Phase::Succeeded,
            steps: vec![step(10, 0.11), step(30, 0.26), step(50, 0.5), last],
            took: Duration::from_secs(15),
            totals: Totals { requests: 8000, lost: 0, own: 0 },
            moments: Moments::default(),
            calls: calls::Count::default(),
            findings: vec![],
        }
    }

    fn found(edit: impl FnOnce(&mut Outcome)) -> String {
        let mut outcome = promoted();
        edit(&mut outcome);
        problems(&SCENARIOS[0].acts[0], &outcome, LIMITS, &[10, 30, 50]).join("; ")
    }

    #[test]
    fn whatever_is_not_as_it_should_be_fails_the_act() {
        assert_eq!(found(|_| {}), "");
        assert_eq!(found(|o| o.phase = Phase::Failed), "it ended Failed instead of Succeeded");
        assert_eq!(found(|o| o.totals.lost = 1), "1 requests lost");
        assert_eq!(found(|o| o.steps[1].share = 0.36), "36.0 % of the answers at weight 30");
        assert_eq!(found(|o| o.steps[3].share = 0.999), "99.9 % of the answers at weight 100");
        assert_eq!(found(|o| o.steps[0].answers = 999), "only 999 answers at weight 10");
        let bad = Finding { about: "copies", text: "none".to_owned(), good: false };
        assert_eq!(found(|o| o.findings.push(bad.clone())), "copies: none");
        assert_eq!(found(|o| o.findings.push(Finding { good: true, ..bad.clone() })), "");
        let unmeasured = "the operator did not measure what it should have";
        assert_eq!(found(|o| o.steps[0].measured = Measured::NoTraffic), unmeasured);
        assert!(
            found(|o| {
                o.steps.remove(1);
            })
            .contains("[10, 50] instead of [10, 30, 50]")
        );
    }
}
