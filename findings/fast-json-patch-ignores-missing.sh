#!/usr/bin/env bash
# fast-json-patch 3.1.1 (JavaScript).
#
# Guess: applyPatch() throws when an operation cannot be applied, as the API server and RFC 6902 do.
#
# Really: validation is off by default. "remove" of what is not there is ignored, "replace" of it adds it, and the
# operations before a failing one have already changed the caller's object: only `applyPatch(doc, patch, true, false)`
# checks, and leaves the caller's object alone.
#
# Matters: a pipeline that previews a patch with it shows a good result, and the same patch is a 422 at the API server.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node fast-json-patch@3.1.1 <<'JS'
import jsonpatch from "fast-json-patch";

const patch = [{ op: "replace", path: "/spec/replicas", value: 3 }, { op: "remove", path: "/spec/paused" }];
console.log(JSON.stringify(jsonpatch.applyPatch({ spec: {} }, patch).newDocument));
try {
  jsonpatch.applyPatch({ spec: {} }, patch, true, false);
} catch (error) {
  console.log("with validation:", error.name);
}
const mine = { spec: { replicas: 1 } };
try {
  jsonpatch.applyPatch(mine, [patch[0], { op: "test", path: "/spec/paused", value: true }]);
} catch (error) {
  console.log(error.name, "and the object of the caller is", JSON.stringify(mine));
}
JS
expect <<'END'
{"spec":{"replicas":3}}
with validation: OPERATION_PATH_UNRESOLVABLE
TEST_OPERATION_FAILED and the object of the caller is {"spec":{"replicas":3}}
END
