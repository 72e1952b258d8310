#!/usr/bin/env bash
# jmespath 1.1.0 (Python; the AWS CLI), jmespath 0.16.0 and @jmespath-community/jmespath 1.3.0 (JavaScript),
# go-jmespath 0.4.0 (Go; Kyverno has a fork of it).
#
# Guess: `missing < 5` is null everywhere, and text against a number is null or an error everywhere.
#
# Really: the language defines comparisons for numbers alone. npm's jmespath compares as JavaScript does, where null is
# less than 5 and "0.9" is more than 0.5. For Go and the community's library both are null; Python gives null for
# what is missing and raises for text.
#
# Matters: Prometheus gives its values as text. A gate `data.result[?value[1] > `0.5`]`, "which pods are bad", that works
# in a bot in JavaScript selects nothing in Go, and so opens for everybody; and "errors < 5" holds in JavaScript where
# there are no data. Write to_number(value[1]), and ask for null.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python jmespath==1.1.0 <<'PY'
import jmespath

data = {"result": [{"pod": "a", "value": [1, "0.9"]}, {"pod": "b", "value": [1, "0.001"]}]}
for text in ("result[?value[1] > `0.5`].pod", "missing < `5`", "result[?to_number(value[1]) > `0.5`].pod"):
    try:
        print("Python:", text, "|", jmespath.search(text, data))
    except TypeError:
        print("Python:", text, "| TypeError")
PY
with_node jmespath@0.16.0 @jmespath-community/jmespath@1.3.0 <<'JS'
import jmespath from "jmespath";
import { search } from "@jmespath-community/jmespath";

const data = { result: [{ pod: "a", value: [1, "0.9"] }, { pod: "b", value: [1, "0.001"] }] };
for (const text of ["result[?value[1] > `0.5`].pod", "missing < `5`", "result[?to_number(value[1]) > `0.5`].pod"]) {
  console.log("npm:", text, "|", JSON.stringify(jmespath.search(data, text)));
  console.log("community:", text, "|", JSON.stringify(search(data, text)));
}
JS
with_go github.com/jmespath/go-jmespath@v0.4.0 <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	"github.com/jmespath/go-jmespath"
)

func main() {
	var data any
	if err := json.Unmarshal([]byte(`{"result": [{"pod": "a", "value": [1, "0.9"]}, {"pod": "b", "value": [1, "0.001"]}]}`), &data); err != nil {
		panic(err)
	}
	for _, text := range []string{"result[?value[1] > `0.5`].pod", "missing < `5`", "result[?to_number(value[1]) > `0.5`].pod"} {
		found, err := jmespath.Search(text, data)
		fmt.Println("Go:", text, "|", found, err)
	}
}
GO
expect <<'END'
Python: result[?value[1] > `0.5`].pod | TypeError
Python: missing < `5` | None
Python: result[?to_number(value[1]) > `0.5`].pod | ['a']
npm: result[?value[1] > `0.5`].pod | ["a"]
community: result[?value[1] > `0.5`].pod | []
npm: missing < `5` | true
community: missing < `5` | null
npm: result[?to_number(value[1]) > `0.5`].pod | ["a"]
community: result[?to_number(value[1]) > `0.5`].pod | ["a"]
Go: result[?value[1] > `0.5`].pod | [] <nil>
Go: missing < `5` | <nil> <nil>
Go: result[?to_number(value[1]) > `0.5`].pod | [a] <nil>
END
