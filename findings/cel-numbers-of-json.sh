#!/usr/bin/env bash
# @bufbuild/cel 0.6.1 and @marcbachmann/cel-js 8.0.0 (JavaScript), cel-go 0.28.1, cel 0.15.0 (Rust), cel-python 0.5.0.
#
# Guess: for {"count": 4}, `count % 2 == 0` and `count + 1 > 4` hold everywhere.
#
# Really: JSON numbers are doubles for JavaScript and for Go's encoding/json, and CEL has no % of doubles and no sum
# of a double and an int. Rust's serde_json makes an unsigned number of 4, and CEL has no sum of that and an int
# either. Comparing (`count > 3`) works everywhere. Only Python takes 4 for an int.
#
# Matters: a rule over the JSON of a webhook or of a metric that was tried out in Python is an error elsewhere. Write
# int(count), which all five read. Serin makes fractions of all numbers, so that the rules do not depend on the
# answer.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node @bufbuild/cel@0.6.1 @marcbachmann/cel-js@8.0.0 <<'JS'
import { isCelError, run } from "@bufbuild/cel";
import { evaluate } from "@marcbachmann/cel-js";

const values = JSON.parse('{"count": 4}');
for (const text of ["count % 2 == 0", "count + 1 > 4", "count > 3", "int(count) % 2 == 0"]) {
  const told = run(text, values);
  let other;
  try {
    other = evaluate(text, values);
  } catch {
    other = "error";
  }
  console.log(text, "| bufbuild:", isCelError(told) ? "error" : told, "| marcbachmann:", other);
}
JS
with_go github.com/google/cel-go@v0.28.1 <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	"github.com/google/cel-go/cel"
)

func main() {
	env, _ := cel.NewEnv(cel.Variable("count", cel.DynType))
	var values map[string]any
	if err := json.Unmarshal([]byte(`{"count": 4}`), &values); err != nil {
		panic(err)
	}
	for _, text := range []string{"count % 2 == 0", "count + 1 > 4", "count > 3", "int(count) % 2 == 0"} {
		ast, _ := env.Compile(text)
		program, _ := env.Program(ast)
		if value, _, err := program.Eval(values); err != nil {
			fmt.Println(text, "| cel-go: error")
		} else {
			fmt.Println(text, "| cel-go:", value)
		}
	}
}
GO
with_cargo cel@=0.15.0 serde_json@1 <<'RUST'
fn main() {
    let values: serde_json::Value = serde_json::from_str(r#"{"count": 4}"#).unwrap();
    for text in ["count % 2 == 0", "count + 1 > 4", "count > 3", "int(count) % 2 == 0"] {
        let mut context = cel::Context::default();
        context.add_variable("count", values["count"].clone()).unwrap();
        println!("{text} | Rust: {:?}", cel::Program::compile(text).unwrap().execute(&context));
    }
}
RUST
with_python cel-python==0.5.0 <<'PY'
import json

import celpy

values = {name: celpy.json_to_cel(value) for name, value in json.loads('{"count": 4}').items()}
env = celpy.Environment()
for text in ("count % 2 == 0", "count + 1 > 4", "count > 3", "int(count) % 2 == 0"):
    print(text, "| Python:", env.program(env.compile(text)).evaluate(values))
PY
expect <<'END'
count % 2 == 0 | bufbuild: error | marcbachmann: error
count + 1 > 4 | bufbuild: error | marcbachmann: error
count > 3 | bufbuild: true | marcbachmann: true
int(count) % 2 == 0 | bufbuild: true | marcbachmann: true
count % 2 == 0 | cel-go: error
count + 1 > 4 | cel-go: error
count > 3 | cel-go: true
int(count) % 2 == 0 | cel-go: true
count % 2 == 0 | Rust: Err(UnsupportedBinaryOperator("rem", UInt(4), Int(2)))
count + 1 > 4 | Rust: Err(UnsupportedBinaryOperator("add", UInt(4), Int(1)))
count > 3 | Rust: Ok(Bool(true))
int(count) % 2 == 0 | Rust: Ok(Bool(true))
count % 2 == 0 | Python: True
count + 1 > 4 | Python: True
count > 3 | Python: True
int(count) % 2 == 0 | Python: True
END
