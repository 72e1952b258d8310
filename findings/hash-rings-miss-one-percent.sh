#!/usr/bin/env bash
# hashring 3.2.0 (JavaScript) and uhashring 2.5 (Python) with ketama, against serialx/hashring 22c0c7ab6b1b (Go) and the other
# ring of uhashring.
#
# Guess: with the weights 99 and 1 one key of a hundred goes to the canary, give or take some.
#
# Really: none does. A ring of ketama has 80 groups of points for two servers, and each server gets whole groups only: one
# percent is 0.8 groups, so none. With 2 the canary gets 2.7 %, and with 50 it gets 47 % or, in Go, 55 %. The other ring of
# uhashring keeps the shares.
#
# Matters: a first step of 1 % by such a ring has no user at all, and passes for no failures. Hash the user to a number from 0
# to 9999 and compare instead.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node hashring@3.2.0 <<'JS'
import HashRing from "hashring";

for (const weight of [1, 2, 3, 5, 10, 50]) {
  const ring = new HashRing({ primary: { weight: 100 - weight }, canary: { weight } });
  const users = Array.from({ length: 20000 }, (_, number) => ring.get(`user-${number}`));
  console.log(`hashring, ${weight}: ${users.filter((server) => server === "canary").length / 200} %`);
}
JS
with_go github.com/serialx/hashring@v0.0.0-20200727003509-22c0c7ab6b1b <<'GO'
package main

import (
	"fmt"

	"github.com/serialx/hashring"
)

func main() {
	for _, weight := range []int{1, 2, 3, 5, 10, 50} {
		ring := hashring.NewWithWeights(map[string]int{"primary": 100 - weight, "canary": weight})
		users := 0
		for number := range 20000 {
			if server, _ := ring.GetNode(fmt.Sprintf("user-%d", number)); server == "canary" {
				users++
			}
		}
		fmt.Printf("serialx/hashring, %d: %v %%\n", weight, float64(users)/200)
	}
}
GO
with_python uhashring==2.5 <<'PY'
from uhashring import HashRing

for name, options in {"ketama": {"hash_fn": "ketama"}, "its own": {}}.items():
    for weight in [1, 2, 3, 5, 10, 50]:
        ring = HashRing(nodes={"primary": {"weight": 100 - weight}, "canary": {"weight": weight}}, **options)
        users = sum(ring.get_node(f"user-{number}") == "canary" for number in range(20000))
        print(f"uhashring, {name}, {weight}: {users / 200} %")
PY
expect <<'END'
hashring, 1: 0 %
hashring, 2: 2.735 %
hashring, 3: 3.55 %
hashring, 5: 5.685 %
hashring, 10: 10.44 %
hashring, 50: 46.95 %
serialx/hashring, 1: 0.985 %
serialx/hashring, 2: 3.51 %
serialx/hashring, 3: 4.09 %
serialx/hashring, 5: 4.695 %
serialx/hashring, 10: 9.66 %
serialx/hashring, 50: 54.775 %
uhashring, ketama, 1: 0.0 %
uhashring, ketama, 2: 2.735 %
uhashring, ketama, 3: 3.55 %
uhashring, ketama, 5: 5.685 %
uhashring, ketama, 10: 10.44 %
uhashring, ketama, 50: 46.95 %
uhashring, its own, 1: 0.995 %
uhashring, its own, 2: 2.03 %
uhashring, its own, 3: 3.115 %
uhashring, its own, 5: 5.02 %
uhashring, its own, 10: 10.145 %
uhashring, its own, 50: 49.615 %
END
