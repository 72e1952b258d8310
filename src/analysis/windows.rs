//! How far a query looks back: the interval of a metric, in the format of its kind of server.

use std::time::Duration;

use super::{access::PROMETHEUS, provider_kinds::GRAPHITE};
use crate::api::duration;

/// Units that PromQL accepts between brackets, and their order.
const PROMQL: [&str; 7] = ["y", "w", "d", "h", "m", "s", "ms"];
/// The longest window of Prometheus, which counts nanoseconds.
const LONGEST: Duration = Duration::from_millis(9_223_372_036_854);

/// An interval as this kind of server takes it.
///
/// # Errors
/// What is wrong with it.
pub(super) fn written(text: &str, kind: &str) -> Result<String, &'static str> {
    let none = "no duration such as 30s or 1m";
    let parts = parts(text).filter(|_| !length(text).is_zero()).ok_or(none)?;
    if kind == PROMETHEUS {
        let places = parts.iter().map(|(_, unit)| PROMQL.iter().position(|known| known == unit));
        let places = places.collect::<Option<Vec<_>>>().ok_or(none)?;
        if !places.is_sorted_by(|a, b| a < b) || length(text) > LONGEST {
            return Err(
                "no duration of Prometheus: write the largest unit first, each once, below 292 years",
            );
        }
    }
    // Graphite has no unit m
    let unit = |unit: &str| if kind == GRAPHITE && unit == "m" { "min".to_owned() } else { unit.to_owned() };
    Ok(parts.iter().flat_map(|(number, of)| [(*number).to_owned(), unit(of)]).collect())
}

/// An interval such as `1m30s` as time; one minute for an invalid one, which `analysis` has already refused.
pub(crate) fn length(text: &str) -> Duration {
    const MINUTE: Duration = Duration::from_secs(60);
    duration::parse(text).or_else(|| long(text)).unwrap_or(MINUTE)
}

/// Days, weeks and years, which Go's durations do not have, and the long names of units.
fn long(text: &str) -> Option<Duration> {
    let mut sum = 0.0;
    for (number, unit) in parts(text)? {
        sum += number.parse::<f64>().ok()? * seconds(unit)?;
    }
    Duration::try_from_secs_f64(sum).ok()
}

/// Whole numbers, each with a unit that some metrics server knows; none for any other text.
pub(super) fn parts(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut all = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        if !(1..=9).contains(&digits) || seconds(unit).is_none() {
            return None;
        }
        all.push((number, unit));
        rest = after;
    }
    Some(all).filter(|all| !all.is_empty())
}

fn seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ms" => 0.001,
        "s" | "sec" | "second" | "seconds" => 1.0,
        "m" | "min" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "week" | "weeks" => 604_800.0,
        "mon" | "month" | "months" => 2_592_000.0,
        "y" | "year" | "years" => 31_536_000.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn windows_are_times() {
        for (text, seconds) in
            [("30s", 30), ("1m30s", 90), ("2h", 7200), ("1d", 86_400), ("1w1s", 604_801), ("1min", 60)]
        {
            assert_eq!(length(text), Duration::from_secs(seconds), "{text}");
        }
        assert_eq!(length("500ms"), Duration::from_millis(500));
        assert_eq!(length("nonsense"), Duration::from_secs(60));
    }

    const PIECES: &[&str] = &[
        "0",
        "1",
        "30",
        "999999999",
        "0000000001",
        "ms",
        "s",
        "m",
        "min",
        "h",
        "hours",
        "d",
        "w",
        "mon",
        "y",
        ".",
        "-",
        " ",
        "é",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn no_window_panics_or_breaks_out_of_its_query(
            text in prop_oneof![
                proptest::collection::vec(prop::sample::select(PIECES), 0..60).prop_map(|parts| parts.concat()),
                "[0-9]{1,3}(ms|s|m|h|d|w|y|min)([0-9]{1,3}(ms|s|m|h|d|w|y|min)){0,4}",
                "[ -~éü\n]{0,40}",
            ],
            kind in prop::sample::select(vec![PROMETHEUS, GRAPHITE, "web"]),
        ) {
            crate::tests::bounds::within(64 << 10, &text, || {
                if let Ok(written) = written(&text, kind) {
                    assert!(written.bytes().all(|b| b.is_ascii_alphanumeric()), "{text}: {written}");
                    assert!(!length(&written).is_zero(), "{text}: {written}");
                }
            });
        }
    }
}
