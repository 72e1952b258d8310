//! `spec.analysis`: how a new version is judged and how fast it gets traffic.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{gate::Gate, promotion::Promotion};
use crate::api::{
    metric::{arg::MetricArg, compare::ErrorRates, policy::MetricPolicy},
    schema::{self, routing},
};

/// Flagger's pattern for durations, without an end anchor: `1m30s` and `10ms` match.
const DURATION: &str = "^[0-9]+(m|s)";

/// A time of the day.
const TIME_OF_DAY: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$";

/// How a new version is judged and how fast it gets traffic: by `stepWeight` or `stepWeights` with rising weights, by
/// `iterations` with all or nothing.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryAnalysis {
    /// Time between checks, as a duration such as `30s` or `1m30s`. Default: `60s`. At least `1s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = DURATION))]
    pub interval: Option<String>,
    /// How many failed checks, counted over the whole run, end it. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<i32>,
    /// Percent of the traffic that the canary gets at most before it is promoted. Default: 100. Not looked at with
    /// `stepWeights`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub max_weight: Option<i32>,
    /// Percent of the traffic by which the canary's share rises at each step.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub step_weight: Option<i32>,
    /// The canary's share of the traffic at each step, in percent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200), inner(range(min = 0)))]
    pub step_weights: Vec<i32>,
    /// The steps as a list, each with the time it lasts at least; may go down and repeat.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub steps: Vec<AnalysisStep>,
    /// Percent of the traffic by which the primary's share rises at each step of promotion. Default: all at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub step_weight_promotion: Option<i32>,
    /// How many checks are made before all traffic goes over at once; with `match`, matching requests go to the canary
    /// meanwhile. Default: 0, rising weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub iterations: Option<i32>,
    /// Send the canary copies of requests before it gets any of its own. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror: Option<bool>,
    /// Percent of the requests that are copied (Istio). Default: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub mirror_weight: Option<i32>,
    /// Percent of the primary's pods that must be ready for it to count as ready. Default: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub primary_ready_threshold: Option<i32>,
    /// Percent of the canary's pods that must be ready for it to count as ready. Default: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub canary_ready_threshold: Option<i32>,
    /// How many pods the new version is analysed with: a number from 1, a percentage of the primary's pods such as `50%`, or
    /// `match`, as many as the weight needs. Default: as many as the primary has. Takes effect at the next step when it is
    /// edited in a run. Not together with an autoscaler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_replicas: Option<IntOrString>,
    /// The fewest pods that `canaryReplicas: match` asks for. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub min_ready: Option<i32>,
    /// Whose reports of requests the built-in metrics read (Istio). Default: `both`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reporter: Option<Reporter>,
    /// Which requests may go to the canary. Default: all.
    #[serde(default, rename = "match", skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "routing::analysis_match")]
    pub match_: Vec<Value>,
    /// Requests that get the canary whatever its weight, from the first step until the run ends: for testers, as the
    /// value `always` of ingress-nginx's canary header. Not together with `match`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "routing::always")]
    pub always: Vec<Value>,
    /// Requests that never get the canary, whatever its weight, until it is promoted. Where a request is named in
    /// `always` as well, this counts. Not together with `match`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "routing::never")]
    pub never: Vec<Value>,
    /// Where news of runs is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub alerts: Vec<CanaryAlert>,
    /// What is measured at each check; all of it must be in range.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub metrics: Vec<CanaryMetric>,
    /// Step from which metrics are measured, counted from 0; a metric may name its own. Default: 0, the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub start_at_step: Option<i32>,
    /// Services that are called, or asked, in the course of a run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 30))]
    pub webhooks: Vec<CanaryWebhook>,
    /// Keep users on the version that first answered them, by a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_affinity: Option<SessionAffinity>,
    /// How many CanaryRuns, the records of runs, are kept; older ones are deleted. 0: none are written. Default: 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub history: Option<i32>,
    /// The run does not begin until it is asked for. Default: it begins at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_gate: Option<Gate>,
    /// When a version that has passed is promoted. Default: at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promotion: Option<Promotion>,
    /// The times of a week at which releases may go on, in UTC: outside of them no run begins and no weight rises. What goes
    /// back does so at any time. Default: at any time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub windows: Vec<ReleaseWindow>,
    /// Which earlier revisions go back in without analysis. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_window: Option<RollbackWindow>,
    /// How often comparisons with the primary may be wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_rates: Option<ErrorRates>,
}

/// A time of some days of a week at which releases may go on.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseWindow {
    /// On which days it begins: `Mon` to `Sun`. Default: each day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 7))]
    pub days: Vec<String>,
    /// When it begins, as a time of the day in UTC such as `09:30`.
    #[schemars(regex(pattern = TIME_OF_DAY))]
    pub from: String,
    /// When it ends; a time that is not later than `from` is one of the next day.
    #[schemars(regex(pattern = TIME_OF_DAY))]
    pub to: String,
}

/// Which earlier revisions go back in without analysis.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RollbackWindow {
    /// Those that were promoted at most so many revisions before the present one.
    #[schemars(range(min = 0, max = 10))]
    pub revisions: i32,
}

/// One step of a run.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnalysisStep {
    /// Percent of the traffic that the canary gets.
    #[schemars(range(min = 0, max = 100))]
    pub weight: i32,
    /// How long the step lasts at least, as a duration such as `10m`: checks go on meanwhile. Default: one interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = DURATION))]
    pub hold: Option<String>,
    /// The run does not leave this step until it is asked to. Default: it goes on by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
}

/// A metric and the range it must be in.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryMetric {
    /// Name of the metric. `request-success-rate` (percent) and `request-duration` (milliseconds) are built in.
    #[schemars(length(max = 253))]
    pub name: String,
    /// How far the query looks back, as a duration such as `1m`. Default: `1m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = DURATION))]
    pub interval: Option<String>,
    /// Superseded by `thresholdRange`: the least value for `request-success-rate`, the greatest for any other metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// The range in which the value must be, bounds included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold_range: Option<ThresholdRange>,
    /// An inline Prometheus query; both it and `templateRef` are asked if both are set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16384))]
    pub query: Option<String>,
    /// The MetricTemplate that holds the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_ref: Option<CrossNamespaceRef>,
    /// Variables for the query of the MetricTemplate.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 50))]
    pub template_variables: BTreeMap<String, String>,
    /// Values for the query that stand elsewhere: `{{ args.name }}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub args: Vec<MetricArg>,
    /// How the metric is judged beyond `thresholdRange`, and when it is measured.
    #[serde(flatten)]
    pub verdict: MetricPolicy,
}

/// A range of values, open at the side that has no bound.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThresholdRange {
    /// Least value that passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Greatest value that passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// Points at an object of a known kind.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CrossNamespaceRef {
    /// Name of the object.
    pub name: String,
    /// Namespace of the object. Default: the Canary's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

impl CrossNamespaceRef {
    /// Namespace and name, as seen from an object in `namespace`.
    pub fn in_namespace<'a>(&'a self, namespace: &'a str) -> (&'a str, &'a str) {
        (self.namespace.as_deref().filter(|n| !n.is_empty()).unwrap_or(namespace), &self.name)
    }
}

/// Where news of runs is sent.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryAlert {
    /// Name of the alert.
    #[schemars(length(max = 253))]
    pub name: String,
    /// Least severity that is sent. Default: `info`, everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["", "info", "warn", "error"]))]
    pub severity: Option<String>,
    /// The AlertProvider that sends it.
    pub provider_ref: CrossNamespaceRef,
}

/// A service that is called, or asked, in the course of a run.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryWebhook {
    /// When it is called. `confirm-…` and `rollback` are gates: the answer decides. Default: `rollout`, at each check.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = [
        "", "confirm-rollout", "pre-rollout", "rollout", "confirm-promotion", "post-rollout", "event", "rollback",
        "confirm-traffic-increase",
    ]))]
    pub type_: Option<String>,
    /// Name of the webhook.
    #[schemars(length(max = 253))]
    pub name: String,
    /// URL that is posted to.
    #[schemars(length(max = 16384))]
    pub url: String,
    /// Time limit of each call, as a duration such as `30s`. Default: `10s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = DURATION))]
    pub timeout: Option<String>,
    /// How often a failed call is made again. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub retries: Option<i32>,
    /// Accept any TLS certificate from the URL. Default: false.
    #[serde(rename = "disableTLS", skip_serializing_if = "Option::is_none")]
    pub disable_tls: Option<bool>,
    /// Send no alerts about this webhook. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mute_alert: Option<bool>,
    /// Sent along with each call.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 100))]
    pub metadata: BTreeMap<String, String>,
}

impl CanaryWebhook {
    /// When it is called: its type, `rollout` by default.
    pub fn kind(&self) -> &str {
        self.type_.as_deref().filter(|t| !t.is_empty()).unwrap_or("rollout")
    }
}

/// Keep users on the version that first answered them, by a cookie.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rule(
    "!has(self.primaryCookieName) || self.primaryCookieName != self.cookieName",
    "cookieName and primaryCookieName must differ",
)))]
pub struct SessionAffinity {
    /// Name of the cookie for users of the canary.
    #[schemars(length(max = 4096))]
    pub cookie_name: String,
    /// Name of the cookie for users of the primary. Default: they get none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub primary_cookie_name: Option<String>,
    /// `Domain` of the cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// `HttpOnly` of the cookie: scripts cannot read it. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_only: Option<bool>,
    /// Seconds after which the cookie expires. Default: 86400, a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 86400))]
    pub max_age: Option<i32>,
    /// `Partitioned` of the cookie. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partitioned: Option<bool>,
    /// `Path` of the cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// `SameSite` of the cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["Strict", "Lax", "None"]))]
    pub same_site: Option<String>,
    /// `Secure` of the cookie: it is sent over TLS only. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure: Option<bool>,
}

/// Which of the two proxies of a request is asked about it.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reporter {
    /// That of the pod that was called: it does not know of requests that reached no pod.
    Destination,
    /// That of the caller, a sidecar or a gateway.
    Source,
    /// Of each caller its own report where there is one, else that of the destination.
    #[default]
    Both,
}
