#!/usr/bin/env bash
# schedule 1.2.2 (Python).
#
# Guess: a job that raises is over until its next time, and the jobs behind it run, as with cron; it is enough to catch
# what run_pending() raises and to call it again.
#
# Really: run_pending() ends at the exception, and the job stays due, since its next time is set only after it has run.
# The next call begins with it again, and the jobs that are due later never run, without a word of theirs.
#
# Matters: a bot that looks at each team's Canaries by a job of its own looks at none behind the first that fails, such as
# one whose namespace is gone, and asks that one in every turn of the loop. Catch inside of each job.
#
# Seen, of three calls, each in a try: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python schedule==1.2.2 <<'PY'
import datetime
import schedule

calls = {"broken": 0, "healthy": 0}


def broken():
    calls["broken"] += 1
    raise RuntimeError("namespace not found")


def healthy():
    calls["healthy"] += 1


bot = schedule.Scheduler()
jobs = [bot.every().hour.do(broken), bot.every().hour.do(healthy)]
for minutes, job in zip((2, 1), jobs):
    job.next_run = datetime.datetime.now() - datetime.timedelta(minutes=minutes)
for _ in range(3):
    try:
        bot.run_pending()
    except RuntimeError as error:
        print("raised:", error)
print(calls)
PY
expect <<'END'
raised: namespace not found
raised: namespace not found
raised: namespace not found
{'broken': 3, 'healthy': 0}
END
