//! What must be asked outside before a decision, and what came back. A missing answer is data.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    analysis::{Access, Failure, Query, Reading, Tally},
    manifest::config::Digest,
    snapshot::ObjectRef,
};

/// Something that the watches do not tell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Question {
    /// Does this metrics server answer at all? Asked once, when a Canary is first seen.
    Ping {
        /// Base URL.
        server: String,
        /// How it is asked.
        access: Access,
        /// The MetricTemplate that names it, as `namespace/name`; none for the Canary's own Prometheus.
        template: Option<String>,
    },
    /// Is there any series of this counter, which the built-in checks rest on? Asked once, with the pings.
    Exists {
        /// What to ask: it yields a value if there is one.
        query: Query,
    },
    /// What does this check read now?
    Measure {
        /// Position among all that the metrics ask.
        index: usize,
        /// What to ask.
        query: Query,
    },
    /// How many requests had canary and primary between two moments, and how many of them failed?
    Count {
        /// Position of the metric that compares.
        metric: usize,
        /// Beginning.
        from: Timestamp,
        /// End.
        to: Timestamp,
        /// What to ask for the time of the end.
        query: Query,
    },
    /// What does this ConfigMap or Secret hold now? Asked once for each version of it.
    Config {
        /// Its namespace.
        namespace: String,
        /// Which one.
        at: ObjectRef,
    },
}

/// Answers to the questions of one pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// When the questions were made: what has become due since is not answered here. The epoch, where nothing was asked.
    pub asked_at: Timestamp,
    /// A server asked for fewer questions: how long it wants to be left alone, zero where it does not say.
    pub rate_limited: Option<Duration>,
    /// Answer to all of [`Question::Ping`]: why not, when one failed.
    pub ping: Option<Result<(), Failure>>,
    /// Answer to [`Question::Exists`]; none where that is not known.
    pub exists: Option<bool>,
    /// Answers to [`Question::Measure`] by position.
    pub readings: BTreeMap<usize, Reading>,
    /// Answers to [`Question::Count`] by position and end, or why there is none.
    pub counts: BTreeMap<(usize, Timestamp), Result<Tally, Failure>>,
    /// Answers to [`Question::Config`]: none when there is no such object, or why it cannot be read.
    pub configs: BTreeMap<ObjectRef, Result<Option<Digest>, String>>,
}
