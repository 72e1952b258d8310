//! Checks and their results.

use schemars::JsonSchema;
use serde::Serialize;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Well.
    Ok,
    /// It may not be looked at.
    Skipped,
    /// It works, probably not as meant.
    Warning,
    /// Releases do not work.
    Error,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// Never used again for something else.
    pub id: &'static str,
    /// How it came out.
    pub result: Outcome,
    /// What was found.
    pub text: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Checks of one matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// In order.
    pub checks: Vec<Check>,
}

pub(super) fn check(id: &'static str, result: Outcome, text: impl Into<String>) -> Check {
    Check { id, result, text: text.into(), hint: None }
}

impl Check {
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
