#!/usr/bin/env bash
# cel-go 0.28.1 (Kubernetes), @bufbuild/cel 0.6.1 (JavaScript), cel 0.15.0 (Rust) and cel-python 0.5.0.
#
# Guess: string(1000000.0) is "1000000" or "1000000.0", the same in all, and string(duration("90m")) is "1h30m0s" or "90m".
#
# Really: three texts for one number: "1e+06" in Go, "1000000" in JavaScript and Rust, "1000000.0" in Python, which writes
# 100.0 for 100 too. Durations are in seconds everywhere: "5400s".
#
# Matters: a rule that compares or joins such texts (a key "step-" + string(weight), where weight comes from JSON and so is
# a double) finds nothing in the other tool, or only for numbers below a million. Write string(int(weight)).
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
	for _, text := range []string{"string(100.0)", "string(1000000.0)", "string(0.00001)", "string(duration('90m'))", "string(int(1000000.0))"} {
		ast, _ := env.Compile(text)
		program, _ := env.Program(ast)
		value, _, _ := program.Eval(map[string]any{})
		fmt.Print(" ", value)
	}
	fmt.Println()
}
GO
with_node @bufbuild/cel@0.6.1 <<'JS'
import { run } from "@bufbuild/cel";

const texts = ["string(100.0)", "string(1000000.0)", "string(0.00001)", "string(duration('90m'))", "string(int(1000000.0))"];
console.log("JavaScript:", ...texts.map((text) => run(text, {})));
JS
with_cargo cel@=0.15.0 <<'RUST'
fn main() {
    print!("Rust:");
    for text in ["string(100.0)", "string(1000000.0)", "string(0.00001)", "string(duration('90m'))", "string(int(1000000.0))"] {
        let value = cel::Program::compile(text).unwrap().execute(&cel::Context::default()).unwrap();
        let cel::Value::String(value) = value else { panic!("{value:?}") };
        print!(" {value}");
    }
    println!();
}
RUST
with_python cel-python==0.5.0 <<'PY'
import celpy

env = celpy.Environment()
texts = ("string(100.0)", "string(1000000.0)", "string(0.00001)", "string(duration('90m'))", "string(int(1000000.0))")
print("Python:", *(env.program(env.compile(text)).evaluate({}) for text in texts))
PY
expect <<'END'
Go: 100 1e+06 1e-05 5400s 1000000
JavaScript: 100 1000000 0.00001 5400s 1000000
Rust: 100 1000000 0.00001 5400s 1000000
Python: 100.0 1000000.0 1e-05 5400s 1000000
END
