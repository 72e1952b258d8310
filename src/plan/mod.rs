//! PURE. What should happen next: [`questions`] says what must be asked outside, [`decide`] decides.
//!
//! Both are total and take time as an argument. A plan holds the status to be written first (the intent), then the
//! writes that are safe once it is written. The caller carries it out, looks again and asks for the next plan, until
//! nothing is left to do: so every decision is made from what is stored in the cluster, and a crash between any two
//! writes is the same as looking again.
//!
//! ```text
//!  (new) ─► Initializing ─► Initialized ─┐                  ┌─► Failed ─┐
//!                                        ├─► Progressing ───┤           ├─► (next revision)
//!  (next revision) ──────────────────────┘        │         └───────────┘
//!                                                 ▼
//!                                   Promoting ─► Finalising ─► Succeeded
//! ```

mod action;
mod checks;
mod configs;
mod context;
mod copies;
mod delete;
mod draft;
mod ending;
mod ensure;
mod first;
mod freeze;
mod gates;
mod heed;
mod history;
mod hooks;
mod initialise;
mod jobs;
mod judge;
mod measure;
mod note;
mod ownership;
mod pause;
mod progress;
mod promote;
mod question;
mod request;
mod rest;
mod scaler;
mod share;
mod sides;
mod surroundings;
mod templates;
#[cfg(test)]
mod tests;
mod words;

use jiff::Timestamp;
use serde::Serialize;

pub use action::Action;
pub use hooks::{Call, Kind as HookKind, Round, run_of, told};
pub use note::{Alert, Note, Severity, Urgency};
pub use question::{Answers, Question};
pub use surroundings::older_rival;

use crate::{
    api::{CanaryStatus, Phase, canary_run::Evidence},
    manifest::revision,
    snapshot::{CANARY_RUN, JOB, Snapshot},
};
use context::Context;
use draft::Draft;

/// When to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Wake {
    /// At once: what was written has to be seen.
    Now,
    /// At this time, unless something changes before.
    At(Timestamp),
    /// When something changes.
    OnChange,
}

/// What to write, in order, and what to say about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use]
pub struct Plan {
    /// Written first, when it differs.
    pub status: Option<CanaryStatus>,
    /// Written after it, in order.
    pub actions: Vec<Action>,
    /// Said afterwards.
    pub notes: Vec<Note>,
    /// The actions only lower the canary's weight: carry them out although the status write fails.
    pub urgent: bool,
    /// When the window ended that this plan judges, if it judges one: its answers were due then.
    pub judged: Option<Timestamp>,
    /// What was found out and is in no record of a run, unless this plan writes it.
    pub unrecorded: Evidence,
    /// Webhooks to be called in the background: what they say is for the next look.
    pub calls: Vec<Round>,
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

    /// Name of the Job that it makes, if it makes one.
    pub fn job(&self) -> Option<&str> {
        let mut made = self.actions.iter().filter(|action| action.kind() == JOB);
        made.find_map(|action| if let Action::Create(job) = action { Some(job.name.as_str()) } else { None })
    }

    /// Nothing to write.
    pub fn is_empty(&self) -> bool {
        self.status.is_none() && self.actions.is_empty()
    }
}

/// What must be asked outside before [`decide`].
pub fn questions(snap: &Snapshot, now: Timestamp) -> Vec<Question> {
    let mut draft = Draft::new(snap.status(), now);
    let answers = Answers::default();
    let cx = checks::admit(snap, &answers, &mut draft, now);
    let mut all = match cx.as_ref().map(|cx| (cx.phase(), cx)) {
        Some((Phase::Unset, cx)) => templates::pings(cx),
        Some((Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion, cx)) if !cx.waits_to_begin() => {
            measure::questions(cx)
        }
        _ => vec![],
    };
    let namespace = snap.canary.metadata.namespace.clone().unwrap_or_default();
    all.extend(draft.unread.into_iter().map(|at| Question::Config { namespace: namespace.clone(), at }));
    all
}

/// What to do now. `answers` are those to [`questions`] for the same snapshot; missing ones are data.
pub fn decide(snap: &Snapshot, answers: &Answers, now: Timestamp) -> Plan {
    let mut draft = Draft::new(snap.status(), now);
    if let Some(cx) = checks::admit(snap, answers, &mut draft, now) {
        by_phase(&cx, &mut draft);
    }
    history::record(snap, &mut draft, now);
    draft.finish()
}

fn by_phase(cx: &Context<'_>, draft: &mut Draft) {
    if !ensure::finalizer(cx, draft) {
        return;
    }
    request::heed(cx, draft);
    if gates::aborted(cx, draft) {
        return;
    }
    match cx.phase() {
        Phase::Unset | Phase::Initializing => initialise::step(cx, draft),
        // Flagger's hashes: what it was in the middle of begins anew
        _ if cx.promoted().is_some_and(|hash| !revision::is_ours(hash)) => rest::step(cx, draft),
        Phase::Waiting if cx.waits_to_begin() => rest::step(cx, draft),
        Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion => progress::step(cx, draft),
        Phase::Promoting => promote::step(cx, draft),
        Phase::Finalising => promote::finalise(cx, draft),
        Phase::Initialized | Phase::Succeeded | Phase::Failed | Phase::Terminating | Phase::Terminated => {
            rest::step(cx, draft);
        }
    }
}
