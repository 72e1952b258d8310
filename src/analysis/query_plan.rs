//! All that is asked for the metrics of a Canary, in one fixed order: for each metric what it measures, then the same of
//! the primary if a condition compares with it, then how many samples there were if a least number is wanted.

use super::{
    access::PROMETHEUS,
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

/// All queries of a Canary's checks. A built-in check that also carries a `templateRef` or a `query` asks both, as in
/// Flagger.
pub(crate) fn asks(c: &Validated, checks: &Checks, builtin: &Builtin) -> Vec<Ask> {
    let builtin = builtin.reported_by(c.analysis.reporter.unwrap_or_default());
    checks.metrics.iter().enumerate().flat_map(|(at, m)| of(c, checks, at, m, builtin)).collect()
}

fn of(c: &Validated, checks: &Checks, metric: usize, m: &CanaryMetric, builtin: &Builtin) -> Vec<Ask> {
    let first = query(c, checks, m, builtin);
    let ask = |role, query| Ask { metric, role, query };
    let primary = compares(checks, m).then(|| ask(Role::Primary, of_primary(c, checks, m, builtin, &first)));
    let samples = m.verdict.min_samples.map(|_| ask(Role::Samples, samples(c, checks, m, builtin, &first)));
    let value = std::iter::once(ask(Role::Value, first));
    value
        .chain(beside(c, checks, m).map(|query| ask(Role::Value, query)))
        .chain(primary)
        .chain(samples)
        .collect()
}

/// A condition of the metric is about the primary as well.
pub(super) fn compares(checks: &Checks, m: &CanaryMetric) -> bool {
    m.verdict.conditions().any(|text| checks.conditions.get(text).is_ok_and(|read| read.compares()))
}

/// A query like the metric's own, at the same server, with another text.
fn like(own: &Result<Query, String>, what: &str, promql: String) -> Result<Query, String> {
    let own = own.clone()?;
    let metric = format!("{} ({what})", own.metric);
    Ok(Query { metric, kind: Metric::Inline, promql, counters: None, ..own })
}

fn of_primary(
    c: &Validated,
    checks: &Checks,
    m: &CanaryMetric,
    builtin: &Builtin,
    own: &Result<Query, String>,
) -> Result<Query, String> {
    if let Some(text) = &m.verdict.primary_query {
        return like(own, "primary", rendered(c, checks, m, "primaryQuery", text)?);
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
    let text = match &m.verdict.samples_query {
        Some(text) => rendered(c, checks, m, "samplesQuery", text)?,
        None if canonical(&m.name).is_some() => {
            builtin::requests(c, checks, builtin, &window(m, PROMETHEUS)?)?
        }
        None => return Err(format!("metric {}: minSamples needs a samplesQuery that counts them", m.name)),
    };
    like(own, "samples", text)
}

fn rendered(
    c: &Validated,
    checks: &Checks,
    m: &CanaryMetric,
    field: &str,
    text: &str,
) -> Result<String, String> {
    let mut model = template::Model::of(c, checks, &window(m, kind_of(c, checks, m))?);
    model.variables.clone_from(&m.template_variables);
    template::render(text.trim(), &model).map_err(|e| format!("{field} of metric {}: {e}", m.name))
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
}
