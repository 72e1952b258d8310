//! Measurements and calls of webhooks in the form of a record. The only place that makes them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde_json::json;

use super::retention;
use crate::{
    analysis::Assessment,
    api::{
        MetricStatus,
        canary_run::{HookCall, Measurement, RunMetric},
    },
    names,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{HookKind, run_of},
    },
    snapshot::{CANARY_RUN, Evidence, Snapshot, WebhookReply, WebhookRound},
};

/// Records a measurement.
pub(crate) fn measured(cx: &Context<'_>, d: &mut PlanBuilder, entry: &MetricStatus, found: &Assessment) {
    let step = cx.step();
    let verdict = format!("{:?}", found.outcome);
    let metric = RunMetric {
        name: entry.name.clone(),
        range: entry.range,
        unit: entry.unit.clone(),
        query: retention::long(&redacted(&found.query)),
        wanted: found.wanted.clone(),
        verdicts: [(verdict.clone(), 1)].into(),
    };
    let measurement = Measurement {
        metric: entry.name.clone(),
        step: step.index,
        start: step.checked.or(step.confirmed),
        end: Some(MicroTime(cx.now)),
        value: found.value.clone(),
        primary: found.primary.clone(),
        verdict,
        message: retention::short(&found.text),
        job: found.job.clone().unwrap_or_default(),
        times: None,
    };
    let one = Evidence { metrics: vec![metric], measurements: vec![measurement], ..of_run(cx) };
    d.evidence = retention::joined(std::mem::take(&mut d.evidence), one);
}

/// Records answers of webhooks; known ones unchanged and only once. Answers of webhooks that are called after the end
/// of a run come with the write that closes its record: see [`post_rollout_calls`].
pub(crate) fn called(cx: &Context<'_>, d: &mut PlanBuilder, kind: HookKind, heard: &WebhookRound) {
    let of = match kind {
        HookKind::PostRollout => return,
        HookKind::ConfirmRollout => of_next(cx),
        _ => of_run(cx),
    };
    for said in &heard.said {
        let hook = call(kind, cx.step().index, said);
        let known = |all: &[HookCall]| all.iter().any(|one| one.name == hook.name && one.at == hook.at);
        if known(&d.evidence.hooks) || known(&cx.snap.records.unwritten.hooks) || written(cx, &hook) {
            continue;
        }
        let one = Evidence { hooks: vec![hook], ..of.clone() };
        d.evidence = retention::joined(std::mem::take(&mut d.evidence), one);
    }
}

/// Answers of webhooks that were called after the end of the last run.
pub(crate) fn post_rollout_calls(snap: &Snapshot) -> Vec<HookCall> {
    let (run, kind) = (run_of(snap), HookKind::PostRollout);
    let about = |place: &str| place.starts_with(&run) && place.ends_with(kind.word());
    let heard = snap.heard.iter().filter(|(place, _)| about(place));
    heard.flat_map(|(_, heard)| &heard.said).map(|said| call(kind, 0, said)).collect()
}

fn call(kind: HookKind, step: i32, said: &WebhookReply) -> HookCall {
    let course = &said.course;
    HookCall {
        name: said.name.clone(),
        type_: kind.word().to_owned(),
        url: retention::address(&course.shown),
        step,
        asked: Some(MicroTime(course.asked)),
        at: Some(MicroTime(course.answered)),
        outcome: if said.answer.is_ok() { retention::PASSED } else { "Refused" }.to_owned(),
        status: course.status.map(i32::from),
        message: said.answer.as_ref().err().map(|no| retention::short(&no.why)).unwrap_or_default(),
        tries: i32::try_from(course.tries).ok().filter(|tries| *tries > 1),
        times: None,
    }
}

/// The record of the run already has this answer.
fn written(cx: &Context<'_>, hook: &HookCall) -> bool {
    let Some(number) = cx.status().run.as_ref().map(|run| run.number) else { return false };
    let record = cx.snap.objects.get(CANARY_RUN, &names::run(&cx.c.name, number));
    let calls = record.and_then(|record| record["status"]["hooks"].as_array()).into_iter().flatten();
    calls.into_iter().any(|call| call["name"] == hook.name.as_str() && call["at"] == json!(hook.at))
}

fn of_run(cx: &Context<'_>) -> Evidence {
    let run = cx.status().run.as_ref().map_or(0, |run| run.number);
    Evidence { run, revision: cx.applied().unwrap_or_default().to_owned(), ..Evidence::default() }
}

/// The run that would begin with the target's current revision.
fn of_next(cx: &Context<'_>) -> Evidence {
    Evidence { run: cx.status().epoch + 1, revision: cx.hash.clone(), ..Evidence::default() }
}

/// Parts of names whose values must not be shown.
const SECRET: [&str; 8] =
    ["token", "secret", "password", "passwd", "apikey", "api_key", "api-key", "authorization"];
const HIDDEN: &str = "*****";

/// A query without anything that looks like a credential: values of keys with such names, and users in addresses.
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

/// `://user:password@` at the beginning: the text to show instead, and the rest.
fn user(rest: &str) -> Option<(&'static str, &str)> {
    let authority = rest.strip_prefix("://")?;
    let end = authority.find(|c: char| c == '/' || c == '"' || c.is_whitespace()).unwrap_or(authority.len());
    let at = authority[..end].rfind('@')?;
    Some(("://*****@", &authority[at + 1..]))
}

/// After a name: `= value`, `: "value"` and similar; the value is not shown.
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
}
