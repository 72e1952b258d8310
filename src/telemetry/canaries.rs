//! Exported metrics of each Canary: gauges from its status, and how its runs have ended. The series of a Canary
//! exist as long as it does, and are removed with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet},
    metrics::MetricType,
};

use super::catalog::{self, CATALOG};
use crate::{
    api::{CanaryStatus, CompareStatus, CompareVerdict, MetricOutcome, MetricStatus, Phase},
    names::conditions,
    snapshot::Key,
};

/// A Canary as its series show it.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub canary: &'a str,
    /// Its target.
    pub target: &'a str,
    /// Its status.
    pub status: &'a CanaryStatus,
    /// Steps of its schedule, and failed checks that end a run; None if its spec is invalid.
    pub plan: Option<(usize, i32)>,
    /// The canary's percentage in the routing object; None if there is none.
    pub live: Option<i32>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'a> {
    /// In Flagger's words: `canary`, `blue-green`, `ab-testing`.
    pub strategy: &'a str,
    /// E.g. `Promoted`.
    pub outcome: &'a str,
    /// Why, as one word.
    pub reason: &'a str,
}

type Labels = Vec<(&'static str, String)>;

#[derive(Clone, Debug, PartialEq)]
struct Sample {
    metric: &'static str,
    labels: Labels,
    value: f64,
}

#[derive(Debug, Default)]
struct One {
    samples: Vec<Sample>,
    runs: BTreeMap<Labels, u64>,
}

/// The series of all Canaries.
#[derive(Clone, Debug, Default)]
pub(super) struct Canaries(Arc<Mutex<BTreeMap<Key, One>>>);

impl Canaries {
    /// Shows the Canary according to its status.
    pub(super) fn show(&self, shown: Shown<'_>) {
        let key = (shown.namespace.to_owned(), shown.canary.to_owned());
        self.lock().entry(key).or_default().samples = samples(shown);
    }

    /// A run of the Canary has ended.
    pub(super) fn count(&self, shown: Shown<'_>, ended: Ended<'_>) {
        let mut labels = own(shown);
        labels.extend([
            ("strategy", ended.strategy.to_owned()),
            ("outcome", ended.outcome.to_owned()),
            ("reason", ended.reason.to_owned()),
        ]);
        let key = (shown.namespace.to_owned(), shown.canary.to_owned());
        *self.lock().entry(key).or_default().runs.entry(labels).or_default() += 1;
    }

    /// The Canary is gone.
    pub(super) fn forget(&self, namespace: &str, canary: &str) {
        self.lock().remove(&(namespace.to_owned(), canary.to_owned()));
    }

    /// A panic elsewhere leaves the map valid: each change to it is a single one.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, One>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for Canaries {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let all = self.lock();
        let used: BTreeSet<&str> = all.values().flat_map(|one| &one.samples).map(|s| s.metric).collect();
        for described in CATALOG.iter().filter(|described| used.contains(described.name)) {
            let mut metric =
                encoder.encode_descriptor(described.name, described.help, None, MetricType::Gauge)?;
            let samples = all.values().flat_map(|one| &one.samples);
            for sample in samples.filter(|sample| sample.metric == described.name) {
                metric.encode_family(&sample.labels)?.encode_gauge(&sample.value)?;
            }
        }
        if all.values().any(|one| !one.runs.is_empty()) {
            let (name, help) = catalog::named("serin_runs_total");
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (labels, count) in all.values().flat_map(|one| &one.runs) {
                metric.encode_family(labels)?.encode_counter::<NoLabelSet, _, u64>(count, None)?;
            }
        }
        Ok(())
    }
}

fn own(shown: Shown<'_>) -> Labels {
    vec![
        ("namespace", shown.namespace.to_owned()),
        ("canary", shown.canary.to_owned()),
        ("name", shown.target.to_owned()),
    ]
}

/// The samples of one Canary.
fn samples(shown: Shown<'_>) -> Vec<Sample> {
    let (status, mut out) = (shown.status, Vec::new());
    let mut tell = |metric: &'static str, more: &[(&'static str, &str)], value: f64| {
        let mut labels = own(shown);
        labels.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        out.push(Sample { metric, labels, value });
    };
    let phase = status.phase.unwrap_or_default().to_string();
    if !phase.is_empty() {
        tell("serin_canary_phase", &[("phase", &phase)], 1.0);
    }
    for c in &status.conditions {
        let labels = [("type", c.type_.as_str()), ("status", &c.status), ("reason", &c.reason)];
        tell("serin_canary_condition", &labels, 1.0);
        if let Some(since) = &c.last_transition_time {
            tell("serin_canary_condition_since_timestamp_seconds", &labels, seconds(since.0));
        }
    }
    let wanted = status.step.as_ref().map_or(0, |step| step.weight);
    tell("serin_canary_weight", &[("kind", "wanted")], f64::from(wanted));
    tell("serin_canary_weight", &[("kind", "confirmed")], f64::from(status.canary_weight));
    if let Some(live) = shown.live {
        tell("serin_canary_weight", &[("kind", "live")], f64::from(live));
    }
    if let Some(run) = &status.run {
        tell("serin_run_started_timestamp_seconds", &[], seconds(run.started.0));
        tell("serin_run_step", &[], f64::from(status.step.as_ref().map_or(0, |step| step.index)));
        tell("serin_run_failed_checks", &[], f64::from(status.failed_checks));
        if let Some((steps, threshold)) = shown.plan {
            tell("serin_run_steps", &[], u32::try_from(steps).map_or(f64::NAN, f64::from));
            tell("serin_run_failed_checks_limit", &[], f64::from(threshold));
        }
    }
    if let Some(next) = &status.next_check {
        tell("serin_run_next_check_timestamp_seconds", &[], seconds(next.0));
    }
    let queued = status.conditions.iter().any(|c| c.type_ == conditions::QUEUED && c.status == "True");
    let at_gate = matches!(status.phase, Some(Phase::Waiting | Phase::WaitingPromotion)) && !queued;
    if let Some(waiting) = status.waiting.as_ref().filter(|_| at_gate) {
        tell("serin_run_waiting_since_timestamp_seconds", &[("phase", &phase)], seconds(waiting.since.0));
    }
    for entry in &status.metrics {
        measured(entry, &mut tell);
    }
    if let Some(last) = &status.last_run {
        let outcome = format!("{:?}", last.outcome);
        let labels = [("run", last.name.as_str()), ("outcome", &outcome), ("reason", &last.reason)];
        tell("serin_last_run_ended_timestamp_seconds", &labels, seconds(last.ended.0));
    }
    out
}

/// Values and limits of a metric, durations in seconds.
fn measured(entry: &MetricStatus, tell: &mut impl FnMut(&'static str, &[(&'static str, &str)], f64)) {
    let metric = ("metric", entry.name.as_str());
    let scale = if entry.unit == "ms" { 0.001 } else { 1.0 };
    for (side, value) in [("canary", &entry.value), ("primary", &entry.primary)] {
        if let Some(value) = value.parse::<f64>().ok().filter(|value| value.is_finite()) {
            tell("serin_canary_metric_value", &[metric, ("side", side)], value * scale);
        }
    }
    let range = entry.range.unwrap_or_default();
    for (bound, limit) in [("min", range.min), ("max", range.max)] {
        if let Some(limit) = limit {
            tell("serin_canary_metric_limit", &[metric, ("bound", bound)], limit * scale);
        }
    }
    if let Some(outcome) = entry.outcome {
        tell("serin_canary_metric_verdict", &[metric], verdict(outcome));
        tell("serin_canary_metric_failures", &[metric], f64::from(entry.failed));
    }
    if let Some(compare) = &entry.compare {
        compared(metric, compare, tell);
    }
}

/// The result of a comparison.
fn compared(
    metric: (&'static str, &str),
    compare: &CompareStatus,
    tell: &mut impl FnMut(&'static str, &[(&'static str, &str)], f64),
) {
    for (verdict, evidence) in [("worse", compare.evidence), ("no_worse", compare.evidence_no_worse)] {
        if let Some(evidence) = evidence {
            tell("serin_canary_compare_evidence", &[metric, ("verdict", verdict)], evidence);
        }
    }
    if let Some(verdict) = compare.verdict {
        let value = match verdict {
            CompareVerdict::NoWorse => 1.0,
            CompareVerdict::Worse => 0.0,
            CompareVerdict::Undecided => -1.0,
            CompareVerdict::Held => -2.0,
            CompareVerdict::Unread => -3.0,
        };
        tell("serin_canary_compare_verdict", &[metric], value);
    }
}

fn verdict(outcome: MetricOutcome) -> f64 {
    match outcome {
        MetricOutcome::Pass => 1.0,
        MetricOutcome::Fail => 0.0,
        MetricOutcome::NoData => -1.0,
        MetricOutcome::Inconclusive => -2.0,
        MetricOutcome::Error => -3.0,
    }
}

/// Seconds since 1970, to the microsecond.
pub(super) fn seconds(time: Timestamp) -> f64 {
    // exact for all times up to the year 2255
    time.as_microsecond() as f64 / 1e6
}
