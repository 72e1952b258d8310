//! Alert rules: what is worth waking, telling or asking somebody. Each has a section in `docs/troubleshooting.md`.

use std::fmt::Write as _;

use crate::query::{anywhere, renamed};

/// One alert.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name.
    pub alert: &'static str,
    /// Its group: `serin.releases` for those who release, `serin.operator` for those who run the operator.
    pub group: &'static str,
    /// When it holds.
    pub expr: String,
    /// Seconds for which it has to hold.
    pub hold: u64,
    /// `critical`: act now; `warning`: act some time; `info`: out of the ordinary.
    pub severity: &'static str,
    /// One fixed sentence.
    pub summary: &'static str,
    /// The same with what it is about.
    pub description: &'static str,
}

const RELEASES: &str = "serin.releases";
const OPERATOR: &str = "serin.operator";
/// Where the sections are, in the repository.
const RUNBOOKS: &str = "docs/troubleshooting.md";

/// A length of time in PromQL, `scale` times shorter, a second at least.
fn span(seconds: u64, scale: u64) -> String {
    format!("{}s", (seconds / scale.max(1)).max(1))
}

fn condition(matchers: &str) -> String {
    format!(
        "max by (namespace, canary, name, reason) ({}) == 1",
        anywhere("serin_canary_condition", matchers)
    )
}

/// Seconds since which a series of Unix times says.
fn since(metric: &str, matchers: &str, labels: &str) -> String {
    format!("time() - max by ({labels}) ({})", anywhere(metric, matchers))
}

/// All rules, with their times divided by `scale`.
pub fn all(scale: u64) -> Vec<Rule> {
    let s = |seconds: u64| span(seconds, scale);
    let at = |seconds: u64| (seconds / scale.max(1)).max(1);
    let rule = |alert, group, expr: String, hold: u64, severity, summary, description| {
        let hold = if hold == 0 { 0 } else { at(hold) };
        Rule { alert, group, expr, hold, severity, summary, description }
    };
    let share = |metric: &str, bad: &str, by: &str, least: &str| {
        let window = s(900);
        let by = if by.is_empty() { String::new() } else { format!(" by ({by})") };
        format!("sum{by} (rate({metric}{{{bad}}}[{window}])) / sum{by} (rate({metric}[{window}])) > {least}")
    };
    vec![
        rule(
            "SerinReleaseRolledBack",
            RELEASES,
            format!("max by (namespace, name) ({}) == 2", anywhere("flagger_canary_status", "")),
            60,
            "warning",
            "A release was rolled back.",
            "The last release of {{ $labels.namespace }}/{{ $labels.name }} was rolled back. Its CanaryRun says why.",
        ),
        rule(
            "SerinReleaseRollsBackOften",
            RELEASES,
            format!(
                "sum by (namespace, name) ({}) >= 3",
                renamed(&format!(
                    "increase(serin_runs_total{{outcome=~\"RolledBack|PromotionUndone\"}}[{}])",
                    s(3600)
                ))
            ),
            0,
            "warning",
            "A target is rolled back again and again.",
            "{{ $labels.namespace }}/{{ $labels.name }} was rolled back {{ $value | humanize }} times within an hour.",
        ),
        rule(
            "SerinReleaseRunsLong",
            RELEASES,
            format!(
                "({}) > {} unless on (namespace, canary) {}",
                since("serin_run_started_timestamp_seconds", "", "namespace, canary, name"),
                at(7200),
                condition("type=\"Paused\",status=\"True\"")
            ),
            0,
            "warning",
            "A release takes unusually long.",
            "The release of {{ $labels.namespace }}/{{ $labels.name }} has been going for {{ $value | humanizeDuration }}, and waits for nobody.",
        ),
        rule(
            "SerinReleaseWaitsForPeople",
            RELEASES,
            format!(
                "({}) > {}",
                since(
                    "serin_canary_condition_since_timestamp_seconds",
                    "type=\"Paused\",status=\"True\"",
                    "namespace, canary, name"
                ),
                at(14_400)
            ),
            0,
            "info",
            "A release waits for somebody.",
            "The release of {{ $labels.namespace }}/{{ $labels.name }} has been at a gate for {{ $value | humanizeDuration }}.",
        ),
        rule(
            "SerinReleaseFrozen",
            RELEASES,
            condition("type=\"Frozen\",status=\"True\""),
            900,
            "warning",
            "A release is frozen.",
            "The metrics of {{ $labels.namespace }}/{{ $labels.name }} cannot be measured, so its release neither goes on nor back.",
        ),
        rule(
            "SerinCanaryNotAccepted",
            RELEASES,
            condition("type=\"Accepted\",status=\"False\""),
            900,
            "warning",
            "A Canary is not accepted.",
            "Nothing of {{ $labels.namespace }}/{{ $labels.canary }} is released until its fault is mended: {{ $labels.reason }}.",
        ),
        rule(
            "SerinCapacityShort",
            RELEASES,
            condition("type=\"Capacity\",status=\"False\""),
            300,
            "critical",
            "A release has fewer pods than it needs.",
            "{{ $labels.namespace }}/{{ $labels.name }} has fewer pods than its traffic needs: {{ $labels.reason }}.",
        ),
        rule(
            "SerinSuspendedWithoutPods",
            RELEASES,
            condition("type=\"Suspended\",status=\"True\",reason=\"NoPods\""),
            60,
            "critical",
            "A suspended release sends requests to nobody.",
            "{{ $labels.namespace }}/{{ $labels.name }} is suspended, and the pods that have a share of its requests are gone.",
        ),
        rule(
            "SerinGone",
            OPERATOR,
            "absent(serin_build_info)".to_owned(),
            600,
            "critical",
            "The operator is not there.",
            "No operator has been scraped for 10 minutes. Releases stand still; users are served as they were.",
        ),
        rule(
            "SerinQuarantined",
            OPERATOR,
            format!("sum(increase(serin_reconcile_total{{outcome=\"quarantined\"}}[{}])) > 0", s(900)),
            0,
            "critical",
            "The operator met an internal error.",
            "A Canary made the operator fail, and is tried again later. Please report it with the log.",
        ),
        rule(
            "SerinUndecodable",
            OPERATOR,
            "sum by (kind) (serin_undecodable_objects) > 0".to_owned(),
            600,
            "warning",
            "Objects cannot be decoded.",
            "{{ $value }} objects of kind {{ $labels.kind }} are left alone until they are mended.",
        ),
        rule(
            "SerinKindNotSeen",
            OPERATOR,
            "max by (kind) (serin_stale_kinds) > 0".to_owned(),
            300,
            "warning",
            "The operator does not see a kind.",
            "The watch of {{ $labels.kind }} is broken: what depends on it stands still.",
        ),
        rule(
            "SerinWritesFail",
            OPERATOR,
            share("serin_reconcile_total", "outcome=\"failed\"", "", "0.1"),
            900,
            "warning",
            "Writes to the API server fail.",
            "{{ $value | humanizePercentage }} of the passes end with a failed read or write.",
        ),
        rule(
            "SerinStepsLate",
            OPERATOR,
            format!(
                "histogram_quantile(0.99, sum by (le) (rate(serin_step_lateness_seconds_bucket[{}]))) > 15",
                s(900)
            ),
            900,
            "warning",
            "Steps are decided late.",
            "One step of a hundred is decided more than {{ $value | humanizeDuration }} after its time.",
        ),
        rule(
            "SerinMetricsServerFails",
            OPERATOR,
            share("serin_source_query_seconds_count", "outcome!=\"answered\"", "source", "0.2"),
            600,
            "warning",
            "A metrics server does not answer.",
            "{{ $value | humanizePercentage }} of the queries to {{ $labels.source }} get no usable answer: releases freeze.",
        ),
        rule(
            "SerinAlertsLost",
            OPERATOR,
            format!(
                "sum by (service, outcome) (rate(serin_alerts_total{{outcome!=\"sent\"}}[{}])) > 0",
                s(900)
            ),
            900,
            "warning",
            "Alerts of releases do not arrive.",
            "Alerts to {{ $labels.service }} are {{ $labels.outcome }}.",
        ),
        rule(
            "SerinWebhooksUnanswered",
            OPERATOR,
            share("serin_webhook_calls_total", "outcome=\"unanswered\"", "type", "0.2"),
            900,
            "warning",
            "Webhooks do not answer.",
            "{{ $value | humanizePercentage }} of the calls of {{ $labels.type }} webhooks get no answer.",
        ),
        rule(
            "SerinEventsDropped",
            OPERATOR,
            format!(
                "rate(serin_events_dropped_total[{0}]) + rate(serin_event_webhooks_dropped_total[{0}]) > 0",
                s(900)
            ),
            1800,
            "info",
            "Events are dropped.",
            "Kubernetes Events or event webhooks are given up: what happened is in the CanaryRuns and in the log.",
        ),
    ]
}

/// Text of the groups, each line with this indent.
fn groups(scale: u64, indent: &str) -> String {
    let (rules, mut out) = (all(scale), String::new());
    for group in [RELEASES, OPERATOR] {
        let _ = writeln!(out, "{indent}- name: {group}\n{indent}  rules:");
        for rule in rules.iter().filter(|rule| rule.group == group) {
            let line = |key: &str, value: &str| format!("{indent}      {key}: {}\n", quoted(value));
            let _ = writeln!(out, "{indent}    - alert: {}", rule.alert);
            out += &line("expr", &rule.expr);
            if rule.hold > 0 {
                let _ = writeln!(out, "{indent}      for: {}s", rule.hold);
            }
            let _ = writeln!(out, "{indent}      labels:\n{indent}        severity: {}", rule.severity);
            let _ = writeln!(out, "{indent}      annotations:");
            for (key, value) in [
                ("summary", rule.summary.to_owned()),
                ("description", rule.description.to_owned()),
                ("runbook", format!("{RUNBOOKS}#{}", rule.alert.to_lowercase())),
            ] {
                let _ = writeln!(out, "{indent}        {key}: {}", quoted(&value));
            }
        }
    }
    out
}

/// A YAML string in single quotes.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

const HEAD: &str = "# Generated by `make monitoring`. Do not edit.\n";

/// A file of rules for Prometheus.
pub fn file(scale: u64) -> String {
    format!("{HEAD}groups:\n{}", groups(scale, "  "))
}

/// The same as an object for the Prometheus Operator.
pub fn object() -> String {
    format!(
        "{HEAD}apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: serin\n  labels:\n    app.kubernetes.io/name: serin\nspec:\n  groups:\n{}",
        groups(1, "    ")
    )
}
