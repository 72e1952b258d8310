use serde_json::{Value, json};

use super::*;

fn of(analysis: &Value, rest: &Value) -> PlanView {
    let mut spec = json!({
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"},
        "service": {"port": 80}, "provider": "istio", "analysis": analysis,
    });
    for (field, value) in rest.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    let canary = json!({"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": "app", "namespace": "shop"}, "spec": spec});
    let plan = plan(&serde_json::from_value(canary).unwrap()).unwrap();
    let view = serde_json::to_value(&plan).unwrap();
    assert_eq!(crate::schema::violations(&view), Vec::<String>::new());
    plan
}

fn rate() -> Value {
    json!({"name": "request-success-rate", "thresholdRange": {"min": 99}})
}

#[test]
fn steps_last_until_the_first_look_after_their_hold() {
    let steps = json!([{"weight": 10}, {"weight": 20, "hold": "90s", "gate": {"name": "qa", "deadline": "8h"}}, {"weight": 50, "hold": "2m"}]);
    let plan =
        of(&json!({"interval": "1m", "threshold": 5, "steps": steps, "metrics": [rate()]}), &json!({}));
    let times: Vec<_> = plan.steps.iter().map(|s| (s.weight, s.lasts_seconds, s.over_at_seconds)).collect();
    assert_eq!(times, [(10, 60.0, 60.0), (20, 120.0, 180.0), (50, 120.0, 300.0)]);
    assert_eq!(
        plan.promotion,
        Promotion { earliest_seconds: 300.0, waits_for: vec!["gate qa".into()], held_by: None }
    );
    let gate = plan.steps[1].gate.as_ref().unwrap();
    assert_eq!((gate.deadline_seconds, gate.on_deadline), (Some(28_800.0), "rollback"));
}

#[test]
fn a_failing_version_stays_at_the_first_weight_at_which_it_fails() {
    let plan = of(
        &json!({"interval": "1m", "threshold": 5, "stepWeight": 10, "maxWeight": 50, "metrics": [rate()]}),
        &json!({}),
    );
    let rollback = plan.rollback.unwrap();
    assert_eq!((rollback.earliest_seconds, rollback.weight, rollback.at_step), (300.0, 10, 1));
    // a tenth of five minutes
    assert!((rollback.exposure_seconds - 30.0).abs() < 1e-9, "{rollback:?}");
    assert_eq!(rollback.by, "threshold 5");
}

#[test]
fn later_checks_let_the_steps_before_them_pass() {
    let late = json!({"name": "request-success-rate", "thresholdRange": {"min": 99}, "startAtStep": 2, "failureLimit": 1});
    let plan = of(
        &json!({"interval": "1m", "threshold": 9, "stepWeights": [10, 20, 40], "metrics": [late]}),
        &json!({}),
    );
    let rollback = plan.rollback.unwrap();
    assert_eq!((rollback.at_step, rollback.weight, rollback.earliest_seconds), (3, 40, 240.0));
    assert_eq!(rollback.by, "request-success-rate: failureLimit 1");
    assert!((rollback.exposure_seconds - (6.0 + 12.0 + 48.0)).abs() < 1e-9, "{rollback:?}");
}

#[test]
fn a_count_of_measurements_keeps_the_promotion_back() {
    let slow = json!({"name": "request-success-rate", "thresholdRange": {"min": 99}, "initialDelay": "30s", "period": "2m", "count": 4});
    let plan = of(&json!({"interval": "1m", "stepWeights": [50], "metrics": [slow]}), &json!({}));
    assert!((plan.promotion.earliest_seconds - 390.0).abs() < 1e-9);
    assert_eq!(plan.promotion.held_by.as_deref(), Some("request-success-rate"));
}

#[test]
fn waits_and_windows_of_all_strategies_count() {
    let blue_green =
        json!({"interval": "10s", "iterations": 2, "promotion": {"after": "1m"}, "metrics": [rate()]});
    let plan = of(&blue_green, &json!({}));
    // two iterations, and one window with all the traffic
    assert_eq!(plan.steps.iter().map(|s| s.weight).collect::<Vec<_>>(), [0, 0, 100]);
    assert_eq!((plan.promotion.earliest_seconds, plan.strategy), (90.0, "all at once"));
    assert!(plan.rollback.unwrap().exposure_seconds.abs() < 1e-9);
    let skipped = of(&json!({"interval": "10s", "stepWeight": 50}), &json!({"skipAnalysis": true}));
    assert!(skipped.steps.is_empty() && skipped.rollback.is_none());
    assert!(skipped.promotion.earliest_seconds.abs() < 1e-9);
}

#[test]
fn nothing_that_decides_never_rolls_back() {
    let dry = json!({"name": "request-success-rate", "thresholdRange": {"min": 99}, "dryRun": true});
    assert!(
        of(&json!({"interval": "1m", "stepWeight": 50, "metrics": [dry]}), &json!({})).rollback.is_none()
    );
    assert!(of(&json!({"interval": "1m", "stepWeight": 50}), &json!({})).rollback.is_none());
}

#[test]
fn the_provider_that_the_operator_uses_is_that_of_the_plan() {
    let spec = json!({"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"},
        "service": {"port": 80}, "analysis": {"interval": "1m", "threshold": 5, "stepWeight": 10, "maxWeight": 50}});
    let status = json!({"inUse": {"provider": "traefik"}});
    let canary = json!({"apiVersion": "flagger.app/v1beta1", "kind": "Canary",
        "metadata": {"name": "app", "namespace": "shop"}, "spec": spec, "status": status});
    assert_eq!(plan(&serde_json::from_value(canary).unwrap()).unwrap().provider, "traefik");
}
