//! The state of a Canary, derived here once for all screens and pages.

use serin::{
    api::{CanaryStatus, EndingKind, Phase},
    names::conditions,
};

use super::{
    facts::{Facts, condition, when},
    model::{State, WaitingView},
};

/// The state. The first match wins.
pub(super) fn state(facts: &Facts, status: &CanaryStatus) -> State {
    let phase = status.begun();
    if facts.canary.metadata.deletion_timestamp.is_some()
        || matches!(phase, Phase::Terminating | Phase::Terminated)
    {
        return State::Deleting;
    }
    if status.conditions.is_empty() && phase == Phase::Unset {
        return State::Unattended;
    }
    if when(status, conditions::ACCEPTED, "False").is_some() {
        return State::Refused;
    }
    if when(status, conditions::SUSPENDED, "True").is_some() {
        return State::Suspended;
    }
    if status.run.as_ref().is_some_and(|run| run.ending.is_some()) {
        return State::Ending;
    }
    if status.run.as_ref().is_some_and(|run| run.paused.is_some()) {
        return State::Paused;
    }
    match phase {
        Phase::Waiting | Phase::WaitingPromotion if asks_a_person(status) => State::Inconclusive,
        Phase::Waiting | Phase::WaitingPromotion => State::Waiting,
        Phase::Progressing if when(status, conditions::FROZEN, "True").is_some() => State::Frozen,
        Phase::Progressing => State::Progressing,
        Phase::Promoting | Phase::Finalising => State::Promoting,
        Phase::Initialized | Phase::Succeeded => State::Healthy,
        Phase::Failed => State::Failed,
        Phase::Unset | Phase::Initializing | Phase::Terminating | Phase::Terminated => State::Initializing,
    }
}

/// A metric was inconclusive more often than it tolerates, and the run waits for a person.
pub(super) fn asks_a_person(status: &CanaryStatus) -> bool {
    let inconclusive = when(status, conditions::INCONCLUSIVE, "True");
    status.begun() == Phase::Waiting && inconclusive.is_some_and(|c| c.reason == "InconclusiveAnalysis")
}

impl State {
    /// The word that users see.
    pub fn word(self, phase: &str) -> String {
        match self {
            Self::Healthy if !phase.is_empty() => phase.to_owned(),
            Self::Healthy => "Healthy".into(),
            Self::Initializing => "Initializing".into(),
            Self::Progressing => "Progressing".into(),
            Self::Waiting => "Waiting".into(),
            Self::Paused => "Paused".into(),
            Self::Frozen => "Frozen".into(),
            Self::Inconclusive => "Inconclusive".into(),
            Self::Promoting => "Promoting".into(),
            Self::Ending => "Rolling back".into(),
            Self::Failed => "Failed".into(),
            Self::Refused => "Not accepted".into(),
            Self::Suspended => "Suspended".into(),
            Self::Deleting => "Deleting".into(),
            Self::Unattended => "Unattended".into(),
        }
    }

    /// A person may have to act.
    pub fn needs_attention(self) -> bool {
        matches!(
            self,
            Self::Failed
                | Self::Refused
                | Self::Paused
                | Self::Frozen
                | Self::Inconclusive
                | Self::Unattended
                | Self::Waiting
        )
    }
}

/// The state in one sentence.
pub(super) fn headline(
    facts: &Facts,
    status: &CanaryStatus,
    state: State,
    waiting: Option<&WaitingView>,
) -> String {
    match state {
        State::Deleting => "is being deleted: its traffic and pods go back to the target".into(),
        State::Unattended => "no operator has acted on this Canary yet".into(),
        State::Refused => text(status, conditions::ACCEPTED, "the Canary is not accepted"),
        State::Suspended => {
            "suspended by its spec: nothing moves until spec.suspend is false or removed".into()
        }
        State::Ending => ending(status),
        State::Healthy => healthy(status),
        State::Failed => failed(status),
        State::Initializing => waiting.map_or_else(
            || "the primary is being made from the target".to_owned(),
            |w| format!("the primary is being made from the target; {}", w.text),
        ),
        State::Promoting => waiting.map_or_else(
            || "the primary is given the new revision".to_owned(),
            |w| format!("the primary is given the new revision; {}", w.text),
        ),
        State::Frozen => text(status, conditions::FROZEN, "the metrics cannot be measured"),
        State::Inconclusive => text(status, conditions::INCONCLUSIVE, "the metrics say neither yes nor no"),
        State::Waiting | State::Paused => {
            waiting.map_or_else(|| "waits for somebody to let it go on".to_owned(), |w| w.text.clone())
        }
        State::Progressing => waiting.map_or_else(|| progressing(facts, status), |w| w.text.clone()),
    }
}

fn text(status: &CanaryStatus, type_: &str, otherwise: &str) -> String {
    let said = condition(status, type_).map(|c| c.message.clone()).filter(|text| !text.is_empty());
    said.unwrap_or_else(|| otherwise.to_owned())
}

fn progressing(facts: &Facts, status: &CanaryStatus) -> String {
    let step = status.step.clone().unwrap_or_default();
    let steps = facts.validated().map(|c| c.schedule.len()).unwrap_or_default();
    if step.index == 0 {
        return "the new revision is being prepared".into();
    }
    if step.confirmed.is_none() {
        return format!("the route is being set to weight {} (step {} of {steps})", step.weight, step.index);
    }
    format!("the new revision is measured at weight {} (step {} of {steps})", step.weight, step.index)
}

fn ending(status: &CanaryStatus) -> String {
    let Some(ending) = status.run.as_ref().and_then(|run| run.ending.as_ref()) else { return String::new() };
    let how = match ending.kind {
        EndingKind::RollingBack => "is being rolled back",
        EndingKind::Aborting => "is being ended",
        EndingKind::UndoingPromotion => "is being rolled back: the primary gets its former template",
    };
    format!("{how}: {}", ending.message)
}

fn healthy(status: &CanaryStatus) -> String {
    if let Some(why) = declined(status) {
        return why;
    }
    if status.last_applied_spec != status.last_promoted_spec && status.last_applied_spec.is_some() {
        return text(status, conditions::STALLED, "the target's revision is not promoted");
    }
    match &status.last_run {
        Some(last) if status.begun() == Phase::Succeeded => {
            format!("the primary has the target's revision; run {}: {}", last.number, last.message)
        }
        _ => "the primary serves everybody; no run has ended yet".into(),
    }
}

/// Why a revision did not start a run.
pub(super) fn declined(status: &CanaryStatus) -> Option<String> {
    let promoted = condition(status, conditions::PROMOTED);
    promoted.filter(|c| c.reason == conditions::DECLINED).map(|c| c.message.clone())
}

fn failed(status: &CanaryStatus) -> String {
    if let Some(why) = declined(status) {
        return why;
    }
    match &status.last_run {
        Some(last) => format!("run {} was rolled back: {}", last.number, last.message),
        None => text(status, conditions::PROMOTED, "the last run was rolled back"),
    }
}
