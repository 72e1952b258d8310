//! What is known of the metrics that are due at a time.

use crate::{
    analysis::{self, Assessment},
    api::CanaryMetric,
    clock,
    plan::{
        analysis::{comparing, entries, jobs, measurable::is_hindered, schedule},
        context::Context,
    },
};

/// What is known of the metrics that are due.
pub(crate) struct Due {
    /// What they come to, by position.
    pub(crate) found: Vec<(usize, Assessment)>,
    /// These are all that are due.
    pub(crate) whole: bool,
    /// One whose samples are late is left out.
    pub(crate) early: bool,
}

/// While answers are missing the end of a Job is still looked at, and no window ends. None: there is nothing to look at.
pub(crate) fn due_now(cx: &Context<'_>) -> Option<Due> {
    let mut due = schedule::metrics_due(cx);
    if is_hindered(cx) {
        // what cannot be asked does not keep the others from counting: nothing passes on them alone
        due.retain(|at| cx.asks.iter().all(|ask| ask.metric != *at || ask.query.is_ok()));
    }
    if let Some(mut found) = assessed(cx, &due) {
        let all = found.len();
        found.retain_mut(|(at, a)| !waited_for(cx, *at, a));
        let early = found.len() < all;
        return Some(Due { found, whole: true, early });
    }
    let ended: Vec<usize> = due.into_iter().filter(|at| jobs::is_one(cx, metric(cx, *at))).collect();
    let found = assessed(cx, &ended).filter(|found| !found.is_empty())?;
    Some(Due { found, whole: false, early: false })
}

/// Samples are late, so the outcome cannot be acted on yet. If that lasts longer than a window, it becomes an error.
fn waited_for(cx: &Context<'_>, at: usize, found: &mut Assessment) -> bool {
    let (asks, readings) = (&cx.asks, &cx.answers.readings);
    let unsettled = analysis::unsettled(at, found.outcome, asks, readings);
    let Some((doubt, window)) = unsettled.filter(|_| !metric(cx, at).verdict.dry()) else { return false };
    // from the metric's own time: another one may have been waited for since long
    if schedule::due_of(cx, at).is_some_and(|due| cx.now < clock::after(due, window)) {
        return doubt.passes_by();
    }
    if let Some(error) = analysis::in_doubt(&cx.checks, at, asks, &analysis::lasting(doubt)) {
        *found = error;
    }
    false
}

/// What these metrics come to, by position. None: an answer is missing.
fn assessed(cx: &Context<'_>, due: &[usize]) -> Option<Vec<(usize, Assessment)>> {
    let entries = entries::all(cx);
    let (readings, asked) = (jobs::readings(cx, &cx.asks), schedule::asked_until(cx));
    let one = |at: &usize| {
        let found = analysis::assess(&cx.c, &cx.checks, *at, &cx.asks, &readings)?;
        let job = jobs::is_one(cx, metric(cx, *at)).then(|| jobs::name(cx, &entries[*at]));
        Some((*at, comparing::beside(cx, *at, asked, Assessment { job, ..found })))
    };
    due.iter().map(one).collect()
}

fn metric<'c>(cx: &'c Context<'_>, at: usize) -> &'c CanaryMetric {
    &cx.checks.metrics[at]
}
