#!/usr/bin/env bash
# zod 4.6.7, ajv 8.20.0 with coerceTypes and fastify 5.12.8, which sets that by itself, against joi 18.3.2 and yup 1.7.1
# (JavaScript).
#
# Guess: a validator that turns "5" into 5 refuses null and empty texts where a number is wanted.
#
# Really: z.coerce.number() makes 0 of null, "", false and [], and 7 of ["7"]; ajv makes 0 of null, false and " ". A
# handler of fastify with a schema of type number gets 0 for {"failures": null}. joi and yup refuse them.
#
# Matters: null is what a metrics server or a template in JSON gives for "no value". A gate that reads {"failures": null}
# as 0 opens, and a canary without traffic is promoted. Use z.number(), and switch coerceTypes off for bodies.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node zod@4.6.7 ajv@8.20.0 joi@18.3.2 yup@1.7.1 fastify@5.12.8 <<'JS'
import Ajv from "ajv";
import Fastify from "fastify";
import Joi from "joi";
import * as yup from "yup";
import { z } from "zod";

const schema = { type: "object", properties: { failures: { type: "number" } } };
const ajv = new Ajv({ coerceTypes: true }).compile(schema);
const app = Fastify();
app.post("/gate", { schema: { body: schema } }, async ({ body }) => body);
const readers = {
  zod: (value) => z.coerce.number().parse(value),
  ajv: (value) => {
    const object = { failures: value };
    if (!ajv(object)) throw new Error();
    return object.failures;
  },
  fastify: async (value) => {
    const answer = await app.inject({ method: "POST", url: "/gate", payload: { failures: value } });
    if (answer.statusCode !== 200) throw new Error();
    return answer.json().failures;
  },
  joi: (value) => Joi.attempt(value, Joi.number()),
  yup: (value) => yup.number().validateSync(value),
};
for (const value of [null, "", " ", false, [], ["7"], "5"]) {
  const seen = [];
  for (const [name, read] of Object.entries(readers)) {
    try {
      seen.push(`${name} ${await read(value)}`);
    } catch {
      seen.push(`${name} refuses`);
    }
  }
  console.log(`${JSON.stringify(value)}: ${seen.join(", ")}`);
}
JS
expect <<'END'
null: zod 0, ajv 0, fastify 0, joi refuses, yup refuses
"": zod 0, ajv refuses, fastify refuses, joi refuses, yup refuses
" ": zod 0, ajv 0, fastify 0, joi refuses, yup refuses
false: zod 0, ajv 0, fastify 0, joi refuses, yup refuses
[]: zod 0, ajv refuses, fastify refuses, joi refuses, yup refuses
["7"]: zod 7, ajv refuses, fastify 7, joi refuses, yup 7
"5": zod 5, ajv 5, fastify 5, joi 5, yup 5
END
