#!/usr/bin/env bash
# @bufbuild/cel 0.6.1 and @marcbachmann/cel-js 8.0.0 (JavaScript), against cel-go 0.28.1 and cel-python 0.5.0.
#
# Guess: double("") and int("") are errors in CEL, and so is each text that is no number.
#
# Really: both are 0 in @bufbuild/cel, as Number("") is in JavaScript, and int("") is 0 in the other one for JavaScript as well.
# double("99,5") and double("5ms") are NaN in the first, no error, and neither above nor below. cel-go and cel-python refuse all
# of these, but 1_000 is a thousand for both.
#
# Matters: a condition such as `double(failures) < 5.0` about an answer that has an empty text where there is no value passes.
# In the cluster, by cel-go, it is an error. Ask `failures != ""` first.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/expressions" <<'TXT'
double("")
double(" ")
double("99,5")
double("5ms") < 5.0 || double("5ms") >= 5.0
double("1_000")
int("")
int(" 5 ")
int("0x10")
TXT
export EXPRESSIONS="$work/expressions"
with_node @bufbuild/cel@0.6.1 @marcbachmann/cel-js@8.0.0 <<'JS'
import fs from "node:fs";
import { run } from "@bufbuild/cel";
import { evaluate } from "@marcbachmann/cel-js";

const seen = (evaluate) => {
  try {
    const value = evaluate();
    return value instanceof Error ? "an error" : String(value);
  } catch {
    return "an error";
  }
};
for (const text of fs.readFileSync(process.env.EXPRESSIONS, "utf8").trim().split("\n")) {
  console.log(`${text}: bufbuild ${seen(() => run(text, {}))}, marcbachmann ${seen(() => evaluate(text, {}))}`);
}
JS
with_python cel-python==0.5.0 <<'PY'
import os

import celpy

with open(os.environ["EXPRESSIONS"]) as file:
    for text in file.read().splitlines():
        environment = celpy.Environment()
        try:
            value = environment.program(environment.compile(text)).evaluate({})
        except celpy.CELEvalError:
            value = "an error"
        print(f"{text}: cel-python {value}")
PY
with_go github.com/google/cel-go@v0.28.1 <<'GO'
package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/google/cel-go/cel"
)

func main() {
	file, err := os.Open(os.Getenv("EXPRESSIONS"))
	if err != nil {
		panic(err)
	}
	env, err := cel.NewEnv()
	if err != nil {
		panic(err)
	}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		ast, issues := env.Compile(lines.Text())
		if issues.Err() != nil {
			panic(issues.Err())
		}
		program, err := env.Program(ast)
		if err != nil {
			panic(err)
		}
		value, _, err := program.Eval(cel.NoVars())
		if err != nil {
			fmt.Printf("%s: cel-go an error\n", lines.Text())
			continue
		}
		fmt.Printf("%s: cel-go %v\n", lines.Text(), value.Value())
	}
}
GO
expect <<'END'
double(""): bufbuild 0, marcbachmann an error
double(" "): bufbuild 0, marcbachmann an error
double("99,5"): bufbuild NaN, marcbachmann an error
double("5ms") < 5.0 || double("5ms") >= 5.0: bufbuild false, marcbachmann an error
double("1_000"): bufbuild NaN, marcbachmann an error
int(""): bufbuild 0, marcbachmann 0
int(" 5 "): bufbuild 5, marcbachmann an error
int("0x10"): bufbuild 16, marcbachmann an error
double(""): cel-python an error
double(" "): cel-python an error
double("99,5"): cel-python an error
double("5ms") < 5.0 || double("5ms") >= 5.0: cel-python an error
double("1_000"): cel-python 1000.0
int(""): cel-python an error
int(" 5 "): cel-python 5
int("0x10"): cel-python 16
double(""): cel-go an error
double(" "): cel-go an error
double("99,5"): cel-go an error
double("5ms") < 5.0 || double("5ms") >= 5.0: cel-go an error
double("1_000"): cel-go 1000
int(""): cel-go an error
int(" 5 "): cel-go an error
int("0x10"): cel-go an error
END
