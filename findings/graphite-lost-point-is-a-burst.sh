#!/usr/bin/env bash
# graphite-web 1.1.10 (PyPI): one lost point of one pod makes perSecond(sumSeries(x.*)) jump by that pod's whole counter.
#
# Guess: sumSeries leaves the gap out, or fills it; the rate is a little low for one point.
#
# Really: the sum falls by all that pod b ever counted (a reset, so no value), and rises by it again at the next point:
# 1000 per second where 0.2 is true. sumSeries(perSecond(x.*)) is right.
#
# Matters: the newest value is what Serin judges: such a point rolls a good canary back. Rate each series first, then
# sum, as with PromQL.
#
# Seen, at one request per 10 s of each of two pods, one point of pod b lost:
#   rate_of_the_sum: [0.2, 0.2, None, 1000.5, 0.2]
#   sum_of_the_rates: [0.2, 0.2, 0.1, 0.1, 0.2]
set -euo pipefail
. "$(dirname "$0")/lib/graphite.sh"
with_graphite <<'PY'
from graphite_bed import check, render, store

store("failed.a", *range(10000, 10006))
store("failed.b", 10000, 10001, 10002, None, 10004, 10005)
values = lambda target: next(iter(render(target, -10, 50).values()))
check(rate_of_the_sum=(values("perSecond(sumSeries(failed.*))")[-5:], [0.2, 0.2, None, 1000.5, 0.2]),
      sum_of_the_rates=(values("sumSeries(perSecond(failed.*))")[-5:], [0.2, 0.2, 0.1, 0.1, 0.2]))
PY
