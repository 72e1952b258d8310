#!/usr/bin/env bash
# cel-python 0.5.0, against cel-go 0.28.1.
#
# Guess: the two give the same value or an error for the same expression.
#
# Really: cel-python takes a negative index from the end, as Python does; string(true) is "True"; duration("1d") is a
# day; and a whole number and a fraction cannot be compared at all.
#
# Matters: Cloud Custodian and other tools evaluate CEL with it. A condition "result[-1] > 0.99" (the latest value)
# works there and is an error for Kubernetes and for Serin; "x == 1" with x 1.0 is an error there and true here.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python cel-python==0.5.0 <<'PY'
import celpy

env = celpy.Environment()
for text in ("[1, 2, 3][-1]", "string(true)", 'duration("1d") == duration("24h")', "x == 1"):
    try:
        print(text, "->", env.program(env.compile(text)).evaluate({"x": celpy.json_to_cel(1.0)}))
    except celpy.CELEvalError:
        print(text, "-> error")
PY
with_go github.com/google/cel-go@v0.28.1 <<'GO'
package main

import (
	"fmt"

	"github.com/google/cel-go/cel"
)

func main() {
	env, _ := cel.NewEnv(cel.Variable("x", cel.DynType))
	for _, text := range []string{"[1, 2, 3][-1]", "string(true)", `duration("1d") == duration("24h")`, "x == 1"} {
		ast, _ := env.Compile(text)
		program, _ := env.Program(ast)
		value, _, err := program.Eval(map[string]any{"x": 1.0})
		if err != nil {
			fmt.Println(text, "-> error")
		} else {
			fmt.Println(text, "->", value)
		}
	}
}
GO
expect <<'END'
[1, 2, 3][-1] -> 3
string(true) -> True
duration("1d") == duration("24h") -> True
x == 1 -> error
[1, 2, 3][-1] -> error
string(true) -> true
duration("1d") == duration("24h") -> error
x == 1 -> true
END
