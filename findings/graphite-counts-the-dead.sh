#!/usr/bin/env bash
# graphite-web 1.1.10 (PyPI).
#
# Guess: countSeries(pods.*.up) is the number of pods that report at that time, and fallbackSeries(x, y) is y where x has no
# values.
#
# Really: countSeries counts names, with values or without; and fallbackSeries gives way only where there is no such name. A
# pod that is gone has its file for as long as the disk keeps it. aggregate(…, "count") counts values.
#
# Matters: "at least two pods report" holds for a canary whose pods are all dead, since those of earlier releases count as
# well, and a rate per pod falls with every release. The number of names only grows.
#
# Seen, of three pods, one of which reports:
#   countSeries: [3, 3, 3]
#   count: [1, 1, 1]
#   per_pod: [10.0, 10.0, 10.0]
#   fallback: [None, None, None]
#   fallback_without_a_file: [30.0, 30.0, 30.0]
set -euo pipefail
. "$(dirname "$0")/lib/graphite.sh"
with_graphite <<'PY'
from graphite_bed import check, render, store

store("pods.gone.up", *[1] * 10)
store("pods.lost.up", *[None] * 40)
store("pods.lives.up", *[30] * 40)
last = lambda target: next(iter(render(target, 260, 290).values()))
check(countSeries=(last("countSeries(pods.*.up)"), [3, 3, 3]),
      count=(last('aggregate(pods.*.up,"count")'), [1, 1, 1]),
      per_pod=(last("divideSeries(sumSeries(pods.*.up),countSeries(pods.*.up))"), [10, 10, 10]),
      fallback=(last("fallbackSeries(pods.gone.up,pods.lives.up)"), [None, None, None]),
      fallback_without_a_file=(last("fallbackSeries(pods.missing.up,pods.lives.up)"), [30, 30, 30]))
PY
