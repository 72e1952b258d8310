#!/usr/bin/env bash
# k8s.io/client-go 0.36.3 (Go), util/retry and util/workqueue.
#
# Guess: RetryOnConflict with DefaultRetry goes on for seconds, longer each time, and a controller's queue tries a failing
# object again after half a minute at the latest.
#
# Really: DefaultRetry is five tries 10 ms apart, so it ends after some 50 ms; DefaultBackoff, which is meant for objects
# that others write all the time, is four, over a third of a second. The queue doubles from 5 ms up to 16 minutes and 40
# seconds: after 18 failures, 11 minutes in, the next try is 11 minutes later.
#
# Matters: a tool that writes a Canary beside an operator that writes in bursts gives up with a conflict, and a controller
# that met an API server or a webhook that was down for ten minutes does nothing for ten more after it is back. Give a
# backoff, and a rate limiter with a maximum.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/client-go@v0.36.3 k8s.io/apimachinery@v0.36.3 <<'GO'
package main

import (
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"k8s.io/client-go/util/workqueue"
)

func main() {
	conflict := apierrors.NewConflict(schema.GroupResource{}, "app", errors.New("changed"))
	for i, backoff := range []wait.Backoff{retry.DefaultRetry, retry.DefaultBackoff} {
		tries, waits := 0, time.Duration(0)
		err := retry.RetryOnConflict(backoff, func() error { tries++; return conflict })
		backoff.Jitter = 0
		for range tries - 1 {
			waits += backoff.Step()
		}
		fmt.Println([]string{"DefaultRetry", "DefaultBackoff"}[i], tries, "tries", waits, "waited", apierrors.IsConflict(err))
	}
	limiter, whole := workqueue.DefaultTypedControllerRateLimiter[string](), time.Duration(0)
	for failures := 1; failures <= 19; failures++ {
		next := limiter.When("app")
		if failures > 16 || failures == 1 {
			fmt.Println("after", failures, "failures in", whole, "the next try is in", next)
		}
		whole += next
	}
}
GO
expect <<'END'
DefaultRetry 5 tries 40ms waited true
DefaultBackoff 4 tries 310ms waited true
after 1 failures in 0s the next try is in 5ms
after 17 failures in 5m27.675s the next try is in 5m27.68s
after 18 failures in 10m55.355s the next try is in 10m55.36s
after 19 failures in 21m50.715s the next try is in 16m40s
END
