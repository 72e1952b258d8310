#!/usr/bin/env bash
# zod 4.6.7, joi 18.3.2, yup 1.7.1 and dayjs 1.11.23, against luxon 3.7.2 (JavaScript).
#
# Guess: a field that is declared as a date refuses "friday 9", "app-7" and 2026-02-31.
#
# Really: the first four ask the engine's Date, which makes a date of nearly every text with a number at its end: the
# first of September and of July 2001, and the third of March. 5.7.2026 is the seventh of May. joi takes "1790000000" for
# milliseconds: January 1970.
#
# Matters: the form or the annotation of a freeze takes "friday 9" without an error and means 2001: the freeze is over,
# releases go on, and nobody is told. Ask for ISO 8601: z.iso.datetime(), Joi.date().iso(), or luxon, which refuses the
# rest.
#
# Seen, in UTC: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export TZ=UTC
with_node zod@4.6.7 joi@18.3.2 yup@1.7.1 dayjs@1.11.23 luxon@3.7.2 <<'JS'
import dayjs from "dayjs";
import Joi from "joi";
import { DateTime } from "luxon";
import * as yup from "yup";
import { z } from "zod";

const readers = {
  zod: (text) => z.coerce.date().parse(text),
  joi: (text) => Joi.attempt(text, Joi.date()),
  yup: (text) => yup.date().validateSync(text),
  dayjs: (text) => dayjs(text).toDate(),
  luxon: (text) => DateTime.fromISO(text).toJSDate(),
};
for (const text of ["friday 9", "app-7", "2026-02-31", "5.7.2026", "1790000000", "2026-07-05T09:00:00Z"]) {
  const seen = Object.entries(readers).map(([name, read]) => {
    try {
      return `${name} ${read(text).toISOString()}`;
    } catch {
      return `${name} refuses`;
    }
  });
  console.log(`${text}: ${seen.join(", ")}`);
}
JS
expect <<'END'
friday 9: zod 2001-09-01T00:00:00.000Z, joi 2001-09-01T00:00:00.000Z, yup 2001-09-01T00:00:00.000Z, dayjs 2001-09-01T00:00:00.000Z, luxon refuses
app-7: zod 2001-07-01T00:00:00.000Z, joi 2001-07-01T00:00:00.000Z, yup 2001-07-01T00:00:00.000Z, dayjs 2001-07-01T00:00:00.000Z, luxon refuses
2026-02-31: zod 2026-03-03T00:00:00.000Z, joi 2026-03-03T00:00:00.000Z, yup 2026-03-03T00:00:00.000Z, dayjs 2026-03-03T00:00:00.000Z, luxon refuses
5.7.2026: zod 2026-05-07T00:00:00.000Z, joi 2026-05-07T00:00:00.000Z, yup 2026-05-07T00:00:00.000Z, dayjs 2026-05-07T00:00:00.000Z, luxon refuses
1790000000: zod refuses, joi 1970-01-21T17:13:20.000Z, yup 1790-01-01T00:00:00.000Z, dayjs 1789-11-30T00:00:00.000Z, luxon refuses
2026-07-05T09:00:00Z: zod 2026-07-05T09:00:00.000Z, joi 2026-07-05T09:00:00.000Z, yup 2026-07-05T09:00:00.000Z, dayjs 2026-07-05T09:00:00.000Z, luxon 2026-07-05T09:00:00.000Z
END
