#!/usr/bin/env bash
# pybreaker 1.4.1 and circuitbreaker 2.1.3 (Python).
#
# Guess: with fail_max=5 or failure_threshold=5 a breaker opens soon before a backend that fails four calls of five, and
# lets one call through to try the backend when its time is over.
#
# Really: both count failures in a row, and each success begins anew: such a backend is called for ever. When the time is
# over, circuitbreaker lets each call through until the first has come back: all of those that waited for it. pybreaker
# lets one through and holds the others until it has failed.
#
# Matters: of a canary whose every fifth request works, the callers are not shielded, though they are from one that is
# down; and a backend that comes back slowly gets the whole load at once. Opening by a share of failures needs another
# library, or a proxy.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python pybreaker==1.4.1 circuitbreaker==2.1.3 <<'PY'
import threading, time
import circuitbreaker, pybreaker


def breakers(seconds):
    yield "pybreaker", pybreaker.CircuitBreaker(fail_max=5, reset_timeout=seconds)
    yield "circuitbreaker", circuitbreaker.CircuitBreaker(failure_threshold=5, recovery_timeout=seconds)


def attempt(breaker, call):
    try:
        breaker.call(call)
    except Exception:
        pass


for name, breaker in breakers(60):
    calls = []

    def unsteady():
        calls.append(0)
        if len(calls) % 5:
            raise RuntimeError

    for _ in range(100):
        attempt(breaker, unsteady)
    print(f"{name}: of 100 calls of a backend that fails four of five, {len(calls)} are made")

for name, breaker in breakers(1):

    def down():
        raise RuntimeError

    for _ in range(5):
        attempt(breaker, down)
    time.sleep(1.1)
    made = []

    def slow():
        made.append(0)
        time.sleep(0.5)
        raise RuntimeError

    threads = [threading.Thread(target=attempt, args=(breaker, slow)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{name}: of 20 calls at once when the time is over, {len(made)} are made")
PY
expect <<'END'
pybreaker: of 100 calls of a backend that fails four of five, 100 are made
circuitbreaker: of 100 calls of a backend that fails four of five, 100 are made
pybreaker: of 20 calls at once when the time is over, 1 are made
circuitbreaker: of 20 calls at once when the time is over, 20 are made
END
