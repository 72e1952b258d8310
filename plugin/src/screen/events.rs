//! `events`: Events, oldest first.

use jiff::Timestamp;

use super::{
    table::{Table, cell},
    term::{Line, Term, Tone},
};
use crate::{
    text::{age, time},
    view::EventView,
};

/// The table. The latest Event is last.
pub fn events(all: &[EventView], wide: bool, now: Timestamp, term: &Term) -> Vec<Line> {
    let mut table = Table::new(&["SEEN", "REASON", "OBJECT", "MESSAGE"], &[3, 2]);
    for event in all.iter().rev() {
        let tone = if event.warning { Tone::Warn } else { Tone::Plain };
        let seen = event.at.filter(|_| wide).map_or_else(|| age(event.at, now), time);
        let often = if event.count > 1 { format!(" (x{})", event.count) } else { String::new() };
        // type and reason as words, because colour alone is not enough
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
