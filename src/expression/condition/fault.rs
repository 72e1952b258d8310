//! What is wrong with a condition, and where.

/// A mistake at a byte of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    at: usize,
    what: String,
}

impl Fault {
    pub(super) fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }

    /// In one line, with the position counted in characters from 1.
    pub(super) fn shown(&self, text: &str) -> String {
        let column = text.get(..self.at).unwrap_or(text).chars().count() + 1;
        let line: String = self.what.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("at character {column}: {line}")
    }
}
