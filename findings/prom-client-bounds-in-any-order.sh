#!/usr/bin/env bash
# prom-client 15.1.3 (JavaScript), against prometheus_client 0.26.0 (Python).
#
# Guess: a bound that is added at the end of `buckets` is sorted in, or refused, as in Python.
#
# Really: the buckets are kept and added up in the order in which they were written. With [0.5, 1, 5, 0.25] the bucket
# le="0.25" has all requests up to 5 s, and is never less than that of 5 s.
#
# Matters: the share of requests below 0.25 s, for which somebody has added that bound, is 100 % for a canary that takes
# four seconds for each. Sort the bounds.
#
# Seen, of one request of 0.2 s and nine of 4 s: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node prom-client@15.1.3 <<'JS'
import client from "prom-client";

const buckets = [0.5, 1, 5, 0.25];
const durations = new client.Histogram({ name: "duration_seconds", help: "Durations", buckets });
for (const seconds of [0.2, ...Array(9).fill(4)]) {
  durations.observe(seconds);
}
console.log((await client.register.metrics()).trim());
JS
with_python prometheus_client==0.26.0 <<'PY'
from prometheus_client import Histogram

try:
    Histogram("duration_seconds", "Durations", buckets=[0.5, 1, 5, 0.25])
except ValueError as error:
    print("Python:", error)
PY
expect <<'END'
# HELP duration_seconds Durations
# TYPE duration_seconds histogram
duration_seconds_bucket{le="0.5"} 1
duration_seconds_bucket{le="1"} 1
duration_seconds_bucket{le="5"} 10
duration_seconds_bucket{le="0.25"} 10
duration_seconds_bucket{le="+Inf"} 10
duration_seconds_sum 36.2
duration_seconds_count 10
Python: Buckets not in sorted order
END
