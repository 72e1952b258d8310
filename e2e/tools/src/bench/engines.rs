//! What it takes to read and evaluate what users write: templates, conditions and paths. Without the bed, in this process.

use std::{
    collections::BTreeMap,
    hint::black_box,
    time::{Duration, Instant},
};

use serde_json::json;
use serin::expression::{
    Condition, Path,
    template::{Functions, render},
};

use super::figure::Figure;

/// How long each is repeated.
const FOR: Duration = Duration::from_millis(300);

const TEMPLATE: &str = r#"100 - sum(rate(istio_requests_total{reporter="destination",destination_workload_namespace="{{ namespace }}",destination_workload=~"{{ target }}",response_code!~"5.*"}[{{ interval }}])) / sum(rate(istio_requests_total{destination_workload=~"{{ target }}",env="{{ variables.env }}"}[{{ interval }}])) * 100"#;
const CONDITION: &str = "len(result) == 0 || isNaN(result[0]) || result[0] >= 0.99";
const COUNTED: &str = "len(result.filter(x, x < 0.9)) / len(result) <= 0.1";
const PATH: &str = "{.data.items[*].value}";

/// Microseconds for each.
///
/// # Errors
/// One of them is refused.
pub(super) fn measure() -> anyhow::Result<Vec<Figure>> {
    let variables: BTreeMap<String, String> = [("env".to_owned(), "prod".to_owned())].into();
    let functions = Functions {
        texts: [("namespace", "prod"), ("target", "podinfo"), ("interval", "1m")].into(),
        maps: [("variables", &variables)].into(),
        marks: vec![],
    };
    let wrong = anyhow::Error::msg;
    let (condition, counted) =
        (Condition::parse(CONDITION).map_err(wrong)?, Condition::parse(COUNTED).map_err(wrong)?);
    let path = Path::parse(PATH).map_err(wrong)?;
    let answer = json!({"data": {"items": vec![json!({"name": "a", "value": 1}); 20]}});
    let values = [0.95; 10];
    Ok(vec![
        figure("a template of a query, read and rendered", || render(TEMPLATE, &functions).is_ok()),
        figure("a condition, read", || Condition::parse(CONDITION).is_ok()),
        figure("a condition, asked about one series", || condition.holds(&[0.95], &[]).is_ok()),
        figure("a condition, asked about ten series by filter", || counted.holds(&values, &[]).is_ok()),
        figure("a path, followed to 20 values", || path.find(&answer).is_ok()),
    ])
}

fn figure(what: &str, mut once: impl FnMut() -> bool) -> Figure {
    let (began, mut times) = (Instant::now(), 0_u32);
    while began.elapsed() < FOR {
        for _ in 0..100 {
            black_box(once());
        }
        times += 100;
    }
    let micros = began.elapsed().as_secs_f64() * 1e6 / f64::from(times);
    Figure::new(what, "in the build for development, mean of 0.3 s", micros, "µs")
}
