//! The effects of comparisons with the primary: a canary that is found worse ends its run at once, and one that is not
//! found no worse is not promoted.

use crate::{
    analysis::Assessment,
    api::{CompareVerdict, EndingKind, MetricOutcome, MetricStatus, Phase},
    names::conditions,
    plan::{
        analysis::{
            comparing::{self, Stand},
            entries,
            measurable::is_measurable,
            schedule,
        },
        builder::PlanBuilder,
        context::Context,
        gates::place,
        history,
        model::{
            Messages,
            flow::{Flow, GO_ON, WAIT},
            waits::INCONCLUSIVE_ANALYSIS,
        },
        traffic::ending,
    },
};

/// The promotion waits for a comparison.
const UNDECIDED: &str = "Undecided";
const FOUND_WORSE: &str = "FoundWorse";
const TOO_LONG: &str = "UndecidedTooLong";

/// Takes the looks that are due, at their own times. Whatever else holds the run, a canary that is found worse
/// gets no more requests.
pub(crate) fn look(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let analysed = matches!(cx.phase(), Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion);
    if !comparing::any(cx) || !analysed || cx.waits_to_begin() || !is_measurable(cx) {
        return GO_ON;
    }
    let asked = schedule::asked_until(cx);
    comparing::wake(cx, d, asked);
    let Some((at, entries, why)) = comparing::worse(cx, asked) else {
        comparing::keep(cx, d, asked);
        return GO_ON;
    };
    let entry = &entries[at];
    let found = Assessment {
        outcome: MetricOutcome::Fail,
        value: String::new(),
        wanted: entry.compare.as_ref().map(|compare| compare.wanted.clone()).unwrap_or_default(),
        primary: String::new(),
        query: String::new(),
        text: entry.message.clone(),
        quote: None,
        job: None,
        compared: None,
    };
    history::measured(cx, d, entry, &found);
    d.status.metrics = entries;
    d.condition(conditions::HALTED, "True", FOUND_WORSE, &why);
    d.say(cx.messages.found_worse(&why));
    ending::begin(cx, d, EndingKind::RollingBack, FOUND_WORSE, &why)
}

/// At the step that decides, a run continues once every comparison says that the canary is no worse. Until then this is
/// reported, and finally the action of the metric is taken.
pub(crate) fn unproven(cx: &Context<'_>, d: &mut PlanBuilder, entries: &[MetricStatus]) -> Flow {
    let decides = comparing::decides(cx) && cx.step().decided.is_none();
    let Some((stand, why)) = comparing::stand(cx, entries).filter(|_| decides) else {
        d.clear(conditions::INCONCLUSIVE);
        return GO_ON;
    };
    match stand {
        Stand::Waits => {
            let said = d.find(conditions::INCONCLUSIVE).is_some_and(|c| c.reason == UNDECIDED);
            d.condition(conditions::INCONCLUSIVE, "True", UNDECIDED, &why);
            if !said {
                d.say(Messages::undecided(&why));
            }
            GO_ON
        }
        Stand::Person => {
            d.condition(conditions::INCONCLUSIVE, "True", INCONCLUSIVE_ANALYSIS, &why);
            d.phase(Phase::Waiting, cx.kind());
            d.say(cx.messages.inconclusive(&why, &place::decision(&d.status, d.status.epoch)));
            WAIT
        }
        Stand::Rollback => {
            d.condition(conditions::HALTED, "True", TOO_LONG, &why);
            d.say(cx.messages.undecided_too_long(&why));
            ending::begin(cx, d, EndingKind::RollingBack, TOO_LONG, &why)
        }
    }
}

/// If counts could not be read, former conclusions are not repeated.
pub(crate) fn unread(cx: &Context<'_>, d: &mut PlanBuilder, found: &[(usize, Assessment)]) {
    let mut entries = entries::all(cx);
    let mut texts = Vec::new();
    for (at, found) in found {
        let Some(compared) = found.compared.as_ref() else { continue };
        if compared.status.verdict == Some(CompareVerdict::Unread) {
            texts.push(format!("metric {}: {}", entries[*at].name, compared.status.message));
            entries[*at].compare = Some(compared.status.clone());
        }
    }
    if texts.is_empty() {
        return;
    }
    d.status.metrics = entries;
    match d.find(conditions::INCONCLUSIVE).map(|c| c.reason.clone()) {
        // a person is asked, now for another reason
        Some(reason) if reason == INCONCLUSIVE_ANALYSIS => {
            d.condition(conditions::INCONCLUSIVE, "True", &reason, &texts.join("; "));
        }
        _ => {
            d.clear(conditions::INCONCLUSIVE);
        }
    }
}
