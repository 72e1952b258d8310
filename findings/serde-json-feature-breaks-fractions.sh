#!/usr/bin/env bash
# serde_json 1.0.154 with serde 1.0.229 (Rust).
#
# Guess: the feature arbitrary_precision of serde_json, which any dependency may switch on for the whole program, keeps more
# digits and changes nothing else.
#
# Really: with it, a number with a fraction can no longer be read from a text where serde looks at it before it knows its
# type: in an untagged enum, beside #[serde(flatten)], and in an enum with a tag. Whole numbers can, and so can the same
# value by way of serde_json::Value. And a Value of 1.10 is not equal to one of 1.1.
#
# Matters: an operator in Rust that has read Canaries with `max: 99` for years fails for the first `max: 99.5` after an
# update of something else, "invalid type: map, expected f64", and does not list them any more. A test with a fraction shows
# it; read by way of Value.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
mkdir -p "$work/cargo"
cat >"$work/cargo/Cargo.toml" <<'TOML'
[package]
name = "seen"
edition = "2024"

[dependencies]
serde = { version = "=1.0.229", features = ["derive"] }
TOML
cat >"$work/main.rs" <<'RUST'
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(untagged)]
enum Limit {
    Number(f64),
}

#[derive(Deserialize)]
struct Range {
    max: f64,
}

#[derive(Deserialize)]
struct Metric {
    #[serde(flatten)]
    range: Range,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Check {
    Range { max: f64 },
}

fn told<T: DeserializeOwned>(name: &str, text: &str, number: fn(T) -> f64) {
    let read = |result: serde_json::Result<T>| result.map_or_else(|error| error.to_string(), |value| number(value).to_string());
    let by_value = serde_json::from_str::<Value>(text).and_then(serde_json::from_value);
    println!("{name} {text}: {}; by way of Value: {}", read(serde_json::from_str(text)), read(by_value));
}

fn main() {
    for number in ["99", "99.5"] {
        told("untagged", number, |Limit::Number(limit)| limit);
        told("flatten", &format!(r#"{{"max":{number}}}"#), |metric: Metric| metric.range.max);
        told("tag", &format!(r#"{{"type":"Range","max":{number}}}"#), |Check::Range { max }| max);
    }
    let [one, two] = ["1.1", "1.10"].map(|text| serde_json::from_str::<Value>(text).ok());
    println!("1.1 equals 1.10: {}", one == two);
}
RUST
with_cargo serde_json@=1.0.154 <"$work/main.rs"
echo "with arbitrary_precision:" | tee -a "$work/seen"
with_cargo serde_json@=1.0.154 --features arbitrary_precision <"$work/main.rs"
expect <<'END'
untagged 99: 99; by way of Value: 99
flatten {"max":99}: 99; by way of Value: 99
tag {"type":"Range","max":99}: 99; by way of Value: 99
untagged 99.5: 99.5; by way of Value: 99.5
flatten {"max":99.5}: 99.5; by way of Value: 99.5
tag {"type":"Range","max":99.5}: 99.5; by way of Value: 99.5
1.1 equals 1.10: true
with arbitrary_precision:
untagged 99: 99; by way of Value: 99
flatten {"max":99}: 99; by way of Value: 99
tag {"type":"Range","max":99}: 99; by way of Value: 99
untagged 99.5: data did not match any variant of untagged enum Limit; by way of Value: 99.5
flatten {"max":99.5}: invalid type: map, expected f64 at line 1 column 12; by way of Value: 99.5
tag {"type":"Range","max":99.5}: invalid type: map, expected f64; by way of Value: 99.5
1.1 equals 1.10: false
END
