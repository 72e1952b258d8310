//! Problems for people to fix.

/// What is wrong with a Canary or its environment, for people.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// CamelCase, from a fixed set: the condition's and Event's reason.
    pub reason: &'static str,
    /// Object, field and remedy.
    pub message: String,
}

impl Problem {
    /// A problem with its remedy.
    pub fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}
