//! One question for a metrics server, and what it is for.

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
    /// Whatever the user's own PromQL says.
    Inline,
    /// Whatever a MetricTemplate says.
    Template,
}

/// Bounds within which a value passes, both inclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Range {
    /// Least value that passes.
    pub min: Option<f64>,
    /// Greatest value that passes.
    pub max: Option<f64>,
}

/// The counters that a built-in check rests on, as PromQL selectors.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Counters {
    /// Requests to the side that is measured.
    pub own: Vec<String>,
    /// Requests to the primary; empty where the router's series do not tell it from the canary by its own name.
    pub primary: Vec<String>,
    /// The histograms that it reads: each as it is named in the native form, and in the classic one.
    pub histograms: Vec<(String, String)>,
}

/// One question for a metrics server.
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
    /// How it is asked.
    pub access: Access,
    /// What passes.
    pub range: Range,
    /// Range of the rates in it, in Prometheus' form, e.g. `1m`.
    pub window: String,
    /// The counters that a built-in check rests on.
    pub counters: Option<Box<Counters>>,
    /// What is asked along: each yields a series where good values are not to be trusted.
    pub doubts: Vec<String>,
    /// Since when values count, for servers that tell of what time theirs are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
}

/// Since when there is something to be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Since {
    /// When the run began: older values say nothing of the revision.
    pub run: Timestamp,
    /// When the step began: older values say nothing of its weight.
    pub step: Timestamp,
}

/// What a query is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// What the metric measures.
    Value,
    /// The same of the primary.
    Primary,
    /// How many samples that rests on.
    Samples,
}

/// One query of a metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ask {
    /// Position of the metric in [`super::Checks::metrics`].
    pub metric: usize,
    /// What it is for.
    pub role: Role,
    /// Err: it cannot be asked; the text says what is wrong.
    pub query: Result<Query, String>,
}
