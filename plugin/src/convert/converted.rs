//! What was made of a Rollout.

use serde_json::Value;

/// What was made of a Rollout.
pub(super) struct Converted {
    pub(super) objects: Vec<Value>,
    /// Objects of the input that these take the place of.
    pub(super) replaced: Vec<Value>,
}

impl Converted {
    /// It takes the place of an object that was given.
    pub(super) fn replaces(&self, object: &Value) -> bool {
        self.replaced.contains(object)
    }
}
