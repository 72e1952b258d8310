//! The conditions that tools wait for: `Ready`, `Reconciling` and `Stalled`, as kstatus reads them (Flux, Helm 4, Argo CD).
//!
//! They follow from the rest of the status alone, and are written with it: they need no write of their own. `Reconciling`
//! and `Stalled` exclude each other, because kstatus uses the first one in the list. For the reasons of each state see
//! docs/design/0017.

use crate::{
    api::{CanaryCondition, CanaryStatus, Phase, RunPhase},
    names::conditions,
    text::first_chars,
};

/// Most characters of a message: tools show those of all conditions in one line.
const LONGEST: usize = 256;

/// How a waiting tool should read a Canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Wait.
    InProgress,
    /// The target's revision is promoted.
    Current,
    /// It will not be promoted without a change.
    Failed,
}

struct Standing {
    verdict: Verdict,
    reason: String,
    message: String,
}

impl Standing {
    fn new(verdict: Verdict, reason: &str, message: &str) -> Self {
        Self { verdict, reason: reason.to_owned(), message: first_chars(message, LONGEST).to_owned() }
    }
}

/// Status, reason and message of a condition.
type Wanted = (&'static str, String, String);

/// The wanted conditions for this status, by type; None if a type should not exist.
pub(crate) fn wanted(status: &CanaryStatus) -> [(&'static str, Option<Wanted>); 3] {
    let Some(Standing { verdict, reason, message }) = standing(status) else {
        return [conditions::READY, conditions::RECONCILING, conditions::STALLED].map(|type_| (type_, None));
    };
    let ready = match verdict {
        Verdict::InProgress => "Unknown",
        Verdict::Current => "True",
        Verdict::Failed => "False",
    };
    let only = |when: Verdict| (verdict == when).then(|| ("True", reason.clone(), message.clone()));
    [
        (conditions::READY, Some((ready, reason.clone(), message.clone()))),
        (conditions::RECONCILING, only(Verdict::InProgress)),
        (conditions::STALLED, only(Verdict::Failed)),
    ]
}

/// None before the Canary was processed.
fn standing(status: &CanaryStatus) -> Option<Standing> {
    let phase = status.phase.filter(|phase| *phase != Phase::Unset)?;
    if matches!(phase, Phase::Terminating | Phase::Terminated) {
        return Some(in_progress("Terminating", "the Canary is being deleted"));
    }
    if let Some(refused) = find(status, conditions::ACCEPTED).filter(|c| c.status == "False") {
        return Some(Standing::new(Verdict::Failed, &refused.reason, &refused.message));
    }
    Some(match phase {
        Phase::Failed => failed(status),
        Phase::Initialized | Phase::Succeeded => at_rest(status),
        _ => under_way(status, phase),
    })
}

/// A run that ended without a promotion, or a revision that was declined before its run: the target still has it.
fn failed(status: &CanaryStatus) -> Standing {
    let promoted = find(status, conditions::PROMOTED);
    if let Some(declined) = promoted.filter(|c| c.reason == conditions::DECLINED) {
        return Standing::new(Verdict::Failed, &declined.reason, &declined.message);
    }
    let undone = |run: &RunPhase| matches!(run, RunPhase::RolledBack | RunPhase::PromotionUndone);
    let last = status.last_run.as_ref().filter(|run| undone(&run.outcome));
    match last.filter(|run| status.last_applied_spec.as_ref() == Some(&run.revision)) {
        Some(run) => Standing::new(Verdict::Failed, &run.reason, &run.message),
        None => Standing::new(
            Verdict::Failed,
            "NotPromoted",
            promoted.map_or("the target's revision was not promoted", |c| c.message.as_str()),
        ),
    }
}

fn at_rest(status: &CanaryStatus) -> Standing {
    let both = status.last_applied_spec.as_ref().zip(status.last_promoted_spec.as_ref());
    if both.is_some_and(|(applied, promoted)| applied != promoted) {
        return failed(status);
    }
    if is_true(status, conditions::SUSPENDED) {
        return Standing::new(
            Verdict::Current,
            "Suspended",
            "suspended at rest: no new revision is begun with",
        );
    }
    Standing::new(Verdict::Current, "Promoted", "the primary has the target's revision")
}

fn in_progress(reason: &str, message: &str) -> Standing {
    Standing::new(Verdict::InProgress, reason, message)
}

fn under_way(status: &CanaryStatus, phase: Phase) -> Standing {
    if let Some(ending) = status.run.as_ref().and_then(|run| run.ending.as_ref()) {
        return in_progress("Ending", &format!("the run is being ended: {}", ending.reason));
    }
    if is_true(status, conditions::SUSPENDED) {
        return in_progress("Suspended", "suspended in the middle of a release: resume it to go on");
    }
    if is_true(status, conditions::HELD) {
        return in_progress("Held", "people hold the run: the condition Held says how it goes on");
    }
    let gated = matches!(phase, Phase::Waiting | Phase::WaitingPromotion);
    if is_true(status, conditions::FROZEN) && !gated {
        return in_progress("Frozen", "the metrics cannot be measured: the condition Frozen says why");
    }
    match phase {
        Phase::Waiting if is_true(status, conditions::QUEUED) => {
            in_progress("Queued", "waiting for its turn: the condition Queued says what for")
        }
        Phase::Waiting | Phase::WaitingPromotion => in_progress(
            "WaitingForApproval",
            "waiting for approval: the condition Paused says how to give it",
        ),
        Phase::Progressing => in_progress("Progressing", "the target's revision is being analysed"),
        Phase::Promoting | Phase::Finalising => {
            in_progress("Promoting", "the primary is given the target's revision")
        }
        _ => in_progress("Initializing", "the primary is being made from the target"),
    }
}

fn find<'s>(status: &'s CanaryStatus, type_: &str) -> Option<&'s CanaryCondition> {
    status.conditions.iter().find(|c| c.type_ == type_)
}

fn is_true(status: &CanaryStatus, type_: &str) -> bool {
    find(status, type_).is_some_and(|c| c.status == "True")
}

#[cfg(test)]
mod tests;
