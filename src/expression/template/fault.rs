//! What is wrong with a text, and where.

use crate::text::{first_chars, plain};

/// Most characters of what is said: a part of the text may be repeated, which is long.
const LONGEST: usize = 300;

/// A mistake at a byte of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) what: String,
}

impl Fault {
    pub(super) fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }

    /// For people, on one line: the line and the column, both counted from 1, and what is wrong.
    pub(super) fn shown(&self, text: &str) -> String {
        let before = text.get(..self.at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("line {line}, column {column}: {}", first_chars(&plain(&self.what), LONGEST))
    }
}
