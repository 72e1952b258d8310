//! `serin explain`: what would be done next with a Canary and why, with the code that does it.
//!
//! Reads the cluster once, writes nothing. Without `--ask` it queries no other server either, and prints both branches.
//! `kubectl canary explain` prints the same with the rights of the caller.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this module reads the cluster")]
#![allow(clippy::print_stdout, reason = "the answer is for the terminal")]

use std::{collections::BTreeSet, sync::Arc};

use anyhow::Context as _;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, ResourceExt as _};

use crate::{
    analysis::{self, Failure, Reading, Tally},
    api::{CanaryStatus, MetricStatus},
    clock,
    config::{Config, Rules},
    controller,
    manifest::config::Digest,
    observe::{self, ObjectCache},
    plan::{self, Action, Answers, Plan, Question, Wake},
    queries::Asker,
    scope::Scope,
    snapshot::{CANARY_RUN, Snapshot},
    source::{Contents, Http, Secrets, Sources, http::TIMEOUT},
    telemetry::Metrics,
};

/// Prints the next step of `name` in `namespace`; with `ask`, metrics are really queried.
///
/// # Errors
/// The cluster cannot be read, or there is no such Canary.
pub(crate) async fn run(config: Config, namespace: String, name: String, ask: bool) -> anyhow::Result<()> {
    let (client, out) = controller::connect(&config, None).await?;
    if let Some(why) = left_alone(&client, &config.scope, &namespace).await? {
        println!("{why}");
        return Ok(());
    }
    let now = clock::now();
    let snap = look(&client, &config.rules, &namespace, &name, now).await?;
    if !ask {
        print!("{}", told(&snap, now));
        return Ok(());
    }
    let (mut text, next) = until_asked(&snap, now);
    if !next.questions.is_empty() {
        let metrics = Arc::new(Metrics::new(&config.rules.mesh_provider));
        let sources = Sources::new(&Http::new(out, TIMEOUT), &client);
        let asker =
            Asker::new(sources, Secrets::new(client.clone()), Contents::new(client), &config.rules, metrics);
        let answers = asker.ask(&namespace, &next.questions).await;
        for (index, reading) in &answers.readings {
            text.push_str(&format!("answer {index}: {reading:?}\n"));
        }
        for (index, reading) in &answers.newest {
            text.push_str(&format!("newest sample for {index}: {reading:?}\n"));
        }
        for ((metric, to), answer) in &answers.counts {
            text.push_str(&format!(
                "counts of metric {metric} up to {to:.0}: {}\n",
                tallied(answer.as_ref())
            ));
        }
        for (at, answer) in &answers.configs {
            text.push_str(&format!("answer {at}: {}\n", content(answer.as_ref())));
        }
        let plan = plan::decide(&snap, &answers, next.at);
        text.push_str(&planned(&format!("{}with these answers", next.then), &plan, &snap, next.at));
    }
    print!("{text}");
    Ok(())
}

/// Reads the objects that the planner uses, once. `rules` are the settings of the operator that acts.
///
/// # Errors
/// The cluster cannot be read with the rights of `client`, or there is no such Canary.
pub async fn look(
    client: &Client,
    rules: &Rules,
    namespace: &str,
    name: &str,
    now: Timestamp,
) -> anyhow::Result<Snapshot> {
    let cache = read(client, namespace, rules).await?;
    let key = (namespace.to_owned(), name.to_owned());
    observe::gather(&cache, rules, &key, now)
        .with_context(|| format!("read Canary {name} in namespace {namespace}"))
}

/// What would be done next and why, as lines of text. It queries no server: if a decision depends on answers, it names
/// both branches.
pub fn told(snap: &Snapshot, now: Timestamp) -> String {
    let (mut text, next) = until_asked(snap, now);
    if next.questions.is_empty() {
        return text;
    }
    let (passed, failed) = (all(&next.questions, |q| good(snap, q)), all(&next.questions, |_| f64::NAN));
    for (case, answers) in [("if every check passes", passed), ("if a check fails", failed)] {
        let plan = plan::decide(snap, &answers, next.at);
        text.push_str(&planned(&format!("{}{case}", next.then), &plan, snap, next.at));
    }
    text
}

/// What will be queried, and when.
struct Next {
    questions: Vec<Question>,
    at: Timestamp,
    then: &'static str,
}

/// What is known before anything is queried.
fn until_asked(snap: &Snapshot, now: Timestamp) -> (String, Next) {
    let mut text = state(snap) + "\n";
    let mut at = now;
    let mut questions = vec![];
    match plan::begin(snap, at) {
        Err(asked) => questions = asked,
        Ok(plan) => {
            text.push_str(&planned("next", &plan, snap, now));
            // Nothing to do until a window ends: people want to know what happens then.
            if let (true, Wake::At(due)) = (plan.is_empty(), plan.wake) {
                at = due;
                questions = plan::questions(snap, at);
                text.push('\n');
            }
        }
    }
    for question in &questions {
        text.push_str(&format!("asks: {}\n", asked(question)));
    }
    let then = if at > now { "then, " } else { "" };
    (text, Next { questions, at, then })
}

/// Why the operator ignores the Canaries of the namespace, if it selects by labels.
async fn left_alone(client: &Client, scope: &Scope, namespace: &str) -> anyhow::Result<Option<String>> {
    let Scope::Labelled(selector) = scope else { return Ok(None) };
    let api: Api<Namespace> = Api::all(client.clone());
    let found = api.get_metadata(namespace).await;
    let found = found.with_context(|| format!("read the labels of namespace {namespace}"))?;
    let chosen = scope.holds(namespace, found.labels());
    Ok((!chosen).then(|| not_chosen(namespace, &selector.to_string())))
}

fn not_chosen(namespace: &str, selector: &str) -> String {
    format!(
        "The labels of namespace {namespace} do not match --namespace-selector={selector}: the operator leaves its Canaries as \
         they are, whatever they ask for"
    )
}

/// All kinds of one namespace, listed once.
async fn read(client: &Client, namespace: &str, rules: &Rules) -> anyhow::Result<ObjectCache> {
    let cache = ObjectCache::default();
    observe::list_once(client, namespace, rules, &cache).await.context("list what the Canary depends on")?;
    Ok(cache)
}

fn state(snap: &Snapshot) -> String {
    let status = snap.canary.status.clone().unwrap_or_default();
    let phase = status.phase.unwrap_or_default().to_string();
    let phase = if phase.is_empty() { "(new)".to_owned() } else { phase };
    let mut lines = vec![format!(
        "phase {phase}, canary weight {}, failed checks {}",
        status.canary_weight, status.failed_checks
    )];
    if let Some(last) = &status.last_run {
        let (name, outcome, reason) = (&last.name, last.outcome, &last.reason);
        lines.push(format!(
            "last run {name}, ended {:.0}: {outcome:?} ({reason}), {}",
            last.ended.0, last.message
        ));
    }
    for (service, ready) in &snap.ready {
        lines.push(format!("ready pods behind {service}: {ready}"));
    }
    lines.extend(status.metrics.iter().filter(|m| m.outcome.is_some()).map(measured));
    for condition in &status.conditions {
        lines.push(format!("{}={}: {}", condition.type_, condition.status, condition.message));
    }
    lines.join("\n")
}

/// The result of a metric in this run, with its counts.
fn measured(metric: &MetricStatus) -> String {
    let outcome = metric.outcome.map(|o| format!("{o:?}")).unwrap_or_default();
    let value = if metric.value.is_empty() { String::new() } else { format!(" with {}", metric.value) };
    let compared = metric.compare.as_ref().map(|c| format!("; {}", c.message)).unwrap_or_default();
    format!(
        "metric {}: {outcome}{value}, wanted {}; passed {}, failed {} ({} in a row), inconclusive {}, errors in a row {}{compared}",
        metric.name,
        metric.wanted,
        metric.passed,
        metric.failed,
        metric.failed_in_row,
        metric.inconclusive,
        metric.errors_in_row
    )
}

fn asked(question: &Question) -> String {
    match question {
        Question::Ping { server, access, .. } => format!("whether {} answers", whom(server, &access.kind)),
        Question::Exists { query } | Question::Measure { query, .. } | Question::Newest { query, .. } => {
            format!("{}: {}", whom(&query.server, &query.access.kind), query.promql)
        }
        Question::Count { from, to, query, .. } => {
            let server = whom(&query.server, &query.access.kind);
            format!("{server}: counts of {} from {from:.0} to {to:.0}: {}", query.metric, query.promql)
        }
        Question::Config { at, .. } => format!("what {at} holds"),
    }
}

fn tallied(answer: Result<&Tally, &Failure>) -> String {
    match answer {
        Ok(Tally { canary, primary }) => format!(
            "{} of {} requests of the canary failed, {} of {} of the primary",
            canary.bad, canary.all, primary.bad, primary.all
        ),
        Err(failure) => failure.why.clone(),
    }
}

/// A server by its address, or by its kind if that has a public address.
fn whom<'a>(server: &'a str, kind: &'a str) -> &'a str {
    if server.is_empty() { kind } else { server }
}

fn content(answer: Result<&Option<Digest>, &String>) -> String {
    match answer {
        Ok(Some(digest)) => digest.checksum.clone().unwrap_or_else(|| "not followed".into()),
        Ok(None) => "does not exist".into(),
        Err(why) => why.clone(),
    }
}

fn all(questions: &[Question], value: impl Fn(&crate::analysis::Query) -> f64) -> Answers {
    let mut answers = Answers { ping: Some(Ok(())), ..Answers::default() };
    for question in questions {
        match question {
            Question::Measure { index, query } => {
                answers.readings.insert(*index, Reading::Values(vec![value(query)]));
            }
            Question::Ping { .. }
            | Question::Exists { .. }
            | Question::Newest { .. }
            | Question::Count { .. }
            | Question::Config { .. } => {}
        }
    }
    answers
}

/// A value inside the wanted range, or one that the conditions accept.
fn good(snap: &Snapshot, query: &crate::analysis::Query) -> f64 {
    let metrics = snap.canary.analysis().map(|a| a.metrics.as_slice()).unwrap_or_default();
    if let Some(value) = analysis::example(metrics, &snap.conditions, query) {
        return value;
    }
    match (query.range.min, query.range.max) {
        (Some(min), _) => min,
        (None, Some(max)) => max,
        (None, None) => 0.0,
    }
}

fn planned(title: &str, plan: &Plan, snap: &Snapshot, now: Timestamp) -> String {
    let mut lines = vec![String::new(), format!("{title}:")];
    if let Some(status) = &plan.status {
        lines.push(format!("  status: {}", change(&snap.canary.status.clone().unwrap_or_default(), status)));
    }
    lines.extend(plan.actions.iter().map(|action| format!("  {}", described(action))));
    // a webhook may have effects: only runs call it
    for call in plan.calls.iter().flat_map(|round| &round.calls) {
        lines.push(format!("  calls the webhook {} at {}", call.name, without_query(&call.url)));
    }
    lines.extend(plan.notes.iter().map(|note| format!("  says {}: {}", note.reason, note.message)));
    if let Some((guard, stop)) = &plan.stopped {
        lines.push(format!("  stopped by the guard {guard} ({})", stop.word()));
    }
    lines.push(match plan.wake {
        Wake::Now => "  then looks again at once".into(),
        Wake::At(time) => {
            let seconds = time.duration_since(now).as_secs_f64().max(0.0);
            format!("  waits {seconds:.1} s, until {time:.1}, or until something changes")
        }
        Wake::OnChange => "  waits until something changes".into(),
    });
    lines.join("\n") + "\n"
}

/// The query may contain credentials.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

fn change(old: &CanaryStatus, new: &CanaryStatus) -> String {
    let mut parts = BTreeSet::new();
    if old.phase != new.phase {
        parts.insert(format!("phase {}", new.phase.unwrap_or_default()));
    }
    let place =
        |status: &CanaryStatus| status.step.as_ref().map(|s| (s.index, s.weight, s.confirmed.is_some()));
    if place(old) != place(new)
        && let Some(step) = &new.step
    {
        let state = if step.confirmed.is_some() { "confirmed" } else { "intended" };
        parts.insert(format!("step {} with weight {} {state}", step.index, step.weight));
    }
    if old.failed_checks != new.failed_checks {
        parts.insert(format!("failed checks {}", new.failed_checks));
    }
    if parts.is_empty() {
        parts.insert("conditions and bookkeeping".into());
    }
    parts.into_iter().collect::<Vec<_>>().join(", ")
}

fn described(action: &Action) -> String {
    match action {
        Action::Create(manifest) => format!("creates {}", manifest.at()),
        Action::Copy(of) => format!("copies {} to {}", of.from, of.name),
        Action::Patch { at, .. } if at.kind == CANARY_RUN => format!("writes {at}"),
        Action::Patch { at, patch, .. } => format!("patches {at}: {patch}"),
        Action::Scale { name, replicas, .. } => format!("scales Deployment {name} to {replicas}"),
        Action::Delete { at, .. } => format!("deletes {at}"),
        Action::Finalizers { list } => format!("sets the Canary's finalizers to {list:?}"),
    }
}
