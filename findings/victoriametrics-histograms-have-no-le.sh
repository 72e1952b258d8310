#!/usr/bin/env bash
# VictoriaMetrics/metrics 1.45.0 (Go), read by prometheus_client 0.26.0 (Python).
#
# Guess: NewHistogram() of the small Go library for Prometheus metrics writes buckets with `le`, that add up from bucket to
# bucket, also for those without a value.
#
# Really: its `_bucket` have a label `vmrange` with two bounds, each counts for itself, and only those with a value are
# there: one that gets its first value begins with it. NewPrometheusHistogram() has `le`. There is no TYPE line unless
# ExposeMetadata(true) is called, so that all is untyped.
#
# Matters: `histogram_quantile` and a share below a bound by `le="0.5"` find nothing in Prometheus: no data for a canary
# that serves well. Change the constructor.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/VictoriaMetrics/metrics@v1.45.0 <<'GO'
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/VictoriaMetrics/metrics"
)

func main() {
	plain := metrics.NewHistogram("plain_seconds")
	prometheus := metrics.NewPrometheusHistogramExt("prometheus_seconds", []float64{0.1, 0.5, 1})
	for _, seconds := range []float64{0.05, 0.3, 0.3} {
		plain.Update(seconds)
		prometheus.Update(seconds)
	}
	var page bytes.Buffer
	metrics.WritePrometheus(&page, false)
	fmt.Print(page.String())
	if err := os.WriteFile("../page", page.Bytes(), 0o600); err != nil {
		panic(err)
	}
}
GO
export PAGE="$work/page"
with_python prometheus_client==0.26.0 <<'PY'
import os

from prometheus_client.parser import text_string_to_metric_families

with open(os.environ["PAGE"]) as page:
    families = list(text_string_to_metric_families(page.read()))
print("types:", sorted({family.type for family in families}))
below = [sample for family in families for sample in family.samples if "le" in sample.labels]
print("with le:", sorted({sample.name for sample in below}))
PY
expect <<'END'
plain_seconds_bucket{vmrange="4.642e-02...5.275e-02"} 1
plain_seconds_bucket{vmrange="2.783e-01...3.162e-01"} 2
plain_seconds_sum 0.6499999999999999
plain_seconds_count 3
prometheus_seconds_bucket{le="0.1"} 1
prometheus_seconds_bucket{le="0.5"} 3
prometheus_seconds_bucket{le="1"} 3
prometheus_seconds_bucket{le="+Inf"} 3
prometheus_seconds_sum 0.6499999999999999
prometheus_seconds_count 3
types: ['unknown']
with le: ['prometheus_seconds_bucket']
END
