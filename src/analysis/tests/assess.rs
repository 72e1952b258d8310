use std::collections::BTreeMap;

use MetricOutcome::{Error, Fail, Inconclusive, NoData, Pass};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::analysis::Checks;
use crate::{
    analysis::{
        asks,
        assess::{Assessment, assess, example},
        doubt::Doubt,
        reading::Reading,
    },
    api::MetricOutcome,
    manifest::fixture,
    router,
};

/// The result of this metric with these answers, in the order of its queries.
fn assessed(metric: &Value, answers: &[Reading]) -> Assessment {
    let c = fixture::canary(&json!({}));
    let checks = checks(metric);
    let asks = asks(&c, &checks, router::by_name("istio").unwrap().queries());
    assert_eq!(asks.len(), answers.len(), "{asks:?}");
    let readings = answers.iter().cloned().enumerate().collect();
    assess(&c, &checks, 0, &asks, &readings).unwrap()
}

fn checks(metric: &Value) -> Checks {
    Checks { metrics: vec![serde_json::from_value(metric.clone()).unwrap()], ..Checks::default() }
}

fn of(values: &[f64]) -> Reading {
    Reading::Values(values.to_vec())
}

fn with(fields: &Value) -> Value {
    let mut metric = json!({"name": "errors", "query": "sum(x{app=\"{{ target }}\"})"});
    metric.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    metric
}

#[test]
fn one_condition_passes_or_fails() {
    let success = with(&json!({"successCondition": "result[0] > 0.95"}));
    assert_eq!(assessed(&success, &[of(&[0.96])]).outcome, Pass);
    let bad = assessed(&success, &[of(&[0.2297])]);
    assert_eq!(
        (bad.outcome, bad.value.as_str(), bad.text.as_str()),
        (Fail, "0.2297", "Halt podinfo.test advancement errors 0.2297, wanted result[0] > 0.95")
    );
    assert_eq!(bad.query, "sum(x{app=\"podinfo\"})");
    let failure = with(&json!({"failureCondition": "result[0] < 0.8"}));
    assert_eq!(assessed(&failure, &[of(&[0.8])]).outcome, Pass);
    assert_eq!(assessed(&failure, &[of(&[0.79])]).outcome, Fail);
}

#[test]
fn between_two_conditions_it_is_inconclusive() {
    let both = with(&json!({"successCondition": "result[0] >= 0.9", "failureCondition": "result[0] < 0.8"}));
    let at = |value| assessed(&both, &[of(&[value])]).outcome;
    assert_eq!((at(0.95), at(0.85), at(0.75)), (Pass, Inconclusive, Fail));
}

#[test]
fn nothing_is_never_good_unless_the_condition_says_so() {
    let negated =
        with(&json!({"successCondition": "!(result[0] < 0.9)", "failureCondition": "result[0] < 0.8"}));
    let failure = with(&json!({"failureCondition": "result[0] < 0.8"}));
    let asked =
        with(&json!({"successCondition": "len(result) == 0 || isNaN(result[0]) || result[0] >= 0.99"}));
    for nothing in [of(&[]), of(&[f64::NAN]), Reading::NoData("nothing".into())] {
        for metric in [&negated, &failure] {
            assert_eq!(assessed(metric, std::slice::from_ref(&nothing)).outcome, NoData, "{nothing:?}");
        }
        assert_eq!(assessed(&asked, std::slice::from_ref(&nothing)).outcome, Pass);
        let mut policy = asked.clone();
        policy["noData"] = json!("fail");
        assert_eq!(assessed(&policy, &[nothing]).outcome, NoData, "noData stands over the condition");
    }
    for vacuous in ["result.all(x, !isNaN(x) && x <= 0.05)", "len(result.filter(x, x > 0.05)) == 0"] {
        let metric = with(&json!({"successCondition": vacuous}));
        assert_eq!(assessed(&metric, &[of(&[])]).outcome, NoData, "{vacuous}");
        assert_eq!(assessed(&metric, &[of(&[0.01])]).outcome, Pass, "{vacuous}");
    }
    let tolerant = with(&json!({"successCondition": "result.all(x, isNaN(x) || x <= 0.05)"}));
    assert_eq!(assessed(&tolerant, &[of(&[f64::NAN, 0.01])]).outcome, Pass);
    let empty = with(&json!({"successCondition": "len(result) == 0 || result[0] >= 0.99"}));
    assert_eq!(assessed(&empty, &[of(&[f64::NAN])]).outcome, NoData);
    assert_eq!(assessed(&asked, &[of(&[1.0, 0.5])]).outcome, Fail, "every series has to pass");
    assert_eq!(assessed(&asked, &[of(&[f64::INFINITY])]).outcome, Fail);
}

#[test]
fn u1_a_question_about_the_primary_says_nothing_about_the_canary() {
    for text in [
        "!isNaN(primary[0]) && result.all(x, x <= primary[0] * 1.2)",
        "len(primary) > 0 && len(result.filter(x, x > max(primary))) == 0",
        "primary != nil && result.all(x, x <= primary[0] * 1.2)",
        "default(primary[0], 1) > 0 && result.all(x, x <= 1)",
        "primary[0] > 0 && len(result.filter(x, x > 1)) <= 0.1 * len(result)",
        "len(result) <= len(primary) && result.all(x, x <= max(primary) * 1.2)",
    ] {
        let metric = with(&json!({"successCondition": text}));
        assert_eq!(assessed(&metric, &[of(&[]), of(&[0.5])]).outcome, NoData, "{text}");
        assert_eq!(assessed(&metric, &[of(&[0.5]), of(&[0.5])]).outcome, Pass, "{text}");
    }
}

#[test]
fn u1_a_limit_on_the_number_of_series_says_nothing_about_their_absence() {
    for text in ["len(result) <= 20 && result.all(x, x < 1)", "len(result) in [0, 1] && result.all(x, x < 1)"]
    {
        let metric = with(&json!({"successCondition": text}));
        assert_eq!(assessed(&metric, &[of(&[])]).outcome, NoData, "{text}");
        assert_eq!(assessed(&metric, &[of(&[0.5])]).outcome, Pass, "{text}");
    }
}

#[test]
fn m2_a_calculation_without_a_result_is_inconclusive() {
    let metric = with(&json!({"successCondition": "canary[0] / primary[0] <= 1.2"}));
    let assessed = assessed(&metric, &[of(&[0.0]), of(&[0.0])]);
    assert_eq!(assessed.outcome, Inconclusive);
    let words =
        "successCondition cannot be decided: canary[0] / primary[0] is not a number (primary 0), as of 0/0";
    assert!(assessed.text.contains(words), "{}", assessed.text);
}

#[test]
fn a_condition_without_an_answer_is_an_error_whatever_the_other_says() {
    // as in Argo Rollouts, which evaluates successCondition first
    for (success, failure, field) in [
        ("result[1] > 0.9", "result[0] < 0.5", "successCondition"),
        ("result[0] > 0.9", "result[1] < 0.5", "failureCondition"),
    ] {
        let both = with(&json!({"successCondition": success, "failureCondition": failure}));
        for value in [0.1, 0.95] {
            let found = assessed(&both, &[of(&[value])]);
            assert_eq!(found.outcome, Error, "{success}, {failure} of {value}");
            assert!(found.text.contains(&format!("{field} could not be evaluated")), "{}", found.text);
        }
    }
    // a range still makes it bad
    let ranged = with(&json!({"thresholdRange": {"min": 0.5}, "successCondition": "result[1] > 0.9"}));
    assert_eq!(assessed(&ranged, &[of(&[0.1])]).outcome, Fail);
}

#[test]
fn range_and_condition_both_have_to_pass() {
    let both = with(&json!({"thresholdRange": {"max": 10}, "successCondition": "result[0] > 5"}));
    let at = |value| assessed(&both, &[of(&[value])]).outcome;
    assert_eq!((at(7.0), at(11.0), at(4.0)), (Pass, Fail, Fail));
}

#[test]
fn canary_and_primary_are_judged_together() {
    let metric = with(&json!({"successCondition": "canary[0] <= primary[0] * 1.1"}));
    let at = |canary: &[f64], primary: Reading| assessed(&metric, &[of(canary), primary]);
    assert_eq!(at(&[1.0], of(&[1.0])).outcome, Pass);
    let bad = at(&[2.0], of(&[1.5]));
    assert_eq!(bad.outcome, Fail);
    assert_eq!(
        bad.text,
        "Halt podinfo.test advancement errors 2 (primary 1.5), wanted canary[0] <= primary[0] * 1.1"
    );
    assert_eq!(at(&[1.0], of(&[])).outcome, Inconclusive);
    assert_eq!(at(&[], of(&[1.0])).outcome, NoData);
    assert_eq!(at(&[1.0], Reading::Failed("timed out".into())).outcome, Error);
}

#[test]
fn too_few_samples_are_no_data() {
    let metric = with(&json!({"thresholdRange": {"max": 1}, "minSamples": 20, "samplesQuery": "n"}));
    let at = |value: f64, samples: Reading| assessed(&metric, &[of(&[value]), samples]);
    assert_eq!(at(0.0, of(&[20.0])).outcome, Pass);
    let few = at(9.0, of(&[19.4]));
    assert_eq!(few.outcome, NoData, "a breach of too few is no breach");
    assert!(few.text.contains("19 samples, and minSamples wants 20"), "{}", few.text);
    assert!(at(9.0, of(&[])).text.contains(": 0 samples"));
    for none in [of(&[]), of(&[f64::NAN]), of(&[f64::INFINITY])] {
        assert_eq!(at(0.0, none).outcome, NoData);
    }
    assert_eq!(at(0.0, Reading::Failed("down".into())).outcome, Error);
}

#[test]
fn v10_too_few_samples_of_a_native_histogram_say_nothing() {
    let c = fixture::canary(&json!({"provider": "kubernetes"}));
    let native = Reading::Doubted { values: vec![], doubt: Doubt::Native };
    for no_data in [Value::Null, json!("pass")] {
        let metric = json!({"name": "request-success-rate", "minSamples": 20, "noData": no_data});
        let checks = checks(&metric);
        let asks = asks(&c, &checks, router::by_name("kubernetes").unwrap().queries());
        let found = assess(&c, &checks, 0, &asks, &[(0, native.clone()), (1, of(&[]))].into()).unwrap();
        assert_eq!(found.outcome, Error, "{}", found.text);
        assert!(found.text.contains("always_scrape_classic_histograms"), "{}", found.text);
    }
}

#[test]
fn a_condition_without_an_answer_is_an_error() {
    let metric = with(&json!({"successCondition": "result[1] > 0.5"}));
    assert_eq!(assessed(&metric, &[of(&[1.0, 1.0])]).outcome, Pass);
    let none = assessed(&metric, &[of(&[1.0])]);
    assert_eq!(none.outcome, Error);
    assert!(none.text.contains("successCondition could not be evaluated"), "{}", none.text);
}

#[test]
fn an_example_is_one_that_passes() {
    let wanted = [
        (json!({"successCondition": "result[0] >= 0.95", "failureCondition": "result[0] < 0.8"}), Some(1.0)),
        (json!({"successCondition": "result[0] > 99 && result[0] < 100"}), Some(99.5)),
        (json!({"successCondition": "result[0] == 12345"}), None),
        (json!({"thresholdRange": {"max": 1}}), None),
    ];
    for (fields, value) in wanted {
        let checks = checks(&with(&fields));
        let asks = asks(&fixture::canary(&json!({})), &checks, router::by_name("istio").unwrap().queries());
        assert_eq!(example(&checks.metrics, &checks.conditions, asks[0].query.as_ref().unwrap()), value);
    }
}

#[test]
fn a_missing_answer_is_not_judged() {
    let c = fixture::canary(&json!({}));
    let checks = checks(&with(&json!({})));
    let asks = asks(&c, &checks, router::by_name("istio").unwrap().queries());
    assert_eq!(assess(&c, &checks, 0, &asks, &BTreeMap::new()), None);
}

proptest! {
    #[test]
    fn only_what_is_finite_passes_a_condition_that_does_not_know_of_absence(
        values in proptest::collection::vec(proptest::num::f64::ANY, 0..4),
    ) {
        let metric = with(&json!({"failureCondition": "result[0] > 1e300"}));
        let good = !values.is_empty() && values.iter().all(|v| v.is_finite() && *v <= 1e300);
        prop_assert_eq!(assessed(&metric, &[of(&values)]).outcome == Pass, good);
    }
}

#[test]
fn f55_a_reset_hides_no_value_that_is_bad_by_its_condition() {
    let reset = |value: f64| Reading::Doubted { values: vec![value], doubt: Doubt::Reset };
    for fields in
        [json!({"successCondition": "result[0] >= 99"}), json!({"failureCondition": "result[0] < 99"})]
    {
        let mut metric = json!({"name": "request-success-rate"});
        metric.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(assessed(&metric, &[reset(50.0)]).outcome, Fail, "{metric}");
        assert_eq!(assessed(&metric, &[reset(99.9)]).outcome, Error, "{metric}");
    }
}

#[test]
fn m2_a_series_that_is_no_number_hides_none_that_is_bad() {
    let conditions = [
        json!({"failureCondition": "result[0] > 0.05"}),
        json!({"successCondition": "result[0] <= 0.05"}),
        json!({"successCondition": "result.all(x, x <= 0.05)"}),
        json!({"successCondition": "isNaN(result[0]) || result[0] <= 0.05"}),
        json!({"thresholdRange": {"max": 1}, "failureCondition": "result[0] > 0.05"}),
    ];
    for fields in &conditions {
        for no_data in [json!(null), json!("pass"), json!("hold"), json!("error")] {
            let mut metric = with(fields);
            metric["noData"] = no_data;
            for values in [[0.5, f64::NAN], [f64::NAN, 0.5]] {
                let found = assessed(&metric, &[of(&values)]);
                assert_eq!(found.outcome, Fail, "{metric} of {values:?}");
                assert!(found.text.contains("advancement errors 0.5, "), "{}", found.text);
            }
            let good = assessed(&metric, &[of(&[0.01, f64::NAN])]).outcome;
            assert!(good == NoData || good == Pass && metric["noData"].is_null(), "{metric}: {good:?}");
            assert_ne!(assessed(&metric, &[of(&[f64::NAN])]).outcome, Fail, "{metric}");
        }
    }
    // a value that is not a number is bad for a condition that tests for it, unless noData decides
    let asks = with(&json!({"failureCondition": "isNaN(result[0]) || result[0] > 0.05", "noData": "pass"}));
    assert_eq!(assessed(&asks, &[of(&[0.01, f64::NAN])]).outcome, NoData);
}

#[test]
fn what_one_answer_proves_to_be_bad_stays_bad_when_another_cannot_be_had() {
    let down = || Reading::Failed("timed out".into());
    let beside =
        with(&json!({"thresholdRange": {"min": 99}, "successCondition": "canary[0] >= primary[0] - 0.5"}));
    assert_eq!(assessed(&beside, &[of(&[0.0]), down()]).outcome, Fail);
    assert_eq!(assessed(&beside, &[of(&[100.0]), down()]).outcome, Error);
    assert_eq!(assessed(&beside, &[down(), of(&[100.0])]).outcome, Error);
    // a built-in check with a query of its own asks two things
    let two = json!({"name": "request-success-rate", "thresholdRange": {"min": 99}, "query": "up"});
    for (built_in, own, wanted) in [
        (of(&[0.0]), down(), Fail),
        (down(), of(&[0.0]), Fail),
        (of(&[100.0]), down(), Error),
        (of(&[]), down(), Error),
    ] {
        assert_eq!(assessed(&two, &[built_in, own]).outcome, wanted);
    }
    let bad = assessed(&two, &[of(&[0.0]), down()]);
    assert_eq!(bad.text, "Halt podinfo.test advancement success rate 0.00% < 99%");
    // without the number of samples nobody knows whether they were enough
    let counted = with(&json!({
        "thresholdRange": {"min": 99}, "minSamples": 20, "samplesQuery": "n", "failureCondition": "canary[0] < primary[0]",
    }));
    assert_eq!(assessed(&counted, &[of(&[0.0]), of(&[100.0]), down()]).outcome, Error);
    assert_eq!(assessed(&counted, &[of(&[0.0]), down(), of(&[3.0])]).outcome, Error);
    assert_eq!(assessed(&counted, &[of(&[0.0]), down(), of(&[30.0])]).outcome, Fail);
}

#[test]
fn a_template_and_a_query_of_one_metric_both_have_to_pass() {
    let c = fixture::canary(&json!({}));
    let template = json!({"provider": {"type": "prometheus", "address": "http://p:9090"}, "query": "sum(a)"});
    for name in ["mine", "request-duration"] {
        let metric = json!({"name": name, "templateRef": {"name": "errors"}, "query": "sum(b)", "thresholdRange": {"max": 1}});
        let templates = [("test/errors".to_owned(), serde_json::from_value(template.clone()).unwrap())];
        let checks = Checks { templates: templates.into(), ..checks(&metric) };
        let asks = asks(&c, &checks, router::by_name("istio").unwrap().queries());
        let first = asks.len() - 2;
        for (of_template, of_query, wanted) in [
            (of(&[1.0]), of(&[0.0]), Pass),
            (of(&[1.5]), of(&[0.0]), Fail),
            (of(&[1.0]), of(&[1.5]), Fail),
            (of(&[1.0]), of(&[]), NoData),
            (of(&[]), of(&[1.0]), NoData),
            (of(&[1.0]), Reading::Failed("timed out".into()), Error),
            (Reading::Failed("timed out".into()), of(&[1.5]), Fail),
        ] {
            let answers = [(first, of_template), (first + 1, of_query)];
            let built_in = (0..first).map(|at| (at, of(&[0.0])));
            let readings = built_in.chain(answers).collect();
            let found = assess(&c, &checks, 0, &asks, &readings).unwrap();
            assert_eq!(found.outcome, wanted, "{name} {readings:?}");
        }
    }
}

#[test]
fn a_condition_about_the_canary_alone_needs_no_primary() {
    let of_both = "canary[0] >= primary[0]";
    for primary in [Reading::Values(vec![]), Reading::Failed("timed out".into())] {
        let at =
            |fields: &Value, value: f64| assessed(&with(fields), &[of(&[value]), primary.clone()]).outcome;
        let limit = json!({"successCondition": of_both, "failureCondition": "canary[0] < 90"});
        assert_eq!(at(&limit, 50.0), Fail, "{primary:?}");
        assert_ne!(at(&limit, 95.0), Fail, "{primary:?}");
        assert_ne!(at(&limit, 95.0), Pass, "{primary:?}");
        // neither good nor bad is not known to be bad
        let between =
            json!({"successCondition": "canary[0] >= 90", "failureCondition": "canary[0] < primary[0]"});
        assert_ne!(at(&between, 50.0), Fail, "{primary:?}");
    }
}
