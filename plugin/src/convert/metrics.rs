//! Analyses: the metrics of their templates, the conditions, and when to measure.

use serde_json::{Value, json};

use super::{
    arguments::Arguments,
    condition,
    draft::{Draft, object_name},
    input::meta,
    notes::Notes,
    provider::{self, Asked},
    table::{self, Kind},
    times,
};
use serin::expression::Condition;

/// Maximum depth of templates in templates.
const DEEPEST: usize = 8;
/// Consecutive errors that Argo Rollouts tolerates by default.
const ERRORS: i64 = 4;
/// More failed checks than any run can have.
const ENDLESS: i64 = 1000;

/// An analysis of a Rollout.
pub(super) struct Analysis<'a> {
    pub(super) value: &'a Value,
    /// The path of the analysis.
    pub(super) at: String,
    /// The first step at which it counts.
    pub(super) start: Option<usize>,
}

/// Adds the metrics of an analysis to the Canary.
pub(super) fn add(draft: &mut Draft<'_>, analysis: &Analysis<'_>, notes: &mut Notes) {
    let mut found = Vec::new();
    for (i, reference) in analysis.value["templates"].as_array().into_iter().flatten().enumerate() {
        let at = format!("{}.templates[{i}]", analysis.at);
        collect(draft, reference, &at, DEEPEST, &mut found, notes);
    }
    if found.len() > 1 && found.iter().any(|template: &&Value| has_job(template)) {
        notes.differs(&analysis.at, "Jobs and other metrics are measured side by side, as there: give a metric that needs what a Job has done a later startAtStep");
    }
    for template in found {
        draft.replace(template, None);
        notes.about(template, |notes| table::walk(Kind::AnalysisTemplate, template, notes));
        for (i, metric) in template["spec"]["metrics"].as_array().into_iter().flatten().enumerate() {
            metric_of(draft, analysis, template, (i, metric), notes);
        }
    }
}

fn has_job(template: &Value) -> bool {
    let metrics = template["spec"]["metrics"].as_array();
    metrics.into_iter().flatten().any(|metric| metric["provider"]["job"].is_object())
}

fn collect<'a>(
    draft: &Draft<'a>,
    reference: &Value,
    at: &str,
    depth: usize,
    found: &mut Vec<&'a Value>,
    notes: &mut Notes,
) {
    let name = reference["templateName"].as_str().unwrap_or_default();
    let Some(template) = draft.input.template(draft.rollout, reference) else {
        notes.refuse(at, format!("the AnalysisTemplate {name} is not in these files: give it as well"));
        return;
    };
    if found.contains(&template) || depth == 0 {
        return;
    }
    found.push(template);
    for inner in template["spec"]["templates"].as_array().into_iter().flatten() {
        collect(draft, inner, at, depth - 1, found, notes);
    }
}

fn metric_of(
    draft: &mut Draft<'_>,
    analysis: &Analysis<'_>,
    template: &Value,
    (i, metric): (usize, &Value),
    notes: &mut Notes,
) {
    let at = format!("spec.metrics[{i}]");
    let args = Arguments::new(analysis.value, template, &analysis.at);
    let mut asked = None;
    notes.about(template, |notes| asked = provider::convert(metric, &at, &args, notes));
    let Some(mut asked) = asked else { return };
    let mut query = json!(asked.query);
    let changed = [asked.template.as_mut(), Some(&mut query)]
        .into_iter()
        .flatten()
        .fold(false, |any, part| rename(draft, part) | any);
    if changed {
        let canary = draft.canary_service();
        let text = format!("it names {canary}, as the Service of the new version is called here");
        notes.about(template, |notes| notes.differs(format!("{at}.provider"), text));
    }
    query.as_str().unwrap_or_default().clone_into(&mut asked.query);
    let name = metric["name"].as_str().unwrap_or_default();
    let mut one = json!({"name": free(draft, name)});
    let given = args.entries(draft, &asked.used, asked.job, notes);
    refer(draft, &mut one, template, name, &asked);
    if !given.is_empty() {
        one["args"] = json!(given);
    }
    let failures = notes_about(notes, template, |notes| {
        when(draft, &mut one, analysis, metric, &asked, (&at, &args), notes);
        judged(&mut one, metric, &asked, (&at, &args), notes)
    });
    if is_dry(analysis.value, template, name, &analysis.at, notes) {
        one["dryRun"] = json!(true);
    } else {
        draft.failures += failures;
    }
    draft.metrics.push(one);
}

/// Replaces the name of the Service of the new version in all texts. Returns whether there was one.
fn rename(draft: &Draft<'_>, value: &mut Value) -> bool {
    match value {
        Value::String(text) => match draft.renamed_in(text) {
            Some(other) => {
                *text = other;
                true
            }
            None => false,
        },
        Value::Array(items) => items.iter_mut().fold(false, |any, item| rename(draft, item) | any),
        Value::Object(fields) => fields.values_mut().fold(false, |any, item| rename(draft, item) | any),
        _ => false,
    }
}

fn notes_about<T: Default>(notes: &mut Notes, object: &Value, work: impl FnOnce(&mut Notes) -> T) -> T {
    let mut result = T::default();
    notes.about(object, |notes| result = work(notes));
    result
}

/// A name that no other metric of the Canary has.
fn free(draft: &Draft<'_>, name: &str) -> String {
    let taken = |name: &str| draft.metrics.iter().any(|metric| metric["name"] == name);
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}

/// Sets the reference to the MetricTemplate, or the query itself.
fn refer(draft: &mut Draft<'_>, one: &mut Value, template: &Value, name: &str, asked: &Asked) {
    if let Some(window) = &asked.window {
        one["interval"] = json!(window);
    }
    let Some(spec) = &asked.template else {
        one["query"] = json!(asked.query);
        return;
    };
    let (of, all) = (meta(template, "name"), template["spec"]["metrics"].as_array().map_or(0, Vec::len));
    let named = if all == 1 { of.to_owned() } else { format!("{of}-{name}") };
    let name = draft.template(&object_name(&named), spec);
    one["templateRef"] = json!({"name": name});
}

/// Sets when the metric is measured.
fn when(
    draft: &mut Draft<'_>,
    one: &mut Value,
    analysis: &Analysis<'_>,
    metric: &Value,
    asked: &Asked,
    (at, args): (&str, &Arguments<'_>),
    notes: &mut Notes,
) {
    let mut time = |field: &str| {
        let value = match metric[field].as_str() {
            Some(text) => args.filled(text).map_or_else(|| json!(text), Value::from),
            None => Some(metric[field].clone()).filter(|value| !value.is_null())?,
        };
        let time = times::read(&value);
        if time.is_none() {
            notes.refuse(format!("{at}.{field}"), format!("{value} is no duration such as 30s"));
        }
        time
    };
    let (period, delay) = (time("interval"), time("initialDelay"));
    if let Some(period) = period {
        one["period"] = json!(times::written(period));
        // a Job takes as long as it needs
        draft.times.extend(Some(period).filter(|_| !asked.job));
    }
    if let Some(delay) = delay {
        one["initialDelay"] = json!(times::written(delay));
    }
    match number(&metric["count"], args) {
        Some(count) if count > 0 => one["count"] = json!(count),
        // without an interval, a metric is measured once
        _ if period.is_none() => one["count"] = json!(1),
        _ => {}
    }
    if let Some(start) = analysis.start.filter(|start| *start > 0) {
        one["startAtStep"] = json!(start);
    }
}

/// Sets how the metric is judged. Returns the number of failed checks that ends a run.
fn judged(
    one: &mut Value,
    metric: &Value,
    asked: &Asked,
    (at, args): (&str, &Arguments<'_>),
    notes: &mut Notes,
) -> i64 {
    let mut knows_absence = asked.job;
    for field in ["successCondition", "failureCondition"].iter().filter(|field| metric[**field].is_string()) {
        let text = metric[*field].as_str().unwrap_or_default();
        let filled =
            args.filled(text).ok_or_else(|| "it has an argument whose value is not known here".to_owned());
        match filled.and_then(|text| condition::convert(&text)) {
            Ok(text) => {
                knows_absence |=
                    Condition::parse(&text).is_ok_and(|condition| condition.knows_absence(&[f64::NAN]));
                one[*field] = json!(text);
            }
            Err(why) => notes.refuse(format!("{at}.{field}"), format!("{text:?} cannot be said here: {why}")),
        }
    }
    let judges = one["successCondition"].is_string() || one["failureCondition"].is_string();
    if !judges && !asked.job && metric["successCondition"].is_null() && metric["failureCondition"].is_null() {
        notes.differs(
            at,
            "it has no condition: any value passes, and no data is a failed check. Give it a thresholdRange",
        );
    }
    if judges && !knows_absence {
        // an empty answer makes result[0] an error in Argo Rollouts
        one["noData"] = json!("error");
    }
    let failures = number(&metric["failureLimit"], args).unwrap_or(0);
    one["failureLimit"] = json!(failures);
    one["consecutiveErrorLimit"] = json!(number(&metric["consecutiveErrorLimit"], args).unwrap_or(ERRORS));
    if let Some(limit) = number(&metric["inconclusiveLimit"], args) {
        one["inconclusiveLimit"] = json!(limit);
    }
    if let Some(count) = number(&metric["count"], args).filter(|count| *count > 0 && failures >= *count) {
        notes.differs(format!("{at}.failureLimit"), format!("{failures} of {count} measurements may fail, so that nothing fails there; here {count} have to pass"));
    }
    if failures < 0 { ENDLESS } else { failures + 1 }
}

/// A number, or a text that is a number after its arguments are filled in.
fn number(value: &Value, args: &Arguments<'_>) -> Option<i64> {
    value.as_i64().or_else(|| args.filled(value.as_str()?)?.trim().parse().ok())
}

/// A `dryRun` of the analysis or the template names the metric.
fn is_dry(analysis: &Value, template: &Value, name: &str, at: &str, notes: &mut Notes) -> bool {
    let lists = [&analysis["dryRun"], &template["spec"]["dryRun"]];
    let all = lists.into_iter().flat_map(|list| list.as_array().into_iter().flatten());
    let mut dry = false;
    for pattern in all.filter_map(|entry| entry["metricName"].as_str()) {
        match fits(pattern, name) {
            Some(fits) => dry |= fits,
            None => notes.refuse(format!("{at}.dryRun"), format!("{pattern:?}: of patterns, a name, with .* before or behind it, is understood; write names")),
        }
    }
    dry
}

/// Whether a pattern matches a metric. None: the pattern is not supported.
fn fits(pattern: &str, name: &str) -> Option<bool> {
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    let bare = pattern.strip_prefix('^').unwrap_or(pattern);
    let bare = bare.strip_suffix('$').unwrap_or(bare);
    match (bare.strip_prefix(".*"), bare.strip_suffix(".*")) {
        _ if bare == ".*" => Some(true),
        (None, None) if plain(bare) => Some(bare == name),
        (None, Some(start)) if plain(start) => Some(name.starts_with(start)),
        (Some(end), None) if plain(end) => Some(name.ends_with(end)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_names_are_read_or_refused() {
        for (pattern, wanted) in [
            (".*", Some(true)),
            ("errors", Some(true)),
            ("^errors$", Some(true)),
            ("err.*", Some(true)),
            (".*ors", Some(true)),
            ("latency", Some(false)),
            ("(errors|latency)", None),
        ] {
            assert_eq!(fits(pattern, "errors"), wanted, "{pattern}");
        }
    }
}
