//! All queries for the metrics of a Canary, in one fixed order: for each metric its values, then the same for
//! the primary if a condition compares with it, then the number of samples if a minimum is set.

use super::{
    access::{Access, PROMETHEUS},
    builtin,
    checks::Checks,
    metric::{kind_of, window},
    metric_query::{beside, query},
    query::{Ask, Metric, Query, Role},
    template,
};
use crate::{
    api::CanaryMetric,
    router::Builtin,
    spec::{Validated, metric_names::canonical},
};

/// All queries of a Canary's checks. A metric asks each of these that it has, as in Flagger: the built-in query of its
/// name, its `templateRef` and its `query`.
pub(crate) fn asks(c: &Validated, checks: &Checks, builtin: &Builtin) -> Vec<Ask> {
    let builtin = builtin.reported_by(c.analysis.reporter.unwrap_or_default());
    checks.metrics.iter().enumerate().flat_map(|(at, m)| of(c, checks, at, m, builtin)).collect()
}

fn of(c: &Validated, checks: &Checks, metric: usize, m: &CanaryMetric, builtin: &Builtin) -> Vec<Ask> {
    let first = query(c, checks, m, builtin);
    let ask = |role, query| Ask { metric, role, query };
    let more: Vec<_> = beside(c, checks, m).collect();
    let primary = compares(checks, m).then(|| {
        let query = if more.is_empty() {
            of_primary(c, checks, m, builtin, &first)
        } else {
            Err(format!(
                "metric {}: {} ask different things, of which only one can be compared with the primary: make a metric of each",
                m.name,
                named(m)
            ))
        };
        ask(Role::Primary, query)
    });
    let samples = m.verdict.min_samples.map(|_| ask(Role::Samples, samples(c, checks, m, builtin, &first)));
    let value = std::iter::once(ask(Role::Value, first));
    let more = more.into_iter().map(|query| ask(Role::Value, query));
    value.chain(more).chain(primary).chain(samples).collect()
}

/// What a metric with several queries asks, in words.
fn named(m: &CanaryMetric) -> &'static str {
    match (canonical(&m.name).is_some(), m.template_ref.is_some()) {
        (true, true) if m.query.is_some() => "its name, its templateRef and its query",
        (true, true) => "its name and its templateRef",
        (true, false) => "its name and its query",
        (false, _) => "its templateRef and its query",
    }
}

/// A condition of the metric also uses the primary.
pub(super) fn compares(checks: &Checks, m: &CanaryMetric) -> bool {
    m.verdict.conditions().any(|text| checks.conditions.get(text).is_ok_and(|read| read.compares()))
}

/// A query like the metric's own, to the same server, with a different text.
fn like(own: &Result<Query, String>, what: &str, promql: String) -> Result<Query, String> {
    let own = own.clone()?;
    let metric = format!("{} ({what})", own.metric);
    Ok(Query { metric, kind: Metric::Inline, promql, counters: None, ..own })
}

/// The same with a text of the user's, which may have arguments.
fn given(
    c: &Validated,
    checks: &Checks,
    m: &CanaryMetric,
    own: &Result<Query, String>,
    (what, text): (&str, &str),
) -> Result<Query, String> {
    if let Some(lender) = own.as_ref().ok().filter(|own| own.access.lent) {
        return Err(format!(
            "{what}Query of metric {}: a text of the Canary is not sent to the server of a MetricTemplate of namespace {}, which is asked with what belongs to that namespace: refer to a MetricTemplate in {}, or leave it out",
            m.name, lender.access.namespace, c.namespace
        ));
    }
    let window = window(m, kind_of(c, checks, m))?;
    let (model, secret) = template::Model::of_metric(c, checks, m, &window);
    let rendered = model.names().and_then(|()| template::render(text.trim(), &model));
    let text = rendered.map_err(|e| format!("{what}Query of metric {}: {e}", m.name))?;
    let query = like(own, what, text)?;
    Ok(Query { access: Access { args: secret, ..query.access }, ..query })
}

fn of_primary(
    c: &Validated,
    checks: &Checks,
    m: &CanaryMetric,
    builtin: &Builtin,
    own: &Result<Query, String>,
) -> Result<Query, String> {
    if let Some(text) = &m.verdict.primary_query {
        return given(c, checks, m, own, ("primary", text));
    }
    let text = query(&c.for_primary(), checks, m, builtin)?.promql;
    if own.as_ref().is_ok_and(|own| own.promql == text) {
        return Err(format!(
            "metric {}: its query does not name the target, so that it cannot be asked for the primary: give it a primaryQuery",
            m.name
        ));
    }
    like(own, "primary", text)
}

fn samples(
    c: &Validated,
    checks: &Checks,
    m: &CanaryMetric,
    builtin: &Builtin,
    own: &Result<Query, String>,
) -> Result<Query, String> {
    match &m.verdict.samples_query {
        Some(text) => given(c, checks, m, own, ("samples", text)),
        None if canonical(&m.name).is_some() => {
            like(own, "samples", builtin::requests(c, checks, builtin, &window(m, PROMETHEUS)?)?)
        }
        None => Err(format!("metric {}: minSamples needs a samplesQuery that counts them", m.name)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{manifest::fixture, router};

    fn asked(metrics: Value) -> Vec<Ask> {
        let checks = Checks { metrics: serde_json::from_value(metrics).unwrap(), ..Checks::default() };
        asks(&fixture::canary(&json!({})), &checks, router::by_name("istio").unwrap().queries())
    }

    fn text(ask: &Ask) -> &str {
        ask.query.as_ref().map_or_else(String::as_str, |q| q.promql.as_str())
    }

    #[test]
    fn a_plain_metric_asks_one_thing() {
        let all = asked(json!([
            {"name": "request-success-rate", "thresholdRange": {"min": 99}, "query": "up"},
            {"name": "mine", "query": "vector(1)"},
        ]));
        let what: Vec<_> = all.iter().map(|a| (a.metric, a.role)).collect();
        assert_eq!(what, [(0, Role::Value), (0, Role::Value), (1, Role::Value)]);
        assert_eq!((text(&all[1]), text(&all[2])), ("up", "vector(1)"));
    }

    #[test]
    fn the_primary_is_asked_the_same_or_what_is_given() {
        let both = "canary[0] <= primary[0]";
        let all = asked(json!([
            {"name": "a", "query": "sum(x{app=\"{{ target }}\"})", "successCondition": both},
            {"name": "b", "query": "sum(x)", "successCondition": both},
            {"name": "c", "query": "sum(x)", "primaryQuery": "sum(y{n=\"{{ namespace }}\"})", "successCondition": both},
            {"name": "request-duration", "successCondition": both},
        ]));
        assert_eq!(text(&all[1]), "sum(x{app=\"podinfo-primary\"})");
        assert!(text(&all[3]).contains("give it a primaryQuery"));
        assert_eq!(text(&all[5]), "sum(y{n=\"test\"})");
        assert!(text(&all[7]).contains("destination_workload=~\"podinfo-primary\""), "{}", text(&all[7]));
        assert_eq!(all[1].query.as_ref().map(|q| q.metric.as_str()), Ok("a (primary)"));
    }

    #[test]
    fn samples_are_counted_by_the_router_or_by_what_is_given() {
        let all = asked(json!([
            {"name": "request-duration", "thresholdRange": {"max": 500}, "minSamples": 20},
            {"name": "mine", "query": "up", "minSamples": 20},
            {"name": "mine too", "query": "up", "minSamples": 20, "samplesQuery": "sum(increase(n[{{ interval }}]))"},
        ]));
        assert!(text(&all[1]).starts_with("sum((sum by (source_workload, "), "{}", text(&all[1]));
        assert!(text(&all[3]).contains("needs a samplesQuery"));
        assert_eq!(text(&all[5]), "sum(increase(n[1m]))");
    }

    #[test]
    fn m2_two_queries_of_one_metric_are_not_compared_with_one_of_the_primary() {
        let all = asked(json!([
            {"name": "request-success-rate", "query": "errors{app=\"{{ target }}\"}", "successCondition": "canary[0] <= primary[0]"},
        ]));
        assert_eq!(
            text(&all[2]),
            "metric request-success-rate: its name and its query ask different things, of which only one can be compared with the primary: make a metric of each"
        );
        let plain = json!({"type": "prometheus", "address": "http://p:9090"});
        let both = json!({"query": "errors{app=\"{{ target }}\"}", "templateVariables": {"team": "a"}, "successCondition": "canary[0] <= primary[0]"});
        let all = borrowed("test", &plain, &both);
        assert!(
            text(&all[2]).starts_with("metric mine: its templateRef and its query ask"),
            "{}",
            text(&all[2])
        );
    }

    #[test]
    fn a_metric_asks_its_template_and_its_query() {
        let lent = json!({"type": "prometheus", "address": "http://p:9090", "secretRef": {"name": "login"}});
        let more = json!({"query": "up{app=\"{{ target }}\"}", "templateVariables": {"team": "a"}});
        let asked = |metric: &Value| -> Vec<_> {
            let mut all = more.clone();
            fixture::merge(&mut all, metric);
            let asked = borrowed("monitoring", &lent, &all).into_iter();
            let asked = asked.map(|ask| (ask.role, ask.query.unwrap()));
            asked.map(|(role, q)| (role, q.kind, q.server, q.access.lent, q.promql)).collect()
        };
        let server = fixture::canary(&json!({})).metrics_server.clone();
        let own = |kind, server: &str, lent, text: &str| {
            (Role::Value, kind, server.to_owned(), lent, text.to_owned())
        };
        let templated = own(Metric::Template, "http://p:9090", true, r#"sum(e{app="podinfo",team="a"})"#);
        let inline = own(Metric::Inline, &server, false, r#"up{app="podinfo"}"#);
        assert_eq!(asked(&json!({})), [templated.clone(), inline.clone()]);
        let three = asked(&json!({"name": "request-success-rate"}));
        assert_eq!(three[1..], [templated, inline]);
        assert_eq!(three[0].1, Metric::SuccessRate);
    }

    #[test]
    fn an_interval_that_only_the_server_of_the_template_knows_is_refused_for_the_query_beside_it() {
        let graphite = json!({"type": "graphite", "address": "http://g"});
        let both = json!({"query": "up", "templateVariables": {"team": "a"}, "interval": "1min"});
        let all = borrowed("test", &graphite, &both);
        assert!(all[0].query.is_ok() && text(&all[1]).contains("no duration"), "{}", text(&all[1]));
    }

    #[test]
    fn h2_queries_beside_the_metrics_own_have_its_arguments() {
        let args = json!([
            {"name": "team", "value": "blue"},
            {"name": "id", "valueFrom": {"secretKeyRef": {"name": "login", "key": "account"}}},
        ]);
        let beside = "n{team=\"{{ args.team }}\",env=\"{{ index args \"env\" }}\",id=\"{{ args.id }}\"}";
        for (name, query) in [("mine", "up"), ("request-success-rate", "")] {
            let all = asked(json!([{
                "query": query,
                "name": name, "args": args, "minSamples": 5, "samplesQuery": beside,
                "primaryQuery": beside, "successCondition": "canary[0] <= primary[0]",
            }]));
            let of = |role| all.iter().find(|ask| ask.role == role).unwrap();
            for role in [Role::Primary, Role::Samples] {
                assert_eq!(text(of(role)), r#"n{team="blue",env="",id="*****id*****"}"#, "{name}");
                let access = &of(role).query.as_ref().unwrap().access;
                assert_eq!(access.args["*****id*****"].of.name, "login", "{name}");
            }
        }
    }

    /// The queries for a metric with a MetricTemplate of namespace `of`.
    fn borrowed(of: &str, provider: &Value, metric: &Value) -> Vec<Ask> {
        let mut all = json!({"name": "mine", "templateRef": {"name": "errors", "namespace": of}});
        fixture::merge(&mut all, metric);
        let template = json!({"provider": provider, "query": "sum(e{app=\"{{ target }}\",team=\"{{ variables.team }}\"})"});
        let checks = Checks {
            metrics: serde_json::from_value(json!([all])).unwrap(),
            templates: [(format!("{of}/errors"), serde_json::from_value(template).unwrap())].into(),
            ..Checks::default()
        };
        asks(&fixture::canary(&json!({})), &checks, router::by_name("istio").unwrap().queries())
    }

    #[test]
    fn f5_a_text_of_the_borrower_is_not_sent_with_what_belongs_to_the_lender() {
        let own_text = json!({
            "templateVariables": {"team": "blue"}, "minSamples": 5, "samplesQuery": "sum(everything)",
            "primaryQuery": "sum(everything)", "successCondition": "canary[0] <= primary[0]",
        });
        let plain = json!({"type": "prometheus", "address": "http://p:9090"});
        for extra in [
            json!({"secretRef": {"name": "login"}}),
            json!({"headers": {"X-Scope-OrgID": ["all"]}}),
            json!({"type": "cloudwatch", "region": "eu-west-1", "address": null}),
            json!({"type": "stackdriver", "address": null}),
            json!({"type": "keptn", "address": null}),
            json!({"type": "externalmetrics", "address": null}),
        ] {
            let mut provider = plain.clone();
            fixture::merge(&mut provider, &extra);
            let all = borrowed("monitoring", &provider, &own_text);
            assert!(all[0].query.is_ok(), "the lender's own text is asked: {:?}", all[0].query);
            for ask in &all[1..] {
                let why = ask.query.as_ref().unwrap_err();
                assert!(
                    why.contains("Query of metric mine: ") && why.contains("namespace monitoring"),
                    "{why}"
                );
            }
            assert!(borrowed("test", &provider, &own_text).iter().all(|ask| ask.query.is_ok()), "{extra}");
        }
        assert!(borrowed("monitoring", &plain, &own_text).iter().all(|ask| ask.query.is_ok()));
    }

    #[test]
    fn f5_the_lenders_own_text_is_asked_of_the_primary() {
        let secret =
            json!({"type": "prometheus", "address": "http://p:9090", "secretRef": {"name": "login"}});
        let both = json!({"templateVariables": {"team": "a"}, "successCondition": "canary[0] <= primary[0]"});
        let all = borrowed("monitoring", &secret, &both);
        assert_eq!(text(&all[1]), r#"sum(e{app="podinfo-primary",team="a"})"#);
    }

    #[test]
    fn f5_what_the_borrower_puts_into_the_lenders_query_cannot_change_it() {
        let secret =
            json!({"type": "prometheus", "address": "http://p:9090", "secretRef": {"name": "login"}});
        let evil = "\"}) or sum(everything{x=\"";
        for given in [
            json!({"templateVariables": {"team": evil}}),
            json!({"templateVariables": {"team": ".*"}}),
            json!({"templateVariables": {"team": "a"}, "args": [{"name": "x", "value": "a|b"}]}),
        ] {
            let why = borrowed("monitoring", &secret, &given)[0].query.clone().unwrap_err();
            assert!(why.contains("MetricTemplate monitoring/errors") && !why.contains("everything"), "{why}");
            assert!(borrowed("test", &secret, &given)[0].query.is_ok(), "{given}");
        }
        let id = json!({"name": "id", "valueFrom": {"secretKeyRef": {"name": "login", "key": "id"}}});
        let given = json!({"templateVariables": {"team": "a_B-1.c:/@+=, "}, "args": [id]});
        let query = borrowed("monitoring", &secret, &given).remove(0).query.unwrap();
        // the content of the Secret is checked when the query is sent
        assert!(query.access.lent && query.access.args.len() == 1);
        assert!(!borrowed("test", &secret, &given).remove(0).query.unwrap().access.lent);
    }

    #[test]
    fn x11_a_name_cannot_break_out_of_a_query_beside_the_metrics_own() {
        let mut c = fixture::canary(&json!({}));
        c.spec.ingress_ref = serde_json::from_value(
            json!({"apiVersion": "x/v1", "kind": "Ingress", "name": "\"}) or vector(1) #"}),
        )
        .unwrap();
        let metrics = json!([{"name": "mine", "query": "up", "minSamples": 5, "samplesQuery": "n{i=\"{{ ingress }}\"}"}]);
        let checks = Checks { metrics: serde_json::from_value(metrics).unwrap(), ..Checks::default() };
        let all = asks(&c, &checks, router::by_name("istio").unwrap().queries());
        let error = all[1].query.as_ref().unwrap_err();
        assert_eq!(
            error,
            "samplesQuery of metric mine: spec.ingressRef.name is not a valid object name: correct it"
        );
    }
}
