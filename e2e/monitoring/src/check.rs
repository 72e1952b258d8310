//! Checks of dashboards and rules: they use only exported metrics, and dashboards work with current Grafana versions
//! and are readable.

use std::collections::BTreeSet;

use serde_json::Value;
use serin::telemetry::CATALOG;

use crate::{boards, rules};

/// Prefixes of metrics from other exporters.
const FOREIGN: [&str; 4] = ["istio_", "envoy_", "container_", "kube_"];
/// Keywords of PromQL that look like names.
const WORDS: [&str; 10] =
    ["by", "on", "or", "and", "unless", "without", "ignoring", "group_left", "bool", "offset"];
/// Labels that a scrape or a histogram adds.
const ADDED: [&str; 5] = ["namespace", "exported_namespace", "job", "instance", "le"];
/// Panel types of old Grafana versions.
const RETIRED: [&str; 4] = ["graph", "singlestat", "table-old", "grafana-worldmap-panel"];
/// Panel types that need a unit, a title, a description and targets.
const SHOWN: [&str; 8] =
    ["stat", "timeseries", "table", "gauge", "bargauge", "state-timeline", "status-history", "heatmap"];

/// The panels of a dashboard, including those in collapsed rows.
pub fn panels(board: &Value) -> Vec<Value> {
    let list = |of: &Value| of["panels"].as_array().cloned().unwrap_or_default();
    let all = list(board).into_iter().flat_map(|panel| {
        let inner = list(&panel);
        std::iter::once(panel).chain(inner)
    });
    all.collect()
}

/// The queries of a panel.
pub fn queries(panel: &Value) -> Vec<String> {
    let targets = panel["targets"].as_array().cloned().unwrap_or_default();
    targets.iter().filter_map(|target| target["expr"].as_str().map(str::to_owned)).collect()
}

/// The query with its variables filled in. The label that contains `namespace` does not matter here.
pub fn filled(query: &str, values: &[(&str, &str)]) -> String {
    let mut values = values.to_vec();
    // longer names first: one may start with another
    values.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    values.iter().fold(query.to_owned(), |query, (name, value)| query.replace(&format!("${name}"), value))
}

/// Values for all variables.
pub const EXAMPLE: [(&str, &str); 12] = [
    ("namespace", "test"),
    ("name", "podinfo"),
    ("target", "podinfo"),
    ("primary", "podinfo-primary"),
    ("canary", "podinfo"),
    ("metric", "request-success-rate"),
    ("reporter", "destination"),
    ("job", ".+"),
    ("instance", ".+"),
    ("__rate_interval", "1m"),
    ("__interval", "1m"),
    ("__range", "1h"),
];

/// The metrics in an expression, each with its matchers.
fn named(expression: &str) -> Vec<(String, String)> {
    let (mut out, mut rest) = (vec![], expression);
    let mut grouping = false;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let end = rest[1..].find('"').map_or(rest.len(), |at| at + 2);
            rest = &rest[end..];
        } else if first == '{' {
            // matchers without a name
            rest = &rest[matchers(rest)..];
        } else if first == '$' || first.is_ascii_digit() || first == '[' {
            let end = if first == '[' {
                rest.find(']').map_or(rest.len(), |at| at + 1)
            } else {
                1 + word(&rest[1..])
            };
            rest = &rest[end..];
        } else if first == '(' && grouping {
            rest = &rest[rest.find(')').map_or(rest.len(), |at| at + 1)..];
            grouping = false;
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = word(rest);
            let (name, behind) = rest.split_at(end);
            let next = behind.trim_start();
            grouping = ["by", "on", "without", "ignoring", "group_left"].contains(&name);
            let called = ["(", "by (", "without ("].iter().any(|begin| next.starts_with(begin));
            if !called && !WORDS.contains(&name) {
                let braces = if behind.starts_with('{') { &behind[..matchers(behind)] } else { "" };
                out.push((name.to_owned(), braces.to_owned()));
                rest = &behind[braces.len()..];
            } else {
                rest = behind;
            }
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').unwrap_or(text.len())
}

/// The length of the matchers at the start of this text.
fn matchers(text: &str) -> usize {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '}' if !quoted => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Unknown metrics and labels in an expression.
fn unknown(expression: &str) -> Vec<String> {
    let mut wrong = vec![];
    for (name, braces) in named(expression) {
        if FOREIGN.iter().any(|begin| name.starts_with(begin)) {
            continue;
        }
        let bare = ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end));
        let found =
            CATALOG.iter().find(|one| one.name == name || one.kind == "histogram" && bare == Some(one.name));
        let Some(one) = found else {
            wrong.push(format!("{name} is not exported: {expression}"));
            continue;
        };
        let labels = braces.trim_matches(['{', '}']).split("\",").filter_map(|pair| {
            let end = word(pair);
            (end > 0).then(|| &pair[..end])
        });
        wrong.extend(
            labels
                .filter(|label| !one.labels.contains(label) && !ADDED.contains(label))
                .map(|label| format!("{name} has no label {label}: {expression}")),
        );
    }
    wrong
}

/// All problems of the dashboards and rules.
pub fn wrong() -> Vec<String> {
    let mut out = vec![];
    let mut uids = BTreeSet::new();
    for (file, board) in boards() {
        let json = board.json();
        let uid = json["uid"].as_str().unwrap_or_default().to_owned();
        let mut say = |what: String| out.push(format!("{file}: {what}"));
        if !(8..=40).contains(&uid.len()) || !uids.insert(uid.clone()) {
            say(format!("the uid {uid} is taken, or no good one"));
        }
        for (field, value) in
            [("editable", false.into()), ("schemaVersion", Value::from(39)), ("graphTooltip", 1.into())]
        {
            if json[field] != value {
                say(format!("{field} is {}", json[field]));
            }
        }
        if json["refresh"].as_str().is_none_or(str::is_empty)
            || !json["version"].is_null()
            || !json["id"].is_null()
        {
            say("refresh is missing, or version or id is set".into());
        }
        variables(&json, &mut say);
        let mut taken: Vec<[u64; 4]> = vec![];
        for panel in panels(&json) {
            one_panel(&panel, &mut say);
            overlap(&panel, &mut taken, &mut say);
        }
    }
    for rule in rules::all(1) {
        out.extend(unknown(&rule.expr).into_iter().map(|what| format!("{}: {what}", rule.alert)));
        if rule.summary.is_empty() || rule.description.is_empty() {
            out.push(format!("{} has no summary or description", rule.alert));
        }
    }
    out
}

fn variables(board: &Value, say: &mut impl FnMut(String)) {
    let all = board["templating"]["list"].as_array().cloned().unwrap_or_default();
    let sources: Vec<_> = all.iter().filter(|v| v["type"] == "datasource").collect();
    if sources.len() != 1 || sources[0]["name"] != "datasource" || sources[0]["label"] != "Data source" {
        say("there is not one variable datasource, labelled Data source".into());
    }
    for variable in all.iter().filter(|v| v["type"] == "query") {
        let name = variable["name"].as_str().unwrap_or_default();
        if variable["refresh"] != 2 || variable["datasource"] != crate::board::source() {
            say(format!("variable {name}: refresh or data source"));
        }
        let query = variable["definition"].as_str().unwrap_or_default();
        let inner = query.split_once('(').map_or("", |(_, inner)| inner);
        if !["label_values(", "query_result("].iter().any(|begin| query.starts_with(begin)) {
            say(format!("variable {name} is neither label_values nor query_result"));
        }
        // the second argument of label_values is a label
        let inner = if query.starts_with("label_values") {
            inner.rsplit_once(',').map_or(inner, |(first, _)| first)
        } else {
            inner
        };
        unknown(inner).into_iter().for_each(&mut *say);
    }
}

fn one_panel(panel: &Value, say: &mut impl FnMut(String)) {
    let (kind, title) =
        (panel["type"].as_str().unwrap_or_default(), panel["title"].as_str().unwrap_or_default());
    if RETIRED.contains(&kind) {
        say(format!("panel {title} is a {kind}, which Grafana no longer has"));
    }
    if kind == "row" {
        return;
    }
    if !SHOWN.contains(&kind) || title.is_empty() || panel["description"].as_str().is_none_or(str::is_empty) {
        say(format!("panel {title} of the kind {kind} has no title or description"));
    }
    let defaults = &panel["fieldConfig"]["defaults"];
    if defaults["unit"].as_str().is_none_or(str::is_empty)
        || defaults["noValue"].as_str().is_none_or(str::is_empty)
    {
        say(format!("panel {title} has no unit, or does not say what it is that there is nothing"));
    }
    if panel["datasource"] != crate::board::source() || queries(panel).is_empty() {
        say(format!("panel {title} has no data source or no queries"));
    }
    for query in queries(panel) {
        unknown(&query).into_iter().for_each(&mut *say);
        for function in ["rate(", "irate("] {
            let bare: String = query.split('"').step_by(2).collect();
            let fixed = bare.split(function).skip(1).any(|rest| {
                rest.split_once('[').is_some_and(|(_, range)| !range.starts_with("$__rate_interval"))
            });
            if fixed {
                say(format!("panel {title}: a rate over a fixed time: {query}"));
            }
        }
        let counters = named(&query).into_iter().filter(|(name, _)| {
            let gauge = CATALOG.iter().any(|one| one.name == name && one.kind == "gauge");
            name.ends_with("_total") && !gauge
        });
        let ranged = ["rate(", "increase(", " offset "].iter().any(|function| query.contains(function));
        if counters.count() > 0 && !ranged {
            say(format!("panel {title}: a counter as it is: {query}"));
        }
    }
}

fn overlap(panel: &Value, taken: &mut Vec<[u64; 4]>, say: &mut impl FnMut(String)) {
    let at = |key: &str| panel["gridPos"][key].as_u64().unwrap_or(0);
    let new = [at("x"), at("y"), at("w"), at("h")];
    let meets = |old: &[u64; 4]| {
        new[0] < old[0] + old[2]
            && old[0] < new[0] + new[2]
            && new[1] < old[1] + old[3]
            && old[1] < new[1] + new[3]
    };
    if taken.iter().any(meets) || new[0] + new[2] > 24 {
        say(format!("panel {} lies on another one", panel["title"]));
    }
    taken.push(new);
}

/// The queries of all panels as recording rules, with their variables filled in, so that promtool can parse them like
/// Prometheus.
pub fn recording_rules() -> String {
    let mut out = "groups:\n  - name: panels\n    rules:\n".to_owned();
    for (file, board) in boards() {
        let json = board.json();
        let marks = json["annotations"]["list"].as_array().cloned().unwrap_or_default();
        let marks = marks.iter().filter_map(|mark| mark["expr"].as_str().map(str::to_owned));
        let all = panels(&json).iter().flat_map(queries).collect::<Vec<_>>();
        for (at, query) in all.into_iter().chain(marks).enumerate() {
            let name = file.trim_end_matches(".json").replace('-', "_");
            let expr = rules::quoted(&filled(&query, &EXAMPLE));
            out += &format!("      - record: 'panel:{name}:{at}'\n        expr: {expr}\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_told_from_labels_functions_and_words() {
        let found = named(
            "max by (a_b) (x_y{l=\"p{q}\"} or on (c_d) rate(z_total[$__rate_interval])) / 5 > bool w_v",
        );
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x_y", "z_total", "w_v"]);
        assert_eq!(found[0].1, "{l=\"p{q}\"}");
    }

    #[test]
    fn what_is_not_exported_is_noticed() {
        assert_eq!(
            unknown("serin_build_info{version=\"1\"} / istio_requests_total{x=\"y\"}"),
            Vec::<String>::new()
        );
        assert_eq!(unknown("serin_gone").len(), 1);
        assert_eq!(unknown("serin_build_info{colour=\"1\"}").len(), 1);
        assert_eq!(
            unknown("serin_run_duration_seconds_bucket{le=\"1\",outcome=\"x\"}"),
            Vec::<String>::new()
        );
        assert_eq!(unknown("serin_run_duration_seconds").len(), 0, "its name is known");
    }

    #[test]
    fn boards_and_rules_are_as_they_have_to_be() {
        let wrong = wrong();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn every_alert_has_cases_and_a_section_in_the_documentation() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let page = std::fs::read_to_string(root.join("docs/troubleshooting.md")).unwrap();
        let (covered, nearly) = (crate::cases::covered(), crate::cases::nearly());
        for rule in rules::all(1) {
            assert!(covered.contains(&rule.alert), "{} has no case", rule.alert);
            let quiet = nearly.iter().any(|alert| alert == rule.alert);
            assert!(quiet, "{} has no case in which it nearly holds", rule.alert);
            assert!(
                page.contains(&format!("### {}\n", rule.alert)),
                "docs/troubleshooting.md has no section {}",
                rule.alert
            );
        }
    }

    #[test]
    fn what_is_checked_in_is_what_is_made() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for (path, text) in crate::files() {
            let there = std::fs::read_to_string(root.join(&path)).unwrap_or_default();
            assert!(there == text, "{path} is out of date: run `make monitoring`");
        }
    }

    #[test]
    fn times_can_be_made_shorter_for_a_bed() {
        let rules = rules::all(120);
        let gone = rules.iter().find(|rule| rule.alert == "SerinGone").unwrap();
        assert_eq!(gone.hold, 5);
        let long = rules.iter().find(|rule| rule.alert == "SerinReleaseRunsLong").unwrap();
        assert!(long.expr.contains("> 60 "), "{}", long.expr);
    }
}
