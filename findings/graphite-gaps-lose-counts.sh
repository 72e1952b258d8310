#!/usr/bin/env bash
# graphite-web 1.1.10 (PyPI): what a counter rises by over a missing point is lost; and keepLastValue fills a gap wholly
# or not at all.
#
# Guess: nonNegativeDerivative and perSecond go from the last known value to the next one, as PromQL's rate does; and
# keepLastValue(x, 2) fills the first two points of a longer gap.
#
# Really: a point is only compared with the one just before it. After a gap there is none, so 70 failures that came with
# a lost point are never seen. keepLastValue leaves a gap that is longer than its limit as it is.
#
# Matters: a canary in trouble is what loses points. Its failures around the gap are not counted, and no data come
# instead. keepLastValue(x, n) before the derivative, n larger than the gaps, counts them.
#
# Seen, of 10, 20, -, 90, 100 and 1, -, -, -, 5:
#   nonNegativeDerivative: [None, 10.0, None, None, 10.0]
#   with_keepLastValue: [None, 10.0, 0.0, 70.0, 10.0]
#   keepLastValue_2: [1.0, None, None, None, 5.0]
#   keepLastValue_3: [1.0, 1.0, 1.0, 1.0, 5.0]
set -euo pipefail
. "$(dirname "$0")/lib/graphite.sh"
with_graphite <<'PY'
from graphite_bed import check, render, store

store("failed", 10, 20, None, 90, 100)
store("gap", 1, None, None, None, 5)
values = lambda target: next(iter(render(target, -10, 40).values()))
check(nonNegativeDerivative=(values("nonNegativeDerivative(failed)"), [None, 10, None, None, 10]),
      with_keepLastValue=(values("nonNegativeDerivative(keepLastValue(failed))"), [None, 10, 0, 70, 10]),
      keepLastValue_2=(values("keepLastValue(gap,2)"), [1, None, None, None, 5]),
      keepLastValue_3=(values("keepLastValue(gap,3)"), [1, 1, 1, 1, 5]))
PY
