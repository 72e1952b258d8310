//! The MetricTemplates that checks refer to, and the Secrets they name. No run is analysed while one is missing or cannot
//! be queried; a kind of server that is not served holds runs at weight 0.

use serde_json::{Value, json};

use crate::{
    analysis::{
        self, Access, Checks, args,
        provider_kinds::{self, KINDS},
    },
    api::{CanaryMetric, Phase},
    names::conditions,
    plan::{
        admission::references,
        context::Context,
        model::{Answers, Question},
    },
    router::Builtin,
    snapshot::{METRIC_TEMPLATE, Snapshot},
    spec::{Findings, Problem, Validated, outbound},
};

/// The metrics of the Canary with their references, and the problems of these.
pub(crate) fn look(snap: &Snapshot, c: &Validated, target: &Value, findings: &mut Findings) -> Checks {
    let mut checks = Checks {
        metrics: arguments(snap, c, target, findings),
        secrets: snap.secrets.clone().unwrap_or_default(),
        conditions: snap.conditions.clone(),
        revision: c.target.revision_name(target),
        promoted: c.target.promoted_name(target),
        ..Checks::default()
    };
    for metric in &c.analysis.metrics {
        let Some(name) = analysis::template_of(c, metric) else { continue };
        let field = format!("spec.analysis.metrics[{}].templateRef", metric.name);
        let Some(template) = snap.templates.get(&name) else {
            if let Some(why) = snap.undecodable.get(&format!("{} {name}", METRIC_TEMPLATE.kind)) {
                let message = format!("{field}: MetricTemplate {name} does not decode: {why}");
                findings.faults.push(Problem::new("TemplateInvalid", message));
                continue;
            }
            findings.faults.push(Problem::new(
                "TemplateMissing",
                format!("{field}: there is no MetricTemplate {name}: {}", snap.rules.when_missing(&name)),
            ));
            continue;
        };
        if let Some(problem) =
            references::not_lent(snap, c, (&field, &name), template.allowed_namespaces.as_ref())
        {
            findings.faults.push(problem);
            continue;
        }
        if template.provider.type_ == analysis::job::KIND {
            // created, not queried: see `analysis::jobs`
            continue;
        }
        if let Some(kind) = provider_kinds::kind(&template.provider.type_) {
            if let Some(why) = provider_kinds::mistakes(template, kind) {
                let message = format!("{field}: MetricTemplate {name} has {why}");
                findings.faults.push(Problem::new("TemplateInvalid", message));
            }
        } else {
            let served = KINDS.iter().map(|kind| kind.name).chain([analysis::job::KIND]);
            let served = served.collect::<Vec<_>>().join(", ");
            findings.held = true;
            findings.unserved.push(format!(
                "{field}: MetricTemplate {name}, spec.provider.type {} (served are {served})",
                template.provider.type_
            ));
        }
        let address = template.provider.address.as_deref().unwrap_or_default();
        let whose = format!("{field}: MetricTemplate {name}, spec.provider.address");
        let of = name.split_once('/').map_or("", |(namespace, _)| namespace);
        findings.faults.extend(outbound::refused(&whose, address, of, &snap.rules.outbound));
        checks.templates.insert(name.clone(), template.clone());
        findings.faults.extend(secret_missing(snap, &Access::of(&name, template, &checks.secrets)));
    }
    checks
}

/// Replaces arguments that refer to fields with the values of the fields.
fn arguments(snap: &Snapshot, c: &Validated, target: &Value, findings: &mut Findings) -> Vec<CanaryMetric> {
    let mut metrics = c.metrics.clone();
    let fields = metrics.iter().any(|m| !m.args.is_empty());
    let canary = if fields { json!(&*snap.canary) } else { Value::Null };
    for metric in &mut metrics {
        if let Err(why) = args::resolve(metric, &canary, target) {
            findings.faults.push(Problem::new("ArgInvalid", why));
            continue;
        }
        for at in metric.args.iter().filter_map(|a| a.value_from.as_ref()?.secret_key_ref.as_ref()) {
            let name = format!("{}/{}", c.namespace, at.name);
            if snap.secrets.as_ref().is_some_and(|known| !known.contains_key(&name)) {
                findings.faults.push(Problem::new("SecretMissing", format!(
                    "Secret {name} does not exist, but spec.analysis.metrics[{}].args names it: create it or correct the name",
                    metric.name
                )));
            }
        }
    }
    metrics
}

/// A named Secret that does not exist. If Secrets are not watched, only a query can show it.
fn secret_missing(snap: &Snapshot, access: &Access) -> Option<Problem> {
    let known = snap.secrets.as_ref()?;
    let at = access.secret.as_ref()?;
    let name = format!("{}/{}", at.namespace, at.name);
    let message = || {
        format!("Secret {name} does not exist, but {} names it: create it or correct the name", at.named_by)
    };
    (!known.contains_key(&name)).then(|| Problem::new("SecretMissing", message()))
}

/// What has to be enabled for the built-in checks, if there are no series when the Canary is first seen.
/// Reported until a run begins, which shows it.
pub(crate) fn uncounted(
    snap: &Snapshot,
    answers: &Answers,
    asks: &[analysis::Ask],
    builtin: &Builtin,
) -> Option<String> {
    let rests = |ask: &analysis::Ask| ask.query.as_ref().is_ok_and(|query| query.counters.is_some());
    if builtin.needs.is_empty() || !asks.iter().any(rests) {
        return None;
    }
    let text = format!(
        "the built-in checks find nothing, as the metrics server has no {}: {}",
        builtin.counter, builtin.needs
    );
    let status = snap.status();
    let unstarted = matches!(status.begun(), Phase::Unset | Phase::Initializing | Phase::Initialized);
    let said = status.conditions.iter().any(|c| c.type_ == conditions::ADVISORY && c.message.contains(&text));
    let missing = answers.exists.map_or(said, |exists| !exists);
    (missing && unstarted).then_some(text)
}

/// Every metrics server of the checks, once: like Flagger, the operator checks whether they answer when it first sees a
/// Canary.
pub(crate) fn pings(cx: &Context<'_>) -> Vec<Question> {
    let own = (cx.c.metrics_server.clone(), Access::in_namespace(&cx.c.namespace));
    let mut seen = vec![own.clone()];
    let mut all = vec![Question::Ping { server: own.0, access: own.1, template: None }];
    for (name, template) in &cx.checks.templates {
        let server = template.provider.address.clone().unwrap_or_default();
        let access = Access::of(name, template, &cx.checks.secrets);
        let asked = (server, access);
        let kind = provider_kinds::kind(&template.provider.type_);
        if kind.is_none_or(|kind| provider_kinds::mistakes(template, kind).is_some()) || seen.contains(&asked)
        {
            continue;
        }
        seen.push(asked.clone());
        all.push(Question::Ping { server: asked.0, access: asked.1, template: Some(name.clone()) });
    }
    all.extend(exists(cx));
    all
}

/// Whether there are series for the built-in checks, if these have to be enabled.
fn exists(cx: &Context<'_>) -> Option<Question> {
    let builtin = cx.router.queries();
    let rests = |query: &&analysis::Query| query.counters.is_some() && !builtin.needs.is_empty();
    let check = cx.asks.iter().filter_map(|ask| ask.query.as_ref().ok()).find(rests)?;
    let promql = format!("count({})", builtin.counter);
    Some(Question::Exists {
        query: analysis::Query { promql, counters: None, doubts: vec![], ..check.clone() },
    })
}
