#!/usr/bin/env bash
# @bufbuild/cel 0.6.1 and @marcbachmann/cel-js 8.0.0 (JavaScript), cel 0.15.0 (Rust), cel-python 0.5.0, cel-go 0.28.1.
#
# Guess: has(m.a) is true for a member that is null, or at least the same everywhere: the language definition says
# that a map has the key.
#
# Really: for @bufbuild/cel a member that is null is not there. The others have it.
#
# Matters: "!has(m.a) || m.a > 5" guards against an absent value. With a null (a metrics server's gap) it holds here,
# and is an error elsewhere: a browser preview of a rule shows a pass where the cluster shows an error.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node @bufbuild/cel@0.6.1 @marcbachmann/cel-js@8.0.0 <<'JS'
import { run } from "@bufbuild/cel";
import { evaluate } from "@marcbachmann/cel-js";

console.log("bufbuild:", run("has(m.a)", { m: { a: null } }));
console.log("marcbachmann:", evaluate("has(m.a)", { m: { a: null } }));
JS
with_cargo cel@=0.15.0 serde_json@1 <<'RUST'
fn main() {
    let mut context = cel::Context::default();
    context.add_variable("m", serde_json::json!({"a": null})).unwrap();
    println!("Rust: {:?}", cel::Program::compile("has(m.a)").unwrap().execute(&context).unwrap());
}
RUST
with_python cel-python==0.5.0 <<'PY'
import celpy

env = celpy.Environment()
print("Python:", env.program(env.compile("has(m.a)")).evaluate({"m": celpy.json_to_cel({"a": None})}))
PY
with_go github.com/google/cel-go@v0.28.1 <<'GO'
package main

import (
	"fmt"

	"github.com/google/cel-go/cel"
)

func main() {
	env, _ := cel.NewEnv(cel.Variable("m", cel.DynType))
	ast, _ := env.Compile("has(m.a)")
	program, _ := env.Program(ast)
	value, _, err := program.Eval(map[string]any{"m": map[string]any{"a": nil}})
	fmt.Println("cel-go:", value, err)
}
GO
expect <<'END'
bufbuild: false
marcbachmann: true
Rust: Bool(true)
Python: True
cel-go: true <nil>
END
