//! Limits on the size of a Canary. The operator does not act on a Canary that is far larger than any real one: it
//! serves the whole cluster, and each metric is a query per window and each webhook a call.

use std::collections::BTreeMap;

use super::problem::Problem;
use crate::{
    api::{CanaryAnalysis, CanaryMetric, CanaryService, CanarySpec, CanaryWebhook},
    text::first_chars,
};

/// Maximum number of entries in lists.
const METRICS: usize = 50;
const WEBHOOKS: usize = 30;
const ALERTS: usize = 20;
const STEPS: usize = 200;
/// Maximum number of hosts, gateways and conditions. Each is an entry of a routing object.
const ROUTES: usize = 100;
/// Maximum number of variables, and of args, per metric, and of queries of the primary's autoscaler.
const VARIABLES: usize = 50;
/// Maximum length of a name, the same as for Kubernetes objects.
const NAME: usize = 253;
/// Maximum size in bytes of a query, of a value that is inserted into one, and of a webhook's URL and metadata.
const TEXT: usize = 16 * 1024;

/// The first field that exceeds its limit, and the limit.
pub(super) fn too_large(spec: &CanarySpec, analysis: &CanaryAnalysis) -> Option<Problem> {
    let service = spec.service.as_ref();
    let of_service = |count: fn(&CanaryService) -> usize| service.map_or(0, count);
    let lists = [
        ("analysis.metrics", analysis.metrics.len(), METRICS),
        ("analysis.webhooks", analysis.webhooks.len(), WEBHOOKS),
        ("analysis.alerts", analysis.alerts.len(), ALERTS),
        ("analysis.stepWeights", analysis.step_weights.len(), STEPS),
        ("analysis.steps", analysis.steps.len(), STEPS),
        ("analysis.match", analysis.match_.len(), ROUTES),
        ("analysis.always", analysis.always.len(), ROUTES),
        ("analysis.never", analysis.never.len(), ROUTES),
        ("service.gateways", of_service(|s| s.gateways.len()), ROUTES),
        ("service.gatewayRefs", of_service(|s| s.gateway_refs.len()), ROUTES),
        ("service.hosts", of_service(|s| s.hosts.len()), ROUTES),
        ("service.match", of_service(|s| s.match_.len()), ROUTES),
        ("service.mirror", of_service(|s| s.mirror.len()), ROUTES),
    ];
    let long = lists.into_iter().find(|(_, count, most)| count > most);
    let long = long
        .map(|(field, count, most)| format!("spec.{field} has {count} entries: at most {most} are taken"));
    let why = long
        .or_else(|| analysis.metrics.iter().find_map(of_metric))
        .or_else(|| analysis.webhooks.iter().find_map(of_webhook))
        .or_else(|| analysis.alerts.iter().find_map(|alert| of_texts("alerts", &alert.name, &[])))
        .or_else(|| {
            let queries = &spec.autoscaler_ref.as_ref()?.primary_scaler_queries;
            of_map("spec.autoscalerRef.primaryScalerQueries", queries.len(), bytes(queries))
        });
    why.map(|why| Problem::new("TooLarge", why))
}

/// The first of an entry's texts that is too long, its name included.
fn of_texts(list: &str, name: &str, texts: &[(&str, Option<&String>)]) -> Option<String> {
    let texts = texts.iter().map(|(field, text)| (*field, text.map_or(0, String::len), TEXT));
    let mut all = [("name", name.len(), NAME)].into_iter().chain(texts);
    let (field, _, most) = all.find(|(_, size, most)| size > most)?;
    Some(format!("spec.analysis.{list}[{}].{field} has more than {most} bytes: shorten it", shown(name)))
}

fn of_map(field: &str, count: usize, size: usize) -> Option<String> {
    if count > VARIABLES {
        return Some(format!("{field} has {count} entries: at most {VARIABLES} are taken"));
    }
    (size > TEXT).then(|| format!("{field} has {size} bytes: at most {TEXT} are taken"))
}

fn of_webhook(hook: &CanaryWebhook) -> Option<String> {
    of_texts("webhooks", &hook.name, &[("url", Some(&hook.url))]).or_else(|| {
        let field = format!("spec.analysis.webhooks[{}].metadata", shown(&hook.name));
        let size = bytes(&hook.metadata);
        (size > TEXT).then(|| format!("{field} has {size} bytes: at most {TEXT} are taken"))
    })
}

fn of_metric(metric: &CanaryMetric) -> Option<String> {
    let v = &metric.verdict;
    let texts = [
        ("query", metric.query.as_ref()),
        ("primaryQuery", v.primary_query.as_ref()),
        ("samplesQuery", v.samples_query.as_ref()),
    ];
    let field = format!("spec.analysis.metrics[{}]", shown(&metric.name));
    let values = metric.args.iter().filter_map(|arg| arg.value.as_ref()).map(String::len).sum::<usize>();
    let variables = &metric.template_variables;
    of_texts("metrics", &metric.name, &texts)
        .or_else(|| of_map(&format!("{field}.templateVariables"), variables.len(), bytes(variables)))
        .or_else(|| of_map(&format!("{field}.args"), metric.args.len(), values))
}

fn bytes(map: &BTreeMap<String, String>) -> usize {
    map.iter().map(|(key, value)| key.len() + value.len()).sum()
}

/// The beginning of a name, because the name itself may be too long.
fn shown(name: &str) -> &str {
    first_chars(name, 63)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn said(analysis: Value) -> Option<String> {
        let analysis = serde_json::from_value(analysis).unwrap();
        too_large(&CanarySpec::default(), &analysis).map(|problem| problem.message)
    }

    #[test]
    fn f9_a_route_has_so_many_entries_at_most() {
        for field in ["gateways", "hosts", "match", "mirror"] {
            let entry = if ["match", "mirror"].contains(&field) { json!({}) } else { json!("a") };
            let service =
                |count| serde_json::from_value(json!({"port": 80, field: vec![&entry; count]})).unwrap();
            let said = |count| {
                let spec = CanarySpec { service: service(count), ..CanarySpec::default() };
                too_large(&spec, &CanaryAnalysis::default()).map(|problem| problem.message)
            };
            assert_eq!(said(100), None);
            let words = format!("spec.service.{field} has 101 entries: at most 100");
            assert!(said(101).is_some_and(|said| said.contains(&words)), "{words}");
        }
        assert!(said(json!({"always": vec![json!({"headers": {}}); 101]})).is_some());
    }

    #[test]
    fn f9_names_addresses_and_queries_have_a_length() {
        let (name, url) = ("n".repeat(254), format!("http://{}", "x".repeat(TEXT)));
        for (analysis, words) in [
            (
                json!({"webhooks": [{"name": name, "url": "http://x"}]}),
                ".name has more than 253 bytes: shorten it",
            ),
            (
                json!({"webhooks": [{"name": "gate", "url": url}]}),
                "spec.analysis.webhooks[gate].url has more than 16384 bytes",
            ),
            (json!({"alerts": [{"name": name, "providerRef": {"name": "x"}}]}), ".name has more than 253"),
        ] {
            let said = said(analysis).unwrap_or_default();
            assert!(said.contains(words) && said.len() < 300, "{words}: {said}");
        }
        let scaler = |queries: BTreeMap<String, String>| {
            let named = json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "so", "primaryScalerQueries": queries});
            let spec = CanarySpec {
                autoscaler_ref: Some(serde_json::from_value(named).unwrap()),
                ..CanarySpec::default()
            };
            too_large(&spec, &CanaryAnalysis::default()).map(|problem| problem.message).unwrap_or_default()
        };
        let field = "spec.autoscalerRef.primaryScalerQueries has";
        let long = scaler([("load".to_owned(), "x".repeat(TEXT))].into());
        assert!(long.starts_with(&format!("{field} 16388 bytes: at most 16384")), "{long}");
        let many = scaler((0..51).map(|n| (n.to_string(), String::new())).collect());
        assert!(many.starts_with(&format!("{field} 51 entries: at most 50")), "{many}");
        assert_eq!(scaler([("load".to_owned(), "up".to_owned())].into()), "");
    }

    fn metric(fields: &Value) -> Value {
        let mut metric = fields.clone();
        if metric["name"].is_null() {
            metric["name"] = json!("errors");
        }
        json!({"metrics": [metric]})
    }

    #[test]
    fn f9_what_is_too_large_is_named_with_its_limit() {
        let long = "x".repeat(TEXT + 1);
        let variables: BTreeMap<String, String> = (0..51).map(|n| (n.to_string(), String::new())).collect();
        let weights: Vec<i32> = vec![1; 201];
        for (analysis, words) in [
            (
                json!({"metrics": vec![json!({"name": "a"}); 51]}),
                "spec.analysis.metrics has 51 entries: at most 50",
            ),
            (
                json!({"webhooks": vec![json!({"name": "a", "url": "http://x"}); 31]}),
                "spec.analysis.webhooks has 31",
            ),
            (
                json!({"alerts": vec![json!({"name": "a", "providerRef": {"name": "x"}}); 21]}),
                "spec.analysis.alerts has 21",
            ),
            (json!({"stepWeights": weights}), "spec.analysis.stepWeights has 201"),
            (json!({"steps": vec![json!({"weight": 1}); 201]}), "spec.analysis.steps has 201"),
            (metric(&json!({"name": "n".repeat(254)})), ".name has more than 253"),
            (
                metric(&json!({"query": long})),
                "spec.analysis.metrics[errors].query has more than 16384 bytes",
            ),
            (metric(&json!({"primaryQuery": long})), "spec.analysis.metrics[errors].primaryQuery has more"),
            (metric(&json!({"samplesQuery": long})), "spec.analysis.metrics[errors].samplesQuery has more"),
            (
                metric(&json!({"templateVariables": variables})),
                "templateVariables has 51 entries: at most 50",
            ),
            (metric(&json!({"templateVariables": {"a": long}})), "templateVariables has 16386 bytes"),
            (metric(&json!({"args": [{"name": "a", "value": long}]})), "args has 16385 bytes"),
            (
                json!({"webhooks": [{"name": "a", "url": "http://x", "metadata": {"a": long}}]}),
                "webhooks[a].metadata has",
            ),
        ] {
            let said = said(analysis).unwrap_or_default();
            assert!(said.contains(words), "{words}: {said}");
        }
        assert_eq!(
            said(json!({"metrics": vec![json!({"name": "a"}); 50], "stepWeights": vec![1; 200]})),
            None
        );
    }
}
