//! The existing records of runs. Only open ones are decoded.

use serde::Deserialize as _;
use serde_json::Value;

use crate::{
    api::{CanaryRun, RunPhase},
    manifest::json as get,
    snapshot::{CANARY_RUN, Snapshot},
};

/// The records of this Canary, by number. One that does not decode counts as ended: it is left alone until it is removed.
pub(super) struct Records<'a>(pub(super) Vec<Record<'a>>);

pub(super) struct Record<'a> {
    number: i64,
    pub(super) live: &'a Value,
    /// Its content, unless it is closed.
    pub(super) open: Option<CanaryRun>,
}

impl<'a> Record<'a> {
    /// None for one that does not decode. Closed ones, of which there are many, are not decoded.
    fn of(live: &'a Value) -> Option<Self> {
        let number = live["spec"]["number"].as_i64()?;
        let phase = RunPhase::deserialize(&live["status"]["phase"]).unwrap_or_default();
        let open = if phase.ended() { None } else { Some(CanaryRun::deserialize(live).ok()?) };
        Some(Self { number, live, open })
    }
}

impl<'a> Records<'a> {
    pub(super) fn of(snap: &'a Snapshot) -> Self {
        let uid = snap.canary.metadata.uid.as_deref();
        let own = |live: &&Value| {
            get::list(&live["metadata"]["ownerReferences"]).iter().any(|o| o["uid"].as_str() == uid)
        };
        let mut all: Vec<Record<'_>> =
            snap.objects.of(CANARY_RUN).filter(own).filter_map(Record::of).collect();
        all.sort_by_key(|record| record.number);
        Self(all)
    }

    /// Those that are not closed yet.
    pub(super) fn open(&self) -> impl Iterator<Item = (&CanaryRun, &'a Value)> {
        self.0.iter().filter_map(|record| Some((record.open.as_ref()?, record.live)))
    }

    pub(super) fn has(&self, number: i64) -> bool {
        self.0.iter().any(|record| record.number == number)
    }
}
