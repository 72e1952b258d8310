//! Whether a run may begin, rise, be promoted, or has to be ended because somebody said so: the answers of webhooks and of
//! people together. What the webhooks are asked is in `hooks`, where people are waited for in `pause`.
//!
//! A closed gate costs no writes: status changes when an answer does. All gates of a place must be open at the same
//! time; those of people come last, so that what they grant is used in the write that says so.

use jiff::Timestamp;

use super::{
    context::Context,
    draft::Draft,
    ending,
    hooks::{self, Kind, Reply},
    note::Note,
    pause::{self, Pass},
    request, rest,
    words::Words,
};
use crate::{
    api::{EndingKind, Phase, request::Verb, schedule::Strategy},
    names::conditions,
};

/// May the run leave the step at which it is?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepGate {
    /// It may.
    Yes,
    /// People have not said so.
    Waits,
    /// A webhook says no.
    Shut,
    /// The webhooks are being asked.
    Unheard,
    /// A deadline has passed: it is being ended.
    Ended,
}

/// Which webhooks are asked before the next step.
fn before_next(cx: &Context<'_>) -> Vec<Kind> {
    let index = usize::try_from(cx.step().index).unwrap_or(0);
    let next = cx.c.schedule.get(index);
    let switches = cx.c.strategy == Strategy::BlueGreen && next.is_some_and(|n| n.weight == 100);
    let rises =
        cx.c.strategy == Strategy::Weighted && !cx.step().mirrored && cx.phase() != Phase::WaitingPromotion;
    let mut kinds = Vec::new();
    if rises {
        kinds.push(Kind::ConfirmTrafficIncrease);
    }
    if next.is_none() || switches {
        kinds.push(Kind::ConfirmPromotion);
    }
    kinds
}

/// Asks everybody who has a say before the next step, and says what came of it, after what has `passed` before.
pub(super) fn leave(cx: &Context<'_>, d: &mut Draft, mut passed: Vec<Note>) -> StepGate {
    // those who may want it back are heard before it goes on
    if !hooks::known(cx, Kind::Rollback) {
        return StepGate::Unheard;
    }
    for kind in before_next(cx) {
        match hooks::ask(cx, d, kind, Timestamp::MIN) {
            Reply::Unheard => return StepGate::Unheard,
            Reply::No(said) => {
                shut(cx, d, kind, &said.name, passed);
                return StepGate::Shut;
            }
            Reply::Yes(names) => passed.extend(names.iter().map(|name| Words::check_passed(kind, name))),
        }
    }
    if cx.step().index > 0 {
        match pause::pass(cx, d) {
            Pass::Closed => return StepGate::Waits,
            Pass::Ended => return StepGate::Ended,
            Pass::Open => {}
        }
    }
    for note in passed {
        d.say(note);
    }
    d.clear(conditions::PAUSED);
    StepGate::Yes
}

/// Until when a webhook's no keeps the run where it is: it is not asked again before.
pub(super) fn shut_until(cx: &Context<'_>) -> Option<Timestamp> {
    before_next(cx).into_iter().filter_map(|kind| hooks::asked_again_at(cx, kind)).max()
}

fn shut(cx: &Context<'_>, d: &mut Draft, kind: Kind, hook: &str, passed: Vec<Note>) {
    let muted = cx.c.analysis.webhooks.iter().any(|h| h.name == hook && h.mute_alert == Some(true));
    let note = cx.words.waiting_for_hook(kind, hook, muted);
    if d.condition(conditions::PAUSED, "True", "WaitingForWebhook", &note.message) {
        for note in passed {
            d.say(note);
        }
        d.say(note);
    }
    let waiting = match kind {
        Kind::ConfirmRollout => Phase::Waiting,
        Kind::ConfirmPromotion => Phase::WaitingPromotion,
        _ => return,
    };
    if cx.phase() != waiting {
        d.phase(waiting, cx.kind());
    }
}

/// True when a new revision may be begun with.
pub(super) fn may_start(cx: &Context<'_>, d: &mut Draft) -> bool {
    let passed = match hooks::ask(cx, d, Kind::ConfirmRollout, Timestamp::MIN) {
        Reply::Unheard => return false,
        Reply::No(said) => {
            shut(cx, d, Kind::ConfirmRollout, &said.name, vec![]);
            return false;
        }
        Reply::Yes(names) => names,
    };
    if cx.c.gates.start.is_some() && pause::pass(cx, d) != Pass::Open {
        return false;
    }
    for name in passed {
        d.say(Words::check_passed(Kind::ConfirmRollout, &name));
    }
    d.clear(conditions::PAUSED);
    true
}

/// A revision that waited to be begun with is not going to be.
pub(super) fn decline(cx: &Context<'_>, d: &mut Draft, why: &str) {
    d.status.epoch += 1;
    d.status.last_applied_spec = Some(cx.hash.clone());
    d.status.tracked_configs = cx.configs.for_status();
    d.clear(conditions::PAUSED);
    d.phase(Phase::Failed, cx.kind());
    rest::saw_target(cx, d);
    d.say(cx.words.declined(why));
}

/// The revision for which a run was to begin is there no longer: things stand as before it came.
pub(super) fn nothing_to_start(cx: &Context<'_>, d: &mut Draft) {
    d.clear(conditions::PAUSED);
    if cx.promoted() == Some(cx.hash.as_str()) {
        d.phase(Phase::Succeeded, cx.kind());
        d.status.last_applied_spec.clone_from(&cx.status().last_promoted_spec);
        d.status.tracked_configs = cx.configs.for_status();
        d.say(cx.words.aborted());
    } else {
        d.phase(Phase::Failed, cx.kind());
    }
    rest::saw_target(cx, d);
}

/// Ends the run because somebody, or a webhook of the type `rollback`, wants it. True when it does.
pub(super) fn aborted(cx: &Context<'_>, d: &mut Draft) -> bool {
    let Some(by) = request::granted(cx, d, Verb::Abort) else { return false };
    let why = if by.is_empty() { "it was asked for".to_owned() } else { by };
    if cx.waits_to_begin() {
        decline(cx, d, &why);
        return true;
    }
    d.say(cx.words.abort_wanted(&why));
    let kind =
        if cx.phase() == Phase::Promoting { EndingKind::UndoingPromotion } else { EndingKind::RollingBack };
    ending::begin(cx, d, kind, "AbortRequested", &why);
    true
}

/// A webhook of the type `rollback` has said yes.
pub(super) fn rolled_back(cx: &Context<'_>, d: &mut Draft) -> bool {
    let Some(hook) = hooks::rollback(cx, d) else { return false };
    d.say(Words::check_passed(Kind::Rollback, &hook));
    d.say(cx.words.manual_rollback());
    let why = format!("the webhook {hook} asked for it");
    ending::begin(cx, d, EndingKind::RollingBack, "RollbackWebhook", &why);
    true
}

/// Tells the webhooks of the type `post-rollout` how the run has ended. Their answer changes nothing.
pub(super) fn after_run(cx: &Context<'_>, d: &mut Draft) {
    if !cx.status().post_rollout_due {
        return;
    }
    match hooks::ask(cx, d, Kind::PostRollout, Timestamp::MIN) {
        Reply::Unheard => return,
        Reply::Yes(names) => {
            for name in &names {
                d.say(Words::check_passed(Kind::PostRollout, name));
            }
        }
        Reply::No(said) => d.say(Words::post_rollout_failed(&said)),
    }
    d.status.post_rollout_due = false;
}
