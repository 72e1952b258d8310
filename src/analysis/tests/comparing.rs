//! The tolerance of a comparison, why one is refused, and its texts.

use serde_json::{Value, json};

use crate::{
    analysis::{Checks, Comparing, Tally, asks, compared, comparing, limits::check},
    api::CompareVerdict,
    config::Rules,
    manifest::fixture,
    router,
    spec::{Validated, validate},
    statistics::{Counts, Evidence, Look},
};

fn weights() -> Value {
    json!({"interval": "1m", "stepWeight": 20, "maxWeight": 40})
}

/// The Canary with these fields beside its target and Service.
fn canary(fields: &Value) -> Validated {
    let mut spec = json!({
        "provider": "istio", "service": {"port": 80},
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
    });
    fixture::merge(&mut spec, fields);
    let canary = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "spec": spec,
        "metadata": {"name": "podinfo", "namespace": "test"},
    });
    validate(&serde_json::from_value(canary).unwrap(), &Rules::default()).ok().unwrap()
}

fn refused(fields: &Value, metrics: Value) -> Vec<String> {
    let c = canary(fields);
    let checks = Checks { metrics: serde_json::from_value(metrics).unwrap(), ..Checks::default() };
    let router = router::by_name(&c.provider).unwrap();
    let asks = asks(&c, &checks, router.queries());
    check(&c, &checks, &asks).0.into_iter().map(|fault| fault.message).collect()
}

fn success(fields: &Value) -> Value {
    let mut metric = json!({"name": "request-success-rate", "compare": {}});
    metric.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!([metric])
}

fn read(compare: &Value) -> Comparing {
    let c = canary(&json!({"analysis": weights()}));
    let metrics = success(&json!({"compare": compare}));
    let checks = Checks { metrics: serde_json::from_value(metrics).unwrap(), ..Checks::default() };
    comparing(&c, &checks, &checks.metrics[0]).unwrap().unwrap()
}

#[test]
fn a_sound_comparison_is_taken_with_its_defaults() {
    assert_eq!(refused(&json!({"analysis": weights()}), success(&json!({}))), [] as [&str; 0]);
    let all = json!({"compare": {
        "every": "10s", "worse": {"ratio": 2, "above": 1}, "noWorse": {"ratio": 3, "below": 2}, "hiccup": "30s",
        "warmup": {"for": "2m", "times": 5}, "bursts": 20, "undecided": "hold", "decideWithin": "30m",
        "afterwards": "rollback",
    }});
    assert_eq!(refused(&json!({"analysis": weights()}), success(&all)), [] as [&str; 0]);
    assert_eq!(
        read(&json!({})).wanted(),
        "worse: more than 1.5 times the primary's rate and 0.1 %, by evidence of 100; no worse: less than 2 times, or 0.5 %, by \
         evidence of 20; hiccup 15 s, warm-up 60 s with 10 times the margins; failures at a time: unknown, at most 10 for no worse"
    );
}

#[test]
fn a_comparison_that_cannot_be_made_is_refused_by_its_field() {
    let a_b = json!({"analysis": {"interval": "1m", "iterations": 3, "match": [{"headers": {"x": {"exact": "y"}}}]}});
    let mirrored = json!({"analysis": {"interval": "1m", "stepWeight": 20, "mirror": true}});
    let matched = json!({"analysis": {"interval": "1m", "stepWeight": 20, "match": [{"headers": {"x": {"exact": "y"}}}]}});
    let alone = json!({"analysis": {"interval": "1m", "stepWeights": [100]}});
    let rates =
        json!({"analysis": {"interval": "1m", "stepWeight": 20, "errorRates": {"falseRollback": 60}}});
    let fine = json!({"analysis": weights()});
    let contour = json!({"provider": "contour", "analysis": weights()});
    let plain = json!({});
    let of = |compare: Value| json!({"compare": compare});
    let cases: Vec<(&Value, Value, &str)> = vec![
        (&a_b, success(&plain), "needs weights"),
        (&mirrored, success(&plain), "remove spec.analysis.mirror"),
        (&matched, success(&plain), "spec.analysis.match"),
        (&alone, success(&plain), "give a weight between 0 and 100"),
        (&rates, success(&plain), "spec.analysis.errorRates.falseRollback is 60"),
        (&contour, success(&plain), "not served with provider contour, only with istio"),
        (&fine, json!([{"name": "request-duration", "compare": {}}]), "served for request-success-rate only"),
        (
            &fine,
            json!([{"name": "mine", "query": "up", "compare": {}}]),
            "served for request-success-rate only",
        ),
        (&fine, success(&json!({"query": "up"})), "make another metric of query"),
        (&fine, success(&json!({"period": "2m"})), "remove period"),
        (&fine, success(&json!({"count": 2})), "remove count"),
        (&fine, success(&json!({"initialDelay": "2m"})), "remove initialDelay"),
        (&fine, success(&of(json!({"every": "2m"}))), "compare.every is 2m"),
        (&fine, success(&of(json!({"hiccup": "soon"}))), "compare.hiccup is \"soon\""),
        (&fine, success(&of(json!({"worse": {"ratio": 0.5}}))), "compare.worse.ratio is 0.5"),
        (&fine, success(&of(json!({"worse": {"above": 101}}))), "compare.worse.above is 101"),
        (&fine, success(&of(json!({"worse": {"above": 0}}))), "or that is not above 0"),
        (&fine, success(&of(json!({"noWorse": {"ratio": 1.2}}))), "compare.noWorse.ratio 1.2 is below"),
        (&fine, success(&of(json!({"noWorse": {"below": 0.05}}))), "compare.noWorse.below 0.05 is below"),
        (&fine, success(&of(json!({"warmup": {"times": 0}}))), "compare.warmup.times is 0"),
        (&fine, success(&of(json!({"bursts": 0}))), "compare.bursts is 0"),
        (&fine, success(&of(json!({"bursts": "history"}))), "compare.bursts is \"history\""),
        (&fine, success(&of(json!({"afterwards": "promote"}))), "set that as well"),
    ];
    for (spec, metrics, part) in cases {
        let faults = refused(spec, metrics.clone());
        let [fault] = faults.as_slice() else { panic!("{metrics}: {faults:?}") };
        assert!(fault.starts_with("spec.analysis.metrics[") && fault.contains(part), "{fault}");
    }
}

fn said(compare: &Value, looks: &[[u64; 4]]) -> (CompareVerdict, String) {
    let comparing = read(compare);
    let mut evidence = Evidence::new(comparing.known);
    let mut last = Tally::default();
    for [n, bad, m, failed] in looks {
        let (canary, primary) = (Counts { all: *n, bad: *bad }, Counts { all: *m, bad: *failed });
        last = Tally { canary, primary };
        evidence.look(&comparing.settings, &Look { canary, primary, seconds: 15.0 });
    }
    let found = compared(&comparing, &evidence, &last);
    assert_eq!(Evidence::of_text(&found.state).unwrap().to_text(), evidence.to_text());
    (found.verdict.unwrap(), found.message)
}

#[test]
fn each_verdict_is_one_sentence() {
    let one = json!({"bursts": 1, "warmup": {"for": "0s"}});
    let worse = said(&one, &[[150, 150, 1350, 1], [148, 148, 1361, 2]]);
    assert_eq!(
        worse,
        (
            CompareVerdict::Worse,
            "Worse: 100 % of 298 requests failed, on the primary 0.11 % of 2 711: 904 times as often, tolerated are 1.5 times or \
             0.1 %; evidence 201, asked for is 100"
                .into()
        )
    );
    let no_worse = said(&one, &[[750, 0, 6750, 1]; 4]);
    assert_eq!(no_worse.0, CompareVerdict::NoWorse, "{}", no_worse.1);
    assert!(
        no_worse.1.starts_with(
            "No worse: 0 % of 3 000 requests failed, on the primary 0.015 % of 27 000: less than 0.5 %, or than 2 times; evidence "
        ),
        "{}",
        no_worse.1
    );
    let undecided = said(&one, &[[10, 0, 90, 0]]);
    assert!(
        undecided.0 == CompareVerdict::Undecided
            && undecided
                .1
                .starts_with("Undecided: 0 % of 10 requests failed, on the primary 0 % of 90; evidence"),
        "{undecided:?}"
    );
    let held = said(&one, &[[150, 0, 1350, 1], [150, 7, 1350, 66]]);
    assert_eq!(held.0, CompareVerdict::Held);
    assert!(held.1.starts_with("Held: the primary itself fails at 4.9 %"), "{}", held.1);
    let none = said(&one, &[[0, 0, 1350, 1]]);
    assert_eq!(
        none,
        (CompareVerdict::Undecided, "Undecided: the canary has had no requests that were counted".into())
    );
    let lonely = said(&one, &[[100, 0, 0, 0]]);
    assert!(lonely.1.contains("the primary has had no requests"), "{}", lonely.1);
    assert!(said(&json!({}), &[[150, 0, 1350, 1]]).1.contains("still warming up"));
}

#[test]
fn with_defaults_a_release_that_never_fails_is_found_no_worse() {
    let looks = [[150, 0, 1350, 0]; 100];
    let (verdict, text) = said(&json!({}), &looks);
    assert_eq!(verdict, CompareVerdict::NoWorse, "{text}");
    assert_eq!(said(&json!({}), &looks[..50]).0, CompareVerdict::Undecided);
    // unknown assumes nothing, so nothing is found as long as nothing fails
    let (verdict, text) = said(&json!({"bursts": "unknown"}), &looks);
    assert_eq!(verdict, CompareVerdict::Undecided);
    assert!(text.ends_with("with compare.bursts unknown only failures are evidence of that"), "{text}");
    assert!(read(&json!({})).wanted().ends_with("failures at a time: unknown, at most 10 for no worse"));
    assert!(read(&json!({"bursts": "unknown"})).wanted().ends_with("failures at a time: unknown"));
}

fn advised(fields: &Value, metrics: Value) -> Vec<String> {
    let c = canary(fields);
    let checks = Checks { metrics: serde_json::from_value(metrics).unwrap(), ..Checks::default() };
    let asks = asks(&c, &checks, router::by_name(&c.provider).unwrap().queries());
    check(&c, &checks, &asks).1
}

#[test]
fn a_comparison_that_works_but_probably_not_as_intended_is_named() {
    let fine = json!({"analysis": weights()});
    let of = |compare: Value| success(&json!({"compare": compare}));
    for compare in [json!({}), json!({"bursts": 20}), json!({"bursts": "unknown", "decideWithin": "1h"})] {
        assert_eq!(advised(&fine, of(compare.clone())), [] as [&str; 0], "{compare}");
    }
    let why = advised(&fine, of(json!({"bursts": "unknown"})));
    assert!(
        why.len() == 1 && why[0].contains("give bursts a number") && why[0].contains("decideWithin"),
        "{why:?}"
    );
    let dry = success(&json!({"compare": {"bursts": "unknown"}, "dryRun": true}));
    assert!(advised(&fine, dry).iter().all(|why| !why.contains("bursts")));
    for field in ["always", "never"] {
        let mut pinned = fine.clone();
        pinned["analysis"][field] = json!([{"headers": {"x-tester": {"exact": "1"}}}]);
        let why = advised(&pinned, of(json!({})));
        assert!(why.len() == 1 && why[0].contains(&format!("spec.analysis.{field}")), "{field}: {why:?}");
    }
}
