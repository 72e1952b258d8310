//! The capabilities of a terminal: columns, colours, characters. A line keeps its texts apart from their colours, so
//! that a width is the visible width.

use crate::{
    text,
    view::{Health, State},
};

/// The capabilities of a terminal.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// Number of cells per line.
    pub width: usize,
    /// Colours.
    pub colour: bool,
    /// ASCII characters only.
    pub ascii: bool,
}

impl Term {
    /// No limit: lines in pipes are never cut.
    pub const ENDLESS: usize = usize::MAX;
}

/// The meaning of a colour. The text always states it as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// No meaning.
    #[default]
    Plain,
    /// Good.
    Good,
    /// Bad.
    Bad,
    /// A person may have to act.
    Warn,
    /// In progress.
    Busy,
    /// Less important.
    Dim,
    /// More important.
    Bold,
}

impl Tone {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Good => Some("32"),
            Self::Bad => Some("31"),
            Self::Warn => Some("33"),
            Self::Busy => Some("94"),
            Self::Dim => Some("2"),
            Self::Bold => Some("1"),
        }
    }
}

/// Drawn characters, with ASCII replacements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Good.
    Good,
    /// Bad.
    Bad,
    /// In progress.
    Busy,
    /// Waiting.
    Wait,
    /// Unknown, or not accepted.
    Ask,
    /// Idle.
    Idle,
    /// From left to right.
    Arrow,
    /// At least.
    Least,
    /// At most.
    Most,
    /// Separator between two texts.
    Dot,
    /// A full cell of a bar.
    Full,
    /// An empty cell of a bar.
    Empty,
    /// A position in a bar.
    Mark,
    /// A branch of a tree.
    Branch,
    /// The last branch.
    LastBranch,
    /// The line that continues to further branches.
    Trunk,
    /// Text was cut here.
    Cut,
}

impl Sign {
    /// The character.
    pub fn of(self, term: &Term) -> &'static str {
        let (drawn, ascii) = match self {
            Self::Good => ("✔", "[ok]"),
            Self::Bad => ("✖", "[x]"),
            Self::Busy => ("◌", "[..]"),
            Self::Wait => ("||", "[||]"),
            Self::Ask => ("?", "[?]"),
            Self::Idle => ("•", "[-]"),
            Self::Arrow => ("→", "->"),
            Self::Least => ("≥", ">="),
            Self::Most => ("≤", "<="),
            Self::Dot => ("·", "-"),
            Self::Full => ("█", "#"),
            Self::Empty => ("░", "."),
            Self::Mark => ("▏", "|"),
            Self::Branch => ("├──", "|--"),
            Self::LastBranch => ("└──", "`--"),
            Self::Trunk => ("│  ", "|  "),
            Self::Cut => ("…", "..."),
        };
        if term.ascii { ascii } else { drawn }
    }
}

/// Sign and tone of a state.
pub(super) fn of_state(state: State) -> (Sign, Tone) {
    match state {
        State::Healthy => (Sign::Good, Tone::Good),
        State::Initializing | State::Progressing | State::Promoting => (Sign::Busy, Tone::Busy),
        State::Waiting | State::Paused | State::Frozen | State::Suspended => (Sign::Wait, Tone::Warn),
        State::Inconclusive | State::Unattended => (Sign::Ask, Tone::Warn),
        State::Refused => (Sign::Ask, Tone::Bad),
        State::Ending => (Sign::Busy, Tone::Bad),
        State::Failed => (Sign::Bad, Tone::Bad),
        State::Deleting => (Sign::Idle, Tone::Dim),
    }
}

/// Sign and tone of an object.
pub(super) fn of_health(health: Health) -> (Sign, Tone) {
    match health {
        Health::Good => (Sign::Good, Tone::Good),
        Health::Busy => (Sign::Busy, Tone::Busy),
        Health::Bad => (Sign::Bad, Tone::Bad),
        Health::Idle => (Sign::Idle, Tone::Dim),
    }
}

/// Sign and tone of a verdict.
pub(super) fn of_verdict(verdict: &str) -> (Sign, Tone) {
    match verdict {
        "Pass" => (Sign::Good, Tone::Good),
        "Fail" => (Sign::Bad, Tone::Bad),
        _ => (Sign::Ask, Tone::Warn),
    }
}

/// Sign and tone of an outcome of a run.
pub(super) fn of_outcome(outcome: &str) -> (Sign, Tone) {
    match outcome {
        "Promoted" | "PromotedUnanalysed" => (Sign::Good, Tone::Good),
        "Running" | "Waiting" | "Ending" => (Sign::Busy, Tone::Busy),
        "RolledBack" | "PromotionUndone" => (Sign::Bad, Tone::Bad),
        _ => (Sign::Idle, Tone::Plain),
    }
}

/// One line.
#[derive(Clone, Debug, Default)]
pub struct Line(Vec<(Tone, String)>);

impl Line {
    /// A line of one text.
    pub fn of(tone: Tone, text: impl Into<String>) -> Self {
        Self(vec![(tone, text.into())])
    }

    /// Adds a text.
    #[must_use]
    pub fn and(mut self, tone: Tone, text: impl Into<String>) -> Self {
        self.0.push((tone, text.into()));
        self
    }

    /// Adds a text without a colour.
    #[must_use]
    pub fn plain(self, text: impl Into<String>) -> Self {
        self.and(Tone::Plain, text)
    }

    /// Pads with blanks up to this cell.
    #[must_use]
    pub fn to(self, cell: usize) -> Self {
        let blanks = cell.saturating_sub(self.width());
        if blanks == 0 { self } else { self.plain(" ".repeat(blanks)) }
    }

    /// Its texts.
    pub(super) fn spans(&self) -> &[(Tone, String)] {
        &self.0
    }

    /// Its width in cells.
    pub fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text::width(text)).sum()
    }

    /// The line with escapes, cut to the width of the terminal, without trailing blanks.
    pub fn render(&self, term: &Term) -> String {
        let mut spans: Vec<(Tone, String)> =
            self.0.iter().map(|(tone, text)| (*tone, shown(term, text))).collect();
        let whole: usize = spans.iter().map(|(_, text)| text::width(text)).sum();
        if whole > term.width {
            cut(&mut spans, term.width, Sign::Cut.of(term));
        }
        while let Some((_, last)) = spans.last_mut() {
            last.truncate(last.trim_end().len());
            if !last.is_empty() {
                break;
            }
            spans.pop();
        }
        let paint = |(tone, text): &(Tone, String)| match tone.code().filter(|_| term.colour) {
            Some(code) if !text.trim().is_empty() => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            _ => text.clone(),
        };
        spans.iter().map(paint).collect()
    }
}

fn cut(spans: &mut Vec<(Tone, String)>, most: usize, mark: &str) {
    let room = most.saturating_sub(text::width(mark));
    let mut taken = 0;
    let mut kept = Vec::new();
    for (tone, text) in spans.drain(..) {
        let short = text::cut(&text, room - taken, "");
        let whole = short == text;
        taken += text::width(&short);
        kept.push((tone, short));
        if !whole {
            break;
        }
    }
    if let Some((_, last)) = kept.last_mut() {
        last.push_str(mark);
    }
    *spans = kept;
}

/// A text made safe for this terminal, from any source.
pub(super) fn shown(term: &Term, text: &str) -> String {
    let text = text::clean(text);
    if !term.ascii || text.is_ascii() {
        return text;
    }
    let ascii = |c: char| match c {
        '→' => "->".into(),
        '…' => "...".into(),
        '≥' => ">=".into(),
        '≤' => "<=".into(),
        '–' | '—' | '·' => "-".into(),
        '’' | '‘' => "'".into(),
        '“' | '”' => "\"".into(),
        c if c.is_ascii() => c.to_string(),
        _ => "?".to_owned(),
    };
    text.chars().map(ascii).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_by_what_is_seen() {
        let term = Term { width: 6, colour: true, ascii: false };
        let line = Line::of(Tone::Good, "ab").plain("cd").and(Tone::Bad, "efgh");
        assert_eq!(line.render(&term), "\u{1b}[32mab\u{1b}[0mcd\u{1b}[31me…\u{1b}[0m");
        assert_eq!(Line::of(Tone::Bad, "  ").render(&term), "");
    }

    #[test]
    fn nothing_but_ascii_is_left_where_that_is_wanted() {
        let term = Term { width: 80, colour: false, ascii: true };
        assert_eq!(Line::of(Tone::Plain, "é → 漢 ≥ 1").render(&term), "? -> ? >= 1");
    }
}
