//! Metrics with all options for verdicts, and answers to them from good to bad.

use proptest::{collection::vec, option, prelude::*};
use serde_json::{Value, json};
use serin::analysis::Reading;
use serin_model::Sim;

use super::spec;

/// A value that passes every metric of these specs.
const GOOD: f64 = 99.5;

fn limit() -> impl Strategy<Value = Option<i32>> {
    option::of(-1i32..4)
}

fn wanted() -> impl Strategy<Value = Value> {
    let text = |text: &'static str| Just(json!(text));
    let success = prop_oneof![
        text("result[0] >= 99"),
        text("result >= 99"),
        text("result.all(x, x >= 99)"),
        text("len(result) == 0 || isNaN(result[0]) || result[0] >= 99"),
        text("canary[0] >= primary[0] - 1"),
    ];
    let failure = prop_oneof![text("result[0] < 50"), text("default(result[0], 100) < 50")];
    let range = || json!({"min": 99, "max": 100});
    prop_oneof![
        3 => Just(json!({"thresholdRange": range()})),
        3 => success.clone().prop_map(|good| json!({"successCondition": good})),
        1 => failure.clone().prop_map(|bad| json!({"failureCondition": bad})),
        2 => (success, failure).prop_map(|(good, bad)| json!({"successCondition": good, "failureCondition": bad})),
        1 => Just(json!({"thresholdRange": range(), "failureCondition": "result < 50"})),
    ]
}

/// Boxed, like the specs: as plain values these strategies overflow the stack of a test.
fn metric(name: &'static str) -> BoxedStrategy<Value> {
    let times = (
        option::of(prop_oneof![Just("0s"), Just("5s"), Just("30s")]),
        option::of(0i32..3),
        option::of(prop_oneof![Just("1s"), Just("4s"), Just("25s")]),
        option::of(1i32..4),
    );
    let policy = option::of(prop_oneof![Just("fail"), Just("error"), Just("pass"), Just("hold")]);
    let rest = (policy, option::of(Just(20)), option::weighted(0.1, Just(true)));
    (wanted(), times, (limit(), limit(), limit(), limit()), rest).prop_map(
        move |(mut metric, (delay, start, period, count), limits, (policy, samples, dry))| {
            let more = json!({
                "name": name, "query": "sum(x{app=\"{{ target }}\"})", "samplesQuery": "sum(n)", "primaryQuery": "sum(p)",
                "initialDelay": delay, "startAtStep": start, "period": period, "count": count,
                "failureLimit": limits.0, "consecutiveFailureLimit": limits.1, "consecutiveErrorLimit": limits.2,
                "inconclusiveLimit": limits.3, "noData": policy, "minSamples": samples, "dryRun": dry,
            });
            for (field, value) in more.as_object().into_iter().flatten().filter(|(_, v)| !v.is_null()) {
                metric[field] = value.clone();
            }
            metric
        },
    )
    .boxed()
}

/// A spec with metrics that use all options.
pub(crate) fn judged_spec() -> BoxedStrategy<Value> {
    let metrics = prop_oneof![
        metric("error-rate").prop_map(|m| vec![m]),
        (metric("error-rate"), metric("latency")).prop_map(|(a, b)| vec![a, b]),
    ];
    let with = |(mut spec, metrics): (Value, Vec<Value>)| {
        spec["analysis"]["metrics"] = json!(metrics);
        spec["skipAnalysis"] = Value::Null;
        spec
    };
    (spec().boxed(), metrics).prop_map(with).boxed()
}

/// Every metric has a good reading, including the primary's and the samples.
pub(crate) fn all_well(sim: &mut Sim) {
    for name in ["error-rate", "latency"] {
        let mut reads = |what: &str, value| {
            sim.readings.insert(format!("{name}{what}"), Reading::Values(vec![value]));
        };
        reads("", GOOD);
        reads(" (primary)", GOOD);
        reads(" (samples)", 1000.0);
    }
}

/// Answers by badness: a pass, no data, an error, a failure.
pub(crate) fn answer(badness: usize, nan: bool) -> Reading {
    match badness {
        0 => Reading::Values(vec![GOOD]),
        1 if nan => Reading::Values(vec![f64::NAN]),
        1 => Reading::Values(vec![]),
        2 => Reading::Failed("timed out".into()),
        _ => Reading::Values(vec![-1.0]),
    }
}

/// For each metric, how bad its answers become in each of a few windows.
pub(crate) fn badness() -> impl Strategy<Value = Vec<(usize, usize)>> {
    vec(
        (prop_oneof![3 => Just(0usize), 1 => 1usize..4], prop_oneof![3 => Just(0usize), 1 => 1usize..4]),
        0..6,
    )
}
