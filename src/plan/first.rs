//! Before the first step of a run: pods that have to be replaced, and webhooks that prepare for it.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::{
    context::Context,
    draft::{Draft, after},
    gates::{self, StepGate},
    hooks::{self, Kind, Reply},
    initialise::past,
    judge, measure,
    progress::advance,
    scaler,
    words::Words,
};
use crate::{api::StepStatus, names::conditions};

/// Before the first step: webhooks that prepare for it, each no of which is a failed check, and those that let it rise.
pub(super) fn first(cx: &Context<'_>, d: &mut Draft) {
    let checked = cx.step().checked.is_some();
    let due = measure::window(cx);
    if checked && !past(cx, d, due) {
        return;
    }
    let since = if checked { due } else { Timestamp::MIN };
    let prepared = match hooks::ask(cx, d, Kind::PreRollout, since) {
        Reply::Unheard => return,
        Reply::No(said) => {
            d.status.step = Some(StepStatus { checked: Some(MicroTime(cx.now)), ..cx.step() });
            judge::halt(cx, d, &[cx.words.check_failed(Kind::PreRollout, &said)]);
            return;
        }
        Reply::Yes(names) => names,
    };
    let mut notes = vec![cx.words.starting()];
    notes.extend(prepared.iter().map(|name| Words::check_passed(Kind::PreRollout, name)));
    if gates::leave(cx, d, notes) == StepGate::Yes {
        d.clear(conditions::HALTED);
        advance(cx, d, 1);
    }
}

/// Pods that have read what has changed since would be analysed in place of the revision: they go, once proxies have
/// learned that nothing leads to them, and new ones come. True when nothing is left to do.
pub(super) fn renewed(cx: &Context<'_>, d: &mut Draft) -> bool {
    // without a primary they serve whoever comes by an apex that leads to both
    let needed = cx.zero().canary() > 0 || cx.primary_pods() == 0;
    if needed || !past(cx, d, cx.settled_at()) {
        return false;
    }
    if !scaler::empty(cx, d) {
        return false;
    }
    let late = past(cx, d, after(cx.standing_since(), cx.c.deadline));
    if cx.c.target.is_empty(cx.target) || late {
        d.status.step = Some(StepStatus { renew: false, ..cx.step() });
    }
    false
}
