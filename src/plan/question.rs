//! What must be asked outside before a decision, and what came back. A missing answer is data.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::{Query, Reading};

/// Something to ask outside the cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Question {
    /// Does this metrics server answer at all? Asked once, when a Canary is first seen.
    Ping {
        /// Base URL.
        server: String,
    },
    /// What does this check read now?
    Measure {
        /// Position in `Validated::metrics`.
        index: usize,
        /// What to ask.
        query: Query,
    },
}

/// Answers to the questions of one pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// Answer to [`Question::Ping`]: why not, when it failed.
    pub ping: Option<Result<(), String>>,
    /// Answers to [`Question::Measure`] by position.
    pub readings: BTreeMap<usize, Reading>,
}
