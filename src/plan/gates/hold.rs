//! Requests at any step of a run: hold it, continue it, end its step now, or promote it now. Each is
//! written into the status with its answer, and later guards of the chain act on it.
//!
//! A held run is still measured, and failures end it; only what would raise its weight waits.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::{Finish, Phase, RunPause, StepStatus, request::Verb},
    clock,
    names::{self, conditions},
    plan::{
        builder::PlanBuilder,
        context::Context,
        gates::{held, requests},
        model::{
            Messages,
            flow::{Flow, GO_ON, HANDLED},
        },
    },
    spec::windows,
    text::first_chars,
};

/// Holds the run, or continues it, because of a request or because its time is over.
pub(crate) fn pause(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if let Some(asked) = requests::granted(cx, d, Verb::Pause) {
        let until = asked.lasts.map(|time| MicroTime(clock::after(cx.now, time)));
        let message = asked.said;
        d.say(cx.messages.paused(&message, until.as_ref().map(|at| at.0)));
        let paused = RunPause { since: MicroTime(cx.now), until, message };
        d.status.run.iter_mut().for_each(|run| run.paused = Some(paused.clone()));
        return HANDLED;
    }
    if let Some(asked) = requests::granted(cx, d, Verb::Resume) {
        d.say(cx.messages.run_resumed(&asked.said));
        return let_go(d);
    }
    let paused = cx.status().run.as_ref().and_then(|run| run.paused.as_ref());
    let Some(until) = paused.and_then(|paused| paused.until.as_ref()) else { return GO_ON };
    if d.reached(until.0).is_break() {
        return GO_ON;
    }
    d.say(cx.messages.run_resumed("its time is over"));
    let_go(d)
}

fn let_go(d: &mut PlanBuilder) -> Flow {
    d.status.run.iter_mut().for_each(|run| run.paused = None);
    HANDLED
}

/// The current window ends now, and the step with it if its checks pass.
pub(crate) fn advance(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let Some(asked) = requests::granted(cx, d, Verb::Advance) else { return GO_ON };
    let step = cx.step();
    d.say(cx.messages.shortened(step.index, &asked.said));
    d.status.step = Some(StepStatus { shortened: Some(MicroTime(cx.now)), ..step });
    HANDLED
}

/// The run is promoted as soon as its pods are ready, whatever is left of its analysis.
pub(crate) fn finish(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let Some(asked) = requests::granted(cx, d, Verb::Finish) else { return GO_ON };
    let step = cx.step();
    let who = if asked.said.is_empty() { "asked for" } else { asked.said.as_str() };
    let message = format!(
        "promoted without the rest of the analysis at step {}, weight {} %: {who}",
        step.index, step.weight
    );
    d.say(cx.messages.finish_wanted(&message));
    let finish = Finish { at: MicroTime(cx.now), reason: "FinishRequested".into(), message };
    if let Some(run) = &mut d.status.run {
        (run.paused, run.finish) = (None, Some(finish.clone()));
    }
    HANDLED
}

/// A revision waits to begin until releases may continue. Its gates are asked then.
pub(crate) fn wait_to_begin(cx: &Context<'_>, d: &mut PlanBuilder) {
    d.wait_to_start(&cx.hash);
    d.clear(conditions::PAUSED);
    d.clear(conditions::QUEUED);
    if cx.phase() != Phase::Waiting {
        d.phase(Phase::Waiting, cx.kind());
    }
    d.condition(conditions::PROMOTED, "Unknown", "Waiting", "Waiting until releases may go on.");
}

/// The condition of a run, or of a revision that waits to begin one, while a rule holds it.
fn report_rule(cx: &Context<'_>, d: &mut PlanBuilder) {
    let phase = d.status.phase.unwrap_or_default();
    let waits = phase == Phase::Waiting && d.status.run.is_none();
    let analysed = matches!(phase, Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion)
        && d.status.run.as_ref().is_some_and(|run| run.ending.is_none());
    let unheard = !waits && !analysed;
    if !unheard && let Some(change) = windows::next_change(&cx.c.windows, cx.now) {
        d.wake_at(change);
    }
    let Some((reason, why)) = held::by_rule(cx).filter(|_| !unheard) else {
        d.clear(conditions::HELD);
        return;
    };
    let note = cx.messages.held_by_rule(reason, &why, waits);
    if d.condition(conditions::HELD, "True", reason, &note.message) {
        d.say(note);
    }
}

/// The condition of a held run, for as long as it is held.
pub(crate) fn report(cx: &Context<'_>, d: &mut PlanBuilder) {
    let run = d.status.run.as_ref().filter(|run| run.ending.is_none());
    let Some(paused) = run.and_then(|run| run.paused.clone()) else {
        return report_rule(cx, d);
    };
    let step = d.status.step.clone().unwrap_or_default();
    let until = Messages::until(paused.until.map(|at| at.0));
    let who = if paused.message.is_empty() { String::new() } else { format!(", {}", paused.message) };
    let text = format!(
        "the run is held at step {}, weight {} %{who}: the weight does not rise {until}, and failed checks still end the run. To continue: {}",
        step.index,
        step.weight,
        resuming(cx, paused.since.0)
    );
    d.condition(conditions::HELD, "True", "PauseRequested", &text);
}

/// The command that continues the run.
fn resuming(cx: &Context<'_>, since: Timestamp) -> String {
    let revision = first_chars(cx.applied().unwrap_or_default(), 10);
    let id = format!("resume-{}-{}", cx.status().epoch, since.as_second());
    format!(
        "kubectl -n {} annotate canary {} --overwrite {}='{{\"id\":\"{id}\",\"verb\":\"resume\",\"revision\":\"{revision}\"}}'",
        cx.c.namespace,
        cx.c.name,
        names::ANNOTATION_REQUEST
    )
}
