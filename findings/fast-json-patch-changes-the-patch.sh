#!/usr/bin/env bash
# fast-json-patch 3.1.1 and json-merge-patch 1.0.2 (JavaScript), against jsonpatch 1.48 (Python).
#
# Guess: applyPatch() leaves the object and the patch as they are and returns a new object; the same patch does the same
# to the next object.
#
# Really: fast-json-patch changes the object, and the patch too: what one operation adds is the very list of the patch,
# which the next operation then fills. Applied to a second object the patch adds twice. json-merge-patch changes the
# object. Python copies.
#
# Matters: a bot or an admission webhook that keeps its patch as a constant gives the first Deployment one container or
# header more, the second one two, and so on until it is restarted; and an object out of an informer looks patched before
# the API server has agreed. Make the patch in a function. applyPatch(object, patch, true, false) spares the object, not
# the patch.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node fast-json-patch@3.1.1 json-merge-patch@1.0.2 <<'JS'
import jsonpatch from "fast-json-patch";
import mergePatch from "json-merge-patch";

const patch = [
  { op: "add", path: "/headers", value: [] },
  { op: "add", path: "/headers/-", value: "x-canary" },
];
for (const name of ["first", "second", "third"]) {
  const object = { name };
  jsonpatch.applyPatch(object, patch);
  console.log("fast-json-patch:", JSON.stringify(object));
}
const object = { replicas: 2 };
mergePatch.apply(object, { replicas: 5 });
console.log("json-merge-patch:", JSON.stringify(object));
const kept = { name: "kept" };
const fresh = [
  { op: "add", path: "/headers", value: [] },
  { op: "add", path: "/headers/-", value: "x-canary" },
];
jsonpatch.applyPatch(kept, fresh, true, false);
console.log("told to spare the object:", JSON.stringify(kept), "patch", JSON.stringify(fresh[0].value));
JS
with_python jsonpatch==1.48 <<'PY'
import jsonpatch

patch = [{"op": "add", "path": "/headers", "value": []}, {"op": "add", "path": "/headers/-", "value": "x-canary"}]
for name in ("first", "second"):
    print("Python:", jsonpatch.apply_patch({"name": name}, patch))
PY
expect <<'END'
fast-json-patch: {"name":"first","headers":["x-canary"]}
fast-json-patch: {"name":"second","headers":["x-canary","x-canary"]}
fast-json-patch: {"name":"third","headers":["x-canary","x-canary","x-canary"]}
json-merge-patch: {"replicas":5}
told to spare the object: {"name":"kept"} patch ["x-canary"]
Python: {'name': 'first', 'headers': ['x-canary']}
Python: {'name': 'second', 'headers': ['x-canary']}
END
