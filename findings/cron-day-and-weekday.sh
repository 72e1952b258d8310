#!/usr/bin/env bash
# cron 0.17.0 (Rust), APScheduler 3.11.3 (Python), gronx 1.20.4 (Go), cron 4.4.0 (JavaScript), against robfig/cron 3.0.1
# (Go; CronJobs and KEDA) and croniter 7.0.0 (Python).
#
# Guess: a line with a day of the month and a weekday means either, as in crontab(5); and where one of them takes in all
# days the other decides, however it is written.
#
# Really: in Rust and with APScheduler both have to hold: a Friday the 13th. "*/2" and Monday are either for robfig,
# croniter and cron of npm, and both for gronx, as in crontab(5), where a field that begins with * does not count. "1-31"
# and Monday are every day for robfig, gronx and croniter, and Mondays for the rest.
#
# Matters: a freeze or a release window for "the 13th and Fridays" that a bot reads with another library than the CronJob
# beside it opens two or three times a year, or every day. Put one of the two fields to *, and use two lines.
#
# Seen: see `expect` below. All from 1 February 2026, in UTC.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/robfig/cron/v3@v3.0.1 github.com/adhocore/gronx@v1.20.4 <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/adhocore/gronx"
	"github.com/robfig/cron/v3"
)

func main() {
	for _, line := range []string{"0 0 13 * FRI", "0 0 */2 * MON", "0 0 1-31 * MON"} {
		schedule, _ := cron.ParseStandard(line)
		robfig := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
		other := robfig
		var robfigs, others string
		for range 4 {
			robfig = schedule.Next(robfig)
			robfigs += robfig.Format(" 01-02")
			other, _ = gronx.NextTickAfter(line, other, false)
			others += other.Format(" 01-02")
		}
		fmt.Println(line, "robfig"+robfigs)
		fmt.Println(line, "gronx"+others)
	}
}
GO
with_python croniter==7.0.0 APScheduler==3.11.3 <<'PY'
import datetime
from apscheduler.triggers.cron import CronTrigger
from croniter import croniter

start = datetime.datetime(2026, 2, 1, tzinfo=datetime.timezone.utc)
for line in ("0 0 13 * FRI", "0 0 */2 * MON", "0 0 1-31 * MON"):
    times = croniter(line, start)
    print(line, "croniter", *(times.get_next(datetime.datetime).strftime("%m-%d") for _ in range(4)))
    trigger, at, seen = CronTrigger.from_crontab(line, timezone="UTC"), start, []
    for _ in range(4):
        at = trigger.get_next_fire_time(None, at + datetime.timedelta(seconds=1))
        seen.append(at.strftime("%m-%d"))
    print(line, "APScheduler", *seen)
PY
with_node cron@4.4.0 <<'JS'
import { CronTime } from "cron";

for (const line of ["0 0 13 * FRI", "0 0 */2 * MON", "0 0 1-31 * MON"]) {
  const schedule = new CronTime(line, "UTC");
  let at = new Date("2026-02-01T00:00:00Z");
  const seen = [1, 2, 3, 4].map(() => (at = schedule.getNextDateFrom(at, "UTC").toJSDate()).toISOString().slice(5, 10));
  console.log(line, "cron (npm)", ...seen);
}
JS
with_cargo cron@=0.17.0 chrono@=0.4.45 <<'RUST'
use std::str::FromStr;

fn main() {
    let start = chrono::DateTime::parse_from_rfc3339("2026-02-01T00:00:00Z").unwrap().to_utc();
    for line in ["0 0 13 * FRI", "0 0 */2 * MON", "0 0 1-31 * MON"] {
        let schedule = cron::Schedule::from_str(&format!("0 {line}")).unwrap();
        let seen: Vec<_> = schedule.after(&start).take(4).map(|at| at.format("%m-%d").to_string()).collect();
        println!("{line} cron (Rust) {}", seen.join(" "));
    }
}
RUST
expect <<'END'
0 0 13 * FRI robfig 02-06 02-13 02-20 02-27
0 0 13 * FRI gronx 02-06 02-13 02-20 02-27
0 0 */2 * MON robfig 02-02 02-03 02-05 02-07
0 0 */2 * MON gronx 02-09 02-23 03-09 03-23
0 0 1-31 * MON robfig 02-02 02-03 02-04 02-05
0 0 1-31 * MON gronx 02-02 02-03 02-04 02-05
0 0 13 * FRI croniter 02-06 02-13 02-20 02-27
0 0 13 * FRI APScheduler 02-13 03-13 11-13 08-13
0 0 */2 * MON croniter 02-02 02-03 02-05 02-07
0 0 */2 * MON APScheduler 02-09 02-23 03-09 03-23
0 0 1-31 * MON croniter 02-02 02-03 02-04 02-05
0 0 1-31 * MON APScheduler 02-02 02-09 02-16 02-23
0 0 13 * FRI cron (npm) 02-06 02-13 02-20 02-27
0 0 */2 * MON cron (npm) 02-02 02-03 02-05 02-07
0 0 1-31 * MON cron (npm) 02-02 02-09 02-16 02-23
0 0 13 * FRI cron (Rust) 02-13 03-13 11-13 08-13
0 0 */2 * MON cron (Rust) 02-09 02-23 03-09 03-23
0 0 1-31 * MON cron (Rust) 02-02 02-09 02-16 02-23
END
