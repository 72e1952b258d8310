//! PURE. What of a Canary is played, and what has to be read for it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    analysis::{self, Checks, Metric, Query, args},
    api::{Canary, CanaryMetric},
    config::Rules,
    router,
    snapshot::Snapshot,
    spec::{Denial, Strategy, Target, Validated, validate},
};

/// Fields of an analysis that are about routes, people and others, and not about what is measured.
const NOT_PLAYED: [&str; 13] = [
    "webhooks",
    "alerts",
    "match",
    "always",
    "never",
    "mirror",
    "mirrorWeight",
    "sessionAffinity",
    "canaryReplicas",
    "startGate",
    "promotion",
    "windows",
    "rollbackWindow",
];
/// A run is followed for so many times its least length, and for so many seconds at least.
const FOLLOWED: f64 = 2.0;
const SHORTEST: f64 = 600.0;
/// Seconds between two looks where nothing compares.
const EVERY: f64 = 15.0;
/// Share of the requests where a canary gets all of some users' or copies: half of the pods play it.
const HALF: f64 = 0.5;

/// What is played.
#[derive(Clone, Debug)]
pub(super) struct Played {
    /// Of the target.
    pub(super) name: String,
    pub(super) rules: Rules,
    /// What of `spec.analysis` decides about a release.
    pub(super) analysis: Value,
    pub(super) metrics: Vec<CanaryMetric>,
    /// The metric of each question, by position.
    pub(super) questions: Vec<usize>,
    /// Metrics that cannot be played, and why.
    pub(super) left_out: Vec<String>,
    /// Seconds that a replay is followed at most.
    pub(super) longest: f64,
    /// The largest share of the requests that a step gives.
    pub(super) most: f64,
    pub(super) unweighted: Option<f64>,
    /// Percent of releases that may be rolled back without a reason.
    pub(super) stated: f64,
    pub(super) wanted: Reads,
}

/// What has to be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Reads {
    /// Seconds between two looks.
    pub(super) every: f64,
    /// Seconds between two values.
    pub(super) step: f64,
    /// Counts of requests, where the router has counters.
    pub(super) counts: Option<Query>,
    /// What metrics ask about the primary, by position.
    pub(super) values: Vec<(usize, Query)>,
}

/// Reads a Canary as the operator would.
///
/// # Errors
/// The operator would not act on it, or nothing of it can be played: why.
pub(super) fn played(snap: &Snapshot) -> Result<Played, String> {
    let c = validate(&snap.canary, &snap.rules).map_err(denied)?;
    let target = snap.objects.get(c.target.kind(), &c.names.target).cloned().unwrap_or_default();
    let (metrics, left_out) = chosen(&snap.canary, &c, snap, &target);
    if metrics.is_empty() {
        let why = if left_out.is_empty() { "it has no metrics".to_owned() } else { left_out.join("; ") };
        return Err(format!("nothing of this analysis can be played: {why}"));
    }
    let checks = checks(snap, metrics.clone());
    let (wanted, questions) = reads(&c, &checks)?;
    let least: f64 = c.schedule.iter().map(|step| step.hold.max(c.interval).as_secs_f64()).sum();
    let unweighted = (c.strategy != Strategy::Weighted).then_some(HALF);
    let weights = c.schedule.iter().map(|step| f64::from(step.weight) / 100.0).filter(|share| *share < 1.0);
    Ok(Played {
        name: c.names.target.clone(),
        rules: snap.rules.clone(),
        analysis: analysis_of(&c, &metrics),
        metrics,
        questions,
        left_out,
        longest: (FOLLOWED * least).max(SHORTEST),
        most: unweighted.unwrap_or_else(|| weights.fold(0.01, f64::max)),
        unweighted,
        stated: c.analysis.error_rates.unwrap_or_default().false_rollback.unwrap_or(1.0),
        wanted,
    })
}

fn denied(denial: Denial) -> String {
    match denial {
        Denial::Invalid(problem) => problem.message,
        Denial::Unserved(fields) => format!("not served: {}", fields.join(", ")),
    }
}

fn checks(snap: &Snapshot, metrics: Vec<CanaryMetric>) -> Checks {
    let (templates, secrets) = (snap.templates.clone(), snap.secrets.clone().unwrap_or_default());
    Checks { metrics, templates, secrets, ..Checks::default() }
}

/// The metrics that can be played, and why others cannot.
fn chosen(
    canary: &Canary,
    c: &Validated,
    snap: &Snapshot,
    target: &Value,
) -> (Vec<CanaryMetric>, Vec<String>) {
    let (mut all, mut not) = (Vec::new(), Vec::new());
    let builtin = router::by_name(&c.provider).map(router::Router::queries);
    let text = json!(canary);
    for metric in &c.metrics {
        let mut metric = metric.clone();
        let why = args::resolve(&mut metric, &text, target).err().or_else(|| {
            let one = checks(snap, vec![metric.clone()]);
            let (asks, of_primary) =
                (analysis::asks(c, &one, builtin?), analysis::asks(&c.for_primary(), &one, builtin?));
            let untold = || asks.iter().zip(&of_primary).find_map(|(ask, other)| untold(c, ask, other));
            let refused = || analysis::incomparable(c, &one, &metric);
            asks.iter().find_map(unplayable).or_else(untold).or_else(refused)
        });
        match why {
            None => all.push(metric),
            Some(why) => not.push(format!("metric {}: {why}", metric.name)),
        }
    }
    (all, not)
}

fn unplayable(ask: &analysis::Ask) -> Option<String> {
    if ask.role == analysis::Role::Primary {
        return Some(
            "its condition compares with the primary, of which there is only one in the past".into(),
        );
    }
    match &ask.query {
        Err(why) => Some(why.clone()),
        Ok(query) if query.access.kind != analysis::provider_kinds::PROMETHEUS => {
            Some(format!("its past cannot be read from a server of the kind {}", query.access.kind))
        }
        Ok(_) => None,
    }
}

/// Asked for the primary, it reads the canary's series all the same, which stand still between runs.
fn untold(c: &Validated, ask: &analysis::Ask, of_primary: &analysis::Ask) -> Option<String> {
    let (own, primary) = (ask.query.as_ref().ok()?, of_primary.query.as_ref().ok()?);
    if own.counters.is_some() {
        // a revision has no name before it exists
        let alike = own.promql == primary.promql || c.target == Target::Knative;
        return alike.then(|| {
            format!("the numbers of provider {} do not tell the primary from the canary", c.provider)
        });
    }
    let canary = &c.names.canary_service;
    primary.promql.contains(canary.as_str()).then(|| {
        format!(
            "its query names {canary}, of which there is nothing between runs: let it name the target instead"
        )
    })
}

/// What has to be read for these metrics.
fn reads(c: &Validated, checks: &Checks) -> Result<(Reads, Vec<usize>), String> {
    let router = router::by_name(&c.provider);
    let builtin = router.ok_or_else(|| format!("provider {} is not served", c.provider))?.queries();
    let comparing = checks.metrics.iter().find_map(|m| analysis::comparing(c, checks, m));
    let every = match comparing {
        Some(comparing) => comparing?.every.as_secs_f64(),
        None => EVERY.min(c.interval.as_secs_f64()),
    };
    let counts = analysis::of_pods(c, checks, builtin, std::time::Duration::from_secs_f64(every))?;
    let primary = c.for_primary();
    let asks = analysis::asks(&primary, checks, builtin);
    let questions = asks.iter().map(|ask| ask.metric).collect();
    let values = asks
        .into_iter()
        .enumerate()
        .filter_map(|(at, ask)| Some((at, ask.query.ok()?)))
        .filter(|(_, query)| query.kind != Metric::SuccessRate || counts.is_none());
    let values = values.collect();
    Ok((Reads { every, step: c.interval.as_secs_f64().max(every), values, counts }, questions))
}

/// What of the analysis decides about a release. What metrics ask does not matter: answers come from the past.
fn analysis_of(c: &Validated, metrics: &[CanaryMetric]) -> Value {
    let mut all = json!(c.analysis);
    let plain = metrics.iter().map(|metric| {
        let own = metric.template_ref.is_some()
            || metric.query.as_ref().is_some_and(|text| !text.trim().is_empty());
        let query = own.then(|| "vector(1)".to_owned());
        CanaryMetric {
            query,
            template_ref: None,
            args: vec![],
            template_variables: BTreeMap::new(),
            ..metric.clone()
        }
    });
    all["metrics"] = json!(plain.collect::<Vec<_>>());
    if let Some(fields) = all.as_object_mut() {
        for field in NOT_PLAYED {
            fields.remove(field);
        }
        for step in fields.get_mut("steps").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(step) = step.as_object_mut() {
                step.remove("gate");
            }
        }
    }
    all
}

/// The same without comparisons; none where there are none.
pub(super) fn thresholds_alone(analysis: &Value) -> Option<Value> {
    let mut all = analysis.clone();
    let metrics = all["metrics"].as_array_mut()?;
    let mut compared = false;
    for metric in metrics.iter_mut().filter_map(Value::as_object_mut) {
        compared |= metric.remove("compare").is_some();
    }
    compared.then_some(all)
}
