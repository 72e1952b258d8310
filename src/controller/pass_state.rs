//! What the operator remembers of a Canary between two looks at it. Never decided from alone: the truth is in the cluster.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Worker;
use crate::{
    expression::Known,
    snapshot::{Key, Records, RefusedJob, Snapshot},
};

/// What is remembered of a Canary between passes; losing it costs a question, a sentence or a moment, nothing else.
#[derive(Default)]
pub(super) struct PassState {
    pub(super) ask_not_before: BTreeMap<Key, Timestamp>,
    pub(super) refused: BTreeMap<Key, String>,
    pub(super) jobs: BTreeMap<Key, RefusedJob>,
    pub(super) records: BTreeMap<Key, Records>,
    /// Conditions of metrics, where a Canary has some.
    pub(super) conditions: BTreeMap<Key, Known>,
    /// Canaries that do not decode, and why.
    pub(super) undecodable: BTreeMap<Key, String>,
}

impl Worker {
    /// The snapshot with what is remembered of its Canary.
    pub(super) fn remembering(&self, key: &Key, mut snap: Snapshot) -> Snapshot {
        let known = self.memory().conditions.get(key).cloned().unwrap_or_default();
        snap.conditions = known.with(snap.canary.conditions());
        let mut memory = self.memory();
        if snap.conditions.is_empty() {
            memory.conditions.remove(key);
        } else {
            memory.conditions.insert(key.clone(), snap.conditions.clone());
        }
        snap.ask_not_before = memory.ask_not_before.get(key).copied();
        snap.refused = memory.refused.get(key).cloned();
        snap.refused_job = memory.jobs.get(key).cloned();
        let records = memory.records.get(key).cloned().unwrap_or_default();
        snap.records = Records { known: snap.records.known, ..records };
        snap
    }
}
