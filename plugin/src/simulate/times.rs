//! When steps end, when metrics are measured, and when limits are exceeded.

use std::time::Duration;

use serin::{
    api::{CanaryMetric, duration},
    spec::Validated,
};

use crate::view::lasts;

/// Times in the best case, counted from the moment when the pods are ready.
pub(super) struct Moments {
    ends: Vec<Duration>,
    /// The earliest promotion.
    pub(super) promotion: Duration,
    /// The metric that delays the promotion.
    pub(super) held_by: Option<String>,
}

/// The event that ends a run in which every check fails.
pub(super) struct First {
    pub(super) at: Duration,
    pub(super) by: String,
    /// The step at which it fails, counted from 0.
    pub(super) from: usize,
}

impl Moments {
    pub(super) fn of(c: &Validated) -> Self {
        let mut at = Duration::ZERO;
        let ends: Vec<Duration> = c
            .schedule
            .iter()
            .map(|step| {
                at = at.saturating_add(lasts(step, c.interval));
                at
            })
            .collect();
        let mut moments = Self { ends, promotion: at, held_by: None };
        for metric in &c.metrics {
            let (begins, pace) = (moments.begin(start(c, metric)), pace(c, metric));
            let measured = metric.verdict.count.is_some() || !pace.with_windows;
            if metric.verdict.dry() || !measured {
                continue;
            }
            let more = pace
                .every
                .saturating_mul(u32::try_from(metric.verdict.count.unwrap_or(1).max(1) - 1).unwrap_or(0));
            let passed = begins.saturating_add(pace.first).saturating_add(more);
            if passed > moments.promotion {
                (moments.promotion, moments.held_by) = (passed, Some(metric.name.clone()));
            }
        }
        moments
    }

    /// When a step ends. Steps count from 0.
    pub(super) fn end(&self, step: usize) -> Duration {
        self.ends.get(step).or(self.ends.last()).copied().unwrap_or_default()
    }

    /// When a step begins.
    pub(super) fn begin(&self, step: usize) -> Duration {
        step.checked_sub(1).map_or(Duration::ZERO, |before| self.end(before))
    }
}

/// The first step at which a metric is measured, counted from 0.
pub(super) fn start(c: &Validated, metric: &CanaryMetric) -> usize {
    let step = metric.verdict.start_at_step.or(c.analysis.start_at_step).unwrap_or(0);
    usize::try_from(step).unwrap_or(0).min(c.schedule.len().saturating_sub(1))
}

/// When a metric is measured, relative to the start of its first step.
struct Pace {
    first: Duration,
    every: Duration,
    /// Measured together with the other metrics, at the end of each window.
    with_windows: bool,
}

fn pace(c: &Validated, metric: &CanaryMetric) -> Pace {
    let read = |text: &Option<String>| text.as_deref().and_then(duration::parse);
    let (period, delay) = (read(&metric.verdict.period), read(&metric.verdict.initial_delay));
    let every = period.unwrap_or(c.interval).max(Duration::from_secs(1));
    Pace { first: delay.unwrap_or(every), every, with_windows: period.is_none() && delay.is_none() }
}

/// The first limit that is exceeded if every measurement fails. None: no metric decides.
pub(super) fn first_failures(c: &Validated, moments: &Moments) -> Option<First> {
    let deciding: Vec<&CanaryMetric> = c.metrics.iter().filter(|metric| !metric.verdict.dry()).collect();
    let threshold = usize::try_from(c.threshold).unwrap_or(1).max(1);
    let (mut all, mut firsts) = (Vec::new(), Vec::new());
    for metric in deciding {
        let from = start(c, metric);
        let (begins, pace) = (moments.begin(from), pace(c, metric));
        let nth = |n: u32| begins.saturating_add(pace.first).saturating_add(pace.every.saturating_mul(n));
        all.extend((0..u32::try_from(threshold).unwrap_or(u32::MAX).min(1000)).map(|n| (nth(n), from)));
        let limits = [
            ("failureLimit", metric.verdict.failure_limit),
            ("consecutiveFailureLimit", metric.verdict.consecutive_failure_limit),
        ];
        for (name, limit) in limits {
            let Some(limit) = limit.and_then(|limit| u32::try_from(limit).ok()) else { continue };
            firsts.push(First { at: nth(limit), by: format!("{}: {name} {limit}", metric.name), from });
        }
    }
    // failures at the same time count as one failed check
    all.sort_unstable();
    all.dedup_by_key(|(at, _)| *at);
    // after a failure the weight stays: later steps are not reached
    let from = all.first().map(|(_, from)| *from)?;
    let reached = all.into_iter().filter(|(_, step)| *step <= from).nth(threshold - 1);
    firsts.retain(|first| first.from <= from);
    firsts.extend(reached.map(|(at, from)| First { at, by: format!("threshold {threshold}"), from }));
    firsts.into_iter().min_by_key(|first| first.at)
}
