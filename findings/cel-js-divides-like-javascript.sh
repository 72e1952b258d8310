#!/usr/bin/env bash
# cel-js 0.8.2 (JavaScript), against @bufbuild/cel 0.6.1 (JavaScript) and cel-go 0.28.1.
#
# Guess: 5 / 2 is 2 in CEL, whose language definition has integers of 64 bits.
#
# Really: in cel-js all numbers are JavaScript's: 5 / 2 is 2.5, integers above 2^53 run together, 1 + 1.0 is no error,
# and an error on the left of || is not absorbed by a true on the right.
#
# Matters: a condition that a user tries out in a playground or a UI built on it decides otherwise in the cluster:
# "size(failed) * 2 / size(all) >= 1" is true for 1 of 2 in both, "size(failed) / size(all) > 0.3" only there.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node cel-js@0.8.2 @bufbuild/cel@0.6.1 <<'JS'
import { evaluate } from "cel-js";
import { run } from "@bufbuild/cel";

for (const text of ["5 / 2 == 2", "9007199254740993 == 9007199254740992", "1 / 0 > 0 || true"]) {
  let told;
  try {
    told = evaluate(text);
  } catch (error) {
    told = error.message;
  }
  console.log(text, "cel-js:", told, "bufbuild:", run(text));
}
JS
with_go github.com/google/cel-go@v0.28.1 <<'GO'
package main

import (
	"fmt"

	"github.com/google/cel-go/cel"
)

func main() {
	env, _ := cel.NewEnv()
	for _, text := range []string{"5 / 2 == 2", "9007199254740993 == 9007199254740992", "1 / 0 > 0 || true"} {
		ast, issues := env.Compile(text)
		if issues.Err() != nil {
			panic(issues.Err())
		}
		program, _ := env.Program(ast)
		value, _, err := program.Eval(map[string]any{})
		fmt.Println(text, "cel-go:", value, err)
	}
}
GO
expect <<'END'
5 / 2 == 2 cel-js: false bufbuild: true
9007199254740993 == 9007199254740992 cel-js: true bufbuild: false
1 / 0 > 0 || true cel-js: Division by zero bufbuild: true
5 / 2 == 2 cel-go: true <nil>
9007199254740993 == 9007199254740992 cel-go: false <nil>
1 / 0 > 0 || true cel-go: true <nil>
END
