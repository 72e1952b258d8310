#!/usr/bin/env bash
# sony/gobreaker 2.4.0 (Go).
#
# Guess: a call that its own caller has given up (context.Canceled) is no failure of the backend and does not count.
#
# Really: every error counts. Six callers that leave one after the other open the breaker, and for a minute each call is
# refused.
#
# Matters: impatient users of a slow page, or a load test that ends, take a good backend from the canary, which then fails
# for all; it is rolled back for its callers. Give IsSuccessful, and leave context.Canceled out.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/sony/gobreaker/v2@v2.4.0 <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/sony/gobreaker/v2"
)

func main() {
	lenient := gobreaker.Settings{IsSuccessful: func(err error) bool { return err == nil || errors.Is(err, context.Canceled) }}
	for i, settings := range []gobreaker.Settings{{}, lenient} {
		breaker := gobreaker.NewCircuitBreaker[string](settings)
		for range 6 {
			breaker.Execute(func() (string, error) {
				caller, leave := context.WithCancel(context.Background())
				leave()
				return "", caller.Err()
			})
		}
		answer, err := breaker.Execute(func() (string, error) { return "from the backend", nil })
		fmt.Printf("%s: %v, %q %v\n", []string{"as it is", "with IsSuccessful"}[i], breaker.State(), answer, err)
	}
}
GO
expect <<'END'
as it is: open, "" circuit breaker is open
with IsSuccessful: closed, "from the backend" <nil>
END
