//! The output of `--watch`: the alternate screen on a terminal, restored on every exit. Elsewhere, one block per
//! change.

use std::io::{self, Write as _};

use super::out::Out;
use crate::{
    failure::Failure,
    screen::{Line, render},
};

/// The alternate screen, without a cursor.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[H\u{1b}[2J";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";

/// The current output.
pub(super) struct Display {
    out: Out,
    shown: Vec<String>,
    entered: bool,
    /// Number of lines that fit.
    height: usize,
}

impl Display {
    pub(super) fn new(out: Out) -> Self {
        Self { out, shown: vec![], entered: false, height: usize::MAX }
    }

    /// Replaces the lines on the screen. In a pipe, prints the time and the lines if they changed.
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

    /// Handles the terminal's size. A new size redraws everything.
    pub(super) fn resized(&mut self, width: usize, height: usize) {
        if (self.out.term.width, self.height) != (width, height) {
            (self.out.term.width, self.height) = (width, height);
            self.shown.clear();
        }
    }

    /// Leaves the alternate screen, and prints the last state so that it stays in the scrollback.
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
            // the terminal is gone, so an error has no consequence
            out.write_all(LEAVE.as_bytes()).and_then(|()| out.flush()).ok();
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The output that turns the old lines of a screen into the new ones: writes changed lines and erases surplus ones.
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
