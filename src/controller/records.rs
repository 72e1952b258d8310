//! What is remembered between passes for the records of runs: findings that are not written yet, and writes that failed.

use std::sync::PoisonError;

use super::{Worker, chain, until_after};
use crate::{
    api::canary_run::Evidence,
    apply::ApplyError,
    plan::Plan,
    snapshot::{Key, Records},
};

impl Worker {
    /// After a plan whose decision stands. What it has not written is kept for the next write; one that failed is tried
    /// again later, and delays nothing.
    pub(super) fn recorded(&self, key: &Key, plan: &Plan, failed: Option<&ApplyError>, reached: bool) {
        let mut failures = self.record_failures.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = self.memory();
        let mut known = memory.records.remove(key).unwrap_or_default();
        let written = plan.records() && reached && failed.is_none();
        known.unwritten = if written { Evidence::default() } else { plan.unrecorded.clone() };
        if let Some(error) = failed {
            known.refused = error.forbidden();
            known.not_before = Some(until_after(failures.next(key.clone())));
            if !error.moved() {
                let canary = format!("{}.{}", key.1, key.0);
                tracing::warn!(canary, error = %chain(error), "the record of a run was not written, trying again");
            }
        } else if written {
            failures.clear(key);
            (known.refused, known.not_before) = (None, None);
        }
        if known != Records::default() {
            memory.records.insert(key.clone(), known);
        }
    }
}
