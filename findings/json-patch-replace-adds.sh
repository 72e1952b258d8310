#!/usr/bin/env bash
# gopkg.in/evanphx/json-patch.v4 4.13.0 (Go, the library of the Kubernetes API server), jsonpatch 1.48 (Python).
#
# Guess: "replace" fails where there is nothing to replace, as RFC 6902 demands ("the target location MUST exist").
#
# Really: version 4 of the Go library adds the member. Version 5 and Python's library refuse, but the API server uses 4.
#
# Matters: a JSON patch with a mistyped last part of a path is not refused by the patch itself. Unless the client asks
# for strict validation, the unknown field is then dropped, and what was to be paused goes on. A dry run with another
# library fails where the API server does not.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go gopkg.in/evanphx/json-patch.v4@v4.13.0 github.com/evanphx/json-patch/v5@v5.9.11 <<'GO'
package main

import (
	"fmt"

	v5 "github.com/evanphx/json-patch/v5"
	v4 "gopkg.in/evanphx/json-patch.v4"
)

func main() {
	doc, ops := []byte(`{"spec":{"suspend":false}}`), []byte(`[{"op":"replace","path":"/spec/suspended","value":true}]`)
	four, _ := v4.DecodePatch(ops)
	after, err := four.Apply(doc)
	fmt.Println("Go 4:", string(after), err)
	five, _ := v5.DecodePatch(ops)
	_, err = five.Apply(doc)
	fmt.Println("Go 5: refused:", err != nil)
}
GO
with_python jsonpatch==1.48 <<'PY'
import jsonpatch

try:
    print(jsonpatch.apply_patch({"spec": {"suspend": False}}, [{"op": "replace", "path": "/spec/suspended", "value": True}]))
except jsonpatch.JsonPatchConflict:
    print("Python: refused")
PY
expect <<'END'
Go 4: {"spec":{"suspend":false,"suspended":true}} <nil>
Go 5: refused: true
Python: refused
END
