//! No object is written without end, whoever changes it back.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serin::snapshot::ObjectRef;

/// Most writes of one object within a minute: steps of shares, each with a write, come a few seconds after one another.
const MOST: usize = 30;
const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// When each object was written in the last minute, and how many steps the Canary might take within a minute then.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rate(BTreeMap<ObjectRef, Vec<(Timestamp, usize)>>);

impl Rate {
    /// The operator has written this: what is wrong with it. `steps` is how many the Canary may take within a minute.
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
