//! Unit tests of the alert rules, for `promtool test rules`: in its case, each rule fires and no other one does, with
//! both possible namespace labels. None fires during a good release, or just below its limit.

use crate::rules::quoted;

struct Case {
    name: String,
    series: Vec<(String, &'static str)>,
    at: &'static str,
    /// Alerts that fire then, with their namespace if they have one.
    firing: Vec<(&'static str, Option<&'static str>)>,
}

/// An alert on one series; what follows a colon tells its cases apart. `{ns}` is replaced by the namespace labels.
fn case(alert: &'static str, series: &[(&str, &'static str)], at: &'static str) -> Vec<Case> {
    let forms = [
        ("", "namespace=\"test\""),
        (" (exported_namespace)", "namespace=\"serin-system\",exported_namespace=\"test\""),
    ];
    let of_canary = series.iter().any(|(name, _)| name.contains("{ns}"));
    let one = |(suffix, labels): (&str, &str)| Case {
        name: format!("{alert}{suffix}"),
        series: series.iter().map(|(name, values)| (name.replace("{ns}", labels), *values)).collect(),
        at,
        firing: vec![(alert.split(':').next().unwrap_or(alert), of_canary.then_some("test"))],
    };
    forms.into_iter().take(if of_canary { 2 } else { 1 }).map(one).collect()
}

fn quiet(name: &str, series: &[(&str, &'static str)], at: &'static str) -> Case {
    let series = series.iter().map(|(name, values)| ((*name).to_owned(), *values)).collect();
    Case { name: name.to_owned(), series, at, firing: vec![] }
}

fn releases() -> Vec<Case> {
    let condition = |type_: &str, status: &str, reason: &str| {
        format!("serin_canary_condition{{{{ns}},canary=\"app\",name=\"app\",type=\"{type_}\",status=\"{status}\",reason=\"{reason}\"}}")
            .replace("{{ns}}", "{ns}")
    };
    let since = "serin_canary_condition_since_timestamp_seconds{{ns},canary=\"app\",name=\"app\",type=\"Paused\",status=\"True\",reason=\"Gate\"}";
    let undecided = "serin_canary_condition_since_timestamp_seconds{{ns},canary=\"app\",name=\"app\",type=\"Inconclusive\",status=\"True\",reason=\"InconclusiveAnalysis\"}";
    let runs = "serin_runs_total{{ns},canary=\"app\",name=\"app\",strategy=\"canary\",outcome=\"RolledBack\",reason=\"ThresholdReached\"}";
    let began = "serin_run_started_timestamp_seconds{{ns},canary=\"app\",name=\"app\"}";
    [
        case("SerinReleaseRolledBack", &[("flagger_canary_status{{ns},name=\"app\"}", "2x20")], "5m"),
        case("SerinReleaseRollsBackOften", &[(runs, "_ 1 2 3 3x60")], "30m"),
        case("SerinReleaseRunsLong", &[(began, "0x400")], "3h"),
        case("SerinReleaseWaitsForPeople", &[(since, "0x400")], "5h"),
        case("SerinReleaseWaitsForPeople: a decision", &[(undecided, "0x400")], "5h"),
        case("SerinReleaseFrozen", &[(&condition("Frozen", "True", "MetricsUnavailable"), "1x60")], "20m"),
        case("SerinCanaryNotAccepted", &[(&condition("Accepted", "False", "TargetMissing"), "1x60")], "20m"),
        case("SerinCapacityShort", &[(&condition("Capacity", "False", "PrimaryBelowFloor"), "1x60")], "10m"),
        case("SerinSuspendedWithoutPods", &[(&condition("Suspended", "True", "NoPods"), "1x60")], "5m"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn operator() -> Vec<Case> {
    [
        case("SerinGone", &[], "15m"),
        case("SerinQuarantined", &[("serin_reconcile_total{outcome=\"quarantined\"}", "0 0 1 1x20")], "10m"),
        case("SerinUndecodable", &[("serin_undecodable_objects{kind=\"Canary\"}", "2x60")], "15m"),
        case("SerinKindNotSeen", &[("serin_stale_kinds{kind=\"services.\"}", "1x60")], "10m"),
        case(
            "SerinWritesFail",
            &[
                ("serin_reconcile_total{outcome=\"failed\"}", "0+2x60"),
                ("serin_reconcile_total{outcome=\"applied\"}", "0+10x60"),
            ],
            "40m",
        ),
        case(
            "SerinStepsLate",
            &[
                ("serin_step_lateness_seconds_bucket{le=\"15.0\"}", "0x60"),
                ("serin_step_lateness_seconds_bucket{le=\"60.0\"}", "0+10x60"),
                ("serin_step_lateness_seconds_bucket{le=\"+Inf\"}", "0+10x60"),
            ],
            "40m",
        ),
        case(
            "SerinMetricsServerFails",
            &[
                (
                    "serin_source_query_seconds_count{source=\"prometheus\",outcome=\"SourceUnreachable\"}",
                    "0+5x60",
                ),
                ("serin_source_query_seconds_count{source=\"prometheus\",outcome=\"answered\"}", "0+5x60"),
            ],
            "40m",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is lost one at a time, the first of its series included.
fn losses() -> Vec<Case> {
    let alerts = "serin_alerts_total{service=\"slack\",outcome=\"failed\"}";
    let (unanswered, yes) = (
        "serin_webhook_calls_total{type=\"rollout\",outcome=\"unanswered\"}",
        "serin_webhook_calls_total{type=\"rollout\",outcome=\"yes\"}",
    );
    let (events, webhooks) = ("serin_events_dropped_total", "serin_event_webhooks_dropped_total");
    [
        case("SerinAlertsLost", &[(alerts, "0+1x60")], "40m"),
        case("SerinAlertsLost: the first", &[(alerts, "_x10 1x60")], "40m"),
        case("SerinAlertsLost: another one", &[(alerts, "1x60 2x60")], "90m"),
        case("SerinAlertsLost: the first after a restart", &[(alerts, "5x60 _x10 1x60")], "90m"),
        case("SerinWebhooksUnanswered", &[(unanswered, "0+1x60"), (yes, "0+1x60")], "40m"),
        case(
            "SerinWebhooksUnanswered: one in half an hour",
            &[(unanswered, "_x10 1x30 2x30 3x30"), (yes, "1x100")],
            "95m",
        ),
        case("SerinEventsDropped", &[(events, "0+1x120"), (webhooks, "0x120")], "1h"),
        case("SerinEventsDropped: at once", &[(events, "0x60 9x120"), (webhooks, "0x180")], "90m"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn leaders() -> Vec<Case> {
    let two = |alert: &'static str, all: &'static str| {
        case(alert, &[("serin_leader{instance=\"a\"}", all), ("serin_leader{instance=\"b\"}", all)], "10m")
    };
    [two("SerinNoLeader", "0x60"), two("SerinSeveralLeaders", "1x60")].into_iter().flatten().collect()
}

/// Each rule has a case just below its limit. The case has the name of the rule.
fn quiet_ones() -> Vec<Case> {
    let own = "namespace=\"test\",canary=\"app\",name=\"app\"";
    let condition = |type_: &str, status: &str, reason: &str| {
        format!("serin_canary_condition{{{own},type=\"{type_}\",status=\"{status}\",reason=\"{reason}\"}}")
    };
    let paused = condition("Paused", "True", "Gate");
    let since = format!(
        "serin_canary_condition_since_timestamp_seconds{{{own},type=\"Paused\",status=\"True\",reason=\"Gate\"}}"
    );
    let frozen = condition("Frozen", "True", "MetricsUnavailable");
    let began = format!("serin_run_started_timestamp_seconds{{{own}}}");
    let runs = format!(
        "serin_runs_total{{{own},strategy=\"canary\",outcome=\"RolledBack\",reason=\"ThresholdReached\"}}"
    );
    let status = "flagger_canary_status{namespace=\"test\",name=\"app\"}";
    vec![
        quiet("SerinReleaseRolledBack: the target is set back at once", &[(status, "2 1x20")], "1m"),
        quiet("SerinReleaseRollsBackOften: two rollbacks within an hour", &[(&runs, "_ 1 2 2x60")], "30m"),
        quiet("SerinReleaseRunsLong: waiting for people", &[(&began, "0x400"), (&paused, "1x400")], "3h"),
        quiet(
            "SerinReleaseRunsLong: waiting for a decision",
            &[(&began, "0x400"), (&condition("Inconclusive", "True", "InconclusiveAnalysis"), "1x400")],
            "3h",
        ),
        quiet("SerinReleaseRunsLong: for an hour", &[(&began, "0x400")], "1h"),
        quiet("SerinReleaseWaitsForPeople: for three hours", &[(&since, "0x400")], "3h"),
        quiet("SerinReleaseFrozen: it goes on soon", &[(&frozen, "1x14 stale")], "15m"),
        quiet(
            "SerinCanaryNotAccepted: fixed soon",
            &[(&condition("Accepted", "False", "TargetMissing"), "1x14 stale")],
            "15m",
        ),
        quiet(
            "SerinCapacityShort: for a moment",
            &[(&condition("Capacity", "False", "PrimaryBelowFloor"), "1x4 stale")],
            "5m",
        ),
        quiet(
            "SerinSuspendedWithoutPods: with pods",
            &[(&condition("Suspended", "True", "Suspended"), "1x60")],
            "30m",
        ),
    ]
    .into_iter()
    .chain(quiet_operator())
    .chain(quiet_neighbours())
    .chain(quiet_counters())
    .collect()
}

fn quiet_operator() -> Vec<Case> {
    let build = "serin_build_info{version=\"2\"}";
    vec![
        quiet("SerinGone: restarted", &[(build, "1x5 stale _x7 1x60")], "14m"),
        quiet(
            "SerinQuarantined: long ago",
            &[("serin_reconcile_total{outcome=\"quarantined\"}", "0 3x60")],
            "30m",
        ),
        quiet(
            "SerinUndecodable: fixed soon",
            &[("serin_undecodable_objects{kind=\"Canary\"}", "2x9 0x60")],
            "12m",
        ),
        quiet(
            "SerinKindNotSeen: for a moment",
            &[("serin_stale_kinds{kind=\"services.\"}", "1x4 0x60")],
            "7m",
        ),
    ]
    .into_iter()
    .chain(quiet_rates())
    .chain(Some(good_release()))
    .collect()
}

fn quiet_rates() -> Vec<Case> {
    vec![
        quiet(
            "SerinWritesFail: one in twenty",
            &[
                ("serin_reconcile_total{outcome=\"failed\"}", "0+1x60"),
                ("serin_reconcile_total{outcome=\"applied\"}", "0+19x60"),
            ],
            "40m",
        ),
        quiet(
            "SerinStepsLate: by a few seconds",
            &[
                ("serin_step_lateness_seconds_bucket{le=\"5.0\"}", "0+9x60"),
                ("serin_step_lateness_seconds_bucket{le=\"15.0\"}", "0+10x60"),
                ("serin_step_lateness_seconds_bucket{le=\"+Inf\"}", "0+10x60"),
            ],
            "40m",
        ),
    ]
}

/// Occasional failures of other servers.
fn quiet_neighbours() -> Vec<Case> {
    vec![
        quiet(
            "SerinMetricsServerFails: one answer in ten",
            &[
                (
                    "serin_source_query_seconds_count{source=\"prometheus\",outcome=\"SourceUnreachable\"}",
                    "0+1x60",
                ),
                ("serin_source_query_seconds_count{source=\"prometheus\",outcome=\"answered\"}", "0+9x60"),
            ],
            "40m",
        ),
        quiet(
            "SerinWebhooksUnanswered: one in ten",
            &[
                ("serin_webhook_calls_total{type=\"rollout\",outcome=\"unanswered\"}", "0+1x60"),
                ("serin_webhook_calls_total{type=\"rollout\",outcome=\"yes\"}", "0+9x60"),
            ],
            "40m",
        ),
        quiet(
            "SerinNoLeader: one leads after a minute",
            &[("serin_leader{instance=\"a\"}", "0 1x60"), ("serin_leader{instance=\"b\"}", "0x60")],
            "20m",
        ),
        quiet(
            "SerinSeveralLeaders: one of two",
            &[("serin_leader{instance=\"a\"}", "1x60"), ("serin_leader{instance=\"b\"}", "0x60")],
            "20m",
        ),
        quiet(
            "SerinSeveralLeaders: one that is scraped twice",
            &[
                ("serin_leader{instance=\"a\",job=\"x\"}", "1x60"),
                ("serin_leader{instance=\"a\",job=\"y\"}", "1x60"),
            ],
            "20m",
        ),
    ]
}

/// What was counted more than an hour ago, or before Prometheus looked.
fn quiet_counters() -> Vec<Case> {
    let lost = "serin_alerts_total{service=\"slack\",outcome=\"failed\"}";
    let (events, webhooks) = ("serin_events_dropped_total", "serin_event_webhooks_dropped_total");
    let build = "serin_build_info{version=\"1\"}";
    let runs = "serin_runs_total{namespace=\"test\",canary=\"app\",name=\"app\",strategy=\"canary\",outcome=\"RolledBack\",reason=\"ThresholdReached\"}";
    vec![
        quiet("SerinAlertsLost: long ago", &[(lost, "_x10 1x120")], "90m"),
        quiet("SerinAlertsLost: before Prometheus looked", &[(lost, "1x60")], "30m"),
        quiet("SerinEventsDropped: long ago", &[(events, "0 9x120"), (webhooks, "0x120")], "90m"),
        quiet(
            "SerinReleaseRollsBackOften: long ago, and Prometheus was away",
            &[(runs, "3x30 _x10 3x120"), (build, "1x30 _x10 1x120")],
            "97m",
        ),
        quiet(
            "SerinReleaseRollsBackOften: long ago, and Prometheus was away for an hour",
            &[(runs, "3x30 _x90 3x120"), (build, "1x30 _x90 1x120")],
            "3h",
        ),
        quiet("SerinReleaseRollsBackOften: before Prometheus looked", &[(runs, "3x60")], "30m"),
    ]
}

/// A release that is promoted after an hour, checked four hours later, with all series that the rules need.
fn good_release() -> Case {
    let own = "namespace=\"test\",canary=\"app\",name=\"app\"";
    let accepted =
        format!("serin_canary_condition{{{own},type=\"Accepted\",status=\"True\",reason=\"Accepted\"}}");
    let runs = |outcome: &str, reason: &str| {
        format!("serin_runs_total{{{own},strategy=\"canary\",outcome=\"{outcome}\",reason=\"{reason}\"}}")
    };
    quiet(
        "a good release",
        &[
            ("flagger_canary_status{namespace=\"test\",name=\"app\"}", "1 0x60 1x300"),
            (&accepted, "1x360"),
            (&format!("serin_run_started_timestamp_seconds{{{own}}}"), "_ 60x60 stale"),
            (&runs("Promoted", "AllStepsTaken"), "0x60 1x300"),
            (&runs("RolledBack", "ThresholdReached"), "2x360"),
            ("serin_reconcile_total{outcome=\"applied\"}", "0+10x360"),
            ("serin_reconcile_total{outcome=\"failed\"}", "0x360"),
            ("serin_reconcile_total{outcome=\"quarantined\"}", "0x360"),
            ("serin_step_lateness_seconds_bucket{le=\"0.5\"}", "0+1x360"),
            ("serin_step_lateness_seconds_bucket{le=\"15.0\"}", "0+1x360"),
            ("serin_step_lateness_seconds_bucket{le=\"+Inf\"}", "0+1x360"),
            ("serin_undecodable_objects{kind=\"Canary\"}", "0x360"),
            ("serin_source_query_seconds_count{source=\"prometheus\",outcome=\"answered\"}", "0+5x360"),
            ("serin_webhook_calls_total{type=\"rollout\",outcome=\"yes\"}", "0+5x360"),
            ("serin_stale_kinds{kind=\"services.\"}", "0x360"),
            ("serin_alerts_total{service=\"slack\",outcome=\"sent\"}", "0+1x360"),
            ("serin_events_dropped_total", "0x360"),
            ("serin_event_webhooks_dropped_total", "0x360"),
        ],
        "5h",
    )
}

/// The file for promtool, next to the rules.
pub fn file() -> String {
    let mut out = "# Generated by `make monitoring`. Do not edit. Run by `make monitoring-check`.\nrule_files:\n  - rules.yaml\nevaluation_interval: 1m\ntests:\n".to_owned();
    for case in fired().into_iter().chain(quiet_ones()) {
        out += &format!("  - name: {}\n    interval: 1m\n    input_series:\n", quoted(&case.name));
        let there = ("serin_build_info{version=\"1\"}".to_owned(), "1x600");
        let own = case.series.iter().any(|(series, _)| series.starts_with("serin_build_info"));
        let gone = own || case.firing.iter().any(|(alert, _)| *alert == "SerinGone");
        for (series, values) in case.series.iter().chain(Some(&there).filter(|_| !gone)) {
            out += &format!("      - series: {}\n        values: {}\n", quoted(series), quoted(values));
        }
        if gone {
            out += "      - series: 'up'\n        values: '1x600'\n";
        }
        out += &format!(
            "    promql_expr_test:\n      - expr: 'count by (alertname, namespace) (ALERTS{{alertstate=\"firing\"}})'\n        eval_time: {}\n",
            case.at
        );
        if case.firing.is_empty() {
            out += "        exp_samples: []\n";
            continue;
        }
        out += "        exp_samples:\n";
        for (alert, namespace) in &case.firing {
            let more = namespace.map(|ns| format!(",namespace=\"{ns}\"")).unwrap_or_default();
            let labels = quoted(&format!("{{alertname=\"{alert}\"{more}}}"));
            out += &format!("          - labels: {labels}\n            value: 1\n");
        }
    }
    out
}

/// The cases in which an alert fires.
fn fired() -> Vec<Case> {
    releases().into_iter().chain(operator()).chain(losses()).chain(leaders()).collect()
}

/// The alerts with a case in which they fire.
pub fn covered() -> Vec<&'static str> {
    fired().iter().flat_map(|case| &case.firing).map(|(alert, _)| *alert).collect()
}

/// The alerts with a case in which they nearly fire.
pub fn nearly() -> Vec<String> {
    let named = quiet_ones().into_iter().filter_map(|case| Some(case.name.split_once(':')?.0.to_owned()));
    named.collect()
}
