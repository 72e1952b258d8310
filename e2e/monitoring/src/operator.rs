//! The operator itself.

use crate::board::{Board, Panel};

const JOB: &str = "job=~\"$job\",instance=~\"$instance\"";

/// The dashboard.
pub fn board() -> Board {
    Board::new(
        "Serin / Operator",
        "serin-operator",
        "The operator itself: whether it is up, how punctual it is, and what it uses.",
    )
    .every("30s", "now-6h")
    .variable("job", "Job", "label_values(serin_build_info, job)", "", true)
    .variable("instance", "Instance", "label_values(serin_build_info{job=~\"$job\"}, instance)", "", true)
    .row("Is it up", true, up())
    .row("Work", true, work())
    .row("API server", true, api())
    .row("Metrics servers and notifications", true, notifications())
    .row("Process", true, process())
}

fn m(metric: &str, more: &str) -> String {
    let more = if more.is_empty() { String::new() } else { format!(",{more}") };
    format!("{metric}{{{JOB}{more}}}")
}

fn rate(metric: &str, more: &str) -> String {
    format!("rate({}[$__rate_interval])", m(metric, more))
}

fn quantile(quantile: &str, metric: &str, by: &str) -> String {
    format!("histogram_quantile({quantile}, sum by ({by}) ({}))", rate(metric, ""))
}

fn up() -> Vec<Panel> {
    vec![
        Panel::stat("Version", "The version that is running.", "short")
            .names()
            .now(&format!("max by (version) ({})", m("serin_build_info", "")), "{{version}}")
            .empty("not running"),
        Panel::stat("Mesh provider", "The provider of Canaries that do not name one.", "short")
            .names()
            .now(&format!("max by (mesh_provider) ({})", m("flagger_info", "")), "{{mesh_provider}}"),
        Panel::stat("Replicas", "Operators that are scraped. Good is 1.", "short")
            .thresholds("red", &[(1.0, "green"), (2.0, "red")])
            .now(&format!("count({}) or vector(0)", m("serin_build_info", "")), "replicas"),
        Panel::stat("Up for", "Time since the process started.", "s")
            .now(&format!("time() - max({})", m("process_start_time_seconds", "")), "up"),
        Panel::stat("Quarantined", "Reconciles that ended with an internal error. Good is 0.", "short")
            .thresholds("green", &[(1.0, "red")])
            .now(
                &format!(
                    "sum(increase({}[$__range])) or vector(0)",
                    m("serin_reconcile_total", "outcome=\"quarantined\"")
                ),
                "quarantined",
            ),
        Panel::stat(
            "Undecodable",
            "Objects that are ignored because they cannot be decoded. Good is 0.",
            "short",
        )
        .thresholds("green", &[(1.0, "red")])
        .now(&format!("sum({}) or vector(0)", m("serin_undecodable_objects", "")), "undecodable"),
    ]
}

fn work() -> Vec<Panel> {
    vec![
        Panel::lines(
            "Reconciles by outcome",
            "Reconciles of Canaries by how they ended. Good is none failed.",
            "ops",
        )
        .stacked()
        .over_time(&format!("sum by (outcome) ({})", rate("serin_reconcile_total", "")), "{{outcome}}"),
        Panel::lines(
            "Duration of a reconcile",
            "Mostly the time spent waiting for metrics servers and webhooks.",
            "s",
        )
        .over_time(&quantile("0.5", "serin_reconcile_duration_seconds_bucket", "le"), "P50")
        .over_time(&quantile("0.99", "serin_reconcile_duration_seconds_bucket", "le"), "P99"),
        Panel::lines("Step lateness", "How late steps were decided. Good is below a second.", "s")
            .over_time(&quantile("0.99", "serin_step_lateness_seconds_bucket", "le"), "P99"),
        Panel::lines(
            "Queue",
            "Canaries being reconciled, and those that are due and wait. Good is none waiting.",
            "short",
        )
        .over_time(&format!("sum({})", m("serin_queue_running", "")), "worked on")
        .over_time(&format!("sum({})", m("serin_queue_depth", "")), "waiting"),
        Panel::lines(
            "Age of the caches",
            "Time since each kind was last known to be up to date. Good is below 5 minutes.",
            "s",
        )
        .size(16, 8)
        .over_time(
            &format!("time() - max by (kind) ({})", m("serin_watch_seen_timestamp_seconds", "")),
            "{{kind}}",
        ),
    ]
}

fn api() -> Vec<Panel> {
    vec![
        Panel::lines(
            "Requests",
            "Requests to the API server, without watches. Good while idle is 0.",
            "reqps",
        )
        .over_time(
            &format!("sum by (verb) ({})", rate("serin_api_requests_total", "verb!=\"watch\"")),
            "{{verb}}",
        ),
        Panel::lines(
            "Errors and conflicts",
            "Requests that were not answered with 2xx. A few 409 are normal.",
            "reqps",
        )
        .over_time(
            &format!("sum by (code, resource) ({})", rate("serin_api_requests_total", "code!~\"2..|101\"")),
            "{{code}} {{resource}}",
        )
        .empty("none"),
        Panel::lines(
            "Latency of the API server",
            "Time until the API server answered, 99th percentile.",
            "s",
        )
        .over_time(&quantile("0.99", "serin_api_request_duration_seconds_bucket", "le, verb"), "{{verb}}"),
        Panel::lines("Interrupted lists and watches", "Lists and watches that failed. Good is 0.", "ops")
            .over_time(
                &format!("sum by (kind) ({})", rate("serin_watch_interruptions_total", "")),
                "{{kind}}",
            )
            .empty("none"),
        Panel::states(
            "Kinds that cannot be watched",
            "Kinds whose watch has been broken for more than 20 s. Good is empty.",
        )
        .size(16, 8)
        .over_time(&format!("max by (kind) ({}) > 0", m("serin_stale_kinds", "")), "{{kind}}")
        .empty("none"),
    ]
}

fn notifications() -> Vec<Panel> {
    vec![
        Panel::lines("Queries by source and outcome", "Queries to metrics servers.", "reqps").over_time(
            &format!("sum by (source, outcome) ({})", rate("serin_source_query_seconds_count", "")),
            "{{source}} {{outcome}}",
        ),
        Panel::lines("Latency of queries", "Time that metrics servers took, 99th percentile.", "s")
            .over_time(&quantile("0.99", "serin_source_query_seconds_bucket", "le, source"), "{{source}}"),
        Panel::lines("Webhook calls", "Calls of webhooks, by type and outcome.", "ops")
            .over_time(
                &format!("sum by (type, outcome) ({})", rate("serin_webhook_calls_total", "")),
                "{{type}} {{outcome}}",
            )
            .empty("no webhooks"),
        Panel::lines("Alerts", "Alerts by service and outcome. Good is only sent ones.", "ops")
            .over_time(
                &format!("sum by (service, outcome) ({})", rate("serin_alerts_total", "")),
                "{{service}} {{outcome}}",
            )
            .empty("no alerts"),
        Panel::lines("Dropped", "Kubernetes Events and event webhooks that were dropped. Good is 0.", "ops")
            .over_time(&format!("sum({})", rate("serin_events_dropped_total", "")), "Events")
            .over_time(&format!("sum({})", rate("serin_event_webhooks_dropped_total", "")), "event webhooks"),
    ]
}

fn process() -> Vec<Panel> {
    vec![
        Panel::lines("CPU", "CPU usage of the process.", "cores")
            .over_time(&rate("process_cpu_seconds_total", ""), "{{instance}}"),
        Panel::lines("Memory", "Resident memory of the process.", "bytes")
            .over_time(&m("process_resident_memory_bytes", ""), "{{instance}}"),
        Panel::lines("Open files", "Open files and sockets, and their limit.", "short")
            .over_time(&m("process_open_fds", ""), "open")
            .over_time(&m("process_max_fds", ""), "most"),
        Panel::lines("Threads", "Threads of the process.", "short")
            .over_time(&m("process_threads", ""), "{{instance}}"),
    ]
}
