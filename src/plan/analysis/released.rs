//! A run that waits goes on when what it waits for has come.

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

/// Goes on when what a waiting run waits for has come.
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

/// What was inconclusive so far was decided by a person.
fn forgive(cx: &Context<'_>, d: &mut PlanBuilder) {
    for (m, entry) in cx.checks.metrics.iter().zip(&mut d.status.metrics) {
        entry.inconclusive = 0;
        if entry.outcome.is_some_and(|outcome| effect(m, outcome) == Effect::Unsure) {
            entry.outcome = None;
        }
    }
}
