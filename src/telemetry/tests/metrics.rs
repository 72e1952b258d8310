use std::{collections::BTreeMap, time::Duration};

use crate::telemetry::metrics::{DEFAULT_BUCKETS, Metrics};

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
    metrics.set_totals(&BTreeMap::from([("test".to_owned(), 3)]));
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
    assert_eq!(text.matches("\"other\"").count(), 5 + DEFAULT_BUCKETS.len() + 3, "{text}");
}

#[test]
fn an_emptied_namespace_is_zero_once_and_then_gone() {
    let metrics = Metrics::new("istio");
    metrics.set_totals(&BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]));
    let left = BTreeMap::from([("b".to_owned(), 2)]);
    metrics.set_totals(&left);
    has(&metrics, "flagger_canary_total{namespace=\"a\"} 0");
    metrics.set_totals(&left);
    assert!(!metrics.exposition().contains("namespace=\"a\""));
    has(&metrics, "flagger_canary_total{namespace=\"b\"} 2");
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
    let totals = BTreeMap::from([("a".to_owned(), 1)]);
    metrics.set_totals(&totals);
    std::thread::scope(|scope| {
        let counting = scope.spawn(|| (0..20_000).for_each(|_| metrics.set_totals(&totals)));
        while !counting.is_finished() {
            has(&metrics, "flagger_canary_total{namespace=\"a\"} 1");
        }
    });
}
