#!/usr/bin/env bash
# gopkg.in/evanphx/json-patch.v4 4.13.0 (Go, the library of the Kubernetes API server), jsonpatch 1.48 (Python),
# fast-json-patch 3.1.1 (JavaScript).
#
# Guess: "/rules/-1" is no element of a list: RFC 6901 knows "0", numbers without leading zeros, and "-" for the place
# behind the last one.
#
# Really: in Go "-1" is the last element. With "add" it appends, so that "add" and "remove" at the same path are not
# each other's inverse in lists of one element or more, as they are in the RFC. Python refuses; JavaScript removes the
# last element, and ignores the "add" without a word.
#
# Matters: a program that counts down an index to -1 removes a rule of a route at the API server instead of failing.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go gopkg.in/evanphx/json-patch.v4@v4.13.0 <<'GO'
package main

import (
	"fmt"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
)

func main() {
	for _, op := range []string{`{"op":"remove","path":"/rules/-1"}`, `{"op":"add","path":"/rules/-1","value":"c"}`} {
		patch, _ := jsonpatch.DecodePatch([]byte("[" + op + "]"))
		after, err := patch.Apply([]byte(`{"rules":["a","b"]}`))
		fmt.Println("Go:", string(after), err)
	}
}
GO
with_python jsonpatch==1.48 <<'PY'
import jsonpatch

for op in ({"op": "remove", "path": "/rules/-1"}, {"op": "add", "path": "/rules/-1", "value": "c"}):
    try:
        print("Python:", jsonpatch.apply_patch({"rules": ["a", "b"]}, [op]))
    except jsonpatch.JsonPointerException:
        print("Python: refused")
PY
with_node fast-json-patch@3.1.1 <<'JS'
import jsonpatch from "fast-json-patch";

for (const op of [{ op: "remove", path: "/rules/-1" }, { op: "add", path: "/rules/-1", value: "c" }]) {
  console.log("JavaScript:", JSON.stringify(jsonpatch.applyPatch({ rules: ["a", "b"] }, [op]).newDocument));
}
JS
expect <<'END'
Go: {"rules":["a"]} <nil>
Go: {"rules":["a","b","c"]} <nil>
Python: refused
Python: refused
JavaScript: {"rules":["a"]}
JavaScript: {"rules":["a","b"]}
END
