#!/usr/bin/env bash
# zod 4.6.7 and valibot 1.5.0, against joi 18.3.2 (JavaScript).
#
# Guess: a union of two schemas for objects chooses the one that fits the value best, or keeps fields that it does not
# know.
#
# Really: zod and valibot take the first schema that accepts the value, and drop all fields that it does not name. If
# the fields that tell the second one apart are all additions, the first one always wins. joi refuses unknown fields and
# so comes to the second.
#
# Matters: a tool that reads metrics of a Canary as {name, threshold} or {name, threshold, templateRef} loses the
# templateRef, without an error, and writes back a check of something else. The order of two lines decides. Use
# z.strictObject(), or put the larger schema first.
#
# Seen, for a metric with a templateRef: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node zod@4.6.7 valibot@1.5.0 joi@18.3.2 <<'JS'
import Joi from "joi";
import * as v from "valibot";
import { z } from "zod";

const builtIn = (string, number) => ({ name: string, threshold: number });
const custom = (string, number) => ({ ...builtIn(string, number), templateRef: string });
const forms = (object, ...types) => [builtIn, custom].map((fields) => object(fields(...types)));
const parsers = {
  "zod, union": (value) => z.union(forms(z.object, z.string(), z.number())).parse(value),
  "zod, larger first": (value) => z.union(forms(z.object, z.string(), z.number()).reverse()).parse(value),
  "zod, strictObject": (value) => z.union(forms(z.strictObject, z.string(), z.number())).parse(value),
  "valibot, union": (value) => v.parse(v.union(forms(v.object, v.string(), v.number())), value),
  "joi, alternatives": (value) => Joi.attempt(value, Joi.alternatives(...forms((fields) => Joi.object(fields), Joi.string(), Joi.number()))),
};
for (const [name, parse] of Object.entries(parsers)) console.log(`${name}: ${Object.keys(parse({ name: "errors", threshold: 1, templateRef: "orders" })).join(", ")}`);
JS
expect <<'END'
zod, union: name, threshold
zod, larger first: name, threshold, templateRef
zod, strictObject: name, threshold, templateRef
valibot, union: name, threshold
joi, alternatives: name, threshold, templateRef
END
