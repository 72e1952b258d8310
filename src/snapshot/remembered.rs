//! What the operator remembers of its previous passes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::api::canary_run::{HookCall, LeftOut, Measurement, RunMetric};

/// A status that was written and not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unkept {
    /// The dropped field, and what to do.
    pub why: String,
    /// When it is tried again.
    pub again: Timestamp,
}

/// A Job that the API server refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedJob {
    /// Its name.
    pub name: String,
    /// The API server's message.
    pub why: String,
}

/// Until when something is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pauses {
    /// After an unusable answer of a metrics server: none is queried before this.
    pub queries: Option<Timestamp>,
    /// After a refusal of the API server: no ConfigMap or Secret is read before this.
    pub contents: Option<Timestamp>,
    /// The metrics servers that asked for fewer queries, by what they are asked as.
    pub servers: BTreeMap<String, Timestamp>,
}

/// State of the records of a Canary's runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Records {
    /// The existing records are known.
    pub known: bool,
    /// Findings that are not written yet.
    pub unwritten: Evidence,
    /// What the API server refused of the last write, for people to fix.
    pub refused: Option<String>,
    /// After a failed write: do not write again before this.
    pub not_before: Option<Timestamp>,
}

/// Findings of a run that are not yet in its record.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Evidence {
    /// Number of the run; for one that waits to begin, its future number.
    pub run: i64,
    /// Hash of the revision that it is about.
    pub revision: String,
    /// The queries.
    pub metrics: Vec<RunMetric>,
    /// The readings.
    pub measurements: Vec<Measurement>,
    /// The calls.
    pub hooks: Vec<HookCall>,
    /// What was omitted.
    pub left_out: LeftOut,
}
