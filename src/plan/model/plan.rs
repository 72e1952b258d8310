//! A plan: what to write, which messages to send, and when to look again.

use jiff::Timestamp;
use serde::Serialize;

use super::{action::Action, flow::Stop, hook::Round, note::Note};
use crate::{
    api::CanaryStatus,
    snapshot::{CANARY_RUN, Evidence, JOB},
};

/// When to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Wake {
    /// At once, to see what was written.
    Now,
    /// At this time, unless something changes before.
    At(Timestamp),
    /// When something changes.
    OnChange,
}

/// The writes in order, and the messages.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use]
pub struct Plan {
    /// Written first, if it differs.
    pub status: Option<CanaryStatus>,
    /// Written after it, in order.
    pub actions: Vec<Action>,
    /// Sent afterwards.
    pub notes: Vec<Note>,
    /// The actions only lower the canary's weight: carry them out even if the status write fails.
    pub urgent: bool,
    /// When the window ended that this plan judges, if it judges one: its answers were due then.
    pub judged: Option<Timestamp>,
    /// Findings that are in no record of a run, unless this plan writes them.
    pub unrecorded: Evidence,
    /// Webhooks to call in the background: their answers are for the next pass.
    pub calls: Vec<Round>,
    /// The guard that stopped the pass, as named in the chain of its phase, and why. None: there was nothing left to
    /// do.
    #[serde(skip)]
    pub stopped: Option<(String, Stop)>,
    /// When to look again.
    pub wake: Wake,
}

impl Plan {
    /// Writes the record of a run.
    pub fn records(&self) -> bool {
        self.actions.iter().any(|action| action.kind() == CANARY_RUN)
    }

    /// It decides how the run of this status ends, or closes it.
    pub fn ends(&self, before: &CanaryStatus) -> bool {
        let Some((run, after)) = before.run.as_ref().zip(self.status.as_ref()) else { return false };
        let same = after.run.as_ref().filter(|next| next.number == run.number);
        same.is_none_or(|next| next.ending.is_some() && run.ending.is_none())
    }

    /// It begins a run, and there was none before.
    pub(crate) fn begins_run(&self, before: &CanaryStatus) -> bool {
        before.run.is_none() && self.status.as_ref().is_some_and(|after| after.run.is_some())
    }

    /// Name of the Job that it creates, if any.
    pub fn job(&self) -> Option<&str> {
        let mut made = self.actions.iter().filter(|action| action.kind() == JOB);
        made.find_map(|action| if let Action::Create(job) = action { Some(job.name.as_str()) } else { None })
    }

    /// Nothing to write.
    pub fn is_empty(&self) -> bool {
        self.status.is_none() && self.actions.is_empty()
    }
}
