//! All Canaries: which ones need attention, and how releases end.

use crate::{
    board::{Board, Panel},
    query::{WAITS_FOR_PEOPLE, all, all_grown, anywhere, one_by},
};

const RELEASE: &str =
    "/d/serin-release/serin-release?var-namespace=${__data.fields.namespace}&var-name=${__data.fields.name}";

/// The dashboard.
pub fn board() -> Board {
    Board::new(
        "Serin / Fleet",
        "serin-fleet",
        "All Canaries: what needs attention, what is in progress, and how releases end.",
    )
    .every("30s", "now-24h")
    .variable(
        "namespace",
        "Namespace",
        &format!("query_result(count by (namespace) ({}))", anywhere("flagger_canary_status", "")),
        "/namespace=\"([^\"]+)\"/",
        true,
    )
    .row("Now", true, now())
    .row("Attention", true, attention())
    .row("Outcomes", true, outcomes())
    .row("Pace", true, pace())
}

fn condition(matchers: &str) -> String {
    one_by("namespace, canary, name, type, reason", &all("serin_canary_condition", matchers))
}

fn now() -> Vec<Panel> {
    let count = |expression: &str| format!("count({expression}) or vector(0)");
    let status = |value: &str| {
        count(&format!("{} == {value}", one_by("namespace, name", &all("flagger_canary_status", ""))))
    };
    vec![
        Panel::stat("Canaries", "Canaries in the selected namespaces.", "short")
            .now(&format!("sum({})", one_by("namespace", &all("flagger_canary_total", ""))), "Canaries"),
        Panel::stat("Running", "Releases in progress, not counting those at gates.", "short")
            .now(&status("0"), "running"),
        Panel::stat("Rolled back", "Canaries whose last release was rolled back. Good is 0.", "short")
            .thresholds("green", &[(1.0, "red")])
            .now(&status("2"), "rolled back"),
        Panel::stat(
            "Waiting for people",
            "Releases at a gate, paused, or inconclusive until somebody decides.",
            "short",
        )
        .thresholds("green", &[(1.0, "yellow")])
        .now(&count(&one_by("namespace, canary", &WAITS_FOR_PEOPLE.map(condition).join(" or "))), "waiting"),
        Panel::stat("Frozen", "Releases whose metrics cannot be measured. Good is 0.", "short")
            .thresholds("green", &[(1.0, "orange")])
            .now(&count(&condition("type=\"Frozen\",status=\"True\"")), "frozen"),
        Panel::stat(
            "Not accepted",
            "Canaries that release nothing until they are fixed. Good is 0.",
            "short",
        )
        .thresholds("green", &[(1.0, "red")])
        .now(&count(&condition("type=\"Accepted\",status=\"False\"")), "not accepted"),
    ]
}

fn attention() -> Vec<Panel> {
    let by = "namespace, canary, name, type, reason";
    let since = |matchers: &str| one_by(by, &all("serin_canary_condition_since_timestamp_seconds", matchers));
    let own = "namespace, canary, name";
    vec![
        Panel::table(
            "Needs attention",
            "Canaries that were rolled back, wait for people, are frozen or not accepted, and since when. Good is empty.",
            "dateTimeFromNow",
            &[],
        )
        .linked("name", "The release", RELEASE)
        .cells(&format!(
            "1000 * sort({} or {} or {})",
            since("type=~\"Paused|Frozen|Stalled\",status=\"True\""),
            since(WAITS_FOR_PEOPLE[1]),
            since("type=\"Accepted\",status=\"False\"")
        ))
        .empty("nothing needs attention"),
        Panel::table("In progress", "Releases in progress: weight, step, failed checks and when they began.", "short", &[])
            .linked("name", "The release", RELEASE)
            .cells(&one_by(own, &all("serin_canary_weight", "kind=\"confirmed\"")).replace("max by", "0 + max by"))
            .cells(&one_by(own, &all("serin_run_step", "")))
            .cells(&one_by(own, &all("serin_run_failed_checks", "")))
            .empty("no release in progress"),
    ]
}

fn outcomes() -> Vec<Panel> {
    let ended = |matchers: &str, range: &str| all_grown("serin_runs_total", matchers, range);
    vec![
        Panel::lines("Releases by outcome", "Runs by how they ended. Good is Promoted.", "short")
            .size(12, 8)
            .stacked()
            .drawn("/^Promoted$/", "green", false)
            .drawn("/^RolledBack$/", "red", false)
            .over_time(&format!("sum by (outcome) ({})", ended("", "$__interval")), "{{outcome}}"),
        Panel::stat(
            "Promoted",
            "Promoted runs as a share of those that were promoted or rolled back.",
            "percentunit",
        )
        .thresholds("red", &[(0.8, "yellow"), (0.95, "green")])
        .size(4, 8)
        .now(
            &format!(
                "sum({}) / sum({})",
                ended("outcome=~\"Promoted.*\"", "$__range"),
                ended("outcome=~\"Promoted.*|RolledBack|PromotionUndone\"", "$__range")
            ),
            "promoted",
        )
        .empty("no run has ended"),
        Panel::bars("Why rolled back", "Reasons of the rollbacks in this time.", "short")
            .now(
                &format!(
                    "sum by (reason) ({}) > 0",
                    ended("outcome=~\"RolledBack|PromotionUndone\"", "$__range")
                ),
                "{{reason}}",
            )
            .empty("no rollback"),
        Panel::bars("Rolled back most", "Targets with the most rollbacks in this time.", "short")
            .size(12, 8)
            .now(
                &format!(
                    "topk(10, sum by (namespace, name) ({}) > 0)",
                    all_grown("flagger_canary_failures_total", "", "$__range")
                ),
                "{{namespace}}/{{name}}",
            )
            .empty("no rollback"),
        Panel::lines("Promoted and rolled back", "The same by Flagger's counters.", "short")
            .size(12, 8)
            .over_time(
                &format!("sum({})", all_grown("flagger_canary_successes_total", "", "$__interval")),
                "promoted",
            )
            .over_time(
                &format!("sum({})", all_grown("flagger_canary_failures_total", "", "$__interval")),
                "rolled back",
            ),
    ]
}

fn pace() -> Vec<Panel> {
    let quantile = |quantile: &str| {
        format!(
            "histogram_quantile({quantile}, sum by (le) (increase(serin_run_duration_seconds_bucket{{outcome=\"Promoted\"}}[$__range])))"
        )
    };
    vec![
        Panel::heatmap("Time to promotion", "How long promoted runs took, including waits. All namespaces.", "s").buckets(
            "sum by (le) (increase(serin_run_duration_seconds_bucket{outcome=\"Promoted\"}[$__rate_interval]))",
        ),
        Panel::stat("Time to promotion, P50 and P90", "Median and 90th percentile of the promoted runs.", "s")
            .size(6, 8)
            .now(&quantile("0.5"), "P50")
            .now(&quantile("0.9"), "P90"),
        Panel::stat(
            "Exposure to bad versions",
            "How long versions that were rolled back received requests, 90th percentile. Good is short.",
            "s",
        )
        .size(6, 8)
        .now(
            "histogram_quantile(0.9, sum by (le) (increase(serin_run_exposure_seconds_bucket{outcome=\"RolledBack\"}[$__range])))",
            "P90",
        )
        .empty("no rollback"),
        Panel::lines("Releases at once", "Releases in progress at the same time.", "short").size(24, 6).over_time(
            &format!("count({}) or vector(0)", one_by("namespace, canary", &all("serin_run_step", ""))),
            "under way",
        ),
    ]
}
