//! When the Lease may be taken and when to renew it. Pure: observations and the time are arguments, and it uses only
//! the time of this process, so that clocks of other machines do not matter.
//!
//! # Guarantee
//! Of all candidates that follow these rules at most one holds the Lease at a time, as long as their clocks run equally
//! fast. A holder counts from before it requested the renewal; the others count from after they saw it.

use std::time::Duration;

/// The relevant parts of a Lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The version of the object: writes are bound to it. Later ones are greater.
    pub(super) version: u64,
    /// Its holder; empty after it was given up.
    pub(super) holder: String,
    /// How long it is held after a renewal.
    pub(super) duration: Duration,
    /// When it was renewed, by the clock of its holder. Only compared with itself.
    pub(super) renewed: String,
    /// How often it has changed hands.
    pub(super) transitions: i32,
}

/// What to do about the Lease now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Create it.
    Create,
    /// Write ourselves into it, bound to the version that was seen.
    Take(Record),
    /// Nothing for this long, unless it changes.
    Wait(Duration),
    /// It was ours and is not any more: nothing may rely on it.
    Lost,
}

/// One candidate. All times are since the start of this process.
#[derive(Clone, Debug)]
pub(super) struct Elector {
    identity: String,
    duration: Duration,
    renewal: Duration,
    /// The Lease as it was last seen, and when it was first seen in this state.
    seen: Option<(Record, Duration)>,
    /// When the current term was requested; none while the Lease is not ours.
    asked: Option<Duration>,
}

impl Elector {
    /// A candidate that holds the Lease for `duration` after each renewal, and renews it every `renewal`.
    pub(super) fn new(identity: String, duration: Duration, renewal: Duration) -> Self {
        Self { identity, duration, renewal, seen: None, asked: None }
    }

    /// The Lease is in this state at `now`. Older states are ignored, because a watch may lag behind
    /// answers to writes.
    pub(super) fn saw(&mut self, record: Record, now: Duration) {
        if self.seen.as_ref().is_some_and(|(known, _)| record.version < known.version) {
            return;
        }
        let since = match &self.seen {
            // a change of other fields does not show that the holder is alive
            Some((known, since)) if known.same_term(&record) => *since,
            _ => now,
        };
        self.seen = Some((record, since));
    }

    /// A list that began some time ago shows this state. Unless the Lease is ours, it replaces what is known, whatever
    /// its version: the cluster may have been set back to an earlier state.
    pub(super) fn listed(&mut self, record: Record, now: Duration) {
        if self.asked.is_some() {
            self.saw(record, now);
        } else {
            self.read(Some(record), now);
        }
    }

    /// The Lease was read just now: it is in this state, whatever was seen before.
    pub(super) fn read(&mut self, found: Option<Record>, now: Duration) {
        let known = self.seen.take();
        self.seen = found.map(|record| match known {
            Some((known, since)) if known.same_term(&record) => (record, since),
            _ => (record, now),
        });
    }

    /// It was deleted in this version.
    pub(super) fn saw_gone(&mut self, version: u64) {
        if self.seen.as_ref().is_some_and(|(known, _)| known.version <= version) {
            self.seen = None;
        }
    }

    /// Our write, requested at `asked`, was accepted and has this result.
    pub(super) fn wrote(&mut self, record: Record, asked: Duration) {
        self.seen = Some((record, asked));
        self.asked = Some(asked);
    }

    /// The Lease as it is known.
    pub(super) fn known(&self) -> Option<&Record> {
        self.seen.as_ref().map(|(record, _)| record)
    }

    /// This candidate is in it as its holder.
    pub(super) fn is_ours(&self, record: &Record) -> bool {
        record.holder == self.identity
    }

    /// Since when the Lease of another has not changed, and how long that is usual.
    pub(super) fn unchanged(&self) -> Option<(Duration, Duration)> {
        let (record, since) = self.seen.as_ref()?;
        (!self.is_ours(record)).then_some((*since, record.duration / 3))
    }

    /// Until when the Lease is ours.
    pub(super) fn held_until(&self) -> Option<Duration> {
        self.asked.map(|asked| asked + self.duration)
    }

    /// What to do at `now`.
    pub(super) fn next(&self, now: Duration) -> Move {
        let ours = |record: &Record| self.is_ours(record);
        match (&self.seen, self.asked) {
            (_, Some(asked)) if now >= asked + self.duration => Move::Lost,
            (Some((record, _)), Some(_)) if !ours(record) => Move::Lost,
            (None, Some(_)) => Move::Lost,
            (Some((record, _)), Some(asked)) => take_at(asked + self.renewal, record, now),
            (None, None) => Move::Create,
            // ours without our knowledge: a write was accepted, and its answer was lost
            (Some((record, _)), None) if record.holder.is_empty() || ours(record) => {
                Move::Take(record.clone())
            }
            (Some((record, since)), None) => take_at(*since + record.duration, record, now),
        }
    }

    /// How often the Lease will have changed hands after we are written into it.
    pub(super) fn transitions_after(&self, record: &Record) -> i32 {
        record.transitions.saturating_add(i32::from(record.holder != self.identity))
    }
}

fn take_at(time: Duration, record: &Record, now: Duration) -> Move {
    let left = time.saturating_sub(now);
    if left.is_zero() { Move::Take(record.clone()) } else { Move::Wait(left) }
}

impl Record {
    /// It was not renewed in between.
    fn same_term(&self, other: &Self) -> bool {
        (&self.holder, &self.renewed, self.duration) == (&other.holder, &other.renewed, other.duration)
    }
}

#[cfg(test)]
mod tests;
