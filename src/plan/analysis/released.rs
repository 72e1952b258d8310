//! A waiting run continues when its wait is over.

use crate::{
    api::request::Verb,
    names::conditions,
    plan::{
        analysis::{
            entries::{self, Effect, effect},
            schedule,
        },
        builder::PlanBuilder,
        context::Context,
        gates::{self, StepGate, requests},
        model::flow::{Flow, GO_ON, WAIT, wait_unless},
        waiting::WaitingFor,
    },
};

/// Continues when the wait of a waiting run is over.
pub(crate) fn released(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    match WaitingFor::of(cx) {
        Some(WaitingFor::Inconclusive) => {
            wait_unless(requests::granted(cx, d, Verb::Promote).is_some())?;
            d.clear(conditions::INCONCLUSIVE);
            forgive(cx, d);
            GO_ON
        }
        Some(waiting) if waiting.is_manual() => {
            wait_unless(schedule::unready(cx, &entries::all(cx)).is_none())?;
            wait_unless(gates::leave(cx, d, vec![]) == StepGate::Yes)
        }
        _ => WAIT,
    }
}

/// A person has decided about the inconclusive measurements so far.
fn forgive(cx: &Context<'_>, d: &mut PlanBuilder) {
    for (m, entry) in cx.checks.metrics.iter().zip(&mut d.status.metrics) {
        entry.inconclusive = 0;
        if entry.outcome.is_some_and(|outcome| effect(m, outcome) == Effect::Unsure) {
            entry.outcome = None;
        }
    }
}
