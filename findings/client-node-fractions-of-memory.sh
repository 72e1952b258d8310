#!/usr/bin/env bash
# @kubernetes/client-node 1.4.0 (JavaScript).
#
# Guess: topPods() reads every quantity that a Pod can have.
#
# Really: with a suffix other than m, u or n the number goes through BigInt: "1.5Gi" and "0.5Gi" are a SyntaxError,
# for the whole list. "1e9" works, as a number beside bigints.
#
# Matters: one container with a request of 1.5Gi anywhere in the cluster, and a dashboard or a right-sizing bot built
# on it shows nothing at all. Write 1536Mi.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node @kubernetes/client-node@1.4.0 <<'JS'
import { topPods } from "@kubernetes/client-node";

for (const memory of ["1Gi", "1.5Gi", "1e9"]) {
  const pod = { metadata: { name: "p", namespace: "d" }, spec: { containers: [{ name: "c", resources: { requests: { memory } } }] } };
  const core = { listPodForAllNamespaces: async () => ({ items: [pod] }) };
  const metrics = { getPodMetrics: async () => ({ items: [] }) };
  try {
    console.log(memory, (await topPods(core, metrics))[0].Memory.RequestTotal);
  } catch (error) {
    console.log(memory, error.name, error.message);
  }
}
JS
expect <<'END'
1Gi 1073741824n
1.5Gi SyntaxError Cannot convert 1.5 to a BigInt
1e9 1000000000
END
