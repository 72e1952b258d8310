#!/usr/bin/env bash
# gopkg.in/evanphx/json-patch.v4 4.13.0 (Go, the library of the Kubernetes API server), json-patch 5.0.0 (Rust),
# jsonpatch 1.48 (Python).
#
# Guess: "test" compares numbers by value (RFC 6902: "numerically equal"), so 50 passes against 50.0.
#
# Really: Go compares the text of numbers, Rust the kind (integer or not). Only Python compares the value.
#
# Matters: JavaScript and YAML tools drop or add the ".0" of a weight or a threshold on the way. A guard on such a field
# then fails for ever in Go and Rust, though nobody changed the number. Guard on metadata.resourceVersion instead, as
# Serin does: that is text everywhere.
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
	guard, _ := jsonpatch.DecodePatch([]byte(`[{"op":"test","path":"/weight","value":50.0}]`))
	_, err := guard.Apply([]byte(`{"weight":50}`))
	fmt.Println("Go passes:", err == nil)
}
GO
with_cargo json-patch@=5.0.0 serde_json@1 <<'RUST'
use serde_json::{from_value, json};

fn main() {
    let guard: json_patch::Patch = from_value(json!([{"op": "test", "path": "/weight", "value": 50.0}])).unwrap();
    println!("Rust passes: {}", json_patch::patch(&mut json!({"weight": 50}), &guard).is_ok());
}
RUST
with_python jsonpatch==1.48 <<'PY'
import jsonpatch

try:
    jsonpatch.apply_patch({"weight": 50}, [{"op": "test", "path": "/weight", "value": 50.0}])
    print("Python passes: true")
except jsonpatch.JsonPatchTestFailed:
    print("Python passes: false")
PY
expect <<'END'
Go passes: false
Rust passes: false
Python passes: true
END
