#!/usr/bin/env bash
# whisper 1.1.10 (PyPI), which stores what Graphite gets: of two values for one interval the later one is kept.
#
# Guess: two pods that send the same path within one interval are added up, or averaged, as StatsD does.
#
# Really: the second value overwrites the first one. And where a coarser archive is made of the points, counts are
# averaged unless the file was created with another method: 6 failures in each of six intervals are 6 a minute, not 36.
#
# Matters: a canary with several pods that send straight to Graphite under one path shows one pod's numbers, another's each
# time: the failures of the one bad pod come and go. Put the pod's name into the path and sum in the query. For counts
# over more than the finest archive set aggregationMethod = sum.
#
# Seen:
#   pods send 5 and then 0: [0.0]
#   six times 6 in the coarser archive: average 6.0, sum 36.0
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"
python_packages --no-deps whisper==1.1.10 six==1.17.0
PYTHONPATH="$work/python" python3 - "$work" <<'PY'
import os
import sys
import time
import whisper

folder = sys.argv[1]
now = int(time.time())
minute = now // 60 * 60 - 600


def file(name, archives, **options):
    path = os.path.join(folder, name)
    whisper.create(path, archives, **options)
    return path


failed = file("failed.wsp", [(10, 3600)])
for pod in (5, 0):
    whisper.update(failed, pod, minute)
kept = whisper.fetch(failed, minute - 1, minute + 1)[1]

coarse = {}
for method in ("average", "sum"):
    path = file(f"{method}.wsp", [(10, 360), (60, 1440)], aggregationMethod=method)
    for index in range(6):
        whisper.update(path, 6, minute + index * 10)
    coarse[method] = whisper.fetch(path, minute - 7200, now)[1]
    coarse[method] = [value for value in coarse[method] if value is not None]

print(f"pods send 5 and then 0: {kept}")
print(f"six times 6 in the coarser archive: average {coarse['average'][0]}, sum {coarse['sum'][0]}")
sys.exit((kept, coarse) != ([0], {"average": [6], "sum": [36]}))
PY
