//! How much of a run is kept: equal findings as one, and of a long run the parts that show why it ended. A record stays
//! well below the size limit of the API server.

use crate::{
    api::{
        CanaryRunStatus,
        canary_run::{HookCall, Measurement, RunMetric},
    },
    snapshot::Evidence,
    text::first_chars,
};

/// Verdict of a measurement that passed.
pub(crate) const PASS: &str = "Pass";
/// Outcome of a webhook that said yes.
pub(crate) const PASSED: &str = "Passed";

const MEASUREMENTS: usize = 100;
const HOOKS: usize = 50;
const STEPS: usize = 120;
const METRICS: usize = 40;
const REQUESTS: usize = 10;
/// Characters of an address, of a sentence and of a query.
const ADDRESS: usize = 120;
const SENTENCE: usize = 500;
const QUERY: usize = 1500;

/// An address that is not too long.
pub(crate) fn address(url: &str) -> String {
    cut(url, ADDRESS)
}

/// A sentence that is not too long.
pub(crate) fn short(text: &str) -> String {
    cut(text, SENTENCE)
}

/// A query that is not too long.
pub(crate) fn long(text: &str) -> String {
    cut(text, QUERY)
}

fn cut(text: &str, most: usize) -> String {
    let kept = first_chars(text, most);
    if kept.len() < text.len() { format!("{kept}…") } else { kept.to_owned() }
}

/// Both, in order. Evidence of another run or revision than the later one's is dropped.
pub(crate) fn joined(mut earlier: Evidence, later: Evidence) -> Evidence {
    if later.run == 0 {
        return earlier;
    }
    if (earlier.run, &earlier.revision) != (later.run, &later.revision) {
        return later;
    }
    later.metrics.into_iter().for_each(|metric| asked(&mut earlier.metrics, metric));
    later.measurements.into_iter().for_each(|one| measured(&mut earlier.measurements, one));
    later.hooks.into_iter().for_each(|one| called(&mut earlier.hooks, one));
    let out = &mut earlier.left_out;
    out.measurements += later.left_out.measurements
        + trim(&mut earlier.measurements, MEASUREMENTS, |m| (m.metric.as_str(), m.verdict == PASS));
    out.hooks +=
        later.left_out.hooks + trim(&mut earlier.hooks, HOOKS, |h| (h.name.as_str(), h.outcome == PASSED));
    earlier
}

/// Adds findings to the record of their run.
pub(crate) fn add(record: &mut CanaryRunStatus, more: Evidence) {
    let known = Evidence {
        run: more.run,
        revision: more.revision.clone(),
        metrics: std::mem::take(&mut record.metrics),
        measurements: std::mem::take(&mut record.measurements),
        hooks: std::mem::take(&mut record.hooks),
        left_out: record.left_out,
    };
    let all = joined(known, more);
    (record.metrics, record.measurements, record.hooks) = (all.metrics, all.measurements, all.hooks);
    record.left_out = all.left_out;
}

/// Limits the lists that do not come from evidence.
pub(crate) fn bound(record: &mut CanaryRunStatus) {
    let excess = record.steps.len().saturating_sub(STEPS);
    if excess > 0 {
        // keeps the beginning, and the latest
        record.steps.drain(STEPS / 2..STEPS / 2 + excess);
        record.left_out.steps += i64::try_from(excess).unwrap_or(i64::MAX);
    }
    let excess = record.requests.len().saturating_sub(REQUESTS);
    record.requests.drain(..excess);
}

fn asked(all: &mut Vec<RunMetric>, one: RunMetric) {
    let same = |m: &&mut RunMetric| m.name == one.name && m.query == one.query && m.wanted == one.wanted;
    if let Some(known) = all.iter_mut().find(same) {
        for (verdict, count) in one.verdicts {
            *known.verdicts.entry(verdict).or_default() += count;
        }
    } else if all.len() < METRICS {
        all.push(one);
    }
}

/// If a window is measured repeatedly because the metrics server does not answer, that is one measurement.
fn measured(all: &mut Vec<Measurement>, one: Measurement) {
    let last = all.iter_mut().rev().find(|m| m.metric == one.metric);
    match last.filter(|m| m.verdict == one.verdict && m.start == one.start) {
        Some(last) => {
            let times = last.times.unwrap_or(1) + one.times.unwrap_or(1);
            *last = Measurement { times: Some(times), ..one };
        }
        None => all.push(one),
    }
}

fn called(all: &mut Vec<HookCall>, one: HookCall) {
    let last = all.iter_mut().rev().find(|h| h.name == one.name && h.type_ == one.type_ && h.url == one.url);
    match last.filter(|h| h.outcome == one.outcome && h.step == one.step && h.message == one.message) {
        Some(last) => {
            let times = Some(last.times.unwrap_or(1) + one.times.unwrap_or(1));
            let asked = last.asked.take().or(one.asked);
            *last = HookCall { asked, times, ..one };
        }
        None => all.push(one),
    }
}

/// Removes excess entries: good ones first, then bad ones, oldest first; the first and the last of
/// each name stay while there is anything else to remove. Returns how many were removed.
fn trim<T>(all: &mut Vec<T>, most: usize, of: impl Fn(&T) -> (&str, bool)) -> i64 {
    let mut gone = 0;
    while all.len() > most {
        let inner = |i: usize| {
            let name = of(&all[i]).0;
            all[..i].iter().any(|e| of(e).0 == name) && all[i + 1..].iter().any(|e| of(e).0 == name)
        };
        let well = (0..all.len()).find(|i| of(&all[*i]).1 && inner(*i));
        let worst = well.or_else(|| (0..all.len()).find(|i| inner(*i)));
        all.remove(worst.unwrap_or(0));
        gone += 1;
    }
    gone
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

    use super::*;
    use crate::api::canary_run::RunStep;

    fn at(second: i64) -> MicroTime {
        MicroTime(jiff::Timestamp::from_second(second).unwrap())
    }

    fn one(second: i64, verdict: &str, message: &str) -> Evidence {
        let metric = RunMetric {
            name: "m".into(),
            query: long(&"q".repeat(5000)),
            wanted: "any number".into(),
            verdicts: [(verdict.to_owned(), 1)].into(),
            ..RunMetric::default()
        };
        let measurement = Measurement {
            metric: "m".into(),
            start: Some(at(second - 10)),
            end: Some(at(second)),
            value: "1".into(),
            verdict: verdict.into(),
            message: short(message),
            ..Measurement::default()
        };
        Evidence { run: 1, metrics: vec![metric], measurements: vec![measurement], ..Evidence::default() }
    }

    #[test]
    fn of_a_long_run_first_last_and_what_failed_is_kept() {
        let mut record = CanaryRunStatus::default();
        for second in 0..1000 {
            let verdict = if second % 100 == 50 { "Fail" } else { PASS };
            add(&mut record, one(second, verdict, ""));
        }
        assert_eq!(record.measurements.len(), MEASUREMENTS);
        assert_eq!(record.left_out.measurements, 900);
        assert_eq!(
            (record.measurements[0].end.clone(), record.measurements[99].end.clone()),
            (Some(at(0)), Some(at(999)))
        );
        assert_eq!(record.measurements.iter().filter(|m| m.verdict == "Fail").count(), 10);
        assert_eq!(record.metrics[0].verdicts, [("Fail".into(), 10), (PASS.to_owned(), 990)].into());
    }

    #[test]
    fn a_window_that_is_measured_again_is_one_measurement() {
        let mut evidence = one(10, "Error", "timed out");
        let mut again = one(10, "Error", "refused");
        again.measurements[0].end = Some(at(70));
        evidence = joined(joined(evidence, again.clone()), again);
        let measured = &evidence.measurements[..];
        assert_eq!((measured.len(), measured[0].times, measured[0].end.clone()), (1, Some(3), Some(at(70))));
        assert_eq!(measured[0].message, "refused");
        assert_eq!(joined(evidence.clone(), Evidence::default()), evidence);
        assert_eq!(joined(evidence, Evidence { run: 2, ..Evidence::default() }).measurements, []);
    }

    #[test]
    fn the_largest_record_is_far_below_the_limit_of_the_api_server() {
        let wide = "ä".repeat(2000);
        let mut record = CanaryRunStatus { message: short(&wide), ..CanaryRunStatus::default() };
        for n in 0..300 {
            let mut more = one(n, "Fail", &wide);
            more.metrics[0].name = format!("m{n}");
            more.hooks = vec![HookCall {
                name: "h".repeat(63),
                step: n as i32,
                url: address(&"h".repeat(2000)),
                message: short(&wide),
                ..HookCall::default()
            }];
            add(&mut record, more);
            record.steps.push(RunStep { at: Some(at(n)), ..RunStep::default() });
            bound(&mut record);
        }
        assert_eq!((record.steps.len(), record.left_out.steps), (STEPS, 180));
        let size = serde_json::to_vec(&record).unwrap().len();
        assert!((100_000..250_000).contains(&size), "{size}");
    }
}
