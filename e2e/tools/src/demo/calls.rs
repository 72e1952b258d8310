//! The number of the operator's calls to the API server, from the audit log.

use std::fs;

use anyhow::Context;
use serde_json::Value;

use serin_bed::Bed;

/// The account whose calls are counted, from the shipped manifests.
const ACCOUNT: &str = "system:serviceaccount:serin-system:serin";

/// Calls of the operator.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) all: usize,
    /// The calls for Events among them.
    pub(super) events: usize,
}

impl Count {
    /// The calls after `earlier`.
    pub(super) fn since(self, earlier: Self) -> Self {
        Self { all: self.all - earlier.all, events: self.events - earlier.events }
    }
}

/// All calls so far.
pub(super) fn count(bed: &Bed) -> anyhow::Result<Count> {
    let text = fs::read_to_string(bed.audit_log()).context("reading the audit log")?;
    let mut count = Count::default();
    // The last line may be incomplete.
    for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if line["user"]["username"] == ACCOUNT {
            count.all += 1;
            count.events += usize::from(line["objectRef"]["resource"] == "events");
        }
    }
    Ok(count)
}
