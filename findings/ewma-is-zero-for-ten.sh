#!/usr/bin/env bash
# VividCortex/ewma 1.2.0 (Go).
#
# Guess: an average that is given 1 and again 1 is 1.
#
# Really: NewMovingAverage with an age is 0 for the first ten values, whatever they are, and only then their mean.
# NewMovingAverage without an age is 1 at once.
#
# Matters: a webhook that smooths the error rate of a canary so answers 0 for its first ten looks: at an interval of a
# minute a canary that fails every request passes each step of the first ten minutes. Wait for ten values, or set the
# average to the first.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/VividCortex/ewma@v1.2.0 <<'GO'
package main

import (
	"fmt"

	"github.com/VividCortex/ewma"
)

func main() {
	average := ewma.NewMovingAverage(5)
	fmt.Print("of age 5:")
	for range 12 {
		average.Add(1)
		fmt.Print(" ", average.Value())
	}
	fmt.Println()
	plain := ewma.NewMovingAverage()
	plain.Add(1)
	fmt.Println("without an age:", plain.Value())
}
GO
expect <<'END'
of age 5: 0 0 0 0 0 0 0 0 0 0 1 1
without an age: 1
END
