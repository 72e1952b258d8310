//! Durations in Go's format, as in Flagger's fields.

use std::time::Duration;

/// Reads the same texts as Go's `time.ParseDuration`, unless they are negative: `1m30s`, `1.5h`, `100ms`, `0`. A number
/// needs a unit (`ns`, `us`, `ms`, `s`, `m`, `h`); anything else is `None`.
pub fn parse(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if text == "0" {
        return Some(Duration::ZERO);
    }
    if text.is_empty() {
        return None;
    }
    let (mut rest, mut total) = (text, 0_u64);
    while !rest.is_empty() {
        let (nanos, tail) = component(rest)?;
        total = total.checked_add(nanos).filter(|sum| i64::try_from(*sum).is_ok())?;
        rest = tail;
    }
    Some(Duration::from_nanos(total))
}

/// One number with its unit, in nanoseconds, and the rest of the text.
fn component(text: &str) -> Option<(u64, &str)> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), digits);
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (unit, rest) =
        rest.split_at(rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len()));
    let unit = nanos_of(unit)?;
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()?.checked_mul(unit)? };
    Some((whole.checked_add(part_of(unit, fraction))?, rest))
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn nanos_of(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// `0.fraction` of a unit in nanoseconds, by the same steps as in Go: digits beyond 63 bits are dropped, and the rest
/// is calculated in floating point.
fn part_of(unit: u64, fraction: &str) -> u64 {
    let (mut value, mut scale) = (0_u64, 1.0);
    for digit in fraction.bytes() {
        let next = value.checked_mul(10).and_then(|tens| tens.checked_add(u64::from(digit - b'0')));
        let Some(next) = next.filter(|next| *next <= 1 << 63) else { break };
        value = next;
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, nanos) in [
            ("0", 0),
            ("0s", 0),
            ("60s", 60_000_000_000),
            ("1m", 60_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1.5h", 5_400_000_000_000),
            ("100ms", 100_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("+5s", 5_000_000_000),
            ("1h1m1s1ms1us1ns", 3_661_001_001_001),
            ("1µs", 1_000),
            ("0.3333333333333333333h", 1_200_000_000_000),
            ("0.9999999999999999999h", 3_600_000_000_000),
            ("9223372036854775807ns", i64::MAX as u64),
        ] {
            assert_eq!(parse(text), Some(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn refuses_what_go_refuses_and_the_negative() {
        for text in [
            "",
            "60",
            "1d",
            "1m 30s",
            "-1m",
            "s",
            ".",
            ".s",
            "+",
            "1m30",
            "1..5s",
            "1,5s",
            " 1m",
            "1M",
            "--1s",
            "9223372036854775808ns",
            "99999999999999999999s",
            "3000000h",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
