//! `doctor` and `migrate`: findings under titles.

use super::term::{Line, Sign, Term, Tone, shown};
use crate::{
    doctor::{Diagnosis, Outcome},
    migrate::{Change, Migration},
    text::{self, wrap},
};

/// Maximum width: longer lines are hard to read.
const WIDEST: usize = 120;

/// Groups of checks. `short`: only failed checks.
pub fn doctor(diagnosis: &Diagnosis, short: bool, term: &Term) -> Vec<Line> {
    let mut lines = Vec::new();
    for group in &diagnosis.groups {
        let well = |outcome: Outcome| matches!(outcome, Outcome::Ok | Outcome::Skipped);
        let checks: Vec<_> = group.checks.iter().filter(|check| !short || !well(check.result)).collect();
        if checks.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::of(Tone::Bold, group.name));
        lines.push(Line::of(Tone::Dim, "-".repeat(group.name.len())));
        for check in checks {
            let (sign, tone) = match check.result {
                Outcome::Ok => (Sign::Good, Tone::Good),
                Outcome::Skipped => (Sign::Idle, Tone::Dim),
                Outcome::Warning => (Sign::Ask, Tone::Warn),
                Outcome::Error => (Sign::Bad, Tone::Bad),
            };
            let skipped = if check.result == Outcome::Skipped { "not looked at: " } else { "" };
            lines.extend(item(sign, tone, &format!("{skipped}{}", check.text), term));
            let room = term.width.min(WIDEST).saturating_sub(4).max(20);
            for text in check.hint.iter().flat_map(|hint| wrap(&shown(term, hint), room)) {
                lines.push(Line::of(Tone::Dim, format!("    {text}")));
            }
        }
    }
    lines
}

/// A sign, with a text next to it.
fn item(sign: Sign, tone: Tone, said: &str, term: &Term) -> Vec<Line> {
    let sign = sign.of(term);
    let indent = text::width(sign) + 1;
    let room = term.width.min(WIDEST).saturating_sub(indent).max(20);
    let texts = wrap(&shown(term, said), room);
    let line = |(i, text): (usize, &String)| {
        let head = if i == 0 { Line::of(tone, sign) } else { Line::default() };
        head.to(indent).plain(text)
    };
    texts.iter().enumerate().map(line).collect()
}

/// Remarks, object by object.
pub fn migration(found: &Migration, term: &Term) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut object = None;
    for remark in &found.remarks {
        if object != Some(&remark.object) {
            object = Some(&remark.object);
            lines.push(Line::of(Tone::Bold, &remark.object));
        }
        let (sign, tone) = match remark.change {
            Change::Same => (Sign::Good, Tone::Good),
            Change::Differs => (Sign::Dot, Tone::Warn),
            Change::Refused => (Sign::Bad, Tone::Bad),
        };
        let text = if remark.text.is_empty() { String::new() } else { format!(": {}", remark.text) };
        let narrow = Term { width: term.width.saturating_sub(2), ..*term };
        for line in item(sign, tone, &format!("{}{text}", remark.change.word()), &narrow) {
            let mut shifted = Line::of(Tone::Plain, "  ");
            for (tone, text) in line.spans() {
                shifted = shifted.and(*tone, text);
            }
            lines.push(shifted);
        }
    }
    lines
}
