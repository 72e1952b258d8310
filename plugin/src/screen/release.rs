//! `get`: one release on a screen. If it does not fit, it drops parts in this order: objects, Events, checks that pass.

use jiff::Timestamp;

use super::{
    bars,
    objects::tree,
    table::{Table, cell},
    term::{Line, Sign, Term, Tone, of_outcome, of_state, of_verdict, shown},
};
use crate::{
    text::{age, span, width, wrap},
    view::{CanaryView, CheckView, ImageView, State, StepState, short_image},
};

/// How much to show.
#[derive(Clone, Copy, Debug, Default)]
pub struct Detail {
    /// Hide target, primary, pods and routes.
    pub no_tree: bool,
    /// Show all pods.
    pub all_pods: bool,
    /// Number of lines that fit. 0: no limit.
    pub height: usize,
    /// The screen is redrawn continuously: the first line shows the time.
    pub clock: bool,
}

/// Checks have more columns from this width on.
const WIDE: usize = 120;
/// Number of Events to show.
const EVENTS: usize = 5;

/// The screen.
pub fn release(view: &CanaryView, detail: Detail, now: Timestamp, term: &Term) -> Vec<Line> {
    let mut head = vec![title(view, detail, now, term)];
    head.extend(said(view, term));
    head.extend(waits(view, now, term));
    head.push(Line::default());
    head.extend(traffic(view, now, term));
    let below = below(view, term);
    let tree = if detail.no_tree || view.objects.is_empty() {
        vec![]
    } else {
        section(tree(&view.objects, detail.all_pods, now, term))
    };
    let events = section(latest(view, now, term));
    let whole = head.len() + below.len();
    let room = |used: usize, more: &[Line]| detail.height == 0 || used + more.len() <= detail.height;
    let checks = section(checks(view, false, term));
    let checks = if room(whole, &checks) { checks } else { section(self::checks(view, true, term)) };
    let (mut lines, used) = (head, whole + checks.len());
    lines.extend(checks);
    let with_tree = room(used, &tree);
    let with_events = room(if with_tree { used + tree.len() } else { used }, &events);
    if with_tree {
        lines.extend(tree);
    }
    lines.extend(below);
    if with_events {
        lines.extend(events);
    }
    lines
}

/// Adds an empty line before a section that is not empty.
fn section(lines: Vec<Line>) -> Vec<Line> {
    if lines.is_empty() { lines } else { [vec![Line::default()], lines].concat() }
}

/// One line for `status`, while the operator has not seen the current target.
pub fn pending_line(why: &str, term: &Term) -> Line {
    Line::of(Tone::Busy, format!("{} Pending", Sign::Busy.of(term)))
        .to(state_column(term))
        .plain(format!(" {why}"))
}

/// Width of the state in a line of `status`, in cells.
fn state_column(term: &Term) -> usize {
    if term.ascii { 22 } else { 18 }
}

/// One line for `status`, without the name.
pub fn status_line(view: &CanaryView, term: &Term) -> Line {
    let (sign, tone) = of_state(view.state);
    let state = format!("{} {}", sign.of(term), view.state.word(&view.phase));
    let mut line = Line::of(tone, state).to(state_column(term)).plain(" ");
    line = line.plain(match (&view.waiting_for, &view.progress) {
        (None, Some(at)) if view.state == State::Progressing && at.at > 0 => {
            format!("step {} of {}, weight {}", at.at, at.of, view.weight.wanted)
        }
        _ => view.headline.clone(),
    });
    let go_on = view.waiting_for.as_ref().and_then(|w| w.commands.iter().find(|c| c.does != "stop"));
    match go_on {
        Some(command) => line.plain(format!(": {}", command.command)),
        None => line,
    }
}

fn title(view: &CanaryView, detail: Detail, now: Timestamp, term: &Term) -> Line {
    let (sign, tone) = of_state(view.state);
    let mut line = Line::of(Tone::Bold, format!("{}/{}", view.namespace, view.name))
        .plain("   ")
        .and(tone, format!("{} {}", sign.of(term), view.state.word(&view.phase)));
    if let Some(run) = &view.run {
        line = line.plain(format!("   run {}", run.number));
    }
    let images = images(view, term);
    if !images.is_empty() {
        line = line.plain(format!("   {images}"));
    }
    if detail.clock {
        let clock = now.strftime("%H:%M:%S").to_string();
        let place = if term.width == Term::ENDLESS { 0 } else { term.width.saturating_sub(clock.len()) };
        line = if line.width() + 2 <= place { line.to(place).and(Tone::Dim, clock) } else { line };
    }
    line
}

/// The changed image: the primary's and the new one, of the first container that differs.
fn images(view: &CanaryView, term: &Term) -> String {
    let changed: Vec<&ImageView> = view.images.iter().filter(|i| i.primary != i.canary).collect();
    let short = |image: &Option<String>| image.as_deref().map_or_else(|| "-".to_owned(), short_image);
    let under_way = view.run.is_some() || view.state == State::Failed;
    match changed.first().filter(|_| under_way) {
        Some(first) => {
            let more = changed.len() - 1;
            let more = if more > 0 { format!(" +{more}") } else { String::new() };
            let (old, new) = (short(&first.primary), short(&first.canary));
            format!("{old} {} {new}{more}", Sign::Arrow.of(term))
        }
        None => view.images.first().map(|i| short(&i.primary)).filter(|text| text != "-").unwrap_or_default(),
    }
}

fn paragraph(tone: Tone, text: &str, indent: usize, term: &Term) -> Vec<Line> {
    let most = term.width.saturating_sub(indent).max(20);
    let lines = wrap(&shown(term, text), most).into_iter();
    lines.map(|text| Line::of(Tone::Plain, " ".repeat(indent)).and(tone, text)).collect()
}

/// The headline, and anything that needs attention.
fn said(view: &CanaryView, term: &Term) -> Vec<Line> {
    let mut lines = paragraph(Tone::Plain, &view.headline, 0, term);
    for condition in &view.conditions {
        let known = view.headline.contains(&condition.message)
            || ["Promoted", "Paused", "Suspended"].contains(&condition.type_.as_str());
        if !known {
            let text = format!("{}={}: {}", condition.type_, condition.status, condition.message);
            lines.extend(paragraph(Tone::Warn, &text, 2, term));
        }
    }
    lines
}

fn waits(view: &CanaryView, now: Timestamp, term: &Term) -> Vec<Line> {
    let Some(waits) = &view.waiting_for else { return vec![] };
    let mut lines = Vec::new();
    if let Some(since) = waits.since {
        let deadline = waits.deadline.map(|end| {
            let then = if waits.on_deadline == Some("proceed") { "goes on" } else { "is rolled back" };
            format!(", {then} in {}", age(Some(now), end))
        });
        let text = format!("for {}{}", age(Some(since), now), deadline.unwrap_or_default());
        lines.extend(paragraph(Tone::Dim, &text, 2, term));
    }
    for command in &waits.commands {
        lines.push(
            Line::of(Tone::Dim, format!("  {:<10}", format!("{}:", command.does)))
                .and(Tone::Bold, &command.command),
        );
    }
    lines
}

/// Weight, step, failed checks.
fn traffic(view: &CanaryView, now: Timestamp, term: &Term) -> Vec<Line> {
    let weight = &view.weight;
    let mut first = Line::of(Tone::Dim, "weight  ").plain(format!("{:<4}", weight.canary));
    for (tone, text) in bars::weight(weight, term).spans() {
        first = first.and(*tone, text.clone());
    }
    if view.run.is_some() {
        let seen = weight.confirmed_at.map_or_else(
            || "not confirmed yet".to_owned(),
            |at| format!("confirmed {} ago", age(Some(at), now)),
        );
        let copies = if weight.mirrored { ", copies" } else { "" };
        let dot = Sign::Dot.of(term);
        first = first.and(Tone::Dim, format!("  wanted {}{copies} {dot} {seen}", weight.wanted));
    }
    let mut lines = vec![first];
    if let Some(line) = step(view, term) {
        lines.push(line);
    }
    if let Some(line) = clock(view, now, term) {
        lines.push(line);
    }
    let failed = view.failed_checks;
    if view.run.is_some() || failed.count > 0 {
        let tone = if failed.count == 0 { Tone::Plain } else { Tone::Warn };
        let text = format!("{} of {}", failed.count, failed.limit);
        let meaning = if view.run.is_some() {
            format!("; at {} it is rolled back", failed.limit)
        } else {
            String::new()
        };
        lines.push(
            Line::of(Tone::Dim, "failed  ").and(tone, text).and(Tone::Dim, format!(" checks{meaning}")),
        );
    }
    if let Some(last) = view.last_run.as_ref().filter(|_| view.run.is_none()) {
        let (sign, tone) = of_outcome(&last.outcome);
        let ended = age(last.ended, now);
        lines.push(
            Line::of(Tone::Dim, "last    ")
                .plain(format!("run {}  ", last.number))
                .and(tone, format!("{} {}", sign.of(term), last.outcome))
                .plain(format!(" {ended} ago ({})", last.reason)),
        );
    }
    lines
}

/// The steps around the current one, as many as fit.
fn step(view: &CanaryView, term: &Term) -> Option<Line> {
    if view.steps.is_empty() {
        return None;
    }
    let at = view.progress.as_ref().map(|p| format!("{}/{}", p.at, p.of)).unwrap_or_default();
    let parts: Vec<(Tone, String)> = view
        .steps
        .iter()
        .map(|s| {
            let what = match s.iteration {
                Some(n) => format!("#{n}"),
                None if s.mirrored => "copies".to_owned(),
                None => s.weight.to_string(),
            };
            let what = s.gate.as_ref().map_or(what.clone(), |gate| format!("{what} ({gate})"));
            match s.state {
                StepState::Done => (Tone::Good, format!("{what} {}", Sign::Good.of(term))),
                StepState::Current => (Tone::Bold, format!("[{what}]")),
                StepState::Todo => (Tone::Plain, what),
            }
        })
        .collect();
    let promote =
        if view.promotion == "auto" { "promote".into() } else { format!("promote ({})", view.promotion) };
    let begin = Line::of(Tone::Dim, "steps   ").plain(if at.is_empty() { at } else { format!("{at}  ") });
    let room = term.width.saturating_sub(begin.width() + width(&promote) + 12).max(16);
    let here = view.steps.iter().position(|s| s.state != StepState::Done).unwrap_or(parts.len() - 1);
    let (mut from, mut to) = (here, here + 1);
    let size = |from: usize, to: usize| parts[from..to].iter().map(|(_, t)| width(t) + 2).sum::<usize>();
    loop {
        if to < parts.len() && size(from, to + 1) <= room {
            to += 1;
        } else if from > 0 && size(from - 1, to) <= room {
            from -= 1;
        } else {
            break;
        }
    }
    let cut = Sign::Cut.of(term);
    let mut line = if from > 0 { begin.and(Tone::Dim, format!("{cut}  ")) } else { begin };
    for (tone, text) in &parts[from..to] {
        line = line.and(*tone, text).plain("  ");
    }
    if to < parts.len() {
        line = line.and(Tone::Dim, format!("{cut}  "));
    }
    Some(line.plain(promote))
}

/// How long the run has taken, its shortest remaining time, and when it is checked next.
fn clock(view: &CanaryView, now: Timestamp, term: &Term) -> Option<Line> {
    let progress = view.progress.as_ref()?;
    let dot = Sign::Dot.of(term);
    let mut text = span(progress.elapsed_seconds);
    if let Some(left) = progress.earliest_end_seconds {
        text.push_str(&format!(" {dot} {} {} to go", Sign::Least.of(term), span(left)));
    }
    if let Some(next) = progress.next_look.filter(|next| *next > now) {
        text.push_str(&format!(" {dot} next look in {}", age(Some(now), next)));
    }
    Some(Line::of(Tone::Dim, "time    ").plain(text))
}

/// A value in readable form: four digits and its unit.
pub(super) fn value(check: &CheckView) -> String {
    if check.value.is_empty() {
        return "-".into();
    }
    let unit = if check.unit.is_empty() { String::new() } else { format!(" {}", check.unit) };
    format!("{}{unit}", digits(&check.value))
}

fn digits(text: &str) -> String {
    let Ok(value) = text.parse::<f64>() else { return text.to_owned() };
    if !value.is_finite() || value == 0.0 {
        return text.to_owned();
    }
    let whole = value.abs().log10().floor() as i32 + 1;
    let places = usize::try_from((4 - whole).clamp(0, 8)).unwrap_or(0);
    let fixed = format!("{value:.places$}");
    if fixed.contains('.') { fixed.trim_end_matches('0').trim_end_matches('.').to_owned() } else { fixed }
}

pub(super) fn limit(check: &CheckView, term: &Term) -> String {
    let range = check.limit.unwrap_or_default();
    match (range.min, range.max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("{} {min}", Sign::Least.of(term)),
        (None, Some(max)) => format!("{} {max}", Sign::Most.of(term)),
        (None, None) if check.wanted.is_empty() => "-".into(),
        (None, None) => check.wanted.clone(),
    }
}

/// The metrics. With `failing`, passing checks are only counted.
fn checks(view: &CanaryView, failing: bool, term: &Term) -> Vec<Line> {
    if view.checks.is_empty() {
        return vec![];
    }
    let wide = term.width >= WIDE;
    let mut names = vec!["CHECK", "NOW"];
    if wide {
        names.push("PRIMARY");
    }
    names.extend(["LIMIT", "VERDICT", "PASS", "FAIL", "LOOKS"]);
    if wide {
        names.push("VALUES");
    }
    let mut table = Table::new(&names, &[0, names.len() - 1, 2]);
    let passes = |check: &CheckView| check.verdict.as_deref() == Some("Pass");
    let mut left_out = 0;
    for check in &view.checks {
        if failing && passes(check) {
            left_out += 1;
            continue;
        }
        let mut row = vec![cell(&check.name), cell(value(check))];
        if wide {
            let primary = CheckView { value: check.primary_value.clone(), ..check.clone() };
            row.push(cell(value(&primary)));
        }
        row.push(cell(limit(check, term)));
        row.push(match &check.verdict {
            Some(verdict) => {
                let (sign, tone) = of_verdict(verdict);
                (tone, format!("{} {}", sign.of(term), verdict.to_lowercase()))
            }
            None => (Tone::Dim, "not yet".into()),
        });
        row.extend([cell(check.passed.to_string()), cell(check.failed.to_string())]);
        row.push(bars::looks(&check.looks, if wide { 20 } else { 8 }, term));
        if wide {
            row.push(cell(bars::spark(&check.looks, 40, term)));
        }
        table.row(row);
    }
    let mut lines = table.lines(term, true);
    if left_out > 0 {
        lines.push(Line::of(Tone::Dim, format!("+{left_out} checks that pass")));
    }
    lines
}

fn latest(view: &CanaryView, now: Timestamp, term: &Term) -> Vec<Line> {
    let some = &view.events[..view.events.len().min(EVENTS)];
    if some.is_empty() { vec![] } else { super::events(some, false, now, term) }
}

/// The footer: the tool that applies the Canary, and data that could not be read.
fn below(view: &CanaryView, term: &Term) -> Vec<Line> {
    let missing = view.unread.iter().map(|right| format!("not shown, as the right is missing: {right}"));
    let lines: Vec<Line> = missing.flat_map(|text| paragraph(Tone::Dim, &text, 0, term)).collect();
    section(lines)
}
