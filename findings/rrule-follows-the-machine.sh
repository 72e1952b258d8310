#!/usr/bin/env bash
# rrule 2.8.1 (JavaScript), against python-dateutil 2.9.0.post0 (Python): both read calendars' rules (RFC 5545).
#
# Guess: "Fridays at 9:00 in Europe/Berlin" is 8:00 UTC in winter, wherever the program runs.
#
# Really: for rrule it is another moment in each time zone of the machine: 8:00 UTC where that is UTC, 9:00 in Berlin, 3:00
# in New York. What its Date says in UTC is the local time of the machine. Rules in UTC are right everywhere.
#
# Matters: a freeze window ("no releases from Friday on") that a bot in JavaScript computes for a gate is right in its
# container, and hours off on the machine where it is tried out, or the reverse. Run it with TZ=UTC, or write rules in
# UTC.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
for zone in UTC Europe/Berlin America/New_York; do
  export TZ=$zone
  with_node rrule@2.8.1 <<'JS'
import rrule from "rrule";

const [berlin] = rrule.rrulestr("DTSTART;TZID=Europe/Berlin:20240115T090000\nRRULE:FREQ=WEEKLY;BYDAY=FR;COUNT=1").all();
const [utc] = rrule.rrulestr("DTSTART:20240115T080000Z\nRRULE:FREQ=WEEKLY;BYDAY=FR;COUNT=1").all();
console.log(`JavaScript in ${process.env.TZ}: ${berlin.toISOString()}, rule in UTC: ${utc.toISOString()}`);
JS
  with_python python-dateutil==2.9.0.post0 six==1.17.0 <<'PY'
import os
from datetime import timezone

from dateutil.rrule import rrulestr

berlin, = rrulestr("DTSTART;TZID=Europe/Berlin:20240115T090000\nRRULE:FREQ=WEEKLY;BYDAY=FR;COUNT=1")
print(f"Python in {os.environ['TZ']}: {berlin.astimezone(timezone.utc).isoformat()}")
PY
done
expect <<'END'
JavaScript in UTC: 2024-01-19T08:00:00.000Z, rule in UTC: 2024-01-19T08:00:00.000Z
Python in UTC: 2024-01-19T08:00:00+00:00
JavaScript in Europe/Berlin: 2024-01-19T09:00:00.000Z, rule in UTC: 2024-01-19T08:00:00.000Z
Python in Europe/Berlin: 2024-01-19T08:00:00+00:00
JavaScript in America/New_York: 2024-01-19T03:00:00.000Z, rule in UTC: 2024-01-19T08:00:00.000Z
Python in America/New_York: 2024-01-19T08:00:00+00:00
END
