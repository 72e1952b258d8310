//! Whether a metric can be judged at all: what is wrong with its settings, and what works but probably not as intended.
//! A check that can never fail, or never pass, is useless.

use std::time::Duration;

use super::{
    checks::Checks,
    comparing::{incomparable, unsuited},
    go, metric,
    provider_kinds::PROMETHEUS,
    query::{Ask, Metric, Range, Role},
    query_plan::compares,
    windows,
};
use crate::{
    api::{CanaryMetric, MetricRange, NoData, duration},
    spec::{
        Problem, Validated,
        metric_names::{DURATION, SUCCESS_RATE, canonical},
    },
};

/// A setting of a metric that users write as text, with its field.
type Times = (&'static str, fn(&CanaryMetric) -> Option<&String>);

const TIMES: [Times; 2] =
    [("period", |m| m.verdict.period.as_ref()), ("initialDelay", |m| m.verdict.initial_delay.as_ref())];

/// What prevents the analysis of runs, and what may not be intended.
pub(crate) fn check(c: &Validated, checks: &Checks, asks: &[Ask]) -> (Vec<Problem>, Vec<String>) {
    let (mut faults, mut advice) = (Vec::new(), Vec::new());
    for (at, m) in checks.metrics.iter().enumerate() {
        let field = format!("spec.analysis.metrics[{}]", m.name);
        let wrong = times(m)
            .or_else(|| unreadable(checks, m))
            .or_else(|| never(m))
            .or_else(|| beyond(c, m))
            .or_else(|| incomparable(c, checks, m))
            .or_else(|| second(checks, at))
            .or_else(|| unaskable(at, asks));
        faults.extend(wrong.map(|why| Problem::new("MetricInvalid", format!("{field}: {why}"))));
        let odd = always(m)
            .or_else(|| one_of_two_names(checks, m))
            .or_else(|| unreached(c, checks, m))
            .or_else(|| stepless(at, asks))
            .or_else(|| unsuited(c, m));
        advice.extend(odd.map(|why| format!("{field}: {why}")));
    }
    let mut names: Vec<&str> = checks.metrics.iter().map(|m| m.name.as_str()).collect();
    names.sort_unstable();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
    advice.extend(twice.map(|name| {
        format!(
            "spec.analysis.metrics: two are named {name}: their counts are told apart as {name} and {name}#2"
        )
    }));
    if !checks.metrics.is_empty()
        && checks.metrics.iter().all(|m| m.verdict.dry())
        && c.analysis.webhooks.is_empty()
    {
        advice.push(
            "spec.analysis.metrics: all are dryRun: every revision that becomes ready is promoted".into(),
        );
    }
    (faults, advice)
}

/// The passing values of a metric, in words.
pub(crate) fn wanted(m: &CanaryMetric) -> String {
    let range = range(m);
    let range = match (range.min, range.max) {
        (Some(min), Some(max)) => Some(format!("{} to {}", go::v(min), go::v(max))),
        (Some(min), None) => Some(format!("at least {}", go::v(min))),
        (None, Some(max)) => Some(format!("at most {}", go::v(max))),
        (None, None) => None,
    };
    let good = m.verdict.success_condition.as_ref().map(|text| text.trim().to_owned());
    let bad = m.verdict.failure_condition.as_ref().map(|text| format!("not {}", text.trim()));
    let compared = m.verdict.compare.as_ref().map(|_| "no worse than the primary".to_owned());
    let all: Vec<String> = range.into_iter().chain(good).chain(bad).chain(compared).collect();
    if all.is_empty() { "a finite value".into() } else { all.join(", ") }
}

/// The bounds of a metric as numbers, if it has any, and the unit of them and its value, if known.
pub(crate) fn bounds(m: &CanaryMetric) -> (Option<MetricRange>, &'static str) {
    let Range { min, max } = range(m);
    let unit = match canonical(&m.name) {
        Some(SUCCESS_RATE) => "%",
        Some(DURATION) => "ms",
        _ => "",
    };
    ((min.is_some() || max.is_some()).then_some(MetricRange { min, max }), unit)
}

/// The range of a metric, by its name.
fn range(m: &CanaryMetric) -> Range {
    let success = canonical(&m.name) == Some(SUCCESS_RATE);
    metric::range(m, if success { Metric::SuccessRate } else { Metric::Inline })
}

/// A time in the metric; none if it sets none.
pub(crate) fn time(text: Option<&String>) -> Option<Duration> {
    duration::parse(text?.trim())
}

/// Step from which the metric is measured, counted from 0.
pub(crate) fn start(c: &Validated, m: &CanaryMetric) -> i32 {
    m.verdict.start_at_step.or(c.analysis.start_at_step).unwrap_or(0).max(0)
}

fn times(m: &CanaryMetric) -> Option<String> {
    TIMES.iter().find_map(|(field, of)| {
        let text = of(m)?;
        let ok = time(Some(text)).is_some_and(|t| *field != "period" || t >= Duration::from_secs(1));
        (!ok).then(|| format!("{field} is {text:?}: give it a duration of at least 1s such as 30s or 2m"))
    })
}

/// A condition that does not compile, or two conditions with the same meaning.
fn unreadable(checks: &Checks, m: &CanaryMetric) -> Option<String> {
    let mut parsed = Vec::new();
    for (field, text) in [
        ("successCondition", &m.verdict.success_condition),
        ("failureCondition", &m.verdict.failure_condition),
    ] {
        match text.as_deref().map(|text| checks.conditions.get(text)) {
            None => {}
            Some(Err(why)) => {
                return Some(format!("{field} does not compile: {why}: write it as in result[0] >= 0.95"));
            }
            Some(Ok(condition)) => parsed.push(condition),
        }
    }
    match parsed.as_slice() {
        [good, bad] if good.same_as(bad) => Some(
            "successCondition and failureCondition are the same, so that no value can pass: change one"
                .into(),
        ),
        _ => None,
    }
}

/// No value can pass.
fn never(m: &CanaryMetric) -> Option<String> {
    let range = m.threshold_range?;
    let name = canonical(&m.name);
    // durations are cut to whole milliseconds
    let cut = |bound: Option<f64>| bound.map(|b| if name == Some(DURATION) { b.trunc() } else { b });
    let (min, max) = (cut(range.min), cut(range.max));
    let why = if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        format!("thresholdRange.min {} is above max {}", go::v(min), go::v(max))
    } else if name == Some(SUCCESS_RATE) && (min > Some(100.0) || max.is_some_and(|m| m < 0.0)) {
        "thresholdRange leaves no percentage from 0 to 100".into()
    } else if name == Some(DURATION) && max.is_some_and(|m| m < 0.0) {
        "thresholdRange.max is below 0 milliseconds".into()
    } else {
        return None;
    };
    Some(format!("{why}, so that no value can pass: correct it"))
}

/// No value can fail. Flagger accepts these, so they are only reported.
fn always(m: &CanaryMetric) -> Option<String> {
    if m.verdict.has_condition() || m.verdict.compare.is_some() {
        return None;
    }
    let Range { min, max } = range(m);
    if canonical(&m.name) == Some(SUCCESS_RATE) {
        let open = min.unwrap_or(0.0) <= 0.0 && max.is_none_or(|m| m >= 100.0);
        return open.then(|| "no success rate is too low: set thresholdRange.min".into());
    }
    if m.threshold_range.is_none() {
        let unset = m.threshold.is_none();
        return unset.then(|| "neither thresholdRange nor threshold is set: only values up to 0 pass".into());
    }
    (min.is_none() && max.is_none()).then(|| "thresholdRange has no bound: every finite value passes".into())
}

/// A condition in which both names of the canary's values stand: one of them may be meant for the primary.
fn one_of_two_names(checks: &Checks, m: &CanaryMetric) -> Option<String> {
    let mut texts = [&m.verdict.success_condition, &m.verdict.failure_condition].into_iter().flatten();
    let text = texts
        .find(|text| checks.conditions.get(text).is_ok_and(|condition| condition.has_two_names()))?
        .trim();
    Some(format!(
        "{text} names result and canary, which are the same values: write one of the names, or primary"
    ))
}

/// Servers for Prometheus' API differ in the default step of a subquery: VictoriaMetrics uses 5m, and so misses
/// anything shorter.
fn stepless(at: usize, asks: &[Ask]) -> Option<String> {
    let mut queries = asks.iter().filter(|ask| ask.metric == at).filter_map(|ask| ask.query.as_ref().ok());
    let found = queries.find_map(|query| {
        let ranges = query.promql.split('[').skip(1).filter_map(|rest| rest.split_once(']'));
        let mut inner = ranges.map(|(range, _)| range.trim());
        inner
            .find(|range| {
                let range = range.strip_suffix(':').filter(|_| query.access.kind == PROMETHEUS);
                range.is_some_and(|range| windows::parts(range.trim()).is_some())
            })
            .map(str::to_owned)
    })?;
    Some(format!(
        "[{found}] is a subquery without a step, and servers differ in the default: write one, [{found}30s]"
    ))
}

/// It is never measured.
fn beyond(c: &Validated, m: &CanaryMetric) -> Option<String> {
    let (start, steps) = (start(c, m), c.schedule.len());
    let late = usize::try_from(start).is_ok_and(|start| start >= steps);
    (late && !c.skip_analysis).then(|| {
        format!(
            "startAtStep is {start}, and the last of the {steps} steps is {}: it would never be measured",
            steps - 1
        )
    })
}

/// An earlier metric has this name, and limits could not distinguish the two.
fn second(checks: &Checks, at: usize) -> Option<String> {
    let m = &checks.metrics[at];
    let first = checks.metrics[..at].iter().find(|other| other.name == m.name)?;
    let plain = |m: &CanaryMetric| m.verdict == crate::api::MetricPolicy::default();
    (!plain(first) || !plain(m)).then(|| "another metric has the same name: rename one of the two".into())
}

/// A query in addition to the metric's own is not possible.
fn unaskable(at: usize, asks: &[Ask]) -> Option<String> {
    let mut beside = asks.iter().filter(|ask| ask.metric == at && ask.role != Role::Value);
    beside.find_map(|ask| ask.query.as_ref().err()).cloned()
}

/// A limit that is never reached because something else ends the run first.
fn unreached(c: &Validated, checks: &Checks, m: &CanaryMetric) -> Option<String> {
    let v = &m.verdict;
    let limits =
        [("failureLimit", v.failure_limit), ("consecutiveFailureLimit", v.consecutive_failure_limit)];
    let shadowed = limits.into_iter().find(|(_, limit)| limit.is_some_and(|n| n >= c.threshold));
    if let Some((field, Some(limit))) = shadowed.filter(|_| !v.dry()) {
        return Some(format!(
            "{field} {limit} is never passed: spec.analysis.threshold {} ends the run before. Raise that",
            c.threshold
        ));
    }
    if v.primary_query.is_some() && !compares(checks, m) {
        return Some("primaryQuery is not asked: no condition names primary".into());
    }
    let counted = v.min_samples.is_some() || v.samples_query.is_none();
    if !counted {
        return Some("samplesQuery is not asked: minSamples is not set".into());
    }
    let silent = v.no_data == Some(NoData::Pass) && !v.dry() && v.min_samples.is_none();
    silent.then(|| "noData is pass: a revision that gets no traffic passes".into())
}
