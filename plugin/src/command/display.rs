//! The screen of `--watch`: one of its own where there is a terminal, left on every way out; a block per change elsewhere.

use std::io::{self, Write as _};

use super::out::Out;
use crate::{
    failure::Failure,
    screen::{Line, render},
};

/// The alternate screen, without a cursor.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[H\u{1b}[2J";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";

/// What is shown now.
pub(super) struct Display {
    out: Out,
    shown: Vec<String>,
    entered: bool,
    /// Lines that there is room for.
    height: usize,
}

impl Display {
    pub(super) fn new(out: Out) -> Self {
        Self { out, shown: vec![], entered: false, height: usize::MAX }
    }

    /// Shows these lines instead of the last ones. Into a pipe they are printed below the time, if they differ.
    pub(super) fn show(&mut self, lines: &[Line], time: &str) -> Result<(), Failure> {
        let mut next: Vec<String> = lines.iter().map(|line| line.render(&self.out.term)).collect();
        if !self.out.terminal {
            if next != self.shown {
                let separator = if self.shown.is_empty() { "" } else { "\n" };
                self.out.text(&format!("{separator}--- {time}\n{}\n", next.join("\n")))?;
                self.shown = next;
            }
            return Ok(());
        }
        if !self.entered {
            self.entered = true;
            self.out.text(ENTER)?;
        }
        next.truncate(self.height);
        let text = changes(&self.shown, &next);
        self.shown = next;
        self.out.text(&text)
    }

    /// The terminal is of this size: where that is another one, everything is drawn again.
    pub(super) fn resized(&mut self, width: usize, height: usize) {
        if (self.out.term.width, self.height) != (width, height) {
            (self.out.term.width, self.height) = (width, height);
            self.shown.clear();
        }
    }

    /// Leaves the screen, and prints the last state where it can be scrolled back to.
    pub(super) fn end(mut self, lines: &[Line]) -> Result<(), Failure> {
        let last = render(lines, &self.out.term);
        if self.entered {
            self.leave();
            return self.out.text(&last);
        }
        Ok(())
    }

    fn leave(&mut self) {
        if std::mem::take(&mut self.entered) {
            let mut out = io::stdout().lock();
            // there is nothing more to be done about a terminal that has gone
            out.write_all(LEAVE.as_bytes()).and_then(|()| out.flush()).ok();
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.leave();
    }
}

/// What turns the lines of a screen into others: those that differ are written, those that are too many erased.
fn changes(old: &[String], new: &[String]) -> String {
    let mut text = String::new();
    if old.is_empty() {
        text.push_str("\u{1b}[H\u{1b}[2J");
    }
    for (i, line) in new.iter().enumerate() {
        if old.get(i) != Some(line) {
            text.push_str(&format!("\u{1b}[{};1H{line}\u{1b}[K", i + 1));
        }
    }
    if old.len() > new.len() {
        text.push_str(&format!("\u{1b}[{};1H\u{1b}[J", new.len() + 1));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_differ_are_written() {
        let of = |lines: &[&str]| lines.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>();
        assert_eq!(changes(&of(&["a", "b"]), &of(&["a", "c"])), "\u{1b}[2;1Hc\u{1b}[K");
        assert_eq!(changes(&of(&["a", "b"]), &of(&["a"])), "\u{1b}[2;1H\u{1b}[J");
        assert_eq!(changes(&of(&["a"]), &of(&["a"])), "");
    }
}
