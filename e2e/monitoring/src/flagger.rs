//! Dashboards with the addresses and variables of Flagger's, so that existing links work:
//! `/d/flagger-istio/istio-canary` and `/d/flagger-envoy/envoy-canary`. They show the same data, with both sides of a
//! comparison on one scale.

use crate::{
    board::{Board, Panel},
    query::{one_by, own_over},
};

/// Flagger's dashboard for Istio: `namespace`, `primary` and `canary`.
pub fn istio() -> Board {
    let workloads = "label_values(istio_requests_total{destination_workload_namespace=\"$namespace\"}, destination_workload)";
    Board::new(
        "Istio Canary",
        "flagger-istio",
        "Requests and pods of a primary beside its canary, by what Istio counts.",
    )
    .every("10s", "now-5m")
    .variable(
        "namespace",
        "Namespace",
        "label_values(istio_requests_total, destination_workload_namespace)",
        "",
        false,
    )
    .variable("primary", "Primary", workloads, "/.*-primary$/", false)
    .variable("canary", "Canary", workloads, "/^(?!.*-primary$).*/", false)
    .row("Requests: $primary beside $canary", true, istio_requests())
    .row("Release", true, release("$canary"))
    .row("Pods", true, pods("$primary", "$canary"))
    .row("By source and destination", true, istio_paths())
}

/// Flagger's dashboard for Envoy: `namespace` and `target`.
pub fn envoy() -> Board {
    let clusters =
        "label_values(envoy_cluster_upstream_rq{kubernetes_namespace=\"$namespace\"}, envoy_cluster_name)";
    Board::new(
        "Envoy Canary",
        "flagger-envoy",
        "Requests and pods of a primary beside its canary, by what Envoy counts.",
    )
    .every("10s", "now-5m")
    .variable(
        "namespace",
        "Namespace",
        "label_values(envoy_cluster_upstream_rq, kubernetes_namespace)",
        "",
        false,
    )
    .variable("target", "Target", clusters, "/(.*)-primary$/", false)
    .row("Requests: $target-primary beside $target-canary", true, envoy_requests())
    .row("Release", true, release("$target"))
    .row("Pods", true, pods("$target-primary", "$target"))
}

fn sides(panel: Panel) -> Panel {
    panel.drawn("/-primary$/", "gray", false)
}

const RATE: &str = "Incoming Request Volume";
const SUCCESS: &str = "Incoming Success Rate";

fn istio_requests() -> Vec<Panel> {
    let labels = "reporter=\"destination\",destination_workload_namespace=~\"$namespace\",destination_workload=~\"$primary|$canary\"";
    let rate = |more: &str| {
        format!(
            "sum by (destination_workload) (rate(istio_requests_total{{{labels}{more}}}[$__rate_interval]))"
        )
    };
    let quantile = |quantile: &str| {
        format!(
            "histogram_quantile({quantile}, sum by (le, destination_workload) (rate(istio_request_duration_milliseconds_bucket{{{labels}}}[$__rate_interval]))) / 1000"
        )
    };
    let success = format!("({} or {} * 0) / {}", rate(",response_code!~\"5..\""), rate(""), rate(""));
    vec![
        Panel::stat(RATE, "Requests a second to primary and canary.", "ops")
            .size(12, 4)
            .now(&rate(""), "{{destination_workload}}"),
        Panel::stat(SUCCESS, "Share of the requests without 5xx. Good is 0.99 and more.", "percentunit")
            .size(12, 4)
            .thresholds("red", &[(0.95, "yellow"), (0.99, "green")])
            .now(&success, "{{destination_workload}}"),
        sides(Panel::lines(RATE, "Requests a second, both sides on one scale.", "ops"))
            .over_time(&rate(""), "{{destination_workload}}"),
        sides(Panel::lines(
            SUCCESS,
            "Share of the requests without 5xx, both sides on one scale.",
            "percentunit",
        ))
        .between(0.0, 1.0)
        .over_time(&success, "{{destination_workload}}"),
        sides(Panel::lines("Request Duration", "P50, P90 and P99 of both sides.", "s"))
            .over_time(&quantile("0.5"), "P50 {{destination_workload}}")
            .over_time(&quantile("0.9"), "P90 {{destination_workload}}")
            .over_time(&quantile("0.99"), "P99 {{destination_workload}}"),
    ]
}

fn istio_paths() -> Vec<Panel> {
    let incoming = "reporter=\"destination\",destination_workload_namespace=~\"$namespace\",destination_workload=~\"$primary|$canary\"";
    let outgoing =
        "reporter=\"source\",source_workload_namespace=~\"$namespace\",source_workload=~\"$primary|$canary\"";
    vec![
        Panel::lines("Incoming Requests by Source And Response Code", "Requests by source, and their response codes.", "ops")
            .size(12, 8)
            .over_time(
                &format!(
                    "sum by (destination_workload, source_workload, source_workload_namespace, response_code, connection_security_policy) (rate(istio_requests_total{{{incoming}}}[$__rate_interval]))"
                ),
                "{{destination_workload}}: {{source_workload}}.{{source_workload_namespace}} {{response_code}} {{connection_security_policy}}",
            ),
        Panel::lines("Outgoing Requests by Destination And Response Code", "Requests that primary and canary send. Empty if they send none.", "ops")
            .size(12, 8)
            .over_time(
                &format!(
                    "sum by (source_workload, destination_service, response_code) (rate(istio_requests_total{{{outgoing}}}[$__rate_interval]))"
                ),
                "{{source_workload}}: {{destination_service}} {{response_code}}",
            )
            .empty("no outgoing requests"),
    ]
}

fn envoy_requests() -> Vec<Panel> {
    let labels = "kubernetes_namespace=~\"$namespace\",envoy_cluster_name=~\"$target-(primary|canary)\"";
    let rate = |more: &str| {
        format!(
            "sum by (envoy_cluster_name) (rate(envoy_cluster_upstream_rq{{{labels}{more}}}[$__rate_interval]))"
        )
    };
    let success = format!("({} or {} * 0) / {}", rate(",envoy_response_code!~\"5..\""), rate(""), rate(""));
    vec![
        Panel::stat(RATE, "Requests a second to primary and canary.", "ops").size(12, 4).now(&rate(""), "{{envoy_cluster_name}}"),
        Panel::stat(SUCCESS, "Share of the requests without 5xx. Good is 0.99 and more.", "percentunit")
            .size(12, 4)
            .thresholds("red", &[(0.95, "yellow"), (0.99, "green")])
            .now(&success, "{{envoy_cluster_name}}"),
        sides(Panel::lines(RATE, "Requests a second, both sides on one scale.", "ops")).over_time(&rate(""), "{{envoy_cluster_name}}"),
        sides(Panel::lines(SUCCESS, "Share of the requests without 5xx, both sides on one scale.", "percentunit"))
            .between(0.0, 1.0)
            .over_time(&success, "{{envoy_cluster_name}}"),
        sides(Panel::lines("Incoming Traffic", "Bytes a second that came back from both sides.", "Bps")).over_time(
            &format!("sum by (envoy_cluster_name) (rate(envoy_cluster_upstream_cx_rx_bytes_total{{{labels}}}[$__rate_interval]))"),
            "{{envoy_cluster_name}}",
        ),
    ]
}

/// The operator's metrics about the release of the target in this variable.
fn release(target: &str) -> Vec<Panel> {
    let weight = own_over("", "flagger_canary_weight", &format!("workload=~\"{target}(-primary)?\""), "");
    let analysis = own_over("", "flagger_canary_metric_analysis", &format!("name=\"{target}\""), "");
    vec![
        sides(Panel::lines("Weight", "Percent of the requests that the route gives to each.", "percent"))
            .size(12, 8)
            .stepped()
            .between(0.0, 100.0)
            .over_time(&one_by("workload", &weight), "{{workload}}"),
        Panel::lines(
            "Last measured values",
            "What the analysis measured; request-duration is in seconds.",
            "short",
        )
        .size(12, 8)
        .over_time(&one_by("metric", &analysis), "{{metric}}"),
    ]
}

fn pods(primary: &str, canary: &str) -> Vec<Panel> {
    let of = |prefix: &str, not: &str| format!("namespace=\"$namespace\",pod=~\"{prefix}-.+\"{not}");
    let both = [(of(primary, ""), "primary"), (of(canary, &format!(",pod!~\"{primary}-.+\"")), "canary")];
    let container = ",container!~\"POD|istio-proxy|\"";
    let mut panels = vec![];
    for (labels, side) in &both {
        panels.push(
            Panel::lines(&format!("CPU Usage by Pod: {side}"), "CPU usage of each pod.", "cores").stacked().over_time(
                &format!("sum by (pod) (rate(container_cpu_usage_seconds_total{{cpu=\"total\",{labels}{container}}}[$__rate_interval]))"),
                "{{pod}}",
            ),
        );
        panels.push(
            Panel::lines(&format!("Memory Usage by Pod: {side}"), "Memory usage of each pod.", "bytes")
                .stacked()
                .over_time(
                    &format!("sum by (pod) (container_memory_working_set_bytes{{{labels}{container}}})"),
                    "{{pod}}",
                ),
        );
        panels.push(
            Panel::lines(
                &format!("Network I/O: {side}"),
                "Bytes a second that its pods received and sent; sent ones below zero.",
                "Bps",
            )
            .over_time(
                &format!("sum(rate(container_network_receive_bytes_total{{{labels}}}[$__rate_interval]))"),
                "received",
            )
            .over_time(
                &format!("-sum(rate(container_network_transmit_bytes_total{{{labels}}}[$__rate_interval]))"),
                "transmitted",
            ),
        );
    }
    panels
}
