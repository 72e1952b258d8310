//! The terms of an election.

use std::time::Duration;

/// How leaders are elected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Election {
    /// Namespace of the Lease.
    pub(crate) namespace: String,
    /// For how long the Lease is held after a renewal.
    pub(crate) duration: Duration,
}

/// A shorter lease is lost by a slow answer.
pub(crate) const SHORTEST: Duration = Duration::from_secs(3);
/// A longer one leaves releases alone for too long.
pub(crate) const LONGEST: Duration = Duration::from_secs(600);

impl Election {
    /// Between two renewals: of 60 s it is 10 s.
    pub(super) fn renewal(&self) -> Duration {
        self.duration / 6
    }
}
