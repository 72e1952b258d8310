#!/usr/bin/env bash
# backoff 2.2.1 and retry 0.9.2, against retrying 1.4.2 and tenacity 9.2.1 (Python).
#
# Guess: with an interval of ten seconds backoff waits ten seconds between two calls, with some jitter at most; jitter=(0, 1)
# of retry adds up to a second to each wait.
#
# Really: backoff takes a random time between 0 and the interval, since its jitter is the whole of it: five seconds on the
# average, now and then none. retry adds each jitter to all waits that follow, so that they grow without a backoff, and
# jitter=1 is no random number: the waits are 1, 2, 3. retrying and tenacity add.
#
# Matters: a bot that looks at a Canary "every ten seconds, thirty times" with backoff gives up after two and a half minutes
# instead of five, at a release that was going well, and asks an API server twice as often. Give jitter=None.
#
# Seen, of waits for ten seconds (retry: one second): see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python backoff==2.2.1 retry==0.9.2 retrying==1.4.2 tenacity==9.2.1 <<'PY'
import logging, random, time
import backoff, retrying, tenacity
from retry.api import retry_call

logging.disable(logging.CRITICAL)
random.seed(1)
waits = []
time.sleep = waits.append


def fail():
    raise ValueError


def waited(call):
    waits.clear()
    try:
        call()
    except (ValueError, tenacity.RetryError):
        return list(waits)


def told(what, call):
    of = waited(call)
    print(f"{what}: {'below ten' if min(of) < 9.9 else 'at least ten'}, mean {sum(of) / len(of):.1f} s")


def grows(call):
    of = waited(call)
    return all(one <= other for one, other in zip(of, of[1:])) and of[-1] > 5 * of[0]


tries = 1001
told("backoff.constant", backoff.on_exception(backoff.constant, ValueError, interval=10, max_tries=tries)(fail))
told("jitter=None", backoff.on_exception(backoff.constant, ValueError, interval=10, max_tries=tries, jitter=None)(fail))
jitter = dict(wait_fixed=10000, wait_jitter_max=1000, stop_max_attempt_number=tries)
told("retrying", retrying.retry(**jitter)(fail))
wait = tenacity.wait_fixed(10) + tenacity.wait_random(0, 1)
told("tenacity", tenacity.retry(wait=wait, stop=tenacity.stop_after_attempt(tries))(fail))
print("retry, jitter=1:", waited(lambda: retry_call(fail, tries=6, delay=1, jitter=1)))
print("retry, jitter=(0, 1), grows:", grows(lambda: retry_call(fail, tries=31, delay=1, jitter=(0, 1))))
PY
expect <<'END'
backoff.constant: below ten, mean 5.1 s
jitter=None: at least ten, mean 10.0 s
retrying: at least ten, mean 10.5 s
tenacity: at least ten, mean 10.5 s
retry, jitter=1: [1, 2, 3, 4, 5]
retry, jitter=(0, 1), grows: True
END
