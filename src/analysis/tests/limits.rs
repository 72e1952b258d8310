use serde_json::{Value, json};

use crate::analysis::Checks;
use crate::{
    analysis::{
        asks,
        limits::{check, wanted},
    },
    manifest::fixture,
    router,
};

fn checked(metrics: Value) -> (Vec<String>, Vec<String>) {
    let c = fixture::canary(&json!({}));
    let checks = Checks { metrics: serde_json::from_value(metrics).unwrap(), ..Checks::default() };
    let asks = asks(&c, &checks, router::by_name("istio").unwrap().queries());
    let (faults, advice) = check(&c, &checks, &asks);
    (faults.into_iter().map(|f| f.message).collect(), advice)
}

fn one(fields: &Value) -> (Vec<String>, Vec<String>) {
    let mut metric = json!({"name": "errors", "query": "sum(x)", "thresholdRange": {"max": 1}});
    metric.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    checked(json!([metric]))
}

#[test]
fn a_sound_metric_is_taken_as_it_is() {
    let all = json!({
        "successCondition": "canary[0] <= primary[0] * 2", "failureCondition": "canary[0] > 9", "primaryQuery": "sum(y)",
        "initialDelay": "30s", "startAtStep": 1, "period": "2m", "count": 3, "failureLimit": 2,
        "consecutiveFailureLimit": 1, "consecutiveErrorLimit": 4, "inconclusiveLimit": 2, "noData": "hold",
        "minSamples": 20, "samplesQuery": "sum(n)", "dryRun": false,
    });
    assert_eq!(one(&all), (vec![], vec![]));
    assert_eq!(
        checked(json!([{"name": "request-success-rate", "thresholdRange": {"min": 99}}])),
        (vec![], vec![])
    );
}

#[test]
fn what_can_never_pass_or_never_be_measured_is_refused() {
    let cases = [
        (json!({"thresholdRange": {"min": 2, "max": 1}}), "min 2 is above max 1"),
        (json!({"successCondition": "result[0] >"}), "successCondition does not compile"),
        (
            json!({"failureCondition": "result[0]"}),
            "failureCondition does not compile: at character 1: it yields a number",
        ),
        (json!({"successCondition": "true"}), "does not depend on the measured value"),
        (
            json!({"successCondition": "result[0] > 1", "failureCondition": "result[0]>1"}),
            "successCondition and failureCondition are the same",
        ),
        (json!({"startAtStep": 2}), "startAtStep is 2, and the last of the 2 steps is 1"),
        (json!({"period": "soon"}), "period is \"soon\""),
        (json!({"period": "10ms"}), "period is \"10ms\""),
        (json!({"initialDelay": "5"}), "initialDelay is \"5\""),
        (json!({"successCondition": "canary > primary"}), "give it a primaryQuery"),
        (json!({"minSamples": 5}), "needs a samplesQuery"),
        (json!({"minSamples": 5, "samplesQuery": "{{ nope }}"}), "samplesQuery of metric errors"),
    ];
    for (fields, why) in cases {
        let (faults, _) = one(&fields);
        assert!(faults.len() == 1 && faults[0].contains(why), "{fields}: {faults:?}");
        assert!(faults[0].starts_with("spec.analysis.metrics[errors]: "), "{faults:?}");
    }
    for range in [json!({"min": 101}), json!({"max": -1})] {
        let (faults, _) = checked(json!([{"name": "request-success-rate", "thresholdRange": range}]));
        assert_eq!(faults.len(), 1, "{range}");
    }
}

#[test]
fn what_flagger_takes_and_can_never_fail_is_told() {
    let told = |metric: Value| {
        let (faults, advice) = checked(json!([metric]));
        assert_eq!(faults, Vec::<String>::new());
        advice.concat()
    };
    assert!(
        told(json!({"name": "x", "query": "up", "thresholdRange": {}})).contains("every finite value passes")
    );
    assert!(told(json!({"name": "request-success-rate"})).contains("no success rate is too low"));
    assert!(told(json!({"name": "x", "query": "up"})).contains("only values up to 0 pass"));
    assert_eq!(told(json!({"name": "x", "query": "up", "threshold": 5})), "");
}

#[test]
fn two_of_one_name_are_told_and_with_limits_refused() {
    let plain = json!({"name": "x", "query": "up", "threshold": 5});
    let mut limited = plain.clone();
    limited["failureLimit"] = json!(1);
    let (faults, advice) = checked(json!([plain, plain]));
    assert!(faults.is_empty() && advice.concat().contains("two are named x"), "{advice:?}");
    assert!(checked(json!([plain, limited])).0.concat().contains("another metric has the same name"));
}

#[test]
fn settings_without_an_effect_are_told() {
    let cases = [
        (json!({"failureLimit": 3}), "failureLimit 3 is never passed"),
        (json!({"primaryQuery": "up"}), "primaryQuery is not asked"),
        (json!({"samplesQuery": "up"}), "samplesQuery is not asked"),
        (json!({"noData": "pass"}), "gets no traffic passes"),
        (
            json!({"failureCondition": "max(canary) > mean(result) * 1.2"}),
            "names result and canary, which are the same values",
        ),
        (json!({"dryRun": true}), "all are dryRun"),
    ];
    for (fields, why) in cases {
        let (faults, advice) = one(&fields);
        assert!(faults.is_empty() && advice.concat().contains(why), "{fields}: {advice:?}");
    }
}

#[test]
fn what_is_wanted_is_said_in_words() {
    let said = |value: Value| wanted(&serde_json::from_value(value).unwrap());
    assert_eq!(said(json!({"name": "x", "thresholdRange": {"min": 1, "max": 2.5}})), "1 to 2.5");
    assert_eq!(said(json!({"name": "request-success-rate", "threshold": 99})), "at least 99");
    assert_eq!(said(json!({"name": "x"})), "at most 0");
    let both = json!({"name": "x", "successCondition": "result > 1", "failureCondition": "result < 0"});
    assert_eq!(said(both), "result > 1, not result < 0");
    assert_eq!(said(json!({"name": "x", "thresholdRange": {}})), "a finite value");
}

#[test]
fn v11_a_subquery_without_a_step_is_named() {
    let advice = |query: &str| one(&json!({"query": query})).1;
    let said = advice("max_over_time((sum(rate(a[1m])))[15m:])");
    assert!(said.len() == 1 && said[0].contains("[15m:] is a subquery without a step"), "{said:?}");
    assert!(said[0].contains("[15m:30s]"), "{said:?}");
    assert_eq!(advice("max_over_time((sum(rate(a[1m])))[15m:30s])"), [""; 0]);
    for matcher in ["[x:]", "[0-9:]", "[0-9a-f:]+:"] {
        assert_eq!(advice(&format!("sum(a{{b=~\"{matcher}\"}})")), [""; 0], "{matcher}");
    }
}
