#!/usr/bin/env bash
# k8s.io/apimachinery 0.36.3 (Go), util/wait.
#
# Guess: wait.Jitter(time.Second, 0) is a second: no jitter.
#
# Really: a factor of 0 or less means 1.0, so that it is anything between one and two seconds, half as much again on average.
# JitterUntil and Backoff, in the same package, take 0 for none.
#
# Matters: a bot or a controller whose JITTER=0 is to make it regular, and whose period is the interval of a Canary, looks
# less often than the Canary steps, and misses some of its weights. Leave Jitter out where the factor is 0.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/apimachinery@v0.36.3 <<'GO'
package main

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

func main() {
	for _, factor := range []float64{0, 0.1} {
		shortest, longest := time.Hour, time.Duration(0)
		for range 10000 {
			waits := wait.Jitter(time.Second, factor)
			shortest, longest = min(shortest, waits), max(longest, waits)
		}
		fmt.Printf("Jitter(1s, %v): from %.1f s to %.1f s\n", factor, shortest.Seconds(), longest.Seconds())
	}
	backoff := wait.Backoff{Duration: time.Second, Jitter: 0, Steps: 1}
	fmt.Println("Backoff{Jitter: 0}:", backoff.Step())
}
GO
expect <<'END'
Jitter(1s, 0): from 1.0 s to 2.0 s
Jitter(1s, 0.1): from 1.0 s to 1.1 s
Backoff{Jitter: 0}: 1s
END
