//! `events`: what was said, oldest first, as it is read.

use jiff::Timestamp;

use super::{
    table::{Table, cell},
    term::{Line, Term, Tone},
};
use crate::{
    text::{age, time},
    view::EventView,
};

/// The table; the latest comes last.
pub fn events(all: &[EventView], wide: bool, now: Timestamp, term: &Term) -> Vec<Line> {
    let mut table = Table::new(&["SEEN", "REASON", "OBJECT", "MESSAGE"], &[3, 2]);
    for event in all.iter().rev() {
        let tone = if event.warning { Tone::Warn } else { Tone::Plain };
        let seen = event.at.filter(|_| wide).map_or_else(|| age(event.at, now), time);
        let often = if event.count > 1 { format!(" (x{})", event.count) } else { String::new() };
        // type and reason in words, so that no colour is needed
        let reason = if event.warning { format!("! {}", event.reason) } else { event.reason.clone() };
        table.row(vec![
            cell(seen),
            (tone, reason),
            cell(&event.object),
            cell(format!("{}{often}", event.message)),
        ]);
    }
    table.lines(term, true)
}
