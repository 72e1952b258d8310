#!/usr/bin/env bash
# fortio 1.75.3.
#
# Guess: of 98 requests of 1.01 s and two of 1.99 s the median and the p90 are 1.01 s, to about the resolution of 1 ms.
#
# Really: the median is 1.495 s and the p90 1.89 s. The resolution is that of the fastest: buckets grow, from 1 s to 2 s
# there is one only, and percentiles lie on a straight line through it from the fastest to the slowest request.
#
# Matters: two slow requests of a hundred raise every percentile of a load test, so that a webhook that compares the median
# or the p90 fails a good canary. A finer -r does not help above a second. Judge by the count of requests above a bound, or
# use another tester.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go fortio.org/fortio/stats@v1.75.3 <<'GO'
package main

import (
	"fmt"

	"fortio.org/fortio/stats"
)

func main() {
	for _, slowest := range []float64{1.01, 1.99} {
		for _, resolution := range []float64{0.001, 0.0001} {
			durations := stats.NewHistogram(0, resolution)
			for range 98 {
				durations.Record(1.01)
			}
			durations.Record(slowest)
			durations.Record(slowest)
			fmt.Printf("slowest %v, resolution %v:", slowest, resolution)
			for _, percentile := range durations.Export().CalcPercentiles([]float64{50, 90, 99}).Percentiles {
				fmt.Printf(" p%v %.3f", percentile.Percentile, percentile.Value)
			}
			fmt.Println()
		}
	}
}
GO
expect <<'END'
slowest 1.01, resolution 0.001: p50 1.010 p90 1.010 p99 1.010
slowest 1.01, resolution 0.0001: p50 1.010 p90 1.010 p99 1.010
slowest 1.99, resolution 0.001: p50 1.495 p90 1.891 p99 1.980
slowest 1.99, resolution 0.0001: p50 1.495 p90 1.891 p99 1.980
END
