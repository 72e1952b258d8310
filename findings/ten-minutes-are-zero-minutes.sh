#!/usr/bin/env bash
# luxon 3.7.2, dayjs 1.11.23 and @js-temporal/polyfill 0.5.1, against moment 2.31.0 (JavaScript).
#
# Guess: `minutes` of the time between 12:00 and 12:10, or of "PT600S", is 10.
#
# Really: luxon's diff() without a unit has milliseconds only, so that its minutes are 0, and Temporal's since() has seconds
# only. A duration that was read from "PT600S" has 0 minutes in luxon, dayjs and Temporal. dayjs.duration(600000) has 10, as
# both have in moment.
#
# Matters: a bot with `if (now.diff(lastStep).minutes > 5)` never says that a Canary stands still. Give the unit to diff(), or
# take as("minutes") or total("minutes").
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node luxon@3.7.2 dayjs@1.11.23 @js-temporal/polyfill@0.5.1 moment@2.31.0 <<'JS'
import { Temporal } from "@js-temporal/polyfill";
import dayjs from "dayjs";
import duration from "dayjs/plugin/duration.js";
import { DateTime, Duration } from "luxon";
import moment from "moment";

dayjs.extend(duration);
const [begin, end] = ["2026-11-30T12:00:00Z", "2026-11-30T12:10:00Z"];
const since = Temporal.Instant.from(end).since(Temporal.Instant.from(begin));
const luxon = DateTime.fromISO(end).diff(DateTime.fromISO(begin));
console.log(`between 12:00 and 12:10: luxon ${luxon.minutes}, Temporal ${since.minutes},`,
  `dayjs ${dayjs.duration(dayjs(end).diff(begin)).minutes()}, moment ${moment.duration(moment(end).diff(begin)).minutes()}`);
const text = "PT600S";
console.log(`${text}: luxon ${Duration.fromISO(text).minutes}, Temporal ${Temporal.Duration.from(text).minutes},`,
  `dayjs ${dayjs.duration(text).minutes()}, moment ${moment.duration(text).minutes()}`);
console.log(`asked for the whole: luxon ${luxon.as("minutes")}, Temporal ${since.total("minutes")},`,
  `dayjs ${dayjs.duration(text).asMinutes()}, moment ${moment.duration(text).asMinutes()}`);
JS
expect <<'END'
between 12:00 and 12:10: luxon 0, Temporal 0, dayjs 10, moment 10
PT600S: luxon 0, Temporal 0, dayjs 0, moment 10
asked for the whole: luxon 10, Temporal 10, dayjs 10, moment 10
END
