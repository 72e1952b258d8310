#!/usr/bin/env bash
# dateparser 1.5.0 (Python) and chrono-node 2.10.3 (JavaScript).
#
# Guess: "2h", "friday" and "08:00", as in "freeze until friday", are the next ones, or refused where it is not clear.
#
# Really: for dateparser "2h" and "10m" were two hours and ten minutes ago, and "friday" is the last one; "12" is the
# fifth of December. chrono-node takes the friday that is nearest, on a Sunday the last one, and the 08:00 of today when
# it is nine; "2h" is nothing.
#
# Matters: a bot that holds releases "until friday" by such a text holds nothing, since that is over, and says so to
# nobody; one that allows them for "2h" never does. Give PREFER_DATES_FROM: future, or forwardDate: true, which leads each
# of these ahead, and show the time that was understood.
#
# Seen, on Sunday 2026-07-05 at nine UTC: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export TZ=UTC
with_python dateparser==1.5.0 <<'PY'
import datetime
import dateparser

now = datetime.datetime(2026, 7, 5, 9, 0)
for text in ("2h", "10m", "in 2h", "friday", "08:00", "12"):
    for prefer in ("current_period", "future"):
        print(f"dateparser, {prefer}: {text} is", dateparser.parse(text, settings={"RELATIVE_BASE": now, "PREFER_DATES_FROM": prefer}))
PY
with_node chrono-node@2.10.3 <<'JS'
import { parseDate } from "chrono-node";

const now = new Date("2026-07-05T09:00:00Z");
for (const text of ["2h", "in 2h", "friday", "08:00"]) {
  for (const forwardDate of [false, true]) {
    console.log(`chrono-node, forwardDate ${forwardDate}: ${text} is ${parseDate(text, now, { forwardDate })?.toISOString()}`);
  }
}
JS
expect <<'END'
dateparser, current_period: 2h is 2026-07-05 07:00:00
dateparser, future: 2h is 2026-07-05 11:00:00
dateparser, current_period: 10m is 2026-07-05 08:50:00
dateparser, future: 10m is 2026-07-05 09:10:00
dateparser, current_period: in 2h is 2026-07-05 11:00:00
dateparser, future: in 2h is 2026-07-05 11:00:00
dateparser, current_period: friday is 2026-07-03 00:00:00
dateparser, future: friday is 2026-07-10 00:00:00
dateparser, current_period: 08:00 is 2026-07-05 08:00:00
dateparser, future: 08:00 is 2026-07-06 08:00:00
dateparser, current_period: 12 is 2026-12-05 00:00:00
dateparser, future: 12 is 2026-12-05 00:00:00
chrono-node, forwardDate false: 2h is undefined
chrono-node, forwardDate true: 2h is 2026-07-05T11:00:00.000Z
chrono-node, forwardDate false: in 2h is 2026-07-05T11:00:00.000Z
chrono-node, forwardDate true: in 2h is 2026-07-05T11:00:00.000Z
chrono-node, forwardDate false: friday is 2026-07-03T12:00:00.000Z
chrono-node, forwardDate true: friday is 2026-07-10T12:00:00.000Z
chrono-node, forwardDate false: 08:00 is 2026-07-05T08:00:00.000Z
chrono-node, forwardDate true: 08:00 is 2026-07-06T08:00:00.000Z
END
