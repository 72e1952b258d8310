//! The terminal: titles, table rows, and Events between them. On a terminal the last row is updated in place, and
//! everything else stays in the scrollback. Without a terminal, only permanent output is written.

use std::{
    env,
    io::{self, IsTerminal, Write},
};

use serin::api::Phase;

use super::{
    beside::Finding,
    measured::{Limits, Measured},
    numbers::{grouped, percent},
};

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
/// The width of the table.
const WIDTH: usize = 98;
/// The indentation below an Event's text.
const INDENT: &str = "           ";

/// One row of an act's table.
pub(super) struct Row {
    pub(super) seconds: f64,
    pub(super) phase: Phase,
    pub(super) weight: i64,
    /// Answers since the last change of the weight, and the shares of the old and the new version among them, 0 to 1.
    pub(super) answers: u64,
    pub(super) shares: Option<(f64, f64)>,
    pub(super) rate: f64,
    pub(super) own: u64,
    pub(super) lost: u64,
    pub(super) measured: Measured,
}

/// The output of the demo.
pub(super) struct Screen {
    live: bool,
    colour: bool,
    /// The last line is an unfinished row.
    open: bool,
}

impl Screen {
    pub(super) fn new() -> Self {
        let terminal = io::stdout().is_terminal() && env::var_os("TERM").is_some_and(|term| term != "dumb");
        let colour = terminal && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { live: terminal, colour, open: false }
    }

    /// A permanent line.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        let begin = if std::mem::take(&mut self.open) { "\r\x1b[2K" } else { "" };
        writeln!(io::stdout(), "{begin}{text}")
    }

    pub(super) fn title(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint(BOLD, text);
        self.line(&text)
    }

    /// A name with its description.
    pub(super) fn fact(&mut self, name: &str, text: &str) -> io::Result<()> {
        let name = self.paint(DIM, &format!("{name:<10}"));
        self.line(&format!("  {name} {text}"))
    }

    /// The two lines above an act's rows.
    pub(super) fn header(&mut self, old: &str, new: &str, limits: Limits) -> io::Result<()> {
        let names = format!(
            "{:>7}  {:<11} {:>6} │ {:>7} {old:>8} {new:>8} │ {:>5} {:>5} {:>4} │ {:>9} {:>9}",
            "time", "phase", "weight", "answers", "req/s", "500s", "lost", "success", "P99"
        );
        let under = format!(
            "{:>7}  {:<11} {:>6} │ {:>25} │ {:>16} │ {:>9} {:>9}",
            "",
            "",
            "",
            "at this weight",
            "",
            limits.success(),
            limits.p99()
        );
        for text in [names, under] {
            let text = self.paint(DIM, &text);
            self.line(&text)?;
        }
        Ok(())
    }

    /// A permanent row if `stays`, otherwise the live one.
    pub(super) fn row(&mut self, row: &Row, stays: bool) -> io::Result<()> {
        if stays {
            let text = self.render(row);
            return self.line(&text);
        }
        if !self.live {
            return Ok(());
        }
        self.open = true;
        let mut out = io::stdout();
        // Without wrapping: on a narrow terminal the row must stay one line, so that it can be replaced.
        write!(out, "\r\x1b[2K\x1b[?7l{}\x1b[?7h", self.render(row))?;
        out.flush()
    }

    /// An Event. A long one continues in the next line.
    pub(super) fn said(&mut self, seconds: f64, warning: bool, text: &str) -> io::Result<()> {
        let (mark, colour) = if warning { ("!", YELLOW) } else { ("▸", BOLD) };
        let mut begin = format!("{seconds:>6.1}s  {mark} ");
        for part in folded(text, WIDTH - INDENT.len()) {
            let part = self.paint(colour, &part);
            self.line(&format!("{begin}{part}"))?;
            INDENT.clone_into(&mut begin);
        }
        Ok(())
    }

    /// The finding about the additional clients.
    pub(super) fn beside(&mut self, found: &Finding) -> io::Result<()> {
        self.line(&format!("{INDENT}{}: {}", found.about, found.text))
    }

    /// Text in green or red.
    pub(super) fn verdict(&self, good: bool, text: &str) -> String {
        self.paint(if good { GREEN } else { RED }, text)
    }

    /// Dimmed text.
    pub(super) fn dim(&self, text: &str) -> String {
        self.paint(DIM, text)
    }

    fn render(&self, row: &Row) -> String {
        let phase = format!("{:<11}", row.phase.to_string());
        let phase = match row.phase {
            Phase::Failed => self.paint(RED, &phase),
            Phase::Succeeded => self.paint(GREEN, &phase),
            _ => phase,
        };
        let (old, new) =
            row.shares.map_or(("–".into(), "–".into()), |(old, new)| (percent(old), percent(new)));
        let own = self.counted(row.own, 5, YELLOW);
        let lost = self.counted(row.lost, 4, RED);
        let (success, p99) = row.measured.cells();
        let (answers, weight) = (grouped(row.answers), format!("{} %", row.weight));
        format!(
            "{:>6.1}s  {phase} {weight:>6} │ {answers:>7} {old:>8} {new:>8} │ {:>5.0} {own} {lost} │ {success:>9} {p99:>9}",
            row.seconds, row.rate
        )
    }

    fn counted(&self, count: u64, width: usize, colour: &str) -> String {
        let text = format!("{count:>width$}");
        if count > 0 { self.paint(colour, &text) } else { text }
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Lines of at most `width` characters, except for longer words: words are never broken.
fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
