//! Where a run waits for people: before it begins, after a step, and before it is promoted; the last also for a time.
//! While users are on the new version it goes on being measured; while none are, nothing is asked and nothing written.

use crate::plan::{
    analysis::evaluate,
    builder::{PlanBuilder, after},
    context::Context,
    gates,
    gates::requests,
    gates::webhooks::{self},
    model::HookKind,
    model::Messages,
    model::{Note, Urgency},
    phases::rollback,
};
use crate::{
    api::{EndingKind, Phase},
    names::{self, conditions},
    spec::{GateRule, Pause, Wait},
};

const WAITING: &str = "WaitingForApproval";
const STILL_WAITING: &str = "StillWaiting";

/// A place at which a run waits.
struct Place<'c> {
    /// The phase in which it does.
    phase: Phase,
    until: Wait,
    rule: &'c GateRule,
}

/// What has become of the wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// The run goes on.
    Open,
    /// It waits.
    Closed,
    /// Its deadline has passed: the run is being ended.
    Ended,
}

/// The pause that comes after the step at which the run is, or that it has passed by an edit of the schedule. Users who
/// have been switched were waited for before.
fn before_promotion(cx: &Context<'_>) -> Option<Pause> {
    let step = cx.step();
    let index = usize::try_from(step.index).ok()?;
    let switched = |at: usize| index == at + 1 && index == cx.c.schedule.len() && step.weight == 100;
    cx.c.pause.filter(|pause| index >= pause.at && !switched(pause.at))
}

fn here<'c>(cx: &'c Context<'_>) -> Option<Place<'c>> {
    let start = cx.c.gates.start.as_ref();
    if cx.status().run.is_none() {
        return start.map(|rule| Place { phase: Phase::Waiting, until: Wait::Request, rule });
    }
    let index = usize::try_from(cx.step().index).ok()?;
    if let Some(rule) = cx.c.gates.steps.get(&index) {
        return Some(Place { phase: Phase::Waiting, until: Wait::Request, rule });
    }
    let until = before_promotion(cx)?.until;
    Some(Place { phase: Phase::WaitingPromotion, until, rule: &cx.c.gates.promotion })
}

/// The gate at which people are waited for now.
pub(crate) fn stands_at<'c>(cx: &'c Context<'_>) -> Option<&'c GateRule> {
    here(cx).filter(|place| place.phase == cx.phase()).map(|place| place.rule)
}

/// The run waits, and not for webhooks alone.
pub(crate) fn waits(cx: &Context<'_>) -> bool {
    match cx.phase() {
        Phase::Waiting => !evaluate::waits(cx),
        Phase::WaitingPromotion => {
            before_promotion(cx).is_some() || !webhooks::any(cx, HookKind::ConfirmPromotion)
        }
        _ => false,
    }
}

/// The run waits for people, and nobody is on the new version: nothing is measured.
pub(crate) fn idle(cx: &Context<'_>) -> bool {
    waits(cx) && cx.step().weight == 0
}

/// Open when it was asked for, its time has passed and no check failed last, or the spec no longer wants it. The first
/// time the run begins to wait.
pub(crate) fn pass(cx: &Context<'_>, d: &mut PlanBuilder) -> Pass {
    let Some(place) = here(cx) else {
        if waits(cx) {
            d.say(Messages::wait_is_over());
        }
        return Pass::Open;
    };
    if cx.phase() != place.phase {
        announce(cx, d, &place);
        d.phase(place.phase, cx.kind());
        return Pass::Closed;
    }
    if requests::opens(cx, d) {
        return Pass::Open;
    }
    if let Wait::For(time) = place.until {
        let end = after(cx.standing_since(), time);
        if cx.now < end {
            d.wake_at(end);
        } else if d.find(conditions::HALTED).is_none() {
            d.say(Messages::wait_is_over());
            return Pass::Open;
        }
    }
    announce(cx, d, &place);
    overdue(cx, d, &place)
}

/// The deadline of a gate, and its reminder.
fn overdue(cx: &Context<'_>, d: &mut PlanBuilder, place: &Place<'_>) -> Pass {
    let since = cx.standing_since();
    if let Some(time) = place.rule.deadline {
        let end = after(since, time);
        if cx.now >= end {
            return expired(cx, d, place, time.as_secs_f64());
        }
        d.wake_at(end);
    }
    let remind = after(since, place.rule.remind_after);
    let waiting = |c: &crate::api::CanaryCondition| c.reason == WAITING;
    if place.until == Wait::Request && d.find(conditions::PAUSED).is_some_and(waiting) {
        if cx.now < remind {
            d.wake_at(remind);
        } else {
            let waited = place.rule.remind_after.as_secs_f64();
            let text = format!("{} has waited for {waited} s: {}", cx.messages.canary(), wanted(cx, place));
            d.condition(conditions::PAUSED, "True", STILL_WAITING, &text);
            d.say(Note::warning(STILL_WAITING, text).aloud(Urgency::Warn).at_each_step());
        }
    }
    Pass::Closed
}

fn expired(cx: &Context<'_>, d: &mut PlanBuilder, place: &Place<'_>, seconds: f64) -> Pass {
    let next = if place.rule.proceeds { "the run goes on" } else { "going back" };
    let text = format!("nobody opened {} within {seconds} s: {next}", title(cx, place));
    let note = format!("{} {text}", cx.messages.canary());
    if place.rule.proceeds {
        d.say(Note::normal("GateDeadlinePassed", note).aloud(Urgency::Warn).at_each_step());
        return Pass::Open;
    }
    d.say(Note::warning("GateDeadlinePassed", note).aloud(Urgency::Error));
    if cx.waits_to_begin() {
        gates::decline(cx, d, &text);
    } else {
        rollback::begin(cx, d, EndingKind::RollingBack, "GateDeadlinePassed", &text);
    }
    Pass::Ended
}

/// Said once, with the words by which it goes on.
fn announce(cx: &Context<'_>, d: &mut PlanBuilder, place: &Place<'_>) {
    if d.find(conditions::PAUSED).is_some_and(|c| c.reason == STILL_WAITING) {
        return;
    }
    let text = format!("Halt {} advancement waiting for {}", cx.messages.canary(), wanted(cx, place));
    if d.condition(conditions::PAUSED, "True", WAITING, &text) {
        let promotion = place.phase == Phase::WaitingPromotion;
        let (reason, what) =
            if promotion { ("WaitingForPromotion", "Canary promotion") } else { (WAITING, "Canary") };
        let alert = format!("{what} is waiting for approval. To go on: {}", command(cx, place));
        d.say(Note::warning(reason, text).alerting(Urgency::Warn, alert).at_each_step());
    }
}

fn title(cx: &Context<'_>, place: &Place<'_>) -> String {
    let gate = place.rule.name.as_ref().map_or_else(|| "the gate".to_owned(), |name| format!("gate {name}"));
    match place.phase {
        Phase::WaitingPromotion => format!("{gate} before the promotion"),
        _ if cx.status().run.is_none() => format!("{gate} before the run"),
        _ => format!("{gate} at step {}, weight {}", cx.step().index, cx.step().weight),
    }
}

/// What it waits for, and the command that ends the wait.
fn wanted(cx: &Context<'_>, place: &Place<'_>) -> String {
    let how = match place.until {
        Wait::Request => String::new(),
        Wait::For(time) => format!("for {} s or ", time.as_secs_f64()),
    };
    let what = match place.phase {
        Phase::WaitingPromotion => {
            let name = place.rule.name.as_ref().map(|name| format!(" at gate {name}")).unwrap_or_default();
            format!("promotion approval{name}")
        }
        _ => format!("approval of {}", title(cx, place)),
    };
    format!("{what} {how}until asked: {}", command(cx, place))
}

/// What people type to end the wait.
fn command(cx: &Context<'_>, place: &Place<'_>) -> String {
    let epoch = cx.status().epoch;
    let request = match place.phase {
        Phase::WaitingPromotion => format!("promote/run-{epoch}"),
        _ if cx.status().run.is_none() => {
            let revision: String = cx.hash.chars().take(10).collect();
            format!("approve/start-{epoch}-{revision}")
        }
        _ => format!("approve/run-{epoch}-step-{}", cx.step().index),
    };
    format!(
        "kubectl -n {} annotate canary {} --overwrite {}={request}",
        cx.c.namespace,
        cx.c.name,
        names::ANNOTATION_REQUEST
    )
}
