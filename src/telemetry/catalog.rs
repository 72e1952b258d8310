//! Every metric of the operator: name, kind, labels and help text. Tests compare the exported metrics,
//! `docs/reference/metrics.md`, the boards and the alert rules with this table.

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its exported name, with `_total` for a counter.
    pub name: &'static str,
    /// `gauge`, `counter` or `histogram`.
    pub kind: &'static str,
    /// Its labels, in the order in which they are written.
    pub labels: &'static [&'static str],
    /// Its help text.
    pub help: &'static str,
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Described {
    Described { name, kind: "gauge", labels, help }
}

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Described {
    Described { name, kind: "counter", labels, help }
}

const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Described {
    Described { name, kind: "histogram", labels, help }
}

/// Labels of metrics of one Canary: `name` is its target's, as in Flagger's metrics.
const CANARY: &[&str] = &["namespace", "canary", "name"];

/// All metrics, in the order of the documentation.
pub const CATALOG: &[Described] = &[
    gauge("flagger_info", &["version", "mesh_provider"], "Version and mesh provider of the operator"),
    gauge("flagger_canary_total", &["namespace"], "Canary objects"),
    gauge(
        "flagger_canary_status",
        &["name", "namespace"],
        "Last known status of a canary: 0 running, 1 successful or at rest, 2 failed",
    ),
    gauge("flagger_canary_weight", &["workload", "namespace"], "Percent of traffic to a workload"),
    histogram(
        "flagger_canary_duration_seconds",
        &["name", "namespace"],
        "Time spent on the checks of one analysis window",
    ),
    gauge(
        "flagger_canary_metric_analysis",
        &["name", "namespace", "metric"],
        "Last measured value of an analysis metric",
    ),
    counter(
        "flagger_canary_successes_total",
        &["name", "namespace", "deployment_strategy", "analysis_status"],
        "Rollouts that were promoted",
    ),
    counter(
        "flagger_canary_failures_total",
        &["name", "namespace", "deployment_strategy", "analysis_status"],
        "Rollouts that were rolled back",
    ),
    gauge("serin_canary_phase", &["namespace", "canary", "name", "phase"], "1 for the phase of a Canary"),
    gauge(
        "serin_canary_condition",
        &["namespace", "canary", "name", "type", "status", "reason"],
        "1 for each condition of a Canary",
    ),
    gauge(
        "serin_canary_condition_since_timestamp_seconds",
        &["namespace", "canary", "name", "type", "status", "reason"],
        "Since when a condition has its status",
    ),
    gauge(
        "serin_canary_weight",
        &["namespace", "canary", "name", "kind"],
        "Percent for the canary: wanted, confirmed, and live in the routing object",
    ),
    gauge("serin_run_started_timestamp_seconds", CANARY, "When the run in progress began"),
    gauge("serin_run_step", CANARY, "Step of the run in progress, from 1; 0 before the first"),
    gauge("serin_run_steps", CANARY, "Steps that the run in progress has"),
    gauge("serin_run_failed_checks", CANARY, "Failed checks of the run in progress"),
    gauge("serin_run_failed_checks_limit", CANARY, "Failed checks that end the run in progress"),
    gauge("serin_run_next_check_timestamp_seconds", CANARY, "When the run in progress is looked at next"),
    gauge(
        "serin_run_waiting_since_timestamp_seconds",
        &["namespace", "canary", "name", "phase"],
        "Since when a Canary has been at a gate",
    ),
    gauge(
        "serin_canary_metric_value",
        &["namespace", "canary", "name", "metric", "side"],
        "Last measured value of a metric, of the canary and, where it was asked for, of the primary",
    ),
    gauge(
        "serin_canary_metric_limit",
        &["namespace", "canary", "name", "metric", "bound"],
        "Least and greatest value of a metric that pass",
    ),
    gauge(
        "serin_canary_metric_verdict",
        &["namespace", "canary", "name", "metric"],
        "Last verdict of a metric: 1 pass, 0 fail, -1 no data, -2 inconclusive, -3 error",
    ),
    gauge(
        "serin_canary_metric_failures",
        &["namespace", "canary", "name", "metric"],
        "Failed measurements of a metric in the run",
    ),
    gauge(
        "serin_canary_compare_evidence",
        &["namespace", "canary", "name", "metric", "verdict"],
        "Evidence of a comparison with the primary for a verdict, worse or no_worse; 1 before anything is known",
    ),
    gauge(
        "serin_canary_compare_verdict",
        &["namespace", "canary", "name", "metric"],
        "Last verdict of a comparison with the primary: 1 no worse, 0 worse, -1 undecided, -2 held, -3 not read",
    ),
    gauge(
        "serin_last_run_ended_timestamp_seconds",
        &["namespace", "canary", "name", "run", "outcome", "reason"],
        "When the last run of a Canary ended",
    ),
    counter(
        "serin_runs_total",
        &["namespace", "canary", "name", "strategy", "outcome", "reason"],
        "Runs that have ended",
    ),
    histogram(
        "serin_run_duration_seconds",
        &["outcome", "reason"],
        "Time from the beginning of a run to its end",
    ),
    histogram(
        "serin_run_exposure_seconds",
        &["outcome"],
        "Time from the first request to the canary to the end of a run",
    ),
    gauge("serin_build_info", &["version"], "Version of Serin"),
    counter("serin_reconcile_total", &["outcome"], "Reconciles by how they ended"),
    histogram("serin_reconcile_duration_seconds", &[], "Time one reconcile took"),
    gauge("serin_leader", &[], "1 on the operator that acts, 0 on one that is ready to take over"),
    gauge("serin_queue_depth", &[], "Canaries that are due and wait for their turn"),
    gauge("serin_queue_running", &[], "Canaries that are being worked on"),
    histogram(
        "serin_source_query_seconds",
        &["source", "outcome"],
        "Time one query to a metrics server took",
    ),
    gauge(
        "serin_undecodable_objects",
        &["kind"],
        "Objects that are left alone because they cannot be decoded",
    ),
    gauge(
        "serin_stale_kinds",
        &["kind"],
        "Kinds of which nothing is seen: 1 while their watch is broken for too long",
    ),
    gauge("serin_watch_seen_timestamp_seconds", &["kind"], "When a kind was last known to be up to date"),
    counter("serin_watch_interruptions_total", &["kind"], "Lists and watches that failed"),
    counter(
        "serin_api_requests_total",
        &["verb", "resource", "code"],
        "Requests to the API server; code is `error` where there was no answer",
    ),
    histogram(
        "serin_api_request_duration_seconds",
        &["verb"],
        "Time until the API server answered, watches apart",
    ),
    histogram(
        "serin_step_lateness_seconds",
        &[],
        "Time between the moment a step was due and the moment it was decided",
    ),
    counter("serin_events_dropped_total", &[], "Kubernetes Events that could not be written"),
    counter("serin_alerts_total", &["service", "outcome"], "Alerts by kind of service and outcome"),
    counter(
        "serin_webhook_calls_total",
        &["type", "outcome"],
        "Calls of webhooks, by type and outcome: yes, no, unanswered",
    ),
    counter(
        "serin_event_webhooks_dropped_total",
        &[],
        "Events not told to a webhook because too many were waiting",
    ),
    counter("process_cpu_seconds_total", &[], "Processor time of the process"),
    gauge("process_resident_memory_bytes", &[], "Memory of the process that is in use"),
    gauge("process_virtual_memory_bytes", &[], "Address space of the process"),
    gauge("process_open_fds", &[], "Open files and sockets of the process"),
    gauge("process_max_fds", &[], "How many it may have"),
    gauge("process_threads", &[], "Threads of the process"),
    gauge("process_start_time_seconds", &[], "When the process started"),
];

/// The name of a metric before its encoder appends `_total`, and its help text.
pub(super) fn named(name: &str) -> (&str, &'static str) {
    let found = CATALOG.iter().find(|one| one.name == name);
    let bare = match found {
        Some(Described { kind: "counter", .. }) => name.strip_suffix("_total").unwrap_or(name),
        _ => name,
    };
    // the text of a metric ends without a full stop: the encoder adds one
    (bare, found.map_or("", |one| one.help))
}
