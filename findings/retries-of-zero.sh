#!/usr/bin/env bash
# avast/retry-go 4.7.0, cenkalti/backoff 5.0.3 and sethvargo/go-retry 0.5.0 (Go).
#
# Guess: with a limit of 0 a call is made once, and with one of 3 three times, or four, the same in each library.
#
# Really: Attempts(0) of retry-go and WithMaxTries(0) of backoff are no limit at all: the call is made until it succeeds, by
# backoff for 15 minutes at most. WithMaxRetries(0) of go-retry is one call. 3 is three calls for the first two, four for
# the last.
#
# Matters: a webhook or a bot whose RETRIES=0 is to switch retries off hangs for ever at the first failure, and outlives the
# deadline of the Canary that waits for it. Take 1 for "once" there, and refuse 0.
#
# Seen: see `expect` below (each call but the thousandth fails).
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/avast/retry-go/v4@v4.7.0 github.com/cenkalti/backoff/v5@v5.0.3 github.com/sethvargo/go-retry@v0.5.0 <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	avast "github.com/avast/retry-go/v4"
	cenkalti "github.com/cenkalti/backoff/v5"
	sethvargo "github.com/sethvargo/go-retry"
)

func main() {
	calls := 0
	call := func() error {
		if calls++; calls == 1000 {
			return nil
		}
		return errors.New("not yet")
	}
	tell := func(name string, limit uint) {
		fmt.Printf("%s(%d): %d calls\n", name, limit, calls)
		calls = 0
	}
	for _, limit := range []uint{0, 1, 3} {
		_ = avast.Do(call, avast.Attempts(limit), avast.Delay(0), avast.DelayType(avast.FixedDelay))
		tell("retry-go Attempts", limit)
		operation := func() (bool, error) { return true, call() }
		_, _ = cenkalti.Retry(context.Background(), operation, cenkalti.WithBackOff(&cenkalti.ZeroBackOff{}), cenkalti.WithMaxTries(limit))
		tell("backoff WithMaxTries", limit)
		atOnce := sethvargo.BackoffFunc(func() (time.Duration, bool) { return 0, false })
		_ = sethvargo.Do(context.Background(), sethvargo.WithMaxRetries(uint64(limit), atOnce), func(context.Context) error {
			return sethvargo.RetryableError(call())
		})
		tell("go-retry WithMaxRetries", limit)
	}
}
GO
expect <<'END'
retry-go Attempts(0): 1000 calls
backoff WithMaxTries(0): 1000 calls
go-retry WithMaxRetries(0): 1 calls
retry-go Attempts(1): 1 calls
backoff WithMaxTries(1): 1 calls
go-retry WithMaxRetries(1): 2 calls
retry-go Attempts(3): 3 calls
backoff WithMaxTries(3): 3 calls
go-retry WithMaxRetries(3): 4 calls
END
