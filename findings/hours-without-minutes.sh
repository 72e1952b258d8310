#!/usr/bin/env bash
# node-schedule 2.1.1 (JavaScript) and celery 5.7.0 (Python), against APScheduler 3.11.3 (Python).
#
# Guess: a rule that says hour 9 and no more is once, at nine o'clock.
#
# Really: for the first two what is not said is every one: 60 times, once a minute from 9:00 to 9:59; the first of the
# month is 1440 times for celery. APScheduler takes the smallest for what is finer than what was said.
#
# Matters: a bot that starts a release, approves one or ends a freeze at nine does so for an hour, minute by minute, and
# puts back what somebody has stopped at 9:05. Write minute: 0.
#
# Seen, the times in one day: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node node-schedule@2.1.1 <<'JS'
import schedule from "node-schedule";

for (const minute of [undefined, 0]) {
  const rule = new schedule.RecurrenceRule();
  Object.assign(rule, { hour: 9, tz: "UTC" }, minute === undefined ? {} : { minute });
  const [start, end] = [new Date("2026-07-05T00:00:00Z"), new Date("2026-07-06T00:00:00Z")];
  let times = 0;
  for (let at = rule.nextInvocationDate(start); at.getTime() < end; at = rule.nextInvocationDate(new Date(at.getTime()))) {
    times++;
  }
  console.log(`node-schedule, hour 9, minute ${minute}: ${times}`);
}
JS
with_python celery==5.7.0 APScheduler==3.11.3 <<'PY'
from datetime import datetime, timedelta, timezone
from apscheduler.triggers.cron import CronTrigger
from celery.schedules import crontab

for rule in ({"hour": 9}, {"hour": 9, "minute": 0}):
    at = crontab(**rule)
    print("celery,", rule, len(at.hour) * len(at.minute))
print("celery, day of the month 1:", len(crontab(day_of_month=1).hour) * len(crontab(day_of_month=1).minute))
trigger, at, times = CronTrigger(hour=9, timezone="UTC"), datetime(2026, 7, 5, tzinfo=timezone.utc), 0
while (at := trigger.get_next_fire_time(None, at)) < datetime(2026, 7, 6, tzinfo=timezone.utc):
    times, at = times + 1, at + timedelta(seconds=1)
print("APScheduler, hour 9:", times)
PY
expect <<'END'
node-schedule, hour 9, minute undefined: 60
node-schedule, hour 9, minute 0: 1
celery, {'hour': 9} 60
celery, {'hour': 9, 'minute': 0} 1
celery, day of the month 1: 1440
APScheduler, hour 9: 1
END
