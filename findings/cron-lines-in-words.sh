#!/usr/bin/env bash
# cronstrue 3.39.0 (JavaScript) and cron-descriptor 2.2.1 (Python), against the moments that croniter 7.0.0 gives.
#
# Guess: the words for a cron line name the moments at which it runs.
#
# Really: cronstrue writes "on day 13 of the month, and on Friday" where the line runs on either, as cron-descriptor says. Both
# write "Every 40 minutes" for */40, which runs at 0 and 40 minutes past each hour, so 20 minutes apart every second time, and
# "every 5 hours" for */5, which runs at 20:00 and at 0:00.
#
# Matters: a page that shows the schedule of a freeze or of a nightly release in words reads as Friday the 13th only, and the
# reader expects an interval that the line does not keep. Show the next moments next to the words.
#
# Seen, from 1 November 2026: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node cronstrue@3.39.0 <<'JS'
import cronstrue from "cronstrue";

for (const line of ["0 0 13 * 5", "*/40 * * * *", "0 */5 * * *"]) {
  console.log(`cronstrue, ${line}: ${cronstrue.toString(line)}`);
}
JS
with_python cron-descriptor==2.2.1 croniter==7.0.0 <<'PY'
import datetime

from cron_descriptor import get_description
from croniter import croniter

begin = datetime.datetime(2026, 11, 1, 12, 1)
for line, number in [("0 0 13 * 5", 3), ("*/40 * * * *", 4), ("0 */5 * * *", 4)]:
    moments = croniter(line, begin)
    print(f"cron-descriptor, {line}: {get_description(line)}")
    print(f"runs, {line}:", ", ".join(f"{moments.get_next(datetime.datetime):%d %b %H:%M}" for _ in range(number)))
PY
expect <<'END'
cronstrue, 0 0 13 * 5: At 12:00 AM, on day 13 of the month, and on Friday
cronstrue, */40 * * * *: Every 40 minutes
cronstrue, 0 */5 * * *: On the hour, every 5 hours
cron-descriptor, 0 0 13 * 5: At 12:00 AM, on day 13 of the month, or on Friday
runs, 0 0 13 * 5: 06 Nov 00:00, 13 Nov 00:00, 20 Nov 00:00
cron-descriptor, */40 * * * *: Every 40 minutes
runs, */40 * * * *: 01 Nov 12:40, 01 Nov 13:00, 01 Nov 13:40, 01 Nov 14:00
cron-descriptor, 0 */5 * * *: Every 5 hours
runs, 0 */5 * * *: 01 Nov 15:00, 01 Nov 20:00, 02 Nov 00:00, 02 Nov 05:00
END
