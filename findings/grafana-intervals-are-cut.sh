#!/usr/bin/env bash
# github.com/grafana/grafana-plugin-sdk-go 0.299.0 (Go), backend/gtime: what data sources of Grafana write intervals with,
# against prometheus/common 0.74.0.
#
# Guess: FormatInterval(90s) is "90s" or "1m30s".
#
# Really: only the largest unit is kept: 1m, for 119 s too; 90 minutes are 1h and 36 hours 1d. Prometheus' own type writes
# all units.
#
# Matters: a panel or an alert rule whose minimal interval is 90 s asks for 1m: with scrapes each minute a rate over 1m
# is empty, and a board beside a Canary shows no line where its check has values. Take intervals of one unit.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/grafana/grafana-plugin-sdk-go/backend/gtime@v0.299.0 github.com/prometheus/common/model@v0.74.0 <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/gtime"
	"github.com/prometheus/common/model"
)

func main() {
	for _, interval := range []time.Duration{90 * time.Second, 119 * time.Second, 90 * time.Minute, 36 * time.Hour} {
		fmt.Println(interval, "Grafana:", gtime.FormatInterval(interval), "Prometheus:", model.Duration(interval))
	}
}
GO
expect <<'END'
1m30s Grafana: 1m Prometheus: 1m30s
1m59s Grafana: 1m Prometheus: 1m59s
1h30m0s Grafana: 1h Prometheus: 1h30m
36h0m0s Grafana: 1d Prometheus: 1d12h
END
