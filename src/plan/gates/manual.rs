//! Where a run waits for people: before it begins, after a step, and before the promotion; the last also for a time.
//! While users are on the new version it is still measured; otherwise nothing is queried and nothing written.

use jiff::Timestamp;

use crate::{
    api::{EndingKind, Phase},
    clock,
    names::conditions,
    plan::{
        builder::PlanBuilder,
        context::Context,
        gates::{
            declined,
            place::{self, Place},
            requests,
        },
        model::{Messages, Note, Urgency, flow::ignore, waits::is_shut},
        traffic::ending,
        waiting::WaitingFor,
    },
    spec::Wait,
};

const WAITING: &str = "WaitingForApproval";
const STILL_WAITING: &str = "StillWaiting";

/// The state of the wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// The run continues.
    Open,
    /// It waits.
    Closed,
    /// Its deadline has passed: the run is being ended.
    Ended,
}

/// Open if it was requested, its time has passed and the last check did not fail, or the spec no longer wants it. The
/// first time, the run begins to wait.
pub(crate) fn pass(cx: &Context<'_>, d: &mut PlanBuilder) -> Pass {
    let Some(place) = place::here(cx) else {
        if WaitingFor::of(cx).is_some_and(WaitingFor::is_manual) && cx.step().decided.is_none() {
            // the spec no longer asks for a wait
            if !last_check_passed(d) {
                return Pass::Closed;
            }
            d.say(Messages::wait_is_over());
        }
        return Pass::Open;
    };
    if cx.waits_to_begin() || cx.status().run.is_none() {
        d.wait_to_start(&cx.hash);
    }
    if cx.phase() != place.phase {
        announce(cx, d, &place);
        d.phase(place.phase, cx.kind());
        return Pass::Closed;
    }
    if requests::opens(cx, d) {
        return Pass::Open;
    }
    if let Wait::For(time) = place.until {
        let end = clock::after(open_since(cx), time);
        if cx.now < end {
            d.wake_at(end);
        } else if last_check_passed(d) {
            d.say(Messages::wait_is_over());
            return Pass::Open;
        }
    }
    announce(cx, d, &place);
    overdue(cx, d, &place)
}

/// The last check neither failed nor was undecided: without a person's request, a wait ends only then.
fn last_check_passed(d: &PlanBuilder) -> bool {
    [conditions::HALTED, conditions::INCONCLUSIVE].into_iter().all(|type_| d.find(type_).is_none())
}

/// Since when people have been able to open the gate.
fn open_since(cx: &Context<'_>) -> Timestamp {
    if is_shut(cx.status()) { cx.now } else { cx.waiting_since() }
}

/// The deadline of a gate, and its reminder.
fn overdue(cx: &Context<'_>, d: &mut PlanBuilder, place: &Place<'_>) -> Pass {
    let since = open_since(cx);
    if let Some(time) = place.rule.deadline {
        let end = clock::after(since, time);
        if cx.now >= end && (!place.rule.proceeds || last_check_passed(d)) {
            return expired(cx, d, place, time.as_secs_f64());
        }
        if cx.now < end {
            d.wake_at(end);
        }
    }
    let remind = clock::after(since, place.rule.remind_after);
    let waiting = |c: &crate::api::CanaryCondition| c.reason == WAITING;
    if place.until == Wait::Request && d.find(conditions::PAUSED).is_some_and(waiting) {
        if cx.now < remind {
            d.wake_at(remind);
        } else {
            let waited = place.rule.remind_after.as_secs_f64();
            let text = format!(
                "{} has waited for {waited} s: {}",
                cx.messages.canary(),
                place::wanted(cx, d, place)
            );
            d.condition(conditions::PAUSED, "True", STILL_WAITING, &text);
            d.say(Note::warning(STILL_WAITING, text).aloud(Urgency::Warn).at_each_step());
        }
    }
    Pass::Closed
}

fn expired(cx: &Context<'_>, d: &mut PlanBuilder, place: &Place<'_>, seconds: f64) -> Pass {
    let next = match (place.rule.proceeds, cx.waits_to_begin()) {
        (true, _) => "the run continues",
        (false, true) => "the run does not start",
        (false, false) => "rolling back",
    };
    let text = format!("timed out after {seconds} s waiting for {}: {next}", place::title(cx, place));
    let note = format!("{} {text}", cx.messages.canary());
    if place.rule.proceeds {
        d.say(Note::normal("GateDeadlinePassed", note).aloud(Urgency::Warn).at_each_step());
        return Pass::Open;
    }
    d.say(Note::warning("GateDeadlinePassed", note).aloud(Urgency::Error));
    if cx.waits_to_begin() {
        declined::decline(cx, d, &text);
    } else {
        ignore(ending::begin(cx, d, EndingKind::RollingBack, "GateDeadlinePassed", &text));
    }
    Pass::Ended
}

/// The run waits for people, and this plan has answered the request that they were told to make: tells another one.
pub(crate) fn renew(cx: &Context<'_>, d: &mut PlanBuilder) {
    if d.status.phase != cx.status().phase
        || d.find(conditions::PAUSED).is_none_or(|c| ![WAITING, STILL_WAITING].contains(&c.reason.as_str()))
    {
        return;
    }
    if let Some(place) = place::here(cx).filter(|place| place.phase == cx.phase()) {
        announce(cx, d, &place);
    }
}

/// Reported once, with the command that continues the run.
fn announce(cx: &Context<'_>, d: &mut PlanBuilder, place: &Place<'_>) {
    let other = cx.waits_to_begin()
        && cx.status().waiting.as_ref().and_then(|w| w.revision.as_ref()) != Some(&cx.hash);
    // the command that was told may have been used up by an answer
    let told = place::request(cx, cx.status(), place) == place::request(cx, &d.status, place);
    if d.find(conditions::PAUSED).is_some_and(|c| c.reason == STILL_WAITING) && !other && told {
        return;
    }
    let text =
        format!("Halt {} advancement waiting for {}", cx.messages.canary(), place::wanted(cx, d, place));
    if d.condition(conditions::PAUSED, "True", WAITING, &text) {
        let promotion = place.phase == Phase::WaitingPromotion;
        let (reason, what) =
            if promotion { ("WaitingForPromotion", "Canary promotion") } else { (WAITING, "Canary") };
        let alert = format!("{what} is waiting for approval. To go on: {}", place::command(cx, d, place));
        d.say(Note::warning(reason, text).alerting(Urgency::Warn, alert).at_each_step());
    }
}
