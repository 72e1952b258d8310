#!/usr/bin/env bash
# dayjs 1.11.23 with its plugins utc and timezone, against luxon 3.7.2 (JavaScript).
#
# Guess: a day after Saturday noon in Berlin is Sunday noon in Berlin, also in the night in which the clocks change, since
# the object knows its zone and add(24, "hour") is there for the other meaning.
#
# Really: it is Sunday at one, or at eleven: what add and subtract give keeps the offset from before, for days, weeks and
# months alike, and its text shows noon with the wrong offset.
#
# Matters: a bot that opens a freeze or a gate "tomorrow at 9", day by day, is an hour late from the night in March on,
# and an hour early from October on, until it is restarted. Take luxon.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export TZ=UTC
with_node dayjs@1.11.23 luxon@3.7.2 <<'JS'
import dayjs from "dayjs";
import timezone from "dayjs/plugin/timezone.js";
import utc from "dayjs/plugin/utc.js";
import { DateTime } from "luxon";

dayjs.extend(utc);
dayjs.extend(timezone);
const zone = "Europe/Berlin";
for (const text of ["2026-03-28T12:00", "2026-10-24T12:00"]) {
  for (const [n, unit] of [[1, "day"], [1, "week"], [24, "hour"], [1, "month"]]) {
    const ours = dayjs.tz(text, zone).add(n, unit);
    const luxon = DateTime.fromISO(text, { zone }).plus({ [unit]: n });
    console.log(`${text} and ${n} ${unit}: dayjs ${ours.format()} = ${ours.toISOString()}, luxon ${luxon.toUTC().toISO()}`);
  }
}
JS
expect <<'END'
2026-03-28T12:00 and 1 day: dayjs 2026-03-29T12:00:00+01:00 = 2026-03-29T11:00:00.000Z, luxon 2026-03-29T10:00:00.000Z
2026-03-28T12:00 and 1 week: dayjs 2026-04-04T12:00:00+01:00 = 2026-04-04T11:00:00.000Z, luxon 2026-04-04T10:00:00.000Z
2026-03-28T12:00 and 24 hour: dayjs 2026-03-29T12:00:00+01:00 = 2026-03-29T11:00:00.000Z, luxon 2026-03-29T11:00:00.000Z
2026-03-28T12:00 and 1 month: dayjs 2026-04-28T12:00:00+01:00 = 2026-04-28T11:00:00.000Z, luxon 2026-04-28T10:00:00.000Z
2026-10-24T12:00 and 1 day: dayjs 2026-10-25T12:00:00+02:00 = 2026-10-25T10:00:00.000Z, luxon 2026-10-25T11:00:00.000Z
2026-10-24T12:00 and 1 week: dayjs 2026-10-31T12:00:00+02:00 = 2026-10-31T10:00:00.000Z, luxon 2026-10-31T11:00:00.000Z
2026-10-24T12:00 and 24 hour: dayjs 2026-10-25T12:00:00+02:00 = 2026-10-25T10:00:00.000Z, luxon 2026-10-25T10:00:00.000Z
2026-10-24T12:00 and 1 month: dayjs 2026-11-24T12:00:00+02:00 = 2026-11-24T10:00:00.000Z, luxon 2026-11-24T11:00:00.000Z
END
