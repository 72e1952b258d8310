#!/usr/bin/env bash
# deep-equal 2.2.3 and node:assert of Node 20, against fast-deep-equal 3.1.3, dequal 2.0.3 and lodash 4.18.1
# (JavaScript).
#
# Guess: deepEqual(a, b) is strict about values, whichever package it comes from; they differ in speed.
#
# Really: deep-equal compares leaves by == unless told { strict: true }: the text "50" equals 50, 0 equals false and the
# empty text, and null equals what is missing. deepEqual of node:assert does the same, its deepStrictEqual does not.
#
# Matters: a check for drift or a cache of what was sent does not see that a weight went from 0 to "", or that `suspend`
# went from false to 0 or to null, and does not write; a test that compares manifests this way passes for values that
# the API server refuses. Give { strict: true }.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node deep-equal@2.2.3 fast-deep-equal@3.1.3 dequal@2.0.3 lodash@4.18.1 <<'JS'
import assert from "node:assert";
import deepEqual from "deep-equal";
import { dequal } from "dequal";
import fastDeepEqual from "fast-deep-equal";
import lodash from "lodash";

const asserted = (a, b) => {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
};
const functions = { "deep-equal": deepEqual, "node:assert": asserted, "fast-deep-equal": fastDeepEqual, dequal, lodash: lodash.isEqual };
const pairs = [
  [{ weight: "50" }, { weight: 50 }],
  [{ weight: "" }, { weight: 0 }],
  [{ suspend: 0 }, { suspend: false }],
  [{ suspend: null }, { suspend: undefined }],
  [{ threshold: "1.0" }, { threshold: 1 }],
];
const show = (object) => Object.entries(object).map(([key, value]) => `${key}: ${value === undefined ? "undefined" : JSON.stringify(value)}`);
for (const [a, b] of pairs) {
  const equal = Object.keys(functions).filter((name) => functions[name](a, b));
  console.log(`${show(a)} and ${show(b)} are equal for: ${equal.join(", ")}`);
}
JS
expect <<'END'
weight: "50" and weight: 50 are equal for: deep-equal, node:assert
weight: "" and weight: 0 are equal for: deep-equal, node:assert
suspend: 0 and suspend: false are equal for: deep-equal, node:assert
suspend: null and suspend: undefined are equal for: deep-equal, node:assert
threshold: "1.0" and threshold: 1 are equal for: deep-equal, node:assert
END
