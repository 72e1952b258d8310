//! Events in a model as readable lines.

use serde_json::Value;
use serin::{
    analysis::{Doubt, Failure, Reading, Tally},
    api::{CanaryStatus, MetricStatus, StepStatus},
    manifest,
    names::conditions,
    plan::{Action, Note, Severity},
    snapshot::CANARY_RUN,
};

/// One note.
pub fn note(note: &Note) -> String {
    let severity = if note.severity == Severity::Warning { "Warning" } else { "Normal" };
    format!("say    {severity} {}: {}", note.reason, note.message)
}

/// The counts of both sides in words.
pub fn counted(metric: &str, answer: Option<&Result<Tally, Failure>>) -> String {
    let read = match answer {
        None => "no answer".to_owned(),
        Some(Ok(Tally { canary, primary })) => {
            format!("{}/{} beside {}/{}", canary.bad, canary.all, primary.bad, primary.all)
        }
        Some(Err(failure)) => failure.why.clone(),
    };
    format!("count  {metric}: {read}")
}

/// The reading of a metric.
pub fn asked(metric: &str, reading: Option<&Reading>) -> String {
    let numbers = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
    let read = match reading {
        None => "no answer".to_owned(),
        Some(Reading::Values(values)) if values.is_empty() => "no values".to_owned(),
        Some(Reading::Values(values)) => numbers(values),
        Some(Reading::Bad(why)) => format!("bad, {why}"),
        Some(Reading::NoData(why)) => format!("no data, {why}"),
        Some(Reading::Doubted { values, doubt: Doubt::Early }) => format!("{}, too early", numbers(values)),
        Some(Reading::Doubted { values, doubt: Doubt::Reset }) => {
            format!("{}, across a reset", numbers(values))
        }
        Some(Reading::Doubted { values, doubt }) => format!("{}, {}", numbers(values), doubt.why()),
        Some(Reading::Failed(failure)) => format!("failed, {}", failure.why),
    };
    format!("ask    {metric}: {read}")
}

/// One action.
pub fn action(action: &Action) -> String {
    match action {
        Action::Create(m) if m.kind == CANARY_RUN => record(&m.name, &m.body["status"]),
        Action::Patch { at, patch, .. } if at.kind == CANARY_RUN => record(&at.name, &patch["status"]),
        Action::Create(m) => format!("create {}{}", m.at(), detail(&m.body).unwrap_or_default()),
        Action::Copy(of) => format!("copy   {} to {}", of.from, of.name),
        Action::Patch { at, patch, .. } => {
            let fields = || format!(" {}", paths(patch, String::new()).join(" "));
            format!("patch  {at}{}", detail(patch).unwrap_or_else(fields))
        }
        Action::Scale { name, replicas, .. } => format!("scale  {name} to {replicas}"),
        Action::Delete { at, .. } => format!("delete {at}"),
        Action::Finalizers { list } => format!("write  finalizers [{}]", list.join(", ")),
    }
}

/// The record of a run, in one line.
fn record(name: &str, status: &Value) -> String {
    let count = |list: &str| status[list].as_array().map_or(0, Vec::len);
    let counts =
        [("steps", count("steps")), ("measurements", count("measurements")), ("hooks", count("hooks"))];
    let counts = counts.into_iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!(", {n} {what}"));
    let text = |key: &str| status[key].as_str().unwrap_or_default().to_owned();
    let reason = Some(text("reason")).filter(|r| !r.is_empty()).map(|r| format!(" {r}")).unwrap_or_default();
    format!("record {name}: {}{reason}{}", text("phase"), counts.collect::<String>())
}

/// The destinations of each http route, with the headers that select its requests.
fn routes(http: &Value) -> Option<String> {
    let rules = http.as_array()?.iter().filter_map(|rule| {
        let lead = rule["route"].as_array()?.iter().map(|r| {
            let host = r["destination"]["host"].as_str().unwrap_or_default();
            r["weight"].as_i64().map_or_else(|| host.to_owned(), |w| format!("{host} {w}"))
        });
        let lead = lead.collect::<Vec<_>>().join(", ");
        let headers = rule["match"][0]["headers"].as_object().into_iter().flatten().next();
        Some(headers.map_or(lead.clone(), |(name, value)| format!("{name}={} {lead}", value["exact"])))
    });
    let rules: Vec<String> = rules.collect();
    (!rules.is_empty()).then(|| rules.join(" | "))
}

/// The important parts of an object or a patch.
fn detail(body: &Value) -> Option<String> {
    let mut out = Vec::new();
    let spec = &body["spec"];
    out.extend(routes(&spec["http"]));
    if let Some(selector) = spec["selector"].as_object().filter(|s| !s.contains_key("matchLabels")) {
        out.extend(selector.iter().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())));
    }
    if let Some(image) = spec["template"]["spec"]["containers"][0]["image"].as_str() {
        out.push(format!("image {image}"));
    } else if !spec["template"].is_null() {
        out.push("template".into());
    }
    if let Some(image) = body["data"]["template"]["spec"]["containers"][0]["image"].as_str() {
        out.push(format!("image {image}"));
    }
    if let Some(replicas) = spec["replicas"].as_i64() {
        out.push(format!("replicas {replicas}"));
    }
    for bound in ["minReplicas", "maxReplicas", "minReplicaCount", "maxReplicaCount"] {
        out.extend(spec[bound].as_i64().map(|n| format!("{bound} {n}")));
    }
    (!out.is_empty()).then(|| format!(": {}", out.join(", ")))
}

fn paths(value: &Value, at: String) -> Vec<String> {
    match value.as_object().filter(|m| !m.is_empty()) {
        Some(map) => map.iter().flat_map(|(k, v)| paths(v, format!("{at}/{k}"))).collect(),
        None => vec![at],
    }
}

/// The changes of a status write, one per line. `revision` names a hash.
pub fn status(old: &CanaryStatus, new: &CanaryStatus, revision: &dyn Fn(&str) -> String) -> Vec<String> {
    let mut out = Vec::new();
    let mut field = |name: &str, old: String, new: String| {
        if old != new {
            out.push(format!("status {name}: {} → {}", or_none(&old), or_none(&new)));
        }
    };
    let text = |v: &dyn std::fmt::Display| v.to_string();
    field("phase", text(&old.phase.unwrap_or_default()), text(&new.phase.unwrap_or_default()));
    field("epoch", text(&old.epoch), text(&new.epoch));
    let hash = |h: &Option<String>| h.as_deref().map(revision).unwrap_or_default();
    field("lastAppliedSpec", hash(&old.last_applied_spec), hash(&new.last_applied_spec));
    field("lastPromotedSpec", hash(&old.last_promoted_spec), hash(&new.last_promoted_spec));
    let sums = |s: &CanaryStatus| {
        let all = s.tracked_configs.iter().flatten();
        all.map(|(key, sum)| format!("{key} {}", sum.chars().take(4).collect::<String>()))
            .collect::<Vec<_>>()
            .join(", ")
    };
    field("trackedConfigs", sums(old), sums(new));
    field("step", step(old.step.as_ref()), step(new.step.as_ref()));
    field("canaryWeight", text(&old.canary_weight), text(&new.canary_weight));
    field("failedChecks", text(&old.failed_checks), text(&new.failed_checks));
    let request = |s: &CanaryStatus| {
        let known = s.request.as_ref();
        known.map(|r| format!("{} {} {:?} {}", r.id, r.verb, r.answer, r.message)).unwrap_or_default()
    };
    field("request", request(old), request(new));
    let ending = |s: &CanaryStatus| {
        let ending = s.run.as_ref().and_then(|r| r.ending.as_ref());
        ending.map(|e| format!("{:?} ({}: {})", e.kind, e.reason, e.message)).unwrap_or_default()
    };
    field("ending", ending(old), ending(new));
    let replicas = |s: &CanaryStatus| s.primary_replicas.map(|r| r.to_string()).unwrap_or_default();
    field("primaryReplicas", replicas(old), replicas(new));
    let generation = |s: &CanaryStatus| s.observed_generation.map(|g| g.to_string()).unwrap_or_default();
    field("observedGeneration", generation(old), generation(new));
    for condition in new.conditions.iter().filter(|c| !follows(c)) {
        let before = old.conditions.iter().find(|c| c.type_ == condition.type_);
        let line =
            |c: &serin::api::CanaryCondition| format!("{}={} {}: {}", c.type_, c.status, c.reason, c.message);
        if before.map(line) != Some(line(condition)) {
            out.push(format!("status {}", line(condition)));
        }
    }
    let gone =
        |c: &&serin::api::CanaryCondition| !follows(c) && !new.conditions.iter().any(|n| n.type_ == c.type_);
    out.extend(old.conditions.iter().filter(gone).map(|c| format!("status {} is over", c.type_)));
    if out.is_empty() {
        out.push("status times only".into());
    }
    out
}

/// The condition follows from the rest of the status. The test target `waiting` checks these.
pub fn follows(condition: &serin::api::CanaryCondition) -> bool {
    [conditions::READY, conditions::RECONCILING, conditions::STALLED].contains(&condition.type_.as_str())
}

/// The state of a metric.
pub fn metric(entry: &MetricStatus) -> String {
    let MetricStatus {
        name, value, wanted, passed, failed, failed_in_row, inconclusive, errors_in_row, ..
    } = entry;
    let outcome = entry.outcome.map(|o| format!("{o:?}")).unwrap_or_default();
    format!(
        "metric {name} {outcome} {value}, wanted {wanted}: passed {passed}, failed {failed} ({failed_in_row} in a row), \
         inconclusive {inconclusive}, errors {errors_in_row}"
    )
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

fn step(step: Option<&StepStatus>) -> String {
    let Some(step) = step else { return String::new() };
    let seen = if step.checked.is_some() {
        " checked"
    } else if step.confirmed.is_some() {
        " confirmed"
    } else {
        ""
    };
    let back = if step.promotion > 0 { format!(" back {}", step.promotion) } else { String::new() };
    let renew = if step.renew { " with new pods" } else { "" };
    let shortened = if step.shortened.is_some() { ", to end now" } else { "" };
    format!("{} at {} %{back}{seen}{renew}{shortened}", step.index, step.weight)
}

/// The summary of a workload: image and pods.
pub fn deployment(live: &Value) -> String {
    let image = live["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap_or("?");
    let status = &live["status"];
    let ready = status["availableReplicas"].as_i64().or(status["numberAvailable"].as_i64()).unwrap_or(0);
    format!("{image} {ready}/{}", manifest::replicas(live))
}
