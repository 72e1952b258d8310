#!/usr/bin/env bash
# cel-go 0.28.1 (Kubernetes), @bufbuild/cel 0.6.1 (JavaScript), cel 0.15.0 (Rust) and cel-python 0.5.0.
#
# Guess: for 15 January getDayOfMonth() is 15 and getMonth() is 1, or at least both begin with the same number.
#
# Really: all four follow the definition of the language: getMonth() is 0, getDayOfMonth() is 14, getDayOfYear() is 14,
# and Sunday is day 0. Only getDate() is 15.
#
# Matters: "no releases on 24 December" as `now.getMonth() == 12 && now.getDayOfMonth() == 24` never holds, and with 11
# for the month it freezes the 25th. Write getMonth() == 11 && getDate() == 24.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/google/cel-go/cel@v0.28.1 <<'GO'
package main

import (
	"fmt"

	"github.com/google/cel-go/cel"
)

func main() {
	env, _ := cel.NewEnv()
	fmt.Print("Go:")
	for _, getter := range []string{"getMonth", "getDayOfMonth", "getDate", "getDayOfWeek", "getDayOfYear"} {
		ast, _ := env.Compile(`timestamp("2024-01-15T10:00:00Z").` + getter + `()`)
		program, _ := env.Program(ast)
		value, _, err := program.Eval(map[string]any{})
		fmt.Print(" ", getter, " ", value, " ", err)
	}
	fmt.Println()
}
GO
with_node @bufbuild/cel@0.6.1 <<'JS'
import { run } from "@bufbuild/cel";

const seen = ["getMonth", "getDayOfMonth", "getDate", "getDayOfWeek", "getDayOfYear"].map(
  (getter) => `${getter} ${run(`timestamp("2024-01-15T10:00:00Z").${getter}()`, {})}`,
);
console.log("JavaScript:", ...seen);
JS
with_cargo cel@=0.15.0 <<'RUST'
fn main() {
    print!("Rust:");
    for getter in ["getMonth", "getDayOfMonth", "getDate", "getDayOfWeek", "getDayOfYear"] {
        let program = cel::Program::compile(&format!(r#"timestamp("2024-01-15T10:00:00Z").{getter}()"#)).unwrap();
        print!(" {getter} {:?}", program.execute(&cel::Context::default()).unwrap());
    }
    println!();
}
RUST
with_python cel-python==0.5.0 <<'PY'
import celpy

env = celpy.Environment()
seen = []
for getter in ("getMonth", "getDayOfMonth", "getDate", "getDayOfWeek", "getDayOfYear"):
    program = env.program(env.compile(f'timestamp("2024-01-15T10:00:00Z").{getter}()'))
    seen.append(f"{getter} {program.evaluate({})}")
print("Python:", *seen)
PY
expect <<'END'
Go: getMonth 0 <nil> getDayOfMonth 14 <nil> getDate 15 <nil> getDayOfWeek 1 <nil> getDayOfYear 14 <nil>
JavaScript: getMonth 0 getDayOfMonth 14 getDate 15 getDayOfWeek 1 getDayOfYear 14
Rust: getMonth Int(0) getDayOfMonth Int(14) getDate Int(15) getDayOfWeek Int(1) getDayOfYear Int(14)
Python: getMonth 0 getDayOfMonth 14 getDate 15 getDayOfWeek 1 getDayOfYear 14
END
