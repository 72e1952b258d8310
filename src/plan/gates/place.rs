//! Where a run waits for people: before the run, after a step, before the promotion.

use crate::{
    api::{CanaryStatus, Phase, request::REMEMBERED},
    names,
    plan::{
        builder::PlanBuilder, context::Context, model::waits::has_answered, waiting::pause_before_promotion,
    },
    spec::{GateRule, Wait},
    text::first_chars,
};

/// A place at which a run waits.
pub(crate) struct Place<'c> {
    /// The phase while it waits.
    pub(crate) phase: Phase,
    pub(crate) until: Wait,
    pub(crate) rule: &'c GateRule,
}

pub(crate) fn here<'c>(cx: &'c Context<'_>) -> Option<Place<'c>> {
    let start = cx.c.gates.start.as_ref();
    if cx.status().run.is_none() {
        return start.map(|rule| Place { phase: Phase::Waiting, until: Wait::Request, rule });
    }
    let index = cx.steps_done();
    if let Some(rule) = cx.c.gates.steps.get(&index) {
        return Some(Place { phase: Phase::Waiting, until: Wait::Request, rule });
    }
    let until = pause_before_promotion(cx)?.until;
    Some(Place { phase: Phase::WaitingPromotion, until, rule: &cx.c.gates.promotion })
}

/// The gate at which the run waits for people now.
pub(crate) fn stands_at<'c>(cx: &'c Context<'_>) -> Option<&'c GateRule> {
    here(cx).filter(|place| place.phase == cx.phase()).map(|place| place.rule)
}

pub(crate) fn title(cx: &Context<'_>, place: &Place<'_>) -> String {
    let gate = place.rule.name.as_ref().map_or_else(|| "the gate".to_owned(), |name| format!("gate {name}"));
    match place.phase {
        Phase::WaitingPromotion => format!("{gate} before the promotion"),
        _ if cx.status().run.is_none() => format!("{gate} before the run"),
        _ => format!("{gate} at step {}, weight {}", cx.step().index, cx.step().weight),
    }
}

/// What the run waits for, and the command that ends the wait.
pub(crate) fn wanted(cx: &Context<'_>, d: &PlanBuilder, place: &Place<'_>) -> String {
    let how = match place.until {
        Wait::Request => String::new(),
        Wait::For(time) => format!("for {} s or ", time.as_secs_f64()),
    };
    let what = match place.phase {
        Phase::WaitingPromotion => {
            let name = place.rule.name.as_ref().map(|name| format!(" at gate {name}")).unwrap_or_default();
            format!("promotion approval{name}")
        }
        _ => format!("approval of {}", title(cx, place)),
    };
    format!("{what} {how}until asked: {}", command(cx, d, place))
}

/// The command that ends the wait.
pub(crate) fn command(cx: &Context<'_>, d: &PlanBuilder, place: &Place<'_>) -> String {
    format!(
        "kubectl -n {} annotate canary {} --overwrite {}={}",
        cx.c.namespace,
        cx.c.name,
        names::ANNOTATION_REQUEST,
        request(cx, &d.status, place)
    )
}

/// The request that ends the wait.
pub(crate) fn request(cx: &Context<'_>, answered: &CanaryStatus, place: &Place<'_>) -> String {
    let epoch = cx.status().epoch;
    match place.phase {
        Phase::WaitingPromotion => decision(answered, epoch),
        _ if cx.status().run.is_none() => {
            format!("approve/{}", free_id(answered, &format!("start-{epoch}-{}", first_chars(&cx.hash, 10))))
        }
        _ => format!("approve/{}", free_id(answered, &format!("run-{epoch}-step-{}", cx.step().index))),
    }
}

/// The request that decides about a run, before its promotion or where the metrics do not decide.
pub(crate) fn decision(answered: &CanaryStatus, epoch: i64) -> String {
    format!("promote/{}", free_id(answered, &format!("run-{epoch}")))
}

/// An id that was not answered yet: each works once, and a run may wait at one place more than once.
fn free_id(answered: &CanaryStatus, base: &str) -> String {
    let later = (2..=REMEMBERED + 2).map(|n| format!("{base}-{n}"));
    let mut all = [base.to_owned()].into_iter().chain(later);
    all.find(|id| !has_answered(answered, id)).unwrap_or_else(|| base.to_owned())
}
