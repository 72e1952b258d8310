#!/usr/bin/env bash
# gopkg.in/evanphx/json-patch.v4 4.13.0 (Go, the library of the Kubernetes API server), jsonpatch 1.48 (Python),
# fast-json-patch 3.1.1 (JavaScript), json-patch 5.0.0 (Rust).
#
# Guess: {"op": "test", "path": "/metadata/deletionTimestamp", "value": null} fails where there is no such member: RFC
# 6902 wants the location to exist, and null is a value.
#
# Really: in the Go library an absent last member equals null, so that this is the way to say "only if it is absent" to
# the API server. The three other libraries refuse the same patch.
#
# Matters: a guarded patch that works against a cluster fails in a test against a fake API server in another language,
# and a guard "is null" written for one of those never tells null from absent in the cluster.
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
	guard, _ := jsonpatch.DecodePatch([]byte(`[{"op":"test","path":"/metadata/deletionTimestamp","value":null}]`))
	_, err := guard.Apply([]byte(`{"metadata":{"name":"a"}}`))
	fmt.Println("Go passes:", err == nil)
}
GO
with_python jsonpatch==1.48 <<'PY'
import jsonpatch

try:
    jsonpatch.apply_patch({"metadata": {"name": "a"}}, [{"op": "test", "path": "/metadata/deletionTimestamp", "value": None}])
    print("Python passes: true")
except jsonpatch.JsonPatchTestFailed:
    print("Python passes: false")
PY
with_node fast-json-patch@3.1.1 <<'JS'
import jsonpatch from "fast-json-patch";

try {
  jsonpatch.applyPatch({ metadata: { name: "a" } }, [{ op: "test", path: "/metadata/deletionTimestamp", value: null }]);
  console.log("JavaScript passes: true");
} catch (error) {
  console.log("JavaScript passes: false");
}
JS
with_cargo json-patch@=5.0.0 serde_json@1 <<'RUST'
use serde_json::{from_value, json};

fn main() {
    let guard = json!([{"op": "test", "path": "/metadata/deletionTimestamp", "value": null}]);
    let guard: json_patch::Patch = from_value(guard).unwrap();
    let passes = json_patch::patch(&mut json!({"metadata": {"name": "a"}}), &guard).is_ok();
    println!("Rust passes: {passes}");
}
RUST
expect <<'END'
Go passes: true
Python passes: false
JavaScript passes: false
Rust passes: false
END
