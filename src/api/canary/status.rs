//! What the operator writes down about a Canary: the truth for step and weight.

use std::{collections::BTreeMap, fmt};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::references::{LocalRef, RouteRef, TargetRef, UpstreamRef};
use crate::api::{canary_run::LastRun, metric::policy::MetricStatus, request::RequestStatus};

/// State of a Canary, as last written by the operator.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CanaryStatus {
    /// Where the Canary stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Failed checks of this run so far; the run ends when `analysis.threshold` is reached.
    pub failed_checks: i32,
    /// Percent of the traffic that is known to go to the canary.
    pub canary_weight: i32,
    /// Iterations done in this run.
    pub iterations: i32,
    /// Hash of the target's template that was seen last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_applied_spec: Option<String>,
    /// Hash of the template that the primary was given last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_promoted_spec: Option<String>,
    /// Hashes of the templates that the primary was given before that one, newest first: the last 10.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub former_specs: Vec<String>,
    /// Checksums of the configuration that the target uses, by `configmap/<name>` or `secret/<name>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracked_configs: Option<BTreeMap<String, String>>,
    /// The ConfigMaps and Secrets that the target refers to, as they were last read, by the same names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub observed_configs: BTreeMap<String, ObservedConfig>,
    /// When phase or weight last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
    /// Conditions: `Promoted` tells how the last run ended, `Ready`, `Reconciling` and `Stalled` tell tools whether to wait
    /// for the target's revision, others what needs attention.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<CanaryCondition>,
    /// Session affinity cookie of this run, `name=value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_affinity_cookie: Option<String>,
    /// Session affinity cookie for users of the primary in this run, `name=value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_session_affinity_cookie: Option<String>,
    /// Session affinity cookie of the previous run, `name=value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_session_affinity_cookie: Option<String>,
    /// `metadata.generation` of the Canary that this status was decided on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Counts the runs: what a run writes carries its number.
    pub epoch: i64,
    /// The target as it was seen last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<ObservedTarget>,
    /// By what the generated objects were made. These fields of the spec stay in force until the Canary is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_use: Option<InUse>,
    /// What is waited for now: deadlines and gates count from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// Where the run stands in its schedule of weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<StepStatus>,
    /// When the run is looked at next, as planned when this was written. Unset: that depends on something else than time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_check: Option<MicroTime>,
    /// The run in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunStatus>,
    /// What the metrics of this run, or of the last one, came to, in list order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricStatus>,
    /// The last run that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<LastRun>,
    /// Replicas handed from the target to the primary; in a run with an autoscaler, those it does not go below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_replicas: Option<i32>,
    /// Hash of the primary's pod template as it was last found to be what it should be. Empty: it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_template: Option<String>,
    /// The last run has ended, and its webhooks of the type `post-rollout` are yet to answer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub post_rollout_due: bool,
    /// The last request that was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestStatus>,
    /// Ids of the requests that were answered last, newest last: none of them acts again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answered_requests: Vec<String>,
}

impl CanaryStatus {
    /// The phase, or `Unset` if the operator has only checked the Canary so far. The first written status shows
    /// `Initializing` even if the Canary is refused, because tools that read the phase expect one.
    pub fn begun(&self) -> Phase {
        let phase = self.phase.unwrap_or_default();
        if phase == Phase::Initializing && self.epoch == 0 { Phase::Unset } else { phase }
    }
}

/// The fields of the spec by which the generated objects were made.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InUse {
    /// `spec.provider`, or the operator's own.
    pub provider: String,
    /// `spec.targetRef`.
    pub target_ref: TargetRef,
    /// `spec.service.name`, or the target's.
    pub service: String,
    /// `spec.ingressRef`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress_ref: Option<LocalRef>,
    /// `spec.routeRef`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route_ref: Option<RouteRef>,
    /// `spec.upstreamRef`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_ref: Option<UpstreamRef>,
}

/// What a Canary waits for.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// Since when: set by each phase, revision, step and decision, and when the Canary is resumed or accepted again.
    pub since: MicroTime,
    /// Hash of the revision that waits for approval to start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

/// Where a Canary stands.
#[derive(
    JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Phase {
    /// Not looked at yet.
    #[default]
    #[serde(rename = "")]
    Unset,
    /// The primary is being made from the target.
    Initializing,
    /// The primary serves everyone; no run yet.
    Initialized,
    /// A new revision waits for approval to start.
    Waiting,
    /// A new revision is being analysed.
    Progressing,
    /// The analysis went well; waiting for approval to promote.
    WaitingPromotion,
    /// The primary is given the new revision.
    Promoting,
    /// All traffic goes back to the primary, and the target is scaled down.
    Finalising,
    /// The last run ended well.
    Succeeded,
    /// The last run was rolled back.
    Failed,
    /// The Canary is being deleted.
    Terminating,
    /// The Canary was deleted and everything is handed back.
    Terminated,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unset => "",
            Self::Initializing => "Initializing",
            Self::Initialized => "Initialized",
            Self::Waiting => "Waiting",
            Self::Progressing => "Progressing",
            Self::WaitingPromotion => "WaitingPromotion",
            Self::Promoting => "Promoting",
            Self::Finalising => "Finalising",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Terminating => "Terminating",
            Self::Terminated => "Terminated",
        })
    }
}

/// One condition of a Canary.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryCondition {
    /// What it is about, e.g. `Promoted`.
    #[serde(rename = "type")]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Why, as one word.
    pub reason: String,
    /// Why, as a sentence.
    #[serde(default)]
    pub message: String,
    /// `metadata.generation` of the Canary that it was decided on; of `Ready`, `Reconciling` and `Stalled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When status, reason or message last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_time: Option<Time>,
    /// When the status last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
}

/// Identity and version of a target.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObservedTarget {
    /// Its uid.
    pub uid: String,
    /// Its `metadata.generation`.
    pub generation: i64,
    /// When it was last scaled back to no pods between runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emptied: Option<MicroTime>,
    /// Its generation then: a write that was refused and is tried again is no other emptying.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emptied_generation: Option<i64>,
    /// Seconds from then until that is done again, should somebody else scale it up once more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<i64>,
    /// Its generation when it began to be handed back its replicas, in a deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returning: Option<i64>,
    /// Since when it has been gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<MicroTime>,
}

/// A ConfigMap or Secret as it was last read.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObservedConfig {
    /// Its `metadata.resourceVersion` then. Empty: there is none of that name, or it is not followed.
    pub version: String,
    /// Checksum of its content. Unset: it is not followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// A position in the schedule of weights.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StepStatus {
    /// Position in the schedule, from 1; 0 is before the first step.
    pub index: i32,
    /// Steps done by which the primary takes its traffic back during promotion.
    pub promotion: i32,
    /// Percent of the traffic that the canary is meant to have; with `analysis.match`, of the requests it names.
    pub weight: i32,
    /// The canary is meant to get copies of the primary's requests.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mirrored: bool,
    /// The weight is of all requests, although `analysis.match` names some: the primary cannot serve.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub everyone: bool,
    /// Before the first step the target's pods are replaced: their configuration has changed since they started.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub renew: bool,
    /// Since when pods of the target have been waited for. Unset: they were ready when they were last looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods_since: Option<MicroTime>,
    /// The requests that the weight is of: `all`, or a digest of the conditions of `analysis`. Empty: not known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub audience: String,
    /// When the weight was decided, where pods are shared: how long they may take to become ready counts from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<MicroTime>,
    /// Pods that the target has for this step, where `analysis.canaryReplicas` says so. Unset: as many as the primary has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<StepPods>,
    /// When the route was seen to carry that weight. Unset: not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<MicroTime>,
    /// End of the last window that was measured at this step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked: Option<MicroTime>,
    /// When the next step was asked for: the window under way ends then, and the step lasts no longer than its checks need.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shortened: Option<MicroTime>,
    /// When a person decided about measurements that say neither yes nor no: those of this step no longer stop the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<MicroTime>,
}

/// Pods that the target has for a step.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepPods {
    /// How many.
    pub replicas: i32,
    /// When that was decided: how long they may take to become ready counts from here.
    pub since: MicroTime,
}

/// A run in progress.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunStatus {
    /// When it began.
    pub started: MicroTime,
    /// `epoch` when it began: its number, by which its CanaryRun is named. 0: it was begun by a version without records.
    #[serde(default)]
    pub number: i64,
    /// Replicas that the target was given on purpose together with the new revision: the promoted primary gets as many.
    /// Unset: none were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Somebody else has taken pods from the target in this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<PodsTaken>,
    /// Somebody holds it at its weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<RunPause>,
    /// It is promoted without the rest of the analysis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<Finish>,
    /// The decision to end it, while that is being carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
}

/// A run that somebody holds at its weight.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunPause {
    /// Since when.
    pub since: MicroTime,
    /// Until when. Unset: until somebody asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<MicroTime>,
    /// Who asked for it, and why.
    pub message: String,
}

/// Why a run is promoted without the rest of the analysis.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finish {
    /// When that was decided.
    pub at: MicroTime,
    /// Why, as one word.
    pub reason: String,
    /// Why, as a sentence: who asked for it, and where the run was.
    pub message: String,
}

/// Pods of the target that somebody else took away in a run.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodsTaken {
    /// When that began: the first time, or the first after a quiet `progressDeadlineSeconds`.
    pub since: MicroTime,
    /// When it last happened.
    pub last: MicroTime,
    /// How often it has happened since it began, from 1.
    pub times: i32,
}

/// A decision to end a run that is being carried out.
#[derive(JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ending {
    /// How it ends.
    pub kind: EndingKind,
    /// Why, as one word.
    pub reason: String,
    /// Why, as a sentence.
    pub message: String,
    /// When it was decided.
    pub at: MicroTime,
}

/// Ways in which a run ends without being promoted.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndingKind {
    /// The analysis failed: traffic goes back to the primary.
    RollingBack,
    /// The target was set back to the promoted revision.
    Aborting,
    /// The promoted primary did not become ready: its former template is restored.
    UndoingPromotion,
}
