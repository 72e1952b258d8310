//! Views of the traffic split, the progress of the run, and the metrics.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serin::api::MetricRange;

/// Where requests go, in percent.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WeightView {
    /// Known to go to the canary.
    pub canary: i32,
    /// The rest.
    pub primary: i32,
    /// Meant to go to the canary.
    pub wanted: i32,
    /// The canary gets copies of requests.
    pub mirrored: bool,
    /// When the route was seen to carry what is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub confirmed_at: Option<Timestamp>,
}

/// Where a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StepState {
    /// Taken.
    Done,
    /// The run is at it.
    Current,
    /// Yet to come.
    Todo,
}

/// One step.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepView {
    /// Position in the schedule, from 1.
    pub index: usize,
    /// Percent of the requests.
    pub weight: i32,
    /// The canary gets copies.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mirrored: bool,
    /// Which iteration it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iteration: Option<i32>,
    /// Seconds that it lasts at least.
    pub lasts_seconds: u64,
    /// People are asked after it: the name of the gate, or `gate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// Where it is.
    pub state: StepState,
}

/// How far a run is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgressView {
    /// The step that the run is at; 0 before the first.
    pub at: usize,
    /// How many there are.
    pub of: usize,
    /// Seconds since the run began.
    pub elapsed_seconds: i64,
    /// Seconds until the promotion at the earliest, people and pods not counted. Absent while nothing moves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earliest_end_seconds: Option<i64>,
    /// When the run is looked at next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub next_look: Option<Timestamp>,
}

/// Failed checks.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct FailedChecks {
    /// Counted.
    pub count: i32,
    /// That end the run.
    pub limit: i32,
}

/// One metric.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckView {
    /// Its name.
    pub name: String,
    /// Its last verdict: `Pass`, `Fail`, `NoData`, `Inconclusive`, `Error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Its last value.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// The primary's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub primary_value: String,
    /// `%`, `ms` or unknown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// What passes, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub wanted: String,
    /// What passes, as numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<MetricRange>,
    /// What was asked of the metrics server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// Measurements that passed.
    pub passed: i32,
    /// Measurements that failed.
    pub failed: i32,
    /// Those of them that came last.
    pub failed_in_row: i32,
    /// One more failure ends the run, by the metric's own limit.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub last_chance: bool,
    /// When it was measured last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub measured: Option<Timestamp>,
    /// Why it did not pass.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The last looks at it, oldest first, at most 40.
    pub looks: Vec<Look>,
}

/// One measurement.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Look {
    /// At which step.
    pub step: i32,
    /// The value; empty if there was none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// The primary's, where it was measured.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub primary: String,
    /// What it came to.
    pub verdict: String,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
}
