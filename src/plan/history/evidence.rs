//! Measurements and calls of webhooks in the words of a record. The only place that makes them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::keep;
use crate::{
    analysis::{self, Query, Range, Reading, Verdict},
    api::canary_run::{Evidence, HookCall, Measurement, RunMetric},
    plan::{context::Context, draft::Draft, hooks::Call},
};

/// Judges a reading, and notes what came of it.
pub(in crate::plan) fn judged(cx: &Context<'_>, d: &mut Draft, query: &Query, reading: &Reading) -> Verdict {
    let verdict = analysis::judge(query, reading, &cx.c);
    let (word, message) = match &verdict {
        Verdict::Pass { .. } => (keep::PASS, ""),
        Verdict::Fail { text } => ("Fail", text.as_str()),
        Verdict::NoData { text } => ("NoData", text.as_str()),
        Verdict::Error { text } => ("Error", text.as_str()),
    };
    let value = match reading {
        Reading::Values(values) => analysis::worst(query, values).map(number).unwrap_or_default(),
        Reading::NoData(_) | Reading::Failed(_) => String::new(),
    };
    note(cx, d, query, Found { word, value, message });
    verdict
}

/// What a measurement came to: its verdict as one word, the value that counts, and why it did not pass.
struct Found<'a> {
    word: &'a str,
    value: String,
    message: &'a str,
}

fn note(cx: &Context<'_>, d: &mut Draft, query: &Query, found: Found<'_>) {
    let step = cx.step();
    let metric = RunMetric {
        name: query.metric.clone(),
        query: keep::long(&redacted(&query.promql)),
        wanted: wanted(query.range),
        verdicts: [(found.word.to_owned(), 1)].into(),
    };
    let measurement = Measurement {
        metric: query.metric.clone(),
        step: step.index,
        start: step.checked.or(step.confirmed),
        end: Some(MicroTime(cx.now)),
        value: found.value,
        verdict: found.word.to_owned(),
        message: keep::short(found.message),
        times: None,
    };
    let one = Evidence { metrics: vec![metric], measurements: vec![measurement], ..of_run(cx) };
    d.evidence = keep::joined(std::mem::take(&mut d.evidence), one);
}

/// Notes the answer of a webhook.
pub(in crate::plan) fn called(cx: &Context<'_>, d: &mut Draft, call: &Call, said: &Result<(), String>) {
    let hook = HookCall {
        name: call.name.clone(),
        type_: call.kind.clone(),
        step: cx.step().index,
        at: Some(MicroTime(cx.now)),
        outcome: if said.is_ok() { keep::PASSED } else { "Refused" }.to_owned(),
        message: said.as_ref().err().map(|why| keep::short(why)).unwrap_or_default(),
        times: None,
    };
    let one = Evidence { hooks: vec![hook], ..of_run(cx) };
    d.evidence = keep::joined(std::mem::take(&mut d.evidence), one);
}

fn of_run(cx: &Context<'_>) -> Evidence {
    Evidence { run: cx.status().run.as_ref().map_or(0, |run| run.number), ..Evidence::default() }
}

/// A number as Prometheus writes it.
fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.into();
    }
    // as precise as anybody reads it, but for what is very small
    let rounded = (value * 1e4).round() / 1e4;
    if rounded.abs() >= 0.01 && rounded.is_finite() { rounded.to_string() } else { value.to_string() }
}

fn wanted(range: Range) -> String {
    match (range.min.map(number), range.max.map(number)) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "any number".into(),
    }
}

/// Words in the name of what must not be shown.
const SECRET: [&str; 8] =
    ["token", "secret", "password", "passwd", "apikey", "api_key", "api-key", "authorization"];
const HIDDEN: &str = "*****";

/// A query without what looks like a credential: values of keys that are named so, and users in addresses.
fn redacted(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word: &str = &rest[..rest.len() - rest.trim_start_matches(named).len()];
        if word.is_empty() {
            let (address, after) = user(rest).unwrap_or(("", rest));
            out.push_str(address);
            if address.is_empty() {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            } else {
                rest = after;
            }
            continue;
        }
        out.push_str(word);
        rest = &rest[word.len()..];
        let lower = word.to_ascii_lowercase();
        if SECRET.iter().any(|secret| lower.contains(secret)) {
            rest = hide_value(rest, &mut out);
        }
    }
    out
}

fn named(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// `://user:password@` at the beginning: what to show instead, and what follows.
fn user(rest: &str) -> Option<(&'static str, &str)> {
    let authority = rest.strip_prefix("://")?;
    let end = authority.find(|c: char| c == '/' || c == '"' || c.is_whitespace()).unwrap_or(authority.len());
    let at = authority[..end].rfind('@')?;
    Some(("://*****@", &authority[at + 1..]))
}

/// After a name: `= value`, `: "value"` and the like; the value is not shown.
fn hide_value<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let operator = rest.len() - rest.trim_start_matches([' ', '=', ':', '~', '!', '"', '\'', '\\']).len();
    let (between, value) = rest.split_at(operator);
    if !between.contains(['=', ':']) {
        return rest;
    }
    out.push_str(between);
    let quote = between.chars().last().filter(|c| *c == '"' || *c == '\'');
    let end = match quote {
        Some(quote) => value.find(quote),
        // a scheme such as Bearer belongs to the value
        None => value.find(|c: char| ",;&)}]\n".contains(c)),
    };
    out.push_str(HIDDEN);
    &value[end.unwrap_or(value.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_queries_are_not_shown() {
        for (text, shown) in [
            ("sum(rate(x{job=\"a\"}[1m]))", "sum(rate(x{job=\"a\"}[1m]))"),
            ("sum(token_requests_total)", "sum(token_requests_total)"),
            ("up{api_token=\"hush\",job=\"a\"}", "up{api_token=\"*****\",job=\"a\"}"),
            ("{\"password\": \"hush\", \"a\": 1}", "{\"password\": \"*****\", \"a\": 1}"),
            ("q?apikey=hush&x=1", "q?apikey=*****&x=1"),
            ("Authorization: Bearer hush", "Authorization: *****"),
            ("http://me:hush@host/é", "http://*****@host/é"),
            ("http://host/a@b", "http://host/a@b"),
        ] {
            assert_eq!(redacted(text), shown);
        }
    }

    #[test]
    fn ranges_and_numbers_read_well() {
        let range = |min, max| wanted(Range { min, max });
        assert_eq!(range(Some(99.0), None), "at least 99");
        assert_eq!(range(None, Some(0.5)), "at most 0.5");
        assert_eq!(range(Some(0.0), Some(5.0)), "0 to 5");
        assert_eq!(number(f64::NEG_INFINITY), "-Inf");
        assert_eq!(number(87.653_393_438), "87.6534");
        assert_eq!((number(0.0), number(0.000_25)), ("0".into(), "0.00025".into()));
    }
}
