//! `diff`: the changes of a new version.

use super::term::{Line, Term, Tone, shown};
use crate::difference::Change;

/// Lines in patch format.
pub fn diff(from: &str, to: &str, changes: &[Change], term: &Term) -> Vec<Line> {
    let mut lines = vec![
        Line::of(Tone::Bold, shown(term, &format!("--- {from}"))),
        Line::of(Tone::Bold, shown(term, &format!("+++ {to}"))),
    ];
    lines.extend(changes.iter().map(|change| match change {
        Change::Same(text) => Line::of(Tone::Plain, format!(" {text}")),
        Change::Gone(text) => Line::of(Tone::Bad, format!("-{text}")),
        Change::New(text) => Line::of(Tone::Good, format!("+{text}")),
        Change::Skipped(count) => Line::of(Tone::Dim, format!("@@ {count} lines are the same @@")),
    }));
    lines
}
