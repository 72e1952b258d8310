//! Remarks about a Canary that can be acted on: [`Findings`], and those that follow from the spec alone.

use super::{
    metric_names, outbound,
    pause::Apex,
    problem::Problem,
    schedule::{Step, Strategy, strategy},
    sizes,
    validated::{Validated, has_query},
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::{
    api::{CanaryAnalysis, CanaryMetric, CanaryWebhook, duration},
    config::Rules,
};

/// Findings about a Canary that are no reason to refuse it.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Findings {
    /// Mistakes with which the primary is created but no run is analysed.
    pub faults: Vec<Problem>,
    /// Edits that are not followed: the former value stays in force, and runs continue.
    pub kept: Option<Problem>,
    /// Works, but probably not as intended.
    pub advice: Vec<String>,
    /// Accepted but without effect: each a field path with a short reason.
    pub unserved: Vec<String>,
    /// Something unserved decides about traffic (a check): hold every run at weight 0.
    pub held: bool,
}

impl Findings {
    /// The findings from the spec alone.
    pub fn of(c: &Validated, rules: &Rules) -> Self {
        let mut found = Self::default();
        for metric in &c.analysis.metrics {
            metric_findings(metric, &mut found);
        }
        found.faults.extend(sizes::too_large(&c.spec, &c.analysis));
        found.faults.extend(canary_replicas(c));
        found.faults.extend(misdirected(&c.analysis, &mut found.advice));
        found.faults.extend(outbound::forbidden(&c.spec, &c.analysis, &c.namespace, rules));
        found.advice.extend(advise(&c.analysis, &c.schedule, c.skip_analysis));
        found.advice.extend(one_sided(c));
        found.advice.extend(unread(&c.analysis));
        found
    }
}

/// Invalid durations that the pattern of the schema, which is Flagger's, allows: `5min`.
fn unread(analysis: &CanaryAnalysis) -> Vec<String> {
    let unread = |text: Option<&String>, field: &str, instead: &str| {
        let text = text.filter(|text| !text.is_empty() && duration::parse(text).is_none())?;
        Some(format!("{field}: {text:?} is not a duration such as 1m30s: it is taken as {instead}"))
    };
    let hooks = analysis.webhooks.iter().filter_map(|hook| {
        unread(hook.timeout.as_ref(), &format!("spec.analysis.webhooks[{}].timeout", hook.name), "10s")
    });
    unread(analysis.interval.as_ref(), "spec.analysis.interval", "60s").into_iter().chain(hooks).collect()
}

/// `reporter` without a choice.
fn one_sided(c: &Validated) -> Option<String> {
    let given = c.analysis.reporter.is_some() && c.provider != "istio";
    given.then(|| {
        format!(
            "spec.analysis.reporter: requests are reported at both ends by Istio only: it has no effect with provider {}",
            c.provider
        )
    })
}

/// Invalid values and combinations of `canaryReplicas`: they hold every run.
fn canary_replicas(c: &Validated) -> Option<Problem> {
    let given = c.analysis.canary_replicas.as_ref()?;
    let field = "spec.analysis.canaryReplicas";
    let why = if c.canary_replicas.is_none() {
        let given = match given {
            IntOrString::Int(number) => number.to_string(),
            IntOrString::String(text) => format!("{text:?}"),
        };
        format!("{field} is {given}: give it a number of pods from 1, a percentage such as 50%, or match")
    } else if !c.target.replicated() {
        format!("{field}: a {} has no replicas: leave it out", c.spec.target_ref.kind)
    } else if c.spec.autoscaler_ref.is_some() {
        format!(
            "{field}: the replicas of {} are those of its autoscaler: leave canaryReplicas or spec.autoscalerRef out",
            c.names.target
        )
    } else if c.apex == Apex::Shares {
        format!(
            "{field}: with spec.analysis.steps the replicas of {} make its share: leave it out",
            c.names.target
        )
    } else {
        return None;
    };
    Some(Problem::new("InvalidSpec", why))
}

/// Webhooks that cannot be called: those that decide hold runs, those that are only notified do not.
fn misdirected(analysis: &CanaryAnalysis, advice: &mut Vec<String>) -> Option<Problem> {
    let usable = |url: &str| {
        let rest = url.trim().strip_prefix("http://").or_else(|| url.trim().strip_prefix("https://"));
        rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':', '?', '#']))
    };
    let text = |hook: &CanaryWebhook| {
        format!(
            "spec.analysis.webhooks[{}].url is {:?}: give it an http or https URL such as http://tester.test/",
            hook.name, hook.url
        )
    };
    let told = |hook: &&CanaryWebhook| matches!(hook.kind(), "event" | "post-rollout");
    let (told, deciding): (Vec<_>, Vec<_>) =
        analysis.webhooks.iter().filter(|hook| !usable(&hook.url)).partition(told);
    advice.extend(told.into_iter().map(text));
    deciding.first().map(|hook| Problem::new("WebhookInvalid", text(hook)))
}

fn metric_findings(metric: &CanaryMetric, found: &mut Findings) {
    let Some(name) = metric_names::canonical(&metric.name) else {
        if !has_query(metric) {
            found.faults.push(Problem::new(
                "UnknownMetric",
                format!(
                    "spec.analysis.metrics[{0}]: {0} is neither {1} nor {2}, and has no query or templateRef: give it one",
                    metric.name, metric_names::SUCCESS_RATE, metric_names::DURATION
                ),
            ));
        }
        return;
    };
    if name != metric.name {
        found.advice.push(format!(
            "metric {} is the old name of {name}: rename it in spec.analysis.metrics",
            metric.name
        ));
    }
    if name == metric_names::SUCCESS_RATE && lower_bound(metric).is_some_and(|m| m > 0.0 && m <= 1.0) {
        found
            .advice
            .push(format!("{name} is measured in percent: a lower bound of at most 1 is nearly always met"));
    }
}

fn lower_bound(metric: &CanaryMetric) -> Option<f64> {
    metric.threshold_range.as_ref().map_or(metric.threshold, |r| r.min)
}

fn advise(analysis: &CanaryAnalysis, schedule: &[Step], skip: bool) -> Vec<String> {
    let mut list = Vec::new();
    if analysis.metrics.is_empty() && analysis.webhooks.is_empty() && !skip {
        list.push("spec.analysis.metrics is empty: every revision that becomes ready is promoted".into());
    }
    if strategy(analysis) == Strategy::AbTest && analysis.mirror == Some(true) {
        list.push("spec.analysis.mirror is not looked at with match and iterations".into());
    }
    let step = analysis.step_weight.unwrap_or(0);
    let Some(max) = analysis.max_weight.filter(|m| *m > 0 && strategy(analysis) == Strategy::Weighted) else {
        return list;
    };
    if step > 0 && max % step != 0 {
        list.push(format!(
            "spec.analysis.maxWeight {max} is not a multiple of stepWeight {step}: the last step is {max}"
        ));
    }
    if step <= 0 && schedule.iter().any(|s| s.weight > max) {
        let field = if analysis.step_weights.is_empty() { "steps" } else { "stepWeights" };
        list.push(format!(
            "spec.analysis.{field} passes maxWeight {max}: the list is followed and maxWeight is not looked at"
        ));
    }
    list
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn m1_a_time_that_is_no_duration_is_told_with_what_is_used_for_it() {
        let of = |interval: &str, timeout: &str| {
            let analysis = json!({
                "interval": interval,
                "webhooks": [{"name": "load", "url": "http://tester/", "timeout": timeout}],
            });
            unread(&serde_json::from_value(analysis).unwrap())
        };
        for text in ["5min", "1m 30s", "30sec", "1h30"] {
            assert_eq!(
                of(text, text),
                [
                    format!(
                        "spec.analysis.interval: {text:?} is not a duration such as 1m30s: it is taken as 60s"
                    ),
                    format!(
                        "spec.analysis.webhooks[load].timeout: {text:?} is not a duration such as 1m30s: it is taken as 10s"
                    ),
                ]
            );
        }
        for text in ["1m30s", "10ms", "90s"] {
            assert!(of(text, text).is_empty(), "{text}");
        }
        assert!(unread(&CanaryAnalysis::default()).is_empty());
    }
}
