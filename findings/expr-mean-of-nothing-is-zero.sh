#!/usr/bin/env bash
# github.com/expr-lang/expr 1.17.8 (Go; the conditions of Argo Rollouts).
#
# Guess: mean([]) and median([]) are NaN or an error, as max([]) is nil.
#
# Really: both are 0, as sum([]) is. max([]) and min([]) are nil, and comparing that is an error.
#
# Matters: `mean(result) < 0.05`, a limit on failures or on seconds, holds where a query found nothing: the canary without
# traffic, or with a misspelled label, is promoted. `max(result) < 0.05` is an error there. Write len(result) > 0 in
# front; for Serin, which reads such conditions too, the mean of nothing is no number and fails.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/expr-lang/expr@v1.17.8 <<'GO'
package main

import (
	"fmt"

	"github.com/expr-lang/expr"
)

func main() {
	for _, text := range []string{"mean(result) < 0.05", "median(result) < 0.05", "sum(result) < 0.05", "all(result, # < 0.05)", "max(result) < 0.05", "result[0] < 0.05"} {
		program, err := expr.Compile(text)
		if err != nil {
			panic(err)
		}
		value, err := expr.Run(program, map[string]any{"result": []any{}})
		fmt.Println(text, "|", value, err != nil)
	}
}
GO
expect <<'END'
mean(result) < 0.05 | true false
median(result) < 0.05 | true false
sum(result) < 0.05 | true false
all(result, # < 0.05) | true false
max(result) < 0.05 | <nil> true
result[0] < 0.05 | <nil> true
END
