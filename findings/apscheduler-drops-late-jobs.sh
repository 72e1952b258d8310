#!/usr/bin/env bash
# APScheduler 3.11.3 (Python).
#
# Guess: a job whose time comes while the only thread is busy runs as soon as the thread is free; one whose time was while
# the program was down runs at the next start.
#
# Really: a job that is more than a second late is not run at all, and one that was for a single date is gone. A line in the
# log at the level WARNING tells of it. With misfire_grace_time=None it is what was guessed.
#
# Matters: a bot that approves a Canary at 22:00, or resumes it after a freeze, does not if it was asking another cluster
# just then, or was restarted in that second: the release waits until somebody looks. Give misfire_grace_time.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python APScheduler==3.11.3 <<'PY'
import logging
import time
from datetime import datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

logging.disable()
for grace in (1, None):
    ran = []
    scheduler = BackgroundScheduler(executors={"default": {"type": "threadpool", "max_workers": 1}}, job_defaults={"misfire_grace_time": grace})
    soon = datetime.now() + timedelta(seconds=1)
    scheduler.add_job(time.sleep, args=[3], run_date=soon, trigger="date")
    scheduler.add_job(ran.append, args=["approve"], run_date=soon + timedelta(seconds=0.2), trigger="date")
    if grace == 1:
        assert BackgroundScheduler()._job_defaults["misfire_grace_time"] == 1
    scheduler.start()
    time.sleep(6)
    print(f"misfire_grace_time {grace}: ran {ran}, left {len(scheduler.get_jobs())}")
    scheduler.shutdown()
PY
expect <<'END'
misfire_grace_time 1: ran [], left 0
misfire_grace_time None: ran ['approve'], left 0
END
