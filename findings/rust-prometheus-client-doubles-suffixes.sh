#!/usr/bin/env bash
# prometheus-client 0.25.2 (Rust), against prometheus 0.14.0 (Rust) and prometheus_client 0.26.0 (Python).
#
# Guess: a counter registered as requests_total is requests_total, as in every other library.
#
# Really: prometheus-client adds _total to what it is given: requests_total_total. A unit is added as well:
# register_with_unit("latency_seconds", ..., Unit::Seconds) is latency_seconds_seconds. Without _total the other Rust
# library writes the bare name, so that neither spelling gives one name in both.
#
# Matters: a service that changes its library, or is rewritten in Rust, keeps its names in the code and has others in
# Prometheus: the MetricTemplate finds nothing, and the release is rolled back for "no values found".
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_cargo prometheus-client@=0.25.2 <<'RUST'
use prometheus_client::{encoding::text::encode, metrics::{counter::Counter, histogram::Histogram}, registry::{Registry, Unit}};

fn main() {
    let mut registry = Registry::default();
    registry.register("requests_total", "Requests", Counter::<u64>::default());
    registry.register("jobs", "Jobs", Counter::<u64>::default());
    registry.register_with_unit("latency_seconds", "Latency", Unit::Seconds, Histogram::new([1.0]));
    let mut page = String::new();
    encode(&mut page, &registry).unwrap();
    for line in page.lines().filter(|line| !line.starts_with('#') && !line.contains("_bucket")) {
        println!("prometheus-client: {line}");
    }
}
RUST
cat >"$work/cargo/Cargo.toml" <<'TOML'
[package]
name = "seen"
edition = "2024"

[dependencies]
prometheus = { version = "=0.14.0", default-features = false }
TOML
with_cargo prometheus@=0.14.0 <<'RUST'
use prometheus::{IntCounter, Registry, TextEncoder};

fn main() {
    let registry = Registry::new();
    for name in ["requests_total", "jobs"] {
        registry.register(Box::new(IntCounter::new(name, "Counted").unwrap())).unwrap();
    }
    for line in TextEncoder::new().encode_to_string(&registry.gather()).unwrap().lines().filter(|line| !line.starts_with('#')) {
        println!("prometheus: {line}");
    }
}
RUST
with_python prometheus_client==0.26.0 <<'PY'
from prometheus_client import CollectorRegistry, Counter, generate_latest

registry = CollectorRegistry()
Counter("requests_total", "Requests", registry=registry)
Counter("jobs", "Jobs", registry=registry)
for line in generate_latest(registry).decode().splitlines():
    if not line.startswith("#") and "_created" not in line:
        print("Python:", line)
PY
expect <<'END'
prometheus-client: requests_total_total 0
prometheus-client: jobs_total 0
prometheus-client: latency_seconds_seconds_sum 0.0
prometheus-client: latency_seconds_seconds_count 0
prometheus: jobs 0
prometheus: requests_total 0
Python: requests_total 0.0
Python: jobs_total 0.0
END
