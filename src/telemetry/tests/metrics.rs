use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::json;

use crate::{
    api::CanaryStatus,
    telemetry::{CATALOG, Ended, Outcome, Shown, buckets::DEFAULT, metrics::Metrics},
};

fn lines(metrics: &Metrics) -> Vec<String> {
    metrics.exposition().lines().map(String::from).collect()
}

#[track_caller]
fn has(metrics: &Metrics, line: &str) {
    assert!(lines(metrics).iter().any(|l| l == line), "no line {line} in:\n{}", metrics.exposition());
}

#[test]
fn rollouts_are_reported_under_flaggers_names() {
    let metrics = Metrics::new("istio");
    metrics.set_status("podinfo", "test", 2);
    metrics.set_weight("podinfo", "test", 90, 10);
    metrics.set_analysis("podinfo", "test", "request-success-rate", 99.5);
    metrics.observe_check("podinfo", "test", 0.2);
    metrics.success("podinfo", "test", "canary", "completed");
    metrics.failure("podinfo", "test", "blue-green", "skipped");
    metrics.set_total("test", 3);
    let version = env!("CARGO_PKG_VERSION");
    for line in [
        &format!("flagger_info{{version=\"{version}\",mesh_provider=\"istio\"}} 1"),
        "# TYPE flagger_canary_total gauge",
        "flagger_canary_total{namespace=\"test\"} 3",
        "flagger_canary_status{name=\"podinfo\",namespace=\"test\"} 2",
        "flagger_canary_weight{workload=\"podinfo-primary\",namespace=\"test\"} 90",
        "flagger_canary_weight{workload=\"podinfo\",namespace=\"test\"} 10",
        "flagger_canary_metric_analysis{name=\"podinfo\",namespace=\"test\",metric=\"request-success-rate\"} 99.5",
        "flagger_canary_duration_seconds_bucket{le=\"0.25\",name=\"podinfo\",namespace=\"test\"} 1",
        "flagger_canary_successes_total{name=\"podinfo\",namespace=\"test\",deployment_strategy=\"canary\",analysis_status=\"completed\"} 1",
        "flagger_canary_failures_total{name=\"podinfo\",namespace=\"test\",deployment_strategy=\"blue-green\",analysis_status=\"skipped\"} 1",
    ] {
        has(&metrics, line);
    }
}

#[test]
fn the_operator_reports_itself() {
    let metrics = Metrics::new("istio");
    metrics.queried("prometheus", "answered", Duration::from_millis(20));
    metrics.set_undecodable("Canary", 2);
    metrics.stepped_late_by(Duration::from_secs(2));
    metrics.event_dropped();
    for line in [
        &format!("serin_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")),
        "serin_source_query_seconds_count{source=\"prometheus\",outcome=\"answered\"} 1",
        "serin_undecodable_objects{kind=\"Canary\"} 2",
        "serin_step_lateness_seconds_bucket{le=\"5.0\"} 1",
        "serin_events_dropped_total 1",
        "# EOF",
    ] {
        has(&metrics, line);
    }
}

/// `increase` does not see the first value of a series: without a zero, the first outcome would raise no alert.
#[test]
fn every_outcome_of_a_reconcile_is_there_before_it_happens() {
    let metrics = Metrics::new("istio");
    for outcome in ["applied", "waiting", "settled", "failed", "quarantined"] {
        has(&metrics, &format!("serin_reconcile_total{{outcome=\"{outcome}\"}} 0"));
    }
}

#[test]
fn a_deleted_canary_leaves_no_series_and_others_stay() {
    let metrics = Metrics::new("istio");
    for target in ["podinfo", "other"] {
        metrics.set_status(target, "test", 1);
        metrics.set_weight(target, "test", 100, 0);
        metrics.set_analysis(target, "test", "error-rate", 0.1);
        metrics.observe_check(target, "test", 0.1);
        metrics.success(target, "test", "canary", "completed");
        metrics.failure(target, "test", "canary", "completed");
    }
    metrics.forget("podinfo", "test");
    let text = metrics.exposition();
    assert!(!text.contains("podinfo"), "{text}");
    assert_eq!(text.matches("\"other\"").count(), 5 + DEFAULT.len() + 3, "{text}");
}

#[test]
fn an_emptied_namespace_is_zero_once_and_then_gone() {
    let metrics = Metrics::new("istio");
    metrics.set_total("a", 1);
    metrics.set_total("b", 2);
    metrics.set_total("a", 0);
    has(&metrics, "flagger_canary_total{namespace=\"a\"} 0");
    assert!(!metrics.exposition().contains("namespace=\"a\""));
    has(&metrics, "flagger_canary_total{namespace=\"b\"} 2");
    metrics.set_total("a", 0);
    metrics.set_total("a", 1);
    metrics.exposition();
    has(&metrics, "flagger_canary_total{namespace=\"a\"} 1");
}

#[test]
fn c24_a_kind_that_is_not_seen_is_shown_until_it_is_seen_again() {
    let metrics = Metrics::new("istio");
    let kind = "endpointslices.discovery.k8s.io";
    metrics.set_stale(&[kind.to_owned()].into());
    has(&metrics, &format!("serin_stale_kinds{{kind=\"{kind}\"}} 1"));
    metrics.set_stale(&[].into());
    has(&metrics, &format!("serin_stale_kinds{{kind=\"{kind}\"}} 0"));
}

#[test]
fn c43_a_namespace_is_never_shown_as_empty_while_it_is_counted() {
    let metrics = Metrics::new("istio");
    metrics.set_total("a", 1);
    std::thread::scope(|scope| {
        let counting = scope.spawn(|| (0..20_000).for_each(|_| metrics.set_total("a", 1)));
        while !counting.is_finished() {
            has(&metrics, "flagger_canary_total{namespace=\"a\"} 1");
        }
    });
}

fn status() -> CanaryStatus {
    let at = "2026-01-01T00:00:30Z";
    serde_json::from_value(json!({
        "phase": "WaitingPromotion", "canaryWeight": 20, "failedChecks": 1, "nextCheck": "2026-01-01T00:00:40Z",
        "conditions": [{"type": "Paused", "status": "True", "reason": "Gate", "message": "m", "lastTransitionTime": at}],
        "step": {"index": 2, "weight": 40}, "run": {"started": "2026-01-01T00:00:00Z", "number": 2},
        "waiting": {"since": at},
        "metrics": [
            {"name": "request-duration", "unit": "ms", "range": {"max": 500.0}, "value": "420", "outcome": "Pass"},
            {"name": "errors", "range": {"min": 0.5, "max": 2.0}, "value": "3", "primary": "1", "outcome": "Fail", "failed": 1,
             "compare": {"verdict": "Undecided", "evidence": 1.5, "evidenceNoWorse": 12.0}},
        ],
        "lastRun": {
            "name": "app-1", "number": 1, "revision": "a", "outcome": "RolledBack", "reason": "ThresholdReached",
            "message": "m", "failedChecks": 3, "started": "2026-01-01T00:00:00Z", "ended": "2026-01-01T00:00:10Z",
        },
    }))
    .unwrap()
}

fn shown(status: &CanaryStatus) -> Shown<'_> {
    let plan = Some((5, 3));
    Shown { namespace: "test", canary: "app", target: "podinfo", status, plan, live: Some(20) }
}

/// Every metric of the catalogue, with a value.
fn all() -> Metrics {
    let metrics = Metrics::new("istio");
    let status = status();
    metrics.show(shown(&status));
    let ended = Ended { strategy: "canary", outcome: "RolledBack", reason: "ThresholdReached" };
    metrics.run_ended(shown(&status), ended, Duration::from_secs(100), Some(Duration::from_secs(40)));
    metrics.set_total("test", 1);
    metrics.set_stale(&["services.".to_owned()].into());
    metrics.set_status("podinfo", "test", 1);
    metrics.set_weight("podinfo", "test", 100, 0);
    metrics.set_analysis("podinfo", "test", "error-rate", 0.1);
    metrics.observe_check("podinfo", "test", 0.1);
    metrics.success("podinfo", "test", "canary", "completed");
    metrics.failure("podinfo", "test", "canary", "completed");
    metrics.queried("prometheus", "answered", Duration::ZERO);
    metrics.set_undecodable("Canary", 0);
    metrics.alerted("slack", "sent");
    metrics.watch_seen("services.", Timestamp::UNIX_EPOCH);
    metrics.watch_interrupted("services.");
    metrics.hooks.called("rollout", "yes");
    metrics.api.answered("get", "pods".to_owned(), Some(200), Duration::ZERO);
    metrics.reconciled(Outcome::Settled, Duration::ZERO);
    metrics
}

#[test]
fn what_is_exported_and_the_catalogue_agree_both_ways() {
    let text = all().exposition();
    let mut exported: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    let (mut name, mut kind) = (String::new(), String::new());
    for line in text.lines() {
        if let Some((bare, of)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            name = if of == "counter" { format!("{bare}_total") } else { bare.to_owned() };
            of.clone_into(&mut kind);
        } else if !line.starts_with('#') {
            let labels =
                line.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map_or("", |(all, _)| all);
            let names =
                labels.split("\",").filter_map(|pair| pair.split_once('=')).map(|(name, _)| name.to_owned());
            let names = names.filter(|name| name != "le").collect();
            exported.insert(name.clone(), (kind.clone(), names));
        }
    }
    let described: BTreeMap<String, (String, Vec<String>)> = CATALOG
        .iter()
        .map(|one| {
            let labels = one.labels.iter().map(|label| (*label).to_owned()).collect();
            (one.name.to_owned(), (one.kind.to_owned(), labels))
        })
        .collect();
    assert_eq!(exported, described);
}

#[test]
fn a_canary_is_shown_as_its_status_says() {
    let metrics = all();
    let own = "namespace=\"test\",canary=\"app\",name=\"podinfo\"";
    for line in [
        format!("serin_canary_phase{{{own},phase=\"WaitingPromotion\"}} 1.0"),
        format!("serin_canary_weight{{{own},kind=\"wanted\"}} 40.0"),
        format!("serin_canary_weight{{{own},kind=\"live\"}} 20.0"),
        format!("serin_run_steps{{{own}}} 5.0"),
        format!("serin_run_failed_checks_limit{{{own}}} 3.0"),
        format!("serin_run_next_check_timestamp_seconds{{{own}}} 1767225640.0"),
        format!("serin_canary_metric_value{{{own},metric=\"request-duration\",side=\"canary\"}} 0.42"),
        format!("serin_canary_metric_limit{{{own},metric=\"request-duration\",bound=\"max\"}} 0.5"),
        format!("serin_canary_metric_value{{{own},metric=\"errors\",side=\"primary\"}} 1.0"),
        format!("serin_canary_metric_verdict{{{own},metric=\"errors\"}} 0.0"),
        format!(
            "serin_runs_total{{{own},strategy=\"canary\",outcome=\"RolledBack\",reason=\"ThresholdReached\"}} 1"
        ),
        "serin_run_exposure_seconds_bucket{le=\"60.0\",outcome=\"RolledBack\"} 1".to_owned(),
    ] {
        has(&metrics, &line);
    }
}

#[test]
fn nothing_is_left_of_a_deleted_canary() {
    let metrics = all();
    metrics.forget("podinfo", "test");
    metrics.forget_canary("test", "app");
    metrics.set_total("test", 0);
    metrics.exposition();
    let text = metrics.exposition();
    let left: Vec<&str> = text.lines().filter(|line| line.contains("=\"test\"")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(text.contains("serin_run_duration_seconds_count"), "what is not of one Canary stays");
}
