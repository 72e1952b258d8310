//! Calls of users' webhooks, as requested by a plan.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::snapshot::{Denial, Snapshot};

/// When a webhook is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum HookKind {
    /// Before a run begins.
    ConfirmRollout,
    /// Before the first step.
    PreRollout,
    /// At each window of checks.
    Rollout,
    /// Before each rise of the weight.
    ConfirmTrafficIncrease,
    /// Before the promotion.
    ConfirmPromotion,
    /// During the whole run: the first yes ends it.
    Rollback,
    /// When a run has ended.
    PostRollout,
}

impl HookKind {
    /// Its type, as users write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::ConfirmRollout => "confirm-rollout",
            Self::PreRollout => "pre-rollout",
            Self::Rollout => "rollout",
            Self::ConfirmTrafficIncrease => "confirm-traffic-increase",
            Self::ConfirmPromotion => "confirm-promotion",
            Self::Rollback => "rollback",
            Self::PostRollout => "post-rollout",
        }
    }
}

impl HookKind {
    /// A refusal of these only makes the run wait.
    pub(crate) fn is_gate(self) -> bool {
        matches!(self, Self::ConfirmRollout | Self::ConfirmTrafficIncrease | Self::ConfirmPromotion)
    }
}

/// One call of a webhook.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// Its name.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// The posted body.
    pub body: Value,
    /// `uid/epoch/step/attempt`: the same if the call is repeated after a crash.
    pub id: String,
    /// Time for each try.
    pub timeout: Duration,
    /// How often a try without an answer is repeated.
    pub retries: u32,
    /// Accept any TLS certificate.
    pub any_certificate: bool,
}

/// Calls to make one after the other. The first refusal ends them, or with [`HookKind::Rollback`] the first yes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Round {
    /// Which webhooks these are.
    pub kind: HookKind,
    /// The place in the run where they are called; begins with [`run_of`].
    pub place: String,
    /// In list order.
    pub calls: Vec<Call>,
}

impl Round {
    /// No further call is made after this answer.
    pub fn ends_with(&self, answer: &Result<(), Denial>) -> bool {
        answer.is_ok() == (self.kind == HookKind::Rollback)
    }

    /// It is completed even after the run, because the run has already ended.
    pub fn lasts(&self) -> bool {
        self.kind == HookKind::PostRollout
    }
}

/// The step and run: answers for another one are no longer relevant.
pub fn run_of(snap: &Snapshot) -> String {
    let uid = snap.canary.metadata.uid.as_deref().unwrap_or_default();
    let status = snap.canary.status.as_ref();
    let step = status.and_then(|s| s.step.as_ref()).map_or(0, |step| step.index);
    format!("{uid}/{}/{step}/", status.map_or(0, |s| s.epoch))
}
