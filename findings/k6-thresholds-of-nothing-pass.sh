#!/usr/bin/env bash
# k6 1.8.1 (its package metrics, which judges the thresholds at the end of a test).
#
# Guess: a threshold on a metric that has no values at the end of a test fails, or is an error.
#
# Really: it passes: a trend without values is 0 in every percentile, so that p(95)<500 holds, and a rate without values
# is not judged, so that rate>0.99 of the checks holds too. Only conditions that 0 does not meet fail, such as count>0 and
# min>0.
#
# Matters: thresholds on a tag (http_req_duration{name:checkout}) or on checks pass when the script no longer sends that
# request, because a request before it failed or the tag was renamed: the webhook of a Canary promotes a version whose
# checkout was never asked. Put a threshold count>0 on each, too.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go go.k6.io/k6/metrics@v1.8.1 <<'GO'
package main

import (
	"fmt"
	"time"

	"go.k6.io/k6/metrics"
)

func main() {
	registry := metrics.NewRegistry()
	duration := registry.MustNewMetric("http_req_duration", metrics.Trend)
	checks := registry.MustNewMetric("checks", metrics.Rate)
	requests := registry.MustNewMetric("http_reqs", metrics.Counter)
	for _, row := range []struct {
		metric *metrics.Metric
		text   string
	}{
		{duration, "p(95)<500"}, {duration, "max<500"}, {duration, "min>0"}, {checks, "rate>0.99"}, {checks, "rate==1"},
		{requests, "count>0"},
	} {
		threshold := metrics.NewThresholds([]string{row.text})
		if err := threshold.Parse(); err != nil {
			panic(err)
		}
		passes, err := threshold.Run(row.metric.Sink, 10*time.Second)
		fmt.Println(row.metric.Name, row.text, "passes without values:", passes, err)
	}
}
GO
expect <<'END'
http_req_duration p(95)<500 passes without values: true <nil>
http_req_duration max<500 passes without values: true <nil>
http_req_duration min>0 passes without values: false <nil>
checks rate>0.99 passes without values: true <nil>
checks rate==1 passes without values: true <nil>
http_reqs count>0 passes without values: false <nil>
END
