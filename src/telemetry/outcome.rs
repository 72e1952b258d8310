//! How a reconcile ended.

use std::fmt::{self, Write as _};

use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};

/// How one reconcile of one Canary ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Something was written.
    Applied,
    /// Nothing to write now; a time or an answer is awaited.
    Waiting,
    /// Nothing to write, and nothing to wait for except a change.
    Settled,
    /// A read or write did not succeed; it is tried again later.
    Failed,
    /// The reconcile panicked. It is tried again later.
    Quarantined,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Applied, Self::Waiting, Self::Settled, Self::Failed, Self::Quarantined];

    /// The value of the label `outcome`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Waiting => "waiting",
            Self::Settled => "settled",
            Self::Failed => "failed",
            Self::Quarantined => "quarantined",
        }
    }
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.label())
    }
}
