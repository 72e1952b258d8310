#!/usr/bin/env bash
# pyhumps 3.8.0 (Python), against camelcase-keys 10.0.3 (JavaScript).
#
# Guess: camelize(decamelize(manifest)) is the manifest, or differs in the spelling of fields only.
#
# Really: clusterIP comes back as clusterIp and podCIDR as podCidr, which no API server knows, and every key is a field
# for them: the labels my_app and x-canary are myApp and xCanary afterwards. camelcase-keys does the same when it goes
# deep.
#
# Matters: a tool that keeps manifests in snake_case, as Python does, writes a selector that matches no pod and headers of
# a match that no request has, so that a canary has no users; values are right, so that a look at images and weights shows
# nothing. Convert typed objects, field by field.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python pyhumps==3.8.0 <<'PY'
import humps

manifest = {"spec": {"clusterIP": "None", "podCIDR": "10.0.0.0/24", "matchLabels": {"my_app": "shop"}, "headers": {"x-canary": "yes"}}}
print("Python:", humps.camelize(humps.decamelize(manifest)))
PY
with_node camelcase-keys@10.0.3 <<'JS'
import camelcaseKeys from "camelcase-keys";

const manifest = { spec: { clusterIP: "None", matchLabels: { my_app: "shop" }, headers: { "x-canary": "yes" } } };
console.log("JavaScript:", JSON.stringify(camelcaseKeys(manifest, { deep: true })));
JS
expect <<'END'
Python: {'spec': {'clusterIp': 'None', 'podCidr': '10.0.0.0/24', 'matchLabels': {'myApp': 'shop'}, 'headers': {'xCanary': 'yes'}}}
JavaScript: {"spec":{"clusterIp":"None","matchLabels":{"myApp":"shop"},"headers":{"xCanary":"yes"}}}
END
