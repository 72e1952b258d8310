//! The known results of the metrics that are due at a time.

use std::collections::BTreeMap;

use crate::{
    analysis::{self, Assessment, Reading},
    api::CanaryMetric,
    clock,
    plan::{
        analysis::{comparing, entries, jobs, measurable::is_hindered, schedule},
        context::Context,
    },
};

/// The known results of the due metrics.
pub(crate) struct Due {
    /// Their assessments, by position.
    pub(crate) found: Vec<(usize, Assessment)>,
    /// These are all due metrics.
    pub(crate) whole: bool,
    /// One with late samples is left out.
    pub(crate) early: bool,
}

/// While answers are missing, the end of a Job is still checked, and no window ends. None: there is nothing to check.
pub(crate) fn due_now(cx: &Context<'_>) -> Option<Due> {
    let mut due = schedule::metrics_due(cx);
    if is_hindered(cx) {
        // a metric that cannot be queried does not keep the others from counting, but nothing passes on them alone
        due.retain(|at| cx.asks.iter().all(|ask| ask.metric != *at || ask.query.is_ok()));
    }
    let readings = analysis::aged(&cx.asks, jobs::readings(cx, &cx.asks), &cx.answers.newest);
    if let Some(mut found) = assessed(cx, &readings, &due) {
        let all = found.len();
        found.retain_mut(|(at, a)| !waited_for(cx, &readings, *at, a));
        let early = found.len() < all;
        return Some(Due { found, whole: true, early });
    }
    let ended: Vec<usize> = due.into_iter().filter(|at| jobs::is_one(cx, metric(cx, *at))).collect();
    let found = assessed(cx, &readings, &ended).filter(|found| !found.is_empty())?;
    Some(Due { found, whole: false, early: false })
}

/// Samples are late, so the outcome cannot be used yet. If that lasts longer than a window, it becomes an error.
fn waited_for(
    cx: &Context<'_>,
    readings: &BTreeMap<usize, Reading>,
    at: usize,
    found: &mut Assessment,
) -> bool {
    let asks = &cx.asks;
    if metric(cx, at).verdict.dry() {
        return false;
    }
    if let Some(failure) = analysis::unknown(at, found, asks, &cx.answers.newest)
        && let Some(error) = analysis::in_doubt(&cx.checks, at, asks, &failure.why)
    {
        *found = error;
        return false;
    }
    let Some((doubt, window)) = analysis::unsettled(at, found, asks, readings) else { return false };
    // from the metric's own time: another one may have been late for long
    if schedule::due_of(cx, at).is_some_and(|due| cx.now < clock::after(due, window)) {
        return doubt.passes_by();
    }
    if let Some(error) = analysis::in_doubt(&cx.checks, at, asks, &analysis::lasting(doubt)) {
        *found = error;
    }
    false
}

/// The assessments of these metrics, by position. None: an answer is missing.
fn assessed(
    cx: &Context<'_>,
    readings: &BTreeMap<usize, Reading>,
    due: &[usize],
) -> Option<Vec<(usize, Assessment)>> {
    let entries = entries::all(cx);
    let asked = schedule::asked_until(cx);
    let one = |at: &usize| {
        let found = analysis::assess(&cx.c, &cx.checks, *at, &cx.asks, readings)?;
        let job = jobs::is_one(cx, metric(cx, *at)).then(|| jobs::name(cx, &entries[*at]));
        Some((*at, comparing::beside(cx, *at, asked, Assessment { job, ..found })))
    };
    due.iter().map(one).collect()
}

fn metric<'c>(cx: &'c Context<'_>, at: usize) -> &'c CanaryMetric {
    &cx.checks.metrics[at]
}
