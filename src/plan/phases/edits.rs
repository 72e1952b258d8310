//! Edits of the analysis during a run. The position of a run is the traffic that users have seen: the weight, and the
//! requests that it applies to. An index into an edited list says nothing about that.

use crate::{
    api::{EndingKind, StepStatus},
    names::conditions,
    plan::{
        analysis::evaluate,
        builder::PlanBuilder,
        context::Context,
        model::flow::{Flow, GO_ON, HANDLED, WRITE_FIRST, handled_after},
        objects::{services, write::WriteReason},
        phases::steps,
        traffic::{self, ending},
    },
    router::Split,
    spec::{Step, Strategy},
};

/// A threshold or a metric's limit has been lowered to one that is already exceeded: the run ends.
pub(crate) fn limit_lowered(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let checks = cx.status().failed_checks;
    if checks < cx.c.threshold {
        return evaluate::limit_passed(cx, d);
    }
    let why = format!("failed checks {checks}/{}", cx.c.threshold);
    d.condition(conditions::HALTED, "True", "ChecksFailed", &why);
    d.say(cx.messages.threshold_reached(checks));
    ending::begin(cx, d, EndingKind::RollingBack, "ThresholdReached", &why)
}

/// `match`, `always` or `never` now lead other requests to the new version than those that have reached it, so nothing is
/// known about them. The steps begin again with the first; failures stay counted.
pub(crate) fn audience_changed(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let step = cx.step();
    if step.index == 0 || step.audience.is_empty() || step.audience == cx.audience() {
        return GO_ON;
    }
    start_over(cx, d, "spec.analysis names other requests now, in match, always or never")
}

/// Users are sent to another destination than the one on trial: they leave it, so that it can be corrected.
pub(crate) fn canary_astray(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.step().index == 0 || !services::is_astray(cx, d) {
        return GO_ON;
    }
    start_over(cx, d, &format!("Service {} led elsewhere", cx.c.names.canary_service))
}

/// The schedule was edited: the run goes on with the first step that is above its weight.
pub(crate) fn schedule_edited(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let step = cx.step();
    let all: Vec<Step> =
        cx.c.schedule.iter().map(|s| Step { weight: cx.possible(s.weight), ..s.clone() }).collect();
    match place(&all, cx.c.strategy == Strategy::BlueGreen, &step) {
        Place::Kept => GO_ON,
        Place::Moved(index) => {
            d.status.epoch += 1;
            d.status.step = Some(StepStatus { index, ..step });
            WRITE_FIRST
        }
        // only the canary has pods: it keeps its weight until the primary has some
        Place::Above if cx.zero().canary() > 0 => HANDLED,
        Place::Above => {
            d.status.epoch += 1;
            d.say(cx.messages.weight_follows(all.last().map_or(0, |last| last.weight)));
            steps::advance(cx, d, i32::try_from(all.len()).unwrap_or(i32::MAX))
        }
    }
}

/// Weight 0, and then the first step.
fn start_over(cx: &Context<'_>, d: &mut PlanBuilder, why: &str) -> Flow {
    d.status.epoch += 1;
    steps::start_over(cx, d);
    d.clear(conditions::INCONCLUSIVE);
    d.say(cx.messages.steps_begin_again(why));
    let zero = cx.zero();
    d.urgent = zero.canary() == 0;
    if zero.canary() > 0 {
        // only the canary has pods: it keeps serving until the primary has some
        return HANDLED;
    }
    handled_after(traffic::routing(cx, d, Split::to_canary(0), WriteReason::Wanted))
}

/// The position of a run in a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At its index.
    Kept,
    /// At another index.
    Moved(i32),
    /// Its weight is above that of every step.
    Above,
}

/// `hidden`: steps without users are the same whether requests are mirrored or not. Steps with the same weight are
/// taken in order, so as many of them count as done as the index says. A run with a weight below that of every step is
/// at the first, which is not taken yet: see [`Context::steps_done`].
fn place(schedule: &[Step], hidden: bool, step: &StepStatus) -> Place {
    let Some(at) = usize::try_from(step.index).ok().filter(|index| *index > 0) else { return Place::Kept };
    let same = |s: &Step| s.weight == step.weight && (hidden || s.mirrored == step.mirrored);
    let all_done = at >= schedule.len() && schedule.last().is_some_and(same);
    if all_done || schedule.get(at - 1).is_some_and(same) {
        return Place::Kept;
    }
    let alike = || schedule.iter().enumerate().filter(|(_, s)| same(s)).map(|(n, _)| n + 1);
    let known = alike().filter(|n| *n <= at).max().or_else(|| alike().min());
    let above = || schedule.iter().position(|s| s.weight > step.weight);
    match known.or_else(above) {
        Some(index) if index.max(1) == at => Place::Kept,
        Some(0) => Place::Moved(1),
        Some(index) => Place::Moved(i32::try_from(index).unwrap_or(i32::MAX)),
        None => Place::Above,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(index: i32, weight: i32, schedule: &[i32]) -> Place {
        let all: Vec<Step> = schedule.iter().map(|w| Step { weight: *w, ..Step::default() }).collect();
        place(&all, false, &StepStatus { index, weight, ..StepStatus::default() })
    }

    #[test]
    fn c13_the_place_is_what_was_shown() {
        assert_eq!(at(2, 20, &[10, 20, 30]), Place::Kept);
        assert_eq!(at(0, 0, &[10, 20]), Place::Kept, "before the first step");
        assert_eq!(at(5, 25, &[10, 20, 30, 40, 50]), Place::Moved(2), "30 is next");
        assert_eq!(at(2, 25, &[10, 20, 30, 40, 50]), Place::Kept, "until that is taken");
        assert_eq!(at(2, 20, &[25, 50]), Place::Moved(1), "25 is next");
        assert_eq!(at(1, 20, &[25, 50]), Place::Kept);
        assert_eq!(at(2, 20, &[20, 40, 50]), Place::Moved(1));
        assert_eq!(at(9, 0, &[10, 20, 50]), Place::Moved(1));
        assert_eq!(at(4, 80, &[20, 40]), Place::Above);
    }

    #[test]
    fn c13_iterations_that_were_done_count() {
        let green = |iterations: usize| [vec![0; iterations], vec![100]].concat();
        assert_eq!(at(8, 0, &green(5)), Place::Moved(5), "the switch is next");
        assert_eq!(at(3, 0, &green(10)), Place::Kept);
        assert_eq!(at(6, 100, &green(10)), Place::Moved(11), "users are not sent back");
        assert_eq!(at(8, 100, &[100; 5]), Place::Kept, "an A/B test: promotion is next");
        assert_eq!(at(2, 40, &green(3)), Place::Moved(3));
    }
}
