#!/usr/bin/env bash
# @bufbuild/cel 0.6.1, against @marcbachmann/cel-js 8.0.0 (JavaScript) and cel-go 0.28.1 (Kubernetes).
#
# Guess: getDate("Europe/Berlin") of half past midnight in Berlin is the day that has just begun.
#
# Really: for @bufbuild/cel it is the day after that, in the hour after midnight of whatever zone is named; so are
# getDayOfWeek, getDayOfMonth and getDayOfYear. getHours is right, and so are all of them in every other hour, and those
# without a zone in every hour.
#
# Matters: a preview or a bot that evaluates "no releases on Friday" with it lets a release begin on Friday from midnight
# to one, and stops one on Thursday at that time; a test by day does not show it. Shift the time by the offset of the zone
# first, and name no zone.
#
# Seen, where 2026-07-03 is a Friday: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node @bufbuild/cel@0.6.1 @marcbachmann/cel-js@8.0.0 <<'JS'
import { run } from "@bufbuild/cel";
import { evaluate } from "@marcbachmann/cel-js";

for (const time of ["2026-07-02T21:30:00Z", "2026-07-02T22:30:00Z", "2026-07-02T23:30:00Z"]) {
  for (const get of ["getHours", "getDate", "getDayOfWeek"]) {
    const text = `timestamp("${time}").${get}("Europe/Berlin")`;
    console.log(`${time} ${get}: bufbuild ${run(text)}, marcbachmann ${evaluate(text)}`);
  }
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
	for _, get := range []string{"getHours", "getDate", "getDayOfWeek"} {
		ast, _ := env.Compile(`timestamp("2026-07-02T22:30:00Z").` + get + `("Europe/Berlin")`)
		program, _ := env.Program(ast)
		value, _, err := program.Eval(cel.NoVars())
		fmt.Println("cel-go: 2026-07-02T22:30:00Z", get, value, err)
	}
}
GO
expect <<'END'
2026-07-02T21:30:00Z getHours: bufbuild 23, marcbachmann 23
2026-07-02T21:30:00Z getDate: bufbuild 2, marcbachmann 2
2026-07-02T21:30:00Z getDayOfWeek: bufbuild 4, marcbachmann 4
2026-07-02T22:30:00Z getHours: bufbuild 0, marcbachmann 0
2026-07-02T22:30:00Z getDate: bufbuild 4, marcbachmann 3
2026-07-02T22:30:00Z getDayOfWeek: bufbuild 6, marcbachmann 5
2026-07-02T23:30:00Z getHours: bufbuild 1, marcbachmann 1
2026-07-02T23:30:00Z getDate: bufbuild 3, marcbachmann 3
2026-07-02T23:30:00Z getDayOfWeek: bufbuild 5, marcbachmann 5
cel-go: 2026-07-02T22:30:00Z getHours 0 <nil>
cel-go: 2026-07-02T22:30:00Z getDate 3 <nil>
cel-go: 2026-07-02T22:30:00Z getDayOfWeek 5 <nil>
END
