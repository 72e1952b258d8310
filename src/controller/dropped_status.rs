//! A status that the installed CustomResourceDefinition of Canary does not keep: an operator that cannot store its
//! decisions must not act on them. The same status is tried again, without writing it, until it is kept.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::pause::Pause;
use crate::{retry::Backoff, snapshot::Unkept};

/// Longest time until a replaced definition is noticed.
const CAP: Duration = Duration::from_secs(30);

/// A status that was written and not kept.
pub(super) struct DroppedStatus {
    /// The status as it was sent.
    sent: Value,
    why: String,
    pause: Pause,
    delays: Backoff,
}

impl DroppedStatus {
    /// It was sent at `now`.
    pub(super) fn new(sent: Value, why: String, now: Timestamp) -> Self {
        let mut delays = Backoff::new(CAP);
        let pause = Pause::from(now, delays.next_delay());
        Self { sent, why, pause, delays }
    }

    /// The status, if it is time to try it again.
    pub(super) fn to_try(&self, now: Timestamp) -> Option<Value> {
        (self.seen(now).again <= now).then(|| self.sent.clone())
    }

    /// The planner's view of it.
    pub(super) fn seen(&self, now: Timestamp) -> Unkept {
        Unkept { why: self.why.clone(), again: self.pause.until(now).unwrap_or(now) }
    }

    /// It is time to try again.
    #[cfg(test)]
    pub(super) fn due(&mut self) {
        let now = crate::clock::now();
        self.pause = Pause::between(now, now);
    }

    /// It was tried, and not kept. `why`: if there was an answer.
    pub(super) fn put_off(&mut self, why: Option<String>, now: Timestamp) {
        self.why = why.unwrap_or_else(|| std::mem::take(&mut self.why));
        self.pause = Pause::from(now, self.delays.next_delay());
    }
}
