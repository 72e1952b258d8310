//! Views of waits, of the objects around a Canary, and of Events.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// A workload.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TargetView {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WaitingKind {
    /// A person who opens a gate.
    Gate,
    /// A person who lets the promotion begin, or a time.
    Promotion,
    /// A person who says what the metrics do not.
    Person,
    /// A webhook that says yes.
    Webhook,
    /// Other runs that end.
    Turn,
    /// A person who lets the run go on that is held, or a time.
    Hold,
    /// Pods that become ready.
    Pods,
    /// Proxies that follow the route.
    Route,
    /// A metrics server that answers.
    Metrics,
    /// A Job that measures.
    Job,
    /// More requests to measure.
    Samples,
    /// Checks that pass.
    Checks,
}

/// What is waited for, and what ends that.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitingView {
    /// What it is.
    pub kind: WaitingKind,
    /// Name of the gate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
    /// When it is not waited for any longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub deadline: Option<Timestamp>,
    /// `rollback` or `proceed`: what happens then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_deadline: Option<&'static str>,
    /// As a sentence.
    pub text: String,
    /// Commands, each with what it does.
    pub commands: Vec<CommandView>,
}

/// A command that a person may type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CommandView {
    /// What it does, as in `continue`.
    pub does: &'static str,
    /// The command.
    pub command: String,
}

/// Images of one container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ImageView {
    /// Its name, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// In the primary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// In the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<String>,
}

/// What an object is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// The user's workload, and what belongs to it.
    Canary,
    /// The copy that serves users between runs, and what belongs to it.
    Primary,
    /// Leads requests.
    Route,
}

/// How an object is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Health {
    /// Well.
    Good,
    /// On its way.
    Busy,
    /// Badly.
    Bad,
    /// Nothing to say.
    Idle,
}

/// One object of the tree.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectView {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// How deep in the tree, from 0; its parent is the last one above it that is less deep.
    pub depth: usize,
    /// What it is there for.
    pub role: Role,
    /// How it is doing.
    pub health: Health,
    /// The same in a word, as in `2/3`.
    pub state: String,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub created: Option<Timestamp>,
    /// More about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub info: String,
}

/// A run in progress.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunningView {
    /// Name of its record.
    pub name: String,
    /// Its number.
    pub number: i64,
    /// Hash of the revision on trial.
    pub revision: String,
    /// When it began.
    #[schemars(with = "String")]
    pub started: Timestamp,
}

/// A condition.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ConditionView {
    /// Its type.
    #[serde(rename = "type")]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Why, as one word.
    pub reason: String,
    /// Why, as a sentence.
    pub message: String,
}

/// An Event.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EventView {
    /// When it was seen last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// Somebody may have to look.
    pub warning: bool,
    /// Why, as one word.
    pub reason: String,
    /// As a sentence.
    pub message: String,
    /// What it is about, as in `Canary/app`.
    pub object: String,
    /// How often.
    pub count: i32,
}

/// What can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ActionView {
    /// The verb of the request.
    pub verb: &'static str,
    /// It would be accepted now.
    pub allowed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A tool that applies objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OwnerView {
    /// `Argo CD`, `Flux` or `Helm`.
    pub tool: &'static str,
    /// Its application, Kustomization or release.
    pub name: String,
}
