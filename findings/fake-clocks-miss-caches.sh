#!/usr/bin/env bash
# cachetools 8.0.2 under freezegun 1.5.5 and time-machine 3.6.0 (Python).
#
# Guess: in a test that moves the clock by an hour, an entry with a time to live of a minute is gone.
#
# Really: it is still there with both libraries. time-machine does not move time.monotonic(), which TTLCache uses. freezegun
# moves it, but TTLCache took the real function as the default of a parameter when it was imported. A breaker of pybreaker 1.4.1,
# which reads the date, lets calls through again under both.
#
# Matters: the test of a gate that caches the answers of a metrics server sees the first answer for ever, or passes although the
# gate never asks again. Give timer=lambda: time.monotonic() with freezegun, and a timer of your own with time-machine.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python cachetools==8.0.2 freezegun==1.5.5 time-machine==3.6.0 pybreaker==1.4.1 <<'PY'
import time

import cachetools
import freezegun
import pybreaker
import time_machine


def fail():
    raise OSError


def try_it(name, clock, move):
    with clock as moved:
        plain = cachetools.TTLCache(10, ttl=60)
        with_monotonic = cachetools.TTLCache(10, ttl=60, timer=lambda: time.monotonic())
        with_time = cachetools.TTLCache(10, ttl=60, timer=lambda: time.time())
        breaker = pybreaker.CircuitBreaker(fail_max=1, reset_timeout=60)
        for cache in (plain, with_monotonic, with_time):
            cache["rate"] = "old"
        try:
            breaker.call(fail)
        except Exception:
            pass
        begin = time.time(), time.monotonic()
        move(moved)
        print(f"{name}: time() moved by {time.time() - begin[0]:.0f} s, monotonic() by {time.monotonic() - begin[1]:.0f} s")
        for kind, cache in (("TTLCache", plain), ("timer of monotonic()", with_monotonic), ("timer of time()", with_time)):
            print(f"  {kind}: {cache.get('rate', 'gone')}")
        print("  breaker:", breaker.call(lambda: "calls again"))


try_it("freezegun", freezegun.freeze_time("2026-11-30 12:00"), lambda clock: clock.tick(3600))
try_it("time-machine", time_machine.travel("2026-11-30 12:00 +0000", tick=False), lambda clock: clock.shift(3600))
PY
expect <<'END'
freezegun: time() moved by 3600 s, monotonic() by 3600 s
  TTLCache: old
  timer of monotonic(): gone
  timer of time(): gone
  breaker: calls again
time-machine: time() moved by 3600 s, monotonic() by 0 s
  TTLCache: old
  timer of monotonic(): old
  timer of time(): gone
  breaker: calls again
END
