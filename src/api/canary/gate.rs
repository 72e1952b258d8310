//! `gate`: a place in a run that people open, by the annotation `serin.dev/request`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A place that a run passes when it is asked to, by the annotation `serin.dev/request` with the verb `approve`.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// What people call it. A request may name it, and opens no other one then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub name: Option<String>,
    /// How long it is waited for at most, as a duration such as `24h`. Default: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$"), length(max = 64))]
    pub deadline: Option<String>,
    /// What happens when the deadline has passed: `rollback` or `proceed`. Default: `rollback`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["rollback", "proceed"]))]
    pub on_deadline: Option<String>,
    /// When people are reminded by an Event, as a duration such as `1h`. Default: after half of the deadline, or after an
    /// hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$"), length(max = 64))]
    pub remind_after: Option<String>,
}
