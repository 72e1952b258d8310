#!/usr/bin/env bash
# prometheus_client 0.26.0 (Python), github.com/prometheus/client_golang 1.25.0 (Go), prom-client 15.1.3 (JavaScript),
# prometheus-client 0.25.2 (Rust).
#
# Guess: observing NaN (a duration of 0/0, a header that is no number) is ignored or an error, as adding -1 to a
# counter is.
#
# Really: Python, Go and Rust add it. From then on the sum of the histogram, or the whole counter, is NaN until the
# process ends. Python does not count such an observation, Go and Rust do. JavaScript throws for a histogram, and its
# counters are NaN.
#
# Matters: rate() over that pod is NaN, and so is sum(rate()) over all pods: one bad request in one pod, and every
# success rate or mean of the service is "no data", which Serin counts as a failed check. Guard the argument; a
# restart cures it.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python prometheus_client==0.26.0 <<'PY'
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

registry = CollectorRegistry()
histogram = Histogram("duration", "h", registry=registry)
counter = Counter("bytes", "h", registry=registry)
for value in (0.1, float("nan"), 0.1):
    histogram.observe(value)
    counter.inc(value)
for line in generate_latest(registry).decode().splitlines():
    if line.startswith(("duration_sum", "duration_count", "bytes_total")):
        print("Python", line)
PY
with_go github.com/prometheus/client_golang@v1.25.0 github.com/prometheus/client_golang/prometheus@v1.25.0 <<'GO'
package main

import (
	"fmt"
	"math"

	"github.com/prometheus/client_golang/prometheus"
)

func main() {
	registry := prometheus.NewRegistry()
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "duration"})
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "bytes_total"})
	registry.MustRegister(histogram, counter)
	for _, value := range []float64{0.1, math.NaN(), 0.1} {
		histogram.Observe(value)
		counter.Add(value)
	}
	families, _ := registry.Gather()
	for _, family := range families {
		if metric := family.Metric[0]; metric.Histogram != nil {
			fmt.Println("Go duration_sum", metric.Histogram.GetSampleSum(), "count", metric.Histogram.GetSampleCount())
		} else {
			fmt.Println("Go", family.GetName(), metric.Counter.GetValue())
		}
	}
}
GO
with_node prom-client@15.1.3 <<'JS'
import client from "prom-client";

const histogram = new client.Histogram({ name: "duration", help: "h" });
const counter = new client.Counter({ name: "bytes", help: "h" });
try {
  histogram.observe(NaN);
} catch (error) {
  console.log("JavaScript histogram:", error.name);
}
for (const value of [0.1, NaN, 0.1]) counter.inc(value);
console.log("JavaScript bytes", (await counter.get()).values[0].value);
JS
with_cargo prometheus-client@=0.25.2 <<'RUST'
use prometheus_client::{encoding::text::encode, metrics::histogram::Histogram, registry::Registry};

fn main() {
    let mut registry = Registry::default();
    let histogram = Histogram::new([1.0]);
    registry.register("duration", "h", histogram.clone());
    for value in [0.1, f64::NAN, 0.1] {
        histogram.observe(value);
    }
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    text.lines().filter(|line| line.contains("_sum") || line.contains("_count")).for_each(|line| println!("Rust {line}"));
}
RUST
expect <<'END'
Python duration_count 2.0
Python duration_sum NaN
Python bytes_total NaN
Go bytes_total NaN
Go duration_sum NaN count 3
JavaScript histogram: TypeError
JavaScript bytes NaN
Rust duration_sum NaN
Rust duration_count 3
END
