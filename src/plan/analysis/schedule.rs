//! When each metric of a run is measured, and what is recorded. `evaluate` decides what follows.
//!
//! A window lasts one interval and ends a step at the earliest; metrics are measured at its end, or at their own
//! period.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    analysis::{self, Assessment, Query, Since, limits},
    api::{CanaryMetric, CanaryStatus, MetricOutcome, MetricStatus, NoData, Phase, StepStatus},
    clock,
    names::conditions,
    plan::{
        analysis::{
            comparing,
            entries::{self, Effect, effect},
            jobs,
            measurable::is_measurable,
            outage,
        },
        builder::PlanBuilder,
        context::Context,
        gates,
        model::Question,
    },
    text::first_chars,
};

/// A metric with its own period and without a usable answer is queried again after this at the latest.
const RETRY: Duration = Duration::from_secs(10);
/// Most characters of a query in status: a built-in one that reads both ends of a request has about 1,400.
const LONGEST_QUERY: usize = 2048;
/// Most characters of a sentence in status.
const LONGEST: usize = 1024;

/// Errors of this metric are counted and recorded.
pub(crate) fn counts_errors(cx: &Context<'_>, m: &CanaryMetric) -> bool {
    jobs::is_one(cx, m)
        || m.verdict.consecutive_error_limit.is_some()
        || m.verdict.no_data == Some(NoData::Error)
}

/// The queries to send, when a window has ended or a metric is due.
pub(crate) fn questions(cx: &Context<'_>) -> Vec<Question> {
    let first = comparing::due(cx).map_or(due(cx), |look| look.min(due(cx)));
    if !is_measurable(cx) || cx.now < first.max(outage::until(cx)) {
        return vec![];
    }
    let due = metrics_due(cx);
    let asked = cx.asks.iter().enumerate().filter(|(_, ask)| due.contains(&ask.metric));
    let queries = asked.filter_map(|(index, ask)| Some((index, ask.query.as_ref().ok()?)));
    let queries: Vec<_> = queries.filter(|(_, query)| !analysis::job::is_for_job(query)).collect();
    let step = cx.step().confirmed.map_or(cx.now, |t| t.0);
    let run = cx.status().run.as_ref().map_or(step, |run| run.started.0);
    let entries = entries::all(cx);
    let question = |(index, query): &(usize, &Query)| {
        // not the time of the query, so that the same question keeps the same text
        let at = cx.asks[*index].metric;
        let due = due_of(cx, at).unwrap_or(cx.now);
        let measured = entries.get(at).is_some_and(|entry| entry.passed > 0 || !entry.value.is_empty());
        let query = analysis::doubting((*query).clone(), Since { run, step }, due, measured);
        Question::Measure { index: *index, query }
    };
    let own: Vec<usize> = queries.iter().map(|(index, _)| *index).collect();
    let newest =
        analysis::newest(&cx.c, &cx.checks, cx.router.queries(), (cx.asks.as_slice(), own.as_slice()), step);
    let newest = newest.into_iter().map(|(index, query)| Question::Newest { index, query });
    queries.iter().map(question).chain(newest).chain(comparing::questions(cx)).collect()
}

/// End of the current window.
pub(crate) fn window(cx: &Context<'_>) -> Timestamp {
    let end = ends(&cx.step(), cx.c.interval).unwrap_or_else(|| clock::after(cx.now, cx.c.interval));
    gates::shut_until(cx).map_or(end, |until| until.max(end))
}

/// End of a step's current window: an interval after the last one, or when `advance` was requested. None: the step
/// has not begun.
fn ends(step: &StepStatus, interval: Duration) -> Option<Timestamp> {
    let began = step.checked.as_ref().or(step.confirmed.as_ref())?.0;
    let end = clock::after(began, interval);
    let asked = step.shortened.as_ref().filter(|at| at.0 > began);
    Some(asked.map_or(end, |at| at.0.min(end)))
}

/// When the next query is due.
pub(crate) fn due(cx: &Context<'_>) -> Timestamp {
    let entries = entries::all(cx);
    let metrics = cx.checks.metrics.iter().zip(&entries).filter_map(|(m, entry)| metric_due(cx, m, entry));
    metrics.chain([window(cx)]).min().unwrap_or(cx.now)
}

/// When the next query is due according to the status of a plan: the end of a window, or the time of a metric with its
/// own period. None: nothing is measured, or it is unknown when answers come.
pub(crate) fn next(cx: &Context<'_>, status: &CanaryStatus) -> Option<Timestamp> {
    let analysed =
        matches!(status.phase, Some(Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion));
    let step = status.step.as_ref().filter(|step| step.index > 0)?;
    let ending = status.run.as_ref().is_none_or(|run| run.ending.is_some());
    let frozen = status.conditions.iter().any(|c| c.type_ == conditions::FROZEN);
    let idle = status.phase != Some(Phase::Progressing) && step.weight == 0 && !step.mirrored;
    if !analysed || ending || frozen || idle {
        return None;
    }
    let window = ends(step, cx.c.interval)?;
    let paced = cx.checks.metrics.iter().zip(&status.metrics).filter_map(|(m, entry)| {
        let period = limits::time(m.verdict.period.as_ref())?;
        let delay = limits::time(m.verdict.initial_delay.as_ref()).unwrap_or(period);
        if m.verdict.count.is_some_and(|count| entry.passed >= count) {
            return None;
        }
        let last = entry.measured.as_ref().map(|last| clock::after(last.0, period));
        last.or_else(|| entry.since.as_ref().map(|since| clock::after(since.0, delay)))
    });
    paced.chain([window]).min()
}

/// Until when due metrics were queried: those that become due while answers are awaited are queried by the next pass.
/// Now, if nothing was queried.
pub(crate) fn asked_until(cx: &Context<'_>) -> Timestamp {
    let asked = cx.answers.asked_at;
    if asked == Timestamp::UNIX_EPOCH { cx.now } else { asked.min(cx.now) }
}

/// Positions of the metrics that are due.
pub(crate) fn metrics_due(cx: &Context<'_>) -> Vec<usize> {
    let (entries, asked) = (entries::all(cx), asked_until(cx));
    let all = cx.checks.metrics.iter().zip(&entries).enumerate();
    let due = all.filter(|(_, (m, entry))| {
        // Jobs are observed, not queried
        let now = if jobs::is_one(cx, m) { cx.now } else { asked };
        metric_due(cx, m, entry).is_some_and(|at| now >= at)
    });
    due.map(|(at, _)| at).collect()
}

/// When the metric at this position is due; none if it is not measured for now.
pub(crate) fn due_of(cx: &Context<'_>, at: usize) -> Option<Timestamp> {
    metric_due(cx, cx.checks.metrics.get(at)?, entries::all(cx).get(at)?)
}

/// When the next metric that is not due yet becomes due.
pub(crate) fn next_due(cx: &Context<'_>) -> Option<Timestamp> {
    let all = cx.checks.metrics.iter().zip(entries::all(cx));
    all.filter_map(|(m, entry)| metric_due(cx, m, &entry)).filter(|at| *at > cx.now).min()
}

/// When a metric is due; none if it has not begun, waits for a later window, or has passed often enough.
fn metric_due(cx: &Context<'_>, m: &CanaryMetric, entry: &MetricStatus) -> Option<Timestamp> {
    if jobs::is_one(cx, m) {
        return jobs::due(cx, m, entry);
    }
    let since = entries::since(cx, m, entry)?;
    if m.verdict.count.is_some_and(|count| entry.passed >= count) {
        return None;
    }
    let delay = limits::time(m.verdict.initial_delay.as_ref());
    let Some(period) = limits::time(m.verdict.period.as_ref()) else {
        let window = window(cx);
        // already measured, while another metric of the window is awaited
        let last = entry.measured.as_ref().filter(|last| last.0 >= window);
        let due = last.map_or(window, |last| clock::after(last.0, cx.c.interval));
        return (window >= clock::after(since, delay.unwrap_or_default())).then_some(due);
    };
    Some(match &entry.measured {
        None => clock::after(since, delay.unwrap_or(period)),
        Some(last) if entry.errors_in_row > 0 => {
            let again = clock::after(last.0, period.min(RETRY));
            // without being asked, its server gives no more errors than one per window
            let rested =
                left_alone(cx, m).map(|until| until.min(clock::after(last.0, period.max(cx.c.interval))));
            rested.map_or(again, |rested| rested.max(again))
        }
        Some(last) => clock::after(last.0, period),
    })
}

/// Until when a server of this metric is left alone.
fn left_alone(cx: &Context<'_>, m: &CanaryMetric) -> Option<Timestamp> {
    let its = |ask: &&analysis::Ask| cx.checks.metrics.get(ask.metric).is_some_and(|of| of.name == m.name);
    let queries = cx.asks.iter().filter(its).filter_map(|ask| ask.query.as_ref().ok());
    queries.filter_map(|query| cx.snap.pauses.servers.get(&query.place()).copied()).max()
}

/// A step has begun: for some metrics it is the first.
pub(crate) fn begin(cx: &Context<'_>, d: &mut PlanBuilder) {
    let mut entries = entries::all(cx);
    for (m, entry) in cx.checks.metrics.iter().zip(&mut entries) {
        if entry.since.is_none() && cx.step().index > limits::start(&cx.c, m) {
            entry.since = Some(MicroTime(cx.now));
        }
    }
    d.status.metrics = entries;
}

/// The steps start over with other pods: measurements of the old ones say nothing about them. Failures stay
/// counted.
pub(crate) fn start_over(cx: &Context<'_>, d: &mut PlanBuilder) {
    jobs::start_over(cx, d);
    for entry in &mut d.status.metrics {
        (entry.since, entry.measured, entry.outcome, entry.compare) = (None, None, None, None);
        (entry.passed, entry.failed_in_row, entry.errors_in_row) = (0, 0, 0);
    }
}

/// Records a measurement.
pub(crate) fn record(cx: &Context<'_>, m: &CanaryMetric, entry: &mut MetricStatus, found: &Assessment) {
    entry.since = entries::since(cx, m, entry).map(MicroTime);
    entry.measured = Some(MicroTime(cx.now));
    entry.outcome = Some(found.outcome);
    entry.value.clone_from(&found.value);
    entry.primary.clone_from(&found.primary);
    entry.wanted.clone_from(&found.wanted);
    first_chars(&found.query, LONGEST_QUERY).clone_into(&mut entry.query);
    first_chars(&found.text, LONGEST).clone_into(&mut entry.message);
    if let Some(compared) = &found.compared {
        entry.compare = Some(compared.status.clone());
    }
    if let Some(job) = &found.job {
        entry.job.clone_from(job);
        (entry.job_state, entry.job_message) = (None, String::new());
        entry.jobs = Some(entry.jobs.unwrap_or(0).saturating_add(1));
    }
    let effect = effect(m, found.outcome);
    if effect == Effect::Broken {
        entry.errors_in_row = entry.errors_in_row.saturating_add(1);
        return;
    }
    entry.errors_in_row = 0;
    match effect {
        Effect::Good => {
            entry.passed = entry.passed.saturating_add(1);
            entry.failed_in_row = 0;
        }
        Effect::Bad => {
            entry.failed = entry.failed.saturating_add(1);
            entry.failed_in_row = entry.failed_in_row.saturating_add(1);
        }
        // an undecided comparison is no reason to ask people
        Effect::Unsure if found.compared.as_ref().is_some_and(|compared| compared.decides) => {}
        Effect::Unsure if found.outcome == MetricOutcome::Inconclusive => {
            entry.inconclusive = entry.inconclusive.saturating_add(1);
        }
        Effect::Unsure | Effect::Broken => {}
    }
}

/// Which of its own limits a metric has exceeded.
pub(crate) fn passed_limit(m: &CanaryMetric, entry: &MetricStatus) -> Option<String> {
    let v = &m.verdict;
    let limits = [
        ("failed", entry.failed, "failureLimit", v.failure_limit),
        ("failed in a row", entry.failed_in_row, "consecutiveFailureLimit", v.consecutive_failure_limit),
        ("errors in a row", entry.errors_in_row, "consecutiveErrorLimit", v.consecutive_error_limit),
    ];
    let (what, count, field, limit) =
        limits.into_iter().find(|(_, count, _, limit)| limit.is_some_and(|l| l >= 0 && *count > l))?;
    let limit = limit.unwrap_or_default();
    Some(format!(
        "metric {} {what} ({count}) > {field} ({limit}): {}; query: {}",
        entry.name, entry.message, entry.query
    ))
}

/// Why the run cannot be promoted after this step yet, or not lead all requests to the canary.
pub(crate) fn unready(cx: &Context<'_>, entries: &[MetricStatus]) -> Option<String> {
    if cx.steps_done() >= cx.c.schedule.len() {
        return wanting(cx, entries);
    }
    comparing::wanting(cx, entries).filter(|_| comparing::decides(cx))
}

/// A metric with its own schedule has not passed as often as a promotion requires.
pub(crate) fn wanting(cx: &Context<'_>, entries: &[MetricStatus]) -> Option<String> {
    let timed = |m: &CanaryMetric| {
        let v = &m.verdict;
        jobs::is_one(cx, m) || v.count.is_some() || v.period.is_some() || v.initial_delay.is_some()
    };
    let all = cx.checks.metrics.iter().zip(entries).filter(|(m, _)| timed(m) && !m.verdict.dry());
    let mut lacking = all.filter(|(m, entry)| entry.passed < m.verdict.count.unwrap_or(1));
    let Some((m, entry)) = lacking.next() else { return comparing::wanting(cx, entries) };
    let job = jobs::stands(cx, entry).map(|how| format!(": {how}")).unwrap_or_default();
    Some(format!(
        "metric {} has passed {} of {} times{job}",
        entry.name,
        entry.passed,
        m.verdict.count.unwrap_or(1)
    ))
}
