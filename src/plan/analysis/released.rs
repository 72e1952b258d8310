//! A waiting run continues when its wait is over.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::{StepStatus, request::Verb},
    names::conditions,
    plan::{
        analysis::{
            entries::{self, Effect, effect},
            schedule,
        },
        builder::PlanBuilder,
        context::Context,
        gates::{self, StepGate, requests},
        model::flow::{Flow, WAIT, wait_unless},
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
            // the decision is about measurements: the gates of the step are asked as after a window that passed
            d.status.step = Some(StepStatus { decided: Some(MicroTime(cx.now)), ..cx.step() });
            wait_unless(gates::leave(cx, d, vec![]) == StepGate::Yes)
        }
        Some(waiting) if waiting.is_manual() => {
            wait_unless(schedule::unready(cx, &entries::all(cx)).is_none())?;
            wait_unless(gates::leave(cx, d, vec![]) == StepGate::Yes)
        }
        _ => WAIT,
    }
}

/// A person has decided about the inconclusive measurements so far.
pub(crate) fn forgive(cx: &Context<'_>, d: &mut PlanBuilder) {
    for (m, entry) in cx.checks.metrics.iter().zip(&mut d.status.metrics) {
        entry.inconclusive = 0;
        if entry.outcome.is_some_and(|outcome| effect(m, outcome) == Effect::Unsure) {
            entry.outcome = None;
        }
    }
}
