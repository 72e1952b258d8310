//! PURE. Formats views as lines for a terminal. Does not write to a terminal, and does not need one.

mod bars;
mod conversion;
mod diff;
mod doctor;
mod events;
mod explain;
mod history;
mod list;
mod objects;
mod plan;
mod probe;
mod release;
mod table;
mod term;

pub use conversion::conversion;
pub use diff::diff;
pub use doctor::{doctor, migration};
pub use events::events;
pub use explain::{explain, sentences};
pub use history::{history, run};
pub use list::{Columns, list};
pub use plan::plan;
pub use probe::probe;
pub use release::{Detail, pending_line, release, status_line};
pub use term::{Line, Sign, Term, Tone};

/// The lines with the escapes for this terminal.
pub fn render(lines: &[Line], term: &Term) -> String {
    lines.iter().map(|line| line.render(term) + "\n").collect()
}

#[cfg(test)]
mod tests;
