//! The metrics, from the status, with earlier measurements from the record of the run.

use serin::{
    api::{CanaryStatus, MetricStatus},
    spec::Validated,
};

use super::{
    facts::Facts,
    model::{CheckView, Look},
};

/// Maximum number of measurements to show.
const LOOKS: usize = 40;

/// The metrics of this run or of the last one. Before the first measurement, the metrics in the spec.
pub(super) fn checks(facts: &Facts, status: &CanaryStatus, c: Option<&Validated>) -> Vec<CheckView> {
    let number = status.run.as_ref().map(|run| run.number);
    let number = number.or_else(|| status.last_run.as_ref().map(|last| last.number));
    let looks = |name: &str| number.map(|n| looks(facts, n, name)).unwrap_or_default();
    let last_chance = |m: &MetricStatus| c.is_some_and(|c| last_chance(c, m));
    let measured = status.metrics.iter().map(|m| CheckView {
        looks: looks(&m.name),
        last_chance: last_chance(m),
        ..check(m)
    });
    let known = |name: &str| status.metrics.iter().any(|m| m.name == name);
    let named = c.into_iter().flat_map(|c| &c.metrics).filter(|m| !known(&m.name));
    let named = named.map(|m| CheckView {
        name: m.name.clone(),
        last_chance: m.verdict.failure_limit == Some(0) || m.verdict.consecutive_failure_limit == Some(0),
        ..CheckView::default()
    });
    measured.chain(named).collect()
}

/// One more failure exceeds a limit of the metric's own. A negative limit is none.
fn last_chance(c: &Validated, metric: &MetricStatus) -> bool {
    let Some(own) = c.metrics.iter().find(|m| m.name == metric.name) else { return false };
    let reached = |limit: Option<i32>, count: i32| limit.is_some_and(|limit| limit >= 0 && count >= limit);
    reached(own.verdict.failure_limit, metric.failed)
        || reached(own.verdict.consecutive_failure_limit, metric.failed_in_row)
}

fn check(metric: &MetricStatus) -> CheckView {
    CheckView {
        name: metric.name.clone(),
        verdict: metric.outcome.map(|outcome| format!("{outcome:?}")),
        value: metric.value.clone(),
        primary_value: metric.primary.clone(),
        unit: metric.unit.clone(),
        wanted: metric.wanted.clone(),
        limit: metric.range,
        query: metric.query.clone(),
        passed: metric.passed,
        failed: metric.failed,
        failed_in_row: metric.failed_in_row,
        last_chance: false,
        measured: metric.measured.as_ref().map(|t| t.0),
        message: metric.message.clone(),
        looks: vec![],
    }
}

fn looks(facts: &Facts, number: i64, name: &str) -> Vec<Look> {
    let Some(status) = facts.run(number).and_then(|run| run.status.as_ref()) else { return vec![] };
    let all: Vec<_> = status.measurements.iter().filter(|m| m.metric == name).collect();
    let last = &all[all.len().saturating_sub(LOOKS)..];
    last.iter()
        .map(|m| Look {
            step: m.step,
            value: m.value.clone(),
            primary: m.primary.clone(),
            verdict: m.verdict.clone(),
            at: m.end.as_ref().map(|t| t.0),
        })
        .collect()
}
