//! From the answer of a metrics server to its meaning, in Flagger's words.
//!
//! ```text
//! every series finite and within the range   Pass, with the value nearest to a bound
//! any series finite and outside, or ±Inf     Fail, with the value farthest outside
//! said to be bad                             Fail
//! else any series NaN, or no series at all   NoData
//! the server did not answer                  Error: says nothing about the release
//! good values that rest on a counter's reset Error
//! ```

use serde::Serialize;

use super::{
    doubt::Doubt,
    go,
    query::{Metric, Query},
    reading::Reading,
};
use crate::{
    router::{self, Router},
    spec::Validated,
};

/// The text for a query without any value.
pub(crate) const NO_VALUES: &str = "running query failed: no values found";

/// What a reading means.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) enum Verdict {
    /// Within the range.
    Pass {
        /// The worst value.
        value: f64,
    },
    /// Outside the range: counts as a failed check.
    Fail {
        /// Flagger's Halt text.
        text: String,
    },
    /// No traffic, or none that was measured: counts as a failed check.
    NoData {
        /// Flagger's Halt text.
        text: String,
    },
    /// Unknown: freezes the run.
    Error {
        /// Flagger's text.
        text: String,
    },
}

/// Judges the result of a query. Durations are cut to whole milliseconds on both sides before they are compared.
pub(crate) fn judge(query: &Query, reading: &Reading, c: &Validated) -> Verdict {
    let values = match reading {
        Reading::Values(values) | Reading::Doubted { values, .. } => values,
        Reading::Bad(why) => return Verdict::Fail { text: bad(query, why, c) },
        Reading::NoData(why) => return Verdict::NoData { text: no_data(query, why, c) },
        Reading::Failed(failure) => return Verdict::Error { text: failed(query, &failure.why) },
    };
    if reading.is_unreadable() {
        return Verdict::Error { text: failed(query, &Doubt::Native.why()) };
    }
    let Some(value) = worst(query, values) else {
        return Verdict::NoData { text: no_data(query, NO_VALUES, c) };
    };
    if let Some(text) = breach(query, value, c) {
        return Verdict::Fail { text };
    }
    if values.iter().any(|v| v.is_nan()) {
        return Verdict::NoData { text: no_data(query, NO_VALUES, c) };
    }
    if let Reading::Doubted { doubt: doubt @ Doubt::Reset, .. } = reading {
        return Verdict::Error { text: failed(query, &doubt.why()) };
    }
    Verdict::Pass { value }
}

/// The value farthest outside the range, or nearest to a bound; none if no series has a value.
pub(super) fn worst(query: &Query, values: &[f64]) -> Option<f64> {
    let mut worst: Option<f64> = None;
    for value in values.iter().copied().filter(|v| !v.is_nan()).map(|v| whole(query, v)) {
        if worst.is_none_or(|w| margin(query, value) < margin(query, w)) {
            worst = Some(value);
        }
    }
    worst
}

fn whole(query: &Query, value: f64) -> f64 {
    if query.kind == Metric::Duration { value.trunc() } else { value }
}

fn bounds(query: &Query) -> (Option<f64>, Option<f64>) {
    let cut = |bound: Option<f64>| bound.map(|b| whole(query, b));
    (cut(query.range.min), cut(query.range.max))
}

/// How far inside the range a value is; negative outside, lowest for the infinite.
fn margin(query: &Query, value: f64) -> f64 {
    if value.is_infinite() {
        return f64::NEG_INFINITY;
    }
    let (min, max) = bounds(query);
    let over = min.map_or(f64::INFINITY, |min| value - min);
    over.min(max.map_or(f64::INFINITY, |max| max - value))
}

/// The Halt text, if the value does not pass.
fn breach(query: &Query, value: f64, c: &Validated) -> Option<String> {
    let (min, max) = bounds(query);
    let relation = match (min, max) {
        (Some(min), _) if value < min => Some(("<", min)),
        (_, Some(max)) if value > max => Some((">", max)),
        // A bound that is not a number admits nothing.
        (Some(bound), _) if bound.is_nan() => Some(("<", bound)),
        (_, Some(bound)) if bound.is_nan() => Some((">", bound)),
        _ => None,
    };
    let (value, against) = match (relation, query.kind) {
        (None, _) if value.is_finite() => return None,
        (None, _) => (go::f2(value), "is not finite".to_owned()),
        (Some((sign, bound)), Metric::SuccessRate) => {
            (format!("{}%", go::f2(value)), format!("{sign} {}%", go::v(bound)))
        }
        (Some((sign, bound)), Metric::Duration) => {
            (go::millis(value), format!("{sign} {}", go::millis(bound)))
        }
        (Some((sign, bound)), Metric::Inline | Metric::Template) => {
            (go::f2(value), format!("{sign} {}", go::v(bound)))
        }
    };
    let subject = match query.kind {
        Metric::SuccessRate => "success rate",
        Metric::Duration => "request duration",
        Metric::Inline | Metric::Template => query.metric.as_str(),
    };
    Some(format!("Halt {}.{} advancement {subject} {value} {against}", c.name, c.namespace))
}

fn bad(query: &Query, why: &str, c: &Validated) -> String {
    format!("Halt {}.{} advancement {}: {why}", c.name, c.namespace, query.metric)
}

fn no_data(query: &Query, why: &str, c: &Validated) -> String {
    let metric = &query.metric;
    let idle = format!(
        "Halt advancement no values found for {} metric {metric} probably {}.{} is not receiving traffic",
        c.provider, c.names.target, c.namespace
    );
    let otherwise = if query.counters.is_some() { otherwise(c) } else { String::new() };
    match query.kind {
        Metric::SuccessRate => format!("{idle}{otherwise}: {why}"),
        Metric::Duration => format!("{idle}{otherwise}"),
        Metric::Inline => format!("Halt advancement no values found for metric: {metric}"),
        Metric::Template => format!("Halt advancement no values found for custom metric: {metric}: {why}"),
    }
}

/// What looks like no traffic may be failures that are not counted, or a metric that is not enabled.
fn otherwise(c: &Validated) -> String {
    let Some(of) = router::by_name(&c.provider).map(Router::queries) else { return String::new() };
    let unseen = if of.unseen.is_empty() { String::new() } else { format!(", or {}", of.unseen) };
    if of.needs.is_empty() {
        return unseen;
    }
    format!("{unseen}, or there is no {}: {}", of.counter, of.needs)
}

/// The text for a query without a usable answer.
pub(super) fn failed(query: &Query, why: &str) -> String {
    match query.kind {
        Metric::SuccessRate | Metric::Duration => format!("Prometheus query failed: {why}"),
        Metric::Inline => format!("Prometheus query failed for {}: {why}", query.metric),
        Metric::Template => format!("Metric query failed for {}: {why}", query.metric),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{analysis::query::Range, manifest::fixture};

    fn query(kind: Metric, min: Option<f64>, max: Option<f64>) -> Query {
        let metric = match kind {
            Metric::SuccessRate => "request-success-rate",
            Metric::Duration => "request-duration",
            Metric::Inline | Metric::Template => "errors",
        };
        Query {
            metric: metric.into(),
            kind,
            promql: "up".into(),
            server: String::new(),
            access: crate::analysis::Access::default(),
            range: Range { min, max },
            window: "1m".into(),
            counters: None,
            doubts: vec![],
            since: None,
        }
    }

    fn said(query: &Query, reading: &Reading) -> Verdict {
        judge(query, reading, &fixture::canary(&json!({})))
    }

    fn fails(query: &Query, values: &[f64], text: &str) {
        assert_eq!(said(query, &Reading::Values(values.to_vec())), Verdict::Fail { text: text.into() });
    }

    #[test]
    fn halts_are_worded_as_flaggers() {
        let rate = |min, max| query(Metric::SuccessRate, min, max);
        fails(&rate(Some(99.0), None), &[90.5], "Halt podinfo.test advancement success rate 90.50% < 99%");
        fails(
            &rate(None, Some(99.5)),
            &[100.0],
            "Halt podinfo.test advancement success rate 100.00% > 99.5%",
        );
        let slow = query(Metric::Duration, None, Some(500.0));
        fails(&slow, &[1515.9], "Halt podinfo.test advancement request duration 1.515s > 500ms");
        let quick = query(Metric::Duration, Some(2.0), None);
        fails(&quick, &[1.0], "Halt podinfo.test advancement request duration 1ms < 2ms");
        let own = query(Metric::Inline, Some(1.0), Some(5.25));
        fails(&own, &[7.0], "Halt podinfo.test advancement errors 7.00 > 5.25");
        fails(&own, &[0.0], "Halt podinfo.test advancement errors 0.00 < 1");
        fails(&own, &[f64::INFINITY], "Halt podinfo.test advancement errors +Inf > 5.25");
        fails(
            &query(Metric::Inline, None, None),
            &[f64::INFINITY],
            "Halt podinfo.test advancement errors +Inf is not finite",
        );
    }

    #[test]
    fn silence_and_outage_are_worded_as_flaggers() {
        let none = Reading::Values(vec![]);
        let idle = "Halt advancement no values found for istio metric request-success-rate probably podinfo.test \
                    is not receiving traffic: running query failed: no values found";
        let silent = |kind| match said(&query(kind, Some(1.0), None), &none) {
            Verdict::NoData { text } => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(silent(Metric::SuccessRate), idle);
        let idle = "Halt advancement no values found for istio metric request-duration probably podinfo.test is not \
                    receiving traffic";
        assert_eq!(silent(Metric::Duration), idle);
        assert_eq!(silent(Metric::Inline), "Halt advancement no values found for metric: errors");
        assert_eq!(
            silent(Metric::Template),
            "Halt advancement no values found for custom metric: errors: running query failed: no values found"
        );
        let down = Reading::Failed("timed out".into());
        let text = "Prometheus query failed for errors: timed out".to_owned();
        assert_eq!(said(&query(Metric::Inline, None, None), &down), Verdict::Error { text });
        let text = "Prometheus query failed: timed out".to_owned();
        assert_eq!(said(&query(Metric::Duration, None, None), &down), Verdict::Error { text });
    }

    #[test]
    fn t3_no_values_may_be_failures_where_those_are_not_counted() {
        let of = |provider: &str| {
            let mut c = fixture::canary(&json!({}));
            c.provider = provider.into();
            otherwise(&c)
        };
        let counted = "or there is no http_request_duration_seconds_count: ";
        let unseen = format!(", or its pods do not answer, which the application cannot count, {counted}");
        for provider in ["gatewayapi:v1", "kubernetes"] {
            assert!(of(provider).starts_with(&unseen), "{}", of(provider));
        }
        for provider in ["kuma", "linkerd"] {
            assert!(of(provider).starts_with(", or requests do not reach its pods"), "{}", of(provider));
        }
        for provider in ["contour", "gloo", "knative"] {
            assert!(of(provider).starts_with(", or it answers none of its requests: "), "{}", of(provider));
        }
        for provider in ["traefik", "nginx", "skipper", "apisix"] {
            assert!(of(provider).starts_with(", or none of its requests has ended, "), "{}", of(provider));
        }
        assert_eq!(of("istio"), "");
    }

    #[test]
    fn f55_doubt_is_cast_on_good_values_only() {
        let q = query(Metric::Duration, None, Some(10.0));
        let of = |values: &[f64], doubt| said(&q, &Reading::Doubted { values: values.to_vec(), doubt });
        let text = "Prometheus query failed: a counter was reset within its window".to_owned();
        assert_eq!(of(&[5.0], Doubt::Reset), Verdict::Error { text });
        assert_eq!(of(&[5.0], Doubt::Early), Verdict::Pass { value: 5.0 });
        for doubt in [Doubt::Early, Doubt::Reset] {
            assert!(matches!(of(&[50.0], doubt), Verdict::Fail { .. }));
            assert!(matches!(of(&[], doubt), Verdict::NoData { .. }));
            assert!(matches!(of(&[f64::NAN], doubt), Verdict::NoData { .. }));
        }
    }

    #[test]
    fn v10_a_histogram_that_is_not_read_says_nothing_of_the_release() {
        let q = query(Metric::Duration, None, Some(10.0));
        let of = |values: Vec<f64>| said(&q, &Reading::Doubted { values, doubt: Doubt::Native });
        let Verdict::Error { text } = of(vec![]) else { panic!() };
        assert!(text.contains("stored as a native histogram only"), "{text}");
        assert_eq!(of(vec![5.0]), Verdict::Pass { value: 5.0 });
    }

    #[test]
    fn of_several_series_the_worst_counts() {
        let q = query(Metric::Inline, Some(0.0), Some(10.0));
        let of = |values: &[f64]| said(&q, &Reading::Values(values.to_vec()));
        assert_eq!(of(&[5.0, 9.0, 2.0]), Verdict::Pass { value: 9.0 });
        fails(&q, &[5.0, 11.0, 30.0, 10.0], "Halt podinfo.test advancement errors 30.00 > 10");
        assert!(matches!(of(&[5.0, f64::NAN]), Verdict::NoData { .. }));
        assert!(matches!(of(&[50.0, f64::NAN]), Verdict::Fail { .. }), "a breach is a breach");
    }

    #[test]
    fn bounds_are_inclusive_and_milliseconds_whole() {
        let of = |q: &Query, v: f64| said(q, &Reading::Values(vec![v]));
        let q = query(Metric::SuccessRate, Some(99.0), Some(100.0));
        for v in [99.0, 100.0] {
            assert_eq!(of(&q, v), Verdict::Pass { value: v });
        }
        let q = query(Metric::Duration, None, Some(500.9));
        assert_eq!(of(&q, 500.99), Verdict::Pass { value: 500.0 });
        assert!(matches!(of(&q, 501.0), Verdict::Fail { .. }));
    }

    proptest! {
        #[test]
        fn only_finite_values_inside_the_range_pass(
            values in proptest::collection::vec(proptest::num::f64::ANY, 0..4),
            min in proptest::option::of(any::<f64>()),
            max in proptest::option::of(any::<f64>()),
        ) {
            let inside = |v: &f64| v.is_finite() && min.is_none_or(|m| *v >= m) && max.is_none_or(|m| *v <= m);
            let pass = !values.is_empty() && values.iter().all(inside);
            let verdict = said(&query(Metric::Inline, min, max), &Reading::Values(values));
            prop_assert_eq!(matches!(verdict, Verdict::Pass { .. }), pass, "{:?}", verdict);
        }
    }
}
