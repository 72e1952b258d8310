#!/usr/bin/env bash
# jsonata 2.2.2 and @jmespath-community/jmespath 1.3.0 (JavaScript), against gojq 0.12.19 (Go), jmespath 0.16.0 and
# jsonpath-plus 10.4.0 (JavaScript), jmespath 1.1.0 and jsonpath-ng 1.16.0 (Python).
#
# Guess: the path error-rate leads to the field of that name, or is refused.
#
# Really: in JSONata and the JMESPath of the community it is the field error minus the field rate: a number if there are both,
# and nothing or an error if not. jq reads it as a subtraction too, and refuses it as there is no function called rate. The
# two older JMESPaths refuse it, and the two JSONPaths take it for the name.
#
# Matters: a gate that reads error-rate of {"error": 5, "rate": 2, "error-rate": 40} sees 3 and passes. Write such names in
# quotes: `error-rate` in backticks for JSONata, "error-rate" for JMESPath and jq.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export DOCUMENT='{"error": 5, "rate": 2, "error-rate": 40}'
with_node jsonata@2.2.2 @jmespath-community/jmespath@1.3.0 jmespath@0.16.0 jsonpath-plus@10.4.0 <<'JS'
import * as community from "@jmespath-community/jmespath";
import jmespath from "jmespath";
import jsonata from "jsonata";
import { JSONPath } from "jsonpath-plus";

const all = JSON.parse(process.env.DOCUMENT);
const readers = {
  "jsonata error-rate": (document) => jsonata("error-rate").evaluate(document),
  "jsonata `error-rate`": (document) => jsonata("`error-rate`").evaluate(document),
  "community's JMESPath error-rate": (document) => community.search(document, "error-rate"),
  'community\'s JMESPath "error-rate"': (document) => community.search(document, '"error-rate"'),
  "jmespath error-rate": (document) => jmespath.search(document, "error-rate"),
  "jsonpath-plus $.error-rate": (document) => JSONPath({ json: document, path: "$.error-rate" })[0],
};
for (const [name, read] of Object.entries(readers)) {
  const seen = [];
  for (const document of [all, { "error-rate": 40 }]) {
    try {
      seen.push((await read(document)) ?? "nothing");
    } catch {
      seen.push("refused");
    }
  }
  console.log(`${name}: ${seen[0]}, without the other fields ${seen[1]}`);
}
JS
with_go github.com/itchyny/gojq@v0.12.19 <<'GO'
package main

import (
	"fmt"

	"github.com/itchyny/gojq"
)

func main() {
	for _, text := range []string{".error-rate", ".error-.rate", `."error-rate"`} {
		query, err := gojq.Parse(text)
		if err != nil {
			panic(err)
		}
		code, err := gojq.Compile(query)
		if err != nil {
			fmt.Printf("gojq %s: %v\n", text, err)
			continue
		}
		value, _ := code.Run(map[string]any{"error": 5, "rate": 2, "error-rate": 40}).Next()
		fmt.Printf("gojq %s: %v\n", text, value)
	}
}
GO
with_python jmespath==1.1.0 jsonpath-ng==1.16.0 <<'PY'
import json
import os

import jmespath
import jsonpath_ng

document = json.loads(os.environ["DOCUMENT"])
try:
    print("jmespath (Python) error-rate:", jmespath.search("error-rate", document))
except jmespath.exceptions.LexerError:
    print("jmespath (Python) error-rate: refused")
print("jsonpath-ng $.error-rate:", jsonpath_ng.parse("$.error-rate").find(document)[0].value)
PY
expect <<'END'
jsonata error-rate: 3, without the other fields nothing
jsonata `error-rate`: 40, without the other fields 40
community's JMESPath error-rate: 3, without the other fields refused
community's JMESPath "error-rate": 40, without the other fields 40
jmespath error-rate: refused, without the other fields refused
jsonpath-plus $.error-rate: 40, without the other fields 40
gojq .error-rate: function not defined: rate/0
gojq .error-.rate: 3
gojq ."error-rate": 40
jmespath (Python) error-rate: refused
jsonpath-ng $.error-rate: 40
END
