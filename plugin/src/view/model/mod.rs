//! The fields of a view, for web pages and `-o json`. Times are in RFC 3339, durations are in seconds, unknown values
//! are absent, and enumerations are words.

mod around;
mod traffic;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serin::{api::RequestStatus, names::conditions};

pub use around::{
    ActionView, CommandView, ConditionView, EventView, Health, ImageView, ObjectView, OwnerView, Role,
    RunningView, TargetView, WaitingKind, WaitingView,
};
pub use traffic::{CheckView, FailedChecks, Look, ProgressView, StepState, StepView, WeightView};

/// How a Canary stands, as one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// The primary serves everybody, and nothing is under way.
    Healthy,
    /// The primary is being made.
    Initializing,
    /// A revision is being analysed.
    Progressing,
    /// Somebody, or a webhook, is waited for.
    Waiting,
    /// People hold the run at its weight.
    Paused,
    /// The metrics cannot be measured.
    Frozen,
    /// The metrics say neither yes nor no, and a person decides.
    Inconclusive,
    /// The primary is given the revision.
    Promoting,
    /// The run is being ended without a promotion.
    Ending,
    /// The last run was rolled back.
    Failed,
    /// The spec, or something around it, keeps the operator from acting.
    Refused,
    /// The spec suspends it.
    Suspended,
    /// It is being deleted.
    Deleting,
    /// No operator has acted on it.
    Unattended,
}

/// One Canary.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CanaryView {
    /// [`crate::view::API_VERSION`].
    pub api_version: &'static str,
    /// `CanaryView`.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// The version of the object that this is a view of.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
    /// The workload.
    pub target: TargetView,
    /// What moves the traffic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// `Weighted`, `AbTest` or `BlueGreen`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// How it stands.
    pub state: State,
    /// The phase in its status, a word of Flagger's.
    pub phase: String,
    /// How it stands, as a sentence.
    pub headline: String,
    /// Since when phase or weight are as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
    /// What is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<WaitingView>,
    /// Where requests go.
    pub weight: WeightView,
    /// The steps of the schedule.
    pub steps: Vec<StepView>,
    /// How the promotion begins: `auto`, `manual`, or after so many seconds.
    pub promotion: String,
    /// How far the run is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<ProgressView>,
    /// Failed checks of this run or of the last one.
    pub failed_checks: FailedChecks,
    /// What is measured.
    pub checks: Vec<CheckView>,
    /// Images of both versions.
    pub images: Vec<ImageView>,
    /// Target, primary, their pods and the routing objects.
    pub objects: Vec<ObjectView>,
    /// Hash of the revision that requests are about: the one on trial, the one that waits to begin, or at rest the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The run in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunningView>,
    /// The last run that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<crate::view::RunView>,
    /// Conditions that need attention, and those that say how the last run ended.
    pub conditions: Vec<ConditionView>,
    /// The latest Events, newest first.
    pub events: Vec<EventView>,
    /// The last answer to a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestStatus>,
    /// What can be asked for now, by the state of the run; whether the user may is another question.
    pub actions: Vec<ActionView>,
    /// The tool that applies the Canary or its target, and would undo edits of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerView>,
    /// What could not be read, each as the right that is missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

impl CanaryView {
    /// The target's revision did not start a run, because somebody or a deadline said so. The phase is that of the last run.
    pub fn declined(&self) -> bool {
        self.conditions.iter().any(|c| c.reason == conditions::DECLINED)
    }

    /// A person may have to act.
    pub fn needs_attention(&self) -> bool {
        self.state.needs_attention() || self.declined()
    }
}
