#!/usr/bin/env bash
# @openfeature/flagd-core 4.0.1 (JavaScript) and openfeature-flagd-core 2.0.0 (Python).
#
# Guess: `fractional: [[canary, 10], [primary, 90]]` of one flag gives a user the same variant in each language. Weights are
# relative, so that 0.1 and 0.9 are the same as 10 and 90, and ["canary", 10] alone is a tenth.
#
# Really: the two languages hash differently: of 2000 users JavaScript gives 221 to the canary and Python 190, and 19 are
# the same ones. 0.1 and 0.9 give it to nobody, without an error: the default variant. ["canary", 10] alone is everybody. A
# number to share out by (`{"var": "id"}`) is nobody in JavaScript and a tenth in Python.
#
# Matters: a page and the service behind it, in two languages, show one user the new version and the old one. A release
# meant for a tenth goes to nobody, and passes untested, or to everybody. Write whole weights for all variants, decide in
# one place and hand the answer on.
#
# Seen, users of 2000 whose variant is "canary": see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export WORK="$work"
with_node @openfeature/flagd-core@4.0.1 <<'JS'
import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
const { FlagdCore } = createRequire(import.meta.url)("@openfeature/flagd-core");

const silent = { error() {}, warn() {}, info() {}, debug() {} };
const core = new FlagdCore();
const users = (fractional) => {
  const web = { state: "ENABLED", variants: { canary: "canary", primary: "primary" }, defaultVariant: "primary", targeting: { fractional } };
  core.setConfigurations(JSON.stringify({ flags: { web } }));
  return [...Array(2000).keys()].filter((id) => core.resolveStringEvaluation("web", "primary", { targetingKey: `user-${id}`, id }, silent).value === "canary");
};
const both = [["canary", 10], ["primary", 90]];
writeFileSync(process.env.WORK + "/users", JSON.stringify(users(both)));
for (const split of [both, [["canary", 0.1], ["primary", 0.9]], [["canary", 10]], [{ var: "id" }, ...both]]) {
  console.log("JavaScript", JSON.stringify(split), users(split).length);
}
JS
with_python openfeature-flagd-core==2.0.0 openfeature-sdk==0.10.0 <<'PY'
import json
import logging
import os

from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext

logging.disable()
core = FlagdCore()


def users(fractional):
    web = {"state": "ENABLED", "variants": {"canary": "canary", "primary": "primary"}, "defaultVariant": "primary", "targeting": {"fractional": fractional}}
    core.set_flags(json.dumps({"flags": {"web": web}}))
    contexts = (EvaluationContext(f"user-{number}", {"id": number}) for number in range(2000))
    return [number for number, context in enumerate(contexts) if core.resolve_string_value("web", "primary", context).value == "canary"]


both = [["canary", 10], ["primary", 90]]
for split in (both, [["canary", 0.1], ["primary", 0.9]], [["canary", 10]], [{"var": "id"}, *both]):
    print("Python", json.dumps(split, separators=(",", ":")), len(users(split)))
with open(os.environ["WORK"] + "/users") as file:
    print("the same users in both:", len(set(json.load(file)) & set(users(both))))
PY
expect <<'END'
JavaScript [["canary",10],["primary",90]] 221
JavaScript [["canary",0.1],["primary",0.9]] 0
JavaScript [["canary",10]] 2000
JavaScript [{"var":"id"},["canary",10],["primary",90]] 0
Python [["canary",10],["primary",90]] 190
Python [["canary",0.1],["primary",0.9]] 0
Python [["canary",10]] 2000
Python [{"var":"id"},["canary",10],["primary",90]] 204
the same users in both: 19
END
