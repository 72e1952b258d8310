#!/usr/bin/env bash
# cel-go 0.28.1 (Kubernetes), @bufbuild/cel 0.6.1 and @marcbachmann/cel-js 8.0.0 (JavaScript), cel 0.15.0 (Rust), against
# cel-python 0.5.0 and cel-js 0.8.2 (JavaScript).
#
# Guess: has(status.canary.weight) is false where the status has no canary, as an optional chain of other languages is.
#
# Really: only the last member may be missing. Without `canary` it is an error in the first four, and false in the last
# two.
#
# Matters: "!has(object.status.canary.weight) || ..." that was tried out in Python is an error in a
# ValidatingAdmissionPolicy, which refuses with failurePolicy Fail whatever has no such parent yet: each new object. Ask
# for each member in turn: has(status.canary) && has(status.canary.weight).
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/google/cel-go@v0.28.1 <<'GO'
package main

import (
	"fmt"

	"github.com/google/cel-go/cel"
)

func main() {
	env, _ := cel.NewEnv(cel.Variable("status", cel.DynType))
	for _, text := range []string{"has(status.canary.weight)", "has(status.canary) && has(status.canary.weight)"} {
		ast, _ := env.Compile(text)
		program, _ := env.Program(ast)
		value, _, err := program.Eval(map[string]any{"status": map[string]any{}})
		if err != nil {
			value = nil
		}
		fmt.Println("cel-go:", value, err)
	}
}
GO
with_node @bufbuild/cel@0.6.1 @marcbachmann/cel-js@8.0.0 cel-js@0.8.2 <<'JS'
import { run } from "@bufbuild/cel";
import { evaluate as marcbachmann } from "@marcbachmann/cel-js";
import { evaluate } from "cel-js";

const seen = (name, ask) => {
  try {
    console.log(`${name}: ${ask("has(status.canary.weight)", { status: {} })}`);
  } catch (error) {
    console.log(`${name}: ${error.message.split("\n")[0]}`);
  }
};
seen("bufbuild", run);
seen("marcbachmann", marcbachmann);
seen("cel-js", evaluate);
JS
with_cargo cel@=0.15.0 serde_json@1 <<'RUST'
fn main() {
    let mut context = cel::Context::default();
    context.add_variable("status", serde_json::json!({})).unwrap();
    let program = cel::Program::compile("has(status.canary.weight)").unwrap();
    println!("Rust: {:?}", program.execute(&context));
}
RUST
with_python cel-python==0.5.0 <<'PY'
import celpy

env = celpy.Environment()
print("Python:", env.program(env.compile("has(status.canary.weight)")).evaluate({"status": celpy.json_to_cel({})}))
PY
expect <<'END'
cel-go: <nil> no such key: canary
cel-go: false <nil>
bufbuild: Error: field not found: canary
marcbachmann: No such key: canary
cel-js: false
Rust: Err(NoSuchKey("canary"))
Python: False
END
