#!/usr/bin/env bash
# github.com/hashicorp/go-metrics 0.7.0 (Go; the metrics of Consul, Vault and Nomad).
#
# Guess: its sink for Prometheus keeps a counter until the process ends, as the client library of Prometheus does.
#
# Really: a series that was not changed for the time of Expiration is left out of the page, and a counter begins at 0 again
# when it comes back. The default is one minute.
#
# Matters: rare things are counted wrongly, and failures are rare: after a quiet minute the counter of failures is gone,
# and the next failures come with a new series whose first value `rate` and `increase` do not see. A canary that fails
# in a short burst every two minutes shows no failure at all. Set Expiration to 0, which keeps everything.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/hashicorp/go-metrics@v0.7.0 github.com/prometheus/client_golang@v1.25.0 <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/hashicorp/go-metrics/prometheus"
	client "github.com/prometheus/client_golang/prometheus"
)

func main() {
	fmt.Println("default:", prometheus.DefaultPrometheusOpts.Expiration)
	for _, expiration := range []time.Duration{time.Second, 0} {
		registry := client.NewRegistry()
		sink, err := prometheus.NewPrometheusSinkFrom(prometheus.PrometheusOpts{Expiration: expiration, Registerer: registry})
		if err != nil {
			panic(err)
		}
		show := func(when string) {
			families, _ := registry.Gather()
			fmt.Printf("%v, %s:", expiration, when)
			for _, family := range families {
				fmt.Print(" ", family.GetName(), " ", family.Metric[0].GetCounter().GetValue())
			}
			fmt.Println()
		}
		for range 3 {
			sink.IncrCounter([]string{"failed"}, 1)
		}
		show("after three")
		time.Sleep(3 * time.Second)
		show("after a pause")
		for range 3 {
			sink.IncrCounter([]string{"failed"}, 1)
		}
		show("after three more")
	}
}
GO
expect <<'END'
default: 1m0s
1s, after three: failed 3
1s, after a pause:
1s, after three more: failed 3
0s, after three: failed 3
0s, after a pause: failed 3
0s, after three more: failed 6
END
