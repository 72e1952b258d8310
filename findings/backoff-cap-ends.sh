#!/usr/bin/env bash
# k8s.io/apimachinery 0.36.3 (Go), wait.Backoff.
#
# Guess: {Duration: 1ms, Factor: 2, Steps: 10, Cap: 4ms} tries ten times, 1, 2, 4, 4, 4 ... ms apart.
#
# Really: the first delay that would exceed the cap sets the remaining steps to zero: three tries, then "timed out
# waiting for the condition". Called by hand, Step() goes on with the cap for ever.
#
# Matters: client-go's retry helpers and many controllers take this type. A cap that is meant to keep retries frequent
# makes them stop early; ten steps over minutes become three within seconds.
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
	for _, limit := range []time.Duration{0, 4 * time.Millisecond} {
		tries := 0
		backoff := wait.Backoff{Duration: time.Millisecond, Factor: 2, Steps: 10, Cap: limit}
		err := wait.ExponentialBackoff(backoff, func() (bool, error) { tries++; return false, nil })
		fmt.Println("cap", limit, "tries", tries, err)
	}
	backoff := wait.Backoff{Duration: time.Millisecond, Factor: 2, Steps: 10, Cap: 4 * time.Millisecond}
	for range 6 {
		fmt.Print(backoff.Step(), " ")
	}
	fmt.Println()
}
GO
expect <<'END'
cap 0s tries 10 timed out waiting for the condition
cap 4ms tries 3 timed out waiting for the condition
1ms 2ms 4ms 4ms 4ms 4ms 
END
