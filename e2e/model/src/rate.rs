//! Checks that no object is written endlessly, even if somebody reverts each write.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serin::snapshot::ObjectRef;

/// Maximum number of writes of one object within a minute: steps of shares are a few seconds apart, each with a write.
const MOST: usize = 30;
const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// The times of writes of each object in the last minute, and the number of steps that the Canary could take per minute
/// then.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rate(BTreeMap<ObjectRef, Vec<(Timestamp, usize)>>);

impl Rate {
    /// The operator has written this: returns what is wrong. `steps` is the number of steps that the Canary may take
    /// per minute.
    pub(crate) fn note(&mut self, at: &ObjectRef, steps: usize, now: Timestamp) -> Option<String> {
        let times = self.0.entry(at.clone()).or_default();
        times.retain(|(time, _)| now.duration_since(*time) < MINUTE);
        times.push((now, steps));
        // an edit may have made the interval longer since
        let steps = times.iter().map(|(_, steps)| *steps).max().unwrap_or(steps);
        let most = MOST.max(2 * steps);
        (times.len() == most + 1).then(|| format!("write budget: {at} was written {most} times in a minute"))
    }
}
