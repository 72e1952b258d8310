//! PURE. Which thresholds would have raised no more false alarms than are stated, and what brings down those of comparisons.

use serde_json::{Value, json};

use super::{asked::thresholds_alone, replay::Harm, report::Suggestion, trial::Trial};
use crate::{analysis, api::duration};

/// Shares of windows that a threshold may call bad, from strict to lenient.
const QUANTILES: [f64; 8] = [0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.0];
/// Replays that are enough to choose by.
const ENOUGH: usize = 200;
/// Of a comparison that says nothing of it.
const HICCUP: u64 = 15;
const RATIO: f64 = 1.5;

/// For each metric with one bound, the strictest that keeps to the stated rate by itself.
pub(super) fn thresholds(trial: &Trial<'_>, replays: usize) -> Result<Vec<Suggestion>, String> {
    let replays = replays.min(ENOUGH);
    // to its end, whatever is read: a run that is rolled back early reads little
    let seen = trial.run(&with_bounds(trial, None), Harm::NONE, replays)?;
    let mut all = Vec::new();
    for (at, metric) in trial.played.metrics.iter().enumerate() {
        let (range, unit) = analysis::limits::bounds(metric);
        let read = trial.played.questions.iter().position(|of| *of == at).and_then(|of| seen.read.get(&of));
        let Some((range, read)) = range.zip(read) else { continue };
        let (field, now, least) = match (range.min, range.max) {
            (Some(min), None) => ("min", min, true),
            (None, Some(max)) => ("max", max, false),
            _ => continue,
        };
        let tries = |bound: f64| -> Result<f64, String> {
            let sum = trial.run(&with_bounds(trial, Some((at, field, bound))), Harm::NONE, replays)?;
            Ok(percent(sum.rolled_back, sum.replays))
        };
        if let Some((bound, rate)) = strictest(&candidates(read, least), trial.played.stated, &tries)?
            && (bound - now).abs() > f64::EPSILON
        {
            let name = &metric.name;
            all.push(Suggestion {
                change: format!("metrics[{name}].thresholdRange.{field}: {bound}{}", spaced(unit)),
                present: Some(format!("{now}{}", spaced(unit))),
                rolled_back: rate,
            });
        }
    }
    Ok(all)
}

fn spaced(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" {unit}") }
}

/// The same analysis by thresholds, of which none counts but this bound of the metric at this position.
fn with_bounds(trial: &Trial<'_>, counted: Option<(usize, &str, f64)>) -> Value {
    let whole = &trial.played.analysis;
    let mut all = thresholds_alone(whole).unwrap_or_else(|| whole.clone());
    for (at, metric) in all["metrics"].as_array_mut().into_iter().flatten().enumerate() {
        let Some(fields) = metric.as_object_mut() else { continue };
        match counted.filter(|(of, _, _)| *of == at) {
            Some((_, field, bound)) => {
                fields.remove("threshold");
                fields.insert("thresholdRange".into(), json!({field: bound}));
            }
            None => {
                fields.insert("dryRun".into(), json!(true));
            }
        }
    }
    all
}

/// Bounds that so many of the values are beyond, and one that none is, with as many digits as people write.
fn candidates(read: &[f64], least: bool) -> Vec<f64> {
    let mut sorted: Vec<f64> = read.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    if !least {
        sorted.reverse();
    }
    let (Some(first), Some(middle)) = (sorted.first(), sorted.get(sorted.len() / 2)) else { return vec![] };
    let beyond = (first + (first - middle) / 2.0).max(0.0);
    let at = |quantile: &f64| sorted.get((quantile * sorted.len() as f64) as usize).copied();
    QUANTILES.iter().filter_map(at).chain([beyond]).map(|value| rounded(value, least)).collect()
}

/// To three digits that count, of a percentage to hundredths; down for a least value, up for a greatest.
fn rounded(value: f64, least: bool) -> f64 {
    let digits = 10_f64.powf((2.0 - value.abs().max(1e-6).log10().floor()).max(0.0));
    if least {
        let scale = digits.max(100.0);
        (value * scale).floor() / scale
    } else {
        (value * digits).ceil() / digits
    }
}

/// The first of candidates, from strict to lenient, whose rate is at most this.
fn strictest(
    candidates: &[f64],
    stated: f64,
    tries: &dyn Fn(f64) -> Result<f64, String>,
) -> Result<Option<(f64, f64)>, String> {
    let (mut low, mut high, mut best) = (0, candidates.len(), None);
    while low < high {
        let middle = usize::midpoint(low, high);
        let rate = tries(candidates[middle])?;
        if rate <= stated {
            (high, best) = (middle, Some((candidates[middle], rate)));
        } else {
            low = middle + 1;
        }
    }
    Ok(best)
}

/// What of a comparison, changed by itself, is the first to keep to the stated rate on the same replays.
pub(super) fn comparisons(
    trial: &Trial<'_>,
    largest: u64,
    replays: usize,
) -> Result<Option<Suggestion>, String> {
    let mut all = trial.played.analysis["metrics"].as_array().into_iter().flatten();
    let Some(compare) = all.find_map(|metric| metric.get("compare")) else { return Ok(None) };
    for (text, change) in changes(compare, largest) {
        let mut all = trial.played.analysis.clone();
        let metrics = all["metrics"].as_array_mut().into_iter().flatten();
        for compare in metrics.filter_map(|metric| metric.get_mut("compare")) {
            json_patch::merge(compare, &change);
        }
        let sum = trial.run(&all, Harm::NONE, replays)?;
        let rate = percent(sum.rolled_back, sum.replays);
        if rate <= trial.played.stated {
            return Ok(Some(Suggestion { change: text, present: None, rolled_back: rate }));
        }
    }
    Ok(None)
}

fn changes(compare: &Value, largest: u64) -> [(String, Value); 3] {
    let largest = largest.clamp(1, 100_000);
    let hiccup = compare["hiccup"].as_str().and_then(duration::parse).map_or(HICCUP, |time| time.as_secs());
    let hiccup = format!("{}s", 2 * hiccup.max(1));
    let ratio = 2.0 * compare["worse"]["ratio"].as_f64().unwrap_or(RATIO);
    let ratio_ok = compare["noWorse"]["ratio"].as_f64().unwrap_or_default().max(ratio + 1.0);
    [
        (format!("compare.hiccup: {hiccup}"), json!({"hiccup": hiccup})),
        (format!("compare.bursts: {largest}"), json!({"bursts": largest})),
        (
            format!("compare.worse.ratio: {ratio}, compare.noWorse.ratio: {ratio_ok}"),
            json!({"worse": {"ratio": ratio}, "noWorse": {"ratio": ratio_ok}}),
        ),
    ]
}

/// So many of so many, in percent.
pub(super) fn percent(some: usize, all: usize) -> f64 {
    if all == 0 { 0.0 } else { 100.0 * some as f64 / all as f64 }
}
