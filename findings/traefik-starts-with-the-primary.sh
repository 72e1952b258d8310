#!/usr/bin/env bash
# Traefik 3.6.12 (module github.com/traefik/traefik/v3): weights are a fixed order of requests, and it starts over with
# each change of the configuration.
#
# Guess: at 99/1 each request has a chance of 1 % to reach the canary, as with Envoy.
#
# Really: the balancer goes by deadlines, without chance: the canary's first request is the 100th, at 90/10 the 9th.
# Traefik builds new balancers whenever anything in its dynamic configuration changes, a pod of another service too, and
# they begin at the primary.
#
# Matters: where the configuration changes more often than every 100 requests, a canary at 1 % gets none at all, and at
# 10 % one with reloads every 8 requests gets none either: "no values found". With little traffic begin at a weight at
# which the canary's turn comes within seconds.
#
# Seen:
#   99/1: the canary's first request is number 100
#   90/10: the canary's first request is number 9
#   90/10, a new balancer every 8 requests: 0 of 400 to the canary
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"
cd "$work"
cat >go.mod <<'MOD'
module order

go 1.25.0

require github.com/traefik/traefik/v3 v3.6.12

replace github.com/abbot/go-http-auth => github.com/containous/go-http-auth v0.4.1-0.20200324110947-a37a7636d23e

replace github.com/gorilla/mux => github.com/containous/mux v0.0.0-20250523120546-41b6ec3aed59
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/traefik/traefik/v3/pkg/server/service/loadbalancer/wrr"
)

func named(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) })
}

// split is a new balancer, as Traefik makes one for a weighted service with each change of its configuration.
func split(primary, canary int) *wrr.Balancer {
	balancer := wrr.New(nil, false)
	balancer.Add("primary", named("primary"), &primary, false)
	balancer.Add("canary", named("canary"), &canary, false)
	return balancer
}

func reachesCanary(balancer *wrr.Balancer) bool {
	answer := httptest.NewRecorder()
	balancer.ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	return answer.Body.String() == "canary"
}

func main() {
	for _, weights := range [][2]int{{99, 1}, {90, 10}} {
		balancer, number := split(weights[0], weights[1]), 1
		for ; !reachesCanary(balancer); number++ {
		}
		fmt.Printf("%d/%d: the canary's first request is number %d\n", weights[0], weights[1], number)
	}
	reached := 0
	for range 50 {
		balancer := split(90, 10)
		for range 8 {
			if reachesCanary(balancer) {
				reached++
			}
		}
	}
	fmt.Printf("90/10, a new balancer every 8 requests: %d of 400 to the canary\n", reached)
}
GO
go build -mod=mod -o order . 2>log || { cat log >&2; exit 1; }
./order 2>/dev/null | tee seen
diff seen - <<'TXT'
99/1: the canary's first request is number 100
90/10: the canary's first request is number 9
90/10, a new balancer every 8 requests: 0 of 400 to the canary
TXT
