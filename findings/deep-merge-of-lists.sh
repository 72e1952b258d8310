#!/usr/bin/env bash
# deepmerge 4.3.1, lodash.merge 4.6.2, defu 6.1.7 (JavaScript), deepmerge 4.0.0, mergedeep 1.3.4 (Python).
#
# Guess: where an override holds a list, a deep merge takes that list, as Helm does with its values.
#
# Really: deepmerge (both) appends it to the former one, defu puts it in front, and lodash merges the entries by their
# position: the new check gets the fields of another one that it does not have itself. Only mergedeep replaces the list.
#
# Matters: a generator of Canaries that merges the settings of an environment over common ones leaves checks, webhooks or
# step weights in that were to go, or judges the new metric by the limit of the old. State lists whole and replace them
# with the option each library has.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node deepmerge@4.3.1 lodash.merge@4.6.2 defu@6.1.7 <<'JS'
import deepmerge from "deepmerge";
import { defu } from "defu";
import merge from "lodash.merge";

const common = () => ({ metrics: [{ name: "errors", max: 1 }, { name: "p99", max: 500 }] });
const override = () => ({ metrics: [{ name: "orders", min: 20 }] });
console.log("deepmerge (npm)", JSON.stringify(deepmerge(common(), override()).metrics));
console.log("lodash", JSON.stringify(merge(common(), override()).metrics));
console.log("defu", JSON.stringify(defu(override(), common()).metrics));
JS
with_python deepmerge==4.0.0 mergedeep==1.3.4 <<'PY'
import json
import deepmerge
import mergedeep

common = lambda: {"metrics": [{"name": "errors", "max": 1}, {"name": "p99", "max": 500}]}
override = lambda: {"metrics": [{"name": "orders", "min": 20}]}
print("deepmerge (Python)", json.dumps(deepmerge.always_merger.merge(common(), override())["metrics"], separators=(",", ":")))
print("mergedeep", json.dumps(mergedeep.merge({}, common(), override())["metrics"], separators=(",", ":")))
PY
expect <<'END'
deepmerge (npm) [{"name":"errors","max":1},{"name":"p99","max":500},{"name":"orders","min":20}]
lodash [{"name":"orders","max":1,"min":20},{"name":"p99","max":500}]
defu [{"name":"orders","min":20},{"name":"errors","max":1},{"name":"p99","max":500}]
deepmerge (Python) [{"name":"errors","max":1},{"name":"p99","max":500},{"name":"orders","min":20}]
mergedeep [{"name":"orders","min":20}]
END
