//! `probe`: the shares of the versions.

use super::{
    table::{Table, cell},
    term::{Line, Term, Tone},
};
use crate::probe::Tally;

/// The table.
pub fn probe(tally: &Tally, term: &Term) -> Vec<Line> {
    let mut table = Table::new(&["VERSION", "ANSWERS", "SHARE", "95 % INTERVAL", "ERRORS"], &[0]);
    for share in tally.shares() {
        let tone = if share.failed > 0 { Tone::Bad } else { Tone::Plain };
        table.row(vec![
            cell(&share.version),
            cell(share.answers.to_string()),
            cell(format!("{:.1} %", share.percent)),
            cell(format!("{:.1} to {:.1} %", share.low, share.high)),
            (tone, share.failed.to_string()),
        ]);
    }
    let mut lines = table.lines(term, true);
    let unanswered = tally.unanswered().iter();
    lines.extend(
        unanswered.map(|(why, count)| Line::of(Tone::Bad, format!("{count} without an answer: {why}"))),
    );
    lines
}
