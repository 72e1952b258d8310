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

/// A slow answer loses a shorter lease.
pub(crate) const SHORTEST: Duration = Duration::from_secs(3);
/// With a longer one, releases are left alone for too long.
pub(crate) const LONGEST: Duration = Duration::from_secs(600);

impl Election {
    /// Time between two renewals: 10 s for a lease of 60 s.
    pub(super) fn renewal(&self) -> Duration {
        self.duration / 6
    }
}
