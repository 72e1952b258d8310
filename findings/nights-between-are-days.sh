#!/usr/bin/env bash
# date-fns 4.4.0 and dayjs 1.11.23 with its plugin isBetween, against luxon 3.7.2 and moment 2.31.0 (JavaScript).
#
# Guess: a window from 22:00 to 06:00 that was built with both times on one day is an error, or contains nothing.
#
# Really: date-fns and dayjs swap the two ends where the start is the later one. The window is then from 06:00 to 22:00: noon
# is in it, 23:00 is not. luxon and moment find neither.
#
# Matters: a gate that lets canaries run at night only lets them run by day only, and nobody sees an error. Where the end is
# before the start, ask whether the time is after the start or before the end.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node date-fns@4.4.0 dayjs@1.11.23 luxon@3.7.2 moment@2.31.0 <<'JS'
import { isWithinInterval } from "date-fns";
import dayjs from "dayjs";
import isBetween from "dayjs/plugin/isBetween.js";
import { DateTime, Interval } from "luxon";
import moment from "moment";

dayjs.extend(isBetween);
const at = (hour) => new Date(Date.UTC(2026, 10, 30, hour));
const contains = {
  "date-fns": (time, start, end) => isWithinInterval(time, { start, end }),
  dayjs: (time, start, end) => dayjs(time).isBetween(start, end),
  luxon: (time, start, end) => Interval.fromDateTimes(start, end).contains(DateTime.fromJSDate(time)),
  moment: (time, start, end) => moment(time).isBetween(start, end),
};
for (const [start, end] of [[9, 17], [22, 6]]) {
  for (const hour of [12, 23]) {
    const seen = Object.entries(contains).map(([name, test]) => `${name} ${test(at(hour), at(start), at(end))}`);
    console.log(`${hour}:00 in ${start}:00 to ${end}:00: ${seen.join(", ")}`);
  }
}
JS
expect <<'END'
12:00 in 9:00 to 17:00: date-fns true, dayjs true, luxon true, moment true
23:00 in 9:00 to 17:00: date-fns false, dayjs false, luxon false, moment false
12:00 in 22:00 to 6:00: date-fns true, dayjs true, luxon false, moment false
23:00 in 22:00 to 6:00: date-fns false, dayjs false, luxon false, moment false
END
