//! Calls of users' webhooks, as a plan asks for them.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::snapshot::{Denial, Snapshot};

/// When a webhook is asked.
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
    /// All through a run: the first yes ends it.
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
    /// A no of these changes nothing but that the run waits.
    pub(crate) fn is_gate(self) -> bool {
        matches!(self, Self::ConfirmRollout | Self::ConfirmTrafficIncrease | Self::ConfirmPromotion)
    }
}

/// One call of a webhook.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// What is posted.
    pub body: Value,
    /// `uid/epoch/step/attempt`: the same for what is asked again after a crash.
    pub id: String,
    /// Time for each try.
    pub timeout: Duration,
    /// How often a try without an answer is made again.
    pub retries: u32,
    /// Take any TLS certificate.
    pub any_certificate: bool,
}

/// Calls to be made one after the other. The first no ends them, with [`HookKind::Rollback`] the first yes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Round {
    /// Which webhooks these are.
    pub kind: HookKind,
    /// Where in which run they are asked; begins with [`run_of`].
    pub place: String,
    /// In list order.
    pub calls: Vec<Call>,
}

impl Round {
    /// Nothing more is asked after this answer.
    pub fn ends_with(&self, answer: &Result<(), Denial>) -> bool {
        answer.is_ok() == (self.kind == HookKind::Rollback)
    }

    /// It is carried to its end whatever becomes of the run: that has ended.
    pub fn lasts(&self) -> bool {
        self.kind == HookKind::PostRollout
    }
}

/// Which step of which run it is: what was asked at another one is of no interest any more.
pub fn run_of(snap: &Snapshot) -> String {
    let uid = snap.canary.metadata.uid.as_deref().unwrap_or_default();
    let status = snap.canary.status.as_ref();
    let step = status.and_then(|s| s.step.as_ref()).map_or(0, |step| step.index);
    format!("{uid}/{}/{step}/", status.map_or(0, |s| s.epoch))
}
