//! From all answers for one metric to its outcome: range and conditions, of the canary and the primary,
//! and whether there were enough samples. Five outcomes, never confused. `plan` decides what follows from each.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    checks::Checks,
    doubt::Doubt,
    go,
    limits::wanted,
    query::{Ask, Query, Role},
    reading::Reading,
    verdict::{NO_VALUES, Verdict, failed, judge, worst},
};
use crate::{
    api::{CanaryMetric, CompareStatus, MetricOutcome},
    expression::{Answer, Condition, Known},
    spec::{Validated, metric_names::canonical},
};

/// The result of one measurement of a metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Assessment {
    /// The outcome.
    pub outcome: MetricOutcome,
    /// The worst value; empty if there is none.
    pub value: String,
    /// The values that would pass.
    pub wanted: String,
    /// The primary's value, if it was measured.
    pub primary: String,
    /// The query.
    pub query: String,
    /// What is wrong, in Flagger's words if it has any; empty if nothing is.
    pub text: String,
    /// The same with the server's words in it, if it sent any: for Events only.
    pub quote: Option<String>,
    /// The finished Job; none if no Job measures.
    pub job: Option<String>,
    /// The result of the comparison with the primary, if there is one.
    pub compared: Option<Box<Compared>>,
}

/// The part of a measurement that a comparison adds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Compared {
    /// The status to store.
    pub status: CompareStatus,
    /// The comparison decides the outcome.
    pub decides: bool,
}

/// The result of the answers for the metric at this position. `readings` are by position in `asks`. None: one of them
/// is missing.
pub(crate) fn assess(
    c: &Validated,
    checks: &Checks,
    at: usize,
    asks: &[Ask],
    readings: &BTreeMap<usize, Reading>,
) -> Option<Assessment> {
    let metric = checks.metrics.get(at)?;
    let mut mine = Vec::new();
    for (index, ask) in asks.iter().enumerate().filter(|(_, ask)| ask.metric == at) {
        match &ask.query {
            Err(why) => return Some(error(metric, String::new(), why.clone())),
            Ok(query) => mine.push((ask.role, query, readings.get(&index)?)),
        }
    }
    let primary = mine.iter().find(|(role, ..)| *role == Role::Primary).map(|(_, _, r)| r.values());
    let samples = mine.iter().find(|(role, ..)| *role == Role::Samples).map(|(_, _, r)| *r);
    let few = samples.and_then(|r| too_few(metric, r));
    let all = mine.iter().filter(|(role, ..)| *role == Role::Value);
    let judged = all.filter(|(.., r)| !matches!(r, Reading::Failed(_))).map(|(_, query, reading)| {
        // if the value cannot be read, the samples cannot be counted either
        let few = few.as_ref().filter(|_| !reading.is_unreadable());
        let found = few.map_or_else(
            || one(c, checks, metric, query, reading, primary),
            |why| {
                let text = format!("Halt {}.{} advancement {}: {why}", c.name, c.namespace, query.metric);
                said(metric, query, reading, MetricOutcome::NoData, text)
            },
        );
        // a failure that counts goes before one from before the run
        let former = matches!(reading, Reading::Doubted { doubt: Doubt::Former, .. });
        ((badness(found.outcome), !former), found)
    });
    let worst = judged.max_by_key(|(rank, _)| *rank).map(|(_, found)| found);
    if let Some((_, query, Reading::Failed(failure))) =
        mine.iter().find(|(.., r)| matches!(r, Reading::Failed(_)))
    {
        // what one answer proves to be bad stays bad, whatever the others would have been
        if let Some(bad) = worst.filter(|found| found.outcome == MetricOutcome::Fail) {
            return Some(bad);
        }
        let quote = failure.quote.as_ref().map(|quote| failed(query, quote));
        return Some(Assessment {
            quote,
            ..error(metric, query.promql.clone(), failed(query, &failure.why))
        });
    }
    let primary = primary.map(primary_shown).unwrap_or_default();
    worst.map(|found| Assessment { primary, ..found })
}

/// The measurement of the metric at this position when its answers cannot be used, for the reason in `why`.
pub(crate) fn in_doubt(checks: &Checks, at: usize, asks: &[Ask], why: &str) -> Option<Assessment> {
    let metric = checks.metrics.get(at)?;
    let query = asks.iter().find(|ask| ask.metric == at && ask.role == Role::Value)?.query.as_ref().ok()?;
    Some(error(metric, query.promql.clone(), failed(query, why)))
}

/// Values that most metrics accept: shares, percentages, milliseconds.
const EXAMPLES: [f64; 8] = [1.0, 0.0, 100.0, 0.5, 10.0, 99.5, 1000.0, -1.0];

/// An answer to this query with which its metric passes, to show people what would follow; only if its conditions or
/// the number of samples require more than its range. None: none was found, or the range is enough.
pub(crate) fn example(metrics: &[CanaryMetric], known: &Known, query: &Query) -> Option<f64> {
    let (name, role) = query.metric.split_once(" (").unwrap_or((&query.metric, ""));
    let metric = metrics.iter().find(|m| canonical(&m.name).unwrap_or(&m.name) == name)?;
    if role == "samples)" {
        return metric.verdict.min_samples.map(f64::from);
    }
    let conditions = Conditions::of(metric, known).ok().filter(|c| c.each().next().is_some())?;
    let says = |c: &Condition, value: f64| c.holds(&[value], &[value]).unwrap_or_default();
    let range = query.range;
    EXAMPLES.into_iter().find(|value| {
        range.min.is_none_or(|min| *value >= min)
            && range.max.is_none_or(|max| *value <= max)
            && conditions.success.as_ref().is_none_or(|c| says(c, *value) == [Answer::Yes])
            && conditions.failure.as_ref().is_none_or(|c| says(c, *value) == [Answer::No])
    })
}

/// Of several queries of one metric, the worst counts.
fn badness(outcome: MetricOutcome) -> u8 {
    match outcome {
        MetricOutcome::Pass => 0,
        MetricOutcome::Inconclusive => 1,
        MetricOutcome::NoData => 2,
        MetricOutcome::Error => 3,
        MetricOutcome::Fail => 4,
    }
}

fn error(metric: &CanaryMetric, query: String, text: String) -> Assessment {
    let (outcome, value) = (MetricOutcome::Error, String::new());
    let (wanted, primary) = (wanted(metric), String::new());
    Assessment { outcome, value, wanted, primary, query, text, quote: None, job: None, compared: None }
}

fn said(
    metric: &CanaryMetric,
    query: &Query,
    reading: &Reading,
    outcome: MetricOutcome,
    text: String,
) -> Assessment {
    let value = worst(query, reading.values()).map(go::v).unwrap_or_default();
    let (wanted, primary, query) = (wanted(metric), String::new(), query.promql.clone());
    Assessment { outcome, value, wanted, primary, query, text, quote: None, job: None, compared: None }
}

/// Why there were not enough samples, if there were too few.
fn too_few(metric: &CanaryMetric, reading: &Reading) -> Option<String> {
    let least = f64::from(metric.verdict.min_samples?);
    // without any value the sum is -0
    let seen = reading.values().iter().filter(|v| !v.is_nan()).sum::<f64>() + 0.0;
    // an infinite count does not count
    let enough = seen.is_finite() && seen >= least;
    (!enough).then(|| format!("{} samples, and minSamples wants {}", go::v(seen.round()), go::v(least)))
}

/// One query, judged by range and conditions.
fn one(
    c: &Validated,
    checks: &Checks,
    metric: &CanaryMetric,
    query: &Query,
    reading: &Reading,
    primary: Option<&[f64]>,
) -> Assessment {
    let reset = matches!(reading, Reading::Doubted { doubt: Doubt::Reset, .. });
    let (rated, doubted) = match judge(query, reading, c) {
        Verdict::Fail { text } => return said(metric, query, reading, MetricOutcome::Fail, text),
        // a value that fails by its conditions is bad even after a reset
        Verdict::Error { text } if reset => (None, Some(text)),
        Verdict::Error { text } => return error(metric, query.promql.clone(), text),
        Verdict::Pass { .. } => (None, None),
        Verdict::NoData { text } => (Some(text), None),
    };
    let conditions = match Conditions::of(metric, &checks.conditions) {
        Ok(conditions) => conditions,
        Err(why) => return error(metric, query.promql.clone(), why),
    };
    let asked =
        rated.is_none() || metric.verdict.no_data.is_none() && conditions.know_absence(reading.values());
    let judged = asked.then(|| conditions.judge(c, query, reading.values(), primary));
    // a series that is not a number does not hide a bad one
    let numbers = if asked { vec![] } else { conditions.measured(reading.values()) };
    if !numbers.is_empty()
        && let (MetricOutcome::Fail, text) = conditions.judge(c, query, &numbers, primary)
    {
        return said(metric, query, reading, MetricOutcome::Fail, text);
    }
    if let Some(text) = doubted.filter(|_| !matches!(judged, Some((MetricOutcome::Fail, _)))) {
        return error(metric, query.promql.clone(), text);
    }
    match (judged, rated) {
        (Some((outcome, text)), None) => said(metric, query, reading, outcome, text),
        (Some((outcome, text)), Some(_))
            if !matches!(outcome, MetricOutcome::Error | MetricOutcome::NoData) =>
        {
            said(metric, query, reading, outcome, text)
        }
        // a missing value is neither greater nor less than a number
        (_, text) => said(metric, query, reading, MetricOutcome::NoData, text.unwrap_or_default()),
    }
}

struct Conditions {
    success: Option<Arc<Condition>>,
    failure: Option<Arc<Condition>>,
}

impl Conditions {
    fn of(metric: &CanaryMetric, known: &Known) -> Result<Self, String> {
        let read = |field: &str, text: &Option<String>| {
            let found = text.as_deref().map(|text| known.get(text)).transpose();
            found.map_err(|why| format!("{field} of metric {}: {why}", metric.name))
        };
        Ok(Self {
            success: read("successCondition", &metric.verdict.success_condition)?,
            failure: read("failureCondition", &metric.verdict.failure_condition)?,
        })
    }

    fn each(&self) -> impl Iterator<Item = &Condition> {
        self.success.iter().chain(&self.failure).map(Arc::as_ref)
    }

    /// Those of them that can find a value bad although the primary has none: a failure condition, or a success condition
    /// without one beside it.
    fn without_primary(&self) -> Option<Self> {
        let plain = |c: &Option<Arc<Condition>>| c.clone().filter(|c| !c.compares());
        let alone = Self {
            success: plain(&self.success).filter(|_| self.failure.is_none()),
            failure: plain(&self.failure),
        };
        (alone.success.is_some() || alone.failure.is_some()).then_some(alone)
    }

    /// The values for which they pass are good even if there are none.
    fn know_absence(&self, values: &[f64]) -> bool {
        self.success.as_ref().is_some_and(|c| c.knows_absence(values))
    }

    /// The values that can be bad if `noData` decides about values that are not a number: all, or only the numbers if a
    /// condition tests for them. None if there is no number.
    fn measured(&self, values: &[f64]) -> Vec<f64> {
        let numbers: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
        let asks = self.each().any(|c| c.knows_absence(&numbers));
        if numbers.is_empty() || asks { numbers } else { values.to_vec() }
    }

    fn judge(
        &self,
        c: &Validated,
        query: &Query,
        values: &[f64],
        primary: Option<&[f64]>,
    ) -> (MetricOutcome, String) {
        let name = &query.metric;
        let compares = self.each().any(Condition::compares);
        let primary = primary.unwrap_or_default();
        if compares && !primary.iter().any(|v| v.is_finite()) {
            if let Some(alone) = self.without_primary()
                && let (MetricOutcome::Fail, text) = alone.judge(c, query, values, None)
            {
                return (MetricOutcome::Fail, text);
            }
            let text = format!(
                "metric {name}: {NO_VALUES} for the primary, so that there is nothing to compare with"
            );
            return (MetricOutcome::Inconclusive, text);
        }
        let ask = |condition: &Option<Arc<Condition>>, decides: &Answer| {
            condition.as_ref().map(|c| c.holds(values, primary).map(|all| overall(all, decides))).transpose()
        };
        // one bad series is enough, and every series has to be good
        let good = ask(&self.success, &Answer::No);
        let bad = ask(&self.failure, &Answer::Yes);
        let value = worst(query, values).map_or_else(|| "no value".into(), go::v);
        let beside = if compares { format!(" (primary {})", primary_shown(primary)) } else { String::new() };
        let text = |condition: &Option<Arc<Condition>>| {
            condition.as_ref().map(|c| c.text().to_owned()).unwrap_or_default()
        };
        let halt = format!("Halt {}.{} advancement {name} {value}{beside}", c.name, c.namespace);
        // a measured NaN is no data, and a calculated one says nothing
        let absent = values.is_empty() || values.iter().any(|v| v.is_nan());
        let open = if absent { MetricOutcome::NoData } else { MetricOutcome::Inconclusive };
        match (good, bad) {
            (Err(why), _) => (MetricOutcome::Error, broken(name, "successCondition", &why)),
            (_, Err(why)) => (MetricOutcome::Error, broken(name, "failureCondition", &why)),
            (_, Ok(Some(Answer::Yes))) => {
                (MetricOutcome::Fail, format!("{halt}, bad is {}", text(&self.failure)))
            }
            (Ok(Some(Answer::No)), Ok(None)) => {
                (MetricOutcome::Fail, format!("{halt}, wanted {}", text(&self.success)))
            }
            (Ok(Some(Answer::No)), Ok(Some(Answer::No))) => (
                MetricOutcome::Inconclusive,
                format!("{halt} is neither good ({}) nor bad ({})", text(&self.success), text(&self.failure)),
            ),
            (Ok(Some(Answer::NotANumber(part))), _) => {
                (open, undecided(name, "successCondition", &part, &beside))
            }
            (_, Ok(Some(Answer::NotANumber(part)))) => {
                (open, undecided(name, "failureCondition", &part, &beside))
            }
            (Ok(_), Ok(_)) => (MetricOutcome::Pass, String::new()),
        }
    }
}

/// Over all series: the deciding answer if one gives it, otherwise an undecided one.
fn overall(all: Vec<Answer>, decides: &Answer) -> Answer {
    if all.contains(decides) {
        return decides.clone();
    }
    let open = all.into_iter().find(|answer| matches!(answer, Answer::NotANumber(_)));
    open.unwrap_or(if *decides == Answer::Yes { Answer::No } else { Answer::Yes })
}

fn undecided(name: &str, field: &str, part: &str, beside: &str) -> String {
    format!(
        "metric {name}: {field} cannot be decided: {part} is not a number{beside}, as of 0/0, so that it is neither more nor less than another"
    )
}

fn primary_shown(values: &[f64]) -> String {
    values.iter().copied().find(|v| v.is_finite()).map(go::v).unwrap_or_default()
}

fn broken(name: &str, field: &str, why: &str) -> String {
    format!("metric {name}: {field} could not be evaluated: {why}")
}
