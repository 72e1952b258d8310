//! The evidence that a run needs to continue, calculated independently from queries and answers.

use jiff::{SignedDuration, Timestamp};
use serin::{
    analysis::{Doubt, Reading},
    api::{CanaryStatus, MetricOutcome, MetricPolicy, MetricStatus},
    plan::{Answers, Question},
    spec::Validated,
};

/// All plain metrics are queried, unless they already passed in the same window, and all of them pass. A metric with
/// its own conditions or limits must have an answer, and the value must be in its range, unless it defines the meaning
/// of no data.
pub(crate) fn enough(
    c: &Validated,
    asked: &[Question],
    answers: &Answers,
    old: &CanaryStatus,
    all: bool,
) -> bool {
    let plain = |name: &str| {
        let mut named =
            c.metrics.iter().filter(|m| name == m.name || name.starts_with(&format!("{} (", m.name)));
        named.all(|m| m.verdict == MetricPolicy::default())
    };
    let timed = c.analysis.start_at_step.is_some();
    let wanted = if timed { 0 } else { c.metrics.iter().filter(|m| plain(&m.name)).count() };
    let of_plain =
        asked.iter().filter(|q| matches!(q, Question::Measure { query, .. } if plain(&query.metric)));
    let settled = settled(c, answers, old).filter(|entry| plain(&entry.name));
    if all && of_plain.count() + settled.count() < wanted {
        return false;
    }
    asked.iter().all(|question| match question {
        Question::Measure { query, .. } if !plain(&query.metric) => may_stand(c, question, answers),
        Question::Newest { index, .. } => is_fresh(answers.newest.get(index)),
        _ => passes(question, answers),
    })
}

/// Metrics that passed in this window, at most an interval ago, while the run waited for another one.
fn settled<'s>(
    c: &Validated,
    answers: &Answers,
    old: &'s CanaryStatus,
) -> impl Iterator<Item = &'s MetricStatus> {
    let interval = SignedDuration::try_from(c.interval).unwrap_or_default();
    let asked = answers.asked_at;
    let shortened = old.step.as_ref().is_some_and(|step| step.shortened.is_some());
    let began = old.step.as_ref().and_then(|step| Some(step.checked.as_ref().or(step.confirmed.as_ref())?.0));
    let counts = move |at: Timestamp| {
        let ended = shortened || began.is_some_and(|began| at.duration_since(began) >= interval);
        ended && asked.duration_since(at) < interval
    };
    let passed = |entry: &&MetricStatus| entry.outcome == Some(MetricOutcome::Pass);
    let all = old.metrics.iter().filter(passed);
    all.filter(move |entry| entry.measured.as_ref().is_some_and(|at| counts(at.0)))
}

fn may_stand(c: &Validated, question: &Question, answers: &Answers) -> bool {
    let Question::Measure { index, query } = question else { return true };
    let metric = c.metrics.iter().find(|m| m.name == query.metric);
    let own = c.metrics.iter().find(|m| query.metric.starts_with(&m.name));
    if own.is_some_and(|m| m.verdict.dry()) {
        return true;
    }
    match answers.readings.get(index) {
        None | Some(Reading::Failed(_)) => false,
        _ => {
            metric.is_none_or(|m| m.verdict.no_data.is_some() || m.verdict.has_condition())
                || passes(question, answers)
        }
    }
}

/// The server of own PromQL is not known to be late, and it has answered.
fn is_fresh(newest: Option<&Reading>) -> bool {
    let stale = |doubt: &Doubt| matches!(doubt, Doubt::Late { .. } | Doubt::Early);
    !matches!(newest, None | Some(Reading::Failed(_)))
        && !matches!(newest, Some(Reading::Doubted { doubt, .. }) if stale(doubt))
}

fn passes(question: &Question, answers: &Answers) -> bool {
    let Question::Measure { index, query } = question else { return true };
    let Some(Reading::Values(values)) = answers.readings.get(index) else { return false };
    let within = |v: &f64| {
        v.is_finite() && query.range.min.is_none_or(|m| *v >= m) && query.range.max.is_none_or(|m| *v <= m)
    };
    !values.is_empty() && values.iter().all(within)
}
