#!/usr/bin/env bash
# gonum.org/v1/gonum 0.17.0, against montanaflynn/stats 0.14.0 (Go) and numpy 2.3.5 (Python).
#
# Guess: stat.Quantile(0.5, stat.LinInterp, …) of 1, 2 and 3 is 2, and of 1 and 2 it is 1.5, as a median is.
#
# Really: it is 1.5, and 1. It interpolates between a value and the one before it, so that quantiles of few values are lower
# than elsewhere; the p90 of ten values is the ninth. stat.Empirical takes the lower of two middle ones for a
# median.
#
# Matters: a gate in Go takes the median of the last three windows, or of three pods, to leave one outlier out: of 0.1, 0.1
# and 5 s it is right, and of 0.1, 0.6 and 0.7 s it is 0.35 instead of 0.6 and passes a limit of 0.5. Sort, and take the
# middle one.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go gonum.org/v1/gonum@v0.17.0 github.com/montanaflynn/stats@v0.14.0 <<'GO'
package main

import (
	"fmt"

	"github.com/montanaflynn/stats"
	"gonum.org/v1/gonum/stat"
)

func main() {
	for _, values := range [][]float64{{1, 2, 3}, {1, 2}, {0.1, 0.6, 0.7}, {0.1, 0.1, 5}, {1, 2, 3, 4}} {
		median, err := stats.Median(values)
		if err != nil {
			panic(err)
		}
		fmt.Printf("median of %v: LinInterp %.2f, Empirical %.2f; stats %.2f\n", values,
			stat.Quantile(0.5, stat.LinInterp, values, nil), stat.Quantile(0.5, stat.Empirical, values, nil), median)
	}
	ten := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 100}
	fmt.Printf("p90 of %v: LinInterp %.2f, Empirical %.2f\n", ten,
		stat.Quantile(0.9, stat.LinInterp, ten, nil), stat.Quantile(0.9, stat.Empirical, ten, nil))
}
GO
with_python numpy==2.3.5 <<'PY'
import numpy

print(f"numpy: {numpy.quantile([1, 2, 3], 0.5):.2f}, {numpy.quantile([1, 2], 0.5):.2f}; p90 {numpy.quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 100], 0.9):.2f}")
PY
expect <<'END'
median of [1 2 3]: LinInterp 1.50, Empirical 2.00; stats 2.00
median of [1 2]: LinInterp 1.00, Empirical 1.00; stats 1.50
median of [0.1 0.6 0.7]: LinInterp 0.35, Empirical 0.60; stats 0.60
median of [0.1 0.1 5]: LinInterp 0.10, Empirical 0.10; stats 0.10
median of [1 2 3 4]: LinInterp 2.00, Empirical 2.00; stats 2.50
p90 of [1 2 3 4 5 6 7 8 9 100]: LinInterp 9.00, Empirical 9.00
numpy: 2.00, 1.50; p90 18.10
END
