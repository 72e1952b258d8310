#!/usr/bin/env bash
# opentelemetry-sdk 1.45.2 and opentelemetry-exporter-prometheus 0.66b2 (Python); the SDKs for Go and JavaScript have
# the same bounds.
#
# Guess: the default bounds of a histogram fit its unit, and the semantic conventions want durations in seconds.
#
# Really: the bounds are 0, 5, 10, 25 ... 10000 whatever the unit: they were chosen for milliseconds. Of a histogram
# in seconds all requests below 5 s share one bucket.
#
# Matters: histogram_quantile(0.99) of a service that answers in 0.3 s, and of one that answers in 4 s, is 4.95 s. A
# canary that is ten times slower passes a threshold of 5 s and fails one of 1 s whatever it does. Give the instrument
# explicit_bucket_boundaries_advisory, or a view, before such a histogram is a metric of a Canary.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python opentelemetry-sdk==1.45.2 opentelemetry-exporter-prometheus==0.66b2 prometheus_client==0.26.0 <<'PY'
import prometheus_client
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider

meter = MeterProvider(metric_readers=[PrometheusMetricReader()]).get_meter("shop")
for name, seconds in (("fast", 0.3), ("slow", 4.0)):
    histogram = meter.create_histogram(f"{name}.duration", unit="s")
    for _ in range(100):
        histogram.record(seconds)


def quantile(rank, buckets):
    """As PromQL's histogram_quantile: linear within the bucket."""
    below, lower = 0.0, 0.0
    for upper, count in buckets:
        if count >= rank * buckets[-1][1]:
            return lower + (upper - lower) * (rank * buckets[-1][1] - below) / (count - below)
        below, lower = count, upper


for family in prometheus_client.REGISTRY.collect():
    if family.name.endswith("_duration_seconds"):
        buckets = [(float(s.labels["le"]), s.value) for s in family.samples if s.name.endswith("_bucket")]
        print(family.name, "bounds", [le for le, _ in buckets][:4], "p99", round(quantile(0.99, buckets), 2))
PY
expect <<'END'
fast_duration_seconds bounds [0.0, 5.0, 10.0, 25.0] p99 4.95
slow_duration_seconds bounds [0.0, 5.0, 10.0, 25.0] p99 4.95
END
