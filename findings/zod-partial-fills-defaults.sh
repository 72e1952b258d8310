#!/usr/bin/env bash
# zod 4.6.7, joi 18.3.2 and yup 1.7.1, against zod 3 (zod/v3 of the same package) and valibot 1.5.0 (JavaScript).
#
# Guess: a schema that is made partial accepts a change of one field and returns that field alone. Defaults are for
# whole objects; in zod 3 that is how it works.
#
# Really: in zod 4 partial() keeps the defaults, and parse() fills in every field that was not given. joi and yup do the
# same with optional fields. zod 3 and valibot return only what was given.
#
# Matters: a service that validates a patch of its settings this way resets all other fields with each change: the
# threshold of a Canary goes back to 10 when somebody changes its interval. The update from zod 3 to 4 is enough. Take
# the defaults out of the schema before partial(), or keep only the keys of the input.
#
# Seen, for {"interval": "30s"}: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node zod@4.6.7 joi@18.3.2 yup@1.7.1 valibot@1.5.0 <<'JS'
import Joi from "joi";
import * as v from "valibot";
import * as yup from "yup";
import { z } from "zod";
import { z as z3 } from "zod/v3";

const fields = (number, string) => ({ threshold: number.default(10), interval: string.default("1m") });
const schemas = {
  "zod 4": (change) => z.object(fields(z.number(), z.string())).partial().parse(change),
  "zod 3": (change) => z3.object(fields(z3.number(), z3.string())).partial().parse(change),
  joi: (change) => Joi.attempt(change, Joi.object(fields(Joi.number(), Joi.string())).fork(["threshold", "interval"], (s) => s.optional())),
  yup: (change) => yup.object(fields(yup.number(), yup.string())).partial().validateSync(change),
  valibot: (change) => v.parse(v.partial(v.object({ threshold: v.optional(v.number(), 10), interval: v.optional(v.string(), "1m") })), change),
};
for (const [name, parse] of Object.entries(schemas)) {
  const stored = { threshold: 3, interval: "1m" };
  const change = parse({ interval: "30s" });
  console.log(`${name}: change ${JSON.stringify(change, ["threshold", "interval"])}, stored ${JSON.stringify({ ...stored, ...change })}`);
}
JS
expect <<'END'
zod 4: change {"threshold":10,"interval":"30s"}, stored {"threshold":10,"interval":"30s"}
zod 3: change {"interval":"30s"}, stored {"threshold":3,"interval":"30s"}
joi: change {"threshold":10,"interval":"30s"}, stored {"threshold":10,"interval":"30s"}
yup: change {"threshold":10,"interval":"30s"}, stored {"threshold":10,"interval":"30s"}
valibot: change {"interval":"30s"}, stored {"threshold":3,"interval":"30s"}
END
