//! `analysis.metrics[].compare`: the canary beside the primary, by counts of requests, and what that has come to.

use k8s_openapi::apimachinery::pkg::{apis::meta::v1::MicroTime, util::intstr::IntOrString};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A duration such as `30s` or `1m30s`.
const DURATION: &str = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$";

/// How often comparisons may be wrong, in percent of the runs.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorRates {
    /// Tolerable releases that are found worse, all compared metrics together. Above 0, at most 50. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub false_rollback: Option<f64>,
    /// Intolerable releases that are found no worse, by each compared metric. Above 0, at most 50. Default: 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub false_promotion: Option<f64>,
}

/// Compare the failed requests of the canary with those of the primary in the same time. Beside `thresholdRange` and
/// conditions: both must hold.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Compare {
    /// Time between two looks at the counters, as a duration; not below the time between scrapes, at most
    /// `analysis.interval`. Default: `15s`, or the interval if that is shorter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = DURATION), length(max = 64))]
    pub every: Option<String>,
    /// What is worse: the run is rolled back at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worse: Option<WorseMargins>,
    /// What is no worse: without it nothing is promoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_worse: Option<NoWorseMargins>,
    /// How long a hiccup of one side may last that is never enough to be found worse, as a duration. Default: `15s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = DURATION), length(max = 64))]
    pub hiccup: Option<String>,
    /// How long a new canary counts as cold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<Warmup>,
    /// How many failures usually come together: a number from 1, or `unknown`, where all failures of a look count as one, and
    /// looks without failures do not show that the canary is no worse. Default: unknown, but at most 10 for no worse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bursts: Option<IntOrString>,
    /// While it is undecided: `goOn`, the steps go on and only the promotion waits, or `hold`, the weight holds as well.
    /// Default: `goOn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undecided: Option<Undecided>,
    /// How long the last step below a weight of 100 may be undecided, as a duration. Default: any time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = DURATION), length(max = 64))]
    pub decide_within: Option<String>,
    /// What follows then: `wait`, a person decides, `promote` or `rollback`. Default: `wait`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub afterwards: Option<Afterwards>,
}

/// A canary is worse if it is beyond both.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorseMargins {
    /// So many times the primary's rate of failures. At least 1. Default: 1.5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// Percent of its requests. Default: 0.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
}

/// A canary is no worse if it is within either.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoWorseMargins {
    /// So many times the primary's rate of failures. At least `worse.ratio`. Default: 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// Percent of its requests. At least `worse.above`. Default: 0.5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
}

/// How long a new canary counts as cold, and what is tolerated then.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Warmup {
    /// From its first requests, as a duration. Default: `1m`.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = DURATION), length(max = 64))]
    pub lasts: Option<String>,
    /// The margins of `worse` are so many times as wide. At least 1. Default: 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<f64>,
}

/// What a run does while a comparison is undecided.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Undecided {
    /// Steps go on, and the promotion waits.
    #[default]
    GoOn,
    /// The weight holds.
    Hold,
}

/// What follows when a comparison has been undecided for too long.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Afterwards {
    /// A person decides.
    #[default]
    Wait,
    /// The revision is promoted.
    Promote,
    /// The run is rolled back.
    Rollback,
}

/// What a comparison says.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CompareVerdict {
    /// The canary fails more often than is tolerated.
    Worse,
    /// It does not.
    NoWorse,
    /// Neither is known yet.
    Undecided,
    /// The primary itself is in trouble: nothing is concluded for the canary.
    Held,
    /// The counts could not be read.
    Unread,
}

/// Requests of one side in the run so far, and the interval in which its rate of failures is.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ComparedSide {
    /// All requests.
    pub requests: i64,
    /// Those that failed.
    pub failed: i64,
    /// Lower end of the interval, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

/// What the comparison of a metric has come to in this run, or in the last one.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CompareStatus {
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<CompareVerdict>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The evidence that the canary is worse; 1 before anything is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<f64>,
    /// The evidence that it is no worse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence_no_worse: Option<f64>,
    /// Requests of the canary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<ComparedSide>,
    /// Requests of the primary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<ComparedSide>,
    /// What is tolerated and asked for. Where this changes, the evidence starts over.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub wanted: String,
    /// Up to when requests are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<MicroTime>,
    /// The evidence as numbers, for the next look.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub state: String,
}
