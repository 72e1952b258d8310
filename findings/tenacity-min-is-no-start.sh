#!/usr/bin/env bash
# tenacity 9.2.1 (Python).
#
# Guess: wait_exponential(multiplier=1, min=4, max=10) waits 4 s, 8 s, then 10 s, as its documentation says: "starting
# with 4 seconds".
#
# Really: it computes 1, 2, 4, 8 and raises what is below `min` to it: 4, 4, 4, 8, 10. With min=30 the first five waits
# are all 30 s.
#
# Matters: a webhook or a bot that was to back off asks at the same rate at first, all of its instances together, and
# the time until it gives up is another than was reckoned. Give the multiplier instead: multiplier=4 starts with 4 s.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python tenacity==9.2.1 <<'PY'
from tenacity import RetryCallState, wait_exponential


def waits(wait):
    state = RetryCallState(None, None, (), {})
    for state.attempt_number in range(1, 8):
        yield wait(state)


for arguments in ({"multiplier": 1, "min": 4, "max": 10}, {"multiplier": 1, "min": 30, "max": 300}, {"multiplier": 4, "max": 10}):
    print(arguments, *(f"{seconds:g}" for seconds in waits(wait_exponential(**arguments))))
PY
expect <<'END'
{'multiplier': 1, 'min': 4, 'max': 10} 4 4 4 8 10 10 10
{'multiplier': 1, 'min': 30, 'max': 300} 30 30 30 30 30 32 64
{'multiplier': 4, 'max': 10} 4 8 10 10 10 10 10
END
