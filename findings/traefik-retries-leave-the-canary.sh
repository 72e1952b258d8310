#!/usr/bin/env bash
# Traefik 3.6.12 (module github.com/traefik/traefik/v3): a retry goes to the next service of the weighted ones, and every
# attempt is in the metrics.
#
# Guess: a proxy is a proxy: with Envoy a retry stays with the canary, and its failed attempts are in no success rate.
#
# Really: here it is the other way round in both. All requests to a split of 50/50 with a canary that refuses connections
# end as 200, from the primary, and each failed attempt counts as a 502 of the canary. An answer of 503 is no reason for a
# retry.
#
# Matters: with a retry middleware the users of Traefik do not feel a canary that is down, while the metrics show it at once; the
# primary carries the whole load. What was learnt with Istio about retries does not hold for Traefik, nor the reverse.
#
# Seen, of 8 requests:
#   clients: {200}
#   canary: {'502'}
#   primary: {'200': 8}
#   clients_of_503: {503}
set -euo pipefail
. "$(dirname "$0")/lib/traefik.sh"
with_traefik v3.6.12 <<'PY'
from envoy_bed import Backend, check
from traefik_bed import Traefik, servers

gone = Backend(lambda _: 200)
gone.shutdown()
gone.server_close()
split = {"weighted": {"services": [{"name": "primary", "weight": 50}, {"name": "canary", "weight": 50}]}}
services = {"primary": servers(Backend(lambda _: 200)), "canary": servers(gone), "failing": servers(Backend(lambda _: 503)),
            "split": split}
with Traefik(services, {"again": {"retry": {"attempts": 4}}}) as traefik:
    clients = {traefik.get("/split") for _ in range(8)}
    failing = {traefik.get("/failing") for _ in range(4)}
    check(clients=(clients, {200}), canary=(set(traefik.requests("canary")), {"502"}),
          primary=(traefik.requests("primary"), {"200": 8}), clients_of_503=(failing, {503}))
PY
