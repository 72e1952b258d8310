//! The conditions for acting on a Canary, in order. The first one that does not hold is reported once, as a
//! condition and an Event that name object, field and remedy; nothing is written to any other object. Fixing it is
//! enough to continue.

mod claims;
pub(crate) mod config_tracking;
mod metadata;
pub(crate) mod metric_templates;
mod neighbours;
pub(crate) mod ownership;
pub(crate) mod preconditions;
mod references;
pub(crate) mod watched;

use crate::{
    api::Phase,
    clock,
    names::{self, conditions},
    plan::{
        admission::preconditions::{Rejection, surroundings},
        builder::PlanBuilder,
        context::Context,
        model::{Answers, Messages, Note, Urgency},
        objects::{config_snapshots, primary},
        observed_target,
        phases::{finalizer, terminate},
        unserved,
    },
    snapshot::Snapshot,
    spec::{Problem, in_use},
};
use jiff::Timestamp;

/// A Canary that can be acted on, or at least watched ([`Context::rejected`]), or none. If it
/// is not accepted, the plan says why.
pub(crate) fn admit<'a>(
    snap: &'a Snapshot,
    answers: &'a Answers,
    d: &mut PlanBuilder,
    now: Timestamp,
) -> Option<Context<'a>> {
    let deleting = snap.canary.metadata.deletion_timestamp.is_some();
    if deleting && (!finalizer::held(snap) || nothing_to_revert(snap)) {
        if finalizer::held(snap) && config_snapshots::outlive(snap, d).is_continue() {
            finalizer::let_go(snap, d, None);
        }
        return None;
    }
    if let Some((holder, until)) = &snap.flagger {
        // a lease that is no longer renewed expires without an event
        d.wake_at(*until);
        if holder.starts_with(names::LEASE_HOLDER) {
            // Flagger acts on this Canary, and reports everything
            return None;
        }
        seen(snap, d);
        refuse(
            d,
            "FlaggerActive",
            &format!(
                "Flagger ({holder}) is renewing its lease and acts on the same objects: scale it down first"
            ),
        );
        return None;
    }
    if !deleting {
        observed_target::note_missing(snap, d, now);
        if suspended(snap, answers, now, d) {
            return None;
        }
    }
    if let Some(unkept) = &snap.unkept {
        d.wake_at(unkept.again);
        // the status shows what has to be given back, and the progress
        if deleting {
            refuse(d, "ApiRefused", &unkept.why);
            return None;
        }
    }
    match surroundings(snap, answers, now, d).and_then(|cx| remembered(snap).map(|()| cx)) {
        Ok(cx) if deleting => {
            terminate::step(&cx, d);
            None
        }
        Ok(mut cx) => {
            accept(&cx, d);
            cx.resumed = d.restarts_deadlines();
            config_tracking::remember(&cx, d);
            Some(cx)
        }
        Err(Rejection { problem, unserved }) => {
            if deleting {
                deleted(snap, answers, d, now, &problem);
            } else {
                stopped(snap, d, &problem, unserved.as_deref(), now);
                return watched::watched(snap, answers, now, &problem);
            }
            None
        }
    }
}

/// An operator that cannot store its decisions must not act on them.
fn remembered(snap: &Snapshot) -> Result<(), Rejection> {
    let unkept = snap.unkept.as_ref().map(|unkept| Problem::new("ApiRefused", unkept.why.clone()));
    unkept.map_or(Ok(()), |problem| Err(problem.into()))
}

/// A deleted Canary that is not accepted still gives everything back, if its objects are known to be its own and
/// are visible.
fn deleted(snap: &Snapshot, answers: &Answers, d: &mut PlanBuilder, now: Timestamp, problem: &Problem) {
    let unseen = ["MeshMissing", "ApiRefused"].contains(&problem.reason);
    let Some(cx) = watched::watched(snap, answers, now, problem).filter(|_| !unseen) else {
        if config_snapshots::outlive(snap, d).is_continue() {
            finalizer::let_go(snap, d, Some(&problem.message));
        }
        return;
    };
    let unlabelled = cx.c.target.rests() && cx.label.0.is_empty();
    if cx.target.is_null() && terminate::removed_together(snap) {
        terminate::remove(&cx, d);
    } else if cx.target.is_null() || unlabelled {
        terminate::leave(&cx, d, &problem.message);
    } else {
        terminate::step(&cx, d);
    }
}

fn nothing_to_revert(snap: &Snapshot) -> bool {
    snap.namespace_terminating || snap.status().begun() == Phase::Unset
}

/// Suspended: nothing but a rollback already begun. Users who reach no pods then are reported, not moved.
fn suspended(snap: &Snapshot, answers: &Answers, now: Timestamp, d: &mut PlanBuilder) -> bool {
    if snap.canary.spec.suspend != Some(true) {
        if d.clear(conditions::SUSPENDED) {
            d.restart_deadlines();
            d.say(Messages::resumed());
        }
        return false;
    }
    if snap.status().run.is_some_and(|r| r.ending.is_some()) {
        return false;
    }
    seen(snap, d);
    let lost = unserved_users(snap, answers, now);
    let (reason, message) = match &lost {
        Some(lost) => (
            "NoPods",
            format!("suspended with {lost} on pods that are not ready: resume it, or route by hand"),
        ),
        None => ("Suspended", "spec.suspend is true: nothing is changed until it is not".to_owned()),
    };
    if d.condition(conditions::SUSPENDED, "True", reason, &message) {
        d.say(if lost.is_some() { Note::warning(reason, message) } else { Messages::suspended() });
    }
    true
}

/// Of a suspended Canary that has been initialised.
fn unserved_users(snap: &Snapshot, answers: &Answers, now: Timestamp) -> Option<String> {
    if snap.status().begun() <= Phase::Initializing {
        return None;
    }
    let suspended = Problem::new("Suspended", String::new());
    unserved::what_is_lost(&watched::watched(snap, answers, now, &suspended)?)
}

/// Reported once: the condition changes, and an Event goes with the change.
pub(crate) fn refuse(d: &mut PlanBuilder, reason: &'static str, message: &str) {
    if d.condition(conditions::ACCEPTED, "False", reason, message) {
        d.say(Note::warning(reason, message).aloud(Urgency::Warn));
    }
}

/// Changes that a tool makes to a Canary and its target together are seen within this time.
const TOGETHER: std::time::Duration = std::time::Duration::from_secs(1);
/// A chart's Canary may be seen before its other objects: that is not reported until it has lasted.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

fn stopped(snap: &Snapshot, d: &mut PlanBuilder, problem: &Problem, unserved: Option<&str>, now: Timestamp) {
    let created = snap.canary.metadata.creation_timestamp.as_ref().map_or(Timestamp::MIN, |t| t.0);
    let patience = clock::after(created, PATIENCE);
    let early = ["TargetMissing", "TargetUnfit", "AutoscalerMissing", config_tracking::MISSING]
        .contains(&problem.reason);
    if early && snap.status().begun() == Phase::Unset && now < patience {
        return d.wake_at(patience);
    }
    seen(snap, d);
    refuse(d, problem.reason, &problem.message);
    match unserved {
        Some(list) => {
            d.condition(conditions::NOT_YET_SERVED, "True", "NotYetServed", list);
        }
        None => {
            d.clear(conditions::NOT_YET_SERVED);
        }
    }
}

/// Records that the spec was seen.
fn seen(snap: &Snapshot, d: &mut PlanBuilder) {
    has_phase(snap, d);
    if snap.unkept.is_some() {
        return;
    }
    let edited = snap.edited.map_or(Timestamp::MIN, |at| clock::after(at, TOGETHER));
    d.follow_generation(snap.canary.metadata.generation, edited);
}

/// A first status has a phase, because tools that show it expect one.
fn has_phase(snap: &Snapshot, d: &mut PlanBuilder) {
    if d.status.phase.unwrap_or_default() == Phase::Unset {
        d.phase(Phase::Initializing, &snap.canary.spec.target_ref.kind);
    }
}

fn accept(cx: &Context<'_>, d: &mut PlanBuilder) {
    let lost = primary::lost(cx);
    let first_fault = lost.as_ref().or(cx.findings.faults.first()).or(cx.scaler_problem.as_ref());
    let first_fault = first_fault.or(cx.findings.kept.as_ref());
    let unwritten = cx.snap.writes.refusal(cx.now).map(|(why, _)| why);
    if let Some(refused) = cx.snap.refused.clone().or(unwritten) {
        refuse(d, "ApiRefused", &refused);
    } else if let Some(fault) = first_fault {
        refuse(d, fault.reason, &fault.message);
    } else {
        let was_refused = d.find(conditions::ACCEPTED).is_some_and(|c| c.status == "False");
        if d.condition(
            conditions::ACCEPTED,
            "True",
            "Accepted",
            "the spec is valid and all referenced objects exist",
        ) && was_refused
        {
            d.restart_deadlines();
            d.say(Note::normal("Accepted", "what was wrong has been fixed: going on"));
        }
    }
    listing(d, conditions::NOT_YET_SERVED, "NotYetServed", &cx.findings.unserved, held_at(cx).as_deref());
    listing(d, conditions::ADVISORY, "Advisory", &cx.findings.advice, None);
    seen(cx.snap, d);
    if d.status.in_use.is_none() && cx.phase() != Phase::Unset {
        d.status.in_use = Some(in_use(&cx.c));
    }
}

/// Where runs are held because of what is not served yet, if they are.
fn held_at(cx: &Context<'_>) -> Option<String> {
    let measured = matches!(cx.phase(), Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion);
    let step = cx.step();
    cx.findings.held.then(|| {
        if measured && step.index > 0 {
            format!("The run stays at weight {}", step.weight)
        } else {
            "Runs are held at weight 0".to_owned()
        }
    })
}

/// A condition that lists items while there are any; a new list is also reported as an Event.
fn listing(d: &mut PlanBuilder, type_: &str, reason: &'static str, list: &[String], held: Option<&str>) {
    if list.is_empty() {
        d.clear(type_);
        return;
    }
    let mut text = list.join("; ");
    if let Some(held) = held {
        text.push_str(&format!(". {held} until the spec no longer asks for it"));
    }
    if d.condition(type_, "True", reason, &text) {
        d.say(Note::warning(reason, text));
    }
}
