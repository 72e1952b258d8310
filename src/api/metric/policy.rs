//! How a metric is judged beyond Flagger's range, and what its measurements have come to: the additive fields of
//! `analysis.metrics[]` and their counterpart in status.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::compare::{Compare, CompareStatus};

/// Flagger's pattern for durations, without an end anchor.
const DURATION: &str = "^[0-9]+(m|s)";

/// How a metric is judged beyond `thresholdRange`, and when it is measured. Unset, all is as in Flagger.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricPolicy {
    /// What must hold of the value, as a CEL expression such as `result[0] >= 0.95`. `result` is what the query
    /// yields, `canary` the same, `primary` what it yields for the primary.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub success_condition: Option<String>,
    /// What must not hold of the value, as `successCondition`. With both, a value for which neither holds is
    /// inconclusive: the run holds its weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub failure_condition: Option<String>,
    /// The query that yields `primary`, asked of the same server. Default: the metric's own query, with the primary as
    /// its target.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16384))]
    pub primary_query: Option<String>,
    /// Time from the first step at which the metric counts to its first measurement, as a duration such as `30s`.
    /// Default: the time between measurements; none for a Job.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = DURATION))]
    pub initial_delay: Option<String>,
    /// Step from which the metric is measured, counted from 0. Default: `analysis.startAtStep`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub start_at_step: Option<i32>,
    /// Time between measurements, as a duration such as `2m`. Default: `analysis.interval`, together with all other
    /// checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = DURATION))]
    pub period: Option<String>,
    /// How many measurements must pass; after these the metric is not measured any more, and before them the revision
    /// is not promoted. Default: measured until the run ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub count: Option<i32>,
    /// Failed measurements of a run that are tolerated: one more ends it. -1: any number. Default: only
    /// `analysis.threshold` counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1))]
    pub failure_limit: Option<i32>,
    /// Failed measurements in a row that are tolerated: one more ends the run. -1: any number. Default: -1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1))]
    pub consecutive_failure_limit: Option<i32>,
    /// Measurements in a row without a usable answer that are tolerated: one more ends the run. -1: any number, the run
    /// freezes. Default: -1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1))]
    pub consecutive_error_limit: Option<i32>,
    /// Inconclusive measurements of a run after which it goes on by itself once the metric passes; one more, and it
    /// waits for a person. -1: any number. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1))]
    pub inconclusive_limit: Option<i32>,
    /// What a measurement without data is: a failed one, an error, a good one, or a reason to hold the weight until
    /// there is data. Default: `fail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_data: Option<NoData>,
    /// Requests, or whatever `samplesQuery` counts, below which a measurement is one without data. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub min_samples: Option<i32>,
    /// The query that counts for `minSamples`. The built-in metrics need none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16384))]
    pub samples_query: Option<String>,
    /// Measure and tell, but let it decide nothing. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// Compare the failed requests of the canary with those of the primary, beside the range: `request-success-rate` on
    /// Istio. Default: no comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare: Option<Compare>,
}

impl MetricPolicy {
    /// There is a condition instead of the range, or in addition to it.
    pub fn has_condition(&self) -> bool {
        self.success_condition.is_some() || self.failure_condition.is_some()
    }

    /// The texts of its conditions.
    pub fn conditions(&self) -> impl Iterator<Item = &str> {
        [&self.success_condition, &self.failure_condition].into_iter().filter_map(Option::as_deref)
    }

    /// Nothing depends on the metric.
    pub fn dry(&self) -> bool {
        self.dry_run == Some(true)
    }
}

/// What a measurement without data is.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NoData {
    /// A failed check.
    Fail,
    /// As if the server had not answered.
    Error,
    /// A good one.
    Pass,
    /// A reason to hold the weight until there is data.
    Hold,
}

/// What one measurement came to.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MetricOutcome {
    /// Good.
    Pass,
    /// Bad.
    Fail,
    /// The server answered that there is nothing, or too little.
    NoData,
    /// Neither condition holds.
    Inconclusive,
    /// No usable answer: says nothing about the release.
    Error,
}

/// How far a Job has come that has not ended; the later, the more is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum JobState {
    /// It is there, and none of its pods runs yet.
    Waiting,
    /// Something keeps its pods from starting.
    NotStarting,
    /// One of its pods runs, or has run.
    Running,
}

/// Bounds within which a value passes, both included; open at the side that has none.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MetricRange {
    /// Least value that passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Greatest value that passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// What a metric's measurements of a run have come to so far.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MetricStatus {
    /// Its name; of further metrics of the same name with a number, as in `errors#2`.
    pub name: String,
    /// When the first step began at which it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<MicroTime>,
    /// When it was last measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<MicroTime>,
    /// What that came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<MetricOutcome>,
    /// The value, of several series the worst.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// What is wanted of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub wanted: String,
    /// What is wanted of it as numbers, in `unit`; absent where conditions say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<MetricRange>,
    /// What value and range are in: `%`, `ms`, or empty where that is not known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// The value for the primary, where it was measured.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub primary: String,
    /// What was asked, cut to 1024 characters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// What was wrong, as a sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The Job that measures, or that measured last, where the metric is one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub job: String,
    /// How far that Job has come, while it measures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_state: Option<JobState>,
    /// Why it does not start.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub job_message: String,
    /// Jobs of this run that have been judged, or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<i32>,
    /// Measurements that passed.
    pub passed: i32,
    /// Measurements that failed.
    pub failed: i32,
    /// Those of them that came last, in a row.
    pub failed_in_row: i32,
    /// Inconclusive measurements since the run last went on.
    pub inconclusive: i32,
    /// Measurements without a usable answer that came last, in a row, as far as they are counted.
    pub errors_in_row: i32,
    /// What its comparison with the primary has come to, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare: Option<CompareStatus>,
}
