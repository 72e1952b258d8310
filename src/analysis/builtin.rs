//! The two checks that need no query of the user's. Their text belongs to the router; this fills it in, with values
//! escaped so that no name can change what is asked.

use super::{
    checks::Checks,
    query::{Counters, Metric},
    template,
};
use crate::{router::Builtin, spec::Validated};

pub(crate) use crate::spec::metric_names::DURATION;

/// The PromQL of a built-in check over a window that is known to be a PromQL duration.
pub(crate) fn render(
    c: &Validated,
    checks: &Checks,
    builtin: &Builtin,
    kind: Metric,
    window: &str,
) -> Result<String, String> {
    fill(
        c,
        checks,
        builtin,
        if kind == Metric::Duration { builtin.duration } else { builtin.success_rate },
        window,
    )
}

/// The PromQL that counts the requests of such a window.
pub(crate) fn requests(
    c: &Validated,
    checks: &Checks,
    builtin: &Builtin,
    window: &str,
) -> Result<String, String> {
    fill(c, checks, builtin, builtin.requests, window)
}

/// The counters that a built-in check rests on.
pub(crate) fn counters(
    c: &Validated,
    checks: &Checks,
    builtin: &Builtin,
    kind: Metric,
    window: &str,
) -> Result<Counters, String> {
    let own = fill(c, checks, builtin, builtin.series, window)?;
    let primary = fill(&c.for_primary(), checks, builtin, builtin.series, window)?;
    let read = if kind == Metric::Duration { builtin.duration_series } else { builtin.series };
    let classic = fill(c, checks, builtin, read, window)?;
    let histogram = native(&classic).map(|native| (native, classic));
    Ok(Counters { primary: Some(primary).filter(|text| *text != own), own, histogram })
}

/// The selector of the native form of a histogram, one of whose classic series this one selects.
fn native(classic: &str) -> Option<String> {
    let (name, matchers) = classic.split_once('{')?;
    let base = ["_bucket", "_count", "_sum"].iter().find_map(|part| name.strip_suffix(part))?;
    Some(format!("{base}{{{matchers}"))
}

fn fill(
    c: &Validated,
    checks: &Checks,
    builtin: &Builtin,
    text: &str,
    window: &str,
) -> Result<String, String> {
    let plain = template::Model::of(c, checks, window);
    let name = |text: &str| if builtin.words { word(text) } else { matcher(text) };
    let model = template::Model {
        name: name(&plain.name),
        namespace: name(&plain.namespace),
        target: name(&plain.target),
        service: name(&plain.service),
        ingress: name(&plain.ingress),
        route: name(&plain.route),
        ..plain
    };
    template::render(text, &model)
}

/// A name as one word: `_` for whatever is no letter, digit or `_`.
fn word(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// A literal inside a double-quoted PromQL regular expression.
fn matcher(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\\' => out.push_str(r"\\\\"),
            _ if ".+*?()|[]{}^$".contains(c) => {
                out.push_str(r"\\");
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{manifest::fixture, router};

    #[test]
    fn istio_asks_for_the_canary_and_reads_only_failures_as_zero() {
        let mut c = fixture::canary(&json!({}));
        let builtin = router::by_name("istio").unwrap().queries();
        let base =
            r#"reporter="destination",destination_workload_namespace="test",destination_workload=~"podinfo""#;
        let rate = format!(
            "(sum(increase(istio_requests_total{{{base},response_code!~\"5.*\"}}[1m])) or vector(0)) / \
             sum(increase(istio_requests_total{{{base}}}[1m])) * 100"
        );
        assert_eq!(render(&c, &Checks::default(), builtin, Metric::SuccessRate, "1m").unwrap(), rate);
        let duration = format!(
            "histogram_quantile(0.99, sum(increase(istio_request_duration_milliseconds_bucket{{{base}}}[30s])) by (le))"
        );
        assert_eq!(render(&c, &Checks::default(), builtin, Metric::Duration, "30s").unwrap(), duration);
        c.names.target = "my.app".into();
        assert!(
            render(&c, &Checks::default(), builtin, Metric::Duration, "1m")
                .unwrap()
                .contains(r#"=~"my\\.app""#)
        );
    }

    #[test]
    fn nothing_breaks_out_of_a_matcher() {
        assert_eq!(matcher(r#"a"b\c|d"#), r#"a\"b\\\\c\\|d"#);
    }
}
