#!/usr/bin/env bash
# lodash 4.18.1, es-toolkit 1.53.2, memoize 10.2.0, p-memoize 8.0.0, memoizee 0.4.17, fast-memoize 2.5.2, micro-memoize
# 5.2.0 and moize 6.1.7 (JavaScript).
#
# Guess: lodash goes by the first argument alone, as is known. The others keep one answer for each set of arguments, and a
# call that was rejected is made again.
#
# Really: memoize, p-memoize and es-toolkit go by the first argument as well, and es-toolkit does not even pass the second
# one on. memoizee and fast-memoize count the arguments before the first default value: behind `version = "primary"` they
# hand out the primary's answer for the canary. micro-memoize and moize keep the last answer only, so that two versions in
# turn are asked for each time. All but p-memoize keep a rejected promise.
#
# Matters: a bot that memoizes ask(query, version) compares the primary with itself and promotes every canary; one 503 of
# the metrics server is its answer for good. Memoize by a key that is made of all arguments, and drop what was rejected.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node lodash@4.18.1 es-toolkit@1.53.2 memoize@10.2.0 p-memoize@8.0.0 memoizee@0.4.17 fast-memoize@2.5.2 \
  micro-memoize@5.2.0 moize@6.1.7 <<'JS'
import { memoize as esToolkit } from "es-toolkit";
import fastMemoize from "fast-memoize";
import lodash from "lodash";
import memoize from "memoize";
import memoizee from "memoizee";
import { memoize as microMemoize } from "micro-memoize";
import moize from "moize";
import pMemoize from "p-memoize";

const keep = {
  lodash: lodash.memoize, "es-toolkit": esToolkit, memoize, "p-memoize": pMemoize, memoizee, "fast-memoize": fastMemoize,
  "micro-memoize": microMemoize, moize: moize.default ?? moize,
};
for (const [name, memoized] of Object.entries(keep)) {
  let calls = 0;
  const ask = memoized(async (query, version) => {
    calls += 1;
    return version;
  });
  const answers = [];
  for (const version of ["primary", "canary", "primary"]) answers.push(String(await ask("rate", version)));

  const withDefault = memoized(async (query, version = "primary") => version);
  const byDefault = [await withDefault("rate"), await withDefault("rate", "canary")];

  let tries = 0;
  const fails = memoized(async (query) => {
    tries += 1;
    throw new Error("503");
  });
  for (let i = 0; i < 2; i++) {
    await fails("rate").catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  console.log(`${name}: ${answers.join(", ")} by ${calls} calls; with a default: ${byDefault.join(", ")}; a failing call twice: ${tries}`);
}
JS
expect <<'END'
lodash: primary, primary, primary by 1 calls; with a default: primary, primary; a failing call twice: 1
es-toolkit: undefined, undefined, undefined by 1 calls; with a default: primary, primary; a failing call twice: 1
memoize: primary, primary, primary by 1 calls; with a default: primary, primary; a failing call twice: 1
p-memoize: primary, primary, primary by 1 calls; with a default: primary, primary; a failing call twice: 2
memoizee: primary, canary, primary by 2 calls; with a default: primary, primary; a failing call twice: 1
fast-memoize: primary, canary, primary by 2 calls; with a default: primary, primary; a failing call twice: 1
micro-memoize: primary, canary, primary by 3 calls; with a default: primary, canary; a failing call twice: 1
moize: primary, canary, primary by 3 calls; with a default: primary, canary; a failing call twice: 1
END
