//! Numbers in the format of Go's `fmt`: the texts of Events are compared with Flagger's.

use crate::expression::template::general;

/// `%v` of a `float64`: shortest digits that read back the same, with an exponent below 1e-4 and from 1e+06 on.
pub(super) fn v(value: f64) -> String {
    if !value.is_finite() {
        return special(value);
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    format!("{sign}{}", general(value.abs(), None))
}

/// `%.2f` of a `float64`.
pub(super) fn f2(value: f64) -> String {
    if value.is_finite() { format!("{value:.2}") } else { special(value) }
}

/// A duration of whole milliseconds as `time.Duration` prints it: `0s`, `500ms`, `1.515s`, `1m0s`.
pub(super) fn millis(ms: f64) -> String {
    if !ms.is_finite() {
        return special(ms);
    }
    let (sign, size) = if ms < 0.0 { ("-", -ms) } else { ("", ms) };
    let whole = size as u64;
    if whole == 0 {
        return "0s".into();
    }
    if whole < 1000 {
        return format!("{sign}{whole}ms");
    }
    let (seconds, rest) = (whole / 1000, whole % 1000);
    let fraction =
        if rest == 0 { String::new() } else { format!(".{rest:03}").trim_end_matches('0').to_owned() };
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}{fraction}s"),
        (0, _) => format!("{sign}{minutes}m{seconds}{fraction}s"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}{fraction}s"),
    }
}

fn special(value: f64) -> String {
    if value.is_nan() { "NaN".into() } else { format!("{}Inf", if value > 0.0 { '+' } else { '-' }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_and_durations_print_as_in_go() {
        let cases = [
            (99.0, "99"),
            (99.5, "99.5"),
            (0.1, "0.1"),
            (100_000.0, "100000"),
            (1e6, "1e+06"),
            (1e21, "1e+21"),
            (123_456_789.0, "1.23456789e+08"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e100, "1e+100"),
            (-3.0, "-3"),
            (0.0, "0"),
            (f64::NEG_INFINITY, "-Inf"),
        ];
        for (value, text) in cases {
            assert_eq!(v(value), text);
        }
        assert_eq!(
            (f2(90.5).as_str(), f2(f64::INFINITY).as_str(), f2(f64::NAN).as_str()),
            ("90.50", "+Inf", "NaN")
        );
        let durations = [
            (0.0, "0s"),
            (500.0, "500ms"),
            (1515.0, "1.515s"),
            (1500.0, "1.5s"),
            (60_000.0, "1m0s"),
            (3_661_001.0, "1h1m1.001s"),
            (-500.0, "-500ms"),
            (999.9, "999ms"),
            (f64::INFINITY, "+Inf"),
        ];
        for (ms, text) in durations {
            assert_eq!(millis(ms), text);
        }
    }
}
