#!/usr/bin/env bash
# dayjs 1.11.23 with its plugins utc and timezone, against luxon 3.7.2 (JavaScript).
#
# Guess: dayjs.tz("2026-07-05T09:00:00Z", "Europe/Berlin") is nine o'clock UTC, shown as eleven in Berlin: the Z says so.
#
# Really: the Z is dropped, and so is an offset that is written out: it is nine in Berlin, seven UTC.
# dayjs(text).tz("Europe/Berlin") is what was guessed, as is DateTime.fromISO(text, { zone }) of luxon.
#
# Matters: every time in a Canary's status ends in Z. A bot that reads lastTransitionTime or an approval this way is off
# by the offset of the zone: one or two hours in Europe, so that a wait of an hour is over at once, or never on the other
# side of the ocean; with TZ=UTC in a test it is right.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node dayjs@1.11.23 luxon@3.7.2 <<'JS'
import dayjs from "dayjs";
import timezone from "dayjs/plugin/timezone.js";
import utc from "dayjs/plugin/utc.js";
import { DateTime } from "luxon";

dayjs.extend(utc);
dayjs.extend(timezone);
for (const text of ["2026-07-05T09:00:00Z", "2026-07-05T09:00:00+00:00"]) {
  for (const zone of ["Europe/Berlin", "America/New_York", "UTC"]) {
    const seen = [dayjs.tz(text, zone).toISOString(), dayjs(text).tz(zone).toISOString()];
    console.log(`${text} ${zone}: dayjs.tz() ${seen[0]}, dayjs().tz() ${seen[1]}, luxon ${DateTime.fromISO(text, { zone }).toUTC().toISO()}`);
  }
}
JS
expect <<'END'
2026-07-05T09:00:00Z Europe/Berlin: dayjs.tz() 2026-07-05T07:00:00.000Z, dayjs().tz() 2026-07-05T09:00:00.000Z, luxon 2026-07-05T09:00:00.000Z
2026-07-05T09:00:00Z America/New_York: dayjs.tz() 2026-07-05T13:00:00.000Z, dayjs().tz() 2026-07-05T09:00:00.000Z, luxon 2026-07-05T09:00:00.000Z
2026-07-05T09:00:00Z UTC: dayjs.tz() 2026-07-05T09:00:00.000Z, dayjs().tz() 2026-07-05T09:00:00.000Z, luxon 2026-07-05T09:00:00.000Z
2026-07-05T09:00:00+00:00 Europe/Berlin: dayjs.tz() 2026-07-05T07:00:00.000Z, dayjs().tz() 2026-07-05T09:00:00.000Z, luxon 2026-07-05T09:00:00.000Z
2026-07-05T09:00:00+00:00 America/New_York: dayjs.tz() 2026-07-05T13:00:00.000Z, dayjs().tz() 2026-07-05T09:00:00.000Z, luxon 2026-07-05T09:00:00.000Z
2026-07-05T09:00:00+00:00 UTC: dayjs.tz() 2026-07-05T09:00:00.000Z, dayjs().tz() 2026-07-05T09:00:00.000Z, luxon 2026-07-05T09:00:00.000Z
END
