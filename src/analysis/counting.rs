//! How many requests both sides had between two moments, and how many of them failed: differences of counters, exact to
//! the request, and the queries for them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    access::Access,
    builtin,
    checks::Checks,
    query::{Metric, Query, Range},
};
use crate::{
    api::CanaryMetric,
    router::{Builtin, Counted},
    spec::Validated,
    statistics::Counts,
};

/// How far back a last sample is looked for: as far as Prometheus itself does.
pub(super) const BACK: &str = "5m";
/// The same in milliseconds.
const BACK_MS: i64 = 300_000;
/// Counters beyond this are not exact as floating point.
const MOST: f64 = 1e15;

/// The label that says which of the counts a sample is.
pub(crate) const LABEL: &str = "serin_count";
const CANARY_ALL: &str = "canary_all";
const CANARY_BAD: &str = "canary_bad";
const PRIMARY_ALL: &str = "primary_all";
const PRIMARY_BAD: &str = "primary_bad";

/// Requests of both sides between two moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Counts of the canary.
    pub canary: Counts,
    /// Counts of the primary.
    pub primary: Counts,
}

impl Tally {
    /// The sum of two intervals.
    #[must_use]
    pub(crate) fn and(self, more: &Self) -> Self {
        Self { canary: self.canary.plus(more.canary), primary: self.primary.plus(more.primary) }
    }

    /// Reads a server's answer by count. A side without any series had no requests.
    ///
    /// # Errors
    /// The problem with the answer.
    pub(crate) fn of(answer: &BTreeMap<String, f64>) -> Result<Self, &'static str> {
        let count = |name: &str| match answer.get(name).copied() {
            None => Ok(0),
            Some(value) if !(0.0..=MOST).contains(&value) => Err("a count is negative, or too large"),
            Some(value) if value.fract() != 0.0 => Err("a count is not a whole number"),
            Some(value) => Ok(value as u64),
        };
        let side = |all, bad| {
            let counts = Counts { all: count(all)?, bad: count(bad)? };
            if counts.bad > counts.all { Err("more requests failed than there were") } else { Ok(counts) }
        };
        Ok(Self { canary: side(CANARY_ALL, CANARY_BAD)?, primary: side(PRIMARY_ALL, PRIMARY_BAD)? })
    }
}

/// The interval in which requests are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// When the canary got its first requests.
    pub(crate) began: Timestamp,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// The query for all four counts.
///
/// # Errors
/// Names do not fit into it.
pub(crate) fn counting(
    c: &Validated,
    checks: &Checks,
    m: &CanaryMetric,
    builtin: &Builtin,
    span: Span,
) -> Result<Query, String> {
    let builtin = builtin.reported_by(c.analysis.reporter.unwrap_or_default());
    let counted =
        builtin.counts.ok_or_else(|| format!("compare is not served with provider {}", c.provider))?;
    let canary = side(c, checks, builtin, counted, (CANARY_ALL, CANARY_BAD), is_young(counted, span), span)?;
    let primary = side(&c.for_primary(), checks, builtin, counted, (PRIMARY_ALL, PRIMARY_BAD), false, span)?;
    Ok(Query {
        metric: m.name.clone(),
        kind: Metric::SuccessRate,
        promql: format!("{canary} or {primary}"),
        server: c.metrics_server.clone(),
        access: Access::in_namespace(&c.namespace),
        range: Range::default(),
        window: BACK.into(),
        counters: None,
        doubts: vec![],
        since: None,
    })
}

/// The canary's pods are as young as the run, so the first values of their counters were counted in it. Later, a series
/// that returns after a gap would be counted twice.
fn is_young(counted: &Counted, span: Span) -> bool {
    let length = span.to.as_millisecond() - span.from.as_millisecond();
    counted.of_pods
        && length <= BACK_MS
        && span.to.as_millisecond() - span.began.as_millisecond() <= BACK_MS + length
}

fn side(
    c: &Validated,
    checks: &Checks,
    builtin: &Builtin,
    counted: &Counted,
    (all, bad): (&str, &str),
    young: bool,
    span: Span,
) -> Result<String, String> {
    let whole = builtin::selector(c, checks, builtin, counted.all)?;
    let failed = failed(c, checks, builtin, counted)?;
    let ms = span.to.as_millisecond() - span.from.as_millisecond();
    let requests = format!("sum({})", growth(std::slice::from_ref(&whole), &whole, ms, young));
    let failures = format!("sum({})", growth(&failed, &whole, ms, young));
    // no failures is 0, not nothing
    let failures = format!("({failures} or 0 * sum(last_over_time({whole}[{BACK}])))");
    let named =
        |text: &str, name: &str| format!("label_replace({text}, \"{LABEL}\", \"{name}\", \"\", \"\")");
    Ok(format!("{} or {}", named(&requests, all), named(&failures, bad)))
}

/// The selectors of failed requests.
pub(super) fn failed(
    c: &Validated,
    checks: &Checks,
    builtin: &Builtin,
    counted: &Counted,
) -> Result<Vec<String>, String> {
    counted.bad.iter().map(|text| builtin::selector(c, checks, builtin, text)).collect()
}

/// By how much counters grew that these selectors find: of series that went on, and of those that were born or reset, which
/// count from 0 if their target was there before, by any series of `side`.
pub(super) fn growth(selectors: &[String], side: &str, ms: i64, young: bool) -> String {
    let each: Vec<String> = selectors.iter().map(|series| growth_of(series, side, ms, young)).collect();
    each.join(" or ")
}

fn growth_of(series: &str, side: &str, ms: i64, young: bool) -> String {
    let now = format!("last_over_time({series}[{BACK}])");
    let before = format!("last_over_time({series}[{BACK}] offset {ms}ms)");
    let born = if young {
        now.clone()
    } else {
        format!(
            "({now} and on (job, instance) group by (job, instance) (last_over_time({side}[{BACK}] offset {ms}ms)))"
        )
    };
    format!("({now} - ({before} <= {now})) or {born}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{api::Reporter, manifest::fixture, router};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn query(reporter: Option<Reporter>, from: i64, to: i64) -> String {
        let mut c = fixture::canary(&json!({}));
        c.analysis.reporter = reporter;
        let metric: CanaryMetric =
            serde_json::from_value(json!({"name": "request-success-rate", "compare": {}})).unwrap();
        let builtin = router::by_name("istio").unwrap().queries();
        let span = Span { began: at(0), from: at(from), to: at(to) };
        let asked = counting(&c, &Checks::default(), &metric, builtin, span).unwrap();
        assert_eq!(asked.access.namespace, c.namespace, "it may use the hosts of its namespace");
        asked.promql
    }

    /// Exactly the text that was tried on a real Prometheus, except for matchers that are regular expressions.
    #[test]
    fn counts_are_asked_for_as_they_were_tried() {
        let of = |workload: &str, more: &str| {
            format!(
                "istio_requests_total{{reporter=\"destination\",destination_workload_namespace=\"test\",\
                 destination_workload=~\"{workload}\"{more}}}"
            )
        };
        let (canary, primary) = (of("podinfo", ""), of("podinfo-primary", ""));
        let bad = ",response_code=~\"5.*\"";
        let call = ",response_code!~\"5.*\",grpc_response_status=~\"2|4|13|14|15\",response_flags!~\"DC|DR\"";
        let failed = |workload: &str| [of(workload, bad), of(workload, call)];
        let went_on = |x: &str| {
            format!(
                "(last_over_time({x}[5m]) - (last_over_time({x}[5m] offset 15000ms) <= last_over_time({x}[5m])))"
            )
        };
        let guarded = |x: &str, s: &str| {
            format!(
                "{} or (last_over_time({x}[5m]) and on (job, instance) group by (job, instance) \
                 (last_over_time({s}[5m] offset 15000ms)))",
                went_on(x)
            )
        };
        let young = |x: &str| format!("{} or last_over_time({x}[5m])", went_on(x));
        let both =
            |[x, y]: [String; 2], grown: &dyn Fn(&str) -> String| format!("{} or {}", grown(&x), grown(&y));
        let expected = format!(
            "label_replace(sum({}), \"serin_count\", \"canary_all\", \"\", \"\") or \
             label_replace((sum({}) or 0 * sum(last_over_time({canary}[5m]))), \"serin_count\", \"canary_bad\", \"\", \"\") or \
             label_replace(sum({}), \"serin_count\", \"primary_all\", \"\", \"\") or \
             label_replace((sum({}) or 0 * sum(last_over_time({primary}[5m]))), \"serin_count\", \"primary_bad\", \"\", \"\")",
            young(&canary),
            both(failed("podinfo"), &young),
            guarded(&primary, &primary),
            both(failed("podinfo-primary"), &|x| guarded(x, &primary)),
        );
        assert_eq!(query(None, 0, 15), expected);
    }

    #[test]
    fn a_series_that_comes_back_is_not_counted_again_once_the_run_is_old() {
        let unguarded = |text: &str| text.matches("and on (job, instance)").count();
        assert_eq!(unguarded(&query(None, 300, 315)), 3);
        assert_eq!(unguarded(&query(None, 301, 316)), 6, "older than that");
        assert_eq!(unguarded(&query(None, 0, 900)), 6, "a long look");
        assert_eq!(
            unguarded(&query(Some(Reporter::Source), 0, 15)),
            6,
            "counters of proxies are older than the run"
        );
    }

    #[test]
    fn the_reports_of_one_end_are_counted() {
        assert!(!query(Some(Reporter::Both), 0, 15).contains("source"));
        let source = query(Some(Reporter::Source), 0, 15);
        assert!(source.contains("reporter=\"source\"") && !source.contains("reporter=\"destination\""));
        assert!(source.contains("destination_service_name=~\"podinfo-primary\""), "{source}");
    }

    #[test]
    fn an_odd_answer_is_no_tally() {
        let of = |pairs: &[(&str, f64)]| {
            Tally::of(&pairs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect())
        };
        let whole =
            [("canary_all", 100.0), ("canary_bad", 3.0), ("primary_all", 900.0), ("primary_bad", 0.0)];
        let counts = |all, bad| Counts { all, bad };
        assert_eq!(of(&whole), Ok(Tally { canary: counts(100, 3), primary: counts(900, 0) }));
        assert_eq!(of(&[]), Ok(Tally::default()));
        for odd in [-1.0, 0.5, f64::NAN, f64::INFINITY, 1e16, 101.0] {
            assert!(of(&[("canary_all", 100.0), ("canary_bad", odd)]).is_err(), "{odd}");
        }
    }
}
