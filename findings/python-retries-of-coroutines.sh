#!/usr/bin/env bash
# pybreaker 1.4.1, retry 0.9.2, retrying 1.4.2, tenacity 9.2.1, backoff 2.2.1 and stamina 26.1.0, against circuitbreaker
# 2.1.3 (Python).
#
# Guess: a decorator that tries three times, or that opens after three failures, works for `async def` and for a generator
# as for a function, or refuses them.
#
# Really: pybreaker takes the making of a coroutine for a success, so that it never opens; retry and retrying never try a
# coroutine again. tenacity, backoff and stamina do, but none of them where the coroutine is returned by a function. A
# generator is called once by tenacity and backoff; stamina begins it again, and hands out again what it had handed out.
#
# Matters: a bot that moves to asyncio keeps its decorators and has no retries and no breaker left: the first 503 of a
# metrics server ends it. One that reads pages of Canaries from a generator gives up, or sees some twice. Decorate the
# call of one page, as `async def`.
#
# Seen, of calls that always fail: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python pybreaker==1.4.1 circuitbreaker==2.1.3 retry==0.9.2 retrying==1.4.2 tenacity==9.2.1 backoff==2.2.1 stamina==26.1.0 <<'PY'
import asyncio, logging
import backoff, circuitbreaker, pybreaker, retrying, stamina, tenacity
import retry.api

logging.disable(logging.CRITICAL)
calls = 0


def function():
    global calls
    calls += 1
    raise ValueError


async def coroutine():
    function()


def returned():
    return coroutine()


def generator():
    yield "first page"
    function()


retries = {
    "retry": retry.api.retry(tries=3),
    "retrying": retrying.retry(stop_max_attempt_number=3),
    "tenacity": tenacity.retry(stop=tenacity.stop_after_attempt(3), reraise=True),
    "backoff": backoff.on_exception(backoff.constant, ValueError, interval=0, max_tries=3),
    "stamina": stamina.retry(on=ValueError, attempts=3, wait_initial=0, wait_max=0, wait_jitter=0),
}
for name, decorate in retries.items():
    told = []
    for call in (function, coroutine, returned):
        calls = 0
        try:
            made = decorate(call)()
            asyncio.run(made)
        except ValueError:
            told.append(f"{call.__name__} {calls}")
    pages = []
    try:
        for page in decorate(generator)():
            pages.append(page)
    except ValueError:
        print(f"{name}: calls of {', '.join(told)}, pages {len(pages)}")

for name, breaker in (("pybreaker", pybreaker.CircuitBreaker), ("circuitbreaker", circuitbreaker.CircuitBreaker)):
    told = []
    for call in (function, coroutine, returned):
        guarded = breaker(3)(call)
        calls = 0
        for _ in range(10):
            try:
                asyncio.run(guarded())
            except (ValueError, pybreaker.CircuitBreakerError, circuitbreaker.CircuitBreakerError):
                pass
        told.append(f"{call.__name__} {calls}")
    print(f"{name}: calls of {', '.join(told)}")
PY
expect <<'END'
retry: calls of function 3, coroutine 1, returned 1, pages 1
retrying: calls of function 3, coroutine 1, returned 1, pages 1
tenacity: calls of function 3, coroutine 3, returned 1, pages 1
backoff: calls of function 3, coroutine 3, returned 1, pages 1
stamina: calls of function 3, coroutine 3, returned 1, pages 3
pybreaker: calls of function 3, coroutine 10, returned 10
circuitbreaker: calls of function 3, coroutine 3, returned 10
END
