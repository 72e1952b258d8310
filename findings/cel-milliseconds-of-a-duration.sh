#!/usr/bin/env bash
# @bufbuild/cel 0.6.1, against @marcbachmann/cel-js 8.0.0 (JavaScript), cel-go 0.28.1 and cel-python 0.5.0.
#
# Guess: duration("61.5s").getMilliseconds() is 61500, as getSeconds() is 61 and getMinutes() is 1; or 500 everywhere.
#
# Really: it is 61500 for three, and 500 for @bufbuild/cel, where it alone of the four getters is what is left over from
# the next larger unit.
#
# Matters: "p99.getMilliseconds() < 800" holds in a preview or a bot built on it for a p99 of 2.1 s, and not in the
# cluster. Compare durations: p99 < duration("800ms").
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node @bufbuild/cel@0.6.1 @marcbachmann/cel-js@8.0.0 <<'JS'
import { run } from "@bufbuild/cel";
import { evaluate } from "@marcbachmann/cel-js";

for (const getter of ["getMinutes", "getSeconds", "getMilliseconds"]) {
  const text = `duration("61.5s").${getter}()`;
  console.log(`${getter}: bufbuild ${run(text, {})}, marcbachmann ${evaluate(text)}`);
}
JS
with_go github.com/google/cel-go/cel@v0.28.1 <<'GO'
package main

import (
	"fmt"

	"github.com/google/cel-go/cel"
)

func main() {
	env, _ := cel.NewEnv()
	for _, getter := range []string{"getMinutes", "getSeconds", "getMilliseconds"} {
		ast, _ := env.Compile(`duration("61.5s").` + getter + `()`)
		program, _ := env.Program(ast)
		value, _, err := program.Eval(map[string]any{})
		fmt.Println(getter+": cel-go", value, err)
	}
}
GO
with_python cel-python==0.5.0 <<'PY'
import celpy

env = celpy.Environment()
for getter in ("getMinutes", "getSeconds", "getMilliseconds"):
    print(f"{getter}: cel-python", env.program(env.compile(f'duration("61.5s").{getter}()')).evaluate({}))
PY
expect <<'END'
getMinutes: bufbuild 1, marcbachmann 1
getSeconds: bufbuild 61, marcbachmann 61
getMilliseconds: bufbuild 500, marcbachmann 61500
getMinutes: cel-go 1 <nil>
getSeconds: cel-go 61 <nil>
getMilliseconds: cel-go 61500 <nil>
getMinutes: cel-python 1
getSeconds: cel-python 61
getMilliseconds: cel-python 61500
END
