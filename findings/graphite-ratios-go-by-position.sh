#!/usr/bin/env bash
# graphite-web 1.1.10 (PyPI): asPercent and divideSeriesLists pair two lists by position, not by name.
#
# Guess: asPercent(failed.*, all.*) divides each pod's failures by the same pod's requests, and a pod that is in one
# list only is left out.
#
# Really: both lists are sorted and paired as they come; the names are not looked at. Failures of pod c are divided by
# the requests of pod b. Only lists of different lengths are noticed (400).
#
# Matters: in a release pods come and go, and a series of failures begins with the first failure, so the lists seldom
# hold the same pods. The ratio is then of two different pods, and says nothing. Use asPercent(failed.*, all.*, 1), which
# pairs by the node of the path with that number.
#
# Seen: pod a fails at 1 %, pod c at 1 %, pod b has 10 requests:
#   by_position: {'asPercent(failed.a,all.a)': 1.0, 'asPercent(failed.c,all.b)': 30.0}
#   other_lengths: 400
#   by_node: {'asPercent(failed.a,all.a)': 1.0, 'asPercent(failed.c,all.c)': 1.0}
set -euo pipefail
. "$(dirname "$0")/lib/graphite.sh"
with_graphite <<'PY'
from graphite_bed import check, render, store

for path, value in {"failed.a": 1, "failed.c": 3, "all.a": 100, "all.b": 10, "all.c": 300}.items():
    store(path, *[value] * 30)


def newest(target):
    answer = render(target, 120, 240)
    return answer if answer == 400 else {name: values[-1] for name, values in answer.items() if values[-1] is not None}


check(by_position=(newest("asPercent(failed.*,all.{a,b})"), {"asPercent(failed.a,all.a)": 1, "asPercent(failed.c,all.b)": 30}),
      other_lengths=(newest("asPercent(failed.*,all.*)"), 400),
      by_node=({k: v for k, v in newest("asPercent(failed.*,all.*,1)").items() if "failed" in k and "MISSING" not in k},
               {"asPercent(failed.a,all.a)": 1, "asPercent(failed.c,all.c)": 1}))
PY
