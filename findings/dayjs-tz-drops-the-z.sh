#!/usr/bin/env bash
# dayjs 1.11.23 with its plugins utc and timezone, and date-fns-tz 3.2.0 (JavaScript), arrow 1.4.0 (Python), against luxon
# 3.7.2 and moment-timezone 0.6.6 (JavaScript).
#
# Guess: dayjs.tz("2026-07-05T09:00:00Z", "Europe/Berlin") is nine o'clock UTC, shown as eleven in Berlin: the Z says so.
#
# Really: the Z is dropped, and so is an offset that is written out: it is nine in Berlin, seven UTC. fromZonedTime(text,
# zone) of date-fns-tz and arrow.get(text, tzinfo=zone) drop it too. dayjs(text).tz("Europe/Berlin") is what was guessed,
# as is what luxon and moment make of it.
#
# Matters: every time in a Canary's status ends in Z. A bot that reads lastTransitionTime or an approval this way is off
# by the offset of the zone: one or two hours in Europe, so that a wait of an hour is over at once, or never on the other
# side of the ocean; with TZ=UTC in a test it is right.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node dayjs@1.11.23 luxon@3.7.2 date-fns-tz@3.2.0 date-fns@4.4.0 moment-timezone@0.6.6 <<'JS'
import dayjs from "dayjs";
import timezone from "dayjs/plugin/timezone.js";
import utc from "dayjs/plugin/utc.js";
import { fromZonedTime } from "date-fns-tz";
import { DateTime } from "luxon";
import moment from "moment-timezone";

dayjs.extend(utc);
dayjs.extend(timezone);
for (const text of ["2026-07-05T09:00:00Z", "2026-07-05T09:00:00+00:00"]) {
  for (const zone of ["Europe/Berlin", "America/New_York", "UTC"]) {
    const seen = [dayjs.tz(text, zone).toISOString(), dayjs(text).tz(zone).toISOString()];
    console.log(`${text} ${zone}: dayjs.tz() ${seen[0]}, dayjs().tz() ${seen[1]}, luxon ${DateTime.fromISO(text, { zone }).toUTC().toISO()}`);
  }
}
const [text, zone] = ["2026-07-05T09:00:00Z", "Europe/Berlin"];
console.log("date-fns-tz", fromZonedTime(text, zone).toISOString(), "moment", moment.tz(text, zone).toISOString());
JS
with_python arrow==1.4.0 <<'PY'
import arrow

print("arrow", arrow.get("2026-07-05T09:00:00Z", tzinfo="Europe/Berlin").to("utc"), arrow.get("2026-07-05T09:00:00Z").to("Europe/Berlin").to("utc"))
PY
expect <<'END'
2026-07-05T09:00:00Z Europe/Berlin: dayjs.tz() 2026-07-05T07:00:00.000Z, dayjs().tz() 2026-07-05T09:00:00.000Z, luxon 2026-07-05T09:00:00.000Z
2026-07-05T09:00:00Z America/New_York: dayjs.tz() 2026-07-05T13:00:00.000Z, dayjs().tz() 2026-07-05T09:00:00.000Z, luxon 2026-07-05T09:00:00.000Z
2026-07-05T09:00:00Z UTC: dayjs.tz() 2026-07-05T09:00:00.000Z, dayjs().tz() 2026-07-05T09:00:00.000Z, luxon 2026-07-05T09:00:00.000Z
2026-07-05T09:00:00+00:00 Europe/Berlin: dayjs.tz() 2026-07-05T07:00:00.000Z, dayjs().tz() 2026-07-05T09:00:00.000Z, luxon 2026-07-05T09:00:00.000Z
2026-07-05T09:00:00+00:00 America/New_York: dayjs.tz() 2026-07-05T13:00:00.000Z, dayjs().tz() 2026-07-05T09:00:00.000Z, luxon 2026-07-05T09:00:00.000Z
2026-07-05T09:00:00+00:00 UTC: dayjs.tz() 2026-07-05T09:00:00.000Z, dayjs().tz() 2026-07-05T09:00:00.000Z, luxon 2026-07-05T09:00:00.000Z
date-fns-tz 2026-07-05T07:00:00.000Z moment 2026-07-05T09:00:00.000Z
arrow 2026-07-05T07:00:00+00:00 2026-07-05T09:00:00+00:00
END
