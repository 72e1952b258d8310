//! How many calls the operator made to the API server, by the server's own audit log.

use std::fs;

use anyhow::Context;
use serde_json::Value;

use serin_bed::Bed;

/// Whose calls are counted: the account of the shipped manifests.
const ACCOUNT: &str = "system:serviceaccount:serin-system:serin";

/// Calls of the operator.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) all: usize,
    /// Of those, for Events.
    pub(super) events: usize,
}

impl Count {
    /// What came after `earlier`.
    pub(super) fn since(self, earlier: Self) -> Self {
        Self { all: self.all - earlier.all, events: self.events - earlier.events }
    }
}

/// All calls so far.
pub(super) fn count(bed: &Bed) -> anyhow::Result<Count> {
    let text = fs::read_to_string(bed.audit_log()).context("reading the audit log")?;
    let mut count = Count::default();
    // The last line may be half written.
    for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if line["user"]["username"] == ACCOUNT {
            count.all += 1;
            count.events += usize::from(line["objectRef"]["resource"] == "events");
        }
    }
    Ok(count)
}
