//! The result for one Rollout.

use serde_json::Value;

/// The result for one Rollout.
pub(super) struct Converted {
    pub(super) objects: Vec<Value>,
    /// Input objects that the results replace.
    pub(super) replaced: Vec<Value>,
}

impl Converted {
    /// Whether this object of the input is replaced.
    pub(super) fn replaces(&self, object: &Value) -> bool {
        self.replaced.contains(object)
    }
}
