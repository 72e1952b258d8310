//! Before the first step of a run: pods that have to be replaced, and webhooks that prepare for it.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::plan::{
    analysis::evaluate,
    analysis::schedule,
    builder::{PlanBuilder, after},
    context::Context,
    gates::webhooks::{self, Reply},
    gates::{self, StepGate},
    model::HookKind,
    model::Messages,
    objects::autoscaler,
    phases::initialise::past,
    phases::progress::advance,
};
use crate::{api::StepStatus, names::conditions};

/// Before the first step: webhooks that prepare for it, each no of which is a failed check, and those that let it rise.
pub(crate) fn first(cx: &Context<'_>, d: &mut PlanBuilder) {
    let checked = cx.step().checked.is_some();
    let due = schedule::window(cx);
    if checked && !past(cx, d, due) {
        return;
    }
    let since = if checked { due } else { Timestamp::MIN };
    let prepared = match webhooks::ask(cx, d, HookKind::PreRollout, since) {
        Reply::Unheard => return,
        Reply::No(said) => {
            d.status.step = Some(StepStatus { checked: Some(MicroTime(cx.now)), ..cx.step() });
            evaluate::halt(cx, d, &[cx.messages.check_failed(HookKind::PreRollout, &said)]);
            return;
        }
        Reply::Yes(names) => names,
    };
    let mut notes = vec![cx.messages.starting()];
    notes.extend(prepared.iter().map(|name| Messages::check_passed(HookKind::PreRollout, name)));
    if gates::leave(cx, d, notes) == StepGate::Yes {
        d.clear(conditions::HALTED);
        advance(cx, d, 1);
    }
}

/// Pods that have read what has changed since would be analysed in place of the revision: they go, once proxies have
/// learned that nothing leads to them, and new ones come. True when nothing is left to do.
pub(crate) fn renewed(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    // without a primary they serve whoever comes by an apex that leads to both
    let needed = cx.zero().canary() > 0 || cx.primary_pods() == 0;
    if needed || !past(cx, d, cx.settled_at()) {
        return false;
    }
    if !autoscaler::empty(cx, d) {
        return false;
    }
    let late = past(cx, d, after(cx.standing_since(), cx.c.deadline));
    if cx.c.target.is_empty(cx.target) || late {
        d.status.step = Some(StepStatus { renew: false, ..cx.step() });
    }
    false
}
