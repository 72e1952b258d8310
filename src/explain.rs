//! `serin explain`: what would be done next with a Canary and why, by the code that does it.
//!
//! Reads the cluster once, writes nothing. Without `--ask` it asks nothing outside either, and prints both branches.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this module reads the cluster")]
#![allow(clippy::print_stdout, reason = "the answer is for the terminal")]

use std::{collections::BTreeSet, sync::Arc};

use anyhow::Context as _;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, ResourceExt as _};

use crate::{
    analysis::{self, Reading},
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
    let cache = read(&client, &namespace, &config.rules).await?;
    let key = (namespace.clone(), name.clone());
    let now = clock::now();
    let snap = observe::gather(&cache, &config.rules, &key, now)
        .with_context(|| format!("read Canary {name} in namespace {namespace}"))?;
    println!("{}", state(&snap));
    let mut at = now;
    let mut questions = vec![];
    match plan::begin(&snap, at) {
        Err(asked) => questions = asked,
        Ok(plan) => {
            print_plan("next", &plan, &snap, now);
            // Nothing to do until a window ends: what comes then is what people want to know.
            if let (true, Wake::At(due)) = (plan.is_empty(), plan.wake) {
                at = due;
                questions = plan::questions(&snap, at);
                println!();
            }
        }
    }
    for question in &questions {
        println!("asks: {}", asked(question));
    }
    if questions.is_empty() {
        return Ok(());
    }
    let then = if at > now { "then, " } else { "" };
    if ask {
        let metrics = Arc::new(Metrics::new(&config.rules.mesh_provider));
        let sources = Sources::new(&Http::new(out, TIMEOUT), &client);
        let asker = Asker::new(sources, Secrets::new(client.clone()), Contents::new(client), metrics);
        let answers = asker.ask(&questions).await;
        for (index, reading) in &answers.readings {
            println!("answer {index}: {reading:?}");
        }
        for (at, answer) in &answers.configs {
            println!("answer {at}: {}", content(answer.as_ref()));
        }
        print_plan(&format!("{then}with these answers"), &plan::decide(&snap, &answers, at), &snap, at);
    } else {
        let (passed, failed) = (all(&questions, |q| good(&snap, q)), all(&questions, |_| f64::NAN));
        print_plan(&format!("{then}if every check passes"), &plan::decide(&snap, &passed, at), &snap, at);
        print_plan(&format!("{then}if a check fails"), &plan::decide(&snap, &failed, at), &snap, at);
    }
    Ok(())
}

/// Why the operator leaves the Canaries of the namespace alone, if it chooses by labels.
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

/// What a metric has come to in this run, with its counts.
fn measured(metric: &MetricStatus) -> String {
    let outcome = metric.outcome.map(|o| format!("{o:?}")).unwrap_or_default();
    let value = if metric.value.is_empty() { String::new() } else { format!(" with {}", metric.value) };
    format!(
        "metric {}: {outcome}{value}, wanted {}; passed {}, failed {} ({} in a row), inconclusive {}, errors in a row {}",
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
        Question::Exists { query } | Question::Measure { query, .. } => {
            format!("{}: {}", whom(&query.server, &query.access.kind), query.promql)
        }
        Question::Config { at, .. } => format!("what {at} holds"),
    }
}

/// A server by its address, or by its kind where that has a public one.
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
            Question::Ping { .. } | Question::Exists { .. } | Question::Config { .. } => {}
        }
    }
    answers
}

/// A value inside the wanted range, or one that the conditions take for good.
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

fn print_plan(title: &str, plan: &Plan, snap: &Snapshot, now: Timestamp) {
    println!("\n{title}:");
    if let Some(status) = &plan.status {
        println!("  status: {}", change(&snap.canary.status.clone().unwrap_or_default(), status));
    }
    for action in &plan.actions {
        println!("  {}", described(action));
    }
    // one may do something: it is called by runs only
    for call in plan.calls.iter().flat_map(|round| &round.calls) {
        println!("  calls the webhook {} at {}", call.name, without_query(&call.url));
    }
    for note in &plan.notes {
        println!("  says {}: {}", note.reason, note.message);
    }
    if let Some((guard, stop)) = &plan.stopped {
        println!("  stopped by the guard {guard} ({})", stop.word());
    }
    match plan.wake {
        Wake::Now => println!("  then looks again at once"),
        Wake::At(time) => {
            let seconds = time.duration_since(now).as_secs_f64().max(0.0);
            println!("  waits {seconds:.1} s, until {time:.1}, or until something changes");
        }
        Wake::OnChange => println!("  waits until something changes"),
    }
}

/// There may be credentials in it.
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
