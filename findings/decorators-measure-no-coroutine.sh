#!/usr/bin/env bash
# prometheus_client 0.26.0 and statsd 4.0.1 (Python), against datadog 0.52.1.
#
# Guess: `@HISTOGRAM.time()` on an `async def` measures until its work is done, `@COUNTER.count_exceptions()` counts what it
# raises, `@GAUGE.track_inprogress()` is 1 while it runs; or all of them refuse a coroutine.
#
# Really: prometheus_client's three end when the coroutine is made, before it runs: the duration is some microseconds, no
# exception is counted, nothing is in progress. statsd's timer and datadog's timed wait.
#
# Matters: a service that moves from threads to asyncio keeps its decorators and becomes a thousand times faster and
# faultless by its own metrics: each check of its release passes. Use `with HISTOGRAM.time():` inside.
#
# Seen, for work of 0.3 s that fails: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python prometheus_client==0.26.0 statsd==4.0.1 datadog==0.52.1 <<'PY'
import asyncio
import socket
import time

import statsd
from datadog.dogstatsd import DogStatsd
from prometheus_client import REGISTRY, Counter, Gauge, Histogram

listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listener.bind(("127.0.0.1", 0))
port = listener.getsockname()[1]
seconds = Histogram("seconds", "", ["of"])
failures = Counter("failures", "", ["of"])
running = Gauge("running", "", ["of"])


def work():
    time.sleep(0.3)
    during = REGISTRY.get_sample_value("running", {"of": "function"})
    print("function: in progress", during)
    raise ValueError


async def work_later():
    await asyncio.sleep(0.3)
    print("coroutine: in progress", REGISTRY.get_sample_value("running", {"of": "coroutine"}))
    raise ValueError


def decorated(of, call):
    return seconds.labels(of).time()(failures.labels(of).count_exceptions()(running.labels(of).track_inprogress()(call)))


def told(of):
    measured = REGISTRY.get_sample_value("seconds_sum", {"of": of})
    print(f"{of}: {measured:.1f} s, failures {REGISTRY.get_sample_value('failures_total', {'of': of})}")


try:
    decorated("function", work)()
except ValueError:
    told("function")
try:
    asyncio.run(decorated("coroutine", work_later)())
except ValueError:
    told("coroutine")


async def quiet():
    await asyncio.sleep(0.3)


asyncio.run(statsd.StatsClient("127.0.0.1", port).timer("statsd")(quiet)())
asyncio.run(DogStatsd(host="127.0.0.1", port=port, disable_buffering=True, disable_telemetry=True).timed("datadog", use_ms=True)(quiet)())
for _ in range(2):
    name, _, rest = listener.recv(1000).decode().partition(":")
    print(f"{name}: {float(rest.split('|')[0]) / 1000:.1f} s")
PY
expect <<'END'
function: in progress 1.0
function: 0.3 s, failures 1.0
coroutine: in progress 0.0
coroutine: 0.0 s, failures 0.0
statsd: 0.3 s
datadog: 0.3 s
END
