use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    api::Canary,
    backtest::{Cell, Past, Random, Report, Wanted, over},
};

const EVERY: f64 = 15.0;

fn canary(analysis: &Value) -> Canary {
    let mut whole = json!({"interval": "1m", "threshold": 1, "stepWeights": [20, 50]});
    json_patch::merge(&mut whole, analysis);
    if analysis.get("steps").is_some() {
        json_patch::merge(&mut whole, &json!({"stepWeights": null}));
    }
    serde_json::from_value(json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": "shop", "namespace": "test"},
        "spec": {
            "provider": "istio", "service": {"port": 80}, "analysis": whole,
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"},
        },
    }))
    .unwrap()
}

fn success(min: f64) -> Value {
    json!({"metrics": [{"name": "request-success-rate", "thresholdRange": {"min": min}}]})
}

fn compared() -> Value {
    json!({"metrics": [{"name": "request-success-rate", "compare": {"bursts": 1, "every": "30s"}}]})
}

/// A day of ten pods with ten requests a second each, of which `failing` fail.
fn day(failing: impl Fn(usize) -> f64) -> Past {
    let looks = (86_400.0 / EVERY) as usize;
    let pod = |pod: u64| -> Vec<Cell> {
        let mut random = Random::new(3, pod);
        (0..looks).map(|look| Some((150, random.binomial(150, failing(look)) as u32))).collect()
    };
    Past { every: EVERY, step: 60.0, pods: (0..10).map(pod).collect(), ..Past::default() }
}

fn wanted(replays: usize) -> Wanted {
    Wanted { over: Duration::from_secs(86_400), replays, seed: 1, prometheus: None }
}

fn report(analysis: &Value, past: &Past, replays: usize) -> Report {
    over(&canary(analysis), past, &wanted(replays)).unwrap()
}

#[test]
#[ignore = "takes a minute: make backtests"]
fn a_service_that_always_fails_a_little_shows_which_threshold_it_can_keep() {
    let past = day(|_| 0.01);
    let strict = report(&success(99.5), &past, 50);
    assert!(strict.as_configured.rolled_back > 90.0 && !strict.within, "{strict}");
    assert_eq!(strict.as_configured.by[0].0, "request-success-rate");
    let suggested = &strict.suggestions[0];
    assert!(suggested.change.starts_with("metrics[request-success-rate].thresholdRange.min: 9"), "{strict}");
    let lenient: f64 = suggested.change.split([':', '%']).nth(1).unwrap().trim().parse().unwrap();
    assert!((96.0..98.9).contains(&lenient), "{strict}");
    assert!(suggested.rolled_back <= 1.0 && suggested.present.as_deref() == Some("99.5 %"), "{strict}");
    let lenient = report(&success(90.0), &past, 50);
    assert!(lenient.as_configured.rolled_back == 0.0 && lenient.within, "{lenient}");
    assert!(lenient.as_configured.promoted_after.is_some_and(|after| after >= 120.0), "{lenient}");
}

#[test]
#[ignore = "takes a minute: make backtests"]
fn a_comparison_finds_worse_releases_sooner_the_worse_they_are_and_no_release_that_is_the_same() {
    let found = report(&compared(), &day(|_| 0.005), 50);
    assert!(found.as_configured.rolled_back == 0.0, "{found}");
    assert!(found.within && found.interval.0 == 0.0 && found.interval.1 < 10.0, "{found}");
    let after = |times: f64| found.worse.iter().find(|worse| (worse.times - times).abs() < 0.5).unwrap();
    assert!((after(10.0).failing - 5.0).abs() < 0.5, "{found}");
    assert!(after(10.0).found > 99.0 && after(100.0).found > 99.0, "{found}");
    assert!(after(100.0).after <= after(10.0).after && after(100.0).after.is_some(), "{found}");
    assert!(found.thresholds_alone.is_some(), "thresholds are played on the same times");
}

#[test]
#[ignore = "takes a minute: make backtests"]
fn an_incident_of_all_pods_is_a_false_alarm_of_thresholds_and_not_of_a_comparison() {
    // an incident of ten minutes each hour
    let past = day(|look| if look % 240 < 40 { 0.2 } else { 0.001 });
    let alone = report(&success(99.0), &past, 50);
    assert!(alone.as_configured.rolled_back > 5.0 && !alone.within, "{alone}");
    let found = report(&compared(), &past, 50);
    assert!(found.as_configured.rolled_back == 0.0 && found.within, "{found}");
}

#[test]
#[ignore = "takes a minute: make backtests"]
fn the_same_seed_plays_the_same() {
    let past = day(|_| 0.01);
    let of = |seed| over(&canary(&success(98.9)), &past, &Wanted { seed, ..wanted(50) }).unwrap();
    assert_eq!(of(1), of(1));
    assert_ne!(of(1).as_configured, of(2).as_configured);
}

#[test]
fn too_few_replays_are_no_answer() {
    let mut past = day(|_| 0.01);
    let few = over(&canary(&success(99.0)), &past, &wanted(49)).unwrap_err();
    assert!(few.starts_with("49 independent replays are too few") && few.contains("--replays"), "{few}");
    for pod in &mut past.pods {
        pod.truncate(4 * 60);
    }
    let short = over(&canary(&success(99.0)), &past, &wanted(400)).unwrap_err();
    assert!(short.contains("--over"), "{short}");
    let mut busy = day(|_| 0.01);
    busy.left_out.push(0..busy.looks());
    let none = over(&canary(&success(99.0)), &busy, &wanted(50)).unwrap_err();
    assert!(none.starts_with("only 0 of 50 replays could be played: runs"), "{none}");
}

#[test]
#[ignore = "takes a minute: make backtests"]
fn without_pods_requests_are_dealt_out_and_that_is_said() {
    let whole = day(|_| 0.005);
    let sum = |look: usize| {
        let cells = whole.pods.iter().filter_map(|pod| pod[look]);
        cells.fold((0, 0), |(all, bad), cell| (all + cell.0, bad + cell.1))
    };
    let one: Vec<Cell> = (0..whole.looks()).map(|look| Some(sum(look))).collect();
    let found = report(&compared(), &Past { pods: vec![one], ..whole.clone() }, 50);
    assert_eq!((found.past.pods, found.as_configured.rolled_back), (None, 0.0), "{found}");
    assert!(found.notes.iter().any(|note| note.contains("dealt out")), "{found}");
}

#[test]
fn metrics_without_counters_are_read_for_the_primary() {
    let values: Vec<Vec<f64>> = (0..1440).map(|at| vec![if at % 10 < 3 { 700.0 } else { 300.0 }]).collect();
    let past = Past { values: [(0, values)].into(), step: 60.0, every: EVERY, ..Past::default() };
    let slow = |max: f64| json!({"metrics": [{"name": "request-duration", "thresholdRange": {"max": max}}]});
    let strict = report(&slow(500.0), &past, 50);
    assert!(strict.as_configured.rolled_back > 10.0, "{strict}");
    assert_eq!(strict.suggestions[0].change, "metrics[request-duration].thresholdRange.max: 700 ms");
    assert!(strict.worse.is_empty() && strict.notes[0].contains("not counted"), "{strict}");
    assert!(report(&slow(700.0), &past, 50).as_configured.rolled_back == 0.0);
}

#[test]
fn what_cannot_be_played_is_named() {
    let mut analysis = success(99.0);
    let beside = json!({"name": "mine", "query": "up{app=\"{{ target }}\"}", "successCondition": "canary[0] <= primary[0]"});
    analysis["metrics"].as_array_mut().unwrap().push(beside);
    let found = report(&analysis, &day(|_| 0.001), 50);
    assert!(
        found.not_played[0].starts_with("metric mine: its condition compares with the primary"),
        "{found}"
    );
    analysis["metrics"].as_array_mut().unwrap().remove(0);
    let none = over(&canary(&analysis), &day(|_| 0.001), &wanted(50)).unwrap_err();
    assert!(none.starts_with("nothing of this analysis can be played: metric mine"), "{none}");
}

#[test]
fn a_spec_that_the_operator_refuses_is_not_played() {
    let analysis = json!({"metrics": [{"name": "request-success-rate", "compare": {"bursts": 0}}]});
    let why = over(&canary(&analysis), &day(|_| 0.001), &wanted(50)).unwrap_err();
    assert!(why.contains("compare.bursts is 0"), "{why}");
}

#[test]
fn gates_and_webhooks_do_not_stop_a_replay() {
    let mut analysis = success(90.0);
    json_patch::merge(
        &mut analysis,
        &json!({
            "steps": [{"weight": 10, "gate": {}}, {"weight": 50, "hold": "3m"}],
            "webhooks": [{"name": "ask", "type": "confirm-promotion", "url": "http://ask.test/"}],
            "windows": [{"from": "09:00", "to": "09:01"}],
        }),
    );
    let found = report(&analysis, &day(|_| 0.001), 50);
    assert_eq!((found.as_configured.undecided, found.as_configured.rolled_back), (0.0, 0.0), "{found}");
    assert!(
        found.as_configured.promoted_after.is_some_and(|after| (240.0..400.0).contains(&after)),
        "{found}"
    );
}

#[test]
fn what_does_not_tell_the_primary_from_the_canary_is_not_played() {
    let of = |provider: &str, analysis: &Value| {
        let mut canary = canary(analysis);
        canary.spec.provider = Some(provider.to_owned());
        let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "shop"});
        canary.spec.ingress_ref = serde_json::from_value(ingress).unwrap();
        over(&canary, &Past::default(), &wanted(1)).err().unwrap_or_default()
    };
    for metric in [
        json!({"name": "request-success-rate", "thresholdRange": {"min": 99}}),
        json!({"name": "request-duration", "thresholdRange": {"max": 500}}),
    ] {
        let why = of("nginx", &json!({"metrics": [metric]}));
        let wanted = "the numbers of provider nginx do not tell the primary";
        assert!(why.contains("nothing of this analysis can be played") && why.contains(wanted), "{why}");
    }
    // a text of the user's that names the canary's Service reads nothing of the past either
    let own = json!({"metrics": [
        {"name": "mine", "query": "sum(rate(x{service=\"{{ service }}-canary\"}[1m]))", "thresholdRange": {"max": 1}},
    ]});
    assert!(of("istio", &own).contains("its query names shop-canary"), "{}", of("istio", &own));
    let compare = json!({"metrics": [{"name": "request-success-rate", "compare": {"bursts": 1}}]});
    assert!(of("linkerd", &compare).contains("compare is not served with provider linkerd"));
}

#[test]
fn a_primary_has_no_requests_while_all_go_to_the_canary() {
    let past = day(|_| 0.5);
    let mut cast = past.cast(10, 1, Random::new(1, 1)).unwrap();
    let (canary, primary) = past.sides(&mut cast, 0, 1.0);
    assert_eq!((canary.all, primary.all), (1500, 0));
}
