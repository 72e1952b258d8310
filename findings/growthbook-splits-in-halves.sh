#!/usr/bin/env bash
# growthbook 4.0.0 (Python) and @growthbook/growthbook 1.8.0 (JavaScript).
#
# Guess: weights are relative: [90, 10] is a tenth for the second variation, and what makes no sense is an error. Two
# experiments put their users on sides that have nothing to do with each other.
#
# Really: weights that do not add up to 1, or are not as many as the variations, are dropped, and both get a half; only a line in
# the log tells of it. With the hash that is the default of an experiment written in code, two experiments
# whose keys differ in the last letter ("web-1", "web-2") have not one user in common on their second side.
#
# Matters: a release that was meant for a tenth of the users goes to a half of them at once, where proxies, whose weights
# are relative, do as they are told. And a fault that needs both new versions together is met by nobody. Write fractions
# that add up to 1, and hashVersion 2.
#
# Seen, users of 2000 on the second side: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python growthbook==4.0.0 <<'PY'
import logging

from growthbook import Experiment, GrowthBook

logging.disable()


def second(key, weights, **options):
    experiment = Experiment(key=key, variations=["primary", "canary"], weights=weights, **options)
    return {user for user in range(2000) if GrowthBook(attributes={"id": str(user)}).run(experiment).value == "canary"}


for weights in ([0.9, 0.1], [90, 10], [0.9, 0.2], [0.9]):
    print("Python:", weights, len(second("web-1", weights)))
for version in (1, 2):
    one, two = (second(key, [0.9, 0.1], hashVersion=version) for key in ("web-1", "web-2"))
    print("Python: hash", version, len(one), len(two), "both", len(one & two))
assert second("web-1", [0.9, 0.1]) == second("web-1", [0.9, 0.1], hashVersion=1)
PY
with_node @growthbook/growthbook@1.8.0 <<'JS'
import { GrowthBook } from "@growthbook/growthbook";

console.error = () => {};
const second = (key, weights, options) =>
  new Set(
    [...Array(2000).keys()].filter(
      (user) => new GrowthBook({ attributes: { id: String(user) } }).run({ key, variations: ["primary", "canary"], weights, ...options }).value === "canary",
    ),
  );
for (const weights of [[0.9, 0.1], [90, 10], [0.9, 0.2], [0.9]]) {
  console.log("JavaScript:", JSON.stringify(weights), second("web-1", weights).size);
}
for (const hashVersion of [1, 2]) {
  const [one, two] = ["web-1", "web-2"].map((key) => second(key, [0.9, 0.1], { hashVersion }));
  console.log("JavaScript: hash", hashVersion, one.size, two.size, "both", [...one].filter((user) => two.has(user)).length);
}
JS
expect <<'END'
Python: [0.9, 0.1] 197
Python: [90, 10] 985
Python: [0.9, 0.2] 985
Python: [0.9] 985
Python: hash 1 197 175 both 0
Python: hash 2 206 190 both 13
JavaScript: [0.9,0.1] 197
JavaScript: [90,10] 985
JavaScript: [0.9,0.2] 985
JavaScript: [0.9] 985
JavaScript: hash 1 197 175 both 0
JavaScript: hash 2 206 190 both 13
END
