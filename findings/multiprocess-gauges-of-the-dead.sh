#!/usr/bin/env bash
# prometheus_client 0.26.0 (Python), multiprocess mode.
#
# Guess: with several workers a gauge is one series, and what a worker that has ended last set is gone with it, at least
# with the mode "livesum".
#
# Really: a gauge has a series with the label pid for each process that there ever was, and livesum adds up those that are
# dead. Only mark_process_dead(), which the server has to call, takes the live modes away; those of the default mode stay
# until the folder is emptied.
#
# Matters: workers that end after some requests (max_requests), or that crash, leave their queue or their open requests
# behind: a check of sum(queue_length) rises with each restart, the canary of a version that restarts more is rolled back,
# or a limit is met by the dead. Call it in child_exit of gunicorn, use live modes, and empty the folder at the start.
#
# Seen, of three processes that set 5 and have ended: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
mkdir "$work/metrics"
export PROMETHEUS_MULTIPROC_DIR="$work/metrics"
with_python prometheus_client==0.26.0 <<'PY'
import subprocess, sys
from prometheus_client import CollectorRegistry, generate_latest, multiprocess

worker = """
from prometheus_client import Gauge
Gauge("queue", "Default").set(5)
Gauge("queue_live", "Live", multiprocess_mode="livesum").set(5)
"""
pids = []
for _ in range(3):
    process = subprocess.Popen([sys.executable, "-c", worker])
    process.wait()
    pids.append(process.pid)


def show(when):
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    lines = generate_latest(registry).decode().splitlines()
    series = [line for line in lines if line.startswith("queue{")]
    print(f"{when}: queue has {len(series)} series with pid, {[line for line in lines if line.startswith('queue_live')]}")


show("ended")
for pid in pids:
    multiprocess.mark_process_dead(pid)
show("marked dead")
PY
expect <<'END'
ended: queue has 3 series with pid, ['queue_live 15.0']
marked dead: queue has 3 series with pid, []
END
