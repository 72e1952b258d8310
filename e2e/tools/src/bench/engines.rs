//! The time to parse and evaluate users' texts: templates, conditions and paths. Runs in this process, without the bed.

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

/// How long each is repeated, and how often: short enough that other work on the machine does not interrupt some of the
/// loops.
const FOR: Duration = Duration::from_millis(2);
const TIMES: u32 = 500;
/// Microseconds with the engines that Serin used before, the crates cel, gotmpl and jsonpath-rust, in the same build:
/// recorded on two cores at
/// 2.5 GHz, and not measured here. On another machine, compare only the order of magnitude.
const BEFORE: [f64; 6] = [98.2, 29.0, 9.56, 40.1, 279.0, 224.0];

const TEMPLATE: &str = r#"100 - sum(rate(istio_requests_total{reporter="destination",destination_workload_namespace="{{ namespace }}",destination_workload=~"{{ target }}",response_code!~"5.*"}[{{ interval }}])) / sum(rate(istio_requests_total{destination_workload=~"{{ target }}",env="{{ variables.env }}"}[{{ interval }}])) * 100"#;
const CONDITION: &str = "len(result) == 0 || isNaN(result[0]) || result[0] >= 0.99";
const COUNTED: &str = "len(result.filter(x, x < 0.9)) / len(result) <= 0.1";
const PATH: &str = "{.data.items[*].value}";

/// Microseconds for each.
///
/// # Errors
/// One of the texts is refused.
pub fn measure() -> anyhow::Result<Vec<Figure>> {
    let variables: BTreeMap<String, String> = [("env".to_owned(), "prod".to_owned())].into();
    let functions = Functions {
        texts: [("namespace", "prod"), ("target", "podinfo"), ("interval", "1m")].into(),
        maps: [("variables", &variables)].into(),
        marks: vec![],
    };
    let wrong = anyhow::Error::msg;
    let (condition, counted) =
        (Condition::parse(CONDITION).map_err(wrong)?, Condition::parse(COUNTED).map_err(wrong)?);
    let answer = json!({"data": {"items": vec![json!({"name": "a", "value": 1}); 20]}});
    let values = [0.95; 10];
    Ok(vec![
        figure("a template of a query, read and rendered", BEFORE[0], || {
            render(TEMPLATE, &functions).is_ok()
        }),
        figure("a condition, read", BEFORE[1], || Condition::parse(CONDITION).is_ok()),
        figure("a condition, asked about one series", BEFORE[2], || condition.holds(&[0.95], &[]).is_ok()),
        figure("a condition, read and asked", BEFORE[3], || {
            Condition::parse(CONDITION).and_then(|c| c.holds(&[0.95], &[])).is_ok()
        }),
        figure("a condition, asked about ten series by filter", BEFORE[4], || {
            counted.holds(&values, &[]).is_ok()
        }),
        figure("a path, read and followed to 20 values", BEFORE[5], || {
            Path::parse(PATH).and_then(|path| path.find(&answer).map(|found| found.len())).is_ok()
        }),
    ])
}

fn figure(what: &str, before: f64, mut once: impl FnMut() -> bool) -> Figure {
    let mut least = f64::MAX;
    for _ in 0..TIMES {
        let (began, mut times) = (Instant::now(), 0_u32);
        while began.elapsed() < FOR {
            for _ in 0..5 {
                black_box(once());
            }
            times += 5;
        }
        least = least.min(began.elapsed().as_secs_f64() * 1e6 / f64::from(times));
    }
    let how = "in the build for development, the least mean of 500 loops of 2 ms";
    Figure::new(what, how, least, "µs").before(before)
}
