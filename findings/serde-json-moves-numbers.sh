#!/usr/bin/env bash
# serde_json 1.0.154 (Rust).
#
# Guess: a number that is written and read back is the same number, as in Go, JavaScript and Python, and as Rust's own
# parse() reads it.
#
# Really: of numbers with all their digits one in eleven comes back as its neighbour: 90.42225290942383 as 90.42225290942385.
# Numbers of up to 15 digits are exact. The feature float_roundtrip reads all of them right.
#
# Matters: an operator or a bot in Rust that keeps a measurement in a status or an annotation, reads it back and compares it
# with what it has just calculated sees a change that is none, and writes again; and `value == limit` fails for the number
# that it wrote itself. Switch the feature on, or store a text or fewer digits.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_cargo serde_json@=1.0.154 <<'RUST'
fn main() {
    let (mut moved, mut parsed, mut rounded) = (0, 0, 0);
    let mut state: u64 = 88172645463325252;
    for _ in 0..100_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let value = (state >> 11) as f64 / (1u64 << 53) as f64 * 100.0;
        let text = serde_json::to_string(&value).unwrap();
        moved += usize::from(serde_json::from_str::<f64>(&text).unwrap() != value);
        parsed += usize::from(text.parse::<f64>().unwrap() != value);
        let short = (value * 1e6).round() / 1e6;
        let text = serde_json::to_string(&short).unwrap();
        rounded += usize::from(serde_json::from_str::<f64>(&text).unwrap() != short);
    }
    println!("90.42225290942383 is {}", serde_json::from_str::<f64>("90.42225290942383").unwrap());
    println!("of 100000 numbers: {moved} changed by serde_json, {parsed} by parse(), {rounded} of those rounded to millionths");
}
RUST
expect <<'END'
90.42225290942383 is 90.42225290942385
of 100000 numbers: 9222 changed by serde_json, 0 by parse(), 0 of those rounded to millionths
END
