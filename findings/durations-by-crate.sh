#!/usr/bin/env bash
# duration-str 0.21.0, fundu 2.1.1, jiff 1.0.2, parse_duration 2.1.1 and humantime 2.4.0 (Rust).
#
# Guess: each of them reads "1m30s", "1.5h" and "1d", "1M" is a minute or an error, and "1m30" an error.
#
# Really: only parse_duration and humantime read the first three. "1m30s" is refused by fundu, "1.5h" by duration-str,
# "1d" by jiff. "1M" is a minute for duration-str, a month of 2629746 s for parse_duration, of 2630016 s for humantime;
# "1m30" is a minute and a half for duration-str alone, and "90" is 90 s for three of them.
#
# Matters: a tool in Rust that reads the interval or the deadline of a Canary, or writes one that it has read so, refuses what
# the cluster takes, or waits a month for a minute. Serin takes what Go's ParseDuration takes: 90s, 1m30s, 1.5h.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_cargo duration-str@=0.21.0 fundu@=2.1.1 humantime@=2.4.0 jiff@=1.0.2 parse_duration@=2.1.1 <<'RUST'
fn seconds<T, E>(read: Result<T, E>, seconds: impl Fn(T) -> f64) -> String {
    read.map_or("refused".into(), |duration| seconds(duration).to_string())
}

fn main() {
    for text in ["1m30s", "1.5h", "1d", "1M", "1m30", "90"] {
        let in_seconds = |duration: std::time::Duration| duration.as_secs_f64();
        println!(
            "{text}: duration-str {}, fundu {}, jiff {}, parse_duration {}, humantime {}",
            seconds(duration_str::parse(text), in_seconds),
            seconds(fundu::parse_duration(text), in_seconds),
            seconds(text.parse::<jiff::SignedDuration>(), |duration| duration.as_secs_f64()),
            seconds(parse_duration::parse(text), in_seconds),
            seconds(humantime::parse_duration(text), in_seconds),
        );
    }
}
RUST
expect <<'END'
1m30s: duration-str 90, fundu refused, jiff 90, parse_duration 90, humantime 90
1.5h: duration-str refused, fundu 5400, jiff 5400, parse_duration 5400, humantime 5400
1d: duration-str 86400, fundu 86400, jiff refused, parse_duration 86400, humantime 86400
1M: duration-str 60, fundu refused, jiff refused, parse_duration 2629746, humantime 2630016
1m30: duration-str 90, fundu refused, jiff refused, parse_duration refused, humantime refused
90: duration-str 90, fundu 90, jiff refused, parse_duration 90, humantime refused
END
