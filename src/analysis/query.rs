//! One query to a metrics server, and its purpose.

use jiff::Timestamp;
use serde::Serialize;

use super::access::Access;

/// What a metric measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Metric {
    /// Percent of requests that did not fail.
    SuccessRate,
    /// 99th percentile of request durations in milliseconds.
    Duration,
    /// The result of the user's own PromQL.
    Inline,
    /// The result of a MetricTemplate.
    Template,
}

/// Bounds within which a value passes, both inclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Range {
    /// Lowest value that passes.
    pub min: Option<f64>,
    /// Highest value that passes.
    pub max: Option<f64>,
}

/// The counters that a built-in check uses, as PromQL selectors.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Counters {
    /// Requests to the measured side.
    pub own: Vec<String>,
    /// Requests to the primary; empty if the router's series do not distinguish it from the canary by its own name.
    pub primary: Vec<String>,
    /// The histograms that it reads: each with its native and its classic name.
    pub histograms: Vec<(String, String)>,
}

/// One query to a metrics server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Query {
    /// Name of the metric, as in Events.
    pub metric: String,
    /// What it measures.
    pub kind: Metric,
    /// The query, in the language of its server: PromQL unless a MetricTemplate says otherwise.
    pub promql: String,
    /// Address of the server.
    pub server: String,
    /// How to query it.
    pub access: Access,
    /// The values that pass.
    pub range: Range,
    /// Range of the rates in it, in Prometheus' form, e.g. `1m`.
    pub window: String,
    /// The counters that a built-in check uses.
    pub counters: Option<Box<Counters>>,
    /// Additional queries: each returns a series if good values should not be trusted.
    pub doubts: Vec<String>,
    /// From when values count, for servers that return their time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
}

impl Query {
    /// The server that it is for, as in [`Access::place`].
    pub fn place(&self) -> String {
        self.access.place(&self.server)
    }
}

/// From when there is something to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Since {
    /// When the run began: older values say nothing about the revision.
    pub run: Timestamp,
    /// When the step began: older values say nothing about its weight.
    pub step: Timestamp,
}

/// The purpose of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// What the metric measures.
    Value,
    /// The same for the primary.
    Primary,
    /// The number of samples behind it.
    Samples,
}

/// One query of a metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ask {
    /// Position of the metric in [`super::Checks::metrics`].
    pub metric: usize,
    /// Its purpose.
    pub role: Role,
    /// Err: it cannot be sent, and what is wrong with it.
    pub query: Result<Query, String>,
}
