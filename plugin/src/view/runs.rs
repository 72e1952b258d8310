//! Runs, from their records, or the last run from the Canary's status.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serin::api::{CanaryRun, CanaryRunStatus, CanaryStatus, LastRun, MetricRange, RequestStatus};

use super::{facts::Facts, version::API_VERSION};

/// One run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunView {
    /// [`API_VERSION`].
    pub api_version: &'static str,
    /// `RunView`.
    pub kind: &'static str,
    /// Name of its record.
    pub name: String,
    /// Its Canary.
    pub canary: String,
    /// Its number.
    pub number: i64,
    /// How it ended, or where it stands: `Promoted`, `RolledBack`, `Running`, …
    pub outcome: String,
    /// Why, as one word.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Why, as a sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Hash of the revision on trial.
    pub revision: String,
    /// Its images.
    pub images: Vec<String>,
    /// Images of the revision that it was to replace.
    pub promoted_images: Vec<String>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub started: Option<Timestamp>,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ended: Option<Timestamp>,
    /// Failed checks that were counted.
    pub failed_checks: i32,
    /// Failed checks that end it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<i32>,
    /// Who asked for its end or its promotion, as far as they said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The weights that were taken.
    pub steps: Vec<StepTakenView>,
    /// The metrics that were measured.
    pub metrics: Vec<MetricView>,
    /// What was measured.
    pub measurements: Vec<MeasurementView>,
    /// Webhooks that were called.
    pub hooks: Vec<HookView>,
    /// What people asked for.
    pub requests: Vec<RequestStatus>,
    /// Measurements, steps and calls that the record leaves out for size.
    pub left_out: i64,
}

/// A weight that was taken.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StepTakenView {
    /// Position in the schedule, from 1.
    pub index: i32,
    /// Percent of the requests.
    pub weight: i32,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// A step of the promotion.
    pub promotion: bool,
}

/// What was wanted of a metric.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MetricView {
    /// Its name.
    pub name: String,
    /// `%`, `ms` or unknown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// What passes, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub wanted: String,
    /// What passes, as numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<MetricRange>,
}

/// One measurement.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MeasurementView {
    /// Of which metric.
    pub metric: String,
    /// At which step.
    pub step: i32,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// The value; empty if there was none.
    pub value: String,
    /// The primary's, where it was measured.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub primary: String,
    /// What passes, in words.
    pub wanted: String,
    /// What it came to.
    pub verdict: String,
    /// Why it did not pass.
    pub message: String,
}

/// One call of a webhook.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HookView {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub type_: String,
    /// At which step.
    pub step: i32,
    /// When its answer was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// `Passed` or `Refused`.
    pub outcome: String,
    /// Why it was refused.
    pub message: String,
}

/// The view of a record.
pub fn run(record: &CanaryRun) -> RunView {
    let (spec, status) = (&record.spec, record.status.clone().unwrap_or_default());
    RunView {
        api_version: API_VERSION,
        kind: "RunView",
        name: record.metadata.name.clone().unwrap_or_default(),
        canary: spec.canary.clone(),
        number: spec.number,
        outcome: format!("{:?}", status.phase),
        revision: spec.revision.clone(),
        images: spec.images.clone(),
        promoted_images: spec.promoted_images.clone(),
        started: spec.started.as_ref().map(|t| t.0),
        ended: status.ended.as_ref().map(|t| t.0),
        failed_checks: status.failed_checks,
        threshold: spec.threshold,
        by: by(&status.requests),
        steps: status
            .steps
            .iter()
            .map(|s| StepTakenView {
                index: s.index,
                weight: s.weight,
                at: s.at.as_ref().map(|t| t.0),
                promotion: s.promotion,
            })
            .collect(),
        metrics: metrics(&status),
        measurements: measurements(&status),
        hooks: hooks(&status),
        left_out: status.left_out.steps + status.left_out.measurements + status.left_out.hooks,
        requests: status.requests,
        reason: status.reason,
        message: status.message,
    }
}

fn metrics(status: &CanaryRunStatus) -> Vec<MetricView> {
    let all = status.metrics.iter();
    all.map(|m| MetricView {
        name: m.name.clone(),
        unit: m.unit.clone(),
        wanted: m.wanted.clone(),
        limit: m.range,
    })
    .collect()
}

fn measurements(status: &CanaryRunStatus) -> Vec<MeasurementView> {
    let wanted = |name: &str| {
        status.metrics.iter().find(|m| m.name == name).map(|m| m.wanted.clone()).unwrap_or_default()
    };
    let all = status.measurements.iter();
    all.map(|m| MeasurementView {
        metric: m.metric.clone(),
        step: m.step,
        at: m.end.as_ref().map(|t| t.0),
        value: m.value.clone(),
        primary: m.primary.clone(),
        wanted: wanted(&m.metric),
        verdict: m.verdict.clone(),
        message: m.message.clone(),
    })
    .collect()
}

fn hooks(status: &CanaryRunStatus) -> Vec<HookView> {
    let all = status.hooks.iter();
    all.map(|h| HookView {
        name: h.name.clone(),
        type_: h.type_.clone(),
        step: h.step,
        at: h.at.as_ref().map(|t| t.0),
        outcome: h.outcome.clone(),
        message: h.message.clone(),
    })
    .collect()
}

/// Who asked last and was heard; the operator writes `asked for by …`.
fn by(requests: &[RequestStatus]) -> Option<String> {
    let heard = requests.iter().rev().filter(|r| r.answer == serin::api::Answer::Accepted);
    heard.filter_map(|r| r.message.strip_prefix("asked for by ")).map(str::to_owned).next()
}

/// The last completed run, from its record or from the status.
pub(super) fn last(facts: &Facts, status: &CanaryStatus) -> Option<RunView> {
    let last = status.last_run.as_ref()?;
    Some(facts.run(last.number).map_or_else(|| kept(facts, last), run))
}

fn kept(facts: &Facts, last: &LastRun) -> RunView {
    RunView {
        api_version: API_VERSION,
        kind: "RunView",
        name: last.name.clone(),
        canary: facts.name().to_owned(),
        number: last.number,
        outcome: format!("{:?}", last.outcome),
        reason: last.reason.clone(),
        message: last.message.clone(),
        revision: last.revision.clone(),
        images: vec![],
        promoted_images: vec![],
        started: Some(last.started.0),
        ended: Some(last.ended.0),
        failed_checks: last.failed_checks,
        threshold: None,
        by: None,
        steps: vec![],
        metrics: vec![],
        measurements: vec![],
        hooks: vec![],
        requests: vec![],
        left_out: 0,
    }
}
