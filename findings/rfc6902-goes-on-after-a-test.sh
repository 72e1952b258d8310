#!/usr/bin/env bash
# rfc6902 5.4.0 (JavaScript), against fast-json-patch 3.1.1 (JavaScript) and jsonpatch 1.48 (Python).
#
# Guess: a patch whose `test` does not hold throws, and changes nothing, as at the API server.
#
# Really: applyPatch() of rfc6902 throws nothing. It goes on with the next operation, changes the object, and returns a
# list with an error or null for each operation.
#
# Matters: the guard of a patch, "only if replicas is still 2", guards nothing in a preview, an admission webhook or a
# fake API server built on it. Apply it to a copy, and keep that only if every entry of the list is null.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node rfc6902@5.4.0 fast-json-patch@3.1.1 <<'JS'
import jsonpatch from "fast-json-patch";
import { applyPatch } from "rfc6902";

const patch = [
  { op: "test", path: "/replicas", value: 2 },
  { op: "replace", path: "/replicas", value: 0 },
];
const object = { replicas: 5 };
const errors = applyPatch(object, patch);
console.log("rfc6902:", JSON.stringify(object), errors.map((error) => error && error.name).join());
const other = { replicas: 5 };
try {
  jsonpatch.applyPatch(other, patch);
} catch (error) {
  console.log("fast-json-patch:", JSON.stringify(other), error.name);
}
JS
with_python jsonpatch==1.48 <<'PY'
import jsonpatch

try:
    jsonpatch.apply_patch({"replicas": 5}, [{"op": "test", "path": "/replicas", "value": 2}, {"op": "replace", "path": "/replicas", "value": 0}])
except jsonpatch.JsonPatchTestFailed:
    print("Python: JsonPatchTestFailed")
PY
expect <<'END'
rfc6902: {"replicas":0} TestError,
fast-json-patch: {"replicas":5} TEST_OPERATION_FAILED
Python: JsonPatchTestFailed
END
