#!/usr/bin/env bash
# eapache/go-resiliency 1.7.0, rubyist/circuitbreaker 2.2.1, failsafe-go 0.9.8, against sony/gobreaker 2.4.0 (Go).
#
# Guess: a breaker with a limit of 3 opens after three failures in a row, or when a good part of the calls fails; one call
# in a thousand opens none of them, nor does it open one that was given no options.
#
# Really: successes do not count for eapache's breaker and for rubyist's ThresholdBreaker. The third failure of 3000 calls
# opens them: eapache's if no two failures are further apart than its timeout, rubyist's whenever they came.
# failsafe-go without options opens at the first failure, for a minute. rubyist's ConsecutiveBreaker, failsafe-go with a
# threshold of 3 and gobreaker count those in a row.
#
# Matters: at a thousand requests a second a canary with 99.9 % of success, which every analysis passes, is shut off by
# its callers again and again, and what they refuse themselves is in none of its metrics. Give a rate, or failures in a row.
#
# Seen: see `expect` below. One call of a thousand fails, 5000 in all.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/eapache/go-resiliency@v1.7.0 github.com/rubyist/circuitbreaker@v2.2.1 github.com/failsafe-go/failsafe-go@v0.9.8 github.com/sony/gobreaker/v2@v2.4.0 <<'GO'
package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/eapache/go-resiliency/breaker"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	circuit "github.com/rubyist/circuitbreaker"
	"github.com/sony/gobreaker/v2"
)

type work = func() error

func try(name string, through func(work) error) {
	made := 0
	for call := 1; call <= 5000; call++ {
		before := made
		_ = through(func() error {
			made++
			if call%1000 == 0 {
				return errors.New("503")
			}
			return nil
		})
		if made == before {
			fmt.Printf("%s: open after %d calls\n", name, made)
			return
		}
	}
	fmt.Printf("%s: closed after %d calls\n", name, made)
}

func main() {
	try("eapache, 3 in a minute", breaker.New(3, 1, time.Minute).Run)
	threshold := circuit.NewThresholdBreaker(3)
	try("rubyist, threshold 3", func(w work) error { return threshold.Call(w, 0) })
	row := circuit.NewConsecutiveBreaker(3)
	try("rubyist, 3 in a row", func(w work) error { return row.Call(w, 0) })
	plain := circuitbreaker.NewWithDefaults[any]()
	try("failsafe-go, no options", func(w work) error { return failsafe.With[any](plain).Run(w) })
	three := circuitbreaker.NewBuilder[any]().WithFailureThreshold(3).Build()
	try("failsafe-go, threshold 3", func(w work) error { return failsafe.With[any](three).Run(w) })
	sony := gobreaker.NewCircuitBreaker[any](gobreaker.Settings{})
	try("gobreaker, no options", func(w work) error {
		_, err := sony.Execute(func() (any, error) { return nil, w() })
		return err
	})
}
GO
expect <<'END'
eapache, 3 in a minute: open after 3000 calls
rubyist, threshold 3: open after 3000 calls
rubyist, 3 in a row: closed after 5000 calls
failsafe-go, no options: open after 1000 calls
failsafe-go, threshold 3: closed after 5000 calls
gobreaker, no options: closed after 5000 calls
END
