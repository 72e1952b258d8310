#!/usr/bin/env bash
# opentelemetry-sdk 1.45.2 (PyPI): the default buckets of a histogram are meant for milliseconds, whatever its unit.
#
# Guess: a histogram with `unit="s"` gets buckets for seconds, as in the client library of Prometheus (0.005 to 10).
#
# Really: the bounds are 0, 5, 10, 25 … 10000 for every unit. All requests of less than 5 s are in one bucket, and
# histogram_quantile interpolates in it: the 99th percentile is 4.95 s for requests of 2 ms as for requests of 4 s.
#
# Matters: a check of the 99th percentile fails each canary whose limit is below 4950 ms and passes each one whose limit
# is above, without looking at it. Set the bounds with a View, or explicit_bucket_boundaries_advisory where the
# histogram is made (the last line).
#
# Seen:
#   p99 of 1000 requests of 2 ms: 4.95 s
#   p99 of 1000 requests of 4 s: 4.95 s
#   p99 of 1000 requests of 2 ms, bounds given: 0.005 s
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"
python_packages opentelemetry-sdk==1.45.2
PYTHONPATH="$work/python" python3 - <<'PY'
import sys
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader


def p99(seconds, **advice):
    """What PromQL's histogram_quantile(0.99, ...) makes of the buckets of 1000 equal durations."""
    reader = InMemoryMetricReader()
    durations = MeterProvider(metric_readers=[reader]).get_meter("app").create_histogram("duration", unit="s", **advice)
    for _ in range(1000):
        durations.record(seconds)
    point = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics[0].data.data_points[0]
    rank, lower = 0.99 * point.count, 0
    for upper, count in zip(point.explicit_bounds, point.bucket_counts):
        if count >= rank:
            return round(lower + (upper - lower) * rank / count, 3)
        rank, lower = rank - count, upper


seen = [p99(0.002), p99(4), p99(0.002, explicit_bucket_boundaries_advisory=[0.005, 0.01, 0.1, 1])]
for what, value in zip(("2 ms", "4 s", "2 ms, bounds given"), seen):
    print(f"p99 of 1000 requests of {what}: {value} s")
sys.exit(seen != [4.95, 4.95, 0.005])
PY
