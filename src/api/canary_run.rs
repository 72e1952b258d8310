//! CanaryRun: what happened in one run of a Canary, and why it ended as it did. Written by the operator, read by people.
//!
//! Owns the words and fields of a record. Nothing is decided from it: the truth about a run is in the Canary's status.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{metric::policy::MetricRange, request::RequestStatus};

/// What a run is about; set when it begins.
#[derive(CustomResource, JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "serin.dev",
    version = "v1alpha1",
    kind = "CanaryRun",
    plural = "canaryruns",
    shortname = "crun",
    namespaced,
    status = "CanaryRunStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "The record of one run of a Canary. Written by Serin, and removed with the Canary or when newer ones take its \
           place; nothing is decided from it."
)]
#[serde(rename_all = "camelCase", default)]
pub struct CanaryRunSpec {
    /// The Canary, in the same namespace.
    pub canary: String,
    /// Number of the run: `status.epoch` of the Canary when it began.
    pub number: i64,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<MicroTime>,
    /// How users were to meet the new revision: `Weighted`, `AbTest` or `BlueGreen`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub strategy: String,
    /// What moved the traffic, e.g. `istio`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub provider: String,
    /// Hash of the revision on trial.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub revision: String,
    /// Images of its containers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Hash of the revision that it was to replace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub promoted_revision: String,
    /// Images of that one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub promoted_images: Vec<String>,
    /// The steps that were planned when it began. Edits in the middle of a run are not in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<PlannedStep>,
    /// Seconds between checks: a step lasts so long at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<i64>,
    /// Failed checks that end the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<i32>,
}

/// A step of the schedule.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PlannedStep {
    /// Percent of the traffic that the canary is to get; with `analysis.match`, of the requests it names.
    pub weight: i32,
    /// The canary is to get copies of the primary's requests.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mirrored: bool,
    /// Seconds that it lasts at least, where that is longer than the time between checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_seconds: Option<i64>,
    /// People are asked before the next one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gated: bool,
}

/// What happened.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CanaryRunStatus {
    /// Where the run stands, or how it ended.
    pub phase: RunPhase,
    /// Why, as one word.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Why, as a sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// When the decision to end it without a promotion was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<MicroTime>,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<MicroTime>,
    /// Failed checks counted against `analysis.threshold`.
    pub failed_checks: i32,
    /// The weights that were taken, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<RunStep>,
    /// What was asked of metrics servers, and how often it came out how.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<RunMetric>,
    /// Measurements, in order of time. Of a long run the first and the last of each metric, and the latest that did not
    /// pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub measurements: Vec<Measurement>,
    /// Webhooks that were called, in order of time; of a long run likewise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookCall>,
    /// What people asked for in this run, and what became of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RequestStatus>,
    /// What the lists above leave out for size.
    #[serde(skip_serializing_if = "LeftOut::is_none")]
    pub left_out: LeftOut,
    /// The record was deleted in the middle of the run: what came before is not in it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
}

/// Where a run stands, or how it ended.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunPhase {
    /// It goes from step to step.
    #[default]
    Running,
    /// It waits before its promotion.
    Waiting,
    /// It is being ended without a promotion.
    Ending,
    /// Ended: all steps went well, and the primary has the new revision.
    Promoted,
    /// Ended: the primary has the new revision, which was not analysed, or not to the end: `spec.skipAnalysis` or a person asked for
    /// that.
    PromotedUnanalysed,
    /// Ended: traffic went back to the primary.
    RolledBack,
    /// Ended: the primary did not become ready with the new revision, and got its former one back.
    PromotionUndone,
    /// Ended: the target was set back to the promoted revision.
    Aborted,
    /// Ended: a newer revision took its place.
    Superseded,
    /// Ended: the Canary was deleted.
    Deleted,
    /// Ended, and how is not known any more.
    Unknown,
}

impl RunPhase {
    /// The run is over.
    pub fn ended(self) -> bool {
        !matches!(self, Self::Running | Self::Waiting | Self::Ending)
    }
}

/// A weight that the route was seen to carry.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunStep {
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<MicroTime>,
    /// Position in the schedule, from 1.
    pub index: i32,
    /// Percent of the traffic that the canary got; with `analysis.match`, of the requests it names.
    pub weight: i32,
    /// The canary got copies of the primary's requests.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mirrored: bool,
    /// A step of the promotion, in which the traffic goes to the new primary.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub promotion: bool,
}

/// What was asked under the name of a metric.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunMetric {
    /// Its name.
    pub name: String,
    /// The query as it was sent, what looks like a credential apart.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// What passes, e.g. `at least 99`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub wanted: String,
    /// What passes as numbers, in `unit`; absent where conditions say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<MetricRange>,
    /// What values and range are in: `%`, `ms`, or empty where that is not known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// How many measurements had which verdict, also those that are not listed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub verdicts: BTreeMap<String, i64>,
}

/// One look at a metric.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Measurement {
    /// Name of the metric.
    pub metric: String,
    /// Step of the schedule at which it was measured.
    pub step: i32,
    /// Beginning of the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<MicroTime>,
    /// When it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<MicroTime>,
    /// What was read: of several series the one that counts. Absent: nothing was.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// What was read for the primary, where it was measured.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub primary: String,
    /// `Pass`, `Fail`, `NoData`, `Inconclusive`, or `Error` where nothing is known about the revision.
    pub verdict: String,
    /// Why it did not pass.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The Job whose end it is, where the metric is one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub job: String,
    /// How often it was measured in this window with this verdict. Absent: once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<i32>,
}

/// One call of a webhook.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HookCall {
    /// Its name.
    pub name: String,
    /// Its type, e.g. `rollout`.
    #[serde(rename = "type")]
    pub type_: String,
    /// Where it is, without what looks like a credential.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// Step of the schedule at which it was called; 0 before the first one and after the end.
    pub step: i32,
    /// When it was called; of several times the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<MicroTime>,
    /// When its answer was there; of several times the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<MicroTime>,
    /// `Passed` or `Refused`.
    pub outcome: String,
    /// HTTP status of its answer. Absent: there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// How often the last call was tried. Absent: once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries: Option<i32>,
    /// How often it was called at this step with this outcome. Absent: once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<i32>,
}

/// What is not listed, for size.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LeftOut {
    /// Steps.
    pub steps: i64,
    /// Measurements.
    pub measurements: i64,
    /// Calls of webhooks.
    pub hooks: i64,
}

impl LeftOut {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// The last run that ended, in the status of its Canary: known also where records of runs are not kept.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastRun {
    /// Name of its CanaryRun.
    pub name: String,
    /// Number of the run.
    pub number: i64,
    /// Hash of the revision that was on trial.
    pub revision: String,
    /// How it ended.
    pub outcome: RunPhase,
    /// Why, as one word.
    pub reason: String,
    /// Why, as a sentence.
    pub message: String,
    /// Failed checks counted in it.
    pub failed_checks: i32,
    /// When it began.
    pub started: MicroTime,
    /// When it was over.
    pub ended: MicroTime,
}
