#!/usr/bin/env bash
# k8s.io/apimachinery 0.36.3 (Go), metav1.Now().
#
# Guess: a status that was written and is read back equals the one in memory.
#
# Really: metav1.Now() keeps nanoseconds in memory and is written in whole seconds, so that the two differ for every
# comparison, Equal and equality.Semantic too. metav1.MicroTime loses what is below a microsecond.
#
# Matters: a controller that writes its status if it differs from what it read writes again in every pass, and its own
# write wakes it. Use metav1.Now().Rfc3339Copy().
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/apimachinery@v0.36.3 <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func main() {
	written := metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 123456789, time.UTC))
	for _, now := range []metav1.Time{written, written.Rfc3339Copy()} {
		text, _ := json.Marshal(now)
		var read metav1.Time
		if err := json.Unmarshal(text, &read); err != nil {
			panic(err)
		}
		fmt.Println(string(text), "Equal:", now.Equal(&read), "Semantic:", equality.Semantic.DeepEqual(now, read))
	}
}
GO
expect <<'END'
"2026-01-01T00:00:00Z" Equal: false Semantic: false
"2026-01-01T00:00:00Z" Equal: true Semantic: true
END
