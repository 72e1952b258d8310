#!/usr/bin/env bash
# nginx 1.22.1-9+deb12u11 (Debian 12): on a connection that is kept alive, the next request waits for the mirror of the
# last one.
#
# Guess: `mirror` is fire and forget: the answer of the copy is dropped, so users never feel how slow the copy is.
#
# Really: the answer itself is not delayed, but the request counts as under way until the mirrored one has ended, and
# nginx reads the next request of the connection only then.
#
# Matters: mirroring to a slow canary slows down everybody who reuses connections, which is every browser and every pool:
# the primary's users pay for the canary, and no metric of primary or canary shows it. Set short proxy timeouts for the
# mirrored location, and measure at the clients. (ingress-nginx's mirror-target is this directive.)
#
# Seen, with a mirror that takes 4 s:
#   first request: at once
#   next request of the connection, not mirrored: after 4 s
#   the same on a new connection: at once
set -euo pipefail
. "$(dirname "$0")/lib/nginx.sh"
with_nginx 1.22.1-9+deb12u11 <<'PY'
import sys
import time
from nginx_bed import Backend, Nginx

DELAY = 4
fast, slow = Backend(), Backend(delay=DELAY)
server = f"""
location / {{ proxy_pass http://{fast}; }}
location /mirrored {{ mirror /copy; proxy_pass http://{fast}; }}
location = /copy {{ internal; proxy_pass http://{slow}; }}
"""


def took(path, connection=None):
    began = time.monotonic()
    nginx.get(path, connection)
    return f"after {DELAY} s" if time.monotonic() - began > DELAY / 2 else "at once"


with Nginx(server) as nginx:
    kept = nginx.connect()
    seen = [took("/mirrored", kept), took("/", kept)]
    took("/mirrored")
    seen.append(took("/"))
for what, when in zip(("first request", "next request of the connection, not mirrored", "the same on a new connection"), seen):
    print(f"{what}: {when}")
sys.exit(seen != ["at once", f"after {DELAY} s", "at once"])
PY
