//! What the operator remembers about Canaries between passes. Decisions never depend on it alone: the truth is in the
//! cluster.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use super::{dropped_status::DroppedStatus, pause::Pause, unanswered::Unanswered};
use crate::{
    expression::Known,
    plan::Limited,
    retry::Backoff,
    snapshot::{Key, Pauses, Records, RefusedJob, Snapshot, Write},
    write_budget::WriteBudget,
};

/// Longest time until a Canary that cannot be processed is tried again.
const RETRY_CAP: Duration = Duration::from_secs(30);

/// The memory about one Canary. Losing it costs a query, a message or a moment, nothing else.
pub(super) struct PassState {
    /// Until then, no server without a usable answer is queried.
    pub(super) ask_not_before: Option<Pause>,
    /// Until then, no content is read, because the API server returned none.
    pub(super) read_not_before: Option<Pause>,
    /// The servers that asked for fewer queries.
    pub(super) limited: Limited,
    /// The write that is permanently refused, in words.
    pub(super) refused: Option<String>,
    /// The definition of Canaries does not keep its status.
    pub(super) unkept: Option<DroppedStatus>,
    /// What may have been decided, and is not told yet.
    pub(super) unanswered: Unanswered,
    pub(super) refused_job: Option<RefusedJob>,
    /// How often its objects were written.
    pub(super) writes: WriteBudget<Write>,
    pub(super) records: Records,
    /// Until then, no record is written.
    pub(super) record_pause: Option<Pause>,
    /// Conditions of its metrics.
    pub(super) conditions: Known,
    /// Why it does not decode.
    pub(super) undecodable: Option<String>,
    /// Why an object that it needs does not decode.
    pub(super) needs_undecodable: Option<String>,
    /// Its generation, and when that was first seen.
    pub(super) generation: Option<(i64, Timestamp)>,
    /// Its target, whose series are removed with it.
    pub(super) target: Option<String>,
    pub(super) failures: Backoff,
    /// Until then, nothing is done, whatever changes: too many plans in a row did not settle it.
    pub(super) rest_until: Option<Pause>,
    pub(super) unsettled: Backoff,
    pub(super) silences: Backoff,
    pub(super) unread: Backoff,
    pub(super) record_failures: Backoff,
}

impl Default for PassState {
    fn default() -> Self {
        Self {
            ask_not_before: None,
            read_not_before: None,
            limited: Limited::default(),
            refused: None,
            unkept: None,
            unanswered: Unanswered::default(),
            refused_job: None,
            writes: WriteBudget::default(),
            records: Records::default(),
            record_pause: None,
            conditions: Known::default(),
            undecodable: None,
            needs_undecodable: None,
            generation: None,
            target: None,
            failures: Backoff::new(RETRY_CAP),
            rest_until: None,
            unsettled: Backoff::new(RETRY_CAP),
            silences: Backoff::new(RETRY_CAP),
            unread: Backoff::new(RETRY_CAP),
            record_failures: Backoff::new(RETRY_CAP),
        }
    }
}

/// The states of all Canaries.
#[derive(Default)]
pub(super) struct PassStates(Mutex<BTreeMap<Key, PassState>>);

impl PassStates {
    /// Adds the memory about a Canary to its snapshot.
    pub(super) fn complete(&self, key: &Key, snap: &mut Snapshot, now: Timestamp) {
        // conditions take long to compile: not under the lock
        let known = self.of(key, |state| state.conditions.clone());
        snap.conditions = known.with(snap.canary.conditions());
        self.of(key, |state| {
            state.conditions = snap.conditions.clone();
            let generation = snap.canary.metadata.generation.unwrap_or_default();
            if state.generation.is_none_or(|(seen, _)| seen != generation) {
                state.generation = Some((generation, now));
            }
            snap.edited = state.generation.map(|(_, since)| since);
            snap.pauses = Pauses {
                queries: state.ask_not_before.and_then(|pause| pause.until(now)),
                contents: state.read_not_before.and_then(|pause| pause.until(now)),
                servers: state.limited.until(now),
            };
            snap.refused.clone_from(&state.refused);
            snap.unkept = state.unkept.as_ref().map(|dropped| dropped.seen(now));
            snap.refused_job.clone_from(&state.refused_job);
            snap.writes.clone_from(&state.writes);
            let not_before = state.record_pause.and_then(|pause| pause.until(now));
            snap.records = Records { known: snap.records.known, not_before, ..state.records.clone() };
        });
    }

    /// Reads or changes the state of a Canary.
    pub(super) fn of<R>(&self, key: &Key, change: impl FnOnce(&mut PassState) -> R) -> R {
        change(self.lock().entry(key.clone()).or_default())
    }

    /// The Canary is gone. Returns what was remembered about it.
    pub(super) fn forget(&self, key: &Key) -> PassState {
        self.lock().remove(key).unwrap_or_default()
    }

    /// How many Canaries do not decode.
    pub(super) fn undecodable(&self) -> usize {
        self.lock().values().filter(|state| state.undecodable.is_some()).count()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, PassState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b8_nothing_is_left_of_a_canary_that_is_gone() {
        let (states, key) = (PassStates::default(), ("n".to_owned(), "app".to_owned()));
        states.of(&key, |state| {
            for _ in 0..8 {
                state.silences.next_delay();
            }
            state.undecodable = Some("why".into());
        });
        assert_eq!(states.undecodable(), 1);
        assert_eq!(states.forget(&key).undecodable.as_deref(), Some("why"));
        assert_eq!(states.undecodable(), 0);
        assert!(states.of(&key, |state| state.silences.next_delay()) < Duration::from_secs(1));
    }
}
