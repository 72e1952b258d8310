//! Phases as chains of guards: what each checks, in an order that a test fixes.

use std::ops::ControlFlow;

use crate::plan::{
    builder::PlanBuilder,
    context::Context,
    model::flow::{Flow, GO_ON},
};

/// One check of a phase, with the name that people see when it stops the pass.
pub(crate) type Guard = (&'static str, fn(&Context<'_>, &mut PlanBuilder) -> Flow);
/// The guards of a phase, in order.
pub(crate) type Chain = &'static [Guard];

/// Runs the guards in order, until one stops the pass.
pub(crate) fn run(chain: Chain, cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    for (name, guard) in chain {
        if let ControlFlow::Break(stop) = guard(cx, d) {
            d.stopped_by(name, stop);
            return ControlFlow::Break(stop);
        }
    }
    GO_ON
}
