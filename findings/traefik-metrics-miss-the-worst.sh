#!/usr/bin/env bash
# Traefik 3.6.12 (module github.com/traefik/traefik/v3): a request that its client gives up counts as 499, and one for a
# service without servers is in no metric of that service.
#
# Guess: a canary that hangs shows as 504, and one without pods as 503, as the clients see it.
#
# Really: there is no timeout for answers by default, so the client leaves first: 499, which is no 5xx. Without servers the
# client gets 503 from before the service's metrics. Only a connection that is refused is counted as 502.
#
# Matters: code!~"5.." is the success rate of the provider traefik: a canary that hangs on every request has 100 %. One
# without pods has no data, which Serin counts as a failed check. Give the canary a response timeout
# (ServersTransport forwardingTimeouts.responseHeaderTimeout), so that hanging is 504.
#
# Seen:
#   hangs: {'499': 3}
#   refused: {'502': 3}
#   no_servers: 503, {}
set -euo pipefail
. "$(dirname "$0")/lib/traefik.sh"
with_traefik v3.6.12 <<'PY'
import threading
from envoy_bed import Backend, check
from traefik_bed import Traefik, servers

over = threading.Event()
gone = Backend(lambda _: 200)
gone.shutdown()
gone.server_close()
hangs = Backend(lambda _: 200 if over.wait(60) else 503)
with Traefik({"hangs": servers(hangs), "refused": servers(gone), "empty": servers()}) as traefik:
    try:
        for _ in range(3):
            assert traefik.get("/hangs", patience=0.5) is None
            assert traefik.get("/refused") == 502
        without = traefik.get("/empty")
        traefik.until(lambda: traefik.requests("hangs").get("499") == 3)
        check(hangs=(traefik.requests("hangs"), {"499": 3}), refused=(traefik.requests("refused"), {"502": 3}),
              no_servers=(f"{without}, {traefik.requests('empty')}", "503, {}"))
    finally:
        over.set()
PY
