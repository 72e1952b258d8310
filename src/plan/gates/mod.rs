//! Whether a run may begin, rise, be promoted, or has to be ended by request: the answers of webhooks and of
//! people together. `webhooks` decides what webhooks are asked, `manual` and `place` where the run waits for people.
//!
//! A closed gate changes status when an answer does, and at the end of each window that is measured meanwhile. All
//! gates of a place must be open at the same time; those of people come last, so that their approval is used in the
//! same write that records it.

pub(crate) mod declined;
pub(crate) mod held;
pub(crate) mod hold;
pub(crate) mod manual;
pub(crate) mod place;
pub(crate) mod queue;
pub(crate) mod requests;
pub(crate) mod webhooks;

use jiff::Timestamp;

use crate::{
    api::{CanaryWebhook, EndingKind, Phase, request::Verb},
    names::conditions,
    plan::{
        builder::PlanBuilder,
        context::Context,
        gates::{manual::Pass, webhooks::Reply},
        model::{
            HookKind, Messages, Note,
            flow::{Flow, GO_ON, HANDLED, WAIT, wait_unless},
            waits::WAITING_FOR_WEBHOOK,
        },
        traffic::ending,
    },
};

/// May the run leave its current step?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepGate {
    /// It may.
    Yes,
    /// People have not approved it.
    Waits,
    /// A webhook refuses.
    Shut,
    /// The webhooks have not answered yet.
    Unheard,
    /// A deadline has passed: the run is being ended.
    Ended,
}

/// Asks all gates before the next step, and reports the result, after what has `passed` before.
pub(crate) fn leave(cx: &Context<'_>, d: &mut PlanBuilder, mut passed: Vec<Note>) -> StepGate {
    // webhooks that may request a rollback are called before it continues
    if !webhooks::known(cx, HookKind::Rollback) {
        return StepGate::Unheard;
    }
    for kind in webhooks::before_next(cx) {
        match webhooks::ask(cx, d, kind, Timestamp::MIN) {
            Reply::Unheard => return StepGate::Unheard,
            Reply::No(said) => {
                shut(cx, d, kind, &said.name, passed);
                return StepGate::Shut;
            }
            Reply::Yes(names) => passed.extend(names.iter().map(|name| Messages::check_passed(kind, name))),
        }
    }
    if cx.step().index > 0 {
        match manual::pass(cx, d) {
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

/// Until when a webhook's refusal keeps the run where it is: it is not called again before.
pub(crate) fn shut_until(cx: &Context<'_>) -> Option<Timestamp> {
    webhooks::before_next(cx).into_iter().filter_map(|kind| webhooks::asked_again_at(cx, kind)).max()
}

/// No alert is sent when this webhook refuses. Webhooks of several types may have one name.
fn is_muted(webhooks: &[CanaryWebhook], kind: HookKind, name: &str) -> bool {
    let is_it = |hook: &CanaryWebhook| hook.name == name && hook.kind() == kind.word();
    webhooks.iter().any(|hook| is_it(hook) && hook.mute_alert == Some(true))
}

fn shut(cx: &Context<'_>, d: &mut PlanBuilder, kind: HookKind, hook: &str, passed: Vec<Note>) {
    let muted = is_muted(&cx.c.analysis.webhooks, kind, hook);
    let note = cx.messages.waiting_for_hook(kind, hook, muted);
    if d.condition(conditions::PAUSED, "True", WAITING_FOR_WEBHOOK, &note.message) {
        for note in passed {
            d.say(note);
        }
        d.say(note);
    }
    let waiting = match kind {
        HookKind::ConfirmRollout => Phase::Waiting,
        HookKind::ConfirmPromotion => Phase::WaitingPromotion,
        _ => return,
    };
    if cx.phase() != waiting {
        d.phase(waiting, cx.kind());
    }
}

/// Continues when the run of a new revision may begin.
pub(crate) fn may_start(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let passed = match webhooks::ask(cx, d, HookKind::ConfirmRollout, Timestamp::MIN) {
        Reply::Unheard => return WAIT,
        Reply::No(said) => {
            shut(cx, d, HookKind::ConfirmRollout, &said.name, vec![]);
            return WAIT;
        }
        Reply::Yes(names) => names,
    };
    if cx.c.gates.start.is_some() {
        wait_unless(manual::pass(cx, d) == Pass::Open)?;
    }
    for name in passed {
        d.say(Messages::check_passed(HookKind::ConfirmRollout, &name));
    }
    d.clear(conditions::PAUSED);
    GO_ON
}

/// Ends the run, or declines a revision that waits to begin, by request.
pub(crate) fn aborted(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let Some(asked) = requests::granted(cx, d, Verb::Abort) else { return GO_ON };
    let why = if asked.said.is_empty() { "it was asked for".to_owned() } else { asked.said };
    if cx.waits_to_begin() {
        declined::decline(cx, d, &why);
        return HANDLED;
    }
    d.say(cx.messages.abort_wanted(&why));
    let kind =
        if cx.phase() == Phase::Promoting { EndingKind::UndoingPromotion } else { EndingKind::RollingBack };
    ending::begin(cx, d, kind, "AbortRequested", &why)
}

/// A webhook of the type `rollback` answered yes.
pub(crate) fn rolled_back(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let Some(hook) = webhooks::rollback(cx, d) else { return GO_ON };
    d.say(Messages::check_passed(HookKind::Rollback, &hook));
    d.say(cx.messages.manual_rollback());
    let why = format!("the webhook {hook} asked for it");
    ending::begin(cx, d, EndingKind::RollingBack, "RollbackWebhook", &why)
}

/// Calls the webhooks of the type `post-rollout` with the run's outcome. Their answer changes nothing.
pub(crate) fn after_run(cx: &Context<'_>, d: &mut PlanBuilder) {
    if !cx.status().post_rollout_due {
        return;
    }
    match webhooks::ask(cx, d, HookKind::PostRollout, Timestamp::MIN) {
        Reply::Unheard => return,
        Reply::Yes(names) => {
            for name in &names {
                d.say(Messages::check_passed(HookKind::PostRollout, name));
            }
        }
        Reply::No(said) => d.say(Messages::post_rollout_failed(&said)),
    }
    d.status.post_rollout_due = false;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_muted_webhook_mutes_none_of_another_type() {
        let webhook = |kind: HookKind, mute_alert| CanaryWebhook {
            name: "gate".into(),
            type_: Some(kind.word().into()),
            mute_alert: Some(mute_alert),
            ..CanaryWebhook::default()
        };
        let all = [webhook(HookKind::ConfirmRollout, true), webhook(HookKind::ConfirmPromotion, false)];
        assert!(is_muted(&all, HookKind::ConfirmRollout, "gate"));
        assert!(!is_muted(&all, HookKind::ConfirmPromotion, "gate"));
        assert!(!is_muted(&all, HookKind::ConfirmRollout, "other"));
    }
}
