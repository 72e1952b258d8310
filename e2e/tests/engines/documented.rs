//! Checks that documented examples work as in the originals: the templates of `deploy/examples`, and queries and
//! conditions from five guides to canary releases.

use std::{fs, path::Path};

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::{conditions::both, original::Case, templates};

/// Conditions from the guides, and from their sources: shares, durations, and shares of counters that may be missing.
const CONDITIONS: [&str; 16] = [
    "result[0] >= 0.8",
    "result[0] < 0.8",
    "result >= 0.8",
    "result < 0.8",
    "result[0] <= 500",
    "result[0] > 500",
    "result <= 500",
    "result > 500",
    "len(result) == 0 || isNaN(result[0]) || result[0] >= 0.99",
    "len(result)==0 || isNaN(result[0]) || result[0]>=0.99",
    "result[0] >= 0.95",
    "result[0] > 0.95",
    "result >= 0.95",
    "result > 0.95",
    "result[0] >= 99",
    "result[0] == 1",
];
const VALUES: [f64; 12] = [0.0, 0.5, 0.79, 0.8, 0.95, 0.951, 0.98, 0.99, 1.0, 99.0, 500.0, 500.5];

/// Queries from the guides.
const QUERIES: [&str; 8] = [
    r#"sum(irate(istio_requests_total{reporter="source",destination_service=~"{{ service }}-canary.{{ namespace }}.svc.cluster.local",response_code=~"2.*"}[2m])) /
sum(irate(istio_requests_total{reporter="source",destination_service=~"{{ service }}-canary.{{ namespace }}.svc.cluster.local"}[2m]))"#,
    r#"sum(irate(istio_request_duration_milliseconds_sum{reporter="source",destination_service=~"{{ args.team }}"}[2m])) /
sum(irate(istio_request_duration_milliseconds_count{reporter="source",destination_service=~"{{ args.team }}"}[2m]))"#,
    r#"sum(irate(sample_app_requests_count{service="{{ target }}-canary",status="success"}[{{ interval }}])) /
sum(irate(sample_app_requests_count{service="{{ target }}-canary"}[{{ interval }}]))"#,
    r#"sum(irate(istio_requests_total{destination_service=~"{{ service }}-preview.*",response_code!~"5.*"}[5m])) /
sum(irate(istio_requests_total{destination_service=~"{{ service }}-preview.*"}[5m]))"#,
    r#"100 - sum(rate(istio_requests_total{reporter="destination",destination_workload=~"{{ target }}",response_code=~"5.*"}[120s])) /
sum(rate(istio_requests_total{reporter="destination",destination_workload=~"{{ target }}"}[120s])) * 100"#,
    r#"histogram_quantile(0.99, sum(irate(istio_request_duration_milliseconds_bucket{reporter="destination",destination_workload=~"{{ target }}"}[120s])) by (le))"#,
    r#"sum(irate(istio_requests_total{reporter="source",destination_service=~"{{ args.team }}",response_code!~"5.*"}[40s])) /
sum(irate(istio_requests_total{reporter="source",destination_service=~"{{ args.team }}"}[40s]))"#,
    "# share of requests that succeed\nsum(rate(x{ok=\"true\"}[1m])) # 2xx\n/ sum(rate(x[1m]))",
];

/// Every text with one of these names inside a value.
fn under<'v>(value: &'v Value, names: &[&str], found: &mut Vec<&'v str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if names.contains(&name.as_str()) => found.push(text),
                    value => under(value, names, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| under(item, names, found)),
        _ => {}
    }
}

/// All objects of all examples.
fn objects() -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/examples"))? {
        all.extend(serde_saphyr::from_multiple::<Value>(&fs::read_to_string(file?.path())?)?);
    }
    Ok(all)
}

/// A template with the variables that the examples use.
fn template(text: &str) -> Case {
    let mut case = templates::case(text.to_owned());
    for (name, value) in [("reporter", "destination"), ("minutes", "5"), ("requests", "100")] {
        case.variables.insert(name.to_owned(), value.to_owned());
    }
    case
}

pub(crate) fn cases() -> Result<Vec<Case>> {
    let (objects, mut all) = (objects()?, Vec::new());
    let templates: Vec<&Value> = objects.iter().filter(|object| object["kind"] == "MetricTemplate").collect();
    ensure!(
        templates.len() >= 13,
        "{} MetricTemplates are fewer than there are kinds of servers",
        templates.len()
    );
    let (mut queries, mut conditions) = (QUERIES.to_vec(), CONDITIONS.to_vec());
    for object in &objects {
        under(object, &["query", "primaryQuery", "samplesQuery"], &mut queries);
        under(object, &["successCondition", "failureCondition"], &mut conditions);
    }
    let mut jobs: Vec<&str> = Vec::new();
    for object in &templates {
        texts(&object["spec"]["job"], &mut jobs);
    }
    all.extend(queries.into_iter().chain(jobs).map(template));
    for condition in conditions {
        let scalar = !condition.contains("(result)") && !condition.contains('[');
        for value in VALUES {
            all.extend(both(condition, &[value], &[0.5], scalar));
        }
        // without a value, Argo's language has no scalar
        all.extend(both(condition, &[0.99, 0.5], &[0.5], false).into_iter().filter(|_| !scalar));
    }
    for case in &mut all {
        case.works = true;
    }
    Ok(all)
}

/// All texts in a Job's spec.
fn texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        _ => {}
    }
}
