//! `convert`: the notes about a conversion.

use super::term::{Line, Sign, Term, Tone, shown};
use crate::{
    convert::{Conversion, Level},
    text::wrap,
};

/// Indentation of texts.
const INDENT: usize = 4;
/// Maximum width: longer lines are hard to read.
const WIDEST: usize = 120;

/// Notes, object by object.
pub fn conversion(done: &Conversion, term: &Term) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut object = None;
    for note in &done.notes {
        if object != Some(&note.object) {
            object = Some(&note.object);
            lines.push(Line::of(Tone::Bold, &note.object));
        }
        let (sign, tone) = match note.level {
            Level::Refused => (Sign::Bad, Tone::Bad),
            Level::LeftOut => (Sign::Idle, Tone::Warn),
            Level::Differs => (Sign::Dot, Tone::Dim),
        };
        let head = Line::of(tone, format!("  {} {}", sign.of(term), note.level.words()));
        let colon = if note.field.is_empty() { "" } else { ": " };
        lines.push(head.plain(format!("{colon}{}", note.field)));
        let room = term.width.min(WIDEST).saturating_sub(INDENT).max(20);
        let texts = wrap(&shown(term, &note.text), room);
        lines.extend(texts.into_iter().map(|text| Line::of(Tone::Plain, format!("{:INDENT$}{text}", ""))));
    }
    lines
}
