//! What the operator knows of its own former passes.

use jiff::Timestamp;
use serde::Serialize;

use crate::api::canary_run::{HookCall, LeftOut, Measurement, RunMetric};

/// A status that was written and not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unkept {
    /// The field that is dropped, and what to do.
    pub why: String,
    /// When it is tried again.
    pub again: Timestamp,
}

/// A Job that the API server did not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedJob {
    /// Its name.
    pub name: String,
    /// What the API server said.
    pub why: String,
}

/// What bears on the records of a Canary's runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Records {
    /// Those that exist are known.
    pub known: bool,
    /// What was found out and is not yet written.
    pub unwritten: Evidence,
    /// What the API server refused of the last write, for people to fix.
    pub refused: Option<String>,
    /// After a write that failed: do not write again before this.
    pub not_before: Option<Timestamp>,
}

/// What was found out in a run and is not yet in its record.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Evidence {
    /// Number of the run; of one that waits to begin, the number that it will have.
    pub run: i64,
    /// Hash of the revision that it is about.
    pub revision: String,
    /// What was asked.
    pub metrics: Vec<RunMetric>,
    /// What was read.
    pub measurements: Vec<Measurement>,
    /// What was called.
    pub hooks: Vec<HookCall>,
    /// What these leave out.
    pub left_out: LeftOut,
}
