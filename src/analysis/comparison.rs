//! The evidence of a comparison as one sentence and as numbers.

use super::{comparing::Comparing, counting::Tally, go};
use crate::{
    api::{CompareStatus, CompareVerdict, ComparedSide},
    statistics::{Counts, Evidence, Finding},
};

/// Evidence above this is shown as this value.
const MOST: f64 = 1e9;

/// The result of a comparison after these looks.
pub(crate) fn compared(comparing: &Comparing, evidence: &Evidence, last: &Tally) -> CompareStatus {
    let finding = evidence.finding(&comparing.settings);
    let verdict = verdict(&finding, evidence);
    let shown = evidence.shown();
    let (canary, primary) = evidence.counted();
    let side = |counts: Counts, ends: Option<(f64, f64)>| ComparedSide {
        requests: i64::try_from(counts.all).unwrap_or(i64::MAX),
        failed: i64::try_from(counts.bad).unwrap_or(i64::MAX),
        low: ends.map(|(low, _)| digits(100.0 * low, 2)),
        high: ends.map(|(_, high)| digits(100.0 * high, 2)),
    };
    CompareStatus {
        verdict: Some(verdict),
        message: sentence(comparing, evidence, &finding, verdict, last),
        evidence: Some(shown_evidence(finding.evidence)),
        evidence_no_worse: Some(shown_evidence(finding.evidence_ok)),
        canary: Some(side(canary, shown.map(|s| s.canary))),
        primary: Some(side(primary, shown.map(|s| s.primary))),
        wanted: comparing.wanted(),
        until: None,
        state: evidence.to_text(),
    }
}

fn verdict(finding: &Finding, evidence: &Evidence) -> CompareVerdict {
    let (canary, _) = evidence.counted();
    match finding {
        Finding { worse: true, .. } => CompareVerdict::Worse,
        Finding { trouble: true, .. } if canary.all > 0 => CompareVerdict::Held,
        Finding { no_worse: true, .. } => CompareVerdict::NoWorse,
        _ => CompareVerdict::Undecided,
    }
}

fn sentence(
    comparing: &Comparing,
    evidence: &Evidence,
    finding: &Finding,
    verdict: CompareVerdict,
    last: &Tally,
) -> String {
    let s = &comparing.settings;
    let (canary, primary) = evidence.counted();
    let rates = format!(
        "{} of {} requests failed, on the primary {} of {}",
        rate(canary),
        grouped(canary.all),
        rate(primary),
        grouped(primary.all)
    );
    let share = |rate: f64| short(100.0 * rate);
    match verdict {
        CompareVerdict::Worse => format!(
            "Worse: {rates}{}, tolerated are {} times or {} %; evidence {}, asked for is {}",
            times(canary, primary),
            go::v(s.ratio),
            share(s.floor),
            short(shown_evidence(finding.evidence)),
            short(s.wanted()),
        ),
        CompareVerdict::NoWorse => format!(
            "No worse: {rates}: less than {} %, or than {} times; evidence {}, asked for is {}",
            share(s.floor_ok),
            go::v(s.ratio_ok),
            short(shown_evidence(finding.evidence_ok)),
            short(s.wanted_ok()),
        ),
        CompareVerdict::Held => {
            let now = last.primary.rate().or_else(|| primary.rate()).unwrap_or_default();
            format!(
                "Held: the primary itself fails at {} %, far more often than usual; nothing is promoted until that is over",
                share(now)
            )
        }
        CompareVerdict::Undecided | CompareVerdict::Unread if canary.all == 0 => {
            "Undecided: the canary has had no requests that were counted".into()
        }
        CompareVerdict::Undecided | CompareVerdict::Unread if primary.all == 0 => {
            "Undecided: the primary has had no requests that were counted, so that there is nothing to compare with"
                .into()
        }
        CompareVerdict::Undecided | CompareVerdict::Unread => {
            let nothing = evidence.known.burst.is_none() && s.burst_ok.is_none();
            let only = if nothing { "; with compare.bursts unknown only failures are evidence of that" } else { "" };
            let warm = if finding.warm { ", and the canary is still warming up" } else { "" };
            format!(
                "Undecided: {rates}{warm}; evidence that it is no worse {}, asked for is {}{only}",
                short(shown_evidence(finding.evidence_ok)),
                short(s.wanted_ok()),
            )
        }
    }
}

/// Evidence itself, from its logarithm.
fn shown_evidence(ln: f64) -> f64 {
    digits(ln.exp().min(MOST), 3)
}

fn rate(counts: Counts) -> String {
    counts.rate().map_or_else(|| "none".into(), |rate| format!("{} %", short(100.0 * rate)))
}

/// How many times as often the canary fails.
fn times(canary: Counts, primary: Counts) -> String {
    match (canary.rate(), primary.rate()) {
        (Some(canary), Some(primary)) if primary > 0.0 => {
            format!(": {} times as often", short(canary / primary))
        }
        _ => String::new(),
    }
}

/// With two digits, or as a whole number.
fn short(value: f64) -> String {
    if value >= 100.0 { grouped(value.round() as u64) } else { go::v(digits(value, 2)) }
}

/// Rounded to this many significant digits.
fn digits(value: f64, digits: i32) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let places = digits - 1 - value.abs().log10().floor() as i32;
    // the nearest number to the text with this many places
    format!("{value:.*}", usize::try_from(places.max(0)).unwrap_or_default()).parse().map_or(
        value,
        |near: f64| {
            if places >= 0 { near } else { (value / 10_f64.powi(-places)).round() * 10_f64.powi(-places) }
        },
    )
}

/// A count with separated thousands.
fn grouped(count: u64) -> String {
    let text = count.to_string();
    let mut out = String::new();
    for (at, digit) in text.chars().enumerate() {
        if at > 0 && (text.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}
