//! Alert rules. Each has a section in `docs/troubleshooting.md`.

use crate::query::{WAITS_FOR_PEOPLE, anywhere, grown, renamed};

/// One alert.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name.
    pub alert: &'static str,
    /// Its group: `serin.releases` for people who release, `serin.operator` for people who run the operator.
    pub group: &'static str,
    /// The condition.
    pub expr: String,
    /// How long the condition must hold, in seconds.
    pub hold: u64,
    /// `critical`: act now. `warning`: act later. `info`: unusual.
    pub severity: &'static str,
    /// One fixed sentence.
    pub summary: &'static str,
    /// The same with details.
    pub description: &'static str,
}

const RELEASES: &str = "serin.releases";
const OPERATOR: &str = "serin.operator";
/// The file with the sections, in the repository.
const RUNBOOKS: &str = "docs/troubleshooting.md";

/// A duration, `scale` times shorter, but at least a second.
fn shorter(seconds: u64, scale: u64) -> u64 {
    (seconds / scale.max(1)).max(1)
}

/// The same in PromQL syntax.
fn span(seconds: u64, scale: u64) -> String {
    format!("{}s", shorter(seconds, scale))
}

fn condition(matchers: &str) -> String {
    holds(&anywhere("serin_canary_condition", matchers))
}

fn holds(series: &str) -> String {
    format!("max by (namespace, canary, name, reason) ({series}) == 1")
}

/// The series of the conditions of runs that wait for people.
fn for_people(metric: &str) -> String {
    let series: Vec<String> = WAITS_FOR_PEOPLE.iter().map(|matchers| anywhere(metric, matchers)).collect();
    series.join(" or ")
}

/// The age in seconds of the Unix time in these series.
fn since(series: &str) -> String {
    format!("time() - max by (namespace, canary, name) ({series})")
}

/// The texts of an alert, and its severity.
struct Text {
    alert: &'static str,
    group: &'static str,
    hold: u64,
    severity: &'static str,
    summary: &'static str,
    description: &'static str,
}

const TEXTS: &[Text] = &[
    Text {
        alert: "SerinReleaseRolledBack",
        group: RELEASES,
        hold: 60,
        severity: "warning",
        summary: "A release was rolled back.",
        description: "The last release of {{ $labels.namespace }}/{{ $labels.name }} was rolled back. Its CanaryRun says why.",
    },
    Text {
        alert: "SerinReleaseRollsBackOften",
        group: RELEASES,
        hold: 0,
        severity: "warning",
        summary: "A target is rolled back repeatedly.",
        description: "{{ $labels.namespace }}/{{ $labels.name }} was rolled back {{ $value | humanize }} times within an hour.",
    },
    Text {
        alert: "SerinReleaseRunsLong",
        group: RELEASES,
        hold: 0,
        severity: "warning",
        summary: "A release is taking unusually long.",
        description: "The release of {{ $labels.namespace }}/{{ $labels.name }} has been running for {{ $value | humanizeDuration }}, and is not waiting for people.",
    },
    Text {
        alert: "SerinReleaseWaitsForPeople",
        group: RELEASES,
        hold: 0,
        severity: "info",
        summary: "A release is waiting for people.",
        description: "The release of {{ $labels.namespace }}/{{ $labels.name }} has been waiting for people for {{ $value | humanizeDuration }}.",
    },
    Text {
        alert: "SerinReleaseFrozen",
        group: RELEASES,
        hold: 900,
        severity: "warning",
        summary: "A release is frozen.",
        description: "The metrics of {{ $labels.namespace }}/{{ $labels.name }} cannot be measured, so its release neither advances nor is rolled back.",
    },
    Text {
        alert: "SerinCanaryNotAccepted",
        group: RELEASES,
        hold: 900,
        severity: "warning",
        summary: "A Canary is not accepted.",
        description: "{{ $labels.namespace }}/{{ $labels.canary }} releases nothing until this is fixed: {{ $labels.reason }}.",
    },
    Text {
        alert: "SerinCapacityShort",
        group: RELEASES,
        hold: 300,
        severity: "critical",
        summary: "A release has fewer pods than it needs.",
        description: "{{ $labels.namespace }}/{{ $labels.name }} has fewer pods than its traffic needs: {{ $labels.reason }}.",
    },
    Text {
        alert: "SerinSuspendedWithoutPods",
        group: RELEASES,
        hold: 60,
        severity: "critical",
        summary: "A suspended release routes requests to no pods.",
        description: "{{ $labels.namespace }}/{{ $labels.name }} is suspended, and the pods that receive part of its traffic are gone.",
    },
    Text {
        alert: "SerinGone",
        group: OPERATOR,
        hold: 600,
        severity: "critical",
        summary: "The operator is not running.",
        description: "No operator has been scraped for 10 minutes. Releases do not advance; traffic stays as it is.",
    },
    Text {
        alert: "SerinQuarantined",
        group: OPERATOR,
        hold: 0,
        severity: "critical",
        summary: "The operator met an internal error.",
        description: "Reconciling a Canary failed with an internal error; it is retried later. Please report it with the log.",
    },
    Text {
        alert: "SerinUndecodable",
        group: OPERATOR,
        hold: 600,
        severity: "warning",
        summary: "Objects cannot be decoded.",
        description: "{{ $value }} objects of kind {{ $labels.kind }} are ignored until they are fixed.",
    },
    Text {
        alert: "SerinKindNotSeen",
        group: OPERATOR,
        hold: 300,
        severity: "warning",
        summary: "The operator cannot watch a kind.",
        description: "The watch of {{ $labels.kind }} is broken: Canaries that depend on it do not advance.",
    },
    Text {
        alert: "SerinWritesFail",
        group: OPERATOR,
        hold: 900,
        severity: "warning",
        summary: "Writes to the API server fail.",
        description: "{{ $value | humanizePercentage }} of the reconciles end with a failed read or write.",
    },
    Text {
        alert: "SerinStepsLate",
        group: OPERATOR,
        hold: 900,
        severity: "warning",
        summary: "Steps are decided late.",
        description: "One step in a hundred is decided more than {{ $value | humanizeDuration }} late.",
    },
    Text {
        alert: "SerinMetricsServerFails",
        group: OPERATOR,
        hold: 600,
        severity: "warning",
        summary: "A metrics server does not answer.",
        description: "{{ $value | humanizePercentage }} of the queries to {{ $labels.source }} get no usable answer: releases freeze.",
    },
    Text {
        alert: "SerinAlertsLost",
        group: OPERATOR,
        hold: 0,
        severity: "warning",
        summary: "Alerts of releases are not delivered.",
        description: "{{ $value | humanize }} alerts to {{ $labels.service }} were not delivered within an hour: {{ $labels.outcome }}.",
    },
    Text {
        alert: "SerinWebhooksUnanswered",
        group: OPERATOR,
        hold: 900,
        severity: "warning",
        summary: "Webhooks do not answer.",
        description: "{{ $value | humanizePercentage }} of the calls of {{ $labels.type }} webhooks get no answer.",
    },
    Text {
        alert: "SerinNoLeader",
        group: OPERATOR,
        hold: 300,
        severity: "critical",
        summary: "No Serin acts.",
        description: "Operators run, and none of them leads: releases stand still, bad ones too.",
    },
    Text {
        alert: "SerinSeveralLeaders",
        group: OPERATOR,
        hold: 300,
        severity: "critical",
        summary: "Several Serin act at once.",
        description: "{{ $value }} operators act at once. Run them with leader election, or one alone.",
    },
    Text {
        alert: "SerinEventsDropped",
        group: OPERATOR,
        hold: 0,
        severity: "info",
        summary: "Events are lost.",
        description: "{{ $value | humanize }} Kubernetes Events or event webhooks were lost within an hour. CanaryRuns and the log have what happened.",
    },
];

/// All rules, with their times divided by `scale`.
pub fn all(scale: u64) -> Vec<Rule> {
    let rule = |text: &Text| {
        let Text { alert, group, severity, summary, description, .. } = *text;
        let expr = if group == RELEASES { of_releases(alert, scale) } else { of_operator(alert, scale) };
        let hold = if text.hold == 0 { 0 } else { shorter(text.hold, scale) };
        Rule { alert, group, expr, hold, severity, summary, description }
    };
    TEXTS.iter().map(rule).collect()
}

/// The condition of an alert about a release.
fn of_releases(alert: &str, scale: u64) -> String {
    let s = |seconds: u64| span(seconds, scale);
    let at = |seconds: u64| shorter(seconds, scale);
    match alert {
        "SerinReleaseRolledBack" => {
            format!("max by (namespace, name) ({}) == 2", anywhere("flagger_canary_status", ""))
        }
        "SerinReleaseRollsBackOften" => {
            let failed = "outcome=~\"RolledBack|PromotionUndone\"";
            let grown = renamed(&grown("serin_runs_total", failed, &s(3600)));
            format!("sum by (namespace, name) ({grown}) >= 3")
        }
        "SerinReleaseRunsLong" => format!(
            "({}) > {} unless on (namespace, canary) {}",
            since(&anywhere("serin_run_started_timestamp_seconds", "")),
            at(7200),
            holds(&for_people("serin_canary_condition"))
        ),
        "SerinReleaseWaitsForPeople" => format!(
            "({}) > {}",
            since(&for_people("serin_canary_condition_since_timestamp_seconds")),
            at(14_400)
        ),
        "SerinReleaseFrozen" => condition("type=\"Frozen\",status=\"True\""),
        "SerinCanaryNotAccepted" => condition("type=\"Accepted\",status=\"False\""),
        "SerinCapacityShort" => condition("type=\"Capacity\",status=\"False\""),
        "SerinSuspendedWithoutPods" => condition("type=\"Suspended\",status=\"True\",reason=\"NoPods\""),
        _ => String::new(),
    }
}

/// The condition of an alert about the operator.
fn of_operator(alert: &str, scale: u64) -> String {
    let s = |seconds: u64| span(seconds, scale);
    let share = |metric: &str, bad: &str, by: &str, least: &str| {
        let window = s(900);
        let by = if by.is_empty() { String::new() } else { format!(" by ({by})") };
        format!("sum{by} (rate({metric}{{{bad}}}[{window}])) / sum{by} (rate({metric}[{window}])) > {least}")
    };
    match alert {
        "SerinGone" => "absent(serin_build_info)".to_owned(),
        "SerinQuarantined" => {
            format!("sum(increase(serin_reconcile_total{{outcome=\"quarantined\"}}[{}])) > 0", s(900))
        }
        "SerinUndecodable" => "sum by (kind) (serin_undecodable_objects) > 0".to_owned(),
        "SerinKindNotSeen" => "max by (kind) (serin_stale_kinds) > 0".to_owned(),
        "SerinWritesFail" => share("serin_reconcile_total", "outcome=\"failed\"", "", "0.1"),
        "SerinStepsLate" => format!(
            "histogram_quantile(0.99, sum by (le) (rate(serin_step_lateness_seconds_bucket[{}]))) > 15",
            s(900)
        ),
        "SerinMetricsServerFails" => {
            share("serin_source_query_seconds_count", "outcome!=\"answered\"", "source", "0.2")
        }
        // alerts are rare: each that is lost is reported
        "SerinAlertsLost" => format!(
            "sum by (service, outcome) ({}) > 0",
            grown("serin_alerts_total", "outcome!=\"sent\"", &s(3600))
        ),
        // with a long interval, calls are rare as well
        "SerinWebhooksUnanswered" => {
            let calls = |matchers: &str| grown("serin_webhook_calls_total", matchers, &s(3600));
            format!(
                "sum by (type) ({}) / sum by (type) ({}) > 0.2",
                calls("outcome=\"unanswered\""),
                calls("")
            )
        }
        "SerinNoLeader" => "sum(serin_leader) == 0".to_owned(),
        // a pod may be scraped twice: through its annotations and through a ServiceMonitor
        "SerinSeveralLeaders" => "count(max by (instance) (serin_leader) == 1) > 1".to_owned(),
        "SerinEventsDropped" => format!(
            "sum({}) + sum({}) > 0",
            grown("serin_events_dropped_total", "", &s(3600)),
            grown("serin_event_webhooks_dropped_total", "", &s(3600))
        ),
        _ => String::new(),
    }
}

/// The text of the groups, with this indentation.
fn groups(scale: u64, indent: &str) -> String {
    let (rules, mut out) = (all(scale), String::new());
    for group in [RELEASES, OPERATOR] {
        out += &format!("{indent}- name: {group}\n{indent}  rules:\n");
        for rule in rules.iter().filter(|rule| rule.group == group) {
            let line = |key: &str, value: &str| format!("{indent}      {key}: {}\n", quoted(value));
            out += &format!("{indent}    - alert: {}\n", rule.alert);
            out += &line("expr", &rule.expr);
            if rule.hold > 0 {
                out += &format!("{indent}      for: {}s\n", rule.hold);
            }
            out += &format!("{indent}      labels:\n{indent}        severity: {}\n", rule.severity);
            out += &format!("{indent}      annotations:\n");
            for (key, value) in [
                ("summary", rule.summary.to_owned()),
                ("description", rule.description.to_owned()),
                ("runbook", format!("{RUNBOOKS}#{}", rule.alert.to_lowercase())),
            ] {
                out += &format!("{indent}        {key}: {}\n", quoted(&value));
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

/// A rule file for Prometheus.
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
