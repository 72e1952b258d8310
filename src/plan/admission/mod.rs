//! What must hold before a Canary is acted on, in order. The first thing that does not hold is said once, as a
//! condition and an Event that name object, field and remedy; nothing is written to any other object. Mending it is
//! enough to go on.

pub(crate) mod config_tracking;
pub(crate) mod metric_templates;
pub(crate) mod ownership;
pub(crate) mod preconditions;

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    analysis::Checks,
    api::Phase,
    names::conditions,
    plan::{
        admission::preconditions::{Rejection, surroundings},
        builder::{PlanBuilder, after},
        configs::Configs,
        context::Context,
        model::{Answers, Messages, Note, Urgency, flow::ignore},
        objects::{primary, write::WriteReason},
        phases::terminate,
        traffic,
    },
    router::{self, Split},
    snapshot::Snapshot,
    spec::{Findings, Problem, validate},
};

/// A Canary that can be acted on, or none: then the plan says why.
pub(crate) fn admit<'a>(
    snap: &'a Snapshot,
    answers: &'a Answers,
    d: &mut PlanBuilder,
    now: Timestamp,
) -> Option<Context<'a>> {
    let deleting = snap.canary.metadata.deletion_timestamp.is_some();
    if deleting && (!terminate::held(snap) || nothing_to_revert(snap)) {
        if terminate::held(snap) {
            terminate::let_go(snap, d, None);
        }
        return None;
    }
    if let Some((holder, until)) = &snap.flagger {
        // a lease that is no longer renewed runs out without an event
        d.wake_at(*until);
        refuse(
            d,
            "FlaggerActive",
            &format!(
                "Flagger ({holder}) is renewing its lease and acts on the same objects: scale it down first"
            ),
        );
        return None;
    }
    if !deleting && suspended(snap, d) {
        return None;
    }
    match surroundings(snap, answers, now, d) {
        Ok(cx) if deleting => {
            terminate::step(&cx, d);
            None
        }
        Ok(cx) => {
            accept(&cx, d);
            config_tracking::remember(&cx, d);
            Some(cx)
        }
        Err(Rejection { problem, unserved }) => {
            if deleting {
                terminate::let_go(snap, d, Some(&problem.message));
            } else {
                stopped(snap, d, &problem, unserved.as_deref(), now);
            }
            None
        }
    }
}

fn nothing_to_revert(snap: &Snapshot) -> bool {
    snap.namespace_terminating || snap.status().phase.unwrap_or_default() == Phase::Unset
}

/// Suspended: nothing but a rollback already begun. Losing the canary's pods then is said, not mended.
fn suspended(snap: &Snapshot, d: &mut PlanBuilder) -> bool {
    if snap.canary.spec.suspend != Some(true) {
        if d.clear(conditions::SUSPENDED) {
            d.say(Messages::resumed());
        }
        return false;
    }
    if snap.status().run.is_some_and(|r| r.ending.is_some()) {
        return false;
    }
    let weight = snap.status().canary_weight;
    let empty = weight > 0
        && validate(&snap.canary, &snap.rules)
            .is_ok_and(|c| c.target.behind(snap, &c.names.canary_service) == 0);
    let (reason, message) = if empty {
        (
            "NoPods",
            format!(
                "suspended with {weight} % of the traffic on pods that are not ready: resume it, or route by hand"
            ),
        )
    } else {
        ("Suspended", "spec.suspend is true: nothing is changed until it is not".to_owned())
    };
    if d.condition(conditions::SUSPENDED, "True", reason, &message) {
        d.say(if empty { Note::warning(reason, message) } else { Messages::suspended() });
    }
    true
}

/// Said once: the condition changes, and an Event goes with the change.
pub(crate) fn refuse(d: &mut PlanBuilder, reason: &'static str, message: &str) {
    if d.condition(conditions::ACCEPTED, "False", reason, message) {
        d.say(Note::warning(reason, message).aloud(Urgency::Warn));
    }
}

/// A chart's Canary may be seen before its other objects: that is no mistake until it has lasted.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

fn stopped(snap: &Snapshot, d: &mut PlanBuilder, problem: &Problem, unserved: Option<&str>, now: Timestamp) {
    let created = snap.canary.metadata.creation_timestamp.as_ref().map_or(Timestamp::MIN, |t| t.0);
    let patience = after(created, PATIENCE);
    let early = ["TargetMissing", "TargetUnfit", "AutoscalerMissing", config_tracking::MISSING]
        .contains(&problem.reason);
    if early && snap.status().phase.is_none() && now < patience {
        return d.wake_at(patience);
    }
    refuse(d, problem.reason, &problem.message);
    match unserved {
        Some(list) => {
            d.condition(conditions::NOT_YET_SERVED, "True", "NotYetServed", list);
        }
        None => {
            d.clear(conditions::NOT_YET_SERVED);
        }
    }
    d.status.observed_generation = snap.canary.metadata.generation;
    if ["TargetMissing", config_tracking::MISSING, config_tracking::UNREAD].contains(&problem.reason) {
        relieve(snap, d, now);
    }
}

/// In the middle of a run the target is gone, or it was given a template whose pods cannot start: its share goes to the
/// primary.
fn relieve(snap: &Snapshot, d: &mut PlanBuilder, now: Timestamp) {
    let shared = d.status.step.as_ref().is_some_and(|s| s.weight > 0 || s.mirrored);
    let Ok(c) = validate(&snap.canary, &snap.rules) else { return };
    let Some(router) = router::by_name(&c.provider) else { return };
    if c.target.behind(snap, &c.names.primary_service) == 0 {
        return;
    }
    let answers = Answers::default();
    let messages = Messages::new(&c.name, &c.names.target, &c.names.primary, &c.namespace);
    let cx = Context {
        snap,
        answers: &answers,
        now,
        c,
        checks: Checks::default(),
        findings: Findings::default(),
        router,
        messages,
        asks: vec![],
        target: &Value::Null,
        label: Default::default(),
        configs: Configs::default(),
        scaler: None,
        scaler_problem: None,
        hash: String::new(),
    };
    if !shared && !cx.live_split().is_some_and(Split::is_pinned) {
        return;
    }
    d.status.step = Some(cx.step_at(Split::to_canary(0)));
    d.status.canary_weight = 0;
    d.urgent = true;
    ignore(traffic::routing(&cx, d, Split::to_canary(0), WriteReason::Wanted));
}

fn accept(cx: &Context<'_>, d: &mut PlanBuilder) {
    let lost = primary::lost(cx);
    let first_fault = lost.as_ref().or(cx.findings.faults.first()).or(cx.scaler_problem.as_ref());
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
            d.say(Note::normal("Accepted", "what was wrong has been fixed: going on"));
        }
    }
    listing(d, conditions::NOT_YET_SERVED, "NotYetServed", &cx.findings.unserved, cx.findings.held);
    listing(d, conditions::ADVISORY, "Advisory", &cx.findings.advice, false);
    d.status.observed_generation = cx.snap.canary.metadata.generation;
}

/// A condition that lists things while there are any; a new list is also said.
fn listing(d: &mut PlanBuilder, type_: &str, reason: &'static str, list: &[String], held: bool) {
    if list.is_empty() {
        d.clear(type_);
        return;
    }
    let mut text = list.join("; ");
    if held {
        text.push_str(". Runs are held at weight 0 until the spec no longer asks for it");
    }
    if d.condition(type_, "True", reason, &text) {
        d.say(Note::warning(reason, text));
    }
}
