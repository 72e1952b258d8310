//! Queries outside of the cluster's watches before a decision, and their answers. A missing answer is data.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    analysis::{Access, Failure, Query, Reading, Tally},
    manifest::config::Digest,
    snapshot::ObjectRef,
};

/// Something that the watches do not show.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Question {
    /// Does this metrics server answer at all? Asked once, when a Canary is first seen.
    Ping {
        /// Base URL.
        server: String,
        /// How to query it.
        access: Access,
        /// The MetricTemplate that names it, as `namespace/name`; none for the Canary's own Prometheus.
        template: Option<String>,
    },
    /// Is there any series of this counter, which the built-in checks use? Asked once, with the pings.
    Exists {
        /// The query: it returns a value if there is one.
        query: Query,
    },
    /// What is the current reading of this check?
    Measure {
        /// Position among all queries of the metrics.
        index: usize,
        /// What to ask.
        query: Query,
    },
    /// How old are the newest samples that a server of own PromQL has? Asked along with it.
    Newest {
        /// Position of a query to this server, among all queries of the metrics.
        index: usize,
        /// What to ask.
        query: Query,
    },
    /// How many requests did canary and primary have between two moments, and how many of them failed?
    Count {
        /// Position of the metric that compares.
        metric: usize,
        /// Beginning.
        from: Timestamp,
        /// End.
        to: Timestamp,
        /// The query at the end time.
        query: Query,
    },
    /// What is the current content of this ConfigMap or Secret? Asked once for each version.
    Config {
        /// Its namespace.
        namespace: String,
        /// Which one.
        at: ObjectRef,
    },
}

impl Question {
    /// The metrics server that it is for, as in [`Access::place`]. None: it is for the API server.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::Ping { server, access, .. } => Some(access.place(server)),
            Self::Exists { query }
            | Self::Measure { query, .. }
            | Self::Newest { query, .. }
            | Self::Count { query, .. } => Some(query.place()),
            Self::Config { .. } => None,
        }
    }
}

/// A server's wish for fewer queries.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit {
    /// How long it wants to be left alone, zero if it does not say.
    pub wait: Duration,
    /// The server, without credentials.
    pub server: String,
}

/// Answers to the questions of one pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// When the questions were made: anything that became due later is not answered here. The epoch, if nothing was
    /// asked.
    pub asked_at: Timestamp,
    /// Servers that asked for fewer queries, by [`Question::place`].
    pub limited: BTreeMap<String, Limit>,
    /// Answer to all of [`Question::Ping`]: why not, when one failed.
    pub ping: Option<Result<(), Failure>>,
    /// Answer to [`Question::Exists`]; none if unknown.
    pub exists: Option<bool>,
    /// Answers to [`Question::Measure`] by position.
    pub readings: BTreeMap<usize, Reading>,
    /// Answers to [`Question::Newest`] by position.
    pub newest: BTreeMap<usize, Reading>,
    /// Answers to [`Question::Count`] by position and end, or why there is none.
    pub counts: BTreeMap<(usize, Timestamp), Result<Tally, Failure>>,
    /// Answers to [`Question::Config`]: none if there is no such object, or why it cannot be read.
    pub configs: BTreeMap<ObjectRef, Result<Option<Digest>, String>>,
}
