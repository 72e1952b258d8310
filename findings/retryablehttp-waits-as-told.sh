#!/usr/bin/env bash
# github.com/hashicorp/go-retryablehttp 0.7.8 (Go).
#
# Guess: RetryWaitMax is the longest time between two tries.
#
# Really: for an answer 429 or 503 with Retry-After the usual backoff waits as long as that says: an hour for 3600, with a
# RetryWaitMax of 30 s. LinearJitterBackoff, of the same package, does not look at the header at all.
#
# Matters: a webhook or a tool in Go around a Canary hangs for as long as a metrics server or a chat asks for, far beyond
# its own limit. Bound the whole call by a context.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/hashicorp/go-retryablehttp@v0.7.8 <<'GO'
package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

func main() {
	answer := &http.Response{Header: http.Header{"Retry-After": {"3600"}}}
	for _, answer.StatusCode = range []int{503, 429, 500} {
		fmt.Println(answer.StatusCode, retryablehttp.DefaultBackoff(time.Second, 30*time.Second, 0, answer))
	}
	answer.StatusCode = 503
	fmt.Println("linear below 30 s:", retryablehttp.LinearJitterBackoff(time.Second, 30*time.Second, 0, answer) <= 30*time.Second)
}
GO
expect <<'END'
503 1h0m0s
429 1h0m0s
500 1s
linear below 30 s: true
END
