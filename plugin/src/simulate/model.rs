//! A plan, as `-o json` prints it.

use schemars::JsonSchema;
use serde::Serialize;

/// The plan of a Canary.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanView {
    /// Version of the fields.
    pub api_version: &'static str,
    /// `PlanView`.
    pub kind: &'static str,
    /// Namespace of the Canary; empty in files that name none.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What routes.
    pub provider: String,
    /// How users meet the new version, in words.
    pub strategy: &'static str,
    /// Time between looks.
    pub interval_seconds: f64,
    /// Failed checks that end a run.
    pub threshold: i32,
    /// What is waited for before the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_gate: Option<GatePlan>,
    /// The steps; none without analysis.
    pub steps: Vec<StepPlan>,
    /// What is measured.
    pub checks: Vec<CheckPlan>,
    /// The best case.
    pub promotion: Promotion,
    /// The worst version; absent where nothing would find out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,
    /// What cannot be known beforehand.
    pub unknown: Vec<String>,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepPlan {
    /// From 1.
    pub index: usize,
    /// Percent of the requests.
    pub weight: i32,
    /// Copies only.
    pub mirrored: bool,
    /// Of blue/green and named requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iteration: Option<i32>,
    /// How long it lasts at least.
    pub lasts_seconds: f64,
    /// When it is over at the earliest, gates apart.
    pub over_at_seconds: f64,
    /// Who has to let it go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<GatePlan>,
}

/// A gate.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatePlan {
    /// Its name, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How long it is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_seconds: Option<f64>,
    /// What happens then.
    pub on_deadline: &'static str,
}

/// A check.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckPlan {
    /// Its name.
    pub name: String,
    /// What passes, in words.
    pub wanted: String,
    /// The first step that is measured, from 1.
    pub from_step: usize,
    /// Its MetricTemplate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// How often it has to pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<i32>,
    /// It decides nothing.
    pub dry_run: bool,
}

/// The best case: every look passes, and people answer at once.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Promotion {
    /// After the pods are ready.
    pub earliest_seconds: f64,
    /// People who have to let it go on.
    pub waits_for: Vec<String>,
    /// The metric that takes longer than the steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_by: Option<String>,
}

/// The worst version: every look fails.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rollback {
    /// After the pods are ready.
    pub earliest_seconds: f64,
    /// What ends it: `threshold`, or a metric with its limit.
    pub by: String,
    /// At which step, from 1.
    pub at_step: usize,
    /// The weight there.
    pub weight: i32,
    /// As many requests as all users make in so many seconds.
    pub exposure_seconds: f64,
}
