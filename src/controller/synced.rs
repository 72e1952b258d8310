//! What has to be seen before any Canary is processed.
#![allow(clippy::disallowed_methods, reason = "this module waits")]

use std::time::Duration;

use tokio::time::Instant;

use super::worker::Worker;
use crate::{
    clock,
    observe::{self, GRACE, LEASES},
};

/// How often this is checked.
const OFTEN: Duration = Duration::from_millis(20);

impl Worker {
    /// All mandatory kinds have been listed, in single namespaces if that is possible. Without an election, the Lease of
    /// operators that have one as well: until then, another may be in the middle of a run.
    pub(super) async fn synced(&self) {
        let (since, mut told) = (Instant::now(), false);
        while let Some(awaited) = self.awaited() {
            if !told && since.elapsed() >= GRACE.unsigned_abs() {
                told = true;
                tracing::warn!(awaited, "nothing is processed before these are listed");
            }
            tokio::time::sleep(OFTEN).await;
        }
    }

    fn awaited(&self) -> Option<String> {
        let now = clock::now();
        let mut awaited = self.cache.awaited(&observe::mandatory(&self.config.rules), now);
        if self.config.election.is_none() && !self.cache.lease_known(LEASES, now) {
            awaited.push(LEASES.plural.into());
        }
        (!awaited.is_empty()).then(|| awaited.join(", "))
    }
}
