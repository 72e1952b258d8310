//! PURE. Predicts the best and the worst case of a Canary's run before it starts: the schedule as the operator reads
//! the spec, the earliest promotion and rollback, and how much traffic a bad version gets until then.

mod model;
mod times;

pub use model::{CheckPlan, GatePlan, PlanView, Promotion, Rollback, StepPlan};

use std::time::Duration;

use serin::{
    api::{Canary, CanaryMetric},
    spec::{Apex, Denial, GateRule, Strategy, Validated, Wait, validate},
};

use self::times::{Moments, first_failures};
use crate::view::{API_VERSION, lasts, rules};

/// The plan for a Canary.
///
/// # Errors
/// The reason why the operator would not act on it.
pub fn plan(canary: &Canary) -> Result<PlanView, String> {
    let c = match validate(canary, &rules(canary)) {
        Ok(c) => c,
        Err(Denial::Invalid(problem)) => return Err(problem.message),
        Err(Denial::Unserved(list)) => return Err(list.join("; ")),
    };
    let moments = Moments::of(&c);
    Ok(PlanView {
        api_version: API_VERSION,
        kind: "PlanView",
        namespace: c.namespace.clone(),
        name: c.name.clone(),
        provider: c.provider.clone(),
        strategy: strategy(&c),
        interval_seconds: c.interval.as_secs_f64(),
        threshold: c.threshold,
        start_gate: c.gates.start.as_ref().map(gate),
        steps: steps(&c, &moments),
        checks: c.metrics.iter().map(|metric| check(&c, metric)).collect(),
        promotion: promotion(&c, &moments),
        rollback: rollback(&c, &moments),
        unknown: unknown(&c),
    })
}

fn strategy(c: &Validated) -> &'static str {
    match (c.skip_analysis, c.strategy, c.apex) {
        (true, ..) => "without analysis",
        (_, Strategy::Weighted, Apex::Shares) => "by shares of pods",
        (_, Strategy::Weighted, _) => "by weight",
        (_, Strategy::AbTest, _) => "by named requests",
        (_, Strategy::BlueGreen, _) => "all at once",
    }
}

fn gate(rule: &GateRule) -> GatePlan {
    GatePlan {
        name: rule.name.clone(),
        deadline_seconds: rule.deadline.map(|time| time.as_secs_f64()),
        on_deadline: if rule.proceeds { "proceed" } else { "rollback" },
    }
}

fn steps(c: &Validated, moments: &Moments) -> Vec<StepPlan> {
    if c.skip_analysis {
        return vec![];
    }
    let all = c.schedule.iter().enumerate();
    all.map(|(i, step)| StepPlan {
        index: i + 1,
        weight: step.weight,
        mirrored: step.mirrored,
        iteration: step.iteration,
        lasts_seconds: lasts(step, c.interval).as_secs_f64(),
        over_at_seconds: moments.end(i).as_secs_f64(),
        gate: c.gates.steps.get(&(i + 1)).map(gate),
    })
    .collect()
}

fn check(c: &Validated, metric: &CanaryMetric) -> CheckPlan {
    let verdict = &metric.verdict;
    let wanted = wanted(metric);
    CheckPlan {
        name: metric.name.clone(),
        wanted: if wanted.is_empty() { "any value".into() } else { wanted.join(" and ") },
        // the spec counts from 0, but shown steps count from 1
        from_step: times::start(c, metric) + 1,
        template: metric.template_ref.as_ref().map(|reference| reference.name.clone()),
        count: verdict.count,
        dry_run: verdict.dry(),
    }
}

fn wanted(metric: &CanaryMetric) -> Vec<String> {
    let verdict = &metric.verdict;
    let range = metric.threshold_range.unwrap_or_default();
    let (least, most) = match metric.threshold.filter(|_| metric.threshold_range.is_none()) {
        Some(old) if metric.name == "request-success-rate" => (Some(old), None),
        old => (range.min, range.max.or(old)),
    };
    let unit = match metric.name.as_str() {
        "request-success-rate" => " %",
        "request-duration" => " ms",
        _ => "",
    };
    let mut all = Vec::new();
    all.extend(least.map(|min| format!("at least {min}{unit}")));
    all.extend(most.map(|max| format!("at most {max}{unit}")));
    all.extend(verdict.success_condition.clone());
    all.extend(verdict.failure_condition.as_ref().map(|text| format!("not {text}")));
    all.extend(verdict.compare.as_ref().map(|_| "no worse than the primary".into()));
    all
}

fn promotion(c: &Validated, moments: &Moments) -> Promotion {
    let called = |rule: &GateRule, place: String| match &rule.name {
        Some(name) => format!("gate {name}"),
        None => format!("the gate {place}"),
    };
    let mut waits_for = Vec::new();
    waits_for.extend(c.gates.start.as_ref().map(|rule| called(rule, "before the run".into())));
    waits_for.extend(c.gates.steps.iter().map(|(step, rule)| called(rule, format!("of step {step}"))));
    let mut earliest = if c.skip_analysis { Duration::ZERO } else { moments.promotion };
    match c.pause.map(|pause| pause.until).filter(|_| !c.skip_analysis) {
        Some(Wait::Request) => waits_for.push("the promotion".into()),
        Some(Wait::For(time)) => earliest = earliest.saturating_add(time),
        None => {}
    }
    Promotion { earliest_seconds: earliest.as_secs_f64(), waits_for, held_by: moments.held_by.clone() }
}

/// When the worst possible version is rolled back: every check of it fails.
fn rollback(c: &Validated, moments: &Moments) -> Option<Rollback> {
    if c.skip_analysis {
        return None;
    }
    let first = first_failures(c, moments)?;
    // the weight increases only while nothing fails
    let begins = moments.begin(first.from);
    let mut exposed = 0.0;
    for step in c.schedule.iter().take(first.from) {
        exposed += f64::from(step.weight) / 100.0 * lasts(step, c.interval).as_secs_f64();
    }
    let weight = c.schedule.get(first.from).map_or(0, |step| step.weight);
    exposed += f64::from(weight) / 100.0 * first.at.saturating_sub(begins).as_secs_f64();
    Some(Rollback {
        earliest_seconds: first.at.as_secs_f64(),
        by: first.by,
        at_step: first.from + 1,
        weight,
        exposure_seconds: exposed,
    })
}

/// Facts that cannot be known in advance.
fn unknown(c: &Validated) -> Vec<String> {
    let mut all = vec!["how long the pods take to become ready".to_owned()];
    let gates = c.gates.start.iter().chain(c.gates.steps.values());
    let endless = gates.filter(|rule| rule.deadline.is_none()).count();
    if endless > 0
        || c.pause.is_some_and(|p| p.until == Wait::Request) && c.gates.promotion.deadline.is_none()
    {
        all.push("how long people take: a gate without a deadline waits for ever".into());
    }
    if !c.metrics.is_empty() {
        all.push("how long the metrics server does not answer: the run is frozen meanwhile".into());
    }
    if c.metrics.iter().any(|m| m.template_ref.is_some() && m.verdict.count.is_some()) {
        all.push("how long a Job takes, if a MetricTemplate is one: no step is left meanwhile".into());
    }
    if c.metrics.iter().any(|m| m.verdict.compare.is_some()) {
        all.push("how many requests there are: a comparison decides once it has seen enough".into());
    }
    if c.analysis.webhooks.iter().any(|hook| hook.kind() != "event") {
        all.push("what the webhooks say".into());
    }
    if c.apex == Apex::Shares {
        all.push("how many pods there are: weights are rounded to whole ones".into());
    }
    all
}

#[cfg(test)]
mod tests;
