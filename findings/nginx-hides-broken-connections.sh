#!/usr/bin/env bash
# nginx 1.22.1-9+deb12u11 (Debian 12): a server that breaks off every connection shows as 100 % of 200.
#
# Guess: half of the pods break off each request, so half of the requests end as 502 (only idempotent ones are retried
# where somebody asked for it).
#
# Really: proxy_next_upstream is "error timeout" by default: the request goes to the next server, and the status is that
# one's. After a single error (max_fails=1) the server gets nothing more for 10 s. A 500 that is answered is passed on.
#
# Matters: a canary with one pod that crashes on each request has a success rate of 100 % by the status of requests, since
# the other pods answer for it; only $upstream_status knows. Count restarts of pods as well, or set proxy-next-upstream:
# "off" for the analysis. (ingress-nginx has the same default.)
#
# Seen, of 20 requests to a pod that answers and one that does not:
#   clients: {200: 20}
#   asked_of_the_broken_one: 1
#   of a pod that answers 500: {200: 10, 500: 10}
set -euo pipefail
. "$(dirname "$0")/lib/nginx.sh"
with_nginx 1.22.1-9+deb12u11 <<'PY'
import sys
from collections import Counter
from nginx_bed import Backend, Nginx

good, broken, failing = Backend(), Backend(status=None), Backend(status=500)
upstreams = f"upstream broken {{ server {good}; server {broken}; }} upstream failing {{ server {good}; server {failing}; }}"
server = "location /broken { proxy_pass http://broken; } location /failing { proxy_pass http://failing; }"
with Nginx(server, upstreams) as nginx:
    clients, of_failing = (dict(sorted(Counter(nginx.get(path) for _ in range(20)).items())) for path in ("/broken", "/failing"))

print(f"clients: {clients}")
print(f"asked_of_the_broken_one: {broken.asked}")
print(f"of a pod that answers 500: {of_failing}")
sys.exit((clients, broken.asked, of_failing) != ({200: 20}, 1, {200: 10, 500: 10}))
PY
