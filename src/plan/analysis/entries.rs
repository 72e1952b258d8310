//! The status entry of each metric of the run.

use jiff::Timestamp;

use crate::{
    analysis::limits,
    api::{CanaryMetric, MetricOutcome, MetricStatus, NoData},
    plan::context::Context,
};

/// When the first step began in which a metric counts.
pub(crate) fn since(cx: &Context<'_>, m: &CanaryMetric, entry: &MetricStatus) -> Option<Timestamp> {
    let step = cx.step();
    let known = entry.since.clone().or(step.confirmed)?;
    (step.index > limits::start(&cx.c, m)).then_some(known.0)
}

/// The entry of each metric, in list order.
pub(crate) fn all(cx: &Context<'_>) -> Vec<MetricStatus> {
    let (known, all) = (&cx.status().metrics, &cx.checks.metrics);
    let entry = |(at, m): (usize, &CanaryMetric)| {
        let before = all[..at].iter().filter(|other| other.name == m.name).count();
        let name = if before == 0 { m.name.clone() } else { format!("{}#{}", m.name, before + 1) };
        let found = known.iter().find(|entry| entry.name == name).cloned().unwrap_or_default();
        let (range, unit) = limits::bounds(m);
        MetricStatus { name, range, unit: unit.to_owned(), ..found }
    };
    all.iter().enumerate().map(entry).collect()
}

/// The effect of an outcome, by the settings of the metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The run may continue.
    Good,
    /// A failed check.
    Bad,
    /// Unknown: the run freezes, or counts errors.
    Broken,
    /// The weight is held until more is known.
    Unsure,
}

pub(crate) fn effect(m: &CanaryMetric, outcome: MetricOutcome) -> Effect {
    match (outcome, m.verdict.no_data.unwrap_or(NoData::Fail)) {
        (MetricOutcome::Pass, _) | (MetricOutcome::NoData, NoData::Pass) => Effect::Good,
        (MetricOutcome::Fail, _) | (MetricOutcome::NoData, NoData::Fail) => Effect::Bad,
        (MetricOutcome::Error, _) | (MetricOutcome::NoData, NoData::Error) => Effect::Broken,
        (MetricOutcome::Inconclusive, _) | (MetricOutcome::NoData, NoData::Hold) => Effect::Unsure,
    }
}
