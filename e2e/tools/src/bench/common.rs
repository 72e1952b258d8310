//! Shared code of the benchmarks.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serin_bed::{
    Bed, Operator, User,
    audit::{Audit, Request},
    wait,
};

use super::record::Record;

/// Maximum wait for anything, on a slow machine.
pub(super) const LIMIT: Duration = Duration::from_secs(180);
/// The operator is idle after this long without a request.
const QUIET: SignedDuration = SignedDuration::from_secs(5);

/// Shared state of the benchmarks.
pub(super) struct Bench {
    pub(super) bed: Bed,
    pub(super) operator: Operator,
    pub(super) record: Record,
}

impl Bench {
    /// The operator's requests from `from` on.
    pub(super) fn requests(&self, from: Timestamp) -> anyhow::Result<Audit> {
        Ok(Audit::of(&self.bed, User::Operator)?.between(from, Timestamp::MAX))
    }

    /// Waits until the operator has nothing left to write. Events come last.
    pub(super) async fn quiet(&self) -> anyhow::Result<()> {
        self.quiet_about(|_| true).await
    }

    /// The same for requests of one kind.
    pub(super) async fn quiet_about(&self, concerns: impl Fn(&Request) -> bool) -> anyhow::Result<()> {
        wait::until("the operator to have no more to do", LIMIT, async || {
            let asked = self.requests(Timestamp::now().checked_sub(QUIET).ok()?).ok()?;
            (asked.beyond_watches().only(&concerns).count() == 0).then_some(())
        })
        .await
    }
}
