#!/usr/bin/env bash
# Prometheus 3.15.0 (module v0.315.0): `and` of two comparisons with `bool` is the left one.
#
# Guess: `(failures > bool 0.01) and (seconds > bool 0.5)` is 1 if both hold, and 0 if not; `or` is 1 if one of them holds.
#
# Really: `and` gives the left value wherever the right one exists, and 0 exists: the right condition does not matter. `or`
# gives the left value if there is one, so that the right condition never matters either. `*` and `> bool 0` of a sum are
# what was meant.
#
# Matters: a MetricTemplate that is to be 1 for a bad canary, with max: 0, is blind for everything but its first condition: a
# slow version without failures passes `or`, and a fast one with failures fails `and`. Leave `bool` out of `and`, or multiply.
#
# Seen: the answers below.
set -euo pipefail
. "$(dirname "$0")/lib/promql.sh"
promql v0.315.0 <<'TXT'
load 15s
  failures 0x40
  seconds 3x40

10m (failures > bool 0.01) or (seconds > bool 0.5)
10m (seconds > bool 0.5) and (failures > bool 0.01)
10m (failures > 0.01) or (seconds > 0.5)
10m (seconds > 0.5) and (failures > 0.01)
10m (seconds > bool 0.5) + (failures > bool 0.01) > bool 0
10m (seconds > bool 0.5) * (failures > bool 0.01)
TXT
expect <<'TXT'
(failures > bool 0.01) or (seconds > bool 0.5) = 0
(seconds > bool 0.5) and (failures > bool 0.01) = 1
(failures > 0.01) or (seconds > 0.5) = {__name__="seconds"} 3
(seconds > 0.5) and (failures > 0.01) = nothing
(seconds > bool 0.5) + (failures > bool 0.01) > bool 0 = 1
(seconds > bool 0.5) * (failures > bool 0.01) = 0
TXT
