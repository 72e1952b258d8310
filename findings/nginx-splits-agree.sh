#!/usr/bin/env bash
# nginx 1.22.1 (Debian 12): two `split_clients` over the same key put the same users into both canaries.
#
# Guess: with 20 % of the users on the canary of the shop and 20 % on the canary of the cart, 4 % are on both.
#
# Really: the share is taken from a hash of the key, and the key is the same: the users of the one are the users of the
# other. A smaller share lies wholly within a larger one.
#
# Matters: the same fifth of the users meets every new version, and a fault of one canary shows in the metrics of the
# other: two services are rolled back for one. Give each split a key of its own: "cart$arg_user".
#
# Seen, of 2000 users:
#   same key: 417 on the canary of the shop, 417 on the cart's, 417 on both
#   own key: 95 on both
set -euo pipefail
. "$(dirname "$0")/lib/nginx.sh"
with_nginx 1.22.1-9+deb12u11 <<'PY'
import http.client

from nginx_bed import Nginx

splits = """
split_clients "$arg_user" $shop { 20% canary; * primary; }
split_clients "$arg_user" $cart { 20% canary; * primary; }
split_clients "cart$arg_user" $own { 20% canary; * primary; }
"""
with Nginx('location / { add_header split "$shop $cart $own"; return 200; }', splits) as nginx:
    connection = http.client.HTTPConnection("127.0.0.1", nginx.port)
    on_canary = {"shop": set(), "cart": set(), "own": set()}
    for user in range(2000):
        connection.request("GET", f"/?user={user}")
        answer = connection.getresponse()
        answer.read()
        for name, side in zip(on_canary, answer.headers["split"].split()):
            if side == "canary":
                on_canary[name].add(user)
    shop, cart, own = on_canary.values()
    print(f"same key: {len(shop)} on the canary of the shop, {len(cart)} on the cart's, {len(shop & cart)} on both")
    print(f"own key: {len(shop & own)} on both")
    assert shop == cart and len(shop & own) < 120, "the behaviour has changed"
PY
