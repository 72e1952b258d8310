//! From a metric to its queries: the built-in one, that of its MetricTemplate, and its own.

use super::{
    access::{Access, PROMETHEUS},
    args, builtin,
    checks::Checks,
    job,
    metric::{range, template_of, window},
    provider_kinds,
    query::{Metric, Query},
    template,
};
use crate::{
    api::CanaryMetric,
    router::Builtin,
    spec::{Validated, metric_names::canonical},
};

/// Text for a metric without anything to measure.
const NOTHING_TO_ASK: &str = "Metric query failed for no usable metrics template and query were configured";

/// The first query of a metric: the built-in one if it has the name of a built-in check, otherwise the first of its own.
/// Err: the metric cannot be queried, and what is wrong with it.
pub(super) fn query(
    c: &Validated,
    checks: &Checks,
    m: &CanaryMetric,
    builtin: &Builtin,
) -> Result<Query, String> {
    let Some(name) = canonical(&m.name) else {
        return own(c, checks, m).next().unwrap_or_else(|| Err(NOTHING_TO_ASK.into()));
    };
    let window = window(m, PROMETHEUS)?;
    let kind = if name == builtin::DURATION { Metric::Duration } else { Metric::SuccessRate };
    let promql = builtin::render(c, checks, builtin, kind, &window)?;
    let counters = Some(Box::new(builtin::counters(c, checks, builtin, kind, &window)?));
    let (metric, server, range) = (name.to_owned(), c.metrics_server.clone(), range(m, kind));
    Ok(Query {
        metric,
        kind,
        promql,
        server,
        access: Access::in_namespace(&c.namespace),
        range,
        window,
        counters,
        doubts: vec![],
        since: None,
    })
}

/// The queries of a metric beside its first: a built-in check may have a `templateRef`, and each a `query`, as in Flagger.
pub(super) fn beside(
    c: &Validated,
    checks: &Checks,
    m: &CanaryMetric,
) -> impl Iterator<Item = Result<Query, String>> {
    own(c, checks, m).skip(usize::from(canonical(&m.name).is_none()))
}

/// The user's own queries: that of the MetricTemplate, and the inline one.
fn own(c: &Validated, checks: &Checks, m: &CanaryMetric) -> impl Iterator<Item = Result<Query, String>> {
    let templated = template_of(c, m).map(|name| templated(c, checks, m, &name));
    let text = m.query.as_deref().filter(|text| !text.trim().is_empty());
    templated.into_iter().chain(text.map(|text| inline(c, checks, m, text)))
}

fn templated(c: &Validated, checks: &Checks, m: &CanaryMetric, name: &str) -> Result<Query, String> {
    let template = checks.templates.get(name).ok_or_else(|| format!("MetricTemplate {name} is missing"))?;
    if template.provider.type_ == job::KIND {
        return job::query(c, checks, m, name);
    }
    let server = template.provider.address.clone().unwrap_or_default();
    let access = Access::of(name, template, &checks.secrets);
    let asked = Asked { kind: Metric::Template, server, access, whose: format!("MetricTemplate {name}") };
    asked.query(c, checks, m, &template.query)
}

fn inline(c: &Validated, checks: &Checks, m: &CanaryMetric, text: &str) -> Result<Query, String> {
    let (server, access) = (c.metrics_server.clone(), Access::in_namespace(&c.namespace));
    let asked = Asked { kind: Metric::Inline, server, access, whose: format!("query of metric {}", m.name) };
    asked.query(c, checks, m, text)
}

/// Where a query of the user's goes, and what to call it.
struct Asked {
    kind: Metric,
    server: String,
    access: Access,
    whose: String,
}

impl Asked {
    fn query(self, c: &Validated, checks: &Checks, m: &CanaryMetric, text: &str) -> Result<Query, String> {
        let Self { kind, server, access, whose } = self;
        let window = window(m, &access.kind)?;
        let (model, secret) = template::Model::of_metric(c, checks, m, &window);
        let lent = provider_kinds::is_lent(&access, &server, &c.namespace);
        if lent {
            args::plain(m, &whose)?;
        }
        let text = Some(text.trim()).filter(|text| !text.is_empty()).ok_or(NOTHING_TO_ASK)?;
        let promql = model
            .names()
            .and_then(|()| template::render(text, &model))
            .map_err(|e| format!("{whose}: {e}"))?;
        let access = Access { args: secret, lent, ..access };
        let (metric, range) = (m.name.clone(), range(m, kind));
        Ok(Query {
            metric,
            kind,
            promql,
            server,
            access,
            range,
            window,
            counters: None,
            doubts: vec![],
            since: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{analysis::query::Range, manifest::fixture, router};

    fn metric(value: Value) -> CanaryMetric {
        serde_json::from_value(value).unwrap()
    }

    fn ask(value: Value) -> Result<Query, String> {
        let builtin = router::by_name("istio").unwrap().queries();
        query(&fixture::canary(&json!({})), &Checks::default(), &metric(value), builtin)
    }

    #[test]
    fn built_in_checks_go_by_any_of_their_names() {
        let q =
            ask(json!({"name": "istio_requests_total", "thresholdRange": {"min": 99}, "interval": "30s"}))
                .unwrap();
        assert_eq!(
            (q.metric.as_str(), q.kind, q.window.as_str()),
            ("request-success-rate", Metric::SuccessRate, "30s")
        );
        assert_eq!(q.range, Range { min: Some(99.0), max: None });
        let old = ask(json!({"name": "istio_request_duration_seconds_bucket", "threshold": 500})).unwrap();
        assert_eq!((old.metric.as_str(), old.window.as_str()), ("request-duration", "1m"));
        assert_eq!(old.range, Range { min: None, max: Some(500.0) });
        assert_eq!(canonical("error-rate"), None);
    }

    #[test]
    fn a_single_threshold_is_a_floor_for_success_only() {
        let range = |name: &str| ask(json!({"name": name, "query": "up", "threshold": 5})).unwrap().range;
        assert_eq!(range("request-success-rate"), Range { min: Some(5.0), max: None });
        assert_eq!(range("mine"), Range { min: None, max: Some(5.0) });
        assert_eq!(ask(json!({"name": "x", "query": "up"})).unwrap().range.max, Some(0.0));
        assert_eq!(
            ask(json!({"name": "x", "query": "up", "thresholdRange": {}})).unwrap().range,
            Range::default()
        );
    }

    #[test]
    fn own_queries_are_rendered() {
        let q = ask(json!({"name": "x", "query": "sum(up{n=\"{{ namespace }}\"}[{{ interval }}])"})).unwrap();
        assert_eq!(q.promql, "sum(up{n=\"test\"}[1m])");
        assert_eq!(ask(json!({"name": "x", "query": "  "})).unwrap_err(), NOTHING_TO_ASK);
        assert!(
            ask(json!({"name": "x", "query": "{{ nope }}"})).unwrap_err().starts_with("query of metric x: ")
        );
        let both = metric(json!({"name": "request-duration", "query": "up"}));
        let (c, checks) = (fixture::canary(&json!({})), Checks::default());
        let second = beside(&c, &checks, &both).next().unwrap().unwrap();
        assert_eq!((second.kind, second.promql.as_str()), (Metric::Inline, "up"));
        for alone in [json!({"name": "request-duration"}), json!({"name": "x", "query": "up"})] {
            assert!(beside(&c, &checks, &metric(alone)).next().is_none());
        }
    }

    #[test]
    fn x11_a_name_cannot_break_out_of_the_query() {
        let evil = r#""}) or vector(1) #"#;
        let mut c = fixture::canary(&json!({}));
        c.spec.ingress_ref =
            serde_json::from_value(json!({"apiVersion": "x/v1", "kind": "Ingress", "name": evil})).unwrap();
        let own = metric(json!({"name": "mine", "query": "sum(up{ingress=\"{{ ingress }}\"})"}));
        let error =
            query(&c, &Checks::default(), &own, router::by_name("istio").unwrap().queries()).unwrap_err();
        assert_eq!(
            error,
            "query of metric mine: spec.ingressRef.name is not a valid object name: correct it"
        );
        let nginx = router::by_name("nginx").unwrap().queries();
        let built_in = query(&c, &Checks::default(), &metric(json!({"name": "request-success-rate"})), nginx)
            .unwrap()
            .promql;
        let escaped = built_in.replace(r#"\""#, "");
        assert!(built_in.contains(r#"\"\\}\\) or vector"#) && !escaped.contains(r#""}\"#), "{built_in}");
    }

    #[test]
    fn x5_an_argument_from_a_secret_is_a_mark_in_the_query() {
        let arg = json!({"name": "id", "valueFrom": {"secretKeyRef": {"name": "login", "key": "account"}}});
        let q = ask(json!({
            "name": "x", "query": "up{id=\"{{ args.id }}\",n=\"{{ args.n }}\"}",
            "args": [arg, {"name": "n", "value": "7"}],
        }))
        .unwrap();
        assert_eq!(q.promql, r#"up{id="*****id*****",n="7"}"#);
        let at = &q.access.args["*****id*****"];
        assert_eq!((at.of.name.as_str(), at.key.as_str()), ("login", "account"));
    }

    #[test]
    fn m1_a_window_is_written_as_its_server_takes_it() {
        let window = |kind: &str, interval: Value| {
            let spec =
                json!({"provider": {"type": kind, "address": "http://x"}, "query": "from=-{{ interval }}"});
            let templates = [("test/t".to_owned(), serde_json::from_value(spec).unwrap())].into();
            let own = metric(json!({"name": "x", "templateRef": {"name": "t"}, "interval": interval}));
            let builtin = router::by_name("istio").unwrap().queries();
            query(&fixture::canary(&json!({})), &Checks { templates, ..Checks::default() }, &own, builtin)
        };
        for (kind, interval, sent) in [
            ("graphite", json!("1min"), "from=-1min"),
            ("graphite", json!("1m30s"), "from=-1min30s"),
            ("graphite", Value::Null, "from=-1min"),
            ("graphite", json!("2hours"), "from=-2hours"),
            ("influxdb", json!("1m"), "from=-1m"),
            ("prometheus", json!("1m"), "from=-1m"),
        ] {
            assert_eq!(window(kind, interval.clone()).unwrap().promql, sent, "{kind} {interval}");
        }
        assert!(window("prometheus", json!("1min")).unwrap_err().contains("no duration"));
        for odd in ["30s1m", "1m1m", "1s1h", "1ms1s", "999999999y", "293y"] {
            let said = window("prometheus", json!(odd)).unwrap_err();
            assert!(said.contains("largest unit first"), "{said}");
            assert!(window("web", json!(odd)).is_ok(), "{odd}");
        }
        assert!(window("prometheus", json!("1y2w3d4h5m6s7ms")).is_ok());
        for bad in ["1min&target=x", "min", "1 min", "1fortnight", "-1min"] {
            assert!(window("graphite", json!(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn windows_cannot_break_out_of_the_query() {
        for bad in ["1m]) or vector(1", "m", "1", "1.5m", "99999999999s", "1m;", "é", "0s", "0m0s"] {
            assert!(ask(json!({"name": "request-duration", "interval": bad})).is_err(), "{bad}");
        }
        for good in ["30s", "1m30s", "500ms", "1h", ""] {
            assert!(ask(json!({"name": "request-duration", "interval": good})).is_ok(), "{good}");
        }
    }
}
