#!/usr/bin/env bash
# graphite-web 1.1.10 (PyPI): the newest value of summarize(x, "1min") is the sum of the current minute so far.
#
# Guess: summarize over a minute yields sums of a minute, the newest one of the last 60 seconds.
#
# Really: its buckets begin at full minutes. The first one is cut off by `from`, and the newest one has only what has come
# since the full minute: after 5 s a sixth of the failures or none. `alignToFrom` cuts the newest one as well.
#
# Matters: Serin reads the newest value, so a limit such as "at most 20 failures a minute" is compared with the failures
# of the last few seconds, and passes just after each full minute. Use movingSum(x, "1min").
#
# Seen, with one failure every 10 s, asked 20 s after a full minute:
#   summarize: [2.0, 6.0, 3.0]
#   aligned_to_from: [6.0, 5.0]
#   movingSum: [6.0, 6.0, 6.0, 6.0]
set -euo pipefail
. "$(dirname "$0")/lib/graphite.sh"
with_graphite <<'PY'
from graphite_bed import check, render, store

store("failed", *[1] * 40)
last = lambda target, begin: next(iter(render(target, begin, 200).values()))
check(summarize=(last('summarize(failed,"1min","sum")', 95), [2, 6, 3]),
      aligned_to_from=(last('summarize(failed,"1min","sum",true)', 95), [6, 5]),
      movingSum=(last('movingSum(failed,"1min")', 160), [6, 6, 6, 6]))
PY
