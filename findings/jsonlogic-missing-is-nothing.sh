#!/usr/bin/env bash
# json-logic-js 2.0.5 (JavaScript), diegoholiveira/jsonlogic 3.5.1 (Go; flagd), panzi-json-logic 1.0.1 and json-logic-qubit
# 0.9.1 (Python).
#
# Guess: a value that is missing is below no limit, or the libraries, which follow one page of rules, at least agree.
#
# Really: `<` takes it for 0 in three of four. With three operands, `0 <= x <= 5`, it is between for JavaScript and panzi's,
# and not for Go; `x == 0` holds for panzi's alone. Two texts are compared as texts by all: "10" is less than "9". A text
# that is no number is false, or a ValueError.
#
# Matters: a rule of a flag or a gate, `{"<": [{"var": "errors"}, 0.01]}`, holds when the field is gone, for the service in
# one language and not in the other. Ask for it first, by `missing`, and compare with numbers.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/rules" <<'TXT'
{"<": [{"var": "errors"}, 0.01]}
{"<=": [0, {"var": "errors"}, 5]}
{"==": [{"var": "errors"}, 0]}
{"<": [{"var": "text"}, "9"]}
{"<": ["no number", 1]}
TXT
export RULES="$work/rules"
with_node json-logic-js@2.0.5 <<'JS'
import { readFileSync } from "node:fs";
import jsonLogic from "json-logic-js";

for (const rule of readFileSync(process.env.RULES, "utf8").trim().split("\n"))
  console.log(`json-logic-js ${rule}: ${jsonLogic.apply(JSON.parse(rule), { text: "10" })}`);
JS
with_go github.com/diegoholiveira/jsonlogic/v3@v3.5.1 <<'GO'
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/diegoholiveira/jsonlogic/v3"
)

func main() {
	file, err := os.Open(os.Getenv("RULES"))
	if err != nil {
		panic(err)
	}
	for rules := bufio.NewScanner(file); rules.Scan(); {
		var result strings.Builder
		if err := jsonlogic.Apply(strings.NewReader(rules.Text()), strings.NewReader(`{"text": "10"}`), &result); err != nil {
			panic(err)
		}
		fmt.Printf("Go %s: %s\n", rules.Text(), strings.TrimSpace(result.String()))
	}
}
GO
for package in panzi-json-logic==1.0.1 json-logic-qubit==0.9.1; do
  rm -rf "$work/python"
  PACKAGE=$package with_python "$package" <<'PY'
import json
import os

from json_logic import jsonLogic

for rule in open(os.environ["RULES"]).read().splitlines():
    try:
        result = jsonLogic(json.loads(rule), {"text": "10"})
    except ValueError as error:
        result = type(error).__name__
    print(os.environ["PACKAGE"].split("=")[0], f"{rule}: {str(result).replace('True', 'true').replace('False', 'false')}")
PY
done
expect <<'END'
json-logic-js {"<": [{"var": "errors"}, 0.01]}: true
json-logic-js {"<=": [0, {"var": "errors"}, 5]}: true
json-logic-js {"==": [{"var": "errors"}, 0]}: false
json-logic-js {"<": [{"var": "text"}, "9"]}: true
json-logic-js {"<": ["no number", 1]}: false
Go {"<": [{"var": "errors"}, 0.01]}: true
Go {"<=": [0, {"var": "errors"}, 5]}: false
Go {"==": [{"var": "errors"}, 0]}: false
Go {"<": [{"var": "text"}, "9"]}: true
Go {"<": ["no number", 1]}: false
panzi-json-logic {"<": [{"var": "errors"}, 0.01]}: true
panzi-json-logic {"<=": [0, {"var": "errors"}, 5]}: true
panzi-json-logic {"==": [{"var": "errors"}, 0]}: true
panzi-json-logic {"<": [{"var": "text"}, "9"]}: true
panzi-json-logic {"<": ["no number", 1]}: false
json-logic-qubit {"<": [{"var": "errors"}, 0.01]}: false
json-logic-qubit {"<=": [0, {"var": "errors"}, 5]}: false
json-logic-qubit {"==": [{"var": "errors"}, 0]}: false
json-logic-qubit {"<": [{"var": "text"}, "9"]}: true
json-logic-qubit {"<": ["no number", 1]}: ValueError
END
