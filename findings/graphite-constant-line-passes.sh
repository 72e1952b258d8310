#!/usr/bin/env bash
# graphite-web 1.1.10 (PyPI): the newest value of diffSeries(constantLine(100), x) is 100, whatever x is.
#
# Guess: 100 minus the percentage of failures, at every point in time.
#
# Really: constantLine has three points: at the beginning, in the middle and at the end of the window. Two series are
# brought to a common step first, which is then half of the window, and the last of these points holds nothing but the
# end of the line: 100 minus nothing. (Where half of the window and the step of x have no small common multiple, the
# points are others.) maxSeries and minSeries with a line fail alike.
#
# Matters: Serin reads the newest value. A success rate written like this with from=-2min passes while everything fails.
# Write offset(scale(x,-1),100), which has a point for each one of x.
#
# Seen, with 50 % failures:
#   with_a_line: [50.0, 50.0, 100.0]
#   with_offset: [50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0]
#   max_with_a_line: [50.0, 50.0, 7.0]
set -euo pipefail
. "$(dirname "$0")/lib/graphite.sh"
with_graphite <<'PY'
from graphite_bed import check, render, store

store("failed", *[50] * 30)
store("all", *[100] * 30)
two_minutes = lambda target: next(iter(render(target, 120, 240).values()))
check(with_a_line=(two_minutes("diffSeries(constantLine(100),asPercent(failed,all))"), [50, 50, 100]),
      with_offset=(two_minutes("offset(scale(asPercent(failed,all),-1),100)"), [50] * 12),
      max_with_a_line=(two_minutes("maxSeries(failed,constantLine(7))"), [50, 50, 7]))
PY
