//! Draws the weight as a bar, and values as a row of small bars.

use super::term::{Line, Sign, Term, Tone};
use crate::view::{Look, WeightView};

/// Width of the bar in cells.
const BAR: usize = 28;

/// The canary's share, with a mark at the wanted share.
pub(super) fn weight(view: &WeightView, term: &Term) -> Line {
    let cells = |percent: i32| usize::try_from(percent.clamp(0, 100)).unwrap_or(0) * BAR / 100;
    let (have, want) = (cells(view.canary), cells(view.wanted));
    let sign = |i: usize| match i {
        i if i + 1 == want && have != want => Sign::Mark,
        i if i < have => Sign::Full,
        _ => Sign::Empty,
    };
    let bar: String = (0..BAR).map(|i| sign(i).of(term)).collect();
    Line::of(Tone::Busy, bar)
}

/// The last measurements of a check, oldest first, as a row of verdict signs.
pub(super) fn looks(all: &[Look], most: usize, term: &Term) -> (Tone, String) {
    let last = &all[all.len().saturating_sub(most)..];
    let good = last.iter().all(|look| look.verdict == "Pass");
    let tone = if good { Tone::Good } else { Tone::Warn };
    let sign = |look: &Look| match (look.verdict.as_str(), term.ascii) {
        ("Pass", true) => "+",
        ("Pass", false) => "✔",
        ("Fail", true) => "x",
        ("Fail", false) => "✖",
        _ => "?",
    };
    (tone, last.iter().map(sign).collect())
}

/// The measured values as small bars, scaled from the lowest to the highest. Empty without numbers, and in ASCII mode.
pub(super) fn spark(all: &[Look], most: usize, term: &Term) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    if term.ascii {
        return String::new();
    }
    let last = &all[all.len().saturating_sub(most)..];
    let values: Vec<Option<f64>> =
        last.iter().map(|look| look.value.parse().ok().filter(|v: &f64| v.is_finite())).collect();
    let known = || values.iter().flatten().copied();
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let bar = |value: Option<f64>| match value {
        None => ' ',
        Some(_) if high <= low => BARS[0],
        Some(value) => {
            let share = (value - low) / (high - low) * 7.0;
            BARS[(share.round() as usize).min(7)]
        }
    };
    values.into_iter().map(bar).collect()
}
