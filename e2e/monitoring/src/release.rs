//! One release, live.

use crate::{
    board::{Board, Panel},
    query::{one_by, own, own_over, own_rate},
};

const PHASES: [(&str, &str, &str); 3] =
    [("0", "Running", "blue"), ("1", "At rest or promoted", "green"), ("2", "Rolled back", "red")];

/// The dashboard.
pub fn board() -> Board {
    let names = crate::query::anywhere("flagger_canary_status", "");
    let of_namespace = "flagger_canary_status";
    let name = format!(
        "query_result(count by (name) ({of_namespace}{{exported_namespace=\"$namespace\"}} or {of_namespace}{{exported_namespace=\"\",namespace=\"$namespace\"}}))"
    );
    let metric = format!("query_result(count by (metric) ({}))", own("serin_canary_metric_verdict", ""));
    Board::new(
        "Serin / Release",
        "serin-release",
        "One release, live: its progress, what is measured against which limit, and how traffic is split.",
    )
    .every("5s", "now-30m")
    .variable(
        "namespace",
        "Namespace",
        &format!("query_result(count by (namespace) ({names}))"),
        "/namespace=\"([^\"]+)\"/",
        false,
    )
    .variable("name", "Target", &name, "/name=\"([^\"]+)\"/", false)
    .variable("metric", "Metric", &metric, "/metric=\"([^\"]+)\"/", true)
    .choice("reporter", "Istio reporter", &["destination", "source"])
    .marks("promoted", "green", &changed("flagger_canary_successes_total", "name=\"$name\""))
    .marks("rolled back", "red", &changed("flagger_canary_failures_total", "name=\"$name\""))
    .marks(
        "step",
        "gray",
        &own_over("changes", "flagger_canary_weight", "workload=\"$name\"", "[$__interval]"),
    )
    .row("Now", true, [now(), times()].concat())
    .row("Traffic", true, traffic())
    .row("Checks", true, checks())
    .row("Requests (Istio)", true, istio())
    .row("Pods", false, pods())
    .row("History", true, history())
}

fn changed(metric: &str, matchers: &str) -> String {
    own_over("increase", metric, matchers, "[$__rate_interval]")
}

fn now() -> Vec<Panel> {
    vec![
        Panel::stat(
            "Status",
            "Flagger's status of the Canary. Good is green: at rest, or promoted.",
            "short",
        )
        .words(&PHASES)
        .now(&one_by("name", &own("flagger_canary_status", "")), "{{name}}")
        .empty("no Canary of this name"),
        Panel::stat(
            "Phase",
            "The phase of the Canary; Waiting and WaitingPromotion are gates that people open.",
            "short",
        )
        .names()
        .now(&one_by("phase", &own("serin_canary_phase", "")), "{{phase}}"),
        Panel::gauge("Weight", "Percent of the requests that the route gives the canary.", "percent")
            .between(0.0, 100.0)
            .thresholds("blue", &[])
            .now(
                &one_by("workload", &own_over("", "flagger_canary_weight", "workload=\"$name\"", "")),
                "canary",
            ),
        Panel::stat("Step", "Step of the run in progress, from 1; empty at rest.", "short")
            .now(&one_by("name", &own("serin_run_step", "")), "step")
            .now(&one_by("name", &own("serin_run_steps", "")), "of")
            .empty("at rest"),
        Panel::stat("Failed checks", "Failed checks of the run, of those that end it. Good is 0.", "short")
            .thresholds("green", &[(1.0, "yellow")])
            .now(&one_by("name", &own("serin_run_failed_checks", "")), "failed")
            .now(&one_by("name", &own("serin_run_failed_checks_limit", "")), "of")
            .empty("at rest"),
    ]
}

/// How long steps take, and have taken.
fn times() -> Vec<Panel> {
    let age = |metric: &str| format!("time() - {}", one_by("name", &own(metric, "")));
    vec![
        Panel::stat(
            "Next check in",
            "Time until the next check of the run. Empty where that does not depend on time.",
            "s",
        )
        .now(
            &format!("{} - time()", one_by("name", &own("serin_run_next_check_timestamp_seconds", ""))),
            "next",
        )
        .empty("not planned"),
        Panel::stat("Waiting for approval", "How long the run has been at a gate. Good is empty.", "s")
            .thresholds("yellow", &[(3600.0, "orange")])
            .now(&age("serin_run_waiting_since_timestamp_seconds"), "waits")
            .empty("not waiting"),
        Panel::stat("Frozen for", "How long the metrics could not be measured. Good is empty.", "s")
            .thresholds("orange", &[])
            .now(
                &format!(
                    "time() - {}",
                    one_by(
                        "name",
                        &own(
                            "serin_canary_condition_since_timestamp_seconds",
                            "type=\"Frozen\",status=\"True\""
                        )
                    )
                ),
                "frozen",
            )
            .empty("not frozen"),
        Panel::stat("Running for", "How long the run has taken so far, including waits.", "s")
            .now(&age("serin_run_started_timestamp_seconds"), "run")
            .empty("at rest"),
    ]
}

fn traffic() -> Vec<Panel> {
    vec![
        Panel::lines(
            "Weight set and share received",
            "The weight of the step, the weight in the routing object, and the share of the requests that Istio counts. Good is all three equal.",
            "percent",
        )
        .size(12, 8)
        .stepped()
        .between(0.0, 100.0)
        .over_time(&one_by("kind", &own("serin_canary_weight", "")), "{{kind}}")
        .over_time(
            &format!(
                "100 * sum(rate(istio_requests_total{{{ISTIO},destination_workload=\"$name\"}}[$__rate_interval])) / sum(rate(istio_requests_total{{{ISTIO},destination_workload=~\"$name(-primary)?\"}}[$__rate_interval]))"
            ),
            "received (Istio)",
        ),
        Panel::lines("Share of the workloads", "Percent of the requests that the route gives to primary and canary.", "percent")
            .size(12, 8)
            .stepped()
            .stacked()
            .between(0.0, 100.0)
            .drawn("/-primary$/", "gray", false)
            .over_time(
                &one_by("workload", &own_over("", "flagger_canary_weight", "workload=~\"$name(-primary)?\"", "")),
                "{{workload}}",
            ),
        Panel::states("Phase over time", "The phase of the Canary over time.")
            .over_time(&one_by("phase", &own("serin_canary_phase", "")), "{{phase}}"),
        Panel::states("Conditions", "Conditions that need attention while they are present: Frozen, Halted, Paused, Inconclusive, Suspended.")
            .over_time(
                &one_by(
                    "type, reason",
                    &own("serin_canary_condition", "type=~\"Frozen|Halted|Paused|Inconclusive|Suspended|Contested\",status=\"True\""),
                ),
                "{{type}}: {{reason}}",
            )
            .empty("none"),
    ]
}

fn checks() -> Vec<Panel> {
    let limit = |bound: &str| {
        one_by("bound", &own("serin_canary_metric_limit", &format!("metric=\"$metric\",bound=\"{bound}\"")))
    };
    vec![
        Panel::lines(
            "$metric",
            "What was measured of the canary, and of the primary where a condition compares the two, beside the limits. Good is between the dashed lines. Durations are in seconds.",
            "short",
        )
        .repeated("metric")
        .drawn("/^(min|max)$/", "red", true)
        .drawn("/^primary$/", "gray", false)
        .over_time(&one_by("side", &own("serin_canary_metric_value", "metric=\"$metric\"")), "{{side}}")
        .over_time(&limit("min"), "min")
        .over_time(&limit("max"), "max"),
        Panel::states("Verdicts", "Verdict of the last measurement of each metric. Good is green.")
            .words(&[
                ("1", "pass", "green"),
                ("0", "fail", "red"),
                ("-1", "no data", "yellow"),
                ("-2", "inconclusive", "orange"),
                ("-3", "error", "purple"),
            ])
            .over_time(&one_by("metric", &own("serin_canary_metric_verdict", "")), "{{metric}}"),
        Panel::lines("Duration of the checks", "How long the queries of a window took, 95th percentile. Good is far below the interval.", "s")
            .size(12, 8)
            .over_time(
                &format!(
                    "histogram_quantile(0.95, sum by (le) ({}))",
                    own_rate("flagger_canary_duration_seconds_bucket", "")
                ),
                "95 of 100",
            ),
        Panel::lines("Last measured values", "The values under Flagger's names; request-duration is in seconds.", "short")
            .size(12, 8)
            .over_time(&one_by("metric", &own("flagger_canary_metric_analysis", "")), "{{metric}}"),
    ]
}

const ISTIO: &str = "reporter=\"$reporter\",destination_workload_namespace=\"$namespace\"";

fn istio() -> Vec<Panel> {
    let sides = format!("{ISTIO},destination_workload=~\"$name(-primary)?\"");
    let rate = |more: &str| {
        format!(
            "sum by (destination_workload) (rate(istio_requests_total{{{sides}{more}}}[$__rate_interval]))"
        )
    };
    let quantile = |title: &str, quantile: &str| {
        Panel::lines(title, "Request duration, both sides on one scale. Good is the canary no slower than the primary.", "s")
            .drawn("/-primary$/", "gray", false)
            .over_time(
                &format!(
                    "histogram_quantile({quantile}, sum by (le, destination_workload) (rate(istio_request_duration_milliseconds_bucket{{{sides}}}[$__rate_interval]))) / 1000"
                ),
                "{{destination_workload}}",
            )
    };
    vec![
        Panel::lines("Request rate", "Requests a second to both sides.", "reqps")
            .drawn("/-primary$/", "gray", false)
            .over_time(&rate(""), "{{destination_workload}}"),
        Panel::lines("Success rate", "Share of the requests that were not answered with 5xx, both sides on one scale. Good is 1.", "percentunit")
            .between(0.0, 1.0)
            .drawn("/-primary$/", "gray", false)
            .over_time(
                &format!("({} or {} * 0) / {}", rate(",response_code!~\"5..\""), rate(""), rate("")),
                "{{destination_workload}}",
            ),
        Panel::lines("Errors by code", "Requests to the canary that ended with 4xx or 5xx. Good is empty.", "reqps")
            .stacked()
            .over_time(
                &format!(
                    "sum by (response_code, response_flags) (rate(istio_requests_total{{{ISTIO},destination_workload=\"$name\",response_code=~\"[45]..\"}}[$__rate_interval]))"
                ),
                "{{response_code}} {{response_flags}}",
            )
            .empty("none"),
        quantile("P50", "0.5"),
        quantile("P90", "0.9"),
        quantile("P99", "0.99"),
    ]
}

fn pods() -> Vec<Panel> {
    let pods = "namespace=\"$namespace\",pod=~\"$name-.+\",container!~\"POD|istio-proxy|\"";
    vec![
        Panel::lines("CPU by pod", "CPU usage of each pod.", "cores")
            .over_time(&format!("sum by (pod) (rate(container_cpu_usage_seconds_total{{{pods}}}[$__rate_interval]))"), "{{pod}}"),
        Panel::lines("Memory by pod", "Memory usage of each pod.", "bytes")
            .over_time(&format!("sum by (pod) (container_memory_working_set_bytes{{{pods}}})"), "{{pod}}"),
        Panel::lines("Ready pods", "Ready and desired pods of both Deployments.", "short")
            .over_time(
                "sum by (deployment) (kube_deployment_status_replicas_ready{namespace=\"$namespace\",deployment=~\"$name(-primary)?\"})",
                "{{deployment}} ready",
            )
            .over_time(
                "sum by (deployment) (kube_deployment_spec_replicas{namespace=\"$namespace\",deployment=~\"$name(-primary)?\"})",
                "{{deployment}} wanted",
            ),
        Panel::lines("Restarts", "Container restarts. Good is 0.", "short")
            .over_time(
                "sum by (pod) (increase(kube_pod_container_status_restarts_total{namespace=\"$namespace\",pod=~\"$name-.+\"}[$__rate_interval]))",
                "{{pod}}",
            ),
    ]
}

fn history() -> Vec<Panel> {
    vec![
        Panel::table(
            "Last run",
            "How the last run ended, and why. kubectl get crun lists earlier ones.",
            "dateTimeFromNow",
            &["Value #B"],
        )
        .size(24, 6)
        .cells(&format!(
            "1000 * {}",
            one_by("canary, run, outcome, reason", &own("serin_last_run_ended_timestamp_seconds", ""))
        ))
        .empty("no run has ended"),
    ]
}
