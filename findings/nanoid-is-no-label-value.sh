#!/usr/bin/env bash
# nanoid 5.1.16 and randomUUID() of Node 20 (JavaScript), against the rule for label values of Kubernetes.
#
# Guess: an id of letters, digits, "-" and "_" that is safe in a URL can be the value of a label.
#
# Really: a label value must begin and end with a letter or a digit. One id in sixteen of nanoid() begins or ends with
# "-" or "_". UUIDs always fit.
#
# Matters: a bot that labels a Canary, a Job of a load test or a namespace for previews with the id of a run works in
# every test, and is refused by the API server in one run of sixteen. Use customAlphabet() with digits and small
# letters, which also fits names.
#
# Seen, of 200000 ids: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node nanoid@5.1.16 <<'JS'
import { randomUUID } from "node:crypto";
import { customAlphabet, nanoid } from "nanoid";

const small = customAlphabet("0123456789abcdefghijklmnopqrstuvwxyz", 21);
for (const [name, make] of Object.entries({ nanoid, customAlphabet: small, randomUUID })) {
  let refused = 0;
  for (let n = 0; n < 200000; n++) refused += !/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(make());
  console.log(`${name}: ${Math.round(refused / 2000)} % refused`);
}
JS
expect <<'END'
nanoid: 6 % refused
customAlphabet: 0 % refused
randomUUID: 0 % refused
END
