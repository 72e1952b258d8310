#!/usr/bin/env bash
# robfig/cron 3.0.1 (Go; CronJobs and KEDA), croniter 7.0.0 (Python), croner 11.0.1 and cron-parser 5.10.5
# (JavaScript).
#
# Guess: "30 2 * * *" in Europe/Berlin runs once a day, as with Debian's cron.
#
# Really: when clocks go forward, Go leaves the day out, croniter and croner run at 3:00, cron-parser at 3:30. When
# they go back, Go and croniter run twice.
#
# Matters: CronJobs with a timeZone are Go's: a nightly release, or a KEDA cron trigger that wakes a canary's pods,
# does not happen on one night and happens twice on another. Plan for hours other than 1 to 3, or in UTC.
#
# Seen: see `expect` below (times are UTC).
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/robfig/cron/v3@v3.0.1 <<'GO'
package main

import (
	"fmt"
	"time"
	_ "time/tzdata"

	"github.com/robfig/cron/v3"
)

func main() {
	berlin, _ := time.LoadLocation("Europe/Berlin")
	schedule, _ := cron.ParseStandard("30 2 * * *")
	for _, at := range []time.Time{time.Date(2026, 3, 28, 12, 0, 0, 0, berlin), time.Date(2026, 10, 24, 12, 0, 0, 0, berlin)} {
		fmt.Print("Go")
		for range 2 {
			at = schedule.Next(at)
			fmt.Print(at.UTC().Format(" 01-02T15:04"))
		}
		fmt.Println()
	}
}
GO
with_python croniter==7.0.0 tzdata <<'PY'
import datetime
import zoneinfo
from croniter import croniter

berlin = zoneinfo.ZoneInfo("Europe/Berlin")
for at in (datetime.datetime(2026, 3, 28, 12, tzinfo=berlin), datetime.datetime(2026, 10, 24, 12, tzinfo=berlin)):
    times = croniter("30 2 * * *", at)
    print("croniter", *(times.get_next(datetime.datetime).astimezone(datetime.timezone.utc).strftime("%m-%dT%H:%M") for _ in range(2)))
PY
with_node croner@11.0.1 cron-parser@5.10.5 <<'JS'
import { Cron } from "croner";
import { CronExpressionParser } from "cron-parser";

for (const at of ["2026-03-28T11:00:00Z", "2026-10-24T11:00:00Z"]) {
  const times = new Cron("30 2 * * *", { timezone: "Europe/Berlin" }).nextRuns(2, new Date(at));
  console.log("croner", ...times.map((time) => time.toISOString().slice(5, 16)));
  const other = CronExpressionParser.parse("30 2 * * *", { tz: "Europe/Berlin", currentDate: new Date(at) });
  console.log("cron-parser", ...[0, 1].map(() => other.next().toDate().toISOString().slice(5, 16)));
}
JS
expect <<'END'
Go 03-30T00:30 03-31T00:30
Go 10-25T00:30 10-25T01:30
croniter 03-29T01:00 03-30T00:30
croniter 10-25T00:30 10-25T01:30
croner 03-29T01:00 03-30T00:30
cron-parser 03-29T01:30 03-30T00:30
croner 10-25T00:30 10-26T01:30
cron-parser 10-25T00:30 10-26T01:30
END
