#!/usr/bin/env bash
# locust 2.47.0 (Python).
#
# Guess: the p99 of requests that all took 1049 ms is 1049 ms.
#
# Really: durations are rounded before they are counted, to 10 ms from 100 ms on, to 100 ms from a second on and to a
# second from ten seconds on. 1049 ms is 1000, 1051 ms is 1100, 14.4 s is 14. Only minimum, maximum and mean are exact.
#
# Matters: a load test as a webhook that ends with status 1 above a p99 of 1000 ms passes up to 1049 ms; and a canary
# that is 3 ms slower than its primary can look 100 ms slower. Place thresholds between the steps.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python locust==2.47.0 2>/dev/null <<'PY'
from locust.stats import RequestStats

for milliseconds in (99, 149, 154, 156, 1049, 1051, 14_400):
    stats = RequestStats()
    for _ in range(100):
        stats.log_request("GET", "/", milliseconds, 0)
    print(f"{milliseconds}: p99 {stats.total.get_response_time_percentile(0.99)}, maximum {stats.total.max_response_time}")
PY
expect <<'END'
99: p99 99, maximum 99
149: p99 150, maximum 149
154: p99 150, maximum 154
156: p99 160, maximum 156
1049: p99 1000, maximum 1049
1051: p99 1100, maximum 1051
14400: p99 14000, maximum 14400
END
